"""Changes of files that leave most of them as they were.

Every function takes a `random.Random`, so that a fuzzer decides what is changed.
"""

import io
import json
import zipfile

ODD = (
    *(None, True, False, 0, -1, 1, 3, 2**31, 2**63, -(2**63), 10**30, 10**400),
    *(0.5, -0.0, 1e-320, 1e308, float("inf"), float("nan"), "", "x", "16", "\x00"),
    *("../../x", "/etc/passwd", "é", "\ud800", "x" * 300, [], {}, [[]], [None], ["x"]),
    *({"class_name": "Lambda"}, {"": None}, [1] * 100, [[[[[[[[[[1]]]]]]]]]]),
)
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
LARGE = (2**16 - 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)


def change_bytes(data, chance):
    """Bytes changed, cut, repeated or replaced by large numbers."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        place = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0 and place < len(data):
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 1 and place < len(data):
            data[place] = chance.choice(NUMBERS)
        elif kind == 2:
            del data[place : place + chance.choice((1, 4, 64, len(data)))]
        elif kind == 3:
            data[place:place] = data[place : place + chance.choice((1, 8, 64))]
        elif kind == 4:
            number = chance.choice(LARGE)
            size = 8 if number >= 2**32 else 4
            data[place : place + size] = number.to_bytes(size, "little")
        else:
            data[place:place] = bytes(chance.randrange(256) for _ in range(8))
    return bytes(data)


def change_json(text, chance):
    """A value somewhere in a JSON text replaced, removed, added, or wrapped."""
    root = [json.loads(text)]
    for _ in range(chance.choice((1, 1, 2, 3))):
        holder, key = chance.choice(list(places(root)))
        kind = chance.randrange(6)
        if kind == 0 and holder is not root:
            del holder[key]
        elif kind == 1 and isinstance(holder, dict):
            holder[chance.choice(("x", "", "class_name", "config"))] = holder[key]
        elif kind == 2:
            holder[key] = [holder[key]]
        elif kind == 3:
            other, its = chance.choice(list(places(root)))
            holder[key] = json.loads(json.dumps(other[its]))
        else:
            holder[key] = chance.choice(ODD)
    return json.dumps(root[0]).encode()


def places(value):
    """All (container, key) pairs."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def change_archive(data, chance, change=change_bytes):
    """An archive with an entry changed, with sizes and checksums that fit."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        methods = {x.filename: x.compress_type for x in archive.infolist()}
    wanted = chance.choice(list(methods))

    def edit(name, content):
        if name != wanted:
            return name, content, methods[name]
        content = change(content, chance)
        method = chance.choice((methods[name],) * 2 + METHODS)
        if chance.random() < 0.1:
            name = chance.choice(("../x", "/x.npy", *methods))
        return name, content, method

    return repacked(data, edit)


def repacked(data, change):
    """An archive whose entries were changed, with sizes and checksums that fit.

    Args:
        data: bytes of a zip archive.
        change: function of (name, bytes) that returns `(name, bytes, method)`.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            edited, content, method = change(name, old.read(name))
            new.writestr(zipfile.ZipInfo(edited), content, method)
    return file.getvalue()
