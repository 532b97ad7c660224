import json
import os

import pytest

from keras_sagan import data
from keras_sagan.training import run_facts


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
        "diversity": 12.346,
    }
    assert str(picture_folder) in facts["data"]["name"]
    machine = facts["machine"]
    assert machine["cores"] == os.cpu_count()
    assert machine["memory_gib"] > 0.5
    assert machine["processor"] and machine["system"].startswith("Linux")
    assert machine["devices"] == ["CPU:0"]


def test_a_full_disk_has_a_name(tmp_path):
    (tmp_path / f".{run_facts.FILE}-new").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        run_facts.write(tmp_path, {})
    assert caught.value.filename == str(tmp_path / run_facts.FILE)
