import json
import os

import numpy as np
import pytest
from PIL import Image

from keras_sagan import data
from keras_sagan.data.source import Examples, Source
from keras_sagan.runs import facts as run_facts
from keras_sagan.runs import reading
from tests import helpers


def test_facts_of_data_and_machine(picture_folder, tmp_path):
    source = data.load(f"folder:{picture_folder}", image_size=32, batch_size=4)
    run_facts.write(tmp_path, run_facts.describe(source, 12.3456))
    [path] = tmp_path.iterdir()
    facts = json.loads(path.read_text())
    assert facts["data"] | {"name": ""} == {
        "name": "",
        "split": "train",
        "images": 16,
        "image_size": 32,
        "channels": 3,
        "class_names": ["blue", "red"],
        "class_counts": [8, 8],
        "content": run_facts.content(source),
        "diversity": 12.346,
    }
    assert str(picture_folder) in facts["data"]["name"]
    machine = facts["machine"]
    assert machine["cores"] == os.cpu_count()
    assert machine["memory_gib"] > 0.5
    assert machine["processor"] and machine["system"].startswith("Linux")
    assert machine["devices"] == ["CPU:0"]


def test_other_data_than_before(make_pictures, tmp_path):
    def load(*names):
        return data.load(f"folder:{make_pictures(*names)}", 32, 1)

    first = load("cat/1.png", "dog/2.png")
    run_facts.check_same_data(tmp_path, first)  # of a run without facts
    run_facts.write(tmp_path, run_facts.describe(first, 1.0))
    run_facts.check_same_data(tmp_path, load("cat/1.png", "dog/2.png"))
    for names in [("cat/1.png", "dog/2.png", "dog/3.png"), ("cat/1.png", "dog/9.png")]:
        with pytest.warns(
            UserWarning, match=r"are not those with which the run .* was started"
        ):
            run_facts.check_same_data(tmp_path, load(*names))
    with pytest.raises(ValueError, match=r"\['cat', 'dog'\]; now .*\['dog', 'zebra'\]"):
        run_facts.check_same_data(tmp_path, load("zebra/1.png", "dog/2.png"))
    with pytest.raises(ValueError, match=r"\['cat', 'dog'\]; now .* has None"):
        run_facts.check_same_data(tmp_path, load("1.png", "2.png"))


@pytest.fixture
def make_pictures(tmp_path_factory):
    """Makes a folder of pictures, each of the colour that its file's name says."""

    def make(*names):
        root = tmp_path_factory.mktemp("pictures")
        for name in names:
            (root / name).parent.mkdir(exist_ok=True)
            shade = 20 * int((root / name).stem)
            Image.new("RGB", (32, 32), (shade, 0, 0)).save(root / name)
        return root

    return make


def test_a_full_disk_has_a_name(tmp_path):
    with helpers.room_for(1), pytest.raises(OSError, match="too large") as caught:
        run_facts.write(tmp_path, {})
    assert caught.value.filename == str(tmp_path / reading.FACTS)


def test_a_run_keeps_the_order_of_its_classes(tmp_path):
    """Class folders were once sorted as text: "0", "1", "10", "2"."""
    images = np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1)
    texts, numbers = ("0", "1", "10", "2"), ("0", "1", "2", "10")
    row = {name: images[i] for i, name in enumerate(texts)}

    def source_of(names):
        examples = Examples(
            np.stack([row[name] for name in names]), np.arange(4, dtype=np.int32), names
        )
        return Source("folder:x", "train", 1, 0, examples)

    before, now = source_of(texts), source_of(numbers)
    run_facts.write(tmp_path, run_facts.describe(before, 0.0))
    found = run_facts.in_run_order(tmp_path, now)
    assert found.class_names == texts
    for ours, theirs in zip(found.arrays(), before.arrays(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    run_facts.check_same_data(tmp_path, found)  # no warning
    assert run_facts.in_run_order(tmp_path / "another", now) is now
