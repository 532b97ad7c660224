"""Pictures that stay in their files: the same stream as that of decoded ones."""

import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_sagan.data import load
from keras_sagan.data.stored_images import StoredImages


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Forty JPEG files of three classes of unequal size."""
    root = tmp_path_factory.mktemp("stored")
    for i in range(40):
        values = np.random.default_rng(i).integers(0, 256, (30, 40, 3), np.uint8)
        path = root / "abc"[min(i % 5, 2)] / f"{i:02}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(values).save(path)
    return root


@pytest.fixture
def both(folder):
    """The folder as a source that is decoded, and as one that is not."""
    arguments = {"image_size": 16, "batch_size": 8, "seed": 5, "fit": "pad"}
    decoded = load(f"folder:{folder}", **arguments)
    stored = load(f"folder:{folder}", **arguments, data_memory=0)
    assert isinstance(stored.examples.images, StoredImages)
    assert not stored.examples.images.are_png
    assert isinstance(decoded.examples.images, np.ndarray)
    return decoded, stored


@pytest.mark.parametrize(
    ("labels", "parts"), [("natural", 1), ("balanced", 1), ("natural", 4)]
)
@pytest.mark.parametrize("start", [0, 29])
def test_the_stream_is_the_same(both, labels, parts, start):
    decoded, stored = (
        dataclasses.replace(x, label_sampling=labels, parts=parts) for x in both
    )
    assert stored.dataset.element_spec == decoded.dataset.element_spec
    assert stored.class_counts == decoded.class_counts
    batches = [x.stream(start).take(12).as_numpy_iterator() for x in (decoded, stored)]
    for expected, found in zip(*batches, strict=True):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])


def test_it_reads_like_an_array(both):
    expected, images = (source.arrays()[0] for source in both)
    assert (images.shape, len(images)) == (expected.shape, 40)
    assert (images.dtype, images.ndim) == (expected.dtype, expected.ndim)
    grid = np.array([[3, -1], [3, 20]])
    for rows in (7, -2, np.int64(4), slice(2, 30, 3), slice(0, 0), grid, grid[:0]):
        np.testing.assert_array_equal(images[rows], expected[rows])
    many = np.arange(40)[::-1]
    np.testing.assert_array_equal(images[many], expected[many])
    for rows in (40, np.array([0, -41])):
        with pytest.raises(IndexError):
            images[rows]


def test_another_order(both):
    expected, images = (source.arrays()[0] for source in both)
    order = np.random.default_rng(0).permutation(40)
    shuffled = images.in_order(order)
    assert isinstance(shuffled, StoredImages)
    np.testing.assert_array_equal(shuffled[:], expected[order])
    again = shuffled.in_order(order)
    np.testing.assert_array_equal(again[:9], expected[order][order][:9])


def test_the_limit_is_the_size_of_the_decoded_pictures(folder):
    size = 40 * 16 * 16 * 3
    for gib, stays in ((size / 2**30, False), ((size - 1) / 2**30, True)):
        images, _ = load(f"folder:{folder}", 16, 8, data_memory=gib).arrays()
        assert isinstance(images, StoredImages) == stays
    with pytest.raises(ValueError, match="data_memory=-1"):
        load(f"folder:{folder}", 16, 8, data_memory=-1)


def test_what_cannot_be_read_in_any_order_goes_to_a_file(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), np.uint8)
    np.savez(tmp_path / "x.npz", images=values)
    arguments = {"cache_dir": str(tmp_path), "data_memory": 0}
    images, _ = load(f"npz:{tmp_path}/x.npz", 8, 3, **arguments).arrays()
    assert isinstance(images, np.memmap)
    np.testing.assert_array_equal(images, values)


@pytest.mark.parametrize("count", [1, 40])
def test_a_picture_that_is_gone(folder, tmp_path, count):
    """TensorFlow's error says it too, and the source keeps it."""
    shutil.copytree(folder, tmp_path / "copy")
    source = load(f"folder:{tmp_path}/copy", 16, count, data_memory=0)
    for path in (tmp_path / "copy").rglob("*.jpg"):
        path.unlink()
    images = source.arrays()[0]
    assert images.failure is None
    with pytest.raises(OSError, match=rf"cannot read picture {tmp_path}/copy/a"):
        images[:count]
    with pytest.raises(tf.errors.OpError, match="cannot read picture"):
        next(iter(source.dataset))
    assert f"cannot read picture {tmp_path}/copy" in str(images.failure)
