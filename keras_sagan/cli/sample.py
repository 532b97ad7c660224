"""`keras-sagan sample`: a grid of images from a trained model."""

import argparse
import math

from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.startup import start_tensorflow


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "sample",
        help="make a grid of images with a trained model",
        description="Makes images with a trained model and writes them as one PNG "
        "file: a row for each label, the same latent vectors in every row.",
    )
    parser.add_argument("source", metavar="RUN_OR_MODEL_DIR", help="trained model")
    parser.add_argument(
        "-o", "--output", required=True, type=_png, metavar="FILE.png", help="to write"
    )
    parser.add_argument(
        "--labels",
        metavar="LABELS",
        help="class names or indices, e.g. 0,1,2 (default: every class, at most 16)",
    )
    parser.add_argument(
        "--num-images",
        type=_positive_integer,
        default=8,
        metavar="N",
        help="images of each label, or in all without labels (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="of the first latent vector; the next ones use N+1, N+2, ...",
    )
    parser.add_argument(
        "--truncation",
        type=float,
        metavar="T",
        help="keep latent values within [-T, T]: less variety, safer images",
    )
    parser.set_defaults(run=run)


def run(options):
    """Loads the model, generates and writes the grid."""
    with user_errors():
        start_tensorflow()
        from keras_sagan.training.run import load_trained
        from keras_sagan.visualize import grids

        gan = load_trained(options.source)
        columns, seed = options.num_images, options.seed
        num_classes = gan.generator.num_classes
        if num_classes is None and not options.labels:
            what = {"num_images": columns, "seed": list(range(seed, seed + columns))}
            columns = math.ceil(math.sqrt(columns))
        else:
            labels = _labels(options.labels, gan.class_names)
            labels = labels or grids.shown_classes(num_classes)
            labels, seeds = grids.class_rows(labels, columns, seed)
            what = {"labels": labels, "seed": seeds}
        images = gan.generate(**what, truncation=options.truncation)
        grids.save_grid(options.output, images, columns)
    print(options.output)


def _labels(text, class_names):
    """Class names and indices from `"cat,1"`; a number that is a name is the name."""
    words = [word.strip() for word in (text or "").split(",")]
    return [
        int(word) if word.isdecimal() and word not in (class_names or ()) else word
        for word in words
        if word
    ]


def _png(text):
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"must end in .png. Received: {text}")
    return text


def _positive_integer(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1. Received: {text}")
    return value
