"""The folded generator: the same images, without the work that weights decide."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.export.folding import attention_layers, fold
from keras_sagan.layers import spectral_norm_layers
from keras_sagan.models import Generator
from tests.export.gans import exportable_gan


def _inputs(generator, count=5):
    latents = tf.random.stateless_normal((count, generator.latent_dim), (1, 2))
    if generator.num_classes is None:
        return latents
    return [latents, tf.range(count) % generator.num_classes]


def _assert_same_images(generator, atol, **options):
    inputs = _inputs(generator)
    images = fold(generator, **options)(inputs)[0]
    assert images.dtype == tf.float32
    expected = generator(inputs, training=False)
    assert np.std(expected) > 0.05  # a picture that differences would show in
    np.testing.assert_allclose(images, expected, atol=atol)


def test_same_images(any_gan):
    _assert_same_images(any_gan.ema_generator, 1e-5)


def test_upsampling_as_a_step_of_its_own(any_gan):
    generator = any_gan.ema_generator
    _assert_same_images(generator, 1e-5, merged_upsampling=False)
    merged, separate = fold(generator), fold(generator, merged_upsampling=False)
    trained = sum(v.value.shape.num_elements() for v in any_gan.generator.weights
                  if v.name not in ("u", "v"))  # fmt: skip
    assert separate.count_params() <= trained < merged.count_params()


@pytest.mark.parametrize(
    "attention",
    [
        "residual",
        *(pytest.param(x, marks=pytest.mark.slow) for x in ("paper", "formula")),
    ],
)
def test_same_images_with_every_kind_of_attention(attention):
    _assert_same_images(exportable_gan(attention=attention).ema_generator, 1e-5)


@pytest.mark.parametrize(
    ("num_classes", "attention"),
    [
        (3, "residual"),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [(None, "released"), (None, "residual"), (3, "released")]
        ),
    ],
)
def test_same_images_without_spectral_norm(num_classes, attention):
    gan = exportable_gan(num_classes, attention=attention, spectral_norm=False)
    assert not spectral_norm_layers(gan.ema_generator)
    _assert_same_images(gan.ema_generator, 1e-5)
    _assert_same_images(gan.ema_generator, 1e-5, merged_upsampling=False)


@pytest.mark.slow
def test_float64_becomes_float32():
    _assert_same_images(exportable_gan(dtype="float64").ema_generator, 1e-5)


def test_maps(conditional_gan):
    generator = conditional_gan.ema_generator
    assert [layer.name for layer in attention_layers(generator)] == ["attention_16"]
    scores = fold(generator)(_inputs(generator))[1].numpy()
    latents = keras.Model(generator.inputs, attention_layers(generator)[0].input)
    features = latents(_inputs(generator), training=False)
    expected = attention_layers(generator)[0](features, return_attention_scores=True)[1]
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert scores.std() > 1e-4  # not uniform


@pytest.mark.slow
def test_long_attention_is_computed_in_chunks():
    """64 x 64 queries and keys: 16 million scores an image."""
    generator = Generator(
        64, 3, latent_dim=8, base_filters=8, attention_resolutions=(64,),
        attention="paper",
    )  # fmt: skip
    generator.get_layer("attention_64").gamma.assign(0.5)
    model = fold(generator)
    inputs = _inputs(generator, 1)
    expected = generator(inputs, training=False)
    np.testing.assert_allclose(model(inputs)[0], expected, atol=1e-5)
    graph = tf.function(lambda z, y: model([z, y])[0]).get_concrete_function(*inputs)
    shapes = [
        x.shape.as_list() for op in graph.graph.get_operations() for x in op.outputs
    ]
    assert [None, 4096, 4096] not in shapes


def test_no_spectral_norm_is_left(any_gan):
    generator = any_gan.ema_generator
    model = fold(generator)
    inputs = _inputs(generator)
    graph = tf.function(lambda *x: model(x if len(x) > 1 else x[0])[0])
    graph = graph.get_concrete_function(
        *(inputs if isinstance(inputs, list) else [inputs])
    )
    kinds = {op.type for op in graph.graph.get_operations()}
    assert "Conv2DBackpropInput" in kinds  # the transposed convolutions are there
    assert not kinds & {"Rsqrt", "RealDiv", "Maximum", "Reverse", "ReverseV2", "Pad"}
