"""What `check` advises: from the facts of a data set to sentences."""

import numpy as np

# Below so many pictures augmentation is advised: the discriminator of a GAN begins to
# learn them by heart (Karras et al., 2020, figure 1: harm from 10,000 or so on).
AUGMENT_BELOW = 10_000

_TOO_FEW = 200
_PRESETS = {32: "sagan_32", 64: "sagan_64", 128: "sagan_128", 256: "sagan_128"}
# Their batch sizes and discriminator steps: a step takes at most the data set.
_BATCHES = {
    "sagan_32": (64, 5),
    "sagan_32_small": (32, 1),
    "sagan_64": (256, 1),
    "sagan_128": (256, 1),
}
_IMBALANCE = 5  # times as many pictures of the commonest class as of the rarest
_OBLONG = 1.25  # ratio of the sides
_GREY_MODES = {"1", "L", "I;16", "I;16B", "I"}


def advise(report):
    """Sentences about how to train on a data set.

    Args:
        report: `CheckReport`.

    Returns:
        tuple of str, empty where there are no pictures.
    """
    if not report.num_examples:
        return ()
    advice = [
        _size_advice(report),
        *_amount(report),
        *_shape_advice(report),
        *_modes(report),
    ]
    return (*advice, *_class_advice(report), *_copy_advice(report))


def _size_advice(report):
    """Image size and preset."""
    side = report.shorter_sides[1]
    fitting = [size for size in _PRESETS if size <= side]
    best = max(fitting, default=32)
    preset = _with_batch(_PRESETS[best], report.num_examples)
    if best == 256:
        preset += " --image-size 256"
    small = _with_batch("sagan_32_small", report.num_examples)
    size = "" if best == 32 else " at 32 x 32 pixels"
    preset = f"{preset} on a GPU; without one, {small}{size}"
    median = f"median shorter side {side} px"
    reason = f"is the largest whose pixels are there ({median})"
    if not fitting:
        reason = f"is the smallest of the presets and enlarges most pictures ({median})"
    return f"image size {best} {reason}: preset {preset}"


def _with_batch(preset, count):
    """The preset's name, with a batch size where its own is too large."""
    batch_size, steps = _BATCHES[preset]
    if count >= batch_size * steps:
        return preset
    return f"{preset} --batch-size {_power_of_two(count // steps)}"


def _power_of_two(count):
    """The largest one that is at most half of `count`, or 1."""
    return 2 ** max(0, (count // 2 or 1).bit_length() - 1)


def _amount(report):
    """Whether to augment."""
    count = report.num_examples
    if count >= AUGMENT_BELOW:
        return []
    few = f"; {count} may be too few even so" if count < _TOO_FEW else ""
    return [
        f"below {AUGMENT_BELOW} pictures augmentation is advisable: --augment "
        f"diffaugment{few}; and --mirror true where left and right do not matter"
    ]


def _shape_advice(report):
    if report.num_oblong * 2 < report.num_examples:
        return []
    return [
        f"{report.num_oblong} pictures are not square (sides 1 : {_OBLONG} or more): "
        "--fit crop (the default) cuts their ends off, --fit pad adds black borders"
    ]


def _modes(report):
    modes, advice = set(report.modes), []
    if modes <= _GREY_MODES and report.channels != 1:
        advice.append(
            "every picture is grey: one channel is enough: --set model.channels=1"
        )
    if report.num_transparent and report.channels != 4:
        advice.append(
            "transparent pixels are shown on white; --set model.channels=4 keeps "
            "transparency"
        )
    return advice


def _class_advice(report):
    if not report.class_counts:
        return []
    counts = [count for count in report.class_counts.values() if count]
    if len(counts) < 2 or max(counts) < _IMBALANCE * min(counts):
        return []
    return [
        f"the commonest class has {max(counts) / min(counts):.0f} times as many "
        "pictures as the rarest: --real-labels balanced shows all alike; without it "
        "the rare ones stay rare (with losses other than relativistic together with "
        "--fake-labels natural)"
    ]


def _copy_advice(report):
    advice = []
    if report.extra_copies:
        advice.append(
            f"{report.extra_copies} pictures are exact copies of others: remove them"
        )
    if report.copies_across_classes:
        advice.append(
            f"{report.copies_across_classes} pictures are in several classes at once: "
            "decide on one"
        )
    if report.extra_near_copies > 0.01 * report.num_examples:
        advice.append(
            f"{report.extra_near_copies} pictures look like others (resized, saved "
            "again, or alike): look at them, --json lists them"
        )
    return advice


def is_oblong(width, height):
    """Whether the sides of a picture differ much."""
    return max(width, height) >= _OBLONG * min(width, height)


def three(values):
    """(smallest, median, largest) as ints, or `None` of nothing."""
    if not values:
        return None
    return min(values), int(np.median(values)), max(values)
