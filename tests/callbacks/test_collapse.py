"""Warnings of collapse: planted in a generator, and the shipped one, a healthy one."""

import pathlib
import warnings

import numpy as np
import pytest

from keras_sagan import SAGAN, callbacks
from keras_sagan.callbacks import collapse
from keras_sagan.data.sources import glyphs
from keras_sagan.metrics import array_images
from tests import helpers
from tests.callbacks.attaching import attach
from tests.metrics import digits

SHIPPED = pathlib.Path(__file__).parents[2] / "saved_models" / "glyphs" / "preset"
EVERY = 200


@pytest.fixture(scope="module")
def training():
    return digits.drawn("train", 1000)


@pytest.fixture(scope="module")
def others():
    return digits.drawn("test", 2000)


@pytest.fixture(scope="module")
def gan():
    made = helpers.tiny_gan(10, tuple(glyphs.DIGITS), attention=False)
    made.compile()
    return made


def planted(gan, pictures, monkeypatch):
    """The model, whose pictures of a class are these instead, in their order."""
    images, own = pictures

    def generate(labels, seed, **more):
        rows = [np.flatnonzero(own == label) for label in labels]
        turns = np.asarray(seed) // len(glyphs.DIGITS)  # image i has label i % 10
        return images[[x[i % len(x)] for x, i in zip(rows, turns, strict=True)]]

    monkeypatch.setattr(gan, "generate", generate)
    return gan


def warned(gan, training, steps):
    """Messages by step, and the logs of the last epoch, of epochs of 100 steps."""
    real = array_images(*training, class_names=tuple(glyphs.DIGITS))
    callback = attach(callbacks.CollapseSigns(real, EVERY), gan)
    callback.on_train_begin()
    messages, logs = [], {}
    for step in range(100, steps + 1, 100):
        gan.step_counter.count.assign(step)
        logs = {"d_loss": 1.0}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            callback.on_epoch_end(0, logs)
        own = [w for w in caught if w.category is not DeprecationWarning]
        messages += [(step, str(w.message)) for w in own]
    return messages, logs


@pytest.mark.parametrize(
    ("make", "words", "first"),
    [
        (lambda x: digits.one_mode(x, 10), "repeat each other", EVERY),
        (lambda x: digits.of_colours(x, (1, 3, 5), 1000), "missing", 2 * EVERY),
        (lambda x: x, "copied", EVERY),
    ],
    ids=["one mode", "three colours", "copies"],
)
def test_a_collapse_is_warned_of(
    gan, training, others, monkeypatch, make, words, first
):
    """Once each, though it stays; the logs say what was seen.

    At the first look, kinds may be missing because they have not been learned yet.
    """
    pictures = training if words == "copied" else others
    model = planted(gan, make(pictures), monkeypatch)
    messages, logs = warned(model, training, 3 * EVERY)
    assert [step for step, x in messages if words in x.lower()] == [first]
    assert all(message.startswith(f"Step {step}: ") for step, message in messages)
    assert {"class_coverage", "class_distinct", "copied"} <= set(logs)
    assert logs["d_largest_sigma"] > 0


def test_a_discriminator_that_jumps(gan, training, others, monkeypatch):
    model = planted(gan, others, monkeypatch)
    real = array_images(*training, class_names=tuple(glyphs.DIGITS))
    callback = attach(callbacks.CollapseSigns(real, 1), model, step=1)
    callback.on_epoch_end(0, {})
    kernel = max(gan.discriminator.trainable_weights, key=lambda x: x.numpy().size)
    before = kernel.numpy()
    kernel.assign(100 * kernel)
    gan.step_counter.count.assign(2)
    with pytest.warns(RuntimeWarning, match="Step 2: .* jump"):
        callback.on_epoch_end(1, {})
    kernel.assign(before)


def test_the_shipped_generator_is_healthy(training):
    gan = SAGAN.from_preset(str(SHIPPED))
    messages, logs = warned(gan, training, EVERY)
    assert messages == []
    assert logs["class_distinct"] > 0.5


def test_nothing_is_looked_at_between_or_with_few_images(gan, training, monkeypatch):
    monkeypatch.setattr(gan, "generate", pytest.fail)
    few = [x[:19] for x in training]
    assert warned(gan, few, EVERY) == ([], {"d_loss": 1.0})
    assert warned(gan, training, EVERY - 100) == ([], {"d_loss": 1.0})


def test_the_largest_singular_value(gan):
    found = collapse.largest_singular_value(gan.discriminator)
    norms = [
        np.linalg.norm(np.asarray(x).reshape(-1, x.shape[-1]), 2)
        for x in gan.discriminator.trainable_weights
        if len(x.shape) > 1
    ]
    assert found == pytest.approx(max(norms), rel=1e-5)
