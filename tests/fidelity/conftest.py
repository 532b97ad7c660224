"""The option `--studiogan PATH`, and Keras's side of the comparisons."""

import pathlib


def pytest_addoption(parser):
    parser.addoption(
        "--studiogan",
        metavar="PATH",
        type=pathlib.Path,
        help="a checkout of PyTorch-StudioGAN to compare with (its directory `src`)",
    )
