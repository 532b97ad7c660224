"""The same seed gives the same bits: again, in another process, after a file."""

import hashlib

import pytest
import tensorflow as tf

from tests import helpers

pytestmark = [pytest.mark.slow, pytest.mark.distributed]

# Twenty steps in a process of its own, saved halfway.
TRAIN = """
import sys
from tests.training.test_reproducibility import digest, fit, new_gan
gan = new_gan()
fit(gan, steps=10)
gan.save(sys.argv[1])
fit(gan, steps=10, start=10)
print(digest(gan))
"""
# The second half after loading, which takes the first line only; then twenty steps
# in one go, in the same process.
LOAD = """
import keras_sagan, keras; gan = keras.saving.load_model({path!r})
from tests.training.test_reproducibility import digest, fit, new_gan
fit(gan, steps=10, start=10)
loaded = digest(gan)
gan = new_gan()
fit(gan, steps=20)
print(loaded, digest(gan))
"""


def new_gan():
    gan = helpers.tiny_gan()
    gan.compile(seed=5, ema_decay=0.5, ema_start=12)
    return gan


def fit(gan, steps, start=0):
    images, labels = helpers.images_and_labels(4 * 20)
    data = tf.data.Dataset.from_tensor_slices((images, labels))
    gan.fit(data.batch(4, drop_remainder=True).skip(start).take(steps), verbose=0)


def digest(gan):
    """Of every weight, and of the state of the optimizers."""
    states = gan.variables + gan.g_optimizer.variables + gan.d_optimizer.variables
    assert int(gan.g_optimizer.iterations) == 20
    joined = b"".join(value.tobytes() for value in helpers.values(states))
    return hashlib.sha256(joined).hexdigest()


def test_training_is_bit_identical(tmp_path):
    path = str(tmp_path / "gan.keras")
    expected = helpers.run_python(TRAIN, path)
    loaded, in_one_go = helpers.run_python(LOAD.format(path=path)).split()
    assert in_one_go == expected
    assert loaded == expected
