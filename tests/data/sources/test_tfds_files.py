"""Data sets whose description names a program: it is not imported."""

import json
import pathlib
import re
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_sagan.data import check, load
from keras_sagan.data.sources import tfds_files

IMAGE = "tensorflow_datasets.core.features.image_feature.Image"
PLANTED = "planted_features.Evil"


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A module on the path that would register a feature class; whether it ran."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "planted_features.py").write_text(
        "import tensorflow_datasets as tfds\n"
        "class Evil(tfds.features.Image):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    yield lambda: "planted_features" in sys.modules
    sys.modules.pop("planted_features", None)


@pytest.fixture
def directory(make_tfds):
    """A data set "pets" of one picture."""
    feature = {"image": tfds.features.Image(shape=(8, 8, 3))}
    example = {"image": np.zeros((8, 8, 3), np.uint8)}
    return pathlib.Path(make_tfds("pets", feature, [example]), "pets", "1.0.0")


def in_features(directory):
    path = directory / "features.json"
    path.write_text(path.read_text().replace(IMAGE, PLANTED))


def in_features_of_old(directory):
    """As TFDS wrote them before 4.3."""
    image = {"type": PLANTED, "content": {"shape": [8, 8, 3], "dtype": "uint8"}}
    whole = "tensorflow_datasets.core.features.features_dict.FeaturesDict"
    content = {"type": whole, "content": {"image": image}}
    (directory / "features.json").write_text(json.dumps(content))


def in_other_spelling(directory):
    path = directory / "features.json"
    text = path.read_text().replace("pythonClassName", "python_class_name")
    path.write_text(text.replace(IMAGE, PLANTED))


def in_dataset_info(directory):
    info = json.loads((directory / "dataset_info.json").read_text())
    features = (directory / "features.json").read_text().replace(IMAGE, PLANTED)
    info["features"] = json.loads(features)
    (directory / "dataset_info.json").write_text(json.dumps(info))


HARM = pytest.mark.parametrize(
    "harm",
    [in_features, in_features_of_old, in_other_spelling, in_dataset_info],
    ids=lambda function: function.__name__,
)


@HARM
@pytest.mark.parametrize("look", [load, check], ids=lambda x: x.__name__)
def test_a_planted_class_is_not_imported(directory, planted, harm, look):
    harm(directory)
    with pytest.raises(ValueError, match=rf"pets/1.0.0/.*\.json'.*'{PLANTED}'"):
        look(f"tfds:{directory}", 8)
    assert not planted()


@HARM
@pytest.mark.parametrize("name", ["pets", "Pets", "pets:1.0.0"])
def test_nor_under_a_name(directory, planted, harm, name):
    harm(directory)
    root = directory.parent.parent
    with pytest.raises(ValueError, match=rf"pets/1.0.0/.*\.json'.*'{PLANTED}'"):
        load(f"tfds:{name}", 8, 1, cache_dir=str(root))
    assert not planted()


def test_nor_in_a_configuration(directory, planted):
    in_features(directory)
    inner = directory.parent / "small" / "1.0.0"
    inner.parent.mkdir()
    directory.rename(inner)
    with pytest.raises(ValueError, match=f"small/1.0.0/features.json'.*'{PLANTED}'"):
        load("tfds:pets/small", 8, 1, cache_dir=str(directory.parent.parent))
    assert not planted()


def test_nor_in_the_place_of_an_embedded_set(tmp_path, directory, planted):
    in_features(directory)
    place = tmp_path / "cache" / "keras_sagan_glyphs" / "32px"
    place.mkdir(parents=True)
    directory.rename(place / "1.0.0")
    with pytest.raises(ValueError, match=f"features.json'.*'{PLANTED}'"):
        load("glyphs", 32, 1, cache_dir=str(tmp_path / "cache"))
    assert not planted()


@pytest.mark.parametrize("name", ["huggingface:mnist", "kubric:movi_a/128x128:1.0.0"])
def test_catalogues_of_others_are_not_asked(name, tmp_path):
    """TFDS would fetch a description, or a program, and import what it names."""
    with pytest.raises(ValueError, match=f"community catalogues.*'tfds:{name}'"):
        load(f"tfds:{name}", 8, 1, cache_dir=str(tmp_path))


def test_a_module_that_the_description_says_it_is_from(directory, planted):
    """TFDS only shows it."""
    path = directory / "dataset_info.json"
    info = {**json.loads(path.read_text()), "moduleName": "planted_features"}
    path.write_text(json.dumps(info))
    assert load(f"tfds:{directory}", 8, 1).num_examples == 1
    assert not planted()


def test_other_sets_beside_it_do_not_matter(directory, planted):
    root = directory.parent.parent
    other = root / "others" / "1.0.0"
    other.mkdir(parents=True)
    (other / "features.json").write_text(json.dumps({"pythonClassName": PLANTED}))
    assert load("tfds:pets", 8, 1, cache_dir=str(root)).num_examples == 1


def test_all_features_of_tfds_that_may_stand_beside_the_pictures(make_tfds):
    features = tfds.features
    beside = {
        "box": (features.BBoxFeature(), features.BBox(0.0, 0.0, 1.0, 1.0)),
        "name": (features.Text(), "Rex"),
        "size": (features.Scalar(dtype=np.int64), 3),
        "vector": (features.Tensor(shape=(2,), dtype=np.float32), np.ones(2, "f4")),
        "words": (features.Sequence(features.Text()), ["a", "b"]),
        "inner": (
            features.FeaturesDict({"type": features.ClassLabel(num_classes=2)}),
            {"type": 1},
        ),
        "type": (features.ClassLabel(names=["a", "b"]), "b"),
        "sound": (features.Audio(), np.zeros(4, np.int64)),
        "film": (features.Video(shape=(1, 4, 4, 3)), np.zeros((1, 4, 4, 3), "u1")),
        "marked": (
            features.LabeledImage(shape=(4, 4, 1), labels=3),
            np.zeros((4, 4, 1), np.uint8),
        ),
        "text": (features.Translation(["de", "en"]), {"de": "Hund", "en": "dog"}),
    }
    directory = make_tfds(
        "rich",
        {"image": features.Image(shape=(8, 8, 3))}
        | {name: feature for name, (feature, _) in beside.items()},
        [
            {"image": np.full((8, 8, 3), 7, np.uint8)}
            | {name: value for name, (_, value) in beside.items()}
        ],
    )
    images, _ = load("tfds:rich", 8, 1, cache_dir=directory).arrays()
    assert (images == 7).all()


@pytest.mark.parametrize("name", ["features.json", "dataset_info.json"])
def test_descriptions_without_end(directory, name):
    with (directory / name).open("wb") as file:
        file.truncate(1 << 40)  # bytes, of which none is stored
    with pytest.raises(ValueError, match=rf"{name}' must have at most 16777216 bytes"):
        tfds_files.check_directory(directory)


def test_deep_descriptions(directory):
    text = '{"pythonClassName": ' * 50_000
    (directory / "features.json").write_text(text)
    with pytest.raises(ValueError, match=re.escape("features.json' is not JSON")):
        load(f"tfds:{directory}", 8, 1)
