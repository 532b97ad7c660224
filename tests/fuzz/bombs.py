"""Small files that would fill memory, or take for ever, if they were believed.

    python -m tests.fuzz.bombs

reads each of them within 512 MiB of memory more than the program has, and prints what
became of it as JSON: `{name: [message, MiB of memory more at the peak, seconds]}`.
"""

import io
import json
import resource
import struct
import sys
import tempfile
import time
import zipfile
import zlib

import h5py
import numpy as np

from tests.fuzz import targets

MEMORY = 512  # MiB


def _archive(entries, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def _zeros(shape):
    """An array file of zeros, as long as its header says."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.zeros(shape, np.uint8))
    return file.getvalue()


def _header(shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def _hdf5(edit):
    with tempfile.NamedTemporaryFile(suffix=".h5") as place:
        with h5py.File(place.name, "w") as file:
            edit(file)
        place.seek(0)
        return place.read()


def _groups_in_themselves(file):
    for name in "ab":
        file[name] = file["/"]


def _endless_array(file):
    file.create_dataset("x", (1 << 40,), "u1", chunks=(1 << 20,))


def _packed_array(file):
    zeros = np.zeros(1 << 28, np.uint8)
    file.create_dataset("x", data=zeros, compression="gzip", chunks=(1 << 20,))


def _pickled(body):
    """A checkpoint of PyTorch whose pickle is `body`."""
    return _archive({"x/data.pkl": body, "x/version": b"3"}, zipfile.ZIP_STORED)


_TUPLES = b"\x80\x02)" + b"2\x86" * 64  # a tuple of itself twice, 64 times


def _wide_tensor():
    """10 GB of the same four bytes."""
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000NtQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00"
    tensor += b"\x8a\x05\x00\x00\x00\x00\x02\x85K\x00\x85\x89}tR"
    body = b"\x80\x02}X\x01\x00\x00\x00w" + tensor + b"s."
    entries = {"x/data.pkl": body, "x/data/0": bytes(4), "x/version": b"3"}
    return _archive(entries, zipfile.ZIP_STORED)


def bombs():
    """All of them: dict of name to (target, bytes)."""
    zeros = _zeros((1 << 28,))
    label = json.dumps({"labels": [["1.png", 10**12]]}).encode()
    keys = b"\x80\x02}" + _TUPLES[2:] + b"K\x01s."
    return {
        "npz: unfolds": ("arrays", _archive({"images.npy": zeros})),
        "npz: huge shape": ("arrays", _archive({"images.npy": _header((1 << 40,))})),
        "npz: huge class": ("arrays", _huge_label()),
        "state: unfolds": ("state", _archive({"x.npy": zeros})),
        "moments: wide": ("moments", targets.npz(mu=np.zeros(1 << 17), sigma=[[1.0]])),
        "moments: unfolds": ("moments", _archive({"mu.npy": zeros})),
        "labels: huge class": ("dataset_json", label),
        "json: deep": ("config", b"[" * 1_000_000),
        "json: long": ("config", b" " * (1 << 28)),
        "weights: in themselves": ("weights", _hdf5(_groups_in_themselves)),
        "weights: endless": ("weights", _hdf5(_endless_array)),
        "weights: packed": ("weights", _hdf5(_packed_array)),
        "keras: unfolds": ("keras", _archive({"model.weights.h5": bytes(1 << 28)})),
        "torch: unfolds": ("torch", _archive({"x/data.pkl": bytes(1 << 28)})),
        "torch: memory of the pickle": (
            "torch",
            _pickled(b"\x80\x02Nr" + struct.pack("<I", 1 << 30) + b"."),
        ),
        "torch: bytes that are not there": (
            "torch",
            _pickled(b"\x80\x05\x96" + struct.pack("<Q", 1 << 33)),
        ),
        "torch: keys": ("torch", _pickled(keys)),
        "torch: wide tensor": ("torch", _wide_tensor()),
        "picture: huge": ("picture", _huge_picture()),
    }


def _huge_label():
    pixels = np.zeros((1, 8, 8), np.uint8)
    return targets.npz(images=pixels, labels=np.array([1 << 60]))


def _huge_picture():
    """A PNG that says that it is 100,000 pixels high and wide."""
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0),
        b"IDAT": zlib.compress(bytes(1 << 20)),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(x)) + k + x + struct.pack(">I", zlib.crc32(k + x))
        for k, x in parts.items()
    )


def main():
    """Reads them all."""
    found = {}
    inputs = bombs()
    pages = int(open("/proc/self/statm").read().split()[0])
    limit = pages * resource.getpagesize() + (MEMORY << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for name, (target, data) in inputs.items():
        with tempfile.TemporaryDirectory() as place:
            open("/proc/self/clear_refs", "w").write("5")  # resets the peak
            before, start = _peak(), time.process_time()
            try:
                said = targets.check(target, place, data)
            except targets.Defect as error:
                said = f"DEFECT {error}"
            found[name] = [said, _peak() - before, time.process_time() - start]
    print(json.dumps(found))


def _peak():
    """MiB of memory that the process has had at most."""
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise OSError("no VmHWM")


if __name__ == "__main__":
    sys.exit(main())
