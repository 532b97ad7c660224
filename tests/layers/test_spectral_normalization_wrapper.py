"""Spectral normalisation as a layer: what it wraps, dtypes, nesting, saving."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.layers import SpectralNormalization, advance_spectral_norm
from tests import helpers
from tests.layers.wrapped_layers import KINDS, kernel_of, largest_singular_value


# === Constructor ===
@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.BatchNormalization(),
        keras.layers.DepthwiseConv2D(3),
        keras.layers.SeparableConv2D(4, 3),
        keras.layers.EinsumDense("ab,bc->ac", output_shape=3),
        keras.layers.LSTM(3),
        keras.Sequential([keras.layers.Dense(3)]),
        SpectralNormalization(keras.layers.Dense(3)),
        "dense",
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_other_layers_are_refused(layer):
    with pytest.raises(
        ValueError, match=r"`layer` must be one of: Conv1D, .*Dense"
    ) as e:
        SpectralNormalization(layer)
    assert f"of type {type(layer).__name__}" in str(e.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("power_iterations", 0),
        ("power_iterations", 1.5),
        ("power_iterations", True),
        ("epsilon", 0.0),
        ("epsilon", -1e-12),
    ],
)
def test_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .*{name}={value!r}"):
        SpectralNormalization(keras.layers.Dense(3), **{name: value})


def test_constructor_is_that_of_the_wrapper_of_keras():
    ours, theirs = (
        [
            parameter.replace(annotation=inspect.Parameter.empty)
            for parameter in inspect.signature(cls.__init__).parameters.values()
        ]
        for cls in (SpectralNormalization, keras.layers.SpectralNormalization)
    )
    assert ours[:3] == theirs[:3]  # self, layer, power_iterations=1
    assert [p.default for p in ours[3:-1]] == [1e-12]  # the rest has defaults
    layer = SpectralNormalization(
        keras.layers.Dense(3), 2, name="given", dtype="float32"
    )
    assert (layer.power_iterations, layer.name) == (2, "given")


@pytest.mark.parametrize("name", KINDS)
def test_symbolic_shape_and_dtype_are_those_of_the_layer(name):
    kind = KINDS[name]
    inputs = keras.Input(kind.input_shape, dtype=kind.inputs().dtype)
    layer = SpectralNormalization(kind.make(dtype="mixed_bfloat16"))
    symbolic = layer(inputs)
    value = layer(kind.inputs())
    assert tuple(symbolic.shape) == (None, *value.shape[1:])
    assert tuple(layer.compute_output_shape(inputs.shape)) == tuple(symbolic.shape)
    assert symbolic.dtype == keras.backend.standardize_dtype(value.dtype) == "bfloat16"


# === Dtypes ===
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "float64"])
def test_embedding_of_integer_labels(policy, dtype):
    layer = SpectralNormalization(keras.layers.Embedding(5, 4, dtype=policy))
    labels = np.array([3, 0, 3], dtype)
    outputs = layer(labels, training=True)
    assert outputs.dtype == keras.DTypePolicy(policy).compute_dtype
    expected = np.array(layer.layer.embeddings)[labels] / float(layer.sigma())
    np.testing.assert_allclose(
        np.array(outputs, "float64"),
        expected,
        rtol=1e-2 if policy == "mixed_bfloat16" else 1e-6,
    )


class Outer(keras.layers.Layer):
    """Makes its spectrally normalised layer in `build`, or at its first call."""

    def __init__(self, kind, lazily=False, **kwargs):
        super().__init__(**kwargs)
        self.kind = kind
        self.lazily = lazily
        self.inner = SpectralNormalization(kind.make(dtype=self.dtype_policy))

    def build(self, input_shape):
        if not self.lazily:
            self.inner.build(input_shape)

    def call(self, inputs):
        return self.inner(inputs)

    def compute_output_shape(self, input_shape):
        return self.inner.compute_output_shape(input_shape)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("name", ["Conv2D", "Embedding", "UpsampleConv2D"])
def test_vectors_and_sigma_are_float32_under_mixed_bfloat16(name, nested):
    kind = KINDS[name]
    if nested:  # the outer layer's call casts variables to bfloat16
        outer = Outer(kind, dtype="mixed_bfloat16")
        outer(kind.inputs(), training=True)
        layer = outer.inner
    else:
        layer = SpectralNormalization(kind.make(dtype="mixed_bfloat16"))
        layer(kind.inputs(), training=True)
    assert [v.dtype for v in layer.variables] == ["float32"] * len(layer.variables)
    assert keras.backend.standardize_dtype(layer.sigma().dtype) == "float32"
    for _ in range(30):
        (outer if nested else layer)(kind.inputs(), training=True)
    # Rounding the kernel, u or v to bfloat16 would leave errors of 1e-3.
    assert float(layer.sigma()) == pytest.approx(
        largest_singular_value(kind.matrix(kernel_of(layer))), rel=1e-5
    )
    assert np.linalg.norm(layer.u) == pytest.approx(1.0, abs=1e-6)
    assert np.linalg.norm(layer.v) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_a_float64_kernel_has_float64_vectors(name):
    kind = KINDS[name]
    layer = SpectralNormalization(kind.make(dtype="float64"))
    outputs = layer(kind.inputs(), training=True)
    assert {v.dtype for v in layer.variables} == {"float64"}
    assert outputs.dtype == "float64"
    advance_spectral_norm(layer, 200)
    assert float(layer.sigma()) == pytest.approx(
        largest_singular_value(kind.matrix(kernel_of(layer))), rel=1e-6
    )
    assert np.linalg.norm(layer.u) == pytest.approx(1.0, abs=1e-14)


def test_mixed_precision_normalises_before_it_rounds():
    layer = SpectralNormalization(keras.layers.Dense(5, dtype="mixed_bfloat16"))
    inputs = np.eye(6, dtype="float32")
    outputs = np.array(layer(inputs), "float32")
    kernel = np.array(layer.layer.kernel) / float(layer.sigma())
    rounded = np.array(tf.cast(kernel, tf.bfloat16), "float32")
    np.testing.assert_array_equal(outputs, rounded)


# === Nesting ===
@pytest.mark.parametrize("lazily", [False, True], ids=["in_build", "in_call"])
@pytest.mark.parametrize("how", ["eager", "function", "functional", "sequential"])
def test_vectors_are_warm_wherever_the_layer_is_built(how, lazily):
    kind = KINDS["Conv2D"]
    outer = Outer(kind, lazily)
    if how == "eager":
        outer(kind.inputs())
    elif how == "function":
        tf.function(outer)(kind.inputs())
    elif how == "functional":
        inputs = keras.Input(kind.input_shape)
        keras.Model(inputs, outer(inputs))(kind.inputs())
    else:
        keras.Sequential([outer])(kind.inputs())
    layer = outer.inner
    matrix = kind.matrix(kernel_of(layer))
    assert float(layer.sigma()) == pytest.approx(
        largest_singular_value(matrix), rel=0.03
    )
    u = np.array(layer.u)
    np.testing.assert_allclose(
        layer.v, matrix @ u / np.linalg.norm(matrix @ u), atol=1e-5
    )


def test_training_reaches_the_layer_through_a_model():
    kind = KINDS["Conv2D"]
    inputs = keras.Input(kind.input_shape)
    outer = Outer(kind)
    model = keras.Model(inputs, outer(inputs))
    u = np.array(outer.inner.u)
    model(kind.inputs(), training=False)
    np.testing.assert_array_equal(outer.inner.u, u)
    model(kind.inputs(), training=True)
    assert not np.array_equal(outer.inner.u, u)


def test_losses_of_the_layer_are_kept():
    dense = keras.layers.Dense(
        3, kernel_regularizer="l2", activity_regularizer=keras.regularizers.L1(0.5)
    )
    layer = SpectralNormalization(dense)
    outputs = layer(KINDS["Dense"].inputs(batch=2))
    weights = 0.01 * np.sum(np.square(dense.kernel))
    activity = 0.5 * np.sum(np.abs(outputs)) / 2
    assert float(sum(layer.losses)) == pytest.approx(weights + activity, rel=1e-5)


def test_vectors_are_written_in_a_compiled_training_pass():
    kind = KINDS["Conv2D"]
    layer = SpectralNormalization(kind.make())
    step = tf.function(lambda x: layer(x, training=True), jit_compile=True)
    layer(kind.inputs())
    kernel, u = np.array(kernel_of(layer)), np.array(layer.u)
    step(kind.inputs())
    assert not np.array_equal(layer.u, u)
    np.testing.assert_array_equal(kernel_of(layer), kernel)


# === Saving ===
@pytest.mark.parametrize("name", KINDS)
def test_vectors_survive_a_keras_file(name, tmp_path):
    kind = KINDS[name]
    inputs = keras.Input(kind.input_shape, dtype=kind.inputs().dtype)
    layer = SpectralNormalization(kind.make(), 2, epsilon=1e-9, name="sn")
    model = keras.Model(inputs, layer(inputs))
    kernel_of(layer).assign(kernel_of(layer) + 1.0)  # u, v now belong to another one
    layer(kind.inputs(), training=True)
    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    for variable, other in zip(layer.variables, restored.variables, strict=True):
        np.testing.assert_array_equal(variable, other)
    other = restored.get_layer("sn")
    assert (other.power_iterations, other.epsilon) == (2, 1e-9)
    assert other.layer.get_config() == layer.layer.get_config()
    np.testing.assert_array_equal(model(kind.inputs()), restored(kind.inputs()))


def test_the_config_keeps_the_policy_of_the_layer():
    layer = SpectralNormalization(keras.layers.Dense(3, dtype="mixed_bfloat16"))
    restored = SpectralNormalization.from_config(layer.get_config())
    assert restored.layer.dtype_policy.name == "mixed_bfloat16"
    assert restored.dtype_policy.name == "float32"


@pytest.mark.parametrize("freeze", ["wrapper", "layer", "model"])
def test_a_frozen_kernel_keeps_its_vectors(freeze):
    inputs = keras.Input((5,))
    wrapper = SpectralNormalization(keras.layers.Dense(4))
    model = keras.Model(inputs, wrapper(inputs))
    wrapper.layer.kernel.assign(np.random.default_rng(0).normal(size=(5, 4)))
    frozen = {"wrapper": wrapper, "layer": wrapper.layer, "model": model}[freeze]
    frozen.trainable = False
    before = helpers.values([wrapper.u, wrapper.v])
    model(np.ones((2, 5), "float32"), training=True)
    advance_spectral_norm(model)
    helpers.assert_equal(helpers.values([wrapper.u, wrapper.v]), before)
    frozen.trainable = True
    for advance in (
        lambda: model(np.ones((2, 5), "float32"), training=True),
        lambda: advance_spectral_norm(model),
    ):
        earlier = helpers.values([wrapper.u, wrapper.v])
        advance()
        now = helpers.values([wrapper.u, wrapper.v])
        assert not any(map(np.array_equal, now, earlier))
