"""Classes of sets of images: how frequent they are, and matched by their names.

The index of a class is its place in one data set's list. In another data set the same
class may have another place, and its place may be another class's.
"""

import fractions

import numpy as np


def spread_labels(count, weights):
    """Labels of a set of images whose classes are as frequent as `weights` say.

    How many images a class gets is exact, by largest remainders: of equal ones the
    lower class is first. The images of a class are spread evenly over the set; equal
    weights give 0, 1, ..., 0, 1, ...

    Args:
        count: int. Images.
        weights: sequence of numbers >= 0, one a class, not all 0.

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
    """Labels as indices into another list of classes.

    Args:
        labels: integer array `(n,)`, indices into `names`.
        names: sequence of str, or `None`.
        target_names: sequence of str, or `None`.

    Returns: integer array `(n,)`, indices into `target_names`. Where either list is
        `None` there is nothing to match, and `labels` are returned as they are.

    Raises:
        ValueError: if a class that has images is not in `target_names`, or has no name.
    """
    if names is None or target_names is None or tuple(names) == tuple(target_names):
        return labels
    names, target_names = list(names), list(target_names)
    present = np.unique(labels)
    if present[0] < 0 or present[-1] >= len(names):
        raise ValueError(
            f"Labels must be in [0, {len(names)}), the classes that have names: "
            f"{', '.join(names)}. Received: {present[0]} to {present[-1]}."
        )
    missing = [names[label] for label in present if names[label] not in target_names]
    if missing:
        raise ValueError(
            "Classes are matched by their names, and one list lacks "
            f"{', '.join(missing)}. Received: the classes {', '.join(names)} and the "
            f"classes {', '.join(target_names)}."
        )
    places = np.zeros(len(names), np.int64)
    places[present] = [target_names.index(names[label]) for label in present]
    return places[labels]
