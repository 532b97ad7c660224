"""From words on the command line to settings of a `RunConfig`."""

import ast
import dataclasses

_WORDS = {"none": None, "null": None, "true": True, "false": False}


@dataclasses.dataclass(frozen=True)
class Flag:
    """A flag of its own for a setting.

    Args:
        name: str. `"--batch-size"`.
        setting: str. `"training.batch_size"`.
        metavar: str. Unit or kind of the value, upper case.
        help: str.
    """

    name: str
    setting: str
    metavar: str
    help: str


# By the title that `--help` gives them.
FLAGS = {
    "data": (
        Flag(
            "--dataset",
            "data.dataset",
            "NAME",
            "glyphs (default), shapes, tfds:NAME, folder:PATH or npz:PATH",
        ),
        Flag("--split", "data.split", "NAME", "part of the data set (default: train)"),
        Flag("--cache-dir", "data.cache_dir", "DIR", "where prepared data are kept"),
        Flag(
            "--image-size",
            "model.image_size",
            "PIXELS",
            "32, 64, 128 or 256 (default: the preset's)",
        ),
        Flag(
            "--fit",
            "data.fit",
            "HOW",
            "how pictures become square: crop (default) or pad",
        ),
        Flag(
            "--real-labels",
            "data.real_labels",
            "HOW",
            "how often a class is shown: natural (default) or balanced",
        ),
        Flag(
            "--fake-labels",
            "data.fake_labels",
            "HOW",
            "the same of generated images: balanced (default) or natural",
        ),
    ),
    "small data sets": (
        Flag(
            "--augment",
            "augmentation.policy",
            "NAME",
            "what the discriminator sees: none (default), diffaugment or ada",
        ),
        Flag(
            "--augment-operations",
            "augmentation.operations",
            "NAMES",
            "color,translation,cutout or blit,geometric,color (default: all)",
        ),
        Flag(
            "--mirror",
            "augmentation.mirror",
            "BOOL",
            "true: show half of the pictures turned left to right",
        ),
    ),
    "training (default: the preset's)": (
        Flag("--steps", "training.steps", "STEPS", "generator steps"),
        Flag("--minutes", "training.minutes", "MIN", "end within this time"),
        Flag("--batch-size", "training.batch_size", "IMAGES", "images in a batch"),
        Flag(
            "--discriminator-steps",
            "training.discriminator_steps",
            "STEPS",
            "discriminator steps before each generator step",
        ),
        Flag(
            "--gradient-accumulation-steps",
            "training.gradient_accumulation_steps",
            "BATCHES",
            "batches whose gradients make one update",
        ),
        Flag(
            "--g-learning-rate",
            "optimizer.g_learning_rate",
            "RATE",
            "of the generator's Adam",
        ),
        Flag(
            "--d-learning-rate",
            "optimizer.d_learning_rate",
            "RATE",
            "of the discriminator's Adam",
        ),
        Flag(
            "--loss",
            "training.loss",
            "NAME",
            "hinge, non_saturating, least_squares or wasserstein",
        ),
        Flag(
            "--ema-decay",
            "training.ema_decay",
            "FRACTION",
            "of the averaged generator; 0: no average",
        ),
        Flag(
            "--dtype-policy",
            "training.dtype_policy",
            "NAME",
            "float32, mixed_bfloat16 or float64",
        ),
        Flag("--seed", "training.seed", "N", "of weights, latents and data order"),
    ),
    "evaluation while training (docs/evaluation.md)": (
        Flag(
            "--evaluate-every",
            "evaluation.every",
            "STEPS",
            "score the model at multiples of so many steps (default: never)",
        ),
        Flag(
            "--evaluate-metrics",
            "evaluation.metrics",
            "NAMES",
            "as of 'keras-sagan evaluate --metrics' (default: fid,kid)",
        ),
        Flag(
            "--evaluate-extractor",
            "evaluation.extractor",
            "NAME",
            "inception (default), classifier (trained before step 1), or another of "
            "'keras-sagan evaluate --help'",
        ),
        Flag(
            "--evaluate-images",
            "evaluation.num_images",
            "N",
            "generated images (default: 5000)",
        ),
        Flag(
            "--evaluate-split",
            "evaluation.split",
            "NAME",
            "of the real images (default: the one that is trained on)",
        ),
        Flag(
            "--monitor",
            "evaluation.monitor",
            "SCORE",
            "which score says what is best; the best model is in evaluation/best "
            "(default: the first)",
        ),
        Flag(
            "--patience",
            "evaluation.patience",
            "N",
            "end after N evaluations without a better one (default: never)",
        ),
        Flag(
            "--evaluate-share",
            "evaluation.share",
            "FRACTION",
            "of the time, at most, for evaluations (default: 0.1)",
        ),
    ),
    "output": (
        Flag(
            "--log-every",
            "logging.log_every",
            "STEPS",
            "between two rows of metrics (default: 100)",
        ),
        Flag(
            "--sample-every",
            "logging.sample_every",
            "STEPS",
            "between two grids of samples (default: 1000)",
        ),
        Flag(
            "--checkpoint-every",
            "logging.checkpoint_every",
            "STEPS",
            "between two checkpoints (default: 500)",
        ),
    ),
}


def parse_setting(text):
    """Splits `"section.field=value"`.

    Returns:
        `(name, value)`: str and what `parse_value` makes of the rest.

    Raises:
        ValueError: if there is no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(
            f"Argument `--set` must have the form section.field=value. "
            f"Received: {text!r}."
        )
    return name.strip(), parse_value(value.strip())


def parse_value(text):
    """Reads a word as none, true, false, a number, a list of numbers, or itself.

    Args:
        text: str, e.g. `"none"`, `"2e-4"`, `"16,32"`, `"[]"`, `"folder:cats"`.
    """
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
