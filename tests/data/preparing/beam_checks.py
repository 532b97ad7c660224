"""Preparing on Beam's own runner, for an environment that has it: see `test_beam`."""

import json
import os

import pytest

from keras_sagan.data import prepare
from keras_sagan.data.preparing import beam, journal, preparation
from tests.data.preparing.test_beam import SIZE

THREADS = {
    "runner": "DirectRunner",
    "direct_num_workers": 2,
    "direct_running_mode": "multi_threading",
}


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(preparation, "SHARD_PICTURES", 4)


def contents(folder):
    """The content of each file, by its name; of the report without its output."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    report = json.loads(files.pop(preparation.REPORT))
    del report["output"]
    return files, report


def test_the_files_are_those_of_this_process(pictures, tmp_path, small_shards):
    name = f"folder:{pictures}"
    local = prepare(name, tmp_path / "local", 16, fit="pad")
    spread = prepare(name, tmp_path / "spread", 16, fit="pad", beam_options=THREADS)
    assert (spread.written, spread.shards, spread.resumed) == (17, 5, 0)
    assert len(spread.skipped) == 3 and spread.skipped == local.skipped
    assert contents(tmp_path / "spread") == contents(tmp_path / "local")


def test_what_is_done_is_not_done_again(pictures, tmp_path, small_shards, monkeypatch):
    """Strict is noticed at the end; the files are there for a call without it."""
    arguments = (f"folder:{pictures}", tmp_path / "out", 16)
    with pytest.raises(ValueError, match=r"cannot read picture .* still in"):
        prepare(*arguments, strict=True, beam_options=THREADS)
    work = tmp_path / "out.incomplete"
    for index in (1, 3):  # as if other workers had been killed
        journal.shard_path(work, index).unlink()
        (work / journal.FOLDER / f"{index:05}.json").unlink()
    written = []
    original = beam.journal.write_page

    def note(work, index, facts):
        written.append(index)
        return original(work, index, facts)

    monkeypatch.setattr(journal, "write_page", note)
    result = prepare(*arguments, beam_options=THREADS)
    assert (sorted(written), result.resumed, result.written) == ([1, 3], 3, 17)


def test_a_worker_that_fails(pictures, tmp_path):
    job = beam.Job(str(tmp_path), f"folder:{pictures}", fingerprint="another", **SIZE)
    with pytest.raises(RuntimeError, match="worker finds other pictures") as error:
        beam.write_shards(beam.open_pipeline(THREADS), [(0, 0, 2)], job)
    assert f"complete are in {tmp_path}" in str(error.value)
    assert sorted(os.listdir(tmp_path)) == ["in"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runner": "DirectRuner"}, "DirectRuner"),
        ({"direct_num_worker": 4}, "no option.*Did you mean 'direct_num_workers'"),
        ({"direct_num_workers": "many"}, "many"),
    ],
)
def test_options_that_beam_does_not_know(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        prepare("folder:nothing", tmp_path / "out", beam_options=options)


def test_several_processes(pictures, tmp_path, small_shards):
    name = f"folder:{pictures}"
    prepare(name, tmp_path / "local", 16)
    options = {**THREADS, "direct_running_mode": "multi_processing"}
    prepare(name, tmp_path / "spread", 16, beam_options=options)
    assert contents(tmp_path / "spread") == contents(tmp_path / "local")
