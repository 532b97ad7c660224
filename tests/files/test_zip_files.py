import io
import zipfile

import pytest

from keras_sagan.files import zip_files


def archive(path, entries, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in entries:
            file.writestr(name, content)
    return path


def test_an_honest_archive(tmp_path):
    path = archive(tmp_path / "x.zip", [("a", b"abc" * 100)], zipfile.ZIP_DEFLATED)
    with zip_files.opened(path) as file:
        assert file.read("a") == b"abc" * 100
    with pytest.raises(ValueError, match="'a' must not be compressed"):
        with zip_files.opened(path, may_be_compressed=False):
            pass


def bomb(path):
    zeros = bytes(1 << 24)
    return archive(path, [(str(i), zeros) for i in range(8)], zipfile.ZIP_DEFLATED)


def overlapping(path):
    """Many names for the same compressed bytes."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("0", bytes(1 << 20))
        for i in range(1, 200):
            entry = zipfile.ZipInfo(str(i))
            first = file.infolist()[0]
            for name in ("CRC", "compress_size", "file_size", "compress_type"):
                setattr(entry, name, getattr(first, name))
            entry.header_offset = 0
            file.filelist.append(entry)
        file._didModify = True
    path.write_bytes(inner.getvalue())
    return path


def twice(path):
    with pytest.warns(UserWarning, match="Duplicate"):
        return archive(path, [("a", b"1"), ("a", b"2")])


def lzma(path):
    return archive(path, [("a", bytes(1 << 20))], zipfile.ZIP_LZMA)


def empty(path):
    path.write_bytes(b"")
    return path


def cut(path):
    whole = archive(path, [("a", b"abc" * 100)]).read_bytes()
    path.write_bytes(whole[:-10])
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (bomb, "decompression bomb"),
        (overlapping, "decompression bomb"),
        (twice, "two of the same name"),
        (lzma, "must be stored or deflated"),
        (empty, "not a zip file"),
        (cut, "not a zip file"),
    ],
)
def test_anything_else_is_refused(tmp_path, make, message):
    path = make(tmp_path / "x.zip")
    with pytest.raises(ValueError, match=rf"x\.zip' cannot be read: .*{message}"):
        with zip_files.opened(path):
            pass


def test_errors_inside_name_the_file(tmp_path):
    path = archive(tmp_path / "x.zip", [("a", b"abc" * 100)])
    content = path.read_bytes()
    path.write_bytes(content.replace(b"abcabc", b"abcabd", 1))
    with pytest.raises(ValueError, match=r"x\.zip' cannot be read: Bad CRC-32"):
        with zip_files.opened(path) as file:
            file.read("a")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        with zip_files.opened(tmp_path / "x.zip"):
            pass


def test_what_is_no_file_is_the_systems_error(tmp_path):
    for path, error in [
        (tmp_path, IsADirectoryError),
        (tmp_path / "x", FileNotFoundError),
    ]:
        with pytest.raises(error, match=str(path)), zip_files.opened(path):
            pass
