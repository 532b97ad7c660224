"""Pictures that are there twice: equal ones, and ones that look alike."""

import collections
import hashlib
import itertools

import numpy as np
from PIL import Image

# Bits of two hashes that may differ: pictures saved again as JPEG of quality 75 or
# resized differ by fewer, different pictures by far more (tests/data/test_duplicates).
NEAR_BITS = 6
BITS = 128

_BANDS = NEAR_BITS + 1  # of a hash: where NEAR_BITS differ, one band is equal
_MOST_COMPARED = 100  # pictures of one band, each with the next ones
_LEAST_CONTRAST = 8  # of 255 between rows or columns; below, a hash is noise


def digest(image):
    """Of a picture's pixels, size and mode: 16 bytes."""
    facts = repr((image.size, image.mode)).encode()
    return hashlib.blake2b(facts + image.tobytes(), digest_size=16).digest()


def perceptual_hash(image):
    """What a picture looks like: 16 bytes, or `None` of one without contrast.

    Signs of the differences between neighbours of a 9 x 8 and an 8 x 9 grey copy
    ("difference hash").

    Args:
        image: `PIL.Image.Image`.
    """
    grey = image if image.mode == "L" else image.convert("RGB").convert("L")
    wide, high = (
        np.asarray(grey.resize(size, Image.Resampling.BOX), np.int16)
        for size in ((9, 8), (8, 9))
    )
    steps = np.diff(wide, axis=1), np.diff(high, axis=0)
    if max(np.abs(step).max() for step in steps) < _LEAST_CONTRAST:
        return None
    return np.packbits(np.concatenate([step.ravel() > 0 for step in steps])).tobytes()


def equal_groups(digests):
    """Groups of indices with the same value, `None` apart.

    Returns:
        list of tuples of at least two indices, in order.
    """
    groups = collections.defaultdict(list)
    for index, value in enumerate(digests):
        if value is not None:
            groups[value].append(index)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def near_groups(hashes):
    """Groups of indices whose hashes are joined by differences of few bits.

    Args:
        hashes: list of 16 bytes each, or `None`.

    Returns:
        list of tuples of at least two indices, in order.
    """
    known = [index for index, value in enumerate(hashes) if value is not None]
    if not known:
        return []
    bits = np.unpackbits(
        np.frombuffer(b"".join(hashes[i] for i in known), np.uint8)
    ).reshape(-1, BITS)
    parent = list(range(len(known)))

    def root(index):
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for columns in np.array_split(np.arange(BITS), _BANDS):
        bands = np.packbits(bits[:, columns], axis=1)
        for bucket in equal_groups(map(bytes, bands)):
            for place, first in enumerate(bucket):
                others = np.array(bucket[place + 1 : place + 1 + _MOST_COMPARED])
                if not len(others):
                    continue
                different = (bits[others] != bits[first]).sum(axis=1)
                for other in others[different <= NEAR_BITS]:
                    low, high = sorted((root(first), root(int(other))))
                    parent[high] = low
    groups = collections.defaultdict(list)
    for place, index in enumerate(known):
        groups[root(place)].append(index)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def extra(groups):
    """How many pictures could go without losing one of a group."""
    return sum(len(group) for group in groups) - len(groups)


def across_classes(groups, labels):
    """How many groups hold pictures of different classes."""
    return (
        sum(len({labels[index] for index in group}) > 1 for group in groups)
        if labels is not None
        else 0
    )


def named(groups, names):
    """The groups with names instead of indices: tuple of tuples of str."""
    return tuple(tuple(names[i] for i in itertools.chain(group)) for group in groups)
