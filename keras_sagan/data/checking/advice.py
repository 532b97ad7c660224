"""Derives the advice of `check` from the facts about a data set."""

import numpy as np

# With fewer pictures augmentation is advised, because the discriminator begins to
# memorise them (Karras et al., 2020, figure 1: from about 10,000 pictures downwards).
AUGMENT_BELOW = 10_000

_TOO_FEW = 200
_PRESETS = {32: "sagan_32", 64: "sagan_64", 128: "sagan_128", 256: "sagan_128"}
# Batch size and discriminator steps of each; a step must not need more pictures than
# there are.
_BATCHES = {
    "sagan_32": (64, 5),
    "sagan_32_small": (32, 1),
    "sagan_64": (256, 1),
    "sagan_128": (256, 1),
}
_IMBALANCE = 5  # ratio of the numbers of pictures of the commonest and rarest classes
_OBLONG = 1.25  # ratio of the sides from which a picture counts as not square
_GREY_MODES = {"1", "L", "I;16", "I;16B", "I"}


def advise(report):
    """Returns sentences about how to train on a data set.

    Args:
        report: `CheckReport`.

    Returns:
        tuple of str, empty if there are no pictures.
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
    """Recommends an image size and a preset."""
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
    reason = f"is the largest that enlarges at most half of the pictures ({median})"
    if not fitting:
        reason = f"is the smallest of the presets and enlarges most pictures ({median})"
    return f"image size {best} {reason}: preset {preset}"


def _with_batch(preset, count):
    """Returns the name of a preset, with a batch size if its own is too large."""
    batch_size, steps = _BATCHES[preset]
    if count >= batch_size * steps:
        return preset
    return f"{preset} --batch-size {_power_of_two(count // steps)}"


def _power_of_two(count):
    """Returns the largest power of two that is at most half of `count`, or 1."""
    return 2 ** max(0, (count // 2 or 1).bit_length() - 1)


def _amount(report):
    """Recommends augmentation if there are few pictures."""
    count = report.num_examples
    if count >= AUGMENT_BELOW:
        return []
    few = f"; {count} may be too few even so" if count < _TOO_FEW else ""
    return [
        f"with fewer than {AUGMENT_BELOW} pictures, augmentation is advisable: "
        f"--augment diffaugment{few}; and --mirror true if left and right do not matter"
    ]


def _shape_advice(report):
    if report.num_oblong * 2 < report.num_examples:
        return []
    return [
        f"{report.num_oblong} pictures are not square (sides 1 : {_OBLONG} or more): "
        "--fit crop (the default) cuts off their ends, --fit pad adds black borders"
    ]


def _modes(report):
    modes, advice = set(report.modes), []
    if modes <= _GREY_MODES and report.channels != 1:
        advice.append(
            "all pictures are grey, so one channel is enough: --set model.channels=1"
        )
    if report.num_transparent and report.channels != 4:
        advice.append(
            "transparent pixels become white; --set model.channels=4 keeps the "
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
        "pictures as the rarest: --real-labels balanced shows all equally often; "
        "without it the rare ones stay rare (then add --fake-labels natural, except "
        "with the relativistic loss)"
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
            "keep each in one class"
        )
    if report.extra_near_copies > 0.01 * report.num_examples:
        advice.append(
            f"{report.extra_near_copies} pictures look like others (resized, saved "
            "again, or similar): look at them, --json lists them"
        )
    return advice


def is_oblong(width, height):
    """Returns whether a picture is far from square."""
    return max(width, height) >= _OBLONG * min(width, height)


def three(values):
    """Returns (smallest, median, largest) as ints, or `None` if there are no values."""
    if not values:
        return None
    return min(values), int(np.median(values)), max(values)
