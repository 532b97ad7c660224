import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.export.numpy_latents import row_latents
from tests.helpers import run_python


def _seeds():
    rng = np.random.default_rng(0)
    large = rng.integers(-(2**63), 2**63 - 1, 30)
    return np.concatenate([np.arange(-5, 30), large, [2**63 - 1, -(2**63)]])


@pytest.mark.parametrize("latent_dim", [128, 7])
def test_same_as_tensorflow(latent_dim):
    seeds = _seeds()
    limits = np.where(np.arange(len(seeds)) % 2, 0.7, 0).astype("float32")
    expected = sampling.row_latents(tf.constant(seeds), latent_dim, limits).numpy()
    actual = row_latents(seeds, latent_dim, limits)
    assert actual.dtype == np.float32
    np.testing.assert_array_max_ulp(actual, expected, maxulp=1)
    assert (actual == expected).mean() > 0.999
    assert np.abs(actual[1::2]).max() <= np.float32(0.7) < np.abs(actual[::2]).max()


def test_one_truncation_for_all():
    seeds = np.arange(3)
    limits = np.full(3, 0.5)
    np.testing.assert_array_equal(
        row_latents(seeds, 8, 0.5), row_latents(seeds, 8, limits)
    )


@pytest.mark.parametrize("truncation", [-1, np.nan, [0.0, np.inf, 0.0]])
def test_truncation_is_checked(truncation):
    with pytest.raises(ValueError, match="`truncation` must be finite and > 0"):
        row_latents(np.arange(3), 8, truncation)


def test_needs_numpy_only():
    code = (
        "import sys\n"
        "from keras_sagan.export import row_latents\n"
        "rows = row_latents([0], 4)\n"
        "print({'tensorflow', 'keras'} & set(sys.modules), rows.shape)"
    )
    assert run_python(code) == "set() (1, 4)"
