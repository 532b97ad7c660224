"""Reading PyTorch files: nothing in them runs, and what is no checkpoint says so."""

import contextlib
import os
import pickle

import numpy as np
import pytest
import torch

from keras_sagan.interop.checkpoint import Checkpoint, read_torch


class Bomb:
    """Unpickling this creates the directory `path`."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def bomb_with_torch(path, bomb):
    torch.save({"state_dict": {"weight": torch.zeros(2)}, "step": bomb}, path)


def bomb_in_the_old_format(path, bomb):
    torch.save({"state_dict": bomb}, path, _use_new_zipfile_serialization=False)


def bomb_as_a_bare_pickle(path, bomb):
    path.write_bytes(pickle.dumps({"state_dict": bomb}))


@pytest.mark.parametrize(
    "write", [bomb_with_torch, bomb_in_the_old_format, bomb_as_a_bare_pickle]
)
def test_code_in_a_file_does_not_run(tmp_path, write):
    path, trace = tmp_path / "model.pth", tmp_path / "trace"
    write(path, Bomb(trace))
    with pytest.raises(ValueError, match="asks to run code"):
        read_torch(path)
    assert not trace.exists()
    with contextlib.suppress(RuntimeError):  # it is one: reading it freely sets it off
        torch.load(path, weights_only=False)
    assert trace.exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x80\x04N."])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="' cannot be read"):
        read_torch(path)


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "model.pth"
    torch.save({"state_dict": {"weight": torch.zeros(1000)}}, path)
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(ValueError, match="is incomplete"):
        read_torch(path)


@pytest.mark.parametrize(
    ("content", "received"),
    [
        (torch.zeros(3), "a tensor"),
        ({"model": {}}, r"a dict with the keys \['model'\]"),
        ({"state_dict": {"step": 3}}, "its 'step', a int"),
    ],
)
def test_a_file_without_a_state_dict_is_refused(tmp_path, content, received):
    torch.save(content, tmp_path / "model.pth")
    with pytest.raises(ValueError, match=f"'state_dict'.*Received: {received}"):
        read_torch(tmp_path / "model.pth")


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pth"):
        read_torch(tmp_path / "nowhere.pth")


def test_plain_numbers_beside_the_weights_are_no_obstacle(tmp_path):
    content = {
        "state_dict": {
            "half": torch.ones(2, dtype=torch.bfloat16),
            "double": torch.ones(2, dtype=torch.float64),
            "count": torch.tensor(3),
        },
        "best_fid": np.float64(1.5),
        "step": np.int64(3),
    }
    torch.save(content, tmp_path / "model.pth")
    checkpoint = read_torch(tmp_path / "model.pth")
    assert checkpoint.take("half", (2,)).dtype == "float32"
    assert checkpoint.take("double", (2,)).dtype == "float64"
    assert checkpoint.take("count", ()) == 3
    checkpoint.finish()


def test_arrays_that_nobody_takes_are_reported():
    checkpoint = Checkpoint({"a": np.zeros(2), "b": np.zeros((3, 4))}, "file")
    checkpoint.take("a", (2,))
    with pytest.raises(ValueError, match=r"file holds 'b' of shape \(3, 4\)"):
        checkpoint.finish()
    checkpoint.skip("b")
    checkpoint.finish()


def test_parts():
    checkpoint = Checkpoint({"g.a": np.zeros(2), "d.a": np.zeros(3)}, "file")
    assert checkpoint.part("g.").take("a", (2,)).shape == (2,)
    with pytest.raises(ValueError, match=r"no key that starts with 'ema\.'"):
        checkpoint.part("ema.")
    with pytest.raises(ValueError, match=r"'g.a' must have shape \(rows, 3\)"):
        checkpoint.shape("g.a", ("rows", 3))
