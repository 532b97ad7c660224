"""Checkpoints of PyTorch, read without it."""

import collections
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch

from keras_sagan.files import torch_files
from tests import helpers
from tests.fuzz import mutations

BOTH = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def save(content, path, zipped=True):
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def state():
    base = torch.arange(24, dtype=torch.float32)
    generator = torch.Generator().manual_seed(0)
    return collections.OrderedDict(
        a=torch.randn(2, 3, generator=generator),
        part=base[5:9],
        rows=base.reshape(4, 6)[1:3],
        whole=base,
        double=torch.ones(2, dtype=torch.float64),
        half=torch.tensor([1.5, -2.25, float("inf")], dtype=torch.float16),
        brain=torch.randn(5, 3, generator=generator).to(torch.bfloat16),
        count=torch.tensor(7),
        flags=torch.tensor([True, False, True]),
        bytes=torch.arange(5, dtype=torch.uint8),
        short=torch.tensor([-3], dtype=torch.int16),
        number=torch.tensor(0.5),
        empty=torch.zeros(0, 3),
        ones=torch.randn(3, 1, 1, 2, generator=generator).transpose(1, 2),
        parameter=torch.nn.Parameter(torch.ones(2)),
    )


@BOTH
def test_the_tensors_are_those_of_torch(tmp_path, zipped):
    path = save(state(), tmp_path / "x.pth", zipped)
    expected, arrays = torch.load(path), torch_files.read(path)
    assert list(arrays) == list(expected)
    for name, tensor in expected.items():
        short = tensor.dtype in (torch.float16, torch.bfloat16)
        array = (tensor.float() if short else tensor).detach().numpy()
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype, name


@BOTH
def test_a_state_dict_inside_another_dict(tmp_path, zipped):
    model = torch.nn.Linear(2, 3)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    content = {
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "seed": 7,
        "step": np.int64(3),
        "best_fid": np.float64(12.5),
        "topk": "initialize",
        "lecam_emas": {"D_real": torch.ones(1, dtype=torch.bfloat16), "decay": 0.9},
        "best": np.float32(1.5),
        "size": torch.Size([2, 3]),
        "ada_p": None,
    }
    path = save(content, tmp_path / "x.pth", zipped)
    arrays = torch_files.read(path, "state_dict")
    assert list(arrays) == ["weight", "bias"]
    np.testing.assert_array_equal(arrays["weight"], model.weight.detach().numpy())


def test_shared_storages_take_their_memory_once(tmp_path):
    base = torch.arange(1000, dtype=torch.bfloat16)
    content = {str(i): base for i in range(50)} | {"part": base[10:20]}
    arrays = torch_files.read(save(content, tmp_path / "x.pth"))
    assert len({array.__array_interface__["data"][0] for array in arrays.values()}) == 2
    np.testing.assert_array_equal(arrays["part"], np.arange(10, 20))


@BOTH
@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(24.0).reshape(4, 6).T,
        torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last),
        torch.arange(24.0)[::2],
        torch.zeros(1).expand(3),
    ],
    ids=["transposed", "channels last", "every other", "expanded"],
)
def test_tensors_that_are_not_contiguous(tmp_path, zipped, tensor):
    path = save({"w": tensor}, tmp_path / "x.pth", zipped)
    with pytest.raises(ValueError, match=r"x\.pth'.* 'w' .*must be contiguous.*torch"):
        torch_files.read(path)


def crafted(path, offset=0, shape=(2,), strides=(1,), count=4, pid=()):
    """A checkpoint whose tensor says what torch would never write."""

    class Storage:
        pass

    class Tensor:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (
                *(Storage(), offset, shape, strides),
                *(False, collections.OrderedDict()),
            )

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if isinstance(value, Storage):
                return ("storage", torch.FloatStorage, "0", "cpu", count, *pid)
            return None

    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("x/data.pkl", "w") as file:
            Pickler(file, protocol=2).dump({"w": Tensor()})
        archive.writestr("x/data/0", np.arange(count, dtype="<f4").tobytes())
        archive.writestr("x/version", "3\n")
    return path


def test_the_crafted_file_as_it_should_be(tmp_path):
    path = crafted(tmp_path / "x.pth", 1, (3, 1), (1, 1))
    np.testing.assert_array_equal(torch_files.read(path)["w"], [[1], [2], [3]])
    assert torch.load(path)["w"].tolist() == [[1], [2], [3]]


HUGE = 10**13
CRAFTED = {
    "negative strides": ((3, (3,), (-1,)), "whole numbers from 0"),
    "negative strides before the storage": (
        (0, (2, 2), (-1, 2)),
        "whole numbers from 0",
    ),
    "strides that cancel out": ((0, (2, 2), (-3, 4)), "whole numbers from 0"),
    "strides far outside": ((0, (2, 2), (-HUGE, HUGE + 1)), "whole numbers from 0"),
    "overlapping strides": ((0, (2, 2), (1, 1)), "contiguous"),
    "strides of zero": ((0, (4,), (0,)), "contiguous"),
    "huge strides": ((0, (2,), (2**62,)), "contiguous"),
    "strides that overflow": ((0, (5, 2), (2**62, 1)), "contiguous"),
    "a stride short": ((0, (2, 2), (1,)), "as many strides"),
    "negative offset": ((-1, (2,), (1,)), "whole numbers from 0"),
    "offset beyond the end": ((5, (1,), (1,)), "beyond its storage"),
    "huge offset": ((2**70, (1,), (1,)), "beyond its storage"),
    "negative size": ((0, (-2,), (1,)), "whole numbers from 0"),
    "negative sizes": ((0, (-2, -2), (-2, 1)), "whole numbers from 0"),
    "size beyond the end": ((0, (5,), (1,)), "beyond its storage"),
    "slice beyond the end": ((2, (3,), (1,)), "beyond its storage"),
    "huge size": ((0, (2**70,), (1,)), "beyond its storage"),
    "size that is no number": ((0, ("2",), (1,)), "whole numbers from 0"),
    "size that is a fraction": ((0, (1.0,), (1,)), "whole numbers from 0"),
    "shape that is a number": ((0, 2, (1,)), "tuple"),
    "too many axes": ((0, (1,) * 100, (1,) * 100), "axes"),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_views_that_would_read_other_memory(tmp_path, name):
    arguments, message = CRAFTED[name]
    path = crafted(tmp_path / "x.pth", *arguments)
    with pytest.raises(ValueError, match=rf"x\.pth'.*{message}"):
        torch_files.read(path)


def test_views_of_storages_in_very_old_files(tmp_path):
    path = crafted(tmp_path / "x.pth", pid=(("key", 1, 2),))
    with pytest.raises(ValueError, match="view of a storage"):
        torch_files.read(path)


def test_a_file_of_a_big_endian_machine(tmp_path):
    path = save(state(), tmp_path / "x.pth")

    def change(name, content):
        swapped = b"big" if name.endswith("byteorder") else content
        return name, swapped, zipfile.ZIP_STORED

    path.write_bytes(mutations.repacked(path.read_bytes(), change))
    with pytest.raises(ValueError, match="byte order"):
        torch_files.read(path)


class Harmful:
    def __init__(self, function=print):
        self.function = function

    def __reduce__(self):
        return (self.function, ("this must not be printed",))


@BOTH
@pytest.mark.parametrize("inside", ["a", "state_dict"])
def test_nothing_is_executed(tmp_path, capsys, zipped, inside):
    content = {"state_dict": {"w": torch.ones(1)}} | {inside: Harmful()}
    path = save(content, tmp_path / "x.pth", zipped)
    with pytest.raises(ValueError, match=r"refers to \w+\.print.*Nothing of it is run"):
        torch_files.read(path, "state_dict")
    assert capsys.readouterr().out == ""


def test_state_is_set_on_nothing(tmp_path):
    """The opcode BUILD changes objects, and what they are shared with."""
    pickled = b"\x80\x02}X\x01\x00\x00\x00wctorch\nFloatStorage\n}(X\x01\x00\x00\x00aK"
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", pickled + b"\x01ubs.")
    before = np.dtype("<f4").__reduce__()
    with pytest.raises(ValueError, match="dict of tensors"):
        torch_files.read(path)
    assert np.dtype("<f4").__reduce__() == before


@pytest.mark.parametrize(
    "content", [b"", b"text", pickle.dumps([1, 2]), b"\x80\x02N.", b"PK\x05\x06"]
)
def test_other_files(tmp_path, content):
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.pth' cannot be read as a PyTorch"):
        torch_files.read(path)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        torch_files.read(tmp_path / "nothing.pth")


@pytest.mark.parametrize(
    ("content", "entry", "message"),
    [
        (torch.zeros(3), None, "a dict of tensors. Received: a tensor"),
        ([1], None, "Received: a list"),
        ({"a": torch.zeros(1), "step": 3}, None, r"'step', a int"),
        (torch.zeros(3), "state_dict", "entry 'state_dict'.* Received: a tensor"),
        ({"model": {}}, "state_dict", r"a dict with the keys \['model'\]"),
        ({"state_dict": {"step": 3}}, "state_dict", "'step', a int"),
    ],
)
def test_files_of_something_else(tmp_path, content, entry, message):
    path = save(content, tmp_path / "x.pth")
    with pytest.raises(ValueError, match=rf"x\.pth' must hold .*{message}"):
        torch_files.read(path, entry)


@BOTH
@pytest.mark.parametrize("missing", [40, 600])
def test_a_truncated_file(tmp_path, zipped, missing):
    path = save({"w": torch.zeros(1000)}, tmp_path / "x.pth", zipped)
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(ValueError, match=r"cannot be read as a PyTorch.*incomplete"):
        torch_files.read(path)


@pytest.mark.parametrize("count", [2**60, -1])
def test_a_legacy_storage_of_another_size(tmp_path, count):
    path = save({"w": torch.arange(3.0)}, tmp_path / "x.pth", zipped=False)
    content = path.read_bytes()
    size = struct.pack("<q", 3)
    assert content.count(size) == 1
    path.write_bytes(content.replace(size, struct.pack("<q", count)))
    with pytest.raises(ValueError, match=r"storage '\d+'"):
        torch_files.read(path)


def test_a_packed_archive(tmp_path):
    path = save({"w": torch.zeros(10**6)}, tmp_path / "x.pth")

    def pack(name, data):
        return name, data, zipfile.ZIP_DEFLATED

    path.write_bytes(mutations.repacked(path.read_bytes(), pack))
    with pytest.raises(ValueError, match="must not be compressed"):
        torch_files.read(path)


def test_pytorch_is_not_needed(tmp_path):
    path = save(state(), tmp_path / "x.pth")
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from keras_sagan.files import torch_files\n"
        f"print(len(torch_files.read({str(path)!r})))"
    )
    assert int(helpers.run_python(program)) == len(state())
