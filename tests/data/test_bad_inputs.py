"""What people bring: each thing is refused by its name, or taken and stated."""

import contextlib
import json
import os
import re
import struct
import unicodedata
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_sagan.data import check, load

SIZE = 16


def noise(path, size=(SIZE, SIZE), mode="RGB", seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).convert(mode).save(path)
    return path


def sound(root):
    """Two classes of two pictures."""
    for i, name in enumerate(["a/1.png", "a/2.png", "b/1.png", "b/2.png"]):
        noise(root / name, seed=i)


def flat(root, content, name="labels.csv"):
    """Two pictures and a file of labels."""
    noise(root / "1.png", seed=1)
    noise(root / "2.png", seed=2)
    mode = "wb" if isinstance(content, bytes) else "w"
    with open(root / name, mode) as file:
        file.write(content)


def bomb(root):
    """A valid PNG header of 100,000 x 100,000 pixels and hardly any data."""
    sound(root)

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10_000)))
    (root / "a" / "3.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + data + chunk(b"IEND", b"")
    )


def above_the_limit(root):
    """Fewer pixels than Pillow refuses, more than are decoded here: 1 bit each."""
    sound(root)
    Image.new("1", (10_000, 9_000)).save(root / "a" / "3.png")


def truncated(root):
    sound(root)
    file = noise(root / "a" / "3.jpg", (64, 64))
    file.write_bytes(file.read_bytes()[:1500])


def write(name, content):
    def make(root):
        sound(root)
        (root / name).write_bytes(content)

    return make


def unsupported(kind, name):
    def make(root):
        sound(root)
        Image.new("RGB", (SIZE, SIZE)).save(root / name, kind)

    return make


def floats(root):
    sound(root)
    Image.new("F", (SIZE, SIZE), 0.5).save(root / "a" / "3.png", "TIFF")


def half_avif(root):
    unsupported("AVIF", "a/3.png")(root)
    file = root / "a" / "3.png"
    file.write_bytes(file.read_bytes()[:-20])


def link_loop(root):
    sound(root)
    (root / "a" / "3.png").symlink_to(root / "a" / "3.png")


def dangling_link(root):
    sound(root)
    (root / "a" / "3.png").symlink_to(root / "nowhere.png")


def folder_loop(root):
    sound(root)
    (root / "b" / "c").symlink_to(root)


def class_folder_loop(root):
    sound(root)
    (root / "c").symlink_to(root / "c")


def lost_class_folder(root):
    sound(root)
    (root / "c").symlink_to(root / "nowhere")


def lost_labels(root):
    noise(root / "1.png")
    (root / "labels.csv").symlink_to(root / "nowhere.csv")


def empty_class(root):
    sound(root)
    (root / "c").mkdir()


def deep(root):
    sound(root / "data")


def loose(root):
    sound(root)
    noise(root / "3.png")


def two_lines(root):
    noise(root / "a\nb" / "1.png")
    noise(root / "c" / "1.png")


def same_names(root):
    for form in ("NFC", "NFD"):
        noise(root / unicodedata.normalize(form, "é") / "1.png")


# How to make the folder, and what `load` says and `check` lists.
FOLDERS = {
    "decompression bomb": (bomb, r"3\.png: DecompressionBombError"),
    "too many pixels": (above_the_limit, r"3\.png: (ValueError|DecompressionBombW)"),
    "truncated JPEG": (truncated, r"3\.jpg: OSError: .*truncated"),
    "text named .png": (write("a/3.png", b"hello"), r"3\.png: Unidentified"),
    "empty file": (write("a/3.jpg", b""), r"3\.jpg: Unidentified"),
    "half a header": (write("a/3.gif", b"GIF89a"), r"3\.gif: "),
    "PDF named .png": (unsupported("PDF", "a/3.png"), r"3\.png: Unidentified"),
    "PPM named .png": (unsupported("PPM", "a/3.png"), r"3\.png: Unidentified"),
    "TIFF of floats": (floats, r"3\.png: ValueError: .*\(mode F\) have no known range"),
    "TIFF of half a header": (write("a/3.tif", b"II*\0\x08\0"), r"3\.tif: "),
    "half an AVIF": (half_avif, r"3\.png: "),
    "link to itself": (link_loop, r"3\.png: (OSError|FileNotFound|Runtime)"),
    "class folder that is a link to itself": (
        class_folder_loop,
        r"/c is a link that leads nowhere",
    ),
    "class folder that is a dangling link": (
        lost_class_folder,
        r"/c is a link that leads nowhere",
    ),
    "labels.csv that is a dangling link": (
        lost_labels,
        r"labels\.csv is a link that leads nowhere",
    ),
    "dangling link": (dangling_link, r"3\.png: FileNotFoundError"),
    "folder in itself": (folder_loop, r"b has subfolders \('c', 1 in all\)"),
    "empty class": (empty_class, r"class folder .*c has no pictures"),
    "empty folder": (lambda root: None, r"has no pictures \(AVIF"),
    "wrong depth": (deep, r"If those are the classes, use 'folder:.*data'"),
    "pictures beside classes": (loose, r"both pictures \('3\.png', 1 in all\)"),
    "equal class names": (same_names, r"names look the same"),
    "class name of two lines": (two_lines, r"must be single lines .*: 'a\\nb'"),
    "csv: a header only": (
        lambda root: flat(root, "file,label\n"),
        r"labels\.csv has no label for '1\.png', '2\.png'",
    ),
    "json: an empty list": (
        lambda root: flat(root, '{"labels": []}', "dataset.json"),
        r"dataset\.json has no label for '1\.png', '2\.png'",
    ),
    "csv: missing picture": (
        lambda root: flat(root, "file,label\n1.png,x\n2.png,y\n9.png,x\n"),
        r"lists '9\.png', which is not in the folder",
    ),
    "csv: picture twice": (
        lambda root: flat(root, "file,label\n1.png,x\n2.png,y\n1.png,x\n"),
        r"lists '1\.png' more than once",
    ),
    "csv: picture without label": (
        lambda root: flat(root, "file,label\n1.png,x\n"),
        r"has no label for '2\.png'",
    ),
    "csv: no header": (
        lambda root: flat(root, "1.png,x\n2.png,y\n"),
        r"first line must be 'file,label'\. Received: '1\.png,x'",
    ),
    "csv: three columns": (
        lambda root: flat(root, "file,label\n1.png,x,7\n"),
        r"line 2 must be 'file,label'",
    ),
    "csv: no label": (
        lambda root: flat(root, "file,label\n1.png,\n"),
        r"line 2 must be 'file,label'",
    ),
    "csv: no UTF-8": (
        lambda root: flat(root, b"file,label\n1.png,\xff\n"),
        r"labels\.csv: it is not UTF-8",
    ),
    "csv: empty": (lambda root: flat(root, ""), r"first line must be"),
    "json: no JSON": (
        lambda root: flat(root, "{", "dataset.json"),
        r"cannot read .*dataset\.json",
    ),
    "json: no labels": (
        lambda root: flat(root, "[1]", "dataset.json"),
        r"dataset\.json: it must hold a JSON object",
    ),
    "json: negative label": (
        lambda root: flat(root, '{"labels": [["1.png", -1]]}', "dataset.json"),
        r"class number >= 0\]\. Received: \['1\.png', -1\]",
    ),
    "json: label is no number": (
        lambda root: flat(root, '{"labels": [["1.png", "x"]]}', "dataset.json"),
        r"Received: \['1\.png', 'x'\]",
    ),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_folders(case, tmp_path):
    make, message = FOLDERS[case]
    make(tmp_path)
    with pytest.raises(ValueError, match=message):
        load(f"folder:{tmp_path}", SIZE, 1)
    problems = "\n".join(check(f"folder:{tmp_path}", SIZE).problems)
    assert re.search(message, problems), problems


def both_label_files(root):
    flat(root, "file,label\n1.png,x\n2.png,y\n")
    (root / "dataset.json").write_text('{"labels": null}')


def test_two_files_of_labels(tmp_path):
    both_label_files(tmp_path)
    with pytest.raises(ValueError, match=r"both labels\.csv and dataset\.json"):
        load(f"folder:{tmp_path}", SIZE, 1)


@contextlib.contextmanager
def as_nobody():
    """Root may read everything, so it steps down for a moment."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("labels", [None, '{"labels": null}'], ids=["folders", "json"])
@pytest.mark.parametrize("what", ["a", "a/1.png"])
def test_what_may_not_be_read(what, labels, tmp_path):
    sound(tmp_path)
    if labels:
        (tmp_path / "dataset.json").write_text(labels)
    for folder in (tmp_path, *tmp_path.parents):
        if os.geteuid() == 0 and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o055)
    (tmp_path / what).chmod(0)
    try:
        with as_nobody(), pytest.raises((PermissionError, ValueError), match=what):
            load(f"folder:{tmp_path}", SIZE, 1)
    finally:
        (tmp_path / what).chmod(0o755)


IMAGES = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)
FLOATS = (IMAGES / 127.5 - 1).astype("float32")


def with_nan():
    images = FLOATS.copy()
    images[1, 2, 3] = np.nan
    return images


# Arrays of the file, and what `load` and `check` say.
ARRAYS = {
    "NaN": ({"images": with_nan()}, r"finite\. Received: 3 values"),
    "int64 images": ({"images": IMAGES.astype(int)}, r"Received: dtype int64"),
    "floats in [0, 1]": ({"images": (FLOATS + 1) / 2}, r"use images \* 2 - 1"),
    "floats in [0, 255]": ({"images": IMAGES.astype("float32")}, r"float32 in \[0"),
    "two channels": ({"images": IMAGES[..., :2]}, r"shape \(4, 16, 16, 2\)"),
    "channels first": ({"images": IMAGES.transpose(0, 3, 1, 2)}, "Channels come last"),
    "no pictures": ({"images": IMAGES[:0]}, r"shape \(0, 16, 16, 3\)"),
    "objects": ({"images": np.array([IMAGES, None], object)}, "Python objects"),
    "no images": ({"x": IMAGES}, r"must hold 'images'.*Received: \['x'\]"),
    "too few labels": ({"images": IMAGES, "labels": np.arange(3)}, r"shape \(4,\)"),
    "float labels": ({"images": IMAGES, "labels": np.ones(4)}, r"dtype float64"),
    "negative label": ({"images": IMAGES, "labels": np.arange(4) - 1}, r"\[-1, 2\]"),
    "label without name": (
        {"images": IMAGES, "labels": np.arange(4), "class_names": np.array(["a"])},
        r"in \[0, 1\)\. Received: labels in \[0, 3\]",
    ),
    "names without labels": (
        {"images": IMAGES, "class_names": np.array(["a"])},
        "'class_names' but no 'labels'",
    ),
}


@pytest.mark.parametrize("case", ARRAYS)
@pytest.mark.parametrize("function", [load, check])
def test_arrays(case, function, tmp_path):
    arrays, message = ARRAYS[case]
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ValueError, match=message) as error:
        function(f"npz:{tmp_path / 'x.npz'}", image_size=SIZE)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 half a zip"])
def test_a_file_that_is_no_npz(content, tmp_path):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot read .*x\.npz as a \.npz file"):
        load(f"npz:{tmp_path / 'x.npz'}")


NAMES = {
    "glyps": "Did you mean 'glyphs'",
    "shape": "Did you mean 'shapes'",
    "folders:x": "Did you mean 'folder:PATH'",
    "tdfs:mnist": "Did you mean 'tfds:NAME'",
    "npy:x": "Did you mean 'npz:PATH'",
    "mnist": "'tfds:mnist'",
    "cats.npz": "Did you mean 'npz:cats.npz'",
    "cats-000.tar": "Did you mean 'wds:cats-000.tar'",
    "cats.tfrecord": "Did you mean 'tfrecord:cats.tfrecord'",
    "": "must be one of",
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    with pytest.raises(ValueError, match=NAMES[name]):
        load(name)


def test_one_picture(tmp_path):
    noise(tmp_path / "1.png")
    with pytest.raises(ValueError, match=r"has 1\. Received: batch_size=64"):
        load(f"folder:{tmp_path}", SIZE)
    images = next(iter(load(f"folder:{tmp_path}", SIZE, 1).dataset))
    assert images.shape == (1, SIZE, SIZE, 3)
    assert "too few" in check(f"folder:{tmp_path}", SIZE).format()


@pytest.mark.patient
def test_no_network(tmp_path, monkeypatch):
    """The nearest proxy is a closed port: TFDS gives up, and we say what to do.

    TFDS tries for some three minutes, most of which it waits.
    """
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RuntimeError, match=r"(?s)'tfds:mnist'.*Without a network"):
        load("tfds:mnist", cache_dir=str(tmp_path))


# === Taken ===
def test_all_modes_in_one_folder(tmp_path):
    modes = ["1", "L", "LA", "P", "RGB", "RGBA"]
    for mode in modes:
        noise(tmp_path / f"{mode}.png", mode=mode)
    noise(tmp_path / "CMYK.jpg", mode="CMYK")
    values = np.arange(SIZE * SIZE, dtype=np.uint16).reshape(SIZE, SIZE) * 255
    Image.fromarray(values).save(tmp_path / "I16.png")
    report = check(f"folder:{tmp_path}", SIZE)
    assert report.problems == ()
    assert set(report.modes) == {*modes, "CMYK", "I;16"}
    assert load(f"folder:{tmp_path}", SIZE, 8).num_examples == 8


def test_names_of_all_kinds(tmp_path):
    names = ["猫/🐈 ñ.png", "x" * 250 + "/" + "y" * 250 + ".png", "a b/c,d;'.png"]
    for i, name in enumerate(names):
        noise(tmp_path / name, seed=i)
    broken = tmp_path / "a b" / ("z" * 251 + ".png")
    broken.write_text("x")
    (problem,) = check(f"folder:{tmp_path}", SIZE).problems
    assert str(broken) in problem
    broken.unlink()
    source = load(f"folder:{tmp_path}", SIZE, 1)
    assert source.class_names == ("a b", "x" * 250, "猫")


def test_names_that_are_no_text(tmp_path):
    """File systems take any bytes; reports must still be printable."""
    raw = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(raw)
    noise(tmp_path / "1.png")
    os.rename(tmp_path / "1.png", raw + b"/\xff.png")
    with open(raw + b"/\xfe.png", "w") as file:
        file.write("x")
    report = check(f"folder:{tmp_path}", SIZE)
    json.dumps(report.to_dict(), ensure_ascii=False).encode("utf-8")
    assert report.unreadable[0].startswith(f"cannot read picture {tmp_path}/caf\\xe9")
    os.mkdir(raw + b"/deep")
    report = check(f"folder:{tmp_path}", SIZE)
    report.format().encode("utf-8")
    assert "caf\\xe9 has subfolders" in report.format()
    os.rmdir(raw + b"/deep")
    os.unlink(raw + b"/\xfe.png")
    assert load(f"folder:{tmp_path}", SIZE, 1).class_names == ("caf\\xe9",)


@pytest.mark.parametrize("labels", [None, "file,label\n1.png,x\n2.png,y\n"])
def test_a_pipe_is_not_opened(labels, tmp_path):
    flat(tmp_path, labels or "", "labels.csv" if labels else "notes.txt")
    os.mkfifo(tmp_path / "3.png")
    report = check(f"folder:{tmp_path}", SIZE)  # it would wait for a writer for ever
    assert report.problems == ()
    assert report.num_examples == 2
    assert f"{tmp_path}/3.png: a pipe, a socket or a device" in report.notes[-1]


def test_a_row_of_labels_may_hold_any_character(tmp_path):
    flat(tmp_path, "file,label\n1.png,x\u2028y\n2.png,\x0cz\n")
    assert "must be single lines" in check(f"folder:{tmp_path}", SIZE).problems[0]
    flat(tmp_path, 'file,label\r\n1.png,"x, y"\r\n2.png,z\r\n')
    assert load(f"folder:{tmp_path}", SIZE, 1).class_names == ("x, y", "z")
