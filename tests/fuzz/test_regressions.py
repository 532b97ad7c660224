"""Files that once led to something else than an explanation."""

import pathlib
import time

import pytest

from tests.fuzz import targets

FILES = sorted((pathlib.Path(__file__).parent / "regressions").glob("*/*"))


@pytest.mark.parametrize("path", FILES, ids=lambda x: f"{x.parent.name}-{x.name}")
def test_it_is_read_or_refused_with_a_reason(path, tmp_path):
    begin = time.process_time()
    targets.check(path.parent.name, tmp_path, path.read_bytes())
    assert time.process_time() - begin < 5


def test_every_target_has_a_good_file(tmp_path):
    for target in targets.TARGETS:
        (tmp_path / target).mkdir()
        good = [
            targets.check(target, tmp_path / target, data)
            for data in targets.seeds(target, tmp_path / target)
        ]
        assert any(good), target


def test_a_defect_is_noticed(tmp_path, monkeypatch):
    def bad(place, data):
        raise KeyError("x")

    monkeypatch.setitem(targets.TARGETS, "config", (bad, "config.json"))
    with pytest.raises(targets.Defect, match="KeyError"):
        targets.check("config", tmp_path, b"")

    def unexplained(place, data):
        raise ValueError("no")

    monkeypatch.setitem(targets.TARGETS, "config", (unexplained, "config.json"))
    with pytest.raises(targets.Defect, match=r"config\.json"):
        targets.check("config", tmp_path, b"")
