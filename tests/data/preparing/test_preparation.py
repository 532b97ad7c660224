import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from keras_sagan.data import check, decoding, load, prepare
from keras_sagan.data.preparing import preparation, shard_files
from tests import helpers


def noise(path, seed, size=(40, 30)):
    values = np.random.default_rng(seed).integers(
        0, 256, (size[1], size[0], 3), np.uint8
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


@pytest.fixture
def pictures(tmp_path):
    """Twelve pictures of two classes."""
    for i in range(12):
        noise(tmp_path / "in" / "ab"[i % 2] / f"{i:02}.png", i)
    return tmp_path / "in"


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(preparation, "SHARD_PICTURES", 5)
    monkeypatch.setattr(decoding, "_CHUNK", 1)


def test_it_holds_what_load_would_decode(pictures, tmp_path):
    name = f"folder:{pictures}"
    result = prepare(name, tmp_path / "out", image_size=16, fit="pad")
    assert (result.written, result.skipped) == (12, ())
    assert (result.shards, result.resumed) == (3, 0)
    prepared = load(f"tfds:{tmp_path}/out", 16, 4)
    direct = load(name, 16, 4, fit="pad")
    for a, b in zip(prepared.arrays(), direct.arrays(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert prepared.class_names == direct.class_names
    assert not (tmp_path / "out.incomplete").exists()


def test_tfds_itself_reads_it(pictures, tmp_path):
    prepare(f"folder:{pictures}", tmp_path / "out", image_size=16)
    builder = tfds.builder_from_directory(tmp_path / "out")
    assert builder.info.splits["train"].shard_lengths == [5, 5, 2]
    assert builder.info.features["label"].names == ["a", "b"]
    labels = [int(e["label"]) for e in builder.as_data_source(split="train[3:]")]
    assert len(labels) == 9
    report = json.loads((tmp_path / "out" / "prepare_report.json").read_text())
    assert (report["written"], report["image_size"], report["fit"]) == (12, 16, "crop")


@pytest.mark.parametrize(
    ("arrays", "channels"),
    [({"images": (6, 20, 20)}, 1), ({"images": (6, 20, 20, 4)}, 4)],
)
def test_unlabelled_arrays_of_other_channels(arrays, channels, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, arrays["images"], np.uint8)
    np.savez(tmp_path / "x.npz", images=images)
    prepare(f"npz:{tmp_path}/x.npz", tmp_path / "out", image_size=8)
    source = load(f"tfds:{tmp_path}/out", 8, 2)
    assert (source.channels, source.class_names) == (channels, None)
    direct = load(f"npz:{tmp_path}/x.npz", 8, 2)
    np.testing.assert_array_equal(source.arrays()[0], direct.arrays()[0])


def test_a_slice_of_a_tfds_data_set(pictures, tmp_path):
    prepare(f"folder:{pictures}", tmp_path / "one", image_size=16)
    prepare(f"tfds:{tmp_path}/one", tmp_path / "two", image_size=8, split="train[2:9]")
    source = load(f"tfds:{tmp_path}/two", 8, 1)
    direct = load(f"tfds:{tmp_path}/one", 8, 1, split="train[2:9]")
    for a, b in zip(source.arrays(), direct.arrays(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_an_embedded_set(cache_dir, tmp_path):
    arguments = {"image_size": 8, "split": "test[:30]", "cache_dir": cache_dir}
    prepare("glyphs", tmp_path / "out", **arguments)
    direct = load("glyphs", batch_size=1, **arguments).arrays()
    for a, b in zip(load(f"tfds:{tmp_path}/out", 8, 1).arrays(), direct, strict=True):
        np.testing.assert_array_equal(a, b)


def test_broken_pictures_are_left_out_and_named(pictures, tmp_path):
    for name in ("a/00.png", "b/05.png"):
        (pictures / name).write_text("no picture")
    for i in range(5):  # a shard of nothing but
        (pictures / "b" / f"9{i}.png").write_text("no picture")
    result = prepare(f"folder:{pictures}", tmp_path / "out", image_size=16)
    assert result.written == 10
    assert len(result.skipped) == 7
    assert f"cannot read picture {pictures}/a/00.png" in result.skipped[0]
    source = load(f"tfds:{tmp_path}/out", 16, 2)
    assert source.class_counts == (5, 5)
    report = json.loads((tmp_path / "out" / "prepare_report.json").read_text())
    assert report["skipped"] == list(result.skipped)


def test_strict_stops(pictures, tmp_path):
    (pictures / "b" / "05.png").write_text("no picture")
    with pytest.raises(ValueError, match=f"cannot read picture {pictures}/b/05"):
        prepare(f"folder:{pictures}", tmp_path / "out", image_size=16, strict=True)
    assert not (tmp_path / "out").exists()


def test_strict_after_a_repair(pictures, tmp_path):
    """The same command again, once the file that it named is gone."""
    (pictures / "b" / "05.png").write_text("no picture")
    arguments = (f"folder:{pictures}", tmp_path / "out", 16)
    with pytest.raises(ValueError, match="05"):
        prepare(*arguments, strict=True)
    (pictures / "b" / "05.png").unlink()
    assert prepare(*arguments, strict=True).written == 11


def test_classes_without_a_readable_picture_are_named(pictures, tmp_path):
    (pictures / "c").mkdir()
    (pictures / "c" / "1.png").write_text("no picture")
    result = prepare(f"folder:{pictures}", tmp_path / "out", image_size=16)
    assert result.empty_classes == ("c",)
    assert load(f"tfds:{tmp_path}/out", 16, 2).class_counts == (6, 6, 0)
    report = check(f"folder:{pictures}", 16)
    assert report.class_counts == {"a": 6, "b": 6, "c": 0}
    assert "1 classes have no examples: c" in report.problems


def test_nothing_readable(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.png").write_text("x")
    with pytest.raises(ValueError, match=r"none of the 1 pictures.*1\.png"):
        prepare(f"folder:{tmp_path}/in", tmp_path / "out")
    assert os.listdir(tmp_path) == ["in"]


def test_an_output_in_use(pictures, tmp_path):
    (tmp_path / "out").mkdir()
    prepare(f"folder:{pictures}", tmp_path / "out", image_size=16)
    with pytest.raises(FileExistsError, match="new or empty"):
        prepare(f"folder:{pictures}", tmp_path / "out", image_size=16)
    (tmp_path / "three.incomplete").mkdir()
    (tmp_path / "three.incomplete" / "mine").write_text("")
    with pytest.raises(FileExistsError, match="in the way"):
        prepare(f"folder:{pictures}", tmp_path / "three", image_size=16)


def test_problems_of_the_data(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError, match="no pictures"):
        prepare(f"folder:{tmp_path}/in", tmp_path / "out")
    with pytest.raises(ValueError, match="fit='stretch'"):
        prepare(f"folder:{tmp_path}/in", tmp_path / "out", fit="stretch")


def test_a_prepared_directory_is_no_folder_of_pictures(pictures, tmp_path):
    prepare(f"folder:{pictures}", tmp_path / "out", image_size=16)
    with pytest.raises(ValueError, match=f"use 'tfds:{tmp_path}/out'"):
        load(f"folder:{tmp_path}/out")


# === Interrupted ===
def interrupt(pictures, output, monkeypatch):
    """A preparation that ends at the eighth picture, in the second shard."""
    original = shard_files.png
    eighth = load(f"folder:{pictures}", 16, 1).arrays()[0][7]

    def png(array):
        if np.array_equal(array, eighth):
            raise KeyboardInterrupt
        return original(array)

    monkeypatch.setattr(shard_files, "png", png)
    with pytest.raises(KeyboardInterrupt):
        prepare(f"folder:{pictures}", output, image_size=16)
    monkeypatch.setattr(shard_files, "png", original)


def test_it_continues_where_it_was(pictures, tmp_path, monkeypatch):
    prepare(f"folder:{pictures}", tmp_path / "whole", image_size=16)
    interrupt(pictures, tmp_path / "out", monkeypatch)
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="was interrupted, run the same"):
        load(f"tfds:{tmp_path}/out.incomplete")
    result = prepare(f"folder:{pictures}", tmp_path / "out", image_size=16)
    assert (result.written, result.resumed) == (12, 1)
    for name in os.listdir(tmp_path / "whole"):
        if "array_record" in name or name == "index.npz":
            whole = (tmp_path / "whole" / name).read_bytes()
            assert (tmp_path / "out" / name).read_bytes() == whole


@pytest.mark.parametrize("broken", ["a/00.png", "b/05.png"])
def test_strict_does_not_pass_what_an_earlier_call_left_out(
    pictures, tmp_path, monkeypatch, broken
):
    """Nor does it remove what that call finished, before or after the broken one."""
    (pictures / broken).write_text("no picture")
    arguments = (f"folder:{pictures}", tmp_path / "out", 16)
    original = preparation._write_shard

    def write(work, index, *rest):
        if index == 1:
            raise KeyboardInterrupt
        return original(work, index, *rest)

    monkeypatch.setattr(preparation, "_write_shard", write)
    with pytest.raises(KeyboardInterrupt):
        prepare(*arguments)
    monkeypatch.setattr(preparation, "_write_shard", original)
    with pytest.raises(ValueError, match=broken) as error:
        prepare(*arguments, strict=True)
    result = prepare(*arguments)
    assert (result.resumed, result.written, len(result.skipped)) == (1, 11, 1)
    assert "Without `strict`, the same call continues" in str(error.value)


def test_what_is_done_stays_when_the_source_fails_for_a_moment(
    pictures, tmp_path, monkeypatch
):
    """Damaged or unreachable TFDS records are a `ValueError` too."""
    arguments = (f"folder:{pictures}", tmp_path / "out", 16)
    original = preparation._write_shard

    def write(work, index, *rest):
        if index == 1:
            raise ValueError("the records cannot be read")
        return original(work, index, *rest)

    monkeypatch.setattr(preparation, "_write_shard", write)
    for strict in (False, True):
        with pytest.raises(ValueError, match="the records"):
            prepare(*arguments, strict=strict)
    monkeypatch.setattr(preparation, "_write_shard", original)
    assert prepare(*arguments).resumed == 1


def test_a_disk_that_is_full(pictures, tmp_path):
    """The writer of records says so when it is closed, and not before."""
    prepare(f"folder:{pictures}", tmp_path / "whole", image_size=16)
    arguments = (f"folder:{pictures}", tmp_path / "out", 16)
    with (
        helpers.room_for(100_000),  # a file of records has more
        pytest.raises(OSError, match=r"out\.incomplete/shard-00000 cannot be written"),
    ):
        prepare(*arguments)
    assert not (tmp_path / "out").exists()
    assert prepare(*arguments).resumed == 0
    for path in (tmp_path / "whole").iterdir():
        if path.name != preparation.REPORT:
            assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


def test_large_sets_have_larger_shards(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "SHARD_PICTURES", 1)
    monkeypatch.setattr(preparation, "MOST_SHARDS", 5)
    assert prepare(f"folder:{pictures}", tmp_path / "out", 16).shards == 4
    source = load(f"tfds:{tmp_path}/out", 16, 1)
    direct = load(f"folder:{pictures}", 16, 1)
    np.testing.assert_array_equal(source.arrays()[0], direct.arrays()[0])


def empty_journal(work):
    shutil.rmtree(work / ".journal")
    (work / ".journal").mkdir()
    for path in work.glob("shard-*"):
        path.unlink()


def truncated_shard(work):
    path = work / "shard-00000"
    path.write_bytes(path.read_bytes()[:-5])


def empty_page(work):
    (work / ".journal" / "00000.json").write_text("")


@pytest.mark.parametrize(
    "harm", [empty_journal, truncated_shard, empty_page], ids=lambda f: f.__name__
)
def test_what_a_power_failure_may_leave(pictures, tmp_path, monkeypatch, harm):
    interrupt(pictures, tmp_path / "out", monkeypatch)
    harm(tmp_path / "out.incomplete")
    result = prepare(f"folder:{pictures}", tmp_path / "out", image_size=16)
    assert (result.written, result.resumed) == (12, 0)
    prepared = load(f"tfds:{tmp_path}/out", 16, 1).arrays()[0]
    np.testing.assert_array_equal(
        prepared, load(f"folder:{pictures}", 16, 1).arrays()[0]
    )


def test_the_same_folder_by_another_name(pictures, tmp_path, monkeypatch):
    interrupt(pictures, tmp_path / "out", monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert prepare("folder:./in/", tmp_path / "out", image_size=16).resumed == 1


@pytest.mark.parametrize("change", ["size", "picture"])
def test_it_does_not_continue_something_else(pictures, tmp_path, monkeypatch, change):
    interrupt(pictures, tmp_path / "out", monkeypatch)
    if change == "picture":
        noise(pictures / "a" / "00.png", 99, (50, 50))
    size = 8 if change == "size" else 16
    with pytest.raises(FileExistsError, match="something else, or the pictures have"):
        prepare(f"folder:{pictures}", tmp_path / "out", image_size=size)


PROGRAM = """
import sys
from keras_sagan.data.preparing import preparation, shard_files
preparation.SHARD_PICTURES = 20
preparation.prepare(sys.argv[1], sys.argv[2], image_size=32)
"""


@pytest.mark.chaos
@pytest.mark.slow
def test_killed_at_any_moment(tmp_path):
    """SIGKILL again and again: the result is what one run would have made."""
    for i in range(100):
        noise(tmp_path / "in" / f"{i:03}.png", i, (300, 300))
    command = [sys.executable, "-c", PROGRAM, f"folder:{tmp_path}/in"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True)
    output = tmp_path / "out"
    for round_ in range(40):
        process = subprocess.Popen([*command, str(output)], start_new_session=True)
        journal = tmp_path / "out.incomplete" / ".journal"
        pages = len(list(journal.glob("0*.json"))) if journal.exists() else 0
        while process.poll() is None:
            now = len(list(journal.glob("0*.json"))) if journal.exists() else 0
            if now > pages + round_ % 3:
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.002)
        if process.returncode == 0:
            break
    assert round_ > 1
    for name in os.listdir(tmp_path / "whole"):
        if "array_record" in name or name == "index.npz":
            whole = (tmp_path / "whole" / name).read_bytes()
            assert (output / name).read_bytes() == whole
    assert load(f"tfds:{output}", 32, 1).num_examples == 100
    shutil.rmtree(output)


def test_a_link_to_an_empty_directory(pictures, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to("disk")
    prepare(f"folder:{pictures}", tmp_path / "out", 16)
    assert (tmp_path / "out").is_symlink()
    assert load(f"tfds:{tmp_path / 'out'}", 16, 1).num_examples == 12


def test_the_directory_one_is_in(pictures, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(FileExistsError, match=r"a new directory inside it.*'\.'"):
        prepare(f"folder:{pictures}", ".", 16)
    prepare(f"folder:{pictures}", "new", 16)
    assert load("tfds:new", 16, 1).num_examples == 12
