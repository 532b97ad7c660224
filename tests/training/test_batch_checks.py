import ml_dtypes
import numpy as np
import pytest

from keras_sagan.training.batch_checks import check_batch

IMAGES = np.zeros((4, 8, 8, 3), np.uint8)
LABELS = np.array([0, 1, 2, 2])


def check(images=IMAGES, labels=LABELS, num_classes=3):
    check_batch(
        images,
        labels,
        image_size=8,
        channels=3,
        num_classes=num_classes,
        position="batch 0",
    )


def assert_names(error, argument):
    """The message names the argument, the batch and what was received."""
    message = str(error.value)
    assert message.startswith(f"`{argument}` ")
    assert " in batch 0" in message
    assert " Received: " in message


def floats(*values, dtype=np.float32):
    images = np.zeros((4, 8, 8, 3), dtype)
    images.reshape(-1)[: len(values)] = values
    return images


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "uint64"])
def test_integer_labels_pass(dtype):
    check(labels=LABELS.astype(dtype))


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float32, np.float64, ml_dtypes.bfloat16]
)
def test_float_images_pass(dtype):
    check(floats(-1, 1, dtype=dtype))


def test_unconditional_passes():
    check(labels=None, num_classes=None)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[0], r"One image is not a batch.*shape \(8, 8, 3\)"),
        (IMAGES[:0], r"shape \(0, 8, 8, 3\)"),
        (np.zeros((4, 3, 8, 8), np.uint8), "Channels come last"),
        (np.zeros((4, 8, 8, 1), np.uint8), r"other `channels`.*shape \(4, 8, 8, 1\)"),
        (np.zeros((4, 9, 9, 3), np.uint8), r"\(batch, 8, 8, 3\).*\(4, 9, 9, 3\)"),
        (IMAGES.astype(np.int32), "uint8 in .* or float in .* dtype int32"),
        (IMAGES.astype(bool), "dtype bool"),
        (IMAGES.astype(complex), "dtype complex128"),
        (floats(0, 0.5, 1), "almost surely in .0, 1."),
        (floats(np.nan), "finite.*1 values"),
        (floats(np.inf, -np.inf), "finite.*2 values"),
        (floats(-0.5, 1.5), r"in \[-0.5, 1.5\]"),
        (floats(-127, 128), r"in \[-127, 128\]"),
    ],
)
def test_wrong_images(images, message):
    with pytest.raises(ValueError, match=message) as error:
        check(images)
    assert_names(error, "images")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "missing"),
        (LABELS.astype(np.float32), "dtype float32"),
        (LABELS.astype(bool), "dtype bool"),
        (np.array(["a", "b", "c", "c"]), "dtype"),
        (LABELS[:3], r"shape \(3,\)"),
        (LABELS[:, None], "Drop the last axis"),
        (np.eye(3, dtype=int)[LABELS], "argmax"),
        (np.array([0, -1, 2, -1]), "2 labels outside it, e.g. -1"),
        (np.array([0, 1, 2, 3]), r"in \[0, 3\).*1 labels outside it, e.g. 3"),
    ],
)
def test_wrong_labels(labels, message):
    with pytest.raises(ValueError, match=message) as error:
        check(labels=labels)
    assert_names(error, "labels")


def test_labels_of_an_unconditional_model():
    with pytest.raises(ValueError, match=r"`labels` must be absent.*batch 0"):
        check(num_classes=None)
