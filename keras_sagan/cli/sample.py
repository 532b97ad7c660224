"""`keras-sagan sample`: a grid of images from a trained model."""

import argparse
import math

from keras_sagan.cli.errors import UserError, user_errors
from keras_sagan.cli.startup import start_tensorflow


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "sample",
        help="make a grid of images with a trained model",
        description="Makes images with a trained model, here or on a server, and "
        "writes them as one PNG file: a row for each label, the same latent vectors "
        "in every row.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "source", metavar="RUN_OR_MODEL_DIR", nargs="?", help="trained model"
    )
    source.add_argument(
        "--server",
        metavar="URL",
        help="served model instead: grpc://HOST:8500/NAME or "
        "http://HOST:8501/v1/models/NAME; labels are then indices",
    )
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
    """Generates, here or on the server, and writes the grid."""
    with user_errors():
        from keras_sagan.visualize import grids

        make = _from_server if options.server else _from_model
        images, columns = make(options, grids)
        grids.save_grid(options.output, images, columns)
    print(options.output)


def _from_model(options, grids):
    start_tensorflow()
    from keras_sagan.training.run_directory import load_trained

    gan = load_trained(options.source)
    labels = _labels(options.labels, gan.class_names)
    if not labels and gan.generator.num_classes is not None:
        labels = grids.shown_classes(gan.generator.num_classes)
    return _images(gan.generate, labels, options, grids)


def _from_server(options, grids):
    from keras_sagan.serving.client import Client

    labels = _labels(options.labels, None)
    named = [label for label in labels if isinstance(label, str)]
    if named:
        raise UserError(
            "a server knows its classes by number only: --labels takes indices. "
            f"Received: {', '.join(named)}."
        )
    with Client(options.server) as client:
        generate = client.signatures().get("generate")
        if generate is None:
            raise UserError(f"the model at {options.server} cannot generate images.")
        if "label" in generate.inputs and not labels:
            raise UserError(
                "a server does not say how many classes its model has: name those "
                "wanted with --labels, e.g. --labels 0,1,2."
            )
        return _images(client.generate, labels, options, grids)


def _images(generate, labels, options, grids):
    """Images and how many are in a row: a row for each label, if there are any."""
    columns, seed = options.num_images, options.seed
    if labels:
        labels, seeds = grids.class_rows(labels, columns, seed)
        what = {"labels": labels, "seed": seeds}
    else:
        what = {"num_images": columns, "seed": list(range(seed, seed + columns))}
        columns = math.ceil(math.sqrt(columns))
    return generate(**what, truncation=options.truncation), columns


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
