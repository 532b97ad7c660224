"""Files of every version since the first load, draw the same images and train on."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_sagan
from keras_sagan import SAGAN
from keras_sagan.runs import checkpoints
from tests import helpers

FOLDER = pathlib.Path(__file__).parent
VERSIONS = sorted(path.parent for path in FOLDER.glob("*/images.npz"))


def assert_trains_on(gan, data):
    assert gan.step == int(gan.g_optimizer.iterations) == 2
    before = np.array(gan.generator.trainable_variables[0])
    logs = gan.train_step(data)
    assert np.isfinite(float(logs["loss"]))
    assert gan.step == int(gan.g_optimizer.iterations) == 3
    assert not np.array_equal(gan.generator.trainable_variables[0], before)


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
def test_keras_file(version):
    gan = keras.saving.load_model(version / "gan.keras")
    images = gan.generate(labels=["red", 1, 2], seed=5, truncation=1.5)
    helpers.assert_same_pixels(images, np.load(version / "images.npz")["gan"])
    data = helpers.images_and_labels(4)
    assert_trains_on(gan, tuple(map(tf.constant, data)))


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
def test_preset_directory(version):
    gan = SAGAN.from_preset(version / "preset")
    images = gan.generate(num_images=3, seed=5)
    helpers.assert_same_pixels(images, np.load(version / "images.npz")["preset"])
    images, _ = helpers.images_and_labels(4, channels=1)
    assert_trains_on(gan, tf.constant(images))


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
def test_checkpoint(version):
    gan = SAGAN.from_preset(version / "preset", load_weights=False)
    found = checkpoints.Checkpoints(version / "checkpoints", 1, 1).resume(gan)
    assert found.step == 2
    images, _ = helpers.images_and_labels(4, channels=1)
    assert_trains_on(gan, tf.constant(images))


def test_this_version_has_files():
    assert keras_sagan.__version__ in {path.name for path in VERSIONS}
