"""The four resizings: equal to the tools that they are of."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_sagan.metrics.extractors import resize as module
from keras_sagan.metrics.extractors.resize import resize


def pictures(size, count=2):
    shape = (count, size, size, 3)
    return np.random.default_rng(size).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("size", [32, 33, 299, 400])
def test_tensorflow1_is_torch_fidelitys(peers, size):
    from torch_fidelity.interpolate_compat_tensorflow import (
        interpolate_bilinear_2d_like_tensorflow1x,
    )

    x = pictures(size)
    theirs = interpolate_bilinear_2d_like_tensorflow1x(
        peers.torch.from_numpy(x.transpose(0, 3, 1, 2).astype("f4")),
        size=(299, 299),
        align_corners=False,
    )
    ours = resize(tf.constant(x), 299, "tensorflow1").numpy()
    np.testing.assert_allclose(ours, theirs.numpy().transpose(0, 2, 3, 1), atol=1e-4)


@pytest.mark.parametrize("size", [32, 400])
def test_pytorch_is_pytorch_fids(peers, size):
    x = pictures(size)
    theirs = peers.torch.nn.functional.interpolate(
        peers.torch.from_numpy(x.transpose(0, 3, 1, 2).astype("f4")),
        size=(299, 299),
        mode="bilinear",
        align_corners=False,
    )
    ours = resize(tf.constant(x), 299, "pytorch").numpy()
    # torch computes the positions of pixels in float32 as well, in another order.
    np.testing.assert_allclose(ours, theirs.numpy().transpose(0, 2, 3, 1), atol=0.05)
    other = resize(tf.constant(x), 299, "tensorflow1").numpy()
    assert np.abs(ours - other).max() > 10


@pytest.mark.parametrize("size", [32, 33, 128, 299, 300, 700])
def test_clean_is_clean_fids(peers, size):
    x = pictures(size, 1)
    theirs = peers.cleanfid_resize.build_resizer("clean")(x[0])
    ours = resize(tf.constant(x), 299, "clean").numpy()[0]
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
    assert (ours.min(), ours.max()) >= (0, 0) and ours.max() <= 255


def test_other_shapes_than_squares(peers):
    x = np.random.default_rng(0).integers(0, 256, (1, 50, 70, 3), dtype=np.uint8)
    theirs = np.asarray(
        Image.fromarray(x[0, :, :, 0].astype("f4"), mode=None).resize(
            (40, 40), Image.Resampling.BICUBIC
        )
    )
    ours = resize(tf.constant(x), 40, "clean").numpy()[0, :, :, 0]
    np.testing.assert_allclose(ours, theirs.clip(0, 255), atol=2e-3)


def test_rows_sum_to_one():
    np.testing.assert_allclose(module.bicubic_matrix(64, 20).sum(1), 1, rtol=1e-6)


def test_unknown_kind():
    with pytest.raises(ValueError, match=r"`kind` must be one of .*'lanczos'"):
        resize(tf.constant(pictures(8)), 299, "lanczos")


@pytest.mark.parametrize("size", [32, 33, 300])
def test_pillow_is_pillows_on_bytes(size):
    x = pictures(size)
    theirs = np.stack(
        [
            np.asarray(Image.fromarray(image).resize((224, 224), Image.BICUBIC))
            for image in x
        ]
    )
    difference = np.abs(resize(tf.constant(x), 224, "pillow").numpy() - theirs)
    assert difference.max() <= 2  # Pillow's weights are of 22 bits
    assert (difference > 0).mean() < 1e-3
