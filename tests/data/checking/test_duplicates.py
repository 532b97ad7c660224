import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from keras_sagan.data.checking import duplicates


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
    groups = near_groups(images)
    found = [group for group in groups if len(group) == 2]
    assert len(groups) == len(found)
    assert all(second == first + 40 for first, second in found)
    assert len(found) >= 36


def near_groups(images):
    hashes = [duplicates.perceptual_hash(image) for image in images]
    return duplicates.near_groups(hashes, list(map(duplicates.thumbnail, images)))


def objects(count):
    """Shapes of two kinds on black: their hashes are nearly all of the ground."""
    rng = np.random.default_rng(0)
    for i in range(count):
        image = Image.new("RGB", (32, 32))
        x, y = map(int, rng.integers(2, 18, 2))
        color = tuple(rng.integers(80, 256, 3).tolist())
        pen = ImageDraw.Draw(image)
        (pen.ellipse, pen.rectangle)[i % 2]([x, y, x + 10, y + 10], fill=color)
        yield image


def test_objects_on_a_plain_ground_are_no_copies():
    originals = list(objects(300))
    hashes = [duplicates.perceptual_hash(image) for image in originals]
    bits = np.unpackbits(np.frombuffer(b"".join(hashes), np.uint8)).reshape(300, -1)
    near = (bits[:, None] != bits[None]).sum(axis=2) <= duplicates.NEAR_BITS
    assert near.sum() > 3 * 300  # by their hashes alone they would be
    copies = [as_jpeg(image, 90) for image in originals[:20]]
    groups = near_groups([*originals, *copies])
    assert all(any({i, 300 + i} <= set(group) for group in groups) for i in range(20))
    assert duplicates.extra(groups) <= 20 + 10


def test_groups_are_those_of_all_pairs():
    """Against the plain comparison of every pair."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (60, 128))
    for i in range(0, 60, 3):  # chains: the ends differ by more than is near
        for j in (1, 2):
            bits[i + j] = bits[i + j - 1]
            flipped = rng.choice(128, int(rng.integers(1, 9)), replace=False)
            bits[i + j, flipped] ^= 1
    small = rng.integers(0, 256, (60, 432), np.uint8)
    for i in range(60):  # of a chain they are alike, but for every fourth
        small[i] = small[i] if i % 4 == 0 else small[i - i % 3]
    near = (bits[:, None] != bits[None]).sum(axis=2) <= duplicates.NEAR_BITS
    near &= np.corrcoef(small) >= duplicates.NEAR_CORRELATION
    expected, taken = set(), set()
    for i in range(60):
        group = [] if i in taken else [j for j in np.flatnonzero(near[i]) if j >= i]
        group = [int(j) for j in group if j not in taken]
        taken.update(group)
        if len(group) > 1:
            expected.add(tuple(group))
    hashes = [np.packbits(row).tobytes() for row in bits]
    found = duplicates.near_groups([*hashes, None], [*small, small[0]])
    assert set(found) == expected
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
    blank = np.zeros(432, np.uint8)
    assert duplicates.near_groups([None, None], [blank, blank]) == []


def test_groups():
    groups = duplicates.equal_groups([b"x", b"y", b"x", None, None, b"y", b"x"])
    assert groups == [(0, 2, 6), (1, 5)]
    assert duplicates.extra(groups) == 3
    assert duplicates.across_classes(groups, [0, 1, 0, 0, 0, 2, 0]) == 1
    assert duplicates.across_classes(groups, None) == 0
    assert duplicates.named([(0, 2)], ["a", "b", "c"]) == (("a", "c"),)


def test_many_alike_take_no_forever():
    blank = np.zeros(432, np.uint8)
    assert len(duplicates.near_groups([bytes(16)] * 3000, [blank] * 3000)) == 1


def palette(color, places, **info):
    image = Image.fromarray(places, "P")
    image.putpalette([0, 0, 0, *color])
    image.info.update(info)
    return image


def test_palettes_are_part_of_a_picture():
    places = np.random.default_rng(0).integers(0, 2, (32, 32)).astype(np.uint8)
    red, blue = palette((255, 0, 0), places), palette((0, 0, 255), places)
    assert duplicates.digest(red) == duplicates.digest(palette((255, 0, 0), places))
    assert duplicates.digest(red) != duplicates.digest(blue)
    clear = palette((255, 0, 0), places, transparency=0)
    assert duplicates.digest(red) != duplicates.digest(clear)


def test_pictures_of_16_bits_look_like_theirs_of_8():
    grey = scene(0).convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    assert near_groups([grey, deep]) == [(0, 1)]


def test_what_is_transparent_is_seen_as_white():
    masks = [scene(i).convert("L") for i in range(3)]
    black = [Image.merge("RGBA", [Image.new("L", m.size)] * 3 + [m]) for m in masks]
    assert near_groups(black) == []
    assert near_groups([*black, black[1]]) == [(1, 3)]
