"""`keras-sagan report`: writes everything about a run on one page."""

from keras_sagan.cli import model_argument, outputs
from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.model_argument import add_model
from keras_sagan.cli.parsing import local_path
from keras_sagan.cli.startup import start_tensorflow
from keras_sagan.files import writing

_DESCRIPTION = """
Writes an HTML file about a run: what looks wrong, samples over time, losses, D(real)
and D(fake), gamma and sigma of each layer, scores, where the networks attend, the
configuration and how it differs from the preset, the data and the machine. The page is
self-contained, so that it can be mailed or published beside a paper.
"""
_SEEDS = (7, 8)  # of the attention figures
_POINTS = 4  # in an attention figure
_COMPARED = 64  # images for the check of batch statistics
_CLASSES, _LATENTS = 10, 16  # for the check that the label has an effect, at most
_MAPS = 16  # images for the check of attention


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "report",
        help="write a page about a run",
        description=_DESCRIPTION,
        examples=("runs/cats -o cats.html --scores scores.json",),
    )
    add_model(parser, model_argument.RUN, metavar="RUN")
    outputs.add_output(parser, (".html",), default="report.html")
    parser.add_argument(
        "--scores",
        action="append",
        default=[],
        type=local_path,
        metavar="FILE.json",
        help="scores that `keras-sagan evaluate --json` wrote; may be repeated",
    )
    parser.add_argument(
        "--label", metavar="LABEL", help="class of the attention figures (default: 0)"
    )
    parser.set_defaults(run=run)


def run(options):
    """Reads the run, and builds and writes the page."""
    path = outputs.check_output(options)
    with user_errors():
        start_tensorflow()
        from keras_sagan.runs import loading, reading
        from keras_sagan.visualize.report import page as report

        record = reading.read_run(loading.find_run(options.model))
        results = [(name, _result(name)) for name in options.scores]
        page = report.build_report(record, _extras(options, record, results))
        writing.make_folder(path.parent)
        writing.replace_file(path, page)
    print(path)


def _extras(options, record, results):
    from keras_sagan.config.presets import preset_differences
    from keras_sagan.visualize.report import diagnosis
    from keras_sagan.visualize.report import page as report

    gan, reason = _model(options.model)
    views, no_views = ([], reason) if gan is None else _views(gan, options)
    evidence = diagnosis.Evidence(
        record.rows,
        record.config["training"].get("loss", "hinge"),
        _last_diversity(record),
        record.facts.get("data", {}).get("diversity"),
        None if gan is None else _mismatch(gan),
        None if gan is None else label_effect(gan),
        None if gan is None else attention_of_positions(gan),
        record.facts.get("data", {}).get("class_names"),
    )
    return report.Extras(
        diagnosis.findings(evidence),
        preset_differences(record.config),
        views,
        no_views,
        results,
        diagnosis.unchecked(evidence),
    )


def _model(directory):
    """Returns the model of a run and `""`, or `None` and the reason."""
    from keras_sagan.runs.loading import load_trained

    try:
        return load_trained(directory), ""
    except FileNotFoundError:
        return None, "The run has neither a model nor a checkpoint yet."


def _views(gan, options):
    from keras_sagan.cli.commands.attention import label_of, title
    from keras_sagan.visualize import attention

    label = label_of(options.label, gan)
    if not attention.has_maps(gan):
        return [], "The model has no attention layers."
    views = []
    for seed in _SEEDS:
        view = attention.view(gan, label, seed)
        layer = next(iter(view.maps))
        points = attention.chosen_points(view, "auto", _POINTS, layer)
        views.append((title(label, seed, gan), view, points))
    return views, ""


def _mismatch(gan):
    """Returns `diagnosis.statistics_mismatch` of the averaged generator."""
    from keras_sagan.training.ema import with_both_statistics
    from keras_sagan.visualize.report import diagnosis

    return diagnosis.statistics_mismatch(*with_both_statistics(gan, _COMPARED))


def label_effect(gan):
    """Returns `diagnosis.label_effect` for some classes of the averaged generator."""
    import numpy as np

    from keras_sagan.visualize.report import diagnosis

    classes = gan.generator.num_classes
    if classes is None or classes < 2:
        return 1.0
    labels = np.linspace(0, classes - 1, min(classes, _CLASSES)).astype(int)
    images = gan.generate(
        labels=np.repeat(labels, _LATENTS),
        seed=list(range(_LATENTS)) * len(labels),
    )
    return diagnosis.label_effect(
        images.reshape(len(labels), _LATENTS, *images.shape[1:])
    )


def attention_of_positions(gan):
    """Returns `diagnosis.of_all_positions` for each attention layer, by its name."""
    import numpy as np

    from keras_sagan.visualize.report import diagnosis

    classes = gan.generator.num_classes
    rows = {"num_images": _MAPS} if classes is None else {}
    if classes is not None:
        rows["labels"] = np.linspace(0, classes - 1, _MAPS).astype(int)
    maps = gan.attention_maps(**rows)
    return {layer: diagnosis.of_all_positions(x) for layer, x in maps.items()}


def _last_diversity(record):
    import numpy as np

    from keras_sagan.visualize.embedded_pictures import read_picture
    from keras_sagan.visualize.report import diagnosis

    if not record.samples or record.samples[-1][0] == 0:  # an untrained generator
        return None
    model = record.config.get("model", {})
    size, image = model.get("image_size"), read_picture(record.samples[-1][1])
    if image is None or type(size) is not int or size < 1:
        return None
    grid = np.atleast_3d(np.asarray(image))
    return diagnosis.grid_diversity(grid, size, model.get("num_classes") is not None)


def _result(name):
    from keras_sagan.metrics.protocol import read_result

    try:
        return read_result(name)
    except ValueError as error:
        raise ValueError(
            "`--scores` takes files that `keras-sagan evaluate --json` wrote. "
            f"Received: {name!r} ({error})."
        ) from error
