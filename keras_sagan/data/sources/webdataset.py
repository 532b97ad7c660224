"""Reading WebDataset shards: `wds:PATH`.

Tar archives in which the files of one picture stand together and are called alike:
`00012.jpg`, `00012.cls`. Python's `tarfile` finds them and nothing is unpacked. The
package `webdataset` would run commands that a name of a shard holds, load pickles, and
read in stored order only.
"""

import re

from keras_sagan.data.decoding import EXTENSIONS
from keras_sagan.data.sources import options, shards
from keras_sagan.files import tar_files

_OPTIONS = ("image", "label")
_USAGE = (
    "the pictures and labels of WebDataset shards are named by what ends their files' "
    "names, as in 'wds:PATH:image=jpg,label=cls'."
)
_LABEL = "cls"
_LONGEST = 1024  # bytes of a label
_META = re.compile(r"__[^/]*__($|/)")  # what the package `webdataset` leaves out


def open_pictures(text):
    """The `Pictures` of a set of shards.

    Args:
        text: str. As for `shards.find`, perhaps with the names of what is read:
            `PATH:image=jpg,label=cls`. Labels are whole numbers from 0, or names of
            classes. By default the pictures are what is called like one, and labels
            are in "cls" where there are some.

    Raises:
        FileNotFoundError: if a shard is missing.
        ValueError: if a shard cannot be read, holds several pictures under one name, or
            labels that are none; the message names it.
    """
    path, names = options.parse("wds", text, _OPTIONS, _USAGE)
    image, label = names.get("image"), names.get("label", _LABEL)

    def read(file):
        return _read(file, image, label)

    found = shards.find(path, r"\.tar$", "wds")
    return shards.open_pictures(found, read, unpack=bytes)


def _read(path, image, label):
    """The `shards.Shard` of an archive."""
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
    """Yields pairs of a name without its end, and dict of the ends to members.

    What is no file has an end of its own.
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
    """A number or a name of a class, or `None`."""
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
