"""Settings of every test: CPU, four logical devices, a fixed seed."""

import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest
import tensorflow as tf

# Strategies with up to four replicas; has to come before TensorFlow starts.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 4,
)


@pytest.fixture(autouse=True)
def seed_generators():
    """Python's, NumPy's and Keras's generators start every test alike."""
    keras.utils.set_random_seed(0)
