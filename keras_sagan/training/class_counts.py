"""What the labels of training data say about the classes, and what is wrong there."""

import warnings

import numpy as np

# Data of one class: so many labels say nothing yet, and so many are enough to say it.
FEW_LABELS, MANY_LABELS = 32, 1000
_ENOUGH = 100  # labels a class, after which each should have come


def of_labels(labels, num_classes):
    """How many of the labels are of each class: int array `(num_classes,)`."""
    labels = np.asarray(labels)
    valid = (labels >= 0) & (labels < num_classes)
    return np.bincount(labels[valid], minlength=num_classes)


def check_several(counts, least=MANY_LABELS):
    """Raises a `ValueError` where many labels are of one class only.

    Args:
        counts: int array `(num_classes,)`. Labels of each class seen so far.
        least: int. How many are enough to say it.
    """
    if len(counts) > 1 and np.count_nonzero(counts) == 1 and sum(counts) >= least:
        raise ValueError(
            "`labels` must be of several classes: are the pictures in folders at the "
            "wrong depth, or sorted by class? Shuffle them, or build the networks "
            f"with num_classes=None. Received: {sum(counts)} labels "
            f"{int(np.argmax(counts))} and no other, num_classes={len(counts)}."
        )


def warn_of_missing(counts, class_names=None, least=FEW_LABELS):
    """Warns of classes that no label is of.

    Args:
        counts: sequence of int: labels of each class, of all data.
        class_names: sequence of str, or None.
        least: int. How many labels say it.

    Returns: whether there are any.
    """
    missing = [i for i, count in enumerate(counts) if not count]
    if not missing or sum(counts) < least:
        return False
    names = [class_names[i] if class_names else str(i) for i in missing]
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    warnings.warn(
        f"No picture is of class {', '.join(names[:10])}{more}, of "
        f"num_classes={len(counts)}: images generated of it mean nothing. Number "
        "labels from 0 without gaps, and build the networks for that many classes.",
        stacklevel=2,
    )
    return True


def warn_when_due(counts):
    """As `warn_of_missing`, once enough labels were seen in a stream."""
    return warn_of_missing(counts, least=_ENOUGH * len(counts))
