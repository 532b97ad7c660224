"""Builds the network of the Frechet Inception distance, "Inception 2015-12-05".

It is Inception v3 as published by TensorFlow in December 2015, with 1008 outputs. Its
graph and weights differ from those of `keras.applications.InceptionV3`. Every
convolution is followed by a batch norm (epsilon 1e-3, no scale) and a ReLU. Three
peculiarities of the graph influence the score and are kept: average pools that do not
count their padding, a maximum pool instead of an average pool in the very last block,
and a classifier whose bias the Inception score leaves out.

Two exact transformations make it faster. The batch norms, which are constant, are
merged with their convolutions (in float64). In each block, all 1x1 convolutions of the
input become a single one; an average pool is swapped with the 1x1 convolution after
it, so that it pools fewer channels.

References:
    - [Szegedy et al., 2015](https://arxiv.org/abs/1512.00567)
    - [Heusel et al., 2017](https://arxiv.org/abs/1706.08500)
    - pytorch-fid, `inception.py` (names of the weights)
"""

import keras
import numpy as np

IMAGE_SIZE = 299  # pixels
FEATURES = 2048
CLASSES = 1008

_EPSILON = 1e-3  # epsilon of the batch norms


def build():
    """Builds the network, whose weights must be set afterwards.

    The input is float32 `(batch, 299, 299, 3)`, that is, `(pixel - 128) / 128` of RGB
    images. The output is a dict of "pool3" `(batch, 2048)`, and "logits" and
    "logits_unbiased" `(batch, 1008)`.
    """
    images = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3))
    x = _conv_block(images, "Conv2d_1a_3x3", 32, 3, strides=2)
    x = _conv_block(x, "Conv2d_2a_3x3", 32, 3)
    x = _conv_block(x, "Conv2d_2b_3x3", 64, 3, padding="same")
    x = _max_pool(x)
    x = _conv_block(x, "Conv2d_3b_1x1", 80, 1)
    x = _conv_block(x, "Conv2d_4a_3x3", 192, 3)
    x = _max_pool(x)
    for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = _block_a(x, name, pooled)
    x = _block_b(x, "Mixed_6a")
    for name, width in zip("bcde", (128, 160, 160, 192), strict=True):
        x = _block_c(x, f"Mixed_6{name}", width)
    x = _block_d(x, "Mixed_7a")
    x = _block_e(x, "Mixed_7b", average_pool=True)
    x = _block_e(x, "Mixed_7c", average_pool=False)
    pool3 = keras.layers.GlobalAveragePooling2D(name="pool3")(x)
    unbiased = keras.layers.Dense(CLASSES, use_bias=False, name="fc")(pool3)
    logits = Bias(name="fc_bias")(unbiased)
    outputs = {"pool3": pool3, "logits": logits, "logits_unbiased": unbiased}
    model = keras.Model(images, outputs, name="inception_2015_12_05")
    model.trainable = False
    return model


def set_weights(model, arrays):
    """Sets the weights of a model to those of the published file.

    Args:
        model: result of `build`.
        arrays: dict from names in the file of pytorch-fid, e.g.
            "Mixed_5b.branch1x1.conv.weight", to arrays in the layout of PyTorch.

    Raises:
        ValueError: if an array is missing or has another shape.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            parts = [_folded(arrays, name) for name in _sources(layer.name)]
            kernel = np.concatenate([kernel for kernel, _ in parts], -1)
            biases = np.concatenate([bias for _, bias in parts])
            if kernel.shape != tuple(layer.kernel.shape):
                raise _shape_error(layer.name, layer.kernel.shape, kernel.shape)
            layer.set_weights([kernel, biases])
    weight, bias = _take(arrays, "fc.weight"), _take(arrays, "fc.bias")
    if weight.shape != (CLASSES, FEATURES) or bias.shape != (CLASSES,):
        raise _shape_error("fc", (CLASSES, FEATURES), weight.shape)
    model.get_layer("fc").set_weights([weight.T])
    model.get_layer("fc_bias").set_weights([bias])


@keras.saving.register_keras_serializable(package="keras_sagan.metrics")
class Bias(keras.layers.Layer):
    """Adds a bias to the last axis."""

    def build(self, input_shape):
        self.bias = self.add_weight(shape=(input_shape[-1],), name="bias")

    def call(self, inputs):
        return inputs + self.bias


# === Blocks ===
def _block_a(x, name, pooled):
    one, five, three, pool = _entry(x, name, "branch1x1 branch5x5_1 branch3x3dbl_1",
                                    (64, 48, 64), pooled)  # fmt: skip
    five = _conv_block(five, f"{name}.branch5x5_2", 64, 5, padding="same")
    three = _conv_block(three, f"{name}.branch3x3dbl_2", 96, 3, padding="same")
    three = _conv_block(three, f"{name}.branch3x3dbl_3", 96, 3, padding="same")
    return keras.layers.concatenate([one, five, three, pool])


def _block_b(x, name):
    once = _conv_block(x, f"{name}.branch3x3", 384, 3, strides=2)
    twice = _conv_block(x, f"{name}.branch3x3dbl_1", 64, 1)
    twice = _conv_block(twice, f"{name}.branch3x3dbl_2", 96, 3, padding="same")
    twice = _conv_block(twice, f"{name}.branch3x3dbl_3", 96, 3, strides=2)
    return keras.layers.concatenate([once, twice, _max_pool(x)])


def _block_c(x, name, width):
    one, seven, twice, pool = _entry(x, name, "branch1x1 branch7x7_1 branch7x7dbl_1",
                                     (192, width, width), 192)  # fmt: skip
    for number, filters, size in ((2, width, (1, 7)), (3, 192, (7, 1))):
        seven = _conv_block(
            seven, f"{name}.branch7x7_{number}", filters, size, 1, "same"
        )
    for number in range(2, 6):
        filters = 192 if number == 5 else width
        size = (7, 1) if number % 2 == 0 else (1, 7)
        twice = _conv_block(
            twice, f"{name}.branch7x7dbl_{number}", filters, size, 1, "same"
        )
    return keras.layers.concatenate([one, seven, twice, pool])


def _block_d(x, name):
    three, seven = _entry(x, name, "branch3x3_1 branch7x7x3_1", (192, 192))
    three = _conv_block(three, f"{name}.branch3x3_2", 320, 3, strides=2)
    seven = _conv_block(seven, f"{name}.branch7x7x3_2", 192, (1, 7), padding="same")
    seven = _conv_block(seven, f"{name}.branch7x7x3_3", 192, (7, 1), padding="same")
    seven = _conv_block(seven, f"{name}.branch7x7x3_4", 192, 3, strides=2)
    return keras.layers.concatenate([three, seven, _max_pool(x)])


def _block_e(x, name, average_pool):
    branches, widths = "branch1x1 branch3x3_1 branch3x3dbl_1", (320, 384, 448)
    if average_pool:
        one, three, twice, pool = _entry(x, name, branches, widths, 192)
    else:
        one, three, twice = _entry(x, name, branches, widths)
        pool = keras.layers.MaxPooling2D(3, 1, "same")(x)
        pool = _conv_block(pool, f"{name}.branch_pool", 192, 1)
    twice = _conv_block(twice, f"{name}.branch3x3dbl_2", 384, 3, padding="same")
    parts = [one]
    for branch, stem in ((three, "branch3x3_2"), (twice, "branch3x3dbl_3")):
        parts.append(_conv_block(branch, f"{name}.{stem}a", 384, (1, 3), 1, "same"))
        parts.append(_conv_block(branch, f"{name}.{stem}b", 384, (3, 1), 1, "same"))
    return keras.layers.concatenate([*parts, pool])


def _entry(x, name, branches, widths, pooled=None):
    """Applies all 1x1 convolutions to the input of a block at once.

    With `pooled`, there is one more convolution, whose output is average pooled.
    """
    names, widths = branches.split(), list(widths)
    rectified = sum(widths)
    if pooled is not None:
        names, widths = [*names, "branch_pool"], [*widths, pooled]
    joint = _joint_name(f"{name}.{branch}" for branch in names)
    y = keras.layers.Conv2D(sum(widths), 1, name=joint)(x)
    parts = keras.ops.split(
        keras.ops.relu(y[..., :rectified]),
        list(np.cumsum(widths)[: len(names) - 1 - (pooled is not None)]),
        axis=-1,
    )
    if pooled is not None:
        # TensorFlow's average pool does not count the padding.
        pool = keras.layers.AveragePooling2D(3, 1, "same")(y[..., rectified:])
        parts = [*parts, keras.ops.relu(pool)]
    return parts


def _conv_block(x, name, filters, size, strides=1, padding="valid"):
    return keras.layers.Conv2D(
        filters,
        size,
        strides,
        padding,
        activation="relu",
        name=_joint_name([name]),
    )(x)


def _max_pool(x):
    return keras.layers.MaxPooling2D(3, 2)(x)


# === Weights ===
def _joint_name(names):
    """Joins names, e.g. to "Mixed_7a-branch3x3_1--Mixed_7a-branch7x7x3_1"."""
    return "--".join(names).replace(".", "-")


def _sources(layer_name):
    return [name.replace("-", ".") for name in layer_name.split("--")]


def _folded(arrays, name):
    """Returns kernel (Keras layout) and bias of a convolution with its batch norm."""
    kernel = _take(arrays, f"{name}.conv.weight").transpose(2, 3, 1, 0)
    gamma, beta, mean, variance = (
        _take(arrays, f"{name}.bn.{part}")
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(variance + _EPSILON)
    return kernel * scale, beta - mean * scale


def _take(arrays, name):
    if name not in arrays:
        raise ValueError(
            f"The weights must be those of the FID Inception network: {name!r} is "
            f"missing. Received: {len(arrays)} arrays."
        )
    return np.asarray(arrays[name], np.float64)


def _shape_error(name, expected, received):
    return ValueError(
        "The weights must be those of the FID Inception network: the kernel of "
        f"{name!r} must have shape {tuple(expected)}. Received: {tuple(received)}."
    )
