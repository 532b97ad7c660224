"""Computes scores of each class: distances within it, and agreement with the label."""

from collections.abc import Sequence

import numpy as np

from keras_sagan import progress
from keras_sagan.metrics.counts import check_count
from keras_sagan.metrics.scores.checks import check_features, check_pair
from keras_sagan.metrics.scores.frechet import check_counts, frechet_distance


def intra_class_distance(
    real: np.ndarray,
    real_labels: np.ndarray,
    fake: np.ndarray,
    fake_labels: np.ndarray,
    allow_few: bool = False,
) -> dict[int, float]:
    """Computes the Frechet distance within each class.

    With features of the FID network, their mean is the intra-class FID. It notices if a
    generator makes good images, but of the wrong class or with too little variety
    within a class.

    Args:
        real, fake: arrays `(n, dimensions)`, `(m, dimensions)`.
        real_labels, fake_labels: integer arrays `(n,)`, `(m,)`.
        allow_few: bool. See `frechet_distance`; it is about the images of a class.

    Returns: dict from class index to float.

    Raises:
        ValueError: if a class has too few images or is in one of the sets only, or as
            for `frechet_distance`.

    Reference: [Miyato and Koyama, 2018](https://arxiv.org/abs/1802.05637), section 4.
    """
    real, fake = check_pair(real, fake)
    real_labels = _check_labels("real_labels", real_labels, real)
    fake_labels = _check_labels("fake_labels", fake_labels, fake)
    check_classes(real_labels, fake_labels, real.shape[1], allow_few)
    classes = np.unique(real_labels)
    return {
        int(label): frechet_distance(
            real[real_labels == label], fake[fake_labels == label], allow_few
        )
        for label in progress.track(
            classes, len(classes), "distances within classes", "classes"
        )
    }


def check_classes(real_labels, fake_labels, dimensions, allow_few):
    """Raises a `ValueError` if a class is in one set only, or has too few images.

    Args:
        real_labels, fake_labels: integer arrays `(n,)`, `(m,)`.
        dimensions: int. Number of dimensions of the features, or `None` if unknown.
        allow_few: bool. See `frechet_distance`.
    """
    classes, real_counts = np.unique(real_labels, return_counts=True)
    other_classes, fake_counts = np.unique(fake_labels, return_counts=True)
    if not np.array_equal(classes, other_classes):
        raise ValueError(
            "`real_labels` and `fake_labels` must hold the same classes. Received: "
            f"{classes.tolist()} and {other_classes.tolist()}."
        )
    least = 2  # number of images that a covariance needs
    for label, *counts in zip(classes, real_counts, fake_counts, strict=True):
        try:
            check_counts(*counts, dimensions, allow_few)
            for name, count in zip(("real", "fake"), counts, strict=True):
                check_count(name, int(count), least, why=" images")
        except ValueError as error:
            raise ValueError(f"Class {label}: {error}") from error


def classifier_agreement(
    scores: np.ndarray, labels: np.ndarray
) -> tuple[float, dict[int, float]]:
    """Computes how often a classifier of real images recognises the requested class.

    Args:
        scores: array `(n, classes)`. Logits or probabilities of generated images.
        labels: integer array `(n,)`. Classes that were requested from the generator.

    Returns: tuple `(share, by_class)` of a float and a dict from class index to float.

    Raises:
        ValueError: if the arrays are not as described.
    """
    scores = check_features("scores", scores)
    labels = _check_labels("labels", labels, scores)
    if labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise ValueError(
            f"`labels` must be in [0, {scores.shape[1]}), the classes of `scores`. "
            f"Received: {labels.min()} to {labels.max()}."
        )
    agree = scores.argmax(axis=1) == labels
    by_class = {int(c): float(agree[labels == c].mean()) for c in np.unique(labels)}
    return float(agree.mean()), by_class


def class_table(
    columns: dict[str, dict[int, float]], class_names: Sequence[str] | None = None
) -> str:
    """Formats scores of classes as a table.

    Args:
        columns: dict from a heading to a dict from class index to number.
        class_names: sequence of str, or `None`.

    Returns: str with a line for each class.
    """
    classes = sorted({label for values in columns.values() for label in values})
    names, rows = class_names or (), [["class", *columns]]
    for label in classes:
        name = names[label] if label < len(names) else str(label)
        cells = [_cell(values.get(label)) for values in columns.values()]
        rows.append([name, *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)]
        )
        for row in rows
    )


def _cell(value):
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _check_labels(name, labels, features):
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.shape != (len(features),):
        raise ValueError(
            f"`{name}` must be {len(features)} integers, one for each image. "
            f"Received: shape {labels.shape}, dtype {labels.dtype}."
        )
    return labels
