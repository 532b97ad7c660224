import h5py
import numpy as np
import pytest

from keras_sagan.files import hdf5_files as files


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "plain.h5"
    with h5py.File(path, "w") as file:
        file["layers/a/0"] = np.zeros((4, 5), np.float32)
        file["step"] = np.int64(3)
    return path


def test_plain_arrays(weights):
    assert files.check(weights) == 4 * 5 * 4 + 8


def external_link(file):
    file["more"] = h5py.ExternalLink("/etc/passwd", "/")


def soft_link(file):
    file["more"] = h5py.SoftLink("/layers")


def external_array(file):
    file.create_dataset("more", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def virtual_array(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (4,))
    file.create_virtual_dataset("more", layout)


def bomb(file):
    file.create_dataset("more", (1 << 30,), "u1", compression="gzip", chunks=(1 << 20,))


def empty_bomb(file):
    file.create_dataset("more", (1 << 40,), "u1", chunks=(1 << 20,))


def texts(file):
    file["more"] = ["a", "b"]


def itself(file):
    file["more"] = file["layers"]
    file["layers/again"] = file["layers"]


def deep(file):
    file.create_group("/".join("x" * 40))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (external_link, "a link to something else"),
        (soft_link, "a link to something else"),
        (external_array, "an array in another file"),
        (virtual_array, "an array in another file"),
        (bomb, "a compressed array"),
        (empty_bomb, "its arrays have 1099511627864 bytes"),
        (texts, "which is not an array of numbers"),
        (deep, "more than 32 deep"),
        (itself, "which it holds twice"),
    ],
)
def test_anything_else_is_refused(weights, edit, message):
    with h5py.File(weights, "a") as file:
        edit(file)
    with pytest.raises(ValueError, match=message):
        files.check(weights)


def test_opened(weights):
    with files.opened(weights) as file:
        assert file["step"][()] == 3
    with h5py.File(weights, "a") as file:
        soft_link(file)
    with pytest.raises(ValueError, match="a link to something else"):
        with files.opened(weights):
            pass
