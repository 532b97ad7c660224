import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_sagan.data import pictures, plain_png
from keras_sagan.data.pictures import Opened, Picture, Pictures


def make(labels, class_names, **kwargs):
    def rows(start, stop):
        for i in range(start, stop):
            image = Image.new("L", (12, 8), i)
            opened = Opened(image, 12, 8, "L")
            yield Picture(str(i), labels and labels[i], lambda opened=opened: opened)

    return Pictures(4, class_names, 1, rows, **kwargs)


def read(found, channels=1, fit="crop"):
    return pictures.read(found, "some", 8, channels, fit, "/nowhere")


def test_rows_are_decoded_in_order():
    examples = read(make([1, 0, 1, 0], ("a", "b")))
    np.testing.assert_array_equal(examples.images[:, 0, 0, 0], range(4))
    np.testing.assert_array_equal(examples.labels, [1, 0, 1, 0])
    assert examples.labels.dtype == np.int32
    assert examples.class_names == ("a", "b")


def test_how_they_are_decoded():
    examples = read(make(None, None), channels=3, fit="pad")
    assert examples.images.shape == (4, 8, 8, 3)
    assert examples.labels is None
    assert (examples.images[3, 0] == 0).all()  # padding
    assert (examples.images[3, 4] == 3).all()


def test_problems_are_errors():
    with pytest.raises(ValueError, match=r"worse\. Received: 'some'"):
        read(make(None, None, problems=("worse", "bad")))


@pytest.mark.parametrize("label", [-1, 2])
def test_labels_out_of_range(label):
    with pytest.raises(
        ValueError, match=rf"'some' must be in \[0, 2\).*1 of 4.*{label}"
    ):
        read(make([0, 1, label, 0], ("a", "b")))


@pytest.mark.parametrize("mode", ["P", "RGB", "LA"])
def test_any_picture_becomes_a_plain_png(mode):
    """The file itself if it is one, otherwise the pixels that Pillow decodes."""
    values = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).convert(mode).save(file, "PNG")
    encoded = file.getvalue()
    picture = Picture(
        "a", None, lambda: pictures.open_encoded(encoded, "a"), lambda: encoded
    )
    plain = picture.as_png(8, 3, "crop")
    assert (plain == encoded) == (mode == "RGB")
    decoded = plain_png.decode(tf.constant([plain]), (8, 8, 3))[0]
    np.testing.assert_array_equal(decoded, picture.decode(8, 3, "crop"))
