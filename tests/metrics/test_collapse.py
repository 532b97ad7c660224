"""Signs of collapse and of copies: planted with real digits, and absent without."""

import numpy as np
import pytest

from keras_sagan.data.sources import glyphs
from keras_sagan.metrics import array_images, collapse
from keras_sagan.visualize.report import diagnosis
from tests.metrics import digits

KINDS = {
    "missing": "Kinds of images are missing",
    "repeated": "Images repeat each other",
    "copied": "Training images are copied",
}


@pytest.fixture(scope="module")
def training():
    return digits.drawn("train", 1500)


@pytest.fixture(scope="module")
def others():
    return digits.drawn("test", 1600)


@pytest.fixture(scope="module")
def reference(training):
    return collapse.Reference(array_images(*training, class_names=glyphs.DIGITS))


def found(reference, images, labels):
    signs = reference.signs(array_images(images, labels, class_names=glyphs.DIGITS))
    # Kinds that are missing at the first look may not have been learned yet.
    rows = [{"step": x, **signs, "d_largest_sigma": 1.0} for x in (1000, 2000)]
    return signs, [x.name for x in diagnosis.collapsing(rows)]


def test_other_digits_show_no_sign(reference, others):
    signs, names = found(reference, *(x[:1000] for x in others))
    assert names == []
    for name in ("coverage", "precision", "recall"):
        assert signs[f"class_{name}"] > 0.8
    assert signs["class_distinct"] > 0.7
    assert signs["copied"] < 0.03


def test_one_picture_a_class(reference, others):
    _, names = found(reference, *digits.one_mode(others, 1000))
    assert KINDS["repeated"] in names and KINDS["copied"] not in names


@pytest.mark.parametrize("colours", [(0, 1, 2), (1, 3, 5)])
def test_three_of_six_colours(reference, others, colours):
    some = digits.of_colours(others, colours, 1000)
    assert found(reference, *some)[1] == [KINDS["missing"]]


def test_copies(reference, training):
    images, labels = (x[:1000] for x in training)
    signs, names = found(reference, images, labels)
    assert names == [KINDS["copied"]]
    assert signs["copied"] == 1.0
    noise = np.random.default_rng(0).normal(0, 4, images.shape)
    noisy = np.clip(images + noise, 0, 255).astype(np.uint8)
    assert found(reference, noisy, labels)[1] == [KINDS["copied"]]


def test_one_class_alone_has_collapsed(reference, others):
    images, labels = (x[:1000].copy() for x in others)
    images[labels == 3] = images[3]
    signs, names = found(reference, images, labels)
    assert KINDS["repeated"] in names and signs["class_distinct"] == 0
    assert signs["lowest_class"] == 3.0 and signs["class_coverage"] < 0.2


def test_without_classes_all_are_one(training, others):
    reference = collapse.Reference(array_images(training[0]))
    signs = reference.signs(array_images(others[0][:300]))
    assert signs["lowest_class"] == -1.0 and signs["class_coverage"] > 0.8


def test_small_versions_are_means():
    images = np.random.default_rng(0).integers(0, 256, (3, 18, 16, 3), dtype=np.uint8)
    made = collapse._small_versions(array_images(images))
    assert made.shape == (3, 9 * 8 * 3)
    cell = images[2, 2:4, 4:6].astype(float).mean((0, 1))
    np.testing.assert_allclose(made.reshape(3, 9, 8, 3)[2, 1, 2], cell)
