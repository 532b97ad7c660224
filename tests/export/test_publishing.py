import threading

import pytest

from keras_sagan.export import publishing


def _write(folder):
    (folder / "saved_model.pb").write_text("x")


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_next_version(tmp_path):
    assert publishing.next_version(tmp_path / "none").name == "1"
    for name in ("2", "10", "notes", ".11.partial"):
        (tmp_path / name).mkdir()
    assert publishing.next_version(tmp_path) == tmp_path / "11"


def test_a_version_is_seen_when_it_is_complete(tmp_path):
    base = tmp_path / "models" / "mine"

    def write(folder):
        _write(folder)
        # What a server that watches `base` sees meanwhile.
        seen.extend(name for name in _names(base) if name.isdecimal())

    seen = []
    assert publishing.publish_version(write, base) == base / "1"
    assert seen == []
    assert publishing.publish_version(write, base) == base / "2"
    assert seen == ["1"]
    assert _names(base) == ["1", "2"]
    assert _names(base / "2") == ["saved_model.pb"]
    assert (base / "2").stat().st_mode & 0o055 == 0o055  # a server may be someone else


def test_a_failure_leaves_nothing(tmp_path):
    def write(folder):
        _write(folder)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        publishing.publish_version(write, tmp_path)
    assert _names(tmp_path) == []


def test_exports_at_once_get_a_number_each(tmp_path):
    barrier = threading.Barrier(4)

    def write(folder):
        (folder / "saved_model.pb").write_text(threading.current_thread().name)
        barrier.wait()  # all of them rename at the same moment

    threads = [
        threading.Thread(target=publishing.publish_version, args=(write, tmp_path))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _names(tmp_path) == ["1", "2", "3", "4"]
    written = {(tmp_path / x / "saved_model.pb").read_text() for x in _names(tmp_path)}
    assert written == {thread.name for thread in threads}
