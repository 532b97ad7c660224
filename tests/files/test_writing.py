import errno
import hashlib
import os
import pathlib
import signal
import stat
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.callbacks.evaluation import Evaluation
from keras_sagan.config.presets import get_preset
from keras_sagan.data.preparing import journal
from keras_sagan.files import writing
from keras_sagan.files.writing import naming
from keras_sagan.metrics.extractors import inception_weights
from keras_sagan.metrics.moments import Moments
from keras_sagan.runs import facts, run_directory
from keras_sagan.visualize import files as pictures
from tests import helpers

PIXELS = np.zeros((4, 4, 3), np.uint8)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_in(folder):
    (folder / "part").mkdir()
    (folder / "part" / "file").write_text("new")


# === What each rule does with what is there ===


@pytest.mark.parametrize("content", ["é", "é".encode(), lambda x: x.write_text("é")])
def test_files_are_replaced(tmp_path, content):
    for _ in range(2):
        writing.replace_file(tmp_path / "x", content)
        assert (tmp_path / "x").read_bytes() == "é".encode()
    assert names(tmp_path) == ["x"]


def test_folders_are_replaced(tmp_path):
    for _ in range(2):
        writing.replace_folder(tmp_path / "x", write_in)
        (tmp_path / "x" / "old").touch()
    writing.replace_folder(str(tmp_path / "x"), write_in)
    assert names(tmp_path) == ["x"]
    assert names(tmp_path / "x") == ["part"]


@pytest.mark.parametrize("planted", ["file", "folder", "link", "dangling link"])
def test_created_files_overwrite_nothing(tmp_path, planted):
    plant(tmp_path, planted)
    before = everything(tmp_path)
    with pytest.raises(FileExistsError, match=r"x' is there already"):
        writing.create_file(tmp_path / "x", "new")
    assert everything(tmp_path) == before

    def write(new):  # while something appears
        new.write_text("new")
        plant(tmp_path / "new", planted)

    with pytest.raises(FileExistsError, match=r"x' is there already"):
        writing.create_file(tmp_path / "new" / "x", write)
    assert set(names(tmp_path / "new")) == {"else", "x"}
    assert (tmp_path / "new" / "else").read_text() == "theirs"
    writing.create_file(tmp_path / "new" / "deep" / "y", "new")
    assert (tmp_path / "new" / "deep" / "y").read_text() == "new"


def plant(folder, kind):
    """Puts something at `folder / "x"`."""
    (folder / "else").write_text("theirs")
    if kind == "file":
        (folder / "x").write_text("theirs")
    elif kind == "folder":
        (folder / "x" / "theirs").mkdir(parents=True)
    else:
        (folder / "x").symlink_to(folder / ("else" if kind == "link" else "none"))


def everything(folder):
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_created_folders_overwrite_nothing(tmp_path):
    target = tmp_path / "new" / "x"
    writing.create_folder(target, write_in)
    with pytest.raises(FileExistsError, match=r"x' is there already: .*empty folder"):
        writing.create_folder(target, pytest.fail)
    with pytest.raises(FileExistsError, match="is there already"):
        writing.create_folder(target / "part" / "file", pytest.fail)
    assert names(target) == ["part"]

    def write(folder):
        write_in(folder)
        (tmp_path / "y" / "theirs").mkdir(parents=True)

    with pytest.raises(FileExistsError, match=r"y' is there already"):
        writing.create_folder(tmp_path / "y", write)
    assert names(tmp_path) == ["new", "y"]
    assert names(tmp_path / "y") == ["theirs"]


def test_created_folders_replace_empty_ones(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    writing.create_folder(tmp_path / "link", write_in)
    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path / "disk") == ["part"]


def test_the_working_directory_stays_what_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writing.create_folder(".", write_in)
    assert os.listdir() == ["part"]


def test_devices_are_written_to(tmp_path):
    reading, writes = os.pipe()
    os.set_inheritable(writes, True)
    os.mkfifo(tmp_path / "pipe")
    writing.replace_file(f"/proc/self/fd/{writes}", "into it")
    assert os.read(reading, 100) == b"into it"
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE)
    writing.replace_file(tmp_path / "pipe", "into it")
    assert reader.communicate()[0] == b"into it"
    writing.replace_file("/dev/null", "")
    assert pathlib.Path("/dev/null").is_char_device()
    os.close(reading)
    os.close(writes)


# === Links of others ===


def download(folder):
    (folder / "from").mkdir()
    (folder / "from" / "weights").write_bytes(b"x")
    url, digest = (folder / "from" / "weights").as_uri(), hashlib.sha256(b"x")
    inception_weights.download(folder, url, digest.hexdigest())


def write_table(folder):
    evaluation = Evaluation(None, None, folder)
    evaluation.rows = [{"step": 1, "seconds": 1.0, "fid": 2.0}]
    evaluation._write_table()


def keep_metrics(folder):
    (folder / "metrics.jsonl").write_text('{"step": 1}\n')
    run_directory.keep_metrics_until(folder, 1)


def write_config(folder):
    run_directory.write_config(folder, get_preset("sagan_32").run_config())


FORMER_NAMES = [
    ("a.png.partial", lambda folder: pictures.save_picture(folder / "a.png", PIXELS)),
    ("a.gif.partial", lambda x: pictures.save_animation(x / "a.gif", [PIXELS])),
    ("a.npz.partial", lambda x: Moments.of(np.eye(3)).save(x / "a.npz")),
    (".config.json-new", write_config),
    (".metrics.jsonl-new", keep_metrics),
    (".facts.json-new", lambda folder: facts.write(folder, {})),
    (".evaluation.csv-new", write_table),
    (".journal/00000.json.partial", lambda x: journal.write_page(x, 0, {})),
    ("weights.partial-PID", download),
]


@pytest.mark.parametrize(
    ("name", "write"), FORMER_NAMES, ids=[x for x, _ in FORMER_NAMES]
)
def test_a_link_at_a_name_that_can_be_guessed(tmp_path, name, write):
    """Each writer once had a name for what was not finished, and followed the link."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    folder, name = tmp_path / "folder", name.replace("PID", str(os.getpid()))
    (folder / name).parent.mkdir(parents=True)
    (folder / name).symlink_to(precious)
    write(folder)
    assert precious.read_text() == "precious"
    assert (folder / name).is_symlink()


def test_a_link_at_the_target_is_replaced(tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "x").symlink_to("precious")
    writing.replace_file(tmp_path / "x", "new")
    assert (tmp_path / "precious").read_text() == "precious"
    assert (tmp_path / "x").read_text() == "new"
    assert not (tmp_path / "x").is_symlink()


def test_nobody_else_can_reach_what_is_not_finished(tmp_path):
    def write(new):
        private = new.parent.stat()
        assert stat.S_IMODE(private.st_mode) == 0o700
        seen.append(new)
        new.write_text("")

    seen = []
    for _ in range(5):
        writing.replace_file(tmp_path / "x", write)
    assert len(set(seen)) == 5
    assert all(path.name == "x" for path in seen)  # its ending tells a library much


# === Faults ===

RULES = [
    writing.replace_file,
    writing.replace_folder,
    writing.create_file,
    writing.create_folder,
]
IS_OF_FILES = (writing.replace_file, writing.create_file)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
def test_an_interruption_leaves_what_was_there(tmp_path, rule, error):
    def write(path):
        file = path if rule in IS_OF_FILES else path / "file"
        file.write_text("half")
        raise error

    replaces = rule in RULES[:2]
    if replaces:
        rule(tmp_path / "x", "old" if rule in IS_OF_FILES else write_in)
    before = everything(tmp_path)
    with pytest.raises(type(error)):
        rule(tmp_path / "x", write)
    assert everything(tmp_path) == before


def test_a_folder_that_cannot_be_named_leaves_the_former(tmp_path, monkeypatch):
    writing.replace_folder(tmp_path / "x", write_in)
    rename = os.rename

    def refuse(old, new):
        if old.name == new.name == "x":
            raise OSError(errno.EBUSY, "busy", str(old))
        rename(old, new)

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(OSError, match=rf"busy: '{tmp_path}/x'"):
        writing.replace_folder(tmp_path / "x", lambda folder: None)
    assert names(tmp_path) == ["x"]
    assert (tmp_path / "x" / "part" / "file").read_text() == "new"


KILLED = """
import os, pathlib, signal, sys
from keras_sagan.files import writing
def write(path):
    file = path / "file" if sys.argv[1].endswith("folder") else path
    file.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
getattr(writing, sys.argv[1])(pathlib.Path(sys.argv[2]), write)
"""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_kill_leaves_what_was_there(tmp_path, rule):
    target = tmp_path / "x"
    if rule in RULES[:2]:
        rule(target, "old" if rule in IS_OF_FILES else write_in)
    before = everything(tmp_path)
    command = [sys.executable, "-c", KILLED, rule.__name__, str(target)]
    env = {**os.environ, "PYTHONPATH": str(helpers.ROOT)}
    assert subprocess.run(command, check=False, env=env).returncode == -signal.SIGKILL
    [left] = [path for path in tmp_path.iterdir() if path != target]
    after = everything(tmp_path)
    assert {x: after[x] for x in after if left not in (x, *x.parents)} == before
    # It may be of a process that is still writing, until it is a day old.
    writing.replace_file(tmp_path / "y", "")
    assert left.exists()
    yesterday = time.time() - 25 * 60 * 60
    os.utime(left, (yesterday, yesterday))
    writing.replace_file(tmp_path / "y", "")
    assert not left.exists()


def test_what_killed_processes_left(tmp_path):
    inner = tmp_path / "samples" / f"{writing.PREFIX}a1"
    (inner / "x").mkdir(parents=True)
    link = tmp_path / f"{writing.PREFIX}b2"
    link.symlink_to(tmp_path / "samples")
    assert not writing.is_empty(tmp_path)
    assert writing.is_empty(tmp_path / "samples")
    writing.remove_unfinished(tmp_path)
    assert names(tmp_path / "samples") == []
    assert names(tmp_path) == [link.name, "samples"]  # of a link nothing is followed


@pytest.mark.parametrize("rule", RULES)
def test_a_full_disk_has_the_name_of_the_file(tmp_path, rule):
    file = tmp_path / "x" if rule in IS_OF_FILES else tmp_path / "x" / "part"

    def write(path):
        writing.write_new(path / "part", b"0" * 5000)

    with helpers.room_for(4000), pytest.raises(OSError) as caught:
        rule(tmp_path / "x", b"0" * 5000 if rule in IS_OF_FILES else write)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(file))
    assert names(tmp_path) == []


def test_no_room_for_a_library(tmp_path):
    with helpers.room_for(4000), pytest.raises(OSError, match=rf"{tmp_path}/x'"):
        writing.make_room(tmp_path / "x", 5000)
    writing.make_room(tmp_path / "y", 5000)
    assert (tmp_path / "y").stat().st_size == 5000


@pytest.mark.parametrize("rule", RULES)
def test_a_read_only_folder_has_the_name_of_the_file(rule):
    with pytest.raises(OSError) as caught:
        rule("/sys/x", "" if rule in IS_OF_FILES else write_in)
    assert caught.value.filename == "/sys/x"


# === The disk ===


@pytest.mark.parametrize("rule", RULES)
def test_everything_is_flushed_before_it_has_its_name(tmp_path, rule, monkeypatch):
    target = tmp_path / "x"
    events, fsync = [], os.fsync

    def record(descriptor):
        path = pathlib.Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        events.append((path.name, target.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    if rule in IS_OF_FILES:
        rule(target, "content")
        expected = [("x", False)]
    else:
        rule(target, write_in)
        expected = [("file", False), ("part", False), ("x", False)]
    assert sorted(set(events)) == sorted([*expected, (tmp_path.name, True)])
    assert events[-1] == (tmp_path.name, True)


def test_folders_that_are_made_are_flushed(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(writing, "flush", flushed.append)
    writing.make_folder(tmp_path / "a" / "b")
    writing.make_folder(tmp_path / "a" / "b")
    assert flushed == [tmp_path / "a", tmp_path]


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
@pytest.mark.parametrize("rule", RULES)
def test_permissions_are_those_of_any_new_file(tmp_path, rule, mask):
    before = os.umask(mask)
    try:
        rule(tmp_path / "x", "" if rule in IS_OF_FILES else write_in)
    finally:
        os.umask(before)
    most = 0o666 if rule in IS_OF_FILES else 0o777
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == most & ~mask
    for path in tmp_path.rglob("file"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_two_writers_and_a_reader(tmp_path):
    def write(letter):
        while time.monotonic() < end:
            writing.replace_file(tmp_path / "x", letter * 300_000)

    writing.replace_file(tmp_path / "x", "a" * 300_000)
    end = time.monotonic() + 1
    threads = [threading.Thread(target=write, args=(x,)) for x in "abcd"]
    for thread in threads:
        thread.start()
    seen = set()
    while any(thread.is_alive() for thread in threads):
        content = (tmp_path / "x").read_text()
        assert len(content) == 300_000
        seen.add("".join(sorted(set(content))))
    assert seen <= set("abcd") and len(seen) > 1
    assert names(tmp_path) == ["x"]


def test_one_of_many_creates_it(tmp_path):
    barrier = threading.Barrier(8)
    outcomes = []

    def write(path):
        path.write_text(threading.current_thread().name)
        barrier.wait()

    def create():
        try:
            writing.create_file(tmp_path / "x", write)
            outcomes.append(threading.current_thread().name)
        except FileExistsError:
            outcomes.append(None)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [winner] = [outcome for outcome in outcomes if outcome]
    assert (tmp_path / "x").read_text() == winner
    assert len(outcomes) == 8


# === Moving and removing ===


def test_a_folder_is_removed_at_once(tmp_path, monkeypatch):
    (tmp_path / "x").mkdir()
    write_in(tmp_path / "x")
    writing.remove_folder(tmp_path / "x")
    assert names(tmp_path) == []
    with pytest.raises(FileNotFoundError) as caught:
        writing.remove_folder(tmp_path / "x")
    assert caught.value.filename == str(tmp_path / "x")


def test_names_aside(tmp_path):
    for number in (1, 2):
        (tmp_path / "x").mkdir()
        assert writing.rename_aside(tmp_path / "x").name == f"aside-{number}-x"
    assert names(tmp_path) == ["aside-1-x", "aside-2-x"]


# === Names in errors ===


def test_a_full_disk_has_a_name():
    with pytest.raises(OSError, match="No space left") as caught:
        with naming("/dev/full"), open("/dev/full", "w") as file:
            file.write("x")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, "/dev/full")


def test_names_stay(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, naming("other"):
        open(tmp_path / "missing")
    assert caught.value.filename == str(tmp_path / "missing")


def test_errors_of_tensorflow(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"logs") as caught, naming("logs"):
        tf.summary.create_file_writer(str(tmp_path / "file" / "x")).init()
    assert caught.value.filename == "logs"


@pytest.mark.parametrize("error", [ValueError("x"), FileExistsError("a sentence")])
def test_others_pass(error):
    with pytest.raises(type(error)) as caught, naming("x"):
        raise error
    assert caught.value is error
