"""Pictures that are there twice: equal ones, and ones that look alike."""

import collections
import hashlib
import itertools

import numpy as np
from PIL import Image

from keras_sagan.data import images

# Bits of two hashes that may differ: pictures saved again as JPEG of quality 75 or
# resized differ by fewer, other photographs by far more (tests/data/test_duplicates).
NEAR_BITS = 6
BITS = 128

# Least correlation of the thumbnails of two such pictures. Objects on a plain ground
# have nearly the same hash; of copies 0.9957 was the least that was measured.
NEAR_CORRELATION = 0.995
THUMBNAIL = (12, 12)

_BANDS = NEAR_BITS + 1  # of a hash: where NEAR_BITS differ, one band is equal
_MOST_COMPARED = 100  # pictures of one band, each with the next ones
_LEAST_CONTRAST = 8  # of 255 between rows or columns; below, a hash is noise
_STEP = 2  # of 255: a smaller one is none, so that a plain ground is always the same


def digest(image):
    """Of a picture's pixels, size and mode: 16 bytes."""
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")  # its bytes are places in a palette
    facts = repr((image.size, image.mode, image.info.get("transparency"))).encode()
    return hashlib.blake2b(facts + image.tobytes(), digest_size=16).digest()


def perceptual_hash(image):
    """What a picture looks like: 16 bytes, or `None` of one without contrast.

    Whether it grows brighter from each pixel to the next one, in the rows of a 9 x 8
    and the columns of an 8 x 9 grey copy ("difference hash").

    Args:
        image: `PIL.Image.Image`.
    """
    grey = images.converted(image, "L")
    wide, high = (
        np.asarray(grey.resize(size, Image.Resampling.BOX), np.int16)
        for size in ((9, 8), (8, 9))
    )
    steps = np.diff(wide, axis=1), np.diff(high, axis=0)
    if max(np.abs(step).max() for step in steps) < _LEAST_CONTRAST:
        return None
    return np.packbits(
        np.concatenate([step.ravel() > _STEP for step in steps])
    ).tobytes()


def thumbnail(image):
    """A copy of 12 x 12 pixels: uint8 array `(432,)`."""
    small = images.converted(image, "RGB").resize(THUMBNAIL, Image.Resampling.BOX)
    return np.asarray(small).ravel()


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


def near_groups(hashes, thumbnails):
    """Groups of indices of pictures that look like the first one of their group.

    Two look alike where their hashes differ by at most `NEAR_BITS` bits and their
    thumbnails correlate by at least `NEAR_CORRELATION`.

    Args:
        hashes: list of 16 bytes each, or `None`, which is like nothing.
        thumbnails: list of uint8 arrays `(432,)`, as many.

    Returns:
        list of tuples of at least two indices, in order.
    """
    looks = collections.defaultdict(list)  # equal ones are compared once
    for index, (value, small) in enumerate(zip(hashes, thumbnails, strict=True)):
        if value is not None:
            looks[value, small.tobytes()].append(index)
    members = list(looks.values())
    near = _neighbours([hash_ for hash_, _ in looks], [small for _, small in looks])
    groups, taken = [], set()
    for place, first in enumerate(members):
        if place in taken:
            continue
        others = sorted(near[place] - taken)
        taken.update(others)
        group = sorted([*first, *(i for other in others for i in members[other])])
        if len(group) > 1:
            groups.append(tuple(group))
    return groups


def _neighbours(hashes, thumbnails):
    """Of each place the later ones that look like it: list of sets of int."""
    near = [set() for _ in hashes]
    if not hashes:
        return near
    bits = np.unpackbits(np.frombuffer(b"".join(hashes), np.uint8)).reshape(-1, BITS)
    pixels = np.frombuffer(b"".join(thumbnails), np.uint8).reshape(len(hashes), -1)
    brightness = pixels.mean(axis=1)
    for columns in np.array_split(np.arange(BITS), _BANDS):
        bands = np.packbits(bits[:, columns], axis=1)
        for bucket in equal_groups(map(bytes, bands)):
            # Copies are about as bright, so they are among the next ones.
            places = np.array(bucket)[np.argsort(brightness[list(bucket)])]
            for place, first in enumerate(places):
                others = places[place + 1 : place + 1 + _MOST_COMPARED]
                different = (bits[others] != bits[first]).sum(axis=1)
                others = others[different <= NEAR_BITS]
                alike = _correlations(pixels[first], pixels[others])
                for other in others[alike >= NEAR_CORRELATION]:
                    low, high = sorted((int(first), int(other)))
                    near[low].add(high)
    return near


def _correlations(picture, others):
    """Of a thumbnail with each of others `(n, 432)`: float32 array `(n,)`."""
    first = picture - picture.mean(dtype=np.float32)
    rest = others - others.mean(axis=1, keepdims=True, dtype=np.float32)
    lengths = np.linalg.norm(first) * np.linalg.norm(rest, axis=1)
    return rest @ first / np.maximum(lengths, 1e-6)


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
