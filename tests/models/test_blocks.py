"""Blocks on symbolic tensors: shapes, layers and their names.

What they compute is tested with the networks, against the plain ones.
"""

import keras
import pytest

from keras_sagan.layers import ConditionalBatchNormalization, SpectralNormalization
from keras_sagan.models import blocks


def style(**kwargs):
    return blocks.Style(
        kernel_initializer="orthogonal",
        attention=kwargs.pop("attention", "paper"),
        dtype=keras.DTypePolicy("mixed_bfloat16"),
        **kwargs,
    )


def layers(inputs, outputs):
    return {layer.name: layer for layer in keras.Model(inputs, outputs).layers}


def test_generator_block_doubles_the_size():
    x, labels = keras.Input((4, 6, 2)), keras.Input((), dtype="int32")
    outputs = blocks.generator_block(x, labels, 3, style(num_classes=5), "block1")
    assert (outputs.shape, outputs.dtype) == ((None, 8, 12, 3), "bfloat16")
    found = layers([x, labels], outputs)
    assert {
        f"block1_{part}"
        for part in ("bn1", "relu1", "conv1", "bn2", "relu2", "conv2", "shortcut")
    } <= set(found)
    assert isinstance(found["block1_bn1"], ConditionalBatchNormalization)
    # The shortcut's convolution runs before its upsampling.
    assert found["block1_shortcut"].output.shape == (None, 4, 6, 3)


def test_first_discriminator_block_halves_the_size():
    x = keras.Input((8, 4, 3))
    outputs = blocks.first_discriminator_block(x, 5, style(), "block1")
    assert outputs.shape == (None, 4, 2, 5)
    found = layers(x, outputs)
    assert found["block1_shortcut"].output.shape == (None, 4, 2, 5)
    assert [name for name in found if "relu" in name] == ["block1_relu1"]


@pytest.mark.parametrize(
    ("downsample", "filters", "shortcut"),
    [(True, 2, True), (True, 5, True), (False, 5, True), (False, 2, False)],
)
def test_discriminator_block(downsample, filters, shortcut):
    x = keras.Input((8, 4, 2))
    outputs = blocks.discriminator_block(x, filters, downsample, False, style(), "b")
    size = (4, 2) if downsample else (8, 4)
    assert outputs.shape == (None, *size, filters)
    assert ("b_shortcut" in layers(x, outputs)) == shortcut


def test_layers_get_policy_and_initializer():
    x = keras.Input((4, 4, 8))
    outputs = blocks.attention_block(x, style())
    found = layers(x, outputs)
    attention = found["attention_4"]
    assert attention.dtype_policy.name == "mixed_bfloat16"
    assert isinstance(attention.kernel_initializer, keras.initializers.Orthogonal)
    for make in (blocks.conv, blocks.dense):
        arguments = (3, 3) if make is blocks.conv else (3,)
        layer = make(*arguments, style(), "name")
        assert isinstance(layer, SpectralNormalization)
        assert layer.layer.dtype_policy.name == "mixed_bfloat16"
        assert layer.layer.use_bias
        assert isinstance(layer.layer.kernel_initializer, keras.initializers.Orthogonal)
