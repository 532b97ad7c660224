"""Resizes images for a network in four ways, on which the scores depend.

- "tensorflow1": bilinear, without antialiasing, on a corner-aligned grid (the default
  of TensorFlow 1). Used for FID in the paper, by torch-fidelity and by clean-fid's
  "legacy_tensorflow".
- "pytorch": bilinear, without antialiasing, on a half-pixel grid. Used by pytorch-fid
  and clean-fid's "legacy_pytorch".
- "clean": bicubic with antialiasing, as in Pillow on float images, then clipped. Used
  by clean-fid's "clean" and dgm-eval's `--clean_resize`.
- "pillow": the same on images of bytes, rounded after rows and after columns. Used by
  torchvision on Pillow images, and therefore by dgm-eval by default.

Reference: [Parmar et al., 2022](https://arxiv.org/abs/2104.11222), section 3.
"""

import functools

import numpy as np
import tensorflow as tf

from keras_sagan.metrics.extractors.naming import RESIZE_KINDS


def resize(images, size, kind):
    """Resizes a batch of images, also in a graph.

    Args:
        images: tensor `(batch, height, width, channels)`, values in [0, 255].
        size: int. Height and width of the result.
        kind: str, one of `RESIZE_KINDS`.

    Returns: float32 tensor `(batch, size, size, channels)`, not rounded.

    Raises:
        ValueError: if `kind` is none of those.
    """
    if kind in ("clean", "pillow"):
        return _bicubic(tf.cast(images, tf.float32), size, rounded=kind == "pillow")
    if kind not in RESIZE_KINDS:
        raise ValueError(
            f"`kind` must be one of {RESIZE_KINDS}. Received: kind={kind!r}."
        )
    return tf.raw_ops.ResizeBilinear(
        images=images,
        size=[size, size],
        align_corners=False,
        half_pixel_centers=kind == "pytorch",
    )


def _bicubic(images, size, rounded):
    height, width = images.shape[1:3]
    rows, columns = (tf.constant(bicubic_matrix(x, size)) for x in (height, width))
    # As in Pillow, the rows of pixels come first.
    images = tf.einsum("bhwc,vw->bhvc", images, columns)
    if rounded:
        images = tf.clip_by_value(tf.floor(images + 0.5), 0.0, 255.0)
    images = tf.einsum("bhvc,uh->buvc", images, rows)
    if rounded:
        images = tf.floor(images + 0.5)
    return tf.clip_by_value(images, 0.0, 255.0)


@functools.lru_cache(maxsize=16)
def bicubic_matrix(old, new):
    """Returns Pillow's resampling from `old` to `new` pixels: matrix `(new, old)`.

    The cubic kernel (a = -0.5) is widened by old / new if that is above 1, for
    antialiasing. Weights outside the image are dropped, and the others sum to 1
    (source: Pillow, `src/libImaging/Resample.c`).
    """
    scale = old / new
    widening = max(scale, 1.0)
    support = 2.0 * widening
    matrix = np.zeros((new, old))
    for row in range(new):
        centre = (row + 0.5) * scale
        first = max(int(centre - support + 0.5), 0)
        last = min(int(centre + support + 0.5), old)
        position = (np.arange(first, last) - centre + 0.5) / widening
        weights = _cubic_weights(np.abs(position))
        matrix[row, first:last] = weights / weights.sum()
    return matrix.astype(np.float32)


def _cubic_weights(x):
    a = -0.5
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))
