"""`keras-sagan export`: a trained model as a SavedModel for TensorFlow Serving."""

import pathlib
import tempfile

from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.startup import start_tensorflow


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "export",
        help="export a trained model for TensorFlow Serving",
        description="Exports a trained model as the next version under a directory "
        "that TensorFlow Serving watches (--model_base_path): DIR/1, DIR/2, ...",
    )
    parser.add_argument("source", metavar="RUN_OR_MODEL_DIR", help="trained model")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="DIR",
        help="directory of the versions, e.g. saved_models/NAME",
    )
    parser.set_defaults(run=run)


def run(options):
    """Exports into the next free version directory."""
    with user_errors():
        start_tensorflow()
        from keras_sagan.training.run import load_trained

        gan = load_trained(options.source)
        target = next_version(options.output)
        # A server that watches the directory sees a version when it is complete.
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as partial:
            gan.export(f"{partial}/export")
            pathlib.Path(partial, "export").rename(target)
    print(target)


def next_version(base):
    """Returns the path of the version after the highest under `base`: 1 if none."""
    base = pathlib.Path(base)
    names = [path.name for path in base.iterdir()] if base.is_dir() else []
    versions = [int(name) for name in names if name.isdecimal()]
    return base / str(max(versions, default=0) + 1)
