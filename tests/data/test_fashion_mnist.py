"""Fashion-MNIST through TFDS, built from Debian's package dataset-fashion-mnist."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_sagan.data import load
from keras_sagan.data.storage import data_dir

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "fashion_mnist_from_debian"
SOURCE = "/usr/share/datasets/fashion-mnist"


def run(*arguments):
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A data directory with fashion_mnist."""
    if os.path.isdir(SOURCE):
        made = str(tmp_path_factory.mktemp("fashion_mnist"))
        result = run("--data-dir", made)
        assert result.returncode == 0, result.stderr
        assert result.stdout.strip().endswith("fashion_mnist/3.0.1")
        return made
    if tfds.builder("fashion_mnist", data_dir=data_dir()).is_prepared():
        return data_dir()
    pytest.skip(
        "needs Debian's package dataset-fashion-mnist, or a TFDS data directory "
        "with fashion_mnist"
    )


@pytest.mark.slow
def test_tfds_loads_it_without_a_network(directory):
    data, info = tfds.load(
        "fashion_mnist", data_dir=directory, download=False, with_info=True
    )
    assert {name: len(split) for name, split in data.items()} == {
        "train": 60_000,
        "test": 10_000,
    }
    assert info.features["label"].names[9] == "Ankle boot"


def test_it_trains_at_32_pixels_in_grey(directory):
    source = load(
        "tfds:fashion_mnist", image_size=32, split="test", cache_dir=directory
    )
    assert (source.num_examples, source.num_classes, source.channels) == (10_000, 10, 1)
    assert source.class_names[0] == "T-shirt/top"
    images, labels = source.arrays()
    np.testing.assert_array_equal(np.bincount(labels), [1_000] * 10)
    assert 60 < images.mean() < 85
    batch, _ = next(iter(source.dataset))
    assert batch.shape == (64, 32, 32, 1)


@pytest.mark.skipif(not os.path.isdir(SOURCE), reason="needs dataset-fashion-mnist")
def test_building_again_changes_nothing(directory):
    record = next(pathlib.Path(directory).rglob("*train.tfrecord*"))
    before = record.stat().st_mtime_ns
    result = run("--data-dir", directory, "--source", "/nowhere")
    assert result.returncode == 0, result.stderr
    assert record.stat().st_mtime_ns == before


def test_the_package_is_named_where_its_files_are_missing(tmp_path):
    result = run("--data-dir", str(tmp_path), "--source", str(tmp_path))
    assert result.returncode == 1
    assert "apt-get install dataset-fashion-mnist" in result.stderr
    assert "Traceback" not in result.stderr


def test_help():
    result = run("--help")
    assert result.returncode == 0
    assert "--data-dir" in result.stdout
