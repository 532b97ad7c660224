"""Small data sets as real files on disk."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from keras_sagan.data.source import Examples, Source


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory):
    """A data directory that the tests of this session share."""
    return str(tmp_path_factory.mktemp("tfds"))


@pytest.fixture
def make_source():
    """Makes a source of `count` images, each filled with its own number."""

    def make(count, batch_size=4, seed=0, labelled=True):
        values = np.arange(count, dtype=np.uint8)
        images = np.broadcast_to(values[:, None, None, None], (count, 8, 8, 3))
        labels = np.arange(count, dtype=np.int32) % 3 if labelled else None
        names = ("a", "b", "c") if labelled else None
        return Source(
            "test", "train", batch_size, seed, Examples(images, labels, names)
        )

    return make


@pytest.fixture
def make_folder(tmp_path):
    """Writes pictures, one colour each: {"class/name.png": (size, color)}."""

    def make(pictures, mode="RGB"):
        root = tmp_path / "pictures"
        root.mkdir(exist_ok=True)
        for name, (size, color) in pictures.items():
            path = root / name
            path.parent.mkdir(exist_ok=True)
            Image.new(mode, size, color).save(path)
        return root

    return make


@pytest.fixture
def make_tfds(tmp_path):
    """Writes a TFDS data set with one split; returns its data directory."""

    def make(name, features, examples, split="train"):
        tfds.dataset_builders.store_as_tfds_dataset(
            name=name,
            version="1.0.0",
            features=tfds.features.FeaturesDict(features),
            split_datasets={split: list(enumerate(examples))},
            data_dir=str(tmp_path),
            disable_shuffling=True,
        )
        return str(tmp_path)

    return make
