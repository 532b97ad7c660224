import numpy as np
import pytest

from keras_sagan.data import load
from keras_sagan.data.sources import npz

# What is refused is in test_bad_inputs.
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), np.uint8)


def loaded(path, **arrays):
    np.savez(path / "x.npz", **arrays)
    return load(f"npz:{path}/x.npz", image_size=8, batch_size=2)


def test_pixels_are_untouched(tmp_path):
    source = loaded(tmp_path, images=IMAGES, labels=np.array([[1], [0], [2], [0], [1]]))
    images, labels = source.arrays()
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, [1, 0, 2, 0, 1])
    assert source.class_names == ("0", "1", "2")


def test_floats_in_the_range_of_a_model(tmp_path):
    source = loaded(tmp_path, images=IMAGES / 127.5 - 1)
    np.testing.assert_array_equal(source.arrays()[0], IMAGES)
    assert source.class_names is None


@pytest.mark.parametrize("shape", [(5, 8, 8), (5, 8, 8, 1), (5, 8, 8, 4)])
def test_channels_are_the_files(tmp_path, shape):
    images = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    source = loaded(tmp_path, images=images)
    assert source.channels == (shape[3] if len(shape) == 4 else 1)
    np.testing.assert_array_equal(source.arrays()[0].ravel(), images.ravel())


def test_names_of_the_classes(tmp_path):
    names = np.array(["cat", "dog", "nobody"])
    source = loaded(tmp_path, images=IMAGES, labels=np.arange(5) % 2, class_names=names)
    assert source.class_names == ("cat", "dog", "nobody")
    assert source.class_counts == (3, 2, 0)


def test_it_is_one_split(tmp_path):
    np.savez(tmp_path / "x.npz", images=IMAGES)
    with pytest.raises(ValueError, match=r"one of \['train'\] or.*split='test'"):
        load(f"npz:{tmp_path}/x.npz", 8, 1, split="test")
    with pytest.raises(FileNotFoundError, match=r"no file .*y\.npz"):
        load(f"npz:{tmp_path}/y.npz", 8, 1)


def test_an_array_file_is_no_archive(tmp_path):
    np.save(tmp_path / "x.npy", IMAGES)
    with pytest.raises(ValueError, match=r"as a \.npz file"):
        npz.open_pictures(tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a", "b", "a"], "must be unique: 'a' occurs twice"),
        (["a", ""], "must be single lines .*: ''"),
        (["a", " b"], "must be single lines .*: ' b'"),
        (["a", "b\nc"], r"must be single lines .*: 'b\\nc'"),
    ],
)
def test_class_names_that_could_not_be_stored(names, words, tmp_path):
    images = np.zeros((2, 8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match=words):
        loaded(tmp_path, images=images, labels=[0, 1], class_names=names)


@pytest.mark.parametrize(
    ("arrays", "names"),
    [
        ({"arr_0": IMAGES}, "images=arr_0"),
        (
            {"x_train": IMAGES, "y_train": [1, 0, 2, 0, 1], "x_test": np.ones(3)},
            "images=x_train,labels=y_train",
        ),
        (
            {"a=b": IMAGES, "images": [1, 0, 2, 0, 1], "n": ["cat", "dog", "cow"]},
            "labels=images,class_names=n,images=a=b",
        ),
    ],
)
def test_arrays_of_other_names(arrays, names, tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=rf"as in 'npz:{path}:images="):
        load(f"npz:{path}", 8, 1)
    source = load(f"npz:{path}:{names}", 8, 1)
    images, labels = source.arrays()
    np.testing.assert_array_equal(images, IMAGES)
    if "labels" in names:
        np.testing.assert_array_equal(labels, [1, 0, 2, 0, 1])
    else:
        assert labels is None
    classes = ("cat", "dog", "cow") if "class_names" in names else tuple("012")
    assert source.class_names == (classes if "labels" in names else None)


def test_arrays_that_are_not_named_are_not_read(tmp_path):
    extra = np.array([object()])
    np.savez(tmp_path / "x.npz", images=IMAGES, labels=[0] * 5, extra=extra)
    source = load(f"npz:{tmp_path}/x.npz:images=images", 8, 1)
    assert source.num_classes is None


def test_a_path_may_look_like_names(tmp_path):
    path = tmp_path / "data:images=x"
    np.savez(tmp_path / "x.npz", images=IMAGES)
    (tmp_path / "x.npz").rename(path)
    assert load(f"npz:{path}", 8, 1).num_examples == 5


@pytest.mark.parametrize(
    "names",
    ["labels=images", "image=images", "images=images,x", "images=a,images=b"],
)
def test_names_of_no_use(names, tmp_path):
    np.savez(tmp_path / "x.npz", images=IMAGES)
    with pytest.raises(ValueError, match=r"'npz:PATH:images=NAME'.*Received: 'npz:/"):
        load(f"npz:{tmp_path}/x.npz:{names}", 8, 1)


def test_a_name_that_is_not_in_the_file(tmp_path):
    np.savez(tmp_path / "x.npz", images=IMAGES)
    with pytest.raises(ValueError, match=r"must hold 'x'. Received: \['images'\]"):
        load(f"npz:{tmp_path}/x.npz:images=x", 8, 1)
