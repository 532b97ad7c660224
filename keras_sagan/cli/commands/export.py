"""`keras-sagan export`: a trained model for TensorFlow Serving and other runtimes."""

import functools
import pathlib
import sys

from keras_sagan.cli import model_argument, outputs
from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.model_argument import add_model
from keras_sagan.cli.parsing import local_path
from keras_sagan.cli.startup import start_tensorflow


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "export",
        help="export a trained model for TensorFlow Serving, ONNX or LiteRT",
        description="Exports a trained model as the next version under a directory "
        "that TensorFlow Serving watches (--model_base_path): DIR/1, DIR/2, ... "
        "An export appears complete or not at all, and none is ever overwritten.",
        examples=(
            "runs/cats -o saved_models/cats --verify",
            "runs/cats -o cats.onnx --format onnx",
        ),
    )
    add_model(parser, model_argument.TRAINED)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        type=local_path,
        metavar="PATH",
        help="directory of the versions, e.g. saved_models/NAME; with another format "
        "the file to write, e.g. NAME.onnx",
    )
    parser.add_argument(
        "--format",
        choices=tuple(_EXPORTS),
        default="saved_model",
        help="onnx and litert need the extra of that name (default: %(default)s)",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="run the export (a SavedModel through TensorFlow's C API, in a process "
        "without Python's TensorFlow) and write it only if it does what the model does",
    )
    card = parser.add_argument_group("model card (not of litert)")
    card.add_argument("--license", metavar="TEXT", help="of the model, e.g. Apache-2.0")
    card.add_argument("--intended-use", metavar="TEXT", help="what the model is for")
    card.add_argument(
        "--metrics",
        action="append",
        default=[],
        type=local_path,
        metavar="FILE.json",
        help="scores that `keras-sagan evaluate --json` wrote; may be repeated",
    )
    parser.set_defaults(run=run)


def run(options):
    """Exports and prints where to."""
    if options.format != "saved_model":  # a file; of directories none is overwritten
        outputs.check_file(options.output, force=None)
    with user_errors():
        start_tensorflow()
        from keras_sagan.runs import loading

        metrics = [_read_scores(path) for path in options.metrics]
        gan = loading.load_trained(options.model)
        gan.refresh_ema()
        facts = {
            "facts": loading.facts_of(options.model, gan.step),
            "metrics": metrics,
            "license": options.license,
            "intended_use": options.intended_use,
            "class_names": gan.class_names,
            "class_weights": gan.fake_label_weights,
        }
        path = _EXPORTS[options.format](gan, options, facts)
    print(path)


def _read_scores(path):
    """The scores and the protocol of a result of `keras-sagan evaluate --json`."""
    from keras_sagan.metrics.protocol import read_result

    result = read_result(path)
    return {name: result[name] for name in ("scores", "protocol")}


def _saved_model(gan, options, facts):
    from keras_sagan.export import publishing, saved_model

    name = pathlib.Path(options.output).absolute().name

    def write(folder):
        saved_model.write_saved_model(gan.ema_generator, folder, name, **facts)
        if options.verify:
            _verify(gan, folder)

    return publishing.publish_version(write, options.output)


def _verify(gan, folder):
    from keras_sagan.export.verifying.verification import verify

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


def _onnx(gan, options, facts):
    from keras_sagan.export.onnx import export_onnx, onnx_runner

    name = pathlib.Path(options.output).stem
    write = functools.partial(export_onnx, gan.ema_generator, name=name, **facts)
    return _file(gan, options, write, onnx_runner)


def _litert(gan, options, facts):
    from keras_sagan.export.litert import export_litert, litert_runner

    write = functools.partial(export_litert, gan.ema_generator)
    return _file(gan, options, write, litert_runner)


def _file(gan, options, export, runner):
    from keras_sagan.export import runtimes
    from keras_sagan.files import writing

    def write(path):
        export(path=path)
        if options.verify:
            largest = runtimes.verify_images(gan, runner(path))
            print(f"Verified: images differ by at most {largest:.1e}", file=sys.stderr)

    writing.create_file(options.output, write)
    return options.output


_EXPORTS = {"saved_model": _saved_model, "onnx": _onnx, "litert": _litert}
