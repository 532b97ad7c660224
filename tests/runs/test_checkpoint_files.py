import json
import os
import pathlib
import shutil

import numpy as np
import pytest

from keras_sagan.files import writing
from keras_sagan.runs import checkpoint_files as files
from keras_sagan.runs.checkpoint_files import Checkpoint, CheckpointError
from tests import helpers


def checkpoint(step, **details):
    arrays = {
        "model/0000/kernel": np.arange(12, dtype=np.float32).reshape(3, 4) + step,
        "optimizer/0000/iterations": np.int64(step),
    }
    return Checkpoint(step, arrays, details)


@pytest.fixture
def folder(tmp_path):
    """Checkpoints of steps 5, 10 and 15."""
    for step in (5, 10, 15):
        files.write(tmp_path / "all", checkpoint(step, seconds=step / 4))
    return tmp_path / "all"


def test_round_trip(folder):
    found = files.read(folder, 10)
    assert (found.step, found.details) == (10, {"seconds": 2.5})
    assert list(found.arrays) == list(checkpoint(10).arrays)
    for name, array in checkpoint(10).arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].dtype == array.dtype


def test_none_yet(tmp_path):
    assert files.steps(tmp_path / "all") == []
    assert files.read_newest(tmp_path / "all") is None


def test_steps_in_order(folder):
    files.write(folder, checkpoint(12345678))
    assert files.steps(folder) == [5, 10, 15, 12345678]
    (folder / "0000020").write_text("a file in the way of a checkpoint")
    assert files.steps(folder) == [5, 10, 15, 12345678]


def test_a_checkpoint_is_not_written_twice(folder):
    path = files.path_of(folder, 5)
    before = (path / files.STATE).stat().st_mtime_ns
    assert files.write(folder, checkpoint(5, other=True)) == path
    assert (path / files.STATE).stat().st_mtime_ns == before


def test_old_and_unfinished_ones_are_removed(folder):
    (folder / f"{writing.PREFIX}x1").mkdir()
    (folder / "notes").mkdir()
    files.remove_old(folder, keep=2)
    assert sorted(x.name for x in folder.iterdir()) == ["0000010", "0000015", "notes"]


def test_newer_ones_are_set_aside(folder):
    for _ in range(2):
        moved = files.set_aside(folder, after=10)
        files.write(folder, checkpoint(15))
    assert [x.name for x in moved] == ["aside-2-0000015"]
    assert files.steps(folder) == [5, 10, 15]
    assert (folder / "aside-1-0000015" / files.STATE).is_file()


# === Damage ===


def truncate(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def grow(path):
    path.write_bytes(path.read_bytes() + b"\0" * (1 << 21))


@pytest.mark.parametrize("name", [files.STATE, files.MANIFEST])
@pytest.mark.parametrize("damage", [truncate, flip_a_bit, grow, pathlib.Path.unlink])
def test_the_newest_one_is_damaged(folder, name, damage):
    damage(files.path_of(folder, 15) / name)
    with pytest.raises(CheckpointError, match=rf"0000015/{name}'"):
        files.read(folder, 15)
    with pytest.warns(UserWarning) as warned:
        assert files.read_newest(folder).step == 10
    [message] = [str(w.message) for w in warned]
    assert "0000015" in message and "0000010' instead" in message


def test_every_bit_of_the_manifest_counts(folder):
    path = files.path_of(folder, 15) / files.MANIFEST
    whole = path.read_bytes()
    unnoticed = 0
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        try:
            found = files.read(folder, 15)
        except CheckpointError:
            continue
        unnoticed += 1  # white space
        assert found.details == {"seconds": 3.75}
    assert unnoticed < len(whole) // 4


def test_all_damaged(folder):
    for step in (5, 10, 15):
        truncate(files.path_of(folder, step) / files.STATE)
    with pytest.raises(CheckpointError, match=r"No checkpoint in .* can be used"):
        files.read_newest(folder)


def test_a_folder_under_a_wrong_name(folder):
    shutil.copytree(files.path_of(folder, 5), files.path_of(folder, 20))
    with pytest.raises(CheckpointError, match="holds step 5 instead"):
        files.read(folder, 20)


def test_another_format(folder):
    folder_of_step = files.path_of(folder, 5)
    body = json.loads((folder_of_step / files.MANIFEST).read_text())
    body["format"] = 2
    del body["sha256"]
    body["sha256"] = files._digest_of(body)
    (folder_of_step / files.MANIFEST).write_text(json.dumps(body))
    with pytest.raises(CheckpointError, match="another version"):
        files.read(folder, 5)


class Bomb:
    """Writes a file when it is unpickled."""

    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path("exploded"),))


def test_pickles_do_not_run(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bomb = Checkpoint(20, {"x": np.array([Bomb()], dtype=object)}, {})
    files.write(folder, bomb)  # with checksums that fit
    with pytest.raises(CheckpointError, match="it holds Python objects"):
        files.read(folder, 20)
    assert not pathlib.Path("exploded").exists()


# === Faults while writing ===


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("room", [100, 600])  # less than the arrays, the manifest
def test_no_room(folder, room):
    before = names(folder)
    with (
        helpers.room_for(room),
        pytest.raises(OSError, match=r"File too large: .*/all/0000020"),
    ):
        files.write(folder, checkpoint(20, text="x" * 600))
    assert names(folder) == before
    assert files.read_newest(folder).step == 15


def test_a_rename_that_fails(folder, monkeypatch):
    def fail(old, new):
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(OSError, match="Stale"):
        files.write(folder, checkpoint(20))
    assert names(folder) == ["0000005", "0000010", "0000015"]


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "all").write_text("")
    with pytest.raises(OSError):
        files.write(tmp_path / "all", checkpoint(20))
