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
    """Adds the option that says which scores to compute."""
    known = ", ".join(f"{name} ({metric.says})" for name, metric in METRICS.items())
    parser.add_argument(
        "--metrics",
        default="fid",
        metavar="NAMES",
        help=f"scores, separated by commas: {known} (default: %(default)s)",
    )


def add_images(group):
    """Adds the options that say which images are scored, and with which real ones."""
    group.add_argument("--dataset", metavar="NAME", help="data set of real images")
    group.add_argument(
        "--split", metavar="NAME", help="split of the real images (default: train)"
    )
    group.add_argument(
        "--held-out",
        metavar="SPLIT",
        help="split that was not trained on, for memorization, gap and utility",
    )
    group.add_argument(
        "--image-size",
        type=_COUNT,
        metavar="PIXELS",
        help="size to which images are resized when they are read (default: that of "
        "the model; required for folder: and split:)",
    )
    group.add_argument(
        "--fit",
        choices=("crop", "pad"),
        help="how images are made square when they are read (default: as in the run "
        "that made the model, if known, or else crop)",
    )
    group.add_argument(
        "--cache-dir",
        type=local_path,
        metavar="DIR",
        help="directory for data and results (default: that of TensorFlow Datasets for "
        "data, ~/.cache/keras_sagan for results)",
    )
    group.add_argument(
        "--no-cache",
        action="store_true",
        help="neither use results of earlier evaluations of the same images with the "
        "same protocol, nor store any",
    )
    group.add_argument(
        "--reference-stats",
        type=local_path,
        metavar="FILE.npz",
        help="moments of the real images, in the format of pytorch-fid and clean-fid; "
        "read if the file exists, otherwise written. Options that describe the real "
        "images can be left out if it exists, or must agree with it",
    )
    group.add_argument(
        "--num-images",
        type=_COUNT,
        metavar="N",
        help="number of images to score (default: 10000, or all of a folder: or "
        "split:)",
    )
    group.add_argument(
        "--num-real",
        type=_COUNT,
        metavar="N",
        help="number of real images (default: all)",
    )
    group.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the latent vectors (default: %(default)s)",
    )
    group.add_argument(
        "--truncation",
        type=number(above=0),
        metavar="T",
        help="keep latent values within [-T, T]: less variety, safer images",
    )
    group.add_argument(
        "--num-classes",
        type=_COUNT,
        metavar="N",
        help="number of classes of a SavedModel without a model card (default: that "
        "of the data set)",
    )


def add_extractor(group):
    """Adds the options of the network that extracts features from the images."""
    group.add_argument(
        "--extractor",
        default="inception",
        metavar="NAME",
        help="network that extracts features: inception (for FID), dinov2 or "
        "dinov2:s|b|l (dinov2 is dinov2:l, ViT-L/14; needs the extra dinov2), "
        "classifier or classifier:FILE.keras (trained on the train split of the data, "
        "and stored in FILE), keras:FILE.keras, saved_model:DIR or applications:NAME "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--weights",
        "--inception",
        dest="weights",
        type=local_path,
        metavar="FILE.pth",
        help="weights of inception, in the file of pytorch-fid or torch-fidelity, or "
        "of dinov2, in the file of facebookresearch (default: download them)",
    )
    group.add_argument(
        "--resize",
        choices=naming.RESIZE_KINDS,
        help="how images are resized for the network: as in torch-fidelity, in "
        "pytorch-fid, in clean-fid or in dgm-eval, respectively (default: pillow for "
        "dinov2, otherwise tensorflow1)",
    )
    group.add_argument(
        "--features",
        metavar="LAYER",
        help="layer of keras:FILE that outputs the features (default: the last)",
    )


def add_settings(group):
    """Adds the settings of the metrics."""
    group.add_argument(
        "--kid-subsets",
        type=integer(least=0),
        default=100,
        metavar="N",
        help="number of subsets for kid, or 0 for one estimate from all images "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--kid-subset-size",
        type=integer(least=2),
        default=1000,
        metavar="IMAGES",
        help="size of a subset for kid, at most that of the smaller set (default: "
        "%(default)s)",
    )
    group.add_argument(
        "--nearest-k",
        type=_COUNT,
        default=5,
        metavar="N",
        help="number of nearest neighbours for prdc (default: %(default)s)",
    )
    group.add_argument(
        "--bandwidth",
        type=number(above=0),
        metavar="WIDTH",
        help="kernel width for rbf (default: the median distance between real images)",
    )
    group.add_argument(
        "--projections",
        type=_COUNT,
        default=1000,
        metavar="N",
        help="number of directions for mind (default: %(default)s)",
    )
    group.add_argument(
        "--utility-seeds",
        type=integer(least=2),
        default=5,
        metavar="N",
        help="times that each classifier of utility is trained (default: %(default)s)",
    )
    group.add_argument(
        "--utility-steps",
        type=_COUNT,
        metavar="STEPS",
        help="of each of them, in batches of 128 (default: four passes over real and "
        "generated images together, at least 1000)",
    )
    group.add_argument(
        "--utility-mirror",
        action="store_true",
        help="plain augmentation, which utility is compared with, mirrors images too",
    )
    group.add_argument(
        "--allow-few",
        action="store_true",
        help="compute fid even of fewer images than the features have dimensions",
    )
    group.add_argument(
        "--bootstrap",
        type=integer(least=0),
        default=0,
        metavar="N",
        help="number of resamples, 2 or more, for 95%% intervals (default: no "
        "intervals)",
    )
    group.add_argument(
        "--batch-size",
        type=_COUNT,
        default=64,
        metavar="IMAGES",
        help="number of images computed at once, by all devices together (default: "
        "%(default)s)",
    )
    group.add_argument(
        "--strategy",
        default="none",
        choices=("none", "mirrored", "auto"),
        help="one device, all GPUs of this machine, or all if there are several "
        "(default: %(default)s); the scores are the same up to rounding",
    )


def add_sweep(group):
    """Adds the options for scores at several truncations."""
    group.add_argument(
        "--truncation-sweep",
        type=truncations,
        metavar="T,T,...",
        help="compute the scores at each of these truncations, e.g. 0.5,1,none",
    )
    group.add_argument(
        "--sweep-png",
        type=png_file,
        metavar="FILE.png",
        help="draw precision over recall as a curve",
    )


def settings_of(options):
    """Returns the `Settings` of the metrics.

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
        seeds=options.utility_seeds,
        steps=options.utility_steps,
        mirror=options.utility_mirror,
        allow_few=options.allow_few,
        bootstrap=options.bootstrap,
        batch_size=options.batch_size,
    )


def check(options):
    """Checks the options before anything is loaded.

    Returns: `Settings`.

    Raises:
        UserError, ValueError, OSError: if they cannot be fulfilled, or if one of them
            would have no effect.
    """
    settings = settings_of(options)
    kind, rest = naming.parse(options.extractor)
    _check_without_effect(options, settings, kind)
    if options.weights and not pathlib.Path(options.weights).is_file():
        raise UserError(f"--weights: there is no file {options.weights!r}.")
    if not options.dataset:
        _check_without_dataset(options, kind, rest)
    for path in (options.json, options.sweep_png):
        if path:
            outputs.check_file(path, options.force)
    classifier = rest if kind == "classifier" else None
    for path in (options.reference_stats, classifier):
        if path and not pathlib.Path(path).is_file():  # an existing file is read
            outputs.check_writable(path)
    return settings


def _check_without_effect(options, settings, kind):
    sweep = options.truncation_sweep
    if options.sweep_png and not sweep:
        raise UserError("--sweep-png needs --truncation-sweep, which it draws.")
    if options.audit and options.reference_stats:
        raise UserError(
            "--audit needs the real images, so it cannot be combined with "
            "--reference-stats."
        )
    for flag, value in (
        ("--truncation", options.truncation),
        ("--against", options.against),
        ("--audit", options.audit or None),
    ):
        if sweep and value is not None:
            raise UserError(
                "--truncation-sweep has a result for each truncation, so it cannot be "
                f"combined with {flag}."
            )
    for flag, value, extractors in (
        ("--weights", options.weights, naming.WEIGHTS),
        ("--features", options.features, ("keras",)),
    ):
        if value and kind not in extractors:
            raise UserError(
                f"{flag} is an option of the extractor {' or '.join(extractors)}. "
                f"Received: --extractor {options.extractor}."
            )
    if options.held_out and Need.HELD_OUT not in settings.needs:
        names = [x.name for x in METRICS.values() if Need.HELD_OUT in x.needs]
        raise UserError(
            f"--held-out is an option of the metrics {', '.join(names[:-1])} and "
            f"{names[-1]}: add one of them to --metrics."
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
            "The classifier must be trained on the data, since its file does not "
            "exist: pass --dataset."
        )
