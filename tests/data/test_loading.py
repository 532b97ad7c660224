import subprocess
import sys

import numpy as np
import pytest

from keras_sagan.data import Source, load
from keras_sagan.data.loading import parse_name


def test_importing_the_package_imports_no_tensorflow():
    program = (
        "import sys, keras_sagan.data, keras_sagan.data.loading;"
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.slow
def test_glyphs(cache_dir):
    source = load("glyphs", image_size=8, batch_size=5, seed=2, cache_dir=cache_dir)
    assert isinstance(source, Source)
    assert (source.name, source.split, source.seed) == ("glyphs", "train", 2)
    assert (source.num_examples, source.num_classes) == (10_000, 10)
    assert source.class_names == tuple("0123456789")
    images, labels = next(iter(source.dataset))
    assert images.shape == (5, 8, 8, 3)
    assert labels.shape == (5,)


def test_glyphs_in_grey(cache_dir):
    source = load("glyphs", 8, channels=1, split="test", cache_dir=cache_dir)
    assert source.channels == 1
    assert source.num_examples == 2_000
    assert (source.arrays()[0].max(axis=(1, 2, 3)) > 70).all()


def test_slices_of_a_split(cache_dir):
    part = load("glyphs", 8, split="train[:5%]", cache_dir=cache_dir)
    whole = load("glyphs", 8, cache_dir=cache_dir)
    assert part.num_examples == 500
    np.testing.assert_array_equal(part.arrays()[0], whole.arrays()[0][:500])


def test_the_environment_names_the_data_directory(cache_dir, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", cache_dir)
    assert load("glyphs", 8).num_examples == 10_000


def test_folder(make_folder):
    root = make_folder({"a/1.png": ((8, 8), 0), "b/1.png": ((8, 8), 9)})
    source = load(f"folder:{root}", image_size=8, batch_size=2)
    assert source.class_names == ("a", "b")
    assert source.channels == 3


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("glyphs", ("glyphs", "")),
        ("tfds:mnist", ("tfds", "mnist")),
        ("tfds:a/b:1.0.0", ("tfds", "a/b:1.0.0")),
        ("folder:/a b:c", ("folder", "/a b:c")),
        ("shapes", ("shapes", "")),
        ("npz:x.npz", ("npz", "x.npz")),
    ],
)
def test_names(name, parsed):
    assert parse_name(name) == parsed


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("glyph", "Did you mean 'glyphs'"),
        ("Glyphs", "Did you mean 'glyphs'"),
        ("foldr:x", "Did you mean 'folder:PATH'"),
        ("tfds:", "Did you mean 'tfds:NAME'"),
        ("fashion_mnist", "'tfds:fashion_mnist'"),
        ("zip:x", "must be one of 'glyphs', 'shapes', 'tfds:NAME', 'folder:PATH', 'np"),
        ("", "must be one of"),
        ("glyphs:x", "Did you mean 'glyphs'"),
    ],
)
def test_wrong_names(name, hint):
    with pytest.raises(ValueError, match=hint) as error:
        load(name)
    assert f"Received: name={name!r}" in str(error.value)


def test_the_name_of_a_folder_that_exists(tmp_path):
    with pytest.raises(ValueError, match=f"Did you mean 'folder:{tmp_path}'"):
        load(str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"name": None}, TypeError),
        ({"image_size": 7}, ValueError),
        ({"image_size": 2049}, ValueError),
        ({"image_size": 32.0}, TypeError),
        ({"image_size": True}, TypeError),
        ({"batch_size": 0}, ValueError),
        ({"batch_size": "64"}, TypeError),
        ({"seed": -1}, ValueError),
        ({"seed": 0.5}, TypeError),
        ({"channels": 2}, ValueError),
        ({"channels": 0}, ValueError),
        ({"channels": "RGB"}, TypeError),
        ({"fit": "stretch"}, ValueError),
    ],
)
def test_wrong_arguments(arguments, error):
    name, value = next(iter(arguments.items()))
    with pytest.raises(error, match=rf"`{name}` must .*{name}={value!r}"):
        load(**{"name": "folder:/nowhere", **arguments})


def test_a_batch_larger_than_the_data_set(make_folder):
    root = make_folder({"1.png": ((8, 8), 0), "2.png": ((8, 8), 9)})
    with pytest.raises(ValueError, match=r"has 2\. Received: batch_size=64"):
        load(f"folder:{root}", image_size=8)
