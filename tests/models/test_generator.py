"""The generator against the plain network, its sizes, dtypes and errors."""

import keras
import numpy as np
import pytest

from keras_sagan.layers import (
    ConditionalBatchNormalization,
    GatedResidual2D,
    SelfAttention2D,
    frozen_spectral_norm,
    spectral_norm_layers,
)
from keras_sagan.models import Generator
from tests import helpers
from tests.models import reference

LABELS = np.array([2, 0, 1], "int32")


def make(**kwargs):
    """A network as narrow as its attention allows."""
    defaults = {
        "num_classes": 3,
        "latent_dim": 5,
        "base_filters": 2 if kwargs.get("attention_resolutions") else 1,
        "attention_resolutions": (),
    }
    return Generator(**{**defaults, **kwargs})


def latents(dtype="float32"):
    return np.random.default_rng(0).normal(size=(3, 5)).astype(dtype)


# === Function ===
@pytest.mark.parametrize(
    ("attention", "training"),
    [
        ("released", True),
        *(
            pytest.param(attention, False, marks=pytest.mark.slow)
            for attention in ("released", "paper", "formula", "residual")
        ),
    ],
)
def test_equals_the_plain_network(attention, training):
    network = make(
        attention=attention,
        attention_resolutions=(8, 32),
        batch_norm_epsilon=1e-3,
        dtype="float64",
    )
    reference.randomize(network)
    z = latents("float64")
    expected = reference.generate(network, z, LABELS, training)
    with frozen_spectral_norm():
        images = network([z, LABELS], training=training)
    np.testing.assert_allclose(images, expected, rtol=1e-9, atol=1e-9)


def test_unconditional_equals_the_plain_network():
    network = make(num_classes=None, image_size=64, dtype="float64")
    reference.randomize(network)
    z = latents("float64")
    np.testing.assert_allclose(
        network(z), reference.generate(network, z), rtol=1e-9, atol=1e-9
    )


def test_at_initialisation_attention_changes_nothing():
    plain, attended = make(base_filters=2), make(attention_resolutions=(8, 16))
    weights = {v.path: v for v in plain.variables}
    for variable in attended.variables:
        if variable.path in weights:
            weights.pop(variable.path).assign(variable)
    assert not weights
    np.testing.assert_array_equal(
        plain([latents(), LABELS]), attended([latents(), LABELS])
    )


@pytest.mark.parametrize(
    "attention", ["released", pytest.param("residual", marks=pytest.mark.slow)]
)
def test_without_spectral_norm(attention):
    network = make(attention=attention, attention_resolutions=(8,), dtype="float64")
    reference.randomize(network)
    plain = helpers.without_spectral_norm(network)
    assert not spectral_norm_layers(plain)
    assert not plain.spectral_norm
    z = latents("float64")
    np.testing.assert_allclose(
        plain([z, LABELS]), network([z, LABELS]), rtol=1e-9, atol=1e-12
    )


# === Sizes ===
@pytest.mark.parametrize(
    ("image_size", "channels", "num_classes"),
    [
        (32, 1, None),
        (32, 4, 3),
        (64, 3, 3),
        (64, 4, None),
        (128, 1, 3),
        (128, 3, None),
        pytest.param(256, 4, 3, marks=pytest.mark.slow),
        pytest.param(256, 1, None, marks=pytest.mark.slow),
    ],
)
def test_shapes_and_range(image_size, channels, num_classes):
    network = make(image_size=image_size, channels=channels, num_classes=num_classes)
    shape = (image_size, image_size, channels)
    assert network.output_shape == (None, *shape)
    images = network(latents() if num_classes is None else [latents(), LABELS])
    assert images.shape == (3, *shape)
    assert images.dtype == "float32"
    assert np.abs(images).max() <= 1
    assert np.std(images) > 1e-3
    assert any("beta" in v.path and v.shape[0] == 3 for v in network.variables) == (
        num_classes is not None
    )


@pytest.mark.parametrize("resolutions", [(), (16,), (8, 32), (8, 16, 32)])
def test_attention_at_any_sizes(resolutions):
    network = make(attention_resolutions=resolutions, attention="paper")
    layers = [x for x in network.layers if isinstance(x, SelfAttention2D)]
    assert [x.input.shape[1] for x in layers] == list(resolutions)
    assert [x.name for x in layers] == [f"attention_{size}" for size in resolutions]
    assert network.attention_resolutions == resolutions


def test_attention_sizes_are_sorted_and_one_may_be_an_integer():
    assert make(attention_resolutions=[16, 8, 16]).attention_resolutions == (8, 16)
    assert make(attention_resolutions=16).attention_resolutions == (16,)


def test_residual_is_the_control_of_the_released_attention():
    sizes = {"attention_resolutions": (16,), "base_filters": 4}
    control, network = make(attention="residual", **sizes), make(**sizes)
    assert isinstance(control.get_layer("attention_16"), GatedResidual2D)
    assert control.count_params() > 0
    trained = [
        sum(np.prod(v.shape) for v in x.trainable_variables) for x in (control, network)
    ]
    assert trained[0] == trained[1]


# === Layers ===
def test_everything_but_the_batch_norm_is_spectrally_normalised():
    network = make(attention_resolutions=(16,))
    wrapped = {id(v) for x in spectral_norm_layers(network) for v in x.variables}
    others = [v.path for v in network.trainable_variables if id(v) not in wrapped]
    assert all("bn" in path or path.endswith("gamma") for path in others)
    # dense, 3 x (conv1, conv2, shortcut), to_images, 4 of the attention
    assert len(spectral_norm_layers(network)) == 15


@pytest.mark.parametrize("num_classes", [None, 3])
def test_every_batch_norm_gets_the_arguments(num_classes):
    network = make(
        num_classes=num_classes,
        batch_norm_momentum=0.5,
        batch_norm_epsilon=0.25,
        synchronized=True,
    )
    norms = [x for x in network.layers if hasattr(x, "moving_mean")]
    assert len(norms) == 7
    assert {(x.momentum, x.epsilon, x.synchronized) for x in norms} == {
        (0.5, 0.25, True)
    }
    conditional = [x for x in norms if isinstance(x, ConditionalBatchNormalization)]
    assert len(conditional) == (6 if num_classes else 0)


def test_kernels_are_orthogonal_when_asked_for():
    network = make(kernel_initializer="orthogonal", attention_resolutions=(16,))
    for layer in spectral_norm_layers(network):
        kernel = np.array(layer.layer.kernel)
        matrix = kernel.reshape(-1, kernel.shape[-1])
        matrix = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
        np.testing.assert_allclose(
            matrix.T @ matrix, np.eye(matrix.shape[1]), atol=1e-5
        )


def test_kernels_are_glorot_uniform_and_biases_zero_by_default():
    for layer in spectral_norm_layers(make()):
        kernel = np.array(layer.layer.kernel)
        *size, inputs, outputs = kernel.shape
        limit = np.sqrt(6 / (np.prod(size) * (inputs + outputs)))
        assert 0.7 * limit < np.abs(kernel).max() <= limit
        np.testing.assert_array_equal(layer.layer.bias, 0.0 * layer.layer.bias)


# === Dtypes ===
@pytest.mark.parametrize(
    ("policy", "variables", "outputs"),
    [
        ("mixed_bfloat16", "float32", "float32"),
        *(
            pytest.param(*3 * (x,), marks=pytest.mark.slow)
            for x in ("float32", "float64")
        ),
    ],
)
def test_dtypes(policy, variables, outputs):
    network = make(dtype=policy, attention_resolutions=(16,))
    assert {v.dtype for v in network.variables} == {variables}
    for training in (False, True):
        images = network([latents(), LABELS], training=training)
        assert images.dtype == outputs == network.output.dtype
        assert np.abs(images).max() <= 1
    compute = keras.DTypePolicy(policy).compute_dtype
    assert network.get_layer("attention_16").output.dtype == compute
    assert network.dtype_policy.name == policy


def test_the_global_policy_is_the_default():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = make()
    finally:
        keras.config.set_dtype_policy("float32")
    assert network.dtype_policy.name == "mixed_bfloat16"
    assert network.get_layer("block1_relu1").output.dtype == "bfloat16"
    restored = Generator.from_config(network.get_config())
    assert restored.get_layer("block1_relu1").output.dtype == "bfloat16"


def test_mixed_bfloat16_is_close_to_float32():
    network, mixed = make(base_filters=4), make(base_filters=4, dtype="mixed_bfloat16")
    mixed.set_weights(network.get_weights())
    np.testing.assert_allclose(
        network([latents(), LABELS], training=True),
        mixed([latents(), LABELS], training=True),
        atol=0.1,
    )


# === Errors ===
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_size", 48),
        ("image_size", "32"),
        ("num_classes", 0),
        ("num_classes", 2.0),
        ("latent_dim", 0),
        ("base_filters", -1),
        ("channels", 2),
        ("attention", "sagan"),
        ("attention", None),
        ("batch_norm_momentum", 1.0),
        ("batch_norm_momentum", -0.1),
        ("batch_norm_epsilon", 0.0),
        ("kernel_initializer", "he_normal"),
    ],
)
def test_bad_arguments(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be .*{name}={value!r}\."):
        make(**{"num_classes": None, name: value})


@pytest.mark.parametrize(
    ("image_size", "resolutions", "produced"),
    [
        (32, (64,), [8, 16, 32]),
        (32, (4,), [8, 16, 32]),
        (64, (16, 24), [8, 16, 32, 64]),
        (256, (512,), [8, 16, 32, 64, 128, 256]),
    ],
)
def test_attention_at_a_size_that_does_not_occur(image_size, resolutions, produced):
    with pytest.raises(ValueError, match="`attention_resolutions`") as error:
        make(image_size=image_size, attention_resolutions=resolutions)
    assert f"produces, {produced}. " in str(error.value)
    assert f"Received: attention_resolutions={resolutions!r}" in str(error.value)


def test_attention_needs_enough_channels():
    with pytest.raises(ValueError, match=r"divisible by `key_ratio`.*channels=4"):
        make(base_filters=1, attention_resolutions=(16,))
