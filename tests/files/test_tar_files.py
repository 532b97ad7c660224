"""Archives whole and harmed: what they hold is told, and nothing is unpacked."""

import gzip
import io
import tarfile

import pytest

from keras_sagan.files import tar_files


def write(path, entries, form=tarfile.PAX_FORMAT):
    """An archive of pairs of a name and content, or of `TarInfo`."""
    with tarfile.open(path, "w", format=form) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            archive.addfile(info, io.BytesIO(entry[1]))
    return path


def entry(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


FILES = [("a.png", b"12345"), ("x" * 300 + "/ä.cls", b"7" * 600), ("b", b"")]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_places(tmp_path, form):
    path = write(tmp_path / "x.tar", FILES, form)
    content = path.read_bytes()
    found = [
        (name, content[start : start + size])
        for name, start, size in tar_files.members(path)
    ]
    assert found == FILES


def test_links_and_devices_have_no_place(tmp_path):
    path = write(
        tmp_path / "x.tar",
        [
            entry("folder", tarfile.DIRTYPE),
            entry("link", tarfile.SYMTYPE, "/etc/passwd"),
            entry("hard", tarfile.LNKTYPE, "../../etc/passwd"),
            entry("device", tarfile.CHRTYPE),
            entry("pipe", tarfile.FIFOTYPE),
            ("/etc/passwd", b"x"),
            ("../../up", b"y"),
        ],
    )
    found = {name: start for name, start, _ in tar_files.members(path)}
    assert [name for name, start in found.items() if start is not None] == [
        "/etc/passwd",
        "../../up",
    ]
    assert set(found) >= {"link", "hard", "device", "pipe"}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "size", [100, 600, 1000, 1024, 1500, 2048, 3000], ids=lambda x: f"{x} bytes"
)
def test_truncated(tmp_path, size):
    path = write(tmp_path / "x.tar", [(f"{i}.png", b"1" * 600) for i in range(9)])
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"it was truncated|not an uncompressed tar"):
        list(tar_files.members(path))


def test_a_damaged_header_is_not_the_end(tmp_path):
    """`tarfile` would stop there and say nothing."""
    path = write(tmp_path / "x.tar", [(f"{i}.png", b"1" * 512) for i in range(9)])
    content = bytearray(path.read_bytes())
    content[4 * 1024 + 10] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged, at byte 4608: its end mark"):
        list(tar_files.members(path))


@pytest.mark.parametrize(
    "content", [b"", b"text", b"x" * 2000, gzip.compress(b"x", mtime=0)]
)
def test_what_is_no_archive(tmp_path, content):
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(ValueError, match="not an uncompressed tar archive"):
        list(tar_files.members(tmp_path / "x.tar"))


def with_size(path, size):
    """Gives the first header a size, as GNU tar writes large or negative ones."""
    content = bytearray(path.read_bytes())
    number = size.to_bytes(12, "big", signed=True)
    content[124:136] = (b"\x80" + number[1:]) if size >= 0 else number
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    path.write_bytes(content)


@pytest.mark.parametrize("size", [-512, -513, -(2**40), 2**40, 2**63, 2**80])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, b"L"])
def test_sizes_that_are_none(tmp_path, size, kind):
    """A negative one would lead to an endless loop, a large one fill the memory."""
    first = entry("a", kind)
    path = write(tmp_path / "x.tar", [first, *FILES])
    with_size(path, size)
    with pytest.raises(ValueError, match=r"truncated|bytes|back|not an uncompressed"):
        list(tar_files.members(path))
