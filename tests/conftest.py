"""Settings of every test: CPU, four logical devices, a fixed seed."""

import contextlib
import os
import time

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest
import tensorflow as tf
from PIL import Image

from keras_sagan.cli.main import main

_BEGIN = pytest.StashKey()

# Strategies with up to four replicas; has to come before TensorFlow starts.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 4,
)


def pytest_addoption(parser):
    parser.addoption(
        "--seconds",
        type=float,
        help="tests that have not begun after so many seconds are skipped",
    )


def pytest_configure(config):
    config.stash[_BEGIN] = time.monotonic()


def pytest_runtest_setup(item):
    limit = item.config.getoption("--seconds")
    if limit and time.monotonic() - item.config.stash[_BEGIN] > limit:
        pytest.skip(f"no time: not begun within {limit:g} seconds")


@pytest.fixture(autouse=True)
def seed_generators():
    """Python's, NumPy's and Keras's generators start every test alike."""
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory):
    """A folder with the classes "blue" and "red", eight 32 x 32 PNGs each."""
    folder = tmp_path_factory.mktemp("pictures")
    ramp = Image.linear_gradient("L").resize((32, 32))
    for name, channel in [("blue", 2), ("red", 0)]:
        (folder / name).mkdir()
        for i in range(8):
            bands = [Image.new("L", (32, 32), 20 * i) for _ in range(3)]
            bands[channel] = ramp
            Image.merge("RGB", bands).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture(scope="session")
def run_directory(tmp_path_factory, picture_folder):
    """What `keras-sagan train` left after four steps on `picture_folder`."""
    output = tmp_path_factory.mktemp("runs") / "tiny"
    options = "--steps 4 --batch-size 4 --log-every 2 --sample-every 3 --seed 5 "
    options += "--set model.base_filters=4 --set model.d_base_filters=4 "
    options += "--dtype-policy float32"
    data = ["--dataset", f"folder:{picture_folder}"]
    with (
        output.with_suffix(".out").open("w") as printed,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        status = main(["train", *data, "--output", str(output), *options.split()])
    assert status == 0
    return output
