"""Spreads labels over sets of images, and matches classes by their names.

The index of a class is its position in the list of a data set. In another data set, the
same class may have another index.
"""

import fractions

import numpy as np


def spread_labels(count, weights):
    """Returns labels for a set of images with given frequencies of the classes.

    The number of images of each class is exact, by the method of largest remainders; of
    equal remainders, the lower class comes first. The images of a class are spread
    evenly over the set, so that equal weights give 0, 1, ..., 0, 1, ...

    Args:
        count: int. Number of images.
        weights: sequence of numbers >= 0, one for each class, not all 0.

    Returns: int32 array `(count,)`.
    """
    shares = [fractions.Fraction(weight) for weight in weights]
    quotas = [count * share / sum(shares) for share in shares]
    counts = np.array([int(quota) for quota in quotas])
    by_remainder = sorted(
        range(len(quotas)), key=lambda label: (counts[label] - quotas[label], label)
    )
    counts[by_remainder[: count - counts.sum()]] += 1
    labels = np.repeat(np.arange(len(quotas), dtype=np.int32), counts)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    places = (np.arange(count) - before + 0.5) / np.asarray(weights, float)[labels]
    return labels[np.argsort(places, kind="stable")]


def relabel(labels, names, target_names):
    """Converts labels to indices into another list of classes.

    Args:
        labels: integer array `(n,)` of indices into `names`.
        names: sequence of str, or `None`.
        target_names: sequence of str, or `None`.

    Returns: integer array `(n,)` of indices into `target_names`, or `labels` unchanged
        if one of the lists is `None`.

    Raises:
        ValueError: if a class that has images is not in `target_names`, or has no name.
    """
    if names is None or target_names is None or tuple(names) == tuple(target_names):
        return labels
    names, target_names = list(names), list(target_names)
    present = np.unique(labels)
    if present[0] < 0 or present[-1] >= len(names):
        raise ValueError(
            f"Labels must be in [0, {len(names)}), the range of classes with names: "
            f"{', '.join(names)}. Received: {present[0]} to {present[-1]}."
        )
    missing = [names[label] for label in present if names[label] not in target_names]
    if missing:
        raise ValueError(
            "Classes are matched by their names, but one list lacks "
            f"{', '.join(missing)}. Received: the classes {', '.join(names)} and the "
            f"classes {', '.join(target_names)}."
        )
    places = np.zeros(len(names), np.int64)
    places[present] = [target_names.index(names[label]) for label in present]
    return places[labels]
