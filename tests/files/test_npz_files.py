import io
import pathlib
import struct
import zipfile

import numpy as np
import pytest

from keras_sagan.files import npz_files


@pytest.mark.parametrize("compressed", [False, True])
def test_round_trip(tmp_path, compressed):
    expected = {
        "a/b": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "step": np.int64(3),
        "names": np.array(["x", "yy"]),
        "none": np.zeros((0, 4), np.uint8),
    }
    path = tmp_path / "x.npz"
    (np.savez_compressed if compressed else np.savez)(path, **expected)
    assert npz_files.names(path) == list(expected)
    found = npz_files.read(path)
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


@pytest.mark.parametrize("code", [0x110000, 0xD800, 0xFFFFFFFF])
@pytest.mark.parametrize("order", "<>")
def test_texts_that_are_none(tmp_path, code, order):
    codes = np.array([code, 65], f"{order}u4")
    np.savez(tmp_path / "x.npz", names=codes.view(f"{order}U2"))
    with pytest.raises(ValueError, match=f"'names.npy' must be Unicode.*{code:#x}"):
        npz_files.read(tmp_path / "x.npz")


def test_texts_of_no_length(tmp_path):
    np.savez(tmp_path / "x.npz", one=np.array(["", ""]), none=np.array([], "U3"))
    assert list(npz_files.read(tmp_path / "x.npz")["one"]) == ["", ""]


def member(header, content=b""):
    """An archive with an array of any header."""
    text = header.encode() + b"\n"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        magic = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text))
        archive.writestr("x.npy", magic + text + content)
    return file.getvalue()


def header(shape, dtype="<f4"):
    return f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"


class Bomb:
    """Writes a file when it is unpickled."""

    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path("exploded"),))


def pickled():
    file = io.BytesIO()
    np.savez(file, x=np.array([Bomb()], dtype=object))
    return file.getvalue()


CRAFTED = {
    "pickle": (pickled(), "holds Python objects"),
    "huge": (member(header((1 << 40,))), r"has 0 bytes for an array"),
    "overflow": (member(header((1 << 40, 1 << 40))), "has 0 bytes"),
    "negative": (member(header((-1, -4)), b"1234" * 4), "bytes for an array"),
    "too short": (member(header((4,)), b"123"), "has 3 bytes"),
    "records": (member(header((1,), "V99")), "must hold numbers or text"),
    "complex": (member(header((1,), "<c8")), "must hold numbers or text"),
    "code": (member("__import__('os').system('x')"), "malformed node"),
    "deep": (member("(" * 4000 + ")" * 4000), "nested|recursion|Cannot parse"),
    "no magic": (b"PK", "not a zip file"),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_anything_else_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    content, message = CRAFTED[name]
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"(?s)x\.npz' cannot be read: .*({message})"):
        npz_files.read(path)
    assert not (tmp_path / "exploded").exists()
