"""Checkpoints of PyTorch, read without it."""

import collections
import pickle

import numpy as np
import pytest
import torch

from keras_sagan.files import torch_files


def state():
    base = torch.arange(24, dtype=torch.float32)
    return collections.OrderedDict(
        a=torch.randn(2, 3, generator=torch.Generator().manual_seed(0)),
        strided=base.reshape(4, 6).T,
        part=base[5:9],
        double=torch.ones(2, dtype=torch.float64),
        half=torch.ones(2, dtype=torch.float16),
        count=torch.tensor(7),
        empty=torch.zeros(0, 3),
        parameter=torch.nn.Parameter(torch.ones(2)),
    )


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_both_formats(tmp_path, zipped):
    path, wanted = tmp_path / "x.pth", state()
    torch.save(wanted, path, _use_new_zipfile_serialization=zipped)
    found = torch_files.read(path)
    assert list(found) == list(wanted)
    for name, tensor in wanted.items():
        np.testing.assert_array_equal(found[name], tensor.detach().numpy())
        assert found[name].dtype == tensor.detach().numpy().dtype


class Harmful:
    def __reduce__(self):
        return (print, ("this must not be printed",))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_nothing_is_executed(tmp_path, capsys, zipped):
    path = tmp_path / "x.pth"
    torch.save({"a": Harmful()}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"refers to \w+\.print"):
        torch_files.read(path)
    assert capsys.readouterr().out == ""


def test_other_files(tmp_path):
    path = tmp_path / "x.pth"
    for content in (b"", b"text", pickle.dumps([1, 2])):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"x\.pth' is no PyTorch file"):
            torch_files.read(path)
    with pytest.raises(FileNotFoundError):
        torch_files.read(tmp_path / "nothing.pth")


def test_a_truncated_file(tmp_path):
    path = tmp_path / "x.pth"
    torch.save(state(), path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="is no PyTorch file"):
        torch_files.read(path)
