import pytest

from keras_sagan.files import json_files


def test_an_object(tmp_path):
    (tmp_path / "x.json").write_text('{"a": [1, null]}')
    assert json_files.read(tmp_path / "x.json") == {"a": [1, None]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff{}", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"a": %s}' % (b"9" * 5000), "is not JSON"),
        (b"[]", "must hold a JSON object"),
        (b"{}" + b" " * 100, "at most 50 bytes"),
    ],
)
def test_anything_else_is_refused(tmp_path, content, message):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    largest = 50 if "50" in message else json_files.LARGEST
    with pytest.raises(ValueError, match=rf"x\.json'.*{message}"):
        json_files.read(path, largest)


def test_no_more_is_read_than_allowed(tmp_path):
    path = tmp_path / "x.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # bytes, of which none is stored
    with pytest.raises(ValueError, match="at most 1048576 bytes"):
        json_files.read(path)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        json_files.read(tmp_path / "x.json")
