"""Checks of one batch on the host, before the first training step."""

import warnings

import numpy as np

# Data of one class: so many labels say nothing yet, and so many are enough to say it.
FEW_LABELS, MANY_LABELS = 32, 1000
_ENOUGH = 100  # labels a class, after which each should have come

# Rounding of low-precision floats may leave [-1, 1] by this much.
_TOLERANCE = 1e-2

_WHAT_IMAGES = "uint8 in [0, 255] or float in [-1, 1]"


def check_batch(
    images, labels, *, image_size, channels, num_classes, position, first=True
):
    """Checks that a batch is what a model was built for.

    Args:
        images: array-like `(batch, image_size, image_size, channels)`, uint8 in
            [0, 255] or float in [-1, 1].
        labels: integer array-like `(batch,)` in [0, num_classes), or `None`.
        image_size: int. The model's.
        channels: int. The model's.
        num_classes: int, or `None` for an unconditional model.
        position: str. Which batch it is, for the message: "batch 0".
        first: bool. Whether float images without any negative value are refused, as
            almost surely in [0, 1]: a later batch may have none.

    Raises:
        ValueError: names the argument, what was received and what is allowed.
    """
    images = np.asarray(images)
    _check_image_shape(images, image_size, channels, position)
    if images.dtype != np.uint8:
        _check_float_images(images, position, first)
    if num_classes is None:
        if labels is not None:
            raise ValueError(
                f"`labels` must be absent for an unconditional model in {position} "
                "(num_classes=None): yield images alone, or build the model with "
                f"`num_classes`. Received: labels of shape {np.shape(labels)}."
            )
        return
    if labels is None:
        raise ValueError(
            f"`labels` are missing in {position}: a model with num_classes="
            f"{num_classes} needs (images, labels). Received: images alone."
        )
    check_labels(np.asarray(labels), len(images), num_classes, position)


def _check_image_shape(images, image_size, channels, position):
    wanted = (image_size, image_size, channels)
    if images.ndim == 4 and images.shape[1:] == wanted and len(images):
        return
    hint = ""
    if images.ndim == 4 and images.shape[1:] == (channels, image_size, image_size):
        hint = " Channels come last."
    elif images.shape == wanted:
        hint = " One image is no batch: use dataset.batch(...)."
    elif images.ndim == 4 and images.shape[1:3] == wanted[:2]:
        hint = " Build the model or load the data with other `channels`."
    raise ValueError(
        f"`images` must have shape (batch, {image_size}, {image_size}, {channels}) in "
        f"{position}.{hint} Received: shape {images.shape}."
    )


def _check_float_images(images, position, first):
    # ml_dtypes' bfloat16 is no np.floating, and NumPy's min of float16 may overflow.
    if images.dtype.name not in ("float16", "bfloat16", "float32", "float64"):
        raise ValueError(
            f"`images` must be {_WHAT_IMAGES} in {position}. Received: dtype "
            f"{images.dtype.name}."
        )
    images = images.astype(np.float32, copy=False)
    if not np.isfinite(images).all():
        raise ValueError(
            f"`images` must be finite in {position}. Received: "
            f"{int((~np.isfinite(images)).sum())} values that are NaN or infinite."
        )
    low, high = float(images.min()), float(images.max())
    if low < -1 - _TOLERANCE or high > 1 + _TOLERANCE:
        hint = " Use images / 127.5 - 1, or uint8." if low >= 0 and high <= 255 else ""
        raise ValueError(
            f"`images` must be {_WHAT_IMAGES} in {position}.{hint} Received: float "
            f"values in [{low:g}, {high:g}]."
        )
    if low >= 0 and first:
        raise ValueError(
            f"`images` must be {_WHAT_IMAGES} in {position}; a float batch without "
            "any negative value is almost surely in [0, 1]: use images * 2 - 1, or "
            f"uint8. Received: float values in [{low:g}, {high:g}]."
        )


def check_labels(labels, batch_size, num_classes, position):
    """As `check_batch`, of the labels alone: an array."""
    if labels.shape != (batch_size,):
        hint = ""
        if labels.shape == (batch_size, num_classes):
            hint = " One-hot labels: use argmax(labels, axis=-1)."
        elif labels.shape == (batch_size, 1):
            hint = " Drop the last axis: labels[:, 0]."
        raise ValueError(
            f"`labels` must have shape ({batch_size},), one a picture, in "
            f"{position}.{hint} Received: shape {labels.shape}."
        )
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be integers in [0, {num_classes}) in {position}. "
            f"Received: dtype {labels.dtype.name}."
        )
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if wrong.size:
        raise ValueError(
            f"`labels` must be in [0, {num_classes}) in {position}. Received: "
            f"{wrong.size} labels outside it, e.g. {int(wrong[0])}."
        )


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
