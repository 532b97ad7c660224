"""`keras-sagan export`: a trained model for TensorFlow Serving and other runtimes."""

import pathlib
import sys

from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.startup import start_tensorflow


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "export",
        help="export a trained model for TensorFlow Serving, ONNX or LiteRT",
        description="Exports a trained model as the next version under a directory "
        "that TensorFlow Serving watches (--model_base_path): DIR/1, DIR/2, ... "
        "A version appears complete or not at all, and none is ever overwritten.",
    )
    parser.add_argument("source", metavar="RUN_OR_MODEL_DIR", help="trained model")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="DIR",
        help="directory of the versions, e.g. saved_models/NAME",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="run every signature through TensorFlow's C API in a process without "
        "Python's TensorFlow, compare with the model, and export only if they agree",
    )
    card = parser.add_argument_group("model card")
    card.add_argument("--license", metavar="TEXT", help="of the model, e.g. Apache-2.0")
    card.add_argument("--intended-use", metavar="TEXT", help="what the model is for")
    parser.set_defaults(run=run)


def run(options):
    """Exports into the next free version directory."""
    with user_errors():
        start_tensorflow()
        from keras_sagan.export import card, saved_model, versions
        from keras_sagan.training.run import load_trained

        gan = load_trained(options.source)
        gan.refresh_ema()

        def write(folder):
            saved_model.write_saved_model(
                gan.ema_generator,
                folder,
                pathlib.Path(options.output).absolute().name,
                class_names=gan.class_names,
                facts=card.run_facts(options.source),
                license=options.license,
                intended_use=options.intended_use,
            )
            if options.verify:
                _verify(gan, folder)

        path = versions.publish_version(write, options.output)
    print(path)


def _verify(gan, folder):
    from keras_sagan.export.verification import verify

    report = verify(gan, folder)
    images = report["differences"]["serving_default/images"]
    levels = report["differences"]["generate/images"]
    print(
        f"Verified through the C API of TensorFlow {report['tensorflow']}: "
        f"{len(report['operations'])} signatures, loaded in "
        f"{report['load_seconds']:.2f} s; images differ by at most {images:.1e}, "
        f"pixels by {levels:.0f} of 255",
        file=sys.stderr,
    )
    for warning in report["warnings"]:
        print(f"Warning: {warning}", file=sys.stderr)
