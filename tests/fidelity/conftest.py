"""The options `--studiogan PATH` and `--r3gan PATH`."""

import pathlib


def pytest_addoption(parser):
    parser.addoption(
        "--studiogan",
        metavar="PATH",
        type=pathlib.Path,
        help="a checkout of PyTorch-StudioGAN to compare with (its directory `src`)",
    )
    parser.addoption(
        "--r3gan",
        metavar="PATH",
        type=pathlib.Path,
        help="a git checkout of R3GAN, whose trainer is compared with",
    )
