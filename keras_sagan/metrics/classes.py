"""Classes of two sets of images, matched by their names.

The index of a class is its place in one data set's list. In another data set the same
class may have another place, and its place may be another class's.
"""

import numpy as np


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
