"""`keras-sagan sample`: makes a grid of images with a trained model."""

import argparse
import csv
import math
import pathlib

from keras_sagan.cli import listening, model_argument, outputs
from keras_sagan.cli.errors import UserError, user_errors
from keras_sagan.cli.model_argument import add_model
from keras_sagan.cli.parsing import integer, local_path, truncations
from keras_sagan.cli.startup import start_tensorflow

_MOST_COLUMNS = 10_000  # of the grid
_MOST_MILLISECONDS = 655_350  # the longest duration that a .gif can store
_LEAST_IN_GIF = 96  # pixels of an image, because viewers do not enlarge animations


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "sample",
        help="make a grid of images with a trained model",
        description="Generates images with a model, on this machine or on a server, "
        "and writes them as one picture: a row for each label, with the same latent "
        "vectors in every row. A file that ends in .gif shows the columns one after "
        "the other.",
        examples=(
            "runs/cats -o cats.png --truncation 0.7",
            "runs/cats -o way.gif --interpolate-latents 1,2,3",
            "--server grpc://localhost:8500/cats --labels 0,1 -o cats.png",
        ),
    )
    source = parser.add_mutually_exclusive_group(required=True)
    add_model(source, model_argument.ANY, nargs="?")
    source.add_argument(
        "--server",
        metavar="URL",
        help="a served model instead: grpc://HOST:8500/NAME or "
        "http://HOST:8501/v1/models/NAME; labels are indices, or names with --card",
    )
    parser.add_argument(
        "--card",
        type=local_path,
        metavar="FILE",
        help="model card of the export that the server uses, with the names of its "
        "classes: saved_models/NAME/VERSION/assets.extra/model.json",
    )
    listening.add_token_file(parser, "file with the token that the server requires")
    outputs.add_output(parser, (".png", ".gif"))
    parser.add_argument(
        "--labels",
        metavar="LABELS",
        help="class names or indices, e.g. 0,1,2 (default: every class, at most 16); "
        "put a name with a comma in quotation marks, '\"cat, grey\",1'; write one that "
        "begins with - as --labels=-x",
    )
    parser.add_argument(
        "--num-images",
        type=integer(1, _MOST_COLUMNS),
        default=8,
        metavar="N",
        help="number of images per label, or in total if there are no labels "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the first latent vector; the next ones use N+1, N+2, ...",
    )
    parser.add_argument(
        "--truncation",
        type=float,
        metavar="T",
        help="keep latent values within [-T, T]: less variety, safer images",
    )
    parser.add_argument(
        "--strategy",
        default="none",
        choices=("none", "mirrored", "auto"),
        help="one device, all GPUs of this machine, or all if there are several "
        "(default: %(default)s); the images are the same up to rounding",
    )
    _add_modes(parser)
    parser.set_defaults(run=run)


def _add_modes(parser):
    modes = parser.add_argument_group("other grids").add_mutually_exclusive_group()
    modes.add_argument(
        "--truncation-sweep",
        type=truncations,
        metavar="T,...",
        help="a row for each of these truncations, e.g. 0.3,0.6,1,none, with the "
        "labels in turn",
    )
    modes.add_argument(
        "--interpolate-latents",
        type=_seeds,
        metavar="N,...",
        help="from the latent vector of one seed to that of the next, along the "
        "sphere; a row for each label",
    )
    modes.add_argument(
        "--interpolate-classes",
        action="store_true",
        help="from one of --labels to the next; a row for each latent vector",
    )
    modes.add_argument(
        "--nearest",
        nargs="?",
        const="run",
        metavar="DATASET",
        help="each image with the training pictures nearest to it, to see whether the "
        "model has memorised them (default: the data that it was trained on)",
    )
    details = parser.add_argument_group("details of these grids")
    for name, default, text in [
        ("--frames", 8, "steps from one stop of an interpolation to the next"),
        ("--neighbours", 5, "number of training pictures beside an image"),
        ("--milliseconds", 150, "time for which a .gif shows each column of the grid"),
    ]:
        most = _MOST_MILLISECONDS if name == "--milliseconds" else _MOST_COLUMNS
        details.add_argument(
            name,
            type=integer(1, most),
            default=default,
            metavar="N",
            help=f"{text} (default: %(default)s)",
        )


def run(options):
    """Generates images and writes the grid or the animation."""
    path = outputs.check_output(options)
    _check_modes(options)
    with user_errors():
        from keras_sagan.visualize import files, grids

        cells = (_from_server if options.server else _from_model)(options)
        if options.nearest:
            from keras_sagan.cli.commands import sample_modes

            cells, summary = sample_modes.nearest_neighbours(cells, options)
            print(summary)
        if path.suffix.lower() == ".gif":
            columns = math.ceil(math.sqrt(len(cells)))
            large = grids.enlarged(cells, _LEAST_IN_GIF)
            frames = [grids.image_grid(x, columns) for x in large.swapaxes(0, 1)]
            files.save_animation(path, frames, options.milliseconds)
        elif options.nearest:
            files.save_picture(path, grids.beside(cells[:, :1], cells[:, 1:]))
        else:
            images = cells.reshape(-1, *cells.shape[2:])
            grids.save_grid(path, images, cells.shape[1])
    if options.truncation_sweep:
        rows = ", ".join(
            "none" if x is None else f"{x:g}" for x in options.truncation_sweep
        )
        print(f"Rows from above: truncation {rows}")
    print(path)


def _check_modes(options):
    if options.card and not options.server:
        raise UserError("--card needs --server: a local model knows its classes.")
    if options.server and (options.interpolate_latents or options.interpolate_classes):
        raise UserError(
            "a server generates images from seeds, between which there is nothing: "
            "interpolate with a local model."
        )
    undivided = (
        options.server or options.interpolate_latents or options.interpolate_classes
    )
    if options.strategy != "none" and undivided:
        raise UserError(
            "--strategy spreads seeds over devices, which does not apply to "
            f"interpolations and servers. Received: --strategy {options.strategy}."
        )
    if options.truncation_sweep and options.truncation is not None:
        raise UserError("--truncation cannot be combined with --truncation-sweep.")
    if options.nearest and options.output.lower().endswith(".gif"):
        raise UserError("--nearest makes a table of pictures: -o must be a .png file.")


def _from_model(options):
    start_tensorflow()
    from keras_sagan.cli.commands import sample_modes
    from keras_sagan.runs import loading
    from keras_sagan.visualize import grids

    if options.interpolate_classes:  # mixtures of classes, which no signature takes
        gan = loading.load_trained(options.model)
        labels = _labels(options.labels, gan.class_names)
        return sample_modes.class_interpolation(gan, labels, options)
    model = _opened(options)
    labels = _labels(options.labels, model.class_names)
    if not labels and model.num_classes is not None:
        labels = grids.shown_classes(model.num_classes)
    if options.interpolate_latents:
        return sample_modes.latent_interpolation(model, labels, options)
    return _generated(model.generate, labels, options)


def _opened(options):
    """Opens the model on the devices of `--strategy`."""
    from keras_sagan.distributed import strategies
    from keras_sagan.runs import loading

    if options.strategy == "none":
        return loading.open_model(options.model)
    with strategies.create_strategy(options.strategy).scope():
        return loading.load_trained(options.model)  # exports have one device


def _from_server(options):
    from keras_sagan.serving.client.client import Client
    from keras_sagan.visualize import grids

    names = _names_of_card(options.card) if options.card else None
    labels = _labels(options.labels, names)
    unknown = [x for x in labels if isinstance(x, str) and x not in (names or ())]
    if unknown:
        known = f"the classes of the card, {', '.join(names)}" if names else "indices"
        raise UserError(
            "a server knows its classes by number only, so --labels must be "
            f"{known}{'' if names else ', or names with --card'}. Received: "
            f"{', '.join(unknown)}."
        )
    labels = [names.index(x) if isinstance(x, str) else x for x in labels]
    if names and not labels:
        labels = grids.shown_classes(len(names))
    with Client(options.server, token=listening.read_token(options)) as client:
        generate = client.signatures().get("generate")
        if generate is None:
            raise UserError(f"the model at {options.server} cannot generate images.")
        if "label" in generate.inputs and not labels:
            raise UserError(
                "a server does not say how many classes its model has: choose some "
                "with --labels, e.g. --labels 0,1,2, or give its --card."
            )
        return _generated(client.generate, labels, options)


def _names_of_card(path):
    from keras_sagan.export import card

    path = pathlib.Path(path)
    names = card.read_card(path.parent).get("class_names")
    if path.name != card.FILE or not names:
        raise UserError(
            f"--card must be the file {card.FILE} of an export whose classes have "
            f"names. Received: {path}."
        )
    return names


def _generated(generate, labels, options):
    from keras_sagan.cli.commands import sample_modes

    mode = sample_modes.plain
    if options.truncation_sweep:
        mode = sample_modes.truncation_sweep
    return mode(generate, labels, options)


def _labels(text, class_names):
    """Parses class names and indices, e.g. `"cat,1"`.

    A number is an index unless there is a class of that name. A name with a comma is
    written in quotation marks: `'"cat, grey",1'`.
    """
    rows = csv.reader([text or ""], skipinitialspace=True)
    words = [word.strip() for row in rows for word in row]
    return [
        int(word) if word.isdecimal() and word not in (class_names or ()) else word
        for word in words
        if word
    ]


def _seeds(text):
    try:
        seeds = [integer()(word) for word in text.split(",")]
    except argparse.ArgumentTypeError:
        seeds = []
    if len(seeds) < 2:
        raise argparse.ArgumentTypeError(
            f"must be two or more seeds, e.g. 0,1,2. Received: {text}"
        )
    return seeds
