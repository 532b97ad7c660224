"""`keras-sagan export`: exports a model for TensorFlow Serving and other runtimes."""

import functools
import pathlib
import shutil
import sys

from keras_sagan.cli import model_argument, outputs
from keras_sagan.cli.errors import UserError, user_errors
from keras_sagan.cli.model_argument import add_model
from keras_sagan.cli.parsing import local_path
from keras_sagan.cli.startup import start_tensorflow


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "export",
        help="export a model for TensorFlow Serving, Triton, ONNX, LiteRT or the "
        "browser, or to share it",
        description="Exports a trained model as the next version under a directory "
        "that TensorFlow Serving watches (--model_base_path): DIR/1, DIR/2, ... "
        "An export appears complete or not at all, and none is ever overwritten. "
        "--format triton does the same in a model repository of NVIDIA's Triton. "
        "--format web writes a folder for any static host: a page on which the model "
        "runs in the visitor's browser. --format oci writes a container image that "
        "KServe and Kubernetes mount, as an OCI image layout with a bill of materials. "
        "--format preset writes a model that can be "
        "trained further on other pictures, without the state of its optimizers.",
        examples=(
            "runs/cats -o saved_models/cats --verify",
            "runs/cats -o cats.onnx --format onnx",
            "runs/cats -o model_repository/cats --format triton",
            "runs/cats -o site/ --format web",
            "saved_models/cats -o image/ --format oci",
        ),
    )
    add_model(
        parser,
        f"{model_argument.TRAINED}; with --format web or oci also "
        f"{model_argument.EXPORTED}",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        type=local_path,
        metavar="PATH",
        help="directory of the versions, e.g. saved_models/NAME; for triton that of "
        "the model in a repository, e.g. model_repository/NAME; for onnx and litert "
        "the file to write, e.g. NAME.onnx; for web, oci and preset the folder to "
        "write",
    )
    parser.add_argument(
        "--format",
        choices=tuple(_EXPORTS),
        default="saved_model",
        help="onnx, litert and oci need the extra of that name, triton and web that of "
        "onnx (default: %(default)s)",
    )
    parser.add_argument(
        "--signature",
        choices=("serving_default", "attention", "generate"),
        help="what the model of onnx or triton computes: images from latent vectors, "
        "images and attention maps from latent vectors, or images from seeds, "
        "respectively (default: serving_default for onnx, generate for triton)",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="run the export, and write it only if its results are those of the model; "
        "a SavedModel is run through TensorFlow's C API, without Python",
    )
    card = parser.add_argument_group("model card (not for litert)")
    card.add_argument(
        "--license", metavar="TEXT", help="license of the model, e.g. Apache-2.0"
    )
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
    """Exports the model, and prints the path of what was written."""
    if options.signature and options.format not in ("onnx", "triton"):
        raise UserError("--signature goes with --format onnx and triton only.")
    if options.format in ("web", "oci", "preset"):
        outputs.check_folder(options.output)
    elif options.format in ("onnx", "litert"):  # versions are never overwritten
        outputs.check_file(options.output, force=None)
    with user_errors():
        start_tensorflow()
        from keras_sagan.runs import loading

        metrics = [_read_scores(path) for path in options.metrics]
        trained = options.format not in ("web", "oci")
        model = (loading.load_trained if trained else loading.open_model)(options.model)
        path = _EXPORTS[options.format](model, options, _facts(model, options, metrics))
    print(path)


def _facts(model, options, metrics):
    """Returns arguments of `model_card`, or changes to the card of an export."""
    from keras_sagan.runs import loading
    from keras_sagan.sagan import SAGAN

    if not isinstance(model, SAGAN):
        given = ("license", options.license), ("intended_use", options.intended_use)
        return {name: x for name, x in (*given, ("metrics", metrics)) if x}
    model.refresh_ema()
    return {
        "facts": loading.facts_of(options.model, model.step),
        "metrics": metrics,
        "license": options.license,
        "intended_use": options.intended_use,
        "class_names": model.class_names,
        "class_weights": model.fake_label_weights,
    }


def _read_scores(path):
    """Reads what a model card has of a file of `keras-sagan evaluate`."""
    from keras_sagan.metrics.protocol import read_result

    result = read_result(path)
    also = [x for x in ("intervals", "conclusions") if result.get(x)]
    return {name: result[name] for name in ("scores", *also, "protocol")}


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
    from keras_sagan.export.onnx import export_onnx

    signature = options.signature or "serving_default"
    write = functools.partial(
        export_onnx,
        gan.ema_generator,
        name=pathlib.Path(options.output).stem,
        signature=signature,
        **facts,
    )

    return _file(options, write, lambda path: _verify_onnx(gan, path, signature))


def _verify_onnx(gan, path, signature):
    from keras_sagan.export import runtimes
    from keras_sagan.export.onnx import onnx_outputs, onnx_runner

    if signature == "serving_default":
        return _verify_images(gan, onnx_runner(path))
    run = onnx_outputs(path)
    if signature == "attention":
        draw, _ = runtimes.latents_function(gan.generator.latent_dim)
        run = runtimes.drawing(lambda rows: draw(**rows), run)
    return _say_levels(runtimes.verify_draws(gan, run))


def _triton(gan, options, facts):
    from keras_sagan.export.triton import export_triton

    signature = options.signature or "generate"

    def verify(path):
        if options.verify:
            _verify_onnx(gan, path, signature)

    return export_triton(gan.ema_generator, options.output, signature, verify, **facts)


def _litert(gan, options, facts):
    from keras_sagan.export.litert import export_litert, litert_runner

    write = functools.partial(export_litert, gan.ema_generator)
    return _file(options, write, lambda path: _verify_images(gan, litert_runner(path)))


def _file(options, export, verify):
    from keras_sagan.files import writing

    def write(path):
        export(path=path)
        if options.verify:
            verify(path)

    writing.create_file(options.output, write)
    return options.output


def _web(model, options, facts):
    from keras_sagan.export import runtimes
    from keras_sagan.export.web.folder import export_web, web_runner
    from keras_sagan.files import writing
    from keras_sagan.sagan import SAGAN

    trained = isinstance(model, SAGAN)
    name = pathlib.Path(options.output).absolute().name if trained else None

    def write(folder):
        source = model.ema_generator if trained else model
        export_web(source, folder, name, **facts)
        if options.verify:
            _say_levels(runtimes.verify_draws(model, web_runner(folder)))

    writing.create_folder(options.output, write)
    return options.output


def _oci(model, options, facts):
    from keras_sagan.export import oci, saved_model
    from keras_sagan.sagan import SAGAN

    trained = isinstance(model, SAGAN)
    if not trained and (facts or options.verify):
        raise UserError(
            "--verify and the options of the model card go with a trained model only: "
            "an exported one is put into the image as it is."
        )

    def write(folder):
        if not trained:
            return shutil.copytree(model.directory, folder, dirs_exist_ok=True)
        name = pathlib.Path(options.output).absolute().name
        saved_model.write_saved_model(model.ema_generator, folder, name, **facts)
        if options.verify:
            _verify(model, folder)

    oci.export_oci(write, options.output)
    return options.output


def _preset(gan, options, facts):
    from keras_sagan.files import writing
    from keras_sagan.sagan import SAGAN
    from keras_sagan.training import saving

    card = {x: facts[x] for x in ("facts", "metrics", "license", "intended_use")}

    def write(folder):
        saving.write(gan, folder, include_optimizer=False, **card)
        if options.verify:
            draw = SAGAN.from_preset(folder).predict
            _verify_images(gan, lambda rows: draw([*rows.values()], verbose=0))

    writing.create_folder(options.output, write)
    return options.output


def _verify_images(gan, run):
    from keras_sagan.export import runtimes

    largest = runtimes.verify_images(gan, run)
    print(f"Verified: images differ by at most {largest:.1e}", file=sys.stderr)


def _say_levels(share):
    print(
        "Verified: the pictures are those of `generate` with the same seeds, except "
        f"that a fraction of {share:.1g} of the values differs by one grey level",
        file=sys.stderr,
    )


_EXPORTS = {
    "saved_model": _saved_model,
    "onnx": _onnx,
    "triton": _triton,
    "litert": _litert,
    "web": _web,
    "oci": _oci,
    "preset": _preset,
}
