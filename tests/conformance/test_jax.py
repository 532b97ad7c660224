"""The JAX backend computes what TensorFlow computes: values, state and gradients."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conformance.cases import CASES

ROOT = pathlib.Path(__file__).parents[2]
FAST_COMPILATION = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
JAX_CASES = [case for case in CASES if not case.tensorflow_only]

RUN = """
import sys
import jax
import numpy as np
import keras
from tests.conformance.cases import CASES

assert keras.backend.backend() == "jax"
folder, names = sys.argv[1], sys.argv[2:]


def train(layer, model, inputs, factors):
    def forward(trainable):
        fixed = [v.value for v in model.non_trainable_variables]
        outputs, state = model.stateless_call(trainable, fixed, inputs, training=True)
        return (outputs * factors).sum(), (outputs, state)

    trainable = [v.value for v in model.trainable_variables]
    if model is layer:
        _, (outputs, state) = jax.jit(forward)(trainable)
        return [outputs, *state]
    step = jax.jit(jax.value_and_grad(forward, has_aux=True))
    (_, (outputs, state)), gradients = step(trainable)
    return [outputs, *state, *gradients]


for case in CASES:
    if case.name not in names:
        continue
    layer = case.make("float32")
    inputs = case.inputs()
    layer(inputs)
    given = np.load(f"{folder}/{case.name}.given.npz")
    factors, *weights = [given[name] for name in given.files]
    layer.set_weights(weights)
    results = [layer(inputs, training=False)]
    results += train(layer, case.model(layer), inputs, factors)
    np.savez(f"{folder}/{case.name}.jax.npz", *[np.array(x) for x in results])
assert "tensorflow" not in sys.modules
"""


def tensorflow_results(layer, inputs, factors):
    """Inference outputs; outputs, state and a layer's gradients of a training call."""
    inference = layer(inputs, training=False)
    with tf.GradientTape() as tape:
        outputs = layer(inputs, training=True)
        loss = tf.reduce_sum(outputs * factors)
    state = [np.array(v) for v in layer.non_trainable_variables]
    gradients = []
    if not isinstance(layer, keras.Model):
        sources = [v.value for v in layer.trainable_variables]
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, sources)]
    return [inference, outputs, *state, *gradients]


@pytest.fixture(scope="module")
def results(wanted, tmp_path_factory):
    """Name of every case to its results here, and the folder of those over there."""
    folder = tmp_path_factory.mktemp("jax")
    ours = {}
    for case in wanted:
        layer, inputs = case.build("float32"), case.inputs()
        shape = layer(inputs).shape
        factors = np.random.default_rng(2).normal(size=shape)
        np.savez(folder / f"{case.name}.given.npz", factors, *layer.get_weights())
        ours[case.name] = tensorflow_results(layer, inputs, factors)
    subprocess.run(
        [sys.executable, "-c", RUN, folder, *ours],
        env={**os.environ, "KERAS_BACKEND": "jax", **FAST_COMPILATION},
        cwd=ROOT,
        check=True,
    )
    return folder, ours


@pytest.mark.parametrize("case", JAX_CASES, ids=lambda case: case.name)
def test_jax_equals_tensorflow(case, results):
    folder, ours = results
    theirs = np.load(folder / f"{case.name}.jax.npz")
    values = [theirs[name] for name in theirs.files]
    for value, tensor in zip(values, ours[case.name], strict=True):
        expected = np.array(tensor)
        assert value.dtype == expected.dtype
        np.testing.assert_allclose(
            value, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max()
        )
