import pytest

from keras_sagan.data.preparing import journal
from keras_sagan.data.preparing.journal import working_directory

STATE = {"source": "folder:/a", "size": 16}


def write_shard(work, index, records=3):
    journal.shard_path(work, index).write_bytes(bytes(10 * records))
    journal.write_page(work, index, {"count": records, "size": 10 * records})


def test_one_process_at_a_time(tmp_path):
    with (
        working_directory(tmp_path / "x", STATE),
        pytest.raises(BlockingIOError, match="Another process is preparing"),
        working_directory(tmp_path / "x", STATE),
    ):
        pass
    with working_directory(tmp_path / "x", STATE):
        pass


def test_only_the_same_goes_on(tmp_path):
    with working_directory(tmp_path / "x", STATE):
        pass
    with (
        pytest.raises(FileExistsError, match="something else"),
        working_directory(tmp_path / "x", {**STATE, "size": 8}),
    ):
        pass
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("")
    with (
        pytest.raises(FileExistsError, match="in the way"),
        working_directory(tmp_path / "mine", STATE),
    ):
        pass
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["", journal.FOLDER, "shard-00000"])
def test_links_are_not_followed(tmp_path, name):
    (tmp_path / "else").mkdir()
    link = tmp_path / "x" / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "else")
    (tmp_path / "x" / journal.FOLDER).mkdir(exist_ok=True)
    with (
        pytest.raises(FileExistsError, match="in the way"),
        working_directory(tmp_path / "x", STATE),
    ):
        pass
    assert list(tmp_path.glob("else/*.json")) == []


def test_shards_up_to_the_first_that_is_not_whole(tmp_path):
    with working_directory(tmp_path / "x", STATE):
        for index in range(4):
            write_shard(tmp_path / "x", index, index)  # the first without a picture
    counts = [page["count"] for page in journal.finished_shards(tmp_path / "x")]
    assert counts == [0, 1, 2, 3]
    journal.shard_path(tmp_path / "x", 3).unlink()  # it has its last name already
    assert len(journal.finished_shards(tmp_path / "x")) == 4
    shard = journal.shard_path(tmp_path / "x", 2)
    shard.write_bytes(shard.read_bytes()[:-1])
    assert len(journal.finished_shards(tmp_path / "x")) == 2
    (tmp_path / "x" / journal.FOLDER / "00001.json").write_text("")
    assert len(journal.finished_shards(tmp_path / "x")) == 1


def test_pages_that_are_none(tmp_path):
    with working_directory(tmp_path / "x", STATE):
        write_shard(tmp_path / "x", 0)
    page = tmp_path / "x" / journal.FOLDER / "00000.json"
    for text in ('{"bytes":' * 100_000, "[]"):
        page.write_text(text)
        assert journal.finished_shards(tmp_path / "x") == []
