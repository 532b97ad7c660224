"""The options of `keras-sagan evaluate`."""

import argparse

from keras_sagan.cli import outputs
from keras_sagan.cli.errors import UserError

METRICS = "fid,kid,is,prdc,intra_fid,agreement,memorization"


def add_images(group):
    """Adds to the argument group: which images are scored against which."""
    group.add_argument("--dataset", metavar="NAME", help="the real images")
    group.add_argument("--split", default="train", metavar="NAME", help="of the data")
    group.add_argument(
        "--held-out",
        metavar="SPLIT",
        help="split that was not trained on, for memorization",
    )
    group.add_argument(
        "--image-size",
        type=int,
        metavar="PIXELS",
        help="that images are read at (default: the model's; needed for folder: and "
        "split:)",
    )
    group.add_argument(
        "--fit",
        choices=("crop", "pad"),
        help="how images that are read become square (default: as the run that made "
        "the model read them, where that is known, else crop)",
    )
    group.add_argument("--cache-dir", metavar="DIR", help="where data are kept")
    group.add_argument(
        "--reference-stats",
        metavar="FILE.npz",
        help="moments of the real images, as pytorch-fid and clean-fid write them: "
        "read if the file exists, else written",
    )
    group.add_argument(
        "--num-images", type=int, metavar="N", help="generated images (default: 10000)"
    )
    group.add_argument(
        "--num-real", type=int, metavar="N", help="real images (default: all)"
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of latents")
    group.add_argument("--truncation", type=float, metavar="T")
    group.add_argument(
        "--num-classes",
        type=int,
        metavar="N",
        help="of a SavedModel without a model card (default: the data set's)",
    )


def add_extractor(group):
    """Adds to the argument group: the network that looks at them."""
    group.add_argument(
        "--extractor",
        default="inception",
        metavar="NAME",
        help="inception (FID), classifier or classifier:FILE.keras (trained on the "
        "data's train split, kept in FILE), keras:FILE.keras, saved_model:DIR, "
        "applications:NAME (default: %(default)s)",
    )
    group.add_argument(
        "--inception",
        metavar="FILE.pth",
        help="weights file of pytorch-fid or torch-fidelity (default: downloaded)",
    )
    group.add_argument(
        "--resize",
        default="tensorflow1",
        metavar="KIND",
        help="tensorflow1 (as torch-fidelity), pytorch (as pytorch-fid), clean (as "
        "clean-fid) (default: %(default)s)",
    )
    group.add_argument(
        "--features",
        metavar="LAYER",
        help="layer of keras:FILE whose output are the features (default: the last)",
    )


def add_settings(group):
    """Adds to the argument group: the metrics' own settings."""
    group.add_argument(
        "--kid-subsets",
        type=int,
        default=100,
        metavar="N",
        help="0: one estimate from all images (default: %(default)s)",
    )
    group.add_argument("--kid-subset-size", type=int, default=1000, metavar="IMAGES")
    group.add_argument("--nearest-k", type=int, default=5, metavar="N", help="of prdc")
    group.add_argument(
        "--allow-few",
        action="store_true",
        help="FID also of fewer images than dimensions",
    )
    group.add_argument(
        "--bootstrap",
        type=int,
        default=0,
        metavar="N",
        help="resamples for 95%% intervals of fid and agreement (default: none)",
    )
    group.add_argument(
        "--batch-size",
        type=int,
        default=64,
        metavar="IMAGES",
        help="computed at once, by all devices together (default: %(default)s)",
    )
    group.add_argument(
        "--strategy",
        default="none",
        choices=("none", "mirrored", "auto"),
        help="one device, all GPUs of this machine, or all where there are several "
        "(default: %(default)s); scores are the same up to rounding",
    )


def add_sweep(group):
    """Adds to the argument group: scores along the truncation."""
    group.add_argument(
        "--truncation-sweep",
        metavar="T,T,...",
        help="score at each of these truncations (none: no truncation)",
    )
    group.add_argument(
        "--sweep-png",
        type=_png,
        metavar="FILE.png",
        help="curve of precision over recall",
    )


def check(options):
    """Raises `UserError` for what could not be done, or would be left out, later."""
    sweep = options.truncation_sweep
    if options.sweep_png and not sweep:
        raise UserError("--sweep-png draws a --truncation-sweep: pass that too.")
    for flag, value in (
        ("--truncation", options.truncation),
        ("--against", options.against),
    ):
        if sweep and value is not None:
            raise UserError(
                f"--truncation-sweep has a result for each truncation: no {flag}."
            )
    for path in (options.json, options.reference_stats, options.sweep_png):
        if path:
            outputs.check_writable(path)


def _png(text):
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"must end in .png. Received: {text}")
    return text
