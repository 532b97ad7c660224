"""Hugging Face data sets: folders, names in the cache, and what is refused."""

import io
import json
import re
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from keras_sagan.data import check, load, prepare

datasets = pytest.importorskip("datasets")

NAMES = ["cat", "dog", "owl"]


def png(value):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (value, 0, 0)).save(file, "PNG")
    return file.getvalue()


def make(first=0, count=6, **columns):
    kinds = {
        "image": datasets.Image(),
        "label": datasets.ClassLabel(names=NAMES),
        "text": datasets.Value("string"),
    }
    rows = range(first, first + count)
    values = {
        "image": [{"bytes": png(i), "path": None} for i in rows],
        "label": [i % 3 for i in rows],
        "text": ["x"] * count,
        **columns,
    }
    return datasets.Dataset.from_dict(values, features=datasets.Features(kinds))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """ "one": a data set; "two": one of the splits train and test."""
    root = tmp_path_factory.mktemp("hf")
    make().save_to_disk(root / "one", num_shards=2)
    both = datasets.DatasetDict(train=make(), test=make(100, 4))
    both.save_to_disk(root / "two")
    return root


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved / "one", tmp_path / "set")


def reds(images):
    return images[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("memory", [0, 1], ids=["files", "memory"])
def test_a_folder(saved, memory):
    source = load(f"hf:{saved}/one", 8, 2, data_memory=memory)
    images, labels = source.arrays()
    assert reds(images[:]) == list(range(6))
    np.testing.assert_array_equal(labels, np.arange(6) % 3)
    assert source.class_names == tuple(NAMES)


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train", [0, 1, 2, 3, 4, 5]),
        ("test", [100, 101, 102, 103]),
        ("test[:50%]", [100, 101]),
        ("train[-1:]+test[:1]", [5, 100]),
    ],
)
def test_splits(saved, split, expected):
    images, _ = load(f"hf:{saved}/two", 8, 1, split=split).arrays()
    assert reds(images) == expected


def test_rows_that_were_chosen(tmp_path):
    """`select` keeps all rows, and which they are beside them."""
    make().select([4, 1]).save_to_disk(tmp_path / "set")
    images, labels = load(f"hf:{tmp_path}/set", 8, 1).arrays()
    assert (reds(images), labels.tolist()) == ([4, 1], [1, 1])


def test_prepared_and_checked(saved, tmp_path):
    assert check(f"hf:{saved}/one", 8).class_counts == {"cat": 2, "dog": 2, "owl": 2}
    prepare(f"hf:{saved}/one", tmp_path / "out", 8)
    assert reds(load(f"tfds:{tmp_path}/out", 8, 1).arrays()[0]) == list(range(6))


def test_a_name_in_the_cache_without_a_network(tmp_path, monkeypatch):
    """As `load_dataset` leaves it there."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    folder = tmp_path / "me___pets" / "default" / "0.0.0" / "abc"
    make().save_to_disk(tmp_path / "saved")
    folder.mkdir(parents=True)
    (tmp_path / "saved" / "data-00000-of-00001.arrow").rename(
        folder / "pets-train.arrow"
    )
    info = json.loads((tmp_path / "saved" / "dataset_info.json").read_text())
    info |= {"config_name": "default", "dataset_name": "pets", "builder_name": "cache"}
    info["splits"] = {"train": {"name": "train", "num_bytes": 1, "num_examples": 6}}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    assert reds(load("hf:me/pets", 8, 1).arrays()[0]) == list(range(6))
    with pytest.raises(
        RuntimeError, match=r"'hf:me/cats'.*\n.*Without a network, save"
    ):
        load("hf:me/cats", 8, 1)


@pytest.mark.parametrize("name", ["no/such/folder", "../x", "/nowhere", "-x"])
def test_what_is_no_name(name):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load(f"hf:{name}", 8, 1)


def test_columns_are_named(tmp_path):
    renamed = make().rename_columns({"image": "img", "label": "fine"})
    renamed = renamed.add_column("coarse", [0] * 6)
    renamed = renamed.cast_column("coarse", datasets.ClassLabel(names=["pet"]))
    renamed.save_to_disk(tmp_path / "set")
    with pytest.raises(ValueError, match=r"called 'label'; .*'hf:NAME:label=COLUMN'"):
        load(f"hf:{tmp_path}/set", 8, 1)
    assert load(f"hf:{tmp_path}/set:label=coarse", 8, 1).class_names == ("pet",)
    with pytest.raises(ValueError, match=r"Image called 'x'"):
        load(f"hf:{tmp_path}/set:image=x,label=fine", 8, 1)


def test_missing_labels_are_told(tmp_path):
    make(label=[0, 1, None, 2, 0, 1]).save_to_disk(tmp_path / "set")
    with pytest.raises(ValueError, match=r"6 examples outside this range, e\.g\. -1"):
        load(f"hf:{tmp_path}/set", 8, 1)


def test_a_path_in_a_row_is_not_opened(tmp_path):
    """`datasets` would open any file, or address, that a row names."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(9))
    rows = [{"bytes": png(i), "path": None} for i in range(6)]
    plain = make(image=rows)
    rows = plain.data.table.column("image").to_pylist()
    rows[3] = {"bytes": None, "path": str(secret)}
    table = plain.data.table
    column = datasets.table.pa.array(rows, table.schema.field("image").type)
    table = table.set_column(0, "image", column)
    plain.save_to_disk(tmp_path / "set")
    path = tmp_path / "set" / "data-00000-of-00001.arrow"
    with datasets.table.pa.OSFile(str(path), "wb") as sink:
        with datasets.table.pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    with pytest.raises(
        ValueError, match=r"train\[3\]: it is not in the data set \(.*sec"
    ):
        load(f"hf:{tmp_path}/set", 8, 1)
    problem, *_ = check(f"hf:{tmp_path}/set", 8).problems
    assert "which is not opened" in problem


def state_of(folder, change):
    path = folder / "state.json"
    state = json.loads(path.read_text())
    change(state)
    path.write_text(json.dumps(state))


def outside(folder):
    name = "../data-00000-of-00002.arrow"
    shutil.copy(folder / name[3:], folder / name)
    state_of(folder, lambda state: state.update(_data_files=[{"filename": name}]))
    return re.escape(f"must name files in its folder. Received: '{name}'")


def missing(folder):
    (folder / "data-00001-of-00002.arrow").unlink()
    return r"names 'data-00001-of-00002\.arrow', which is missing"


def truncated(folder):
    path = folder / "data-00001-of-00002.arrow"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return "is missing or damaged"


def no_index(folder):
    (folder / "state.json").write_text("{}")
    return "names no files"


def no_json(folder):
    (folder / "dataset_info.json").write_text("{")
    return r"dataset_info\.json' is not JSON"


def other_columns(folder):
    """A description of columns that the files do not have."""
    path = folder / "dataset_info.json"
    path.write_text(path.read_text().replace('"image": {', '"picture": {'))
    return "is missing or damaged"


def large(folder):
    with (folder / "state.json").open("wb") as file:
        file.truncate(1 << 40)
    return "must have at most 16777216 bytes"


@pytest.mark.parametrize(
    "harm",
    [outside, missing, truncated, no_index, no_json, other_columns, large],
    ids=lambda x: x.__name__,
)
def test_faults(copy, harm):
    message = harm(copy)
    with pytest.raises(ValueError, match=message) as error:
        load(f"hf:{copy}", 8, 1)
    assert str(copy) in str(error.value)


def test_a_program_beside_the_files_is_not_run(copy, tmp_path, monkeypatch):
    (copy / "set.py").write_text("raise SystemExit('it ran')")
    assert load(f"hf:{copy}", 8, 1).num_examples == 6
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("raise SystemExit('it ran')")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(RuntimeError, match=r"could not load 'hf:evil.py'"):
        load("hf:evil.py", 8, 1)


def test_the_extra_is_named(monkeypatch, saved):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ImportError, match=r"data set needs more packages: pip install"):
        load(f"hf:{saved}/one", 8, 1)
