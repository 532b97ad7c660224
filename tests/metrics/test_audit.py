"""The audit: good scores pass on real data, and one that sees nothing is marked."""

import dataclasses
import gzip
import pathlib

import numpy as np
import pytest

from keras_sagan import data
from keras_sagan.metrics import Settings, array_images, audit, registry
from keras_sagan.metrics.computing import Values
from keras_sagan.metrics.extractors import classifier, opening
from keras_sagan.metrics.registry import Metric, Score
from tests.metrics import stripes


@pytest.fixture(scope="module")
def glyphs():
    """600 pictures of glyphs, and a classifier of them trained on others."""
    source = data.load("glyphs", image_size=32, batch_size=1)
    images, labels = source.arrays()
    order = np.random.default_rng(0).permutation(len(images))
    some, rest = order[:600], order[600:1600]
    model = classifier.train_classifier(images[rest], labels[rest], epochs=3)
    real = array_images(images[some], labels[some], class_names=source.class_names)
    extractor = classifier.classifier_extractor(model, source.class_names)
    return real, extractor


METRICS = ("fid", "kid", "rbf", "mind", "prdc", "agreement", "memorization")


FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")  # of Debian


@pytest.fixture(scope="module")
def fashion():
    """3000 test pictures of Fashion-MNIST, and a classifier of training pictures."""
    if not FASHION.is_dir():
        pytest.skip("needs the Debian package dataset-fashion-mnist")

    def read(part, count):
        images = gzip.open(FASHION / f"{part}-images-idx3-ubyte.gz").read()
        labels = gzip.open(FASHION / f"{part}-labels-idx1-ubyte.gz").read()
        images = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28, 1)
        labels = np.frombuffer(labels, np.uint8, offset=8).astype(int)
        return images[:count], labels[:count]

    model = classifier.train_classifier(*read("train", 6000), epochs=2)
    return array_images(*read("t10k", 3000)), classifier.classifier_extractor(model)


@pytest.mark.slow
def test_every_metric_on_fashion_mnist(fashion):
    """Each sees all that it must, but two that are known to see little.

    The Vendi score of cosines is that of 100 pictures as well as of 1000, and the gap
    of small sets is mostly noise.
    """
    metrics = tuple(name for name in registry.METRICS if name != "utility")  # long
    settings = Settings(metrics, allow_few=True, projections=200)
    found = audit(*fashion, settings)
    known = {"vendi_classifier": ("repeated",)}
    missed = {
        name: x
        for name, x in found.missed.items()
        if not name.startswith("frechet_gap")
    }
    assert missed in ({}, known), found.format()
    for name, controls in found.seen.items():
        if not name.startswith(("intra", "agreement")):
            assert not controls["shuffled"], name


@pytest.mark.slow
def test_utility_sees_wrong_labels_and_bad_images():
    """Of small pictures, as every control needs eight trainings."""
    images, labels = stripes.drawn(900, 0)
    settings = Settings(("utility",), seeds=2, steps=40)
    found = audit(array_images(images, labels), opening.no_extractor(), settings)
    for name, faults in (
        ("gan_train", ("repeated", "blurred", "noise", "shuffled")),
        ("gan_test", ("noise", "shuffled")),
    ):
        assert all(found.seen[name][x] for x in faults), found.format()
    for name in ("accuracy_of_real", "utility_of_augmentation"):
        assert name not in found.scores  # they are not about the images


@pytest.fixture(scope="module")
def found(glyphs):
    settings = Settings(METRICS, allow_few=True, projections=100)
    return audit(*glyphs, settings)


def test_what_scores_see(found):
    """Distances see pixels; sets of 200 are too small for a class that is missing."""
    seen = {
        name: {control for control, x in controls.items() if x}
        for name, controls in found.seen.items()
    }
    faults = {"repeated", "blurred", "noise"}
    for name in ("frechet_distance", "kernel_distance", "kernel_distance_rbf"):
        assert faults <= seen[f"{name}_classifier"], name
    assert "copies" in seen["memorization_share_classifier"]
    assert "copies" not in seen["frechet_distance_classifier"]
    assert "shuffled" in seen["agreement_classifier"]
    assert "shuffled" not in seen["coverage_classifier"]
    assert not any("deviation" in name for name in found.scores)


def test_the_table(found):
    text = found.format()
    assert "±" in text and " *" in text
    lines = text.splitlines()
    assert lines[0].split() == ["real", *next(iter(found.seen.values()))]
    for name, controls in found.missed.items():
        (line,) = [x for x in lines if x.startswith(name)]
        assert line.count("!") == len(controls)


def test_a_score_that_sees_nothing_is_marked(glyphs, monkeypatch):
    """It looks at the first image only, which every split and control has anew."""

    def compute(real, fake, held_out, settings):
        return Values({"blind": float(fake.features[0].mean())})

    score = Score("blind", sees=frozenset({"noise", "blurred", "repeated"}))
    row = Metric("blind", "x", (score,), compute, frozenset(), "arXiv", "x.")
    monkeypatch.setitem(registry.METRICS, "blind", row)
    real, extractor = glyphs
    small = array_images(real.arrays()[:120], real.labels[:120])
    found = audit(small, extractor, Settings(("blind",)))
    assert "repeated" in found.missed["blind_classifier"]


def test_without_labels(glyphs):
    real, extractor = glyphs
    plain = dataclasses.replace(
        array_images(real.arrays()[:90]), class_names=real.class_names
    )
    found = audit(plain, extractor, Settings(("fid",), allow_few=True))
    (scores,) = found.scores.values()
    assert list(scores) == [
        "real", "repeated", "blurred", "components", "noise", "copies"
    ]  # fmt: skip
