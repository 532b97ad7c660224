"""Reads WebDataset shards: `wds:PATH`.

They are tar archives in which the files of a picture follow each other and have the
same name with different extensions: `00012.jpg`, `00012.cls`. Python's `tarfile` finds
them, and nothing is unpacked. The package `webdataset` is not used, because it runs
commands in names of shards, loads pickles, and reads in stored order only.
"""

import re

from keras_sagan.data.decoding import EXTENSIONS
from keras_sagan.data.sources import options, shards
from keras_sagan.files import tar_files

_OPTIONS = ("image", "label")
_USAGE = (
    "the pictures and labels of WebDataset shards are chosen by the extensions of "
    "their names, as in 'wds:PATH:image=jpg,label=cls'."
)
_LABEL = "cls"
_LONGEST = 1024  # bytes of a label
_META = re.compile(r"__[^/]*__($|/)")  # names that the package `webdataset` ignores


def open_pictures(text):
    """Opens the `Pictures` of a set of shards.

    Args:
        text: str. As for `shards.find`, perhaps with the extensions of pictures and
            labels: `PATH:image=jpg,label=cls`. Labels are whole numbers from 0, or
            names of classes. By default, pictures are recognised by their extensions,
            and labels, if there are any, have the extension "cls".

    Raises:
        FileNotFoundError: if a shard is missing.
        ValueError: if a shard cannot be read, or has several pictures of the same name
            or invalid labels. The message names it.
    """
    path, names = options.parse("wds", text, _OPTIONS, _USAGE)
    image, label = names.get("image"), names.get("label", _LABEL)

    def read(file):
        return _read(file, image, label)

    files = shards.find(path, r"\.tar$", "wds")
    return shards.open_pictures(files, read, unpack=bytes)


def _read(path, image, label):
    """Returns the `shards.Shard` of an archive."""
    shard = shards.Shard(path, [], [], [], [])
    left_out = 0
    with path.open("rb") as file:
        for key, members in _samples(path):
            pictures = [end for end in members if _is_image(end, image)]
            if len(pictures) > 1:
                raise ValueError(
                    f"{key!r} has several pictures ({', '.join(pictures)}): name one, "
                    f"as in 'wds:PATH:image={pictures[0]}'"
                )
            if not pictures:
                left_out += len(members)
                continue
            member = members[pictures[0]]
            shard.names.append(member.name)
            shard.starts.append(member.start)
            shard.sizes.append(member.size)
            shard.labels.append(_label(file, members.get(label)))
    return shard._replace(left_out=left_out)


def _is_image(end, image):
    return end == image if image else f".{end}" in EXTENSIONS


def _samples(path):
    """Yields pairs of a name without extension, and a dict from extensions to members.

    Members that are not files have an extension of their own.
    """
    key, members = None, {}
    for member in tar_files.members(path):
        folder, slash, name = member.name.rpartition("/")
        stem, _, end = name.partition(".")
        if not stem or _META.match(member.name):
            continue
        if member.start is None:
            end = f"{end} that is a link or a device"
        if members and folder + slash + stem != key:
            yield key, members
            members = {}
        key = folder + slash + stem
        if end.lower() in members:
            raise ValueError(f"it has two files {member.name!r}")
        members[end.lower()] = member
    if members:
        yield key, members


def _label(file, member):
    """Returns the number or the name of a class, or `None`."""
    if member is None:
        return None
    if member.size > _LONGEST:
        raise ValueError(
            f"{member.name!r} must be a label of at most {_LONGEST} bytes. Received: "
            f"{member.size}"
        )
    file.seek(member.start)
    try:
        text = file.read(member.size).decode().strip()
    except UnicodeDecodeError as error:
        raise ValueError(f"{member.name!r} must be text: {error}") from error
    if not text:
        raise ValueError(f"{member.name!r} must be a label. Received: nothing")
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else text
