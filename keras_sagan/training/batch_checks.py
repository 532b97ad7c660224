"""Checks a batch on the host, before the first training step."""

import warnings

import numpy as np

# If all labels so far are of one class: fewer than `FEW_LABELS` prove nothing, and
# `MANY_LABELS` show that something is wrong.
FEW_LABELS, MANY_LABELS = 32, 1000
_ENOUGH = 100  # labels per class, after which every class should have occurred

# Low-precision floats may exceed [-1, 1] by this much due to rounding.
_TOLERANCE = 1e-2

_WHAT_IMAGES = "uint8 in [0, 255] or float in [-1, 1]"


def check_batch(
    images, labels, *, image_size, channels, num_classes, position, first=True
):
    """Checks that a batch is suitable for a model.

    Args:
        images: array-like `(batch, image_size, image_size, channels)`, uint8 in
            [0, 255] or float in [-1, 1].
        labels: integer array-like `(batch,)` in [0, num_classes), or `None`.
        image_size: int. Image size of the model.
        channels: int. Number of channels of the model.
        num_classes: int, or `None` for an unconditional model.
        position: str. Which batch it is, for messages, e.g. "batch 0".
        first: bool. Whether to refuse float images without any negative value, because
            they are almost surely in [0, 1]. Later batches may have no negative value
            by chance.

    Raises:
        ValueError: if the batch is not suitable. The message names the argument, what
            was received and what is allowed.
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
        hint = " One image is not a batch: use dataset.batch(...)."
    elif images.ndim == 4 and images.shape[1:3] == wanted[:2]:
        hint = " Build the model or load the data with other `channels`."
    raise ValueError(
        f"`images` must have shape (batch, {image_size}, {image_size}, {channels}) in "
        f"{position}.{hint} Received: shape {images.shape}."
    )


def _check_float_images(images, position, first):
    # By name, because ml_dtypes' bfloat16 is not a subtype of np.floating; and then in
    # float32, because NumPy's min of float16 may overflow.
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
    """Checks the labels of a batch, an array; arguments as for `check_batch`."""
    if labels.shape != (batch_size,):
        hint = ""
        if labels.shape == (batch_size, num_classes):
            hint = " One-hot labels: use argmax(labels, axis=-1)."
        elif labels.shape == (batch_size, 1):
            hint = " Drop the last axis: labels[:, 0]."
        raise ValueError(
            f"`labels` must have shape ({batch_size},), one per picture, in "
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
    """Counts the labels of each class: int array `(num_classes,)`."""
    labels = np.asarray(labels)
    valid = (labels >= 0) & (labels < num_classes)
    return np.bincount(labels[valid], minlength=num_classes)


def check_several(counts, least=MANY_LABELS):
    """Raises a `ValueError` if many labels have been seen, but only of one class.

    Args:
        counts: int array `(num_classes,)`. Number of labels of each class so far.
        least: int. Number of labels that are enough for an error.
    """
    if len(counts) > 1 and np.count_nonzero(counts) == 1 and sum(counts) >= least:
        raise ValueError(
            "`labels` must be of several classes: are the pictures in folders at the "
            "wrong depth, or sorted by class? Shuffle them, or build the networks "
            f"with num_classes=None. Received: {sum(counts)} labels "
            f"{int(np.argmax(counts))} and no other, num_classes={len(counts)}."
        )


def warn_of_missing(counts, class_names=None, least=FEW_LABELS):
    """Warns if there are classes without any labels.

    Args:
        counts: sequence of int. Number of labels of each class in all data.
        class_names: sequence of str, or None.
        least: int. Number of labels that are enough for a warning.

    Returns: bool. Whether there was a warning.
    """
    missing = [i for i, count in enumerate(counts) if not count]
    if not missing or sum(counts) < least:
        return False
    names = [class_names[i] if class_names else str(i) for i in missing]
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    warnings.warn(
        f"There are no pictures of class {', '.join(names[:10])}{more} "
        f"(num_classes={len(counts)}), so that images generated of it mean nothing. "
        "Number the labels from 0 without gaps, and build the networks for that many "
        "classes.",
        stacklevel=2,
    )
    return True


def warn_when_due(counts):
    """Calls `warn_of_missing` once enough labels of a stream have been seen."""
    return warn_of_missing(counts, least=_ENOUGH * len(counts))
