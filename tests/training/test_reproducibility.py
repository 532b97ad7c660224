"""The same seed gives the same bits: again, in another process, after a file."""

import hashlib

import pytest
import tensorflow as tf

from tests import helpers

pytestmark = [pytest.mark.slow, pytest.mark.distributed]

# Twenty steps in a process of its own, saved halfway; then once more in one go.
TRAIN = """
import sys
from tests.training.test_reproducibility import digest, fit, new_gan
gan = new_gan()
fit(gan, steps=10)
gan.save(sys.argv[1])
fit(gan, steps=10, start=10)
first = digest(gan)
gan = new_gan()
fit(gan, steps=20)
print(first, digest(gan))
"""
# The first line is all that a user's process needs to load a model.
LOAD = """
import keras_sagan, keras; gan = keras.saving.load_model({path!r})
from tests.training.test_reproducibility import digest, fit, new_gan
fit(gan, steps=10, start=10)
loaded = digest(gan)
gan = new_gan()
fit(gan, steps=20)
print(loaded, digest(gan))
"""


def new_gan(seed=5):
    gan = helpers.tiny_gan()
    gan.compile(seed=seed, ema_decay=0.5, ema_start=12)
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
    saved_halfway, in_one_go = helpers.run_python(TRAIN, path).split()
    assert in_one_go == saved_halfway
    loaded, in_another_process = helpers.run_python(LOAD.format(path=path)).split()
    assert in_another_process == in_one_go
    assert loaded == in_one_go
