"""Utility: generators that are known to help, and not to; what is refused."""

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from keras_sagan.metrics import utility, utility_check
from keras_sagan.metrics.extractors import classifier
from tests.metrics.stripes import CLASSES, SIZE, drawn

SETTINGS = {"seeds": 3, "steps": 60, "mirror": True}


@pytest.fixture(scope="module")
def few():
    return drawn(40, 0)


@pytest.fixture(scope="module")
def held_out():
    return drawn(400, 1)


@pytest.fixture(scope="module")
def useful(few, held_out):
    """What more pictures of the same distribution are good for."""
    return utility_check(few, drawn(2000, 2), held_out, **SETTINGS)


@pytest.mark.slow
def test_more_of_the_same_helps(useful):
    scores = useful.scores
    assert useful.conclusion.startswith("Adding these images helps:")
    low, high = useful.intervals["utility"]
    assert 0 < low < scores["utility"] < high
    assert scores["gan_train"] > scores["accuracy_of_real"]
    assert scores["gan_test"] == pytest.approx(scores["accuracy_of_real"], abs=0.05)
    parts = scores["utility_of_augmentation"] + scores["utility_over_augmentation"]
    assert scores["utility"] == pytest.approx(parts)
    for name, column in useful.by_class.items():  # classes are equally frequent
        assert np.mean([*column.values()]) == pytest.approx(scores[name])


@pytest.mark.slow
def test_noise_does_not_help(few, held_out):
    noise = np.random.default_rng(3).integers(0, 256, (2000, SIZE, SIZE, 1), np.uint8)
    labels = np.arange(2000) % CLASSES
    found = utility_check(few, (noise, labels), held_out, **SETTINGS)
    assert found.conclusion.startswith("Adding these images does not")
    for name in ("gan_train", "gan_test"):
        assert found.scores[name] == pytest.approx(1 / CLASSES, abs=0.08)


@pytest.mark.slow
def test_accuracies_are_those_of_new_networks(useful, few, held_out):
    """One network is used again and again; here each training has its own."""
    found = []
    for seed in range(SETTINGS["seeds"]):
        keras.utils.set_random_seed(seed)
        model = classifier.small_network(few[0].shape[1:], CLASSES)
        for rows in utility.batches_of(np.arange(40), SETTINGS["steps"], seed):
            model.train_on_batch(few[0][rows].astype(np.float32), few[1][rows])
        guesses = model.predict(held_out[0].astype(np.float32), verbose=0).argmax(1)
        found.append(accuracy_score(held_out[1], guesses))
    assert useful.scores["accuracy_of_real"] == pytest.approx(np.mean(found), abs=1e-3)


def test_a_training_begins_like_a_new_network(few):
    model = classifier.small_network(few[0].shape[1:], CLASSES)
    model.optimizer.build(model.trainable_variables)
    start = [np.array(x) for x in model.optimizer.variables]
    kernels = []
    for seed in range(2):
        model.train_on_batch(few[0].astype(np.float32), few[1])
        utility._restart(model, start, seed)
        keras.utils.set_random_seed(seed)
        new = classifier.small_network(few[0].shape[1:], CLASSES)
        for own, expected in zip(model.weights, new.weights, strict=True):
            np.testing.assert_array_equal(own, expected)
        for own, expected in zip(model.optimizer.variables, start, strict=True):
            np.testing.assert_array_equal(own, expected)
        kernels.append(np.array(model.weights[0]))
    assert (kernels[0] != kernels[1]).any()


def test_passes_over_the_images():
    rows = np.arange(100, 150)
    found = utility.batches_of(rows, 2, 0)
    assert found.shape == (2, 128)
    for start in range(0, 250, 50):
        assert sorted(found.ravel()[start : start + 50]) == list(rows)
    assert (found != utility.batches_of(rows, 2, 1)).any()


@pytest.mark.parametrize("mirror", [False, True])
def test_plain_augmentation_shifts_by_whole_pixels(mirror):
    """Every result is one of the 25 shifts by up to two pixels; many of them occur."""
    image = np.random.default_rng(0).uniform(0, 255, (16, 16, 1)).astype(np.float32)
    known = {}
    for turned in (False, True):
        padded = np.pad(
            image[:, ::-1] if turned else image, [(2, 2)] * 2 + [(0, 0)], "edge"
        )
        for y in range(5):
            for x in range(5):
                known[padded[y : y + 16, x : x + 16].tobytes()] = (turned, y, x)
    found = np.array(utility.shifts(1, mirror)(np.stack([image] * 64)))
    places = {known[one.tobytes()] for one in found}
    assert len(places) > 10
    assert {turned for turned, _, _ in places} == ({False, True} if mirror else {False})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": 1}, "`seeds` must be an integer of at least 2.*seeds=1"),
        ({"steps": 0}, "`steps` must be an integer of at least 1"),
        ({"fake": (np.zeros((4, 8, 8, 3), np.uint8), np.arange(4))}, "`fake` .*shape"),
        ({"held_out": (np.zeros((4, 8, 8, 1)), np.arange(4))}, "`held_out` .*float64"),
        ({"held_out": (np.zeros((4, 8, 8, 1), np.uint8), np.zeros(4, int))}, "two cl"),
        ({"fake": (np.zeros((4, 8, 8, 1), np.uint8), -np.arange(4))}, "at least 0"),
        ({"fake": (np.zeros((4, 8, 8, 1), np.uint8), np.arange(3))}, r"shape \(3,\)"),
    ],
)
def test_what_is_refused(few, held_out, change, message):
    given = {"real": few, "fake": few, "held_out": held_out, **change}
    with pytest.raises(ValueError, match=message):
        utility_check(**given)
