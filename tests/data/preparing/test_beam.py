"""What a worker of Beam does, and in an environment of its own what Beam does."""

import configparser
import subprocess
import sys

import pytest

from keras_sagan.data import loading, prepare
from keras_sagan.data.preparing import beam, journal, preparation
from keras_sagan.extras import install_command
from tests import environments
from tests.helpers import ROOT

SIZE = {
    "split": "train",
    "image_size": 16,
    "channels": 3,
    "fit": "crop",
    "cache_dir": None,
}


def test_workers_write_the_files_of_this_process(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "SHARD_PICTURES", 4)
    result = prepare(f"folder:{pictures}", tmp_path / "out", 16)
    work = tmp_path / "work"
    (work / journal.FOLDER).mkdir(parents=True)
    listed = loading.open_pictures("folder", str(pictures), "train", 16, None)
    places = [(i, 4 * i, 4 * i + 4) for i in range(5)]
    found = listed.fingerprint
    job = beam.Job(str(work), f"folder:{pictures}", fingerprint=found, **SIZE)
    for place in reversed(places):
        beam.write_shard(place, job)
    pages = journal.finished_shards(work)
    assert [page["index"] for page in pages] == list(range(5))
    assert [x for page in pages for x in page["skipped"]] == list(result.skipped)
    written = sorted((tmp_path / "out").glob("*.array_record-*"))
    assert [path.read_bytes() for path in written] == [
        journal.shard_path(work, index).read_bytes() for index, _, _ in places
    ]


def test_a_worker_that_sees_other_pictures(pictures, tmp_path):
    job = beam.Job(str(tmp_path), f"folder:{pictures}", fingerprint="another", **SIZE)
    with pytest.raises(ValueError, match="all must have the same files"):
        beam.write_shard((0, 0, 2), job)


def test_without_beam(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(ImportError, match="Apache Beam") as error:
        prepare("folder:nothing", tmp_path / "out", beam_options={})
    assert install_command("beam") in str(error.value)


@pytest.mark.slow
def test_on_beam():
    """Apache Beam 2.77 needs protobuf < 7, older than what the other tests use."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    packages = config["options.extras_require"]["beam"].split("\n")
    python = environments.python_with("beam", filter(None, packages), "apache_beam")
    checks = ROOT / "tests" / "data" / "preparing" / "beam_checks.py"
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", checks],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
