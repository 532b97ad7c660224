"""Safetensors files: what they hold, and what is refused."""

import numpy as np
import pytest
import safetensors.numpy

from keras_sagan.files import safetensors_files


def test_arrays_are_read(tmp_path):
    path = tmp_path / "a.safetensors"
    arrays = {"b": np.arange(6, dtype="f4").reshape(2, 3), "a": np.float16([1, 2])}
    safetensors.numpy.save_file(arrays, path)
    found = safetensors_files.read(path)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


@pytest.mark.parametrize("fault", ["short", "header", "type", "empty", "claims"])
def test_other_files_are_refused(tmp_path, fault):
    path = tmp_path / "a.safetensors"
    safetensors.numpy.save_file({"a": np.zeros(9, "f4")}, path)
    content = path.read_bytes()
    path.write_bytes(
        {
            "short": content[:-1],
            "header": b"\xff" * 8 + content[8:],
            "type": content.replace(b"F32", b"F99"),
            "empty": b"",
            "claims": content.replace(b"[9]", b"[8]"),
        }[fault]
    )
    with pytest.raises(ValueError, match=r"a.safetensors' cannot be read"):
        safetensors_files.read(path)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        safetensors_files.read(tmp_path / "no.safetensors")
