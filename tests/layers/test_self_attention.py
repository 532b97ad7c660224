"""Self-attention against explicit loops, its settings, gate, chunks and errors."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_sagan.layers import SelfAttention2D

SETTINGS = {
    "released": {},
    "paper": {"value_ratio": 8, "pool_size": 1},
    "formula": {"value_ratio": 1, "pool_size": 1, "use_output_projection": False},
}
SHAPE = (2, 4, 6, 16)  # batch, height, width, channels


def images(shape=SHAPE, dtype="float64"):
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


def make(setting="released", gamma=0.7, dtype="float64", **kwargs):
    """A built layer with a sharp map and, unless None, the gate at `gamma`."""
    layer = SelfAttention2D(**{**SETTINGS[setting], **kwargs}, dtype=dtype)
    layer.build(SHAPE)
    if gamma is not None:
        layer.gamma.assign(gamma)
    return layer


def matrix(layer):
    """The 1x1 kernel that a projection runs with, in NumPy: `(in, out)`."""
    if not hasattr(layer, "layer"):
        return np.array(layer.kernel)[0, 0]
    kernel = np.array(layer.layer.kernel)[0, 0]
    return kernel / (np.array(layer.v) @ kernel @ np.array(layer.u))


def attention_by_loops(layer, x):
    """Output and map of `layer` for one image `(H, W, C)`, one number at a time."""
    height, width, channels = x.shape
    query, key, value = (matrix(p) for p in (layer.query, layer.key, layer.value))
    pool = layer.pool_size
    attended = []  # the key and the value of every attended position
    for i in range(0, height, pool):
        for j in range(0, width, pool):
            window = [x[a, b] for a in range(i, i + pool) for b in range(j, j + pool)]
            attended.append(
                tuple(
                    [
                        max(pixel @ weights[:, c] for pixel in window)
                        for c in range(weights.shape[1])
                    ]
                    for weights in (key, value)
                )
            )
    rows, outputs = [], np.zeros_like(x)
    for i in range(height):
        for j in range(width):
            q = x[i, j] @ query
            logits = [
                sum(a * b for a, b in zip(q, k, strict=True)) for k, _ in attended
            ]
            weights = [np.exp(logit) for logit in logits]
            row = [weight / sum(weights) for weight in weights]
            o = sum(a * np.array(v) for a, (_, v) in zip(row, attended, strict=True))
            if layer.use_output_projection:
                o = o @ matrix(layer.output_projection)
            outputs[i, j] = x[i, j] + float(layer.gamma) * o
            rows.append(row)
    assert outputs.shape[-1] == channels
    return outputs, np.array(rows)


@pytest.mark.parametrize("spectral_norm", [True, False])
@pytest.mark.parametrize("setting", SETTINGS)
def test_equals_explicit_loops(setting, spectral_norm):
    layer, x = make(setting, spectral_norm=spectral_norm), images()
    outputs, scores = layer(x, return_attention_scores=True)
    for i in range(len(x)):
        expected, rows = attention_by_loops(layer, x[i])
        np.testing.assert_allclose(outputs[i], expected, rtol=1e-10)
        np.testing.assert_allclose(scores[i], rows, rtol=1e-10)
    np.testing.assert_allclose(layer(x), outputs, rtol=1e-12)


@pytest.mark.parametrize(
    ("setting", "widths", "keys"),
    [("released", (2, 2, 8), 6), ("paper", (2, 2, 2), 24), ("formula", (2, 2, 16), 24)],
)
def test_widths_and_attended_positions(setting, widths, keys):
    layer = make(setting)
    projections = (layer.query, layer.key, layer.value)
    assert tuple(matrix(p).shape[1] for p in projections) == widths
    assert [v.name for v in layer.trainable_variables].count("bias") == 0
    _, scores = layer(images(), return_attention_scores=True)
    assert scores.shape == (2, 24, keys)
    assert (layer.output_projection is None) == (setting == "formula")


@pytest.mark.parametrize("setting", SETTINGS)
def test_at_initialisation_the_output_is_the_input(setting):
    layer, x = make(setting, gamma=None), images()
    assert float(layer.gamma) == 0.0
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer(x, training=True), x)


@pytest.mark.parametrize("chunk", [None, 5])
@pytest.mark.parametrize("setting", SETTINGS)
def test_gradient_reaches_the_gate_at_initialisation(setting, chunk):
    layer, x = make(setting, gamma=None, query_chunk_size=chunk), images()
    weights = np.random.default_rng(1).normal(size=x.shape)
    with tf.GradientTape() as tape:
        loss = ops.sum(layer(x, training=True) * weights)
    gradient = float(tape.gradient(loss, layer.gamma.value))
    layer.gamma.assign(1.0)
    attended = np.array(layer(x)) - x
    assert gradient == pytest.approx(np.sum(attended * weights), rel=1e-9)
    assert abs(gradient) > 0.1


def test_rows_of_the_map_sum_to_one_in_float32_under_mixed_bfloat16():
    layer = make(dtype="mixed_bfloat16")
    outputs, scores = layer(images(dtype="float32"), return_attention_scores=True)
    assert outputs.dtype == "bfloat16"
    assert scores.dtype == "float32"
    assert np.min(scores) >= 0
    np.testing.assert_allclose(np.sum(scores, axis=-1), 1.0, atol=1e-6)
    # The softmax is of the bfloat16 logits, not rounded to bfloat16 itself.
    rounded = np.array(tf.cast(tf.cast(scores, tf.bfloat16), tf.float32))
    assert np.mean(rounded == np.array(scores)) < 0.1


def test_mixed_bfloat16_is_close_to_float32():
    layer, x = make(dtype="mixed_bfloat16", gamma=1.0), images(dtype="float32")
    same = make(dtype="float32")
    same.set_weights(layer.get_weights())
    np.testing.assert_allclose(
        np.array(layer(x), "float32"), same(x), rtol=0.02, atol=0.05
    )


# === Chunks ===
@pytest.mark.parametrize("chunk", [1, 5, 8, 24, 100])
@pytest.mark.parametrize("setting", SETTINGS)
def test_chunks_change_nothing_in_output_and_gradients(setting, chunk):
    whole = make(setting, query_chunk_size=None)
    chunked = make(setting, query_chunk_size=chunk)
    chunked.set_weights(whole.get_weights())
    x = tf.constant(images())
    weights = np.random.default_rng(1).normal(size=x.shape)
    results = []
    for layer in (whole, chunked):
        variables = [v.value for v in layer.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, training=False)
            loss = ops.sum(outputs * weights)
        results.append([outputs, *tape.gradient(loss, [x, *variables])])
    assert len(results[0]) == 2 + len(whole.trainable_variables)
    for expected, value in zip(*results, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("chunk", ["auto", None, 7])
def test_the_map_does_not_depend_on_the_chunks(chunk):
    layer = make(query_chunk_size=chunk)
    outputs, scores = layer(images(), return_attention_scores=True)
    assert scores.shape == (2, 24, 6)
    np.testing.assert_allclose(outputs, layer(images()), rtol=1e-12)


def test_symbolic_outputs():
    layer = SelfAttention2D(dtype="mixed_bfloat16")
    inputs = keras.Input((4, 6, 16))
    outputs, scores = layer(inputs, return_attention_scores=True)
    assert (outputs.shape, outputs.dtype) == ((None, 4, 6, 16), "bfloat16")
    assert (scores.shape, scores.dtype) == ((None, 24, 6), "float32")
    model = keras.Model(inputs, [outputs, scores])
    outputs, scores = model(images(dtype="float32"))
    assert (outputs.dtype, scores.dtype) == ("bfloat16", "float32")


# === Errors ===
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key_ratio", 0),
        ("key_ratio", 2.0),
        ("value_ratio", -1),
        ("value_ratio", True),
        ("pool_size", 0),
        ("pool_size", "2"),
        ("query_chunk_size", 0),
        ("query_chunk_size", "all"),
        ("query_chunk_size", True),
    ],
)
def test_bad_arguments(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be .*{name}={value!r}\."):
        SelfAttention2D(**{name: value})


def test_without_output_projection_the_values_keep_all_channels():
    with pytest.raises(ValueError, match=r"`value_ratio` must be 1\. .*value_ratio=2"):
        SelfAttention2D(use_output_projection=False)


@pytest.mark.parametrize(
    ("arguments", "shape", "message"),
    [
        ({}, (2, 4, 4, 12), r"divisible by `key_ratio`.*channels=12, key_ratio=8"),
        (
            {"key_ratio": 3, "value_ratio": 5},
            (2, 4, 4, 12),
            r"divisible by `value_ratio`.*channels=12, value_ratio=5",
        ),
        ({}, (2, 5, 4, 16), r"divisible by `pool_size`.*\(2, 5, 4, 16\), pool_size=2"),
        ({"pool_size": 3}, (2, 6, 4, 16), r"\(2, 6, 4, 16\), pool_size=3"),
        ({}, (2, None, 4, 16), r"must be known.*\(2, None, 4, 16\)"),
    ],
)
def test_bad_input_shapes(arguments, shape, message):
    with pytest.raises(ValueError, match=message):
        SelfAttention2D(**arguments).build(shape)


@pytest.mark.parametrize("call", ["symbolic", "eager"])
def test_another_size_than_it_was_built_for(call):
    layer = SelfAttention2D()
    layer.build((2, 4, 4, 16))
    assert layer(np.zeros((2, 6, 2, 16), "float32")).shape == (2, 6, 2, 16)
    wrong = keras.Input((5, 4, 16)) if call == "symbolic" else np.zeros((2, 5, 4, 16))
    with pytest.raises(ValueError, match=r"divisible by `pool_size`.*5, 4, 16\), pool"):
        layer(wrong)


def test_inputs_must_be_images():
    with pytest.raises(ValueError, match="ndim=4, found ndim=3"):
        SelfAttention2D()(np.zeros((2, 16, 16)))


@pytest.mark.parametrize(
    ("batch", "training", "whole"),
    [
        (512, True, False),
        (512, False, False),
        (2, True, True),
        (None, True, False),  # as if it were the largest of the presets
        (None, False, True),  # a server's or `generate`'s: each as large as it can have
    ],
)
def test_chunks_are_chosen_by_the_whole_batch(batch, training, whole):
    layer = SelfAttention2D()
    layer.build((None, 64, 64, 8))

    @tf.function(input_signature=[tf.TensorSpec((batch, 64, 64, 8))])
    def call(x):
        return layer(x, training=training)

    shapes = [
        tuple(output.shape)
        for operation in call.get_concrete_function().graph.get_operations()
        for output in operation.outputs
    ]
    assert ((batch, 64 * 64, 32 * 32) in shapes) == whole
