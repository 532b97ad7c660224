import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.export.composed_latents import composed_latents
from keras_sagan.export.onnx import onnx_bytes, onnx_outputs
from keras_sagan.export.runtimes import latents_function

SEEDS = np.array([*range(100), -1, 2**40 + 5, 2**63 - 1, -(2**63)])
DIM = 41  # the last block of four is not used up


def drawn(limits):
    limits = np.resize(np.array(limits, np.float32), len(SEEDS))
    expected = sampling.row_latents(tf.constant(SEEDS), DIM, tf.constant(limits))
    return {"seed": SEEDS, "truncation": limits}, expected.numpy()


LIMITS = pytest.mark.parametrize("limits", [[0], [0.04, 0, 0.7, 2, 5.6, 40, 1e38]])


@LIMITS
def test_bits_of_generate(limits):
    rows, expected = drawn(limits)
    latents = composed_latents(
        tf.constant(rows["seed"]), DIM, tf.constant(rows["truncation"])
    )
    np.testing.assert_array_equal(latents, expected)


@LIMITS
def test_bits_of_generate_in_onnx_runtime(limits, tmp_path):
    (tmp_path / "latents.onnx").write_bytes(onnx_bytes(*latents_function(DIM), {}))
    rows, expected = drawn(limits)
    latents = onnx_outputs(tmp_path / "latents.onnx")(rows)["latent"]
    np.testing.assert_array_equal(latents, expected)
