"""Finds duplicate pictures: identical ones, and ones that look alike."""

import collections
import hashlib
import itertools

import numpy as np
from PIL import Image

from keras_sagan.data import images

# Bits in which the hashes of copies may differ. Pictures that were resized or saved as
# JPEG of quality 75 differ in fewer bits, other photographs in far more
# (tests/data/test_duplicates).
NEAR_BITS = 6
BITS = 128

# Smallest correlation of the thumbnails of copies. The hash alone does not tell apart
# objects on a plain background. The smallest correlation measured on copies was 0.9957.
NEAR_CORRELATION = 0.995
THUMBNAIL = (12, 12)

_BANDS = NEAR_BITS + 1  # of a hash: if at most NEAR_BITS bits differ, a band is equal
_MOST_COMPARED = 100  # pictures with the same band with which each is compared
_LEAST_CONTRAST = 8  # of 255, between rows or columns; below, a hash is only noise
_STEP = 2  # of 255; smaller steps are ignored, so that a plain background is constant


def digest(image):
    """Returns a hash of the pixels, size and mode of a picture: 16 bytes."""
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")  # its bytes are indices into a palette
    facts = repr((image.size, image.mode, image.info.get("transparency"))).encode()
    return hashlib.blake2b(facts + image.tobytes(), digest_size=16).digest()


def perceptual_hash(image):
    """Returns a "difference hash", which is similar for pictures that look alike.

    Its bits say whether the brightness increases from one pixel to the next, along the
    rows of a grey copy of 9 x 8 pixels and the columns of one of 8 x 9.

    Args:
        image: `PIL.Image.Image`.

    Returns: 16 bytes, or `None` if the picture has hardly any contrast.
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
    """Returns an RGB copy of 12 x 12 pixels: uint8 array `(432,)`."""
    small = images.converted(image, "RGB").resize(THUMBNAIL, Image.Resampling.BOX)
    return np.asarray(small).ravel()


def equal_groups(digests):
    """Groups the indices of equal values, except `None`.

    Returns:
        list of tuples of at least two indices, in order.
    """
    groups = collections.defaultdict(list)
    for index, value in enumerate(digests):
        if value is not None:
            groups[value].append(index)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def near_groups(hashes, thumbnails):
    """Groups the indices of pictures that look like the first one of their group.

    Two pictures look alike if their hashes differ in at most `NEAR_BITS` bits and their
    thumbnails have a correlation of at least `NEAR_CORRELATION`.

    Args:
        hashes: list of 16 bytes, or of `None` for a picture that is like no other.
        thumbnails: list of uint8 arrays `(432,)`, of the same length.

    Returns:
        list of tuples of at least two indices, in order.
    """
    looks = collections.defaultdict(list)  # so that equal ones are compared only once
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
    """Returns, for each picture, the later ones that look like it: list of sets."""
    near = [set() for _ in hashes]
    if not hashes:
        return near
    bits = np.unpackbits(np.frombuffer(b"".join(hashes), np.uint8)).reshape(-1, BITS)
    pixels = np.frombuffer(b"".join(thumbnails), np.uint8).reshape(len(hashes), -1)
    brightness = pixels.mean(axis=1)
    for columns in np.array_split(np.arange(BITS), _BANDS):
        bands = np.packbits(bits[:, columns], axis=1)
        for bucket in equal_groups(map(bytes, bands)):
            # Copies are about equally bright, so that they are close in this order.
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
    """Correlates a thumbnail with each of others `(n, 432)`: float32 array `(n,)`."""
    first = picture - picture.mean(dtype=np.float32)
    rest = others - others.mean(axis=1, keepdims=True, dtype=np.float32)
    lengths = np.linalg.norm(first) * np.linalg.norm(rest, axis=1)
    return rest @ first / np.maximum(lengths, 1e-6)


def extra(groups):
    """Returns how many pictures could be removed so that one of each group remains."""
    return sum(len(group) for group in groups) - len(groups)


def across_classes(groups, labels):
    """Returns how many groups contain pictures of different classes."""
    return (
        sum(len({labels[index] for index in group}) > 1 for group in groups)
        if labels is not None
        else 0
    )


def named(groups, names):
    """Replaces the indices in groups by names: tuple of tuples of str."""
    return tuple(tuple(names[i] for i in itertools.chain(group)) for group in groups)
