import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_sagan.data import load
from keras_sagan.data.sources import embedded, glyphs

# Prints digests of the stream's first batches and of later ones.
STREAM = """
import hashlib, sys
from keras_sagan.data import load
source = load("glyphs", image_size=8, batch_size=64, seed=3, cache_dir=sys.argv[1])
for start in (0, 9_999):
    digest = hashlib.sha256()
    for images, labels in source.stream(start).take(5).as_numpy_iterator():
        digest.update(images.tobytes() + labels.tobytes())
    print(digest.hexdigest())
"""


def start_process(directory):
    return subprocess.Popen(
        [sys.executable, "-c", STREAM, str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process):
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output.splitlines()


def test_it_is_a_tfds_data_set(cache_dir):
    builder = embedded.prepared_builder("glyphs", 8, cache_dir)
    directory = pathlib.Path(cache_dir) / "keras_sagan_glyphs" / "8px" / "1.0.0"
    assert list(directory.glob("*.tfrecord-*"))
    counts = {name: split.num_examples for name, split in builder.info.splits.items()}
    assert counts == {"train": 10_000, "test": 2_000}
    assert builder.info.features["label"].names == list("0123456789")
    data = tfds.load("keras_sagan_glyphs/8px", split="test", data_dir=cache_dir)
    example = next(iter(data))
    assert example["image"].shape == (8, 8, 3)


def test_files_hold_what_is_drawn(cache_dir):
    images, labels = load("glyphs", 8, split="test", cache_dir=cache_dir).arrays()
    for index in (0, 1, 777, 1999):
        image, label = glyphs.render("test", index, 8)
        np.testing.assert_array_equal(images[index], image)
        assert labels[index] == label
    assert np.bincount(labels).tolist() == [200] * 10


def test_files_are_drawn_once(cache_dir, capfd):
    embedded.prepared_builder("glyphs", 8, cache_dir)
    capfd.readouterr()
    embedded.prepared_builder("glyphs", 8, cache_dir)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_no_bars_where_there_is_no_terminal(tmp_path):
    process = start_process(tmp_path)
    errors = process.communicate()[1]
    assert "drawing keras_sagan_glyphs at 8 px" in errors
    assert not set("\r%") & set(errors)


@pytest.mark.slow
@pytest.mark.distributed
def test_two_processes_draw_at_once_and_stream_alike(tmp_path):
    processes = [start_process(tmp_path) for _ in range(2)]
    first, second = [finish(process) for process in processes]
    assert len(first) == 2
    assert first == second
    glyph_folder = tmp_path / "keras_sagan_glyphs" / "8px"
    assert os.listdir(glyph_folder) == ["1.0.0"]


@pytest.mark.slow
@pytest.mark.chaos
def test_a_killed_build_and_a_damaged_directory_are_replaced(tmp_path):
    process = start_process(tmp_path)
    glyph_folder = tmp_path / "keras_sagan_glyphs" / "8px"
    deadline = time.monotonic() + 60
    while not list(glyph_folder.glob("incomplete.*/*")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    directory = glyph_folder / "1.0.0"
    assert not directory.exists()
    directory.mkdir()
    (directory / "keras_sagan_glyphs-train.tfrecord-00000-of-00001").write_text("half")
    assert load("glyphs", 8, cache_dir=str(tmp_path)).num_examples == 10_000


def test_a_directory_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        load("glyphs", 8, cache_dir=str(tmp_path / "file"))
