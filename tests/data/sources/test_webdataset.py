"""WebDataset shards: as the package of that name reads them, whole and harmed."""

import io
import re
import tarfile

import numpy as np
import pytest
from PIL import Image

from keras_sagan.data import check, load, prepare


def png(value, size=(8, 8)):
    file = io.BytesIO()
    Image.new("RGB", size, (value, 0, 0)).save(file, "PNG")
    return file.getvalue()


def write(path, files):
    with tarfile.open(path, "w") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def samples(first, last, label="cls"):
    for number in range(first, last):
        yield f"{number:04}.png", png(number)
        yield f"{number:04}.json", b"{}"
        yield f"{number:04}.{label}", b"%d\n" % (number % 3)


@pytest.fixture
def folder(tmp_path):
    """Two shards of four pictures of three classes."""
    root = tmp_path / "set"
    root.mkdir()
    for shard in (0, 1):
        write(root / f"cats-{shard:03}.tar", samples(4 * shard, 4 * shard + 4))
    return root


def reds(images):
    return images[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("memory", [0, 1], ids=["files", "memory"])
def test_pictures_and_labels(folder, memory):
    source = load(f"wds:{folder}", 8, 4, data_memory=memory)
    images, labels = source.arrays()
    assert reds(images[:]) == list(range(8))
    np.testing.assert_array_equal(labels, np.arange(8) % 3)
    assert source.class_names == ("0", "1", "2")
    part = load(f"wds:{folder}/cats-{{000..001}}.tar", 8, 1, split="train[50%:]")
    assert reds(part.arrays()[0]) == [4, 5, 6, 7]


def test_the_stream_is_the_same_from_files_and_memory(folder):
    streams = [
        load(f"wds:{folder}", 8, 3, seed=5, data_memory=memory).stream(7).take(6)
        for memory in (0, 1)
    ]
    for (one, label), (other, expected) in zip(*streams, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(label, expected)


def test_as_its_own_package_writes_and_reads(tmp_path):
    webdataset = pytest.importorskip("webdataset")
    tariterators = pytest.importorskip("webdataset.tariterators")
    pattern = str(tmp_path / "a-%03d.tar")
    with webdataset.ShardWriter(pattern, maxcount=3, verbose=0) as writer:
        for number in range(7):
            key = f"deep/er.folder/{number:03}"
            writer.write({"__key__": key, "png": png(number), "cls": number % 2})
    expected = []
    for path in sorted(tmp_path.glob("*.tar")):
        with path.open("rb") as stream:  # the package's own reader leaves it open
            files = tariterators.tar_file_expander([{"url": "", "stream": stream}])
            expected += list(tariterators.group_by_keys(files))
    expected = [(x["png"], int(x["cls"])) for x in expected]
    images, labels = load(f"wds:{tmp_path}", 8, 1).arrays()
    assert reds(images) == [
        Image.open(io.BytesIO(x)).getpixel((0, 0))[0] for x, _ in expected
    ]
    np.testing.assert_array_equal(labels, [label for _, label in expected])


def test_prepared(folder, tmp_path):
    prepare(f"wds:{folder}", tmp_path / "out", 8)
    images, labels = load(f"tfds:{tmp_path}/out", 8, 1).arrays()
    assert reds(images) == list(range(8))
    np.testing.assert_array_equal(labels, np.arange(8) % 3)


def test_names_of_what_is_read(tmp_path):
    files = [("1.left.png", png(1)), ("1.right.png", png(2)), ("1.kind", b"cat")]
    write(tmp_path / "x.tar", files)
    source = load(f"wds:{tmp_path}/x.tar:image=right.png,label=kind", 8, 1)
    assert reds(source.arrays()[0]) == [2]
    assert source.class_names == ("cat",)
    write(tmp_path / "x.tar", [("1.png", png(1)), ("1.jpg", png(2))])
    with pytest.raises(ValueError, match=r"several pictures \(png, jpg\): name one"):
        load(f"wds:{tmp_path}/x.tar", 8, 1)


def test_what_is_left_out(tmp_path):
    files = [
        ("__meta__/1.png", b""),
        ("._1.png", b""),
        ("1.png", png(1)),
        ("2.txt", b""),
    ]
    write(tmp_path / "x.tar", files)
    with pytest.warns(UserWarning, match="left out: 1 entries that are not pictures"):
        assert load(f"wds:{tmp_path}/x.tar", 8, 1).num_examples == 1


def test_nothing_outside_is_read_and_nothing_is_written(tmp_path, monkeypatch):
    """Links, absolute names and names of commands are names."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(99))
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    with tarfile.open("x.tar", "w") as archive:
        for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE)):
            info = tarfile.TarInfo(f"{number}.png")
            info.type, info.linkname = kind, str(secret)
            archive.addfile(info)
        for name in (str(tmp_path / "new.png"), "../up.png", "pipe:touch x|.png"):
            info = tarfile.TarInfo(name)
            info.size = len(png(1))
            archive.addfile(info, io.BytesIO(png(1)))
        info = tarfile.TarInfo("9.pyd")  # a pickle, to the package `webdataset`
        info.size = 4
        archive.addfile(info, io.BytesIO(b"cos\n"))
    with pytest.warns(UserWarning, match="left out: 3 entries"):
        images, _ = load("wds:x.tar", 8, 1).arrays()
    assert reds(images) == [1, 1, 1]
    assert sorted(x.name for x in tmp_path.iterdir()) == ["in", "secret.png"]
    with pytest.raises(FileNotFoundError, match="no file pipe:touch y"):
        load("wds:pipe:touch y", 8, 1)
    assert [x.name for x in (tmp_path / "in").iterdir()] == ["x.tar"]


def truncated(folder):
    path = folder / "cats-001.tar"
    path.write_bytes(path.read_bytes()[:5000])
    return r"the shard .*cats-001\.tar cannot be read: it was truncated"


def missing(folder):
    (folder / "cats-001.tar").rename(folder / "cats-002.tar")
    return r"cats-001\.tar is missing: 2 of 3"


def long_label(folder):
    write(folder / "cats-001.tar", [("1.png", png(1)), ("1.cls", b"1" * 2000)])
    return r"cats-001\.tar .*'1\.cls' must be a label of at most 1024 bytes"


def twice(folder):
    write(folder / "cats-001.tar", [("1.png", png(1)), ("1.PNG", png(1))])
    return r"cats-001\.tar .*two files '1\.PNG'"


def without_labels(folder):
    write(folder / "cats-001.tar", [("1.png", png(1))])
    return r"labels of one kind: 4 with a number, 1 with no label"


def negative(folder):
    write(folder / "cats-001.tar", [("1.png", png(1)), ("1.cls", b"-1")])
    return r"in \[0, 3\).*1 of 5 examples outside this range, e\.g\. -1"


@pytest.mark.parametrize(
    "harm",
    [truncated, missing, long_label, twice, without_labels, negative],
    ids=lambda x: x.__name__,
)
def test_faults(folder, harm):
    with pytest.raises((ValueError, FileNotFoundError), match=harm(folder)):
        load(f"wds:{folder}", 8, 1)


def test_a_damaged_picture_is_named_and_found_by_check(folder):
    files = [
        ("1.png", png(1)[:45]),
        ("1.cls", b"0"),
        ("2.png", png(2)),
        ("2.cls", b"1"),
    ]
    path = write(folder / "cats-001.tar", files)
    message = rf"cannot read picture {re.escape(str(path))}\[1\.png\]: "
    with pytest.raises(ValueError, match=message):
        load(f"wds:{folder}", 8, 1)
    problem, *_ = check(f"wds:{folder}", 8).problems
    assert re.match(message, problem)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_pictures_have_the_limit_of_pixels(folder):
    file = io.BytesIO()
    Image.new("1", (10_000, 9_000)).save(file, "PNG")
    write(folder / "cats-001.tar", [("1.png", file.getvalue()), ("1.cls", b"0")])
    with pytest.raises(ValueError, match=r"\[1\.png\]: .*(bomb|more than the)"):
        load(f"wds:{folder}", 8, 1)
