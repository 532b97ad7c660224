"""The options of `keras-sagan evaluate`."""

import pathlib

from keras_sagan.cli import outputs
from keras_sagan.cli.errors import UserError
from keras_sagan.cli.parsing import integer, local_path, number, png_file, truncations
from keras_sagan.metrics.extractors import naming
from keras_sagan.metrics.registry import METRICS, Need
from keras_sagan.metrics.settings import Settings

_COUNT = integer(least=1)


def add_metrics(parser):
    """Adds which scores are wanted."""
    known = ", ".join(f"{name} ({metric.says})" for name, metric in METRICS.items())
    parser.add_argument(
        "--metrics",
        default="fid",
        metavar="NAMES",
        help=f"comma-separated, out of {known} (default: %(default)s)",
    )


def add_images(group):
    """Adds to the argument group: which images are scored against which."""
    group.add_argument("--dataset", metavar="NAME", help="the real images")
    group.add_argument(
        "--split", metavar="NAME", help="of the real images (default: train)"
    )
    group.add_argument(
        "--held-out",
        metavar="SPLIT",
        help="split that was not trained on, for memorization",
    )
    group.add_argument(
        "--image-size",
        type=_COUNT,
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
    group.add_argument(
        "--cache-dir",
        type=local_path,
        metavar="DIR",
        help="where data and results are kept (default: data where TensorFlow Datasets "
        "keeps them, results in ~/.cache/keras_sagan)",
    )
    group.add_argument(
        "--no-cache",
        action="store_true",
        help="compute what an earlier evaluation of the same images by the same "
        "protocol has computed, and keep no result",
    )
    group.add_argument(
        "--reference-stats",
        type=local_path,
        metavar="FILE.npz",
        help="moments of the real images, as pytorch-fid and clean-fid write them: "
        "read if the file is there, else written. What it is of is then not given "
        "again, or the same",
    )
    group.add_argument(
        "--num-images",
        type=_COUNT,
        metavar="N",
        help="generated images (default: 10000, or all of a folder: or split:)",
    )
    group.add_argument(
        "--num-real", type=_COUNT, metavar="N", help="real images (default: all)"
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of latents")
    group.add_argument("--truncation", type=number(above=0), metavar="T")
    group.add_argument(
        "--num-classes",
        type=_COUNT,
        metavar="N",
        help="of a SavedModel without a model card (default: the data set's)",
    )


def add_extractor(group):
    """Adds to the argument group: the network that looks at them."""
    group.add_argument(
        "--extractor",
        default="inception",
        metavar="NAME",
        help="inception (FID), dinov2 or dinov2:s|b|l (ViT-L/14 unless another is "
        "named; needs the extra dinov2), classifier or classifier:FILE.keras (trained "
        "on the data's train split, kept in FILE), keras:FILE.keras, saved_model:DIR, "
        "applications:NAME (default: %(default)s)",
    )
    group.add_argument(
        "--weights",
        "--inception",
        dest="weights",
        type=local_path,
        metavar="FILE.pth",
        help="weights file of inception (pytorch-fid's or torch-fidelity's) or of "
        "dinov2 (facebookresearch's) (default: downloaded)",
    )
    group.add_argument(
        "--resize",
        choices=naming.RESIZE_KINDS,
        help="as torch-fidelity, as pytorch-fid, as clean-fid, or as dgm-eval "
        "(default: pillow for dinov2, else tensorflow1)",
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
        type=integer(least=0),
        default=100,
        metavar="N",
        help="0: one estimate from all images (default: %(default)s)",
    )
    group.add_argument(
        "--kid-subset-size",
        type=integer(least=2),
        default=1000,
        metavar="IMAGES",
        help="no more than either set has (default: %(default)s)",
    )
    group.add_argument(
        "--nearest-k",
        type=_COUNT,
        default=5,
        metavar="N",
        help="of prdc (default: %(default)s)",
    )
    group.add_argument(
        "--bandwidth",
        type=number(above=0),
        metavar="WIDTH",
        help="of rbf (default: the median distance between real images)",
    )
    group.add_argument(
        "--projections",
        type=_COUNT,
        default=1000,
        metavar="N",
        help="directions of mind (default: %(default)s)",
    )
    group.add_argument(
        "--allow-few",
        action="store_true",
        help="FID also of fewer images than dimensions",
    )
    group.add_argument(
        "--bootstrap",
        type=integer(least=0),
        default=0,
        metavar="N",
        help="resamples, 2 or more, for 95%% intervals (default: none)",
    )
    group.add_argument(
        "--batch-size",
        type=_COUNT,
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
        type=truncations,
        metavar="T,T,...",
        help="score at each of these truncations (none: no truncation)",
    )
    group.add_argument(
        "--sweep-png",
        type=png_file,
        metavar="FILE.png",
        help="curve of precision over recall",
    )


def settings_of(options):
    """The metrics' `Settings`.

    Raises:
        ValueError: if a setting is out of range, or there is no such metric.
    """
    metrics = tuple(x.strip() for x in options.metrics.split(",") if x.strip())
    if options.sweep_png and "prdc" not in metrics:
        metrics = (*metrics, "prdc")
    return Settings(
        metrics=metrics,
        subsets=options.kid_subsets or None,
        subset_size=options.kid_subset_size,
        nearest_k=options.nearest_k,
        bandwidth=options.bandwidth,
        projections=options.projections,
        allow_few=options.allow_few,
        bootstrap=options.bootstrap,
        batch_size=options.batch_size,
    )


def check(options):
    """Refuses what could not be done, or would be left out, before anything is loaded.

    Returns: `Settings`.

    Raises:
        UserError, ValueError, OSError: for that.
    """
    settings = settings_of(options)
    kind, rest = naming.parse(options.extractor)
    _check_left_out(options, settings, kind)
    if options.weights and not pathlib.Path(options.weights).is_file():
        raise UserError(f"--weights: there is no file {options.weights!r}.")
    if not options.dataset:
        _check_without_dataset(options, kind, rest)
    for path in (options.json, options.sweep_png):
        if path:
            outputs.check_file(path, options.force)
    kept = rest if kind == "classifier" else None
    for path in (options.reference_stats, kept):
        if path and not pathlib.Path(path).is_file():  # else it is read
            outputs.check_writable(path)
    return settings


def _check_left_out(options, settings, kind):
    sweep = options.truncation_sweep
    if options.sweep_png and not sweep:
        raise UserError("--sweep-png draws a --truncation-sweep: pass that too.")
    if options.audit and options.reference_stats:
        raise UserError("--audit needs the real images: no --reference-stats.")
    for flag, value in (
        ("--truncation", options.truncation),
        ("--against", options.against),
        ("--audit", options.audit or None),
    ):
        if sweep and value is not None:
            raise UserError(
                f"--truncation-sweep has a result for each truncation: no {flag}."
            )
    for flag, value, right in (
        ("--weights", options.weights, naming.WEIGHTS),
        ("--features", options.features, ("keras",)),
    ):
        if value and kind not in right:
            raise UserError(
                f"{flag} is of the extractor {' or '.join(right)}. Received: "
                f"--extractor {options.extractor}."
            )
    if options.held_out and Need.HELD_OUT not in settings.needs:
        names = [x.name for x in METRICS.values() if Need.HELD_OUT in x.needs]
        raise UserError(
            f"--held-out is of the metrics {' and '.join(names)}: pass one of them."
        )
    if Need.HELD_OUT in settings.needs and not options.held_out:
        raise UserError(
            f"The metrics {options.metrics} need {Need.HELD_OUT.value}: pass that too."
        )


def _check_without_dataset(options, kind, rest):
    stats = options.reference_stats
    if not stats or not pathlib.Path(stats).is_file():
        raise UserError("The real images are needed: pass --dataset.")
    if kind == "classifier" and not (rest and pathlib.Path(rest).is_file()):
        raise UserError(
            "The classifier is trained on the data, as its file is not there: pass "
            "--dataset."
        )
