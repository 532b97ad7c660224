import tracemalloc

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
        (b'{"a": ' * 101 + b"0" + b"}" * 101, "must not be nested more than 100 deep"),
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


def test_any_size_where_that_is_meant(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"a": 1}' + " " * (json_files.LARGEST + 1))
    assert json_files.read(path, largest=None) == {"a": 1}


def test_lines(tmp_path):
    lines = [
        b'{"a": 1}',
        b"",
        b'{"b": "\xc3\xa9"}',
        b"[1]",
        b'{"c": "\xff"}',
        b"[" * 50,
    ]
    lines += [b'{"long": "%s"}' % (b"x" * 100), b'{"d": 4}', b'{"cut o']
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join(lines))
    rows = list(json_files.read_lines(path, longest=60))
    assert rows == [{"a": 1}, {"b": "é"}, {"d": 4}]


def test_an_object_that_is_deep(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"a": [' * 50 + "0" + "]}" * 50)
    assert list(json_files.read(path)) == ["a"]


def test_lines_too_deep(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a":' * 100_000 + '\n{"b": 2}\n')
    assert list(json_files.read_lines(path)) == [{"b": 2}]


def test_a_line_without_end(tmp_path):
    path = tmp_path / "x.jsonl"
    with path.open("wb") as file:
        file.truncate(1 << 26)  # bytes, of which none is stored
        file.seek(0, 2)
        file.write(b'\n{"a": 1}')
    tracemalloc.start()
    assert list(json_files.read_lines(path)) == [{"a": 1}]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * json_files.LARGEST
