import json
import pathlib
import re
import struct
import zlib

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from keras_sagan.data import check, load, prepare

RNG = np.random.default_rng(0)


def pictures(*shapes):
    return [RNG.integers(0, 256, shape, np.uint8) for shape in shapes]


def features(shape=(None, None, 3), label=None):
    result = {"image": tfds.features.Image(shape=shape)}
    return result if label is None else {**result, "label": label}


def test_labelled(make_tfds):
    images = pictures(*[(8, 8, 3)] * 5)
    names = tfds.features.ClassLabel(names=["cat", "dog"])
    examples = [
        {"image": image, "label": index % 2} for index, image in enumerate(images)
    ]
    directory = make_tfds("pets", features((8, 8, 3), names), examples)
    source = load("tfds:pets", image_size=8, batch_size=2, cache_dir=directory)
    assert source.class_names == ("cat", "dog")
    stored, labels = source.arrays()
    np.testing.assert_array_equal(stored, np.stack(images))
    np.testing.assert_array_equal(labels, [0, 1, 0, 1, 0])
    assert labels.dtype == np.int32
    part = load("tfds:pets", 8, 2, split="train[1:3]", cache_dir=directory)
    np.testing.assert_array_equal(part.arrays()[1], [1, 0])


def test_pictures_of_many_sizes_without_labels(make_tfds):
    images = pictures((8, 20, 3), (30, 8, 3), (8, 8, 3))
    directory = make_tfds("many", features(), [{"image": image} for image in images])
    source = load("tfds:many", image_size=8, batch_size=2, cache_dir=directory)
    stored, labels = source.arrays()
    assert labels is None
    assert source.num_classes is None
    np.testing.assert_array_equal(stored[0], images[0][:, 6:14])
    np.testing.assert_array_equal(stored[1], images[1][11:19])
    np.testing.assert_array_equal(stored[2], images[2])


def test_grey_stays_grey_unless_color_is_asked_for(make_tfds):
    images = pictures((8, 8, 1), (8, 8, 1))
    directory = make_tfds(
        "grey", features((None, None, 1)), [{"image": image} for image in images]
    )
    grey = load("tfds:grey", 8, 2, cache_dir=directory)
    np.testing.assert_array_equal(grey.arrays()[0], np.stack(images))
    color = load("tfds:grey", 8, 2, channels=3, cache_dir=directory)
    np.testing.assert_array_equal(color.arrays()[0], np.repeat(images, 3, axis=3))


def test_sizes_are_changed(make_tfds):
    flat = np.full((12, 12, 3), 99, np.uint8)
    directory = make_tfds("flat", features((12, 12, 3)), [{"image": flat}])
    for size in (8, 16):
        source = load("tfds:flat", size, 1, cache_dir=directory)
        np.testing.assert_array_equal(
            source.arrays()[0], np.full((1, size, size, 3), 99, np.uint8)
        )


def test_no_such_name(tmp_path):
    with pytest.raises(ValueError, match=r"'fashion_mnist'.*'tfds:fashion_mnis'"):
        load("tfds:fashion_mnis", cache_dir=str(tmp_path))
    with pytest.raises(ValueError, match=re.escape(f"none in {tmp_path}")):
        load("tfds:qqqqqqqqqq", cache_dir=str(tmp_path))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "fashion_mnist:9.9.9",
            r"version 9\.9\.9, only: .*'tfds:fashion_mnist:9\.9\.9'",
        ),
        ("cifar10/grey", "'tfds:cifar10/grey'"),
        ("Fashion-MNIST", "Did you mean 'fashion_mnist'"),
        ("a b", "There is no such data set in TFDS"),
        ("mnist/data_dir=x", "but no arguments. Received: 'tfds:mnist/data_dir=x'"),
        ("./here", "is not a complete TFDS data set"),
    ],
)
def test_no_such_version_config_or_directory(name, words, tmp_path):
    with pytest.raises(ValueError, match=f"(?s){words}"):
        load(f"tfds:{name}", cache_dir=str(tmp_path))


def test_no_such_split(make_tfds):
    directory = make_tfds("one", features(), [{"image": pictures((8, 8, 3))[0]}])
    with pytest.raises(ValueError, match=r"one of \['train'\].*split='tset'"):
        load("tfds:one", 8, 1, split="tset", cache_dir=directory)
    with pytest.raises(ValueError, match=r"no examples.*'train\[:0\]'"):
        load("tfds:one", 8, 1, split="train[:0]", cache_dir=directory)


@pytest.mark.parametrize(
    ("feature", "example"),
    [
        ({"text": tfds.features.Text()}, {"text": "x"}),
        (
            {"image": tfds.features.Tensor(shape=(8, 8, 3), dtype=np.uint8)},
            {"image": np.zeros((8, 8, 3), np.uint8)},
        ),
        (
            {key: tfds.features.Image(shape=(8, 8, 3)) for key in ("left", "right")},
            {key: np.zeros((8, 8, 3), np.uint8) for key in ("left", "right")},
        ),
    ],
    ids=["none", "tensor", "two"],
)
def test_no_pictures_or_more_than_one(make_tfds, feature, example):
    directory = make_tfds("other", feature, [example])
    with pytest.raises(ValueError, match=r"or a single other.*'other'"):
        load("tfds:other", 8, 1, cache_dir=directory)


def test_the_only_pictures_under_another_name(make_tfds):
    (image,) = pictures((8, 8, 3))
    feature = {"hr": tfds.features.Image(shape=(None, None, 3))}
    directory = make_tfds("named", feature, [{"hr": image}])
    source = load("tfds:named", 8, 1, cache_dir=directory)
    np.testing.assert_array_equal(source.arrays()[0], image[None])


@pytest.mark.parametrize("size", [8, 16])
def test_pictures_of_16_bits(make_tfds, size):
    values = np.repeat(np.array([0, 256, 65535, 1285], np.uint16), 16).reshape(8, 8, 1)
    feature = {"image": tfds.features.Image(shape=(8, 8, 1), dtype=np.uint16)}
    directory = make_tfds("deep", feature, [{"image": values}])
    images, _ = load("tfds:deep", size, 1, cache_dir=directory).arrays()
    assert images.shape == (1, size, size, 1)
    if size == 8:
        np.testing.assert_array_equal(images[0, ::2, 0, 0], [0, 1, 255, 5])


def test_a_label_that_is_no_class(make_tfds):
    label = tfds.features.Scalar(dtype=np.int64)
    example = {"image": pictures((8, 8, 3))[0], "label": 3}
    directory = make_tfds("scalar", features((8, 8, 3), label), [example])
    with pytest.warns(UserWarning, match="tfds:scalar: left out: labels that are not"):
        source = load("tfds:scalar", 8, 1, cache_dir=directory)
    assert source.class_names is None
    report = check("tfds:scalar", 8, cache_dir=directory)
    assert "pictures are unlabelled" in report.notes[0]
    assert "left out\n  labels that are not classes" in report.format()


def damage_shard(directory):
    (shard,) = directory.glob("*record-*")
    shard.write_bytes(shard.read_bytes()[:-7])


def remove_shard(directory):
    (shard,) = directory.glob("*record-*")
    shard.unlink()


def damage_description(directory):
    (directory / "dataset_info.json").write_text("{")


@pytest.mark.parametrize("size", [8, 16])
@pytest.mark.parametrize(
    "harm", [damage_shard, remove_shard, damage_description], ids=lambda f: f.__name__
)
def test_damaged_files_are_named(tmp_path, harm, size):
    for i in range(3):
        Image.fromarray(pictures((8, 8, 3))[0]).save(tmp_path / f"{i}.png")
    prepare(f"folder:{tmp_path}", tmp_path / "out", 8)
    harm(tmp_path / "out")
    for look in (load, check):
        with pytest.raises(ValueError, match=rf"{tmp_path}/out.* again") as caught:
            look(f"tfds:{tmp_path}/out", size)
        assert "or copy it again" in str(caught.value)


def test_an_unlabelled_example_of_a_labelled_set(make_tfds):
    image = pictures((8, 8, 3))[0]
    label = tfds.features.ClassLabel(num_classes=3)
    examples = [{"image": image, "label": label} for label in (2, -1)]
    directory = make_tfds("partly", features((8, 8, 3), label), examples)
    with pytest.raises(ValueError, match=r"in \[0, 3\).*1 of 2 examples.*-1"):
        load("tfds:partly", 8, 1, cache_dir=directory)


def test_a_set_that_needs_manual_download(tmp_path, capfd):
    """No network is asked: TFDS wants the file from its user."""
    with pytest.raises(RuntimeError, match=r"(?s)'tfds:imagenet2012'.*TFDS_DATA_DIR"):
        load("tfds:imagenet2012", cache_dir=str(tmp_path))
    output, errors = capfd.readouterr()
    assert output == ""
    assert "downloads it now" in errors


def test_a_name_of_tfds_that_is_a_directory_too(make_tfds, tmp_path, monkeypatch):
    examples = [{"image": image} for image in pictures((8, 8, 3))]
    directory = make_tfds("beside", features((8, 8, 3)), examples)
    monkeypatch.chdir(directory)  # has `beside/1.0.0`
    assert load("tfds:beside", 8, 1, cache_dir=directory).num_examples == 1
    (tmp_path / "nothing").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="nothing is not a complete TFDS data set"):
        load("tfds:nothing", 8, 1, cache_dir=directory)


def test_jpeg_of_the_right_size_is_decoded_as_of_any_other(make_tfds, tmp_path):
    ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    image = np.stack([ramp, ramp[::-1], 255 - ramp], axis=2)
    feature = tfds.features.Image(shape=(64, 64, 3), encoding_format="jpeg")
    directory = make_tfds("photos", {"image": feature}, [{"image": image}])
    whole = load("tfds:photos", 64, 1, cache_dir=directory).arrays()[0]
    prepare("tfds:photos", tmp_path / "out", 64, cache_dir=directory)
    stored = load(f"tfds:{tmp_path / 'out'}", 64, 1).arrays()[0]
    np.testing.assert_array_equal(whole, stored)


def png(width, height):
    """The bytes of a black picture of one bit a pixel, without making it."""

    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(height * (1 + -(-width // 8))))
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("size", [8, 16])
def test_a_picture_that_is_larger_than_it_says(make_tfds, size):
    """At the stored size too: TensorFlow would decode it whatever it takes."""
    directory = make_tfds("bomb", features((8, 8, 3)), [{"image": png(12_000, 12_000)}])
    message = r"bomb/train\[0\].*(144000000|12000 x 12000) pixels"
    with pytest.raises(ValueError, match=message):
        load("tfds:bomb", size, 1, cache_dir=directory)


def test_a_large_picture_beside_the_pictures_is_not_decoded(make_tfds):
    feature = {
        "mask": tfds.features.Image(shape=(None, None, 1)),
        **features((8, 8, 3)),
    }
    (image,) = pictures((8, 8, 3))
    example = {"image": image, "mask": png(12_000, 12_000)[:-30]}  # not to be decoded
    directory = make_tfds("masked", feature, [example])
    stored = load("tfds:masked", 8, 1, cache_dir=directory).arrays()[0]
    np.testing.assert_array_equal(stored[0], image)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_at_the_stored_size_are_those_of_tensorflow(make_tfds, channels):
    shape = (8, 8, channels)
    images = pictures(*[shape] * 3)
    directory = make_tfds("sane", features(shape), [{"image": x} for x in images])
    expected = tfds.load("sane", split="train", data_dir=directory, shuffle_files=False)
    expected = np.stack([row["image"] for row in expected.as_numpy_iterator()])
    stored = load("tfds:sane", 8, 1, cache_dir=directory).arrays()[0]
    np.testing.assert_array_equal(stored, expected)


def change_description(directory, name, change):
    path = next(pathlib.Path(directory).rglob(name))
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_more_examples_than_the_files_can_hold(make_tfds):
    def change(content):
        content["splits"][0]["shardLengths"] = [str(10**12)]

    directory = make_tfds(
        "few", features(), [{"image": x} for x in pictures((8, 8, 3))]
    )
    change_description(directory, "dataset_info.json", change)
    with pytest.raises(
        ValueError, match=r"few/1\.0\.0 is missing or damaged .1000000000000 "
    ):
        load("tfds:few", 8, 1, cache_dir=directory)


def test_more_classes_than_there_may_be(make_tfds):
    def change(content):
        label = content["featuresDict"]["features"]["label"]
        label["classLabel"]["numClasses"] = str(10**12)

    label = tfds.features.ClassLabel(num_classes=3)
    example = {"image": pictures((8, 8, 3))[0], "label": 1}
    directory = make_tfds("classy", features((8, 8, 3), label), [example])
    change_description(directory, "features.json", change)
    with pytest.raises(ValueError, match="'classy' must have at most 1000000 classes"):
        load("tfds:classy", 8, 1, cache_dir=directory)
