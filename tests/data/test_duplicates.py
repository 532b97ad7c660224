import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from keras_sagan.data import duplicates


def scene(seed, size=160):
    """Coloured discs on a sloping ground: what a photograph has, roughly."""
    rng = np.random.default_rng(seed)
    ground = np.linspace(rng.integers(40, 120), rng.integers(130, 250), size)
    image = Image.fromarray(np.tile(ground.astype(np.uint8), (size, 1))).convert("RGB")
    image = image.rotate(int(rng.integers(4)) * 90)
    pen = ImageDraw.Draw(image)
    for _ in range(7):
        x, y, r = (int(rng.integers(*ends)) for ends in [(0, size), (0, size), (8, 40)])
        color = tuple(rng.integers(0, 256, 3).tolist())
        pen.ellipse([x - r, y - r, x + r, y + r], fill=color)
    return image


def as_jpeg(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


COPIES = {
    "jpeg": lambda image: as_jpeg(image, 75),
    "smaller": lambda image: image.resize((96, 96)),
    "larger": lambda image: image.resize((300, 300), Image.Resampling.BICUBIC),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "palette": lambda image: image.quantize(64),
}


@pytest.mark.parametrize("copy", COPIES)
def test_copies_look_alike_and_others_do_not(copy):
    originals = [scene(seed) for seed in range(40)]
    images = [*originals, *(COPIES[copy](image) for image in originals)]
    hashes = [duplicates.perceptual_hash(image) for image in images]
    groups = duplicates.near_groups(hashes)
    found = [group for group in groups if len(group) == 2]
    assert len(groups) == len(found)
    assert all(second == first + 40 for first, second in found)
    assert len(found) >= 36


def test_groups_are_those_of_all_pairs():
    """Against the plain comparison of every pair."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (60, 128))
    for i in range(0, 60, 3):  # chains: the ends differ by more than is near
        for j in (1, 2):
            bits[i + j] = bits[i + j - 1]
            flipped = rng.choice(128, int(rng.integers(1, 9)), replace=False)
            bits[i + j, flipped] ^= 1
    distance = (bits[:, None] != bits[None]).sum(axis=2) <= duplicates.NEAR_BITS
    reach = np.linalg.matrix_power(distance.astype(float), 60) > 0
    expected = {tuple(np.flatnonzero(row)) for row in reach if row.sum() > 1}
    hashes = [np.packbits(row).tobytes() for row in bits]
    assert set(duplicates.near_groups([*hashes, None])) == expected
    assert len(expected) > 5


def test_equal_pictures_have_equal_digests():
    image = scene(0)
    same = duplicates.digest(image.copy())
    assert duplicates.digest(image) == same
    image.putpixel((3, 3), (1, 2, 3))
    assert duplicates.digest(image) != same
    assert duplicates.digest(Image.new("L", (4, 2))) != duplicates.digest(
        Image.new("L", (2, 4))
    )


def test_flat_pictures_have_no_hash():
    assert duplicates.perceptual_hash(Image.new("RGB", (50, 50), (9, 9, 9))) is None
    assert duplicates.near_groups([None, None]) == []


def test_groups():
    groups = duplicates.equal_groups([b"x", b"y", b"x", None, None, b"y", b"x"])
    assert groups == [(0, 2, 6), (1, 5)]
    assert duplicates.extra(groups) == 3
    assert duplicates.across_classes(groups, [0, 1, 0, 0, 0, 2, 0]) == 1
    assert duplicates.across_classes(groups, None) == 0
    assert duplicates.named([(0, 2)], ["a", "b", "c"]) == (("a", "c"),)


def test_many_alike_take_no_forever():
    assert len(duplicates.near_groups([bytes(16)] * 3000)) == 1
