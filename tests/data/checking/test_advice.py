import dataclasses
import re

import pytest

from keras_sagan.config.presets import get_preset
from keras_sagan.data.checking import advice
from keras_sagan.data.checking.report import CheckReport

SOUND = CheckReport(
    name="x",
    split="train",
    image_size=64,
    channels=3,
    num_examples=20_000,
    class_counts={"a": 12_000, "b": 8_000},
    widths=(64, 70, 99),
    heights=(64, 80, 99),
    shorter_sides=(64, 70, 99),
    num_enlarged=0,
    num_oblong=100,
    modes={"RGB": 20_000},
    num_transparent=0,
    value_range=(0, 255),
    copies=(),
    near_copies=(),
    extra_copies=0,
    extra_near_copies=20,
    copies_across_classes=0,
    odd=(),
    unreadable=(),
    problems=(),
)


def advised(**changes):
    return " / ".join(advice.advise(dataclasses.replace(SOUND, **changes)))


def test_a_sound_set_needs_its_size_only():
    assert advised() == (
        "image size 64 is the largest that enlarges at most half of the pictures "
        "(median shorter side 70 px): preset sagan_64 on a GPU; without one, "
        "sagan_32_small at 32 x 32 pixels"
    )
    assert advised(num_examples=0) == ""


@pytest.mark.parametrize(
    ("side", "words"),
    [
        (20, "32 is the smallest of the presets and enlarges most .*20 px.* sagan_32_"),
        (32, "image size 32 is the .* sagan_32 on a GPU; without one, sagan_32_small$"),
        (127, "image size 64 .* sagan_64 on a GPU; without one, .* at 32 x 32 pixels$"),
        (128, "image size 128 .* preset sagan_128 on a GPU"),
        (3000, "image size 256 .* preset sagan_128 --image-size 256"),
    ],
)
def test_size(side, words):
    text = advised(shorter_sides=(1, side, 9999))
    assert re.search(words, text), text


def test_the_batches_that_are_known_are_those_of_the_presets():
    for name, known in advice._BATCHES.items():
        training = get_preset(name).training
        assert known == (training.batch_size, training.discriminator_steps)
        assert training.gradient_accumulation_steps == 1


@pytest.mark.parametrize("side", [32, 64, 128, 256])
def test_what_is_advised_is_possible(side):
    for count in range(5, 400):
        text = advised(num_examples=count, shorter_sides=(side, side, side))
        found = re.findall(r"(sagan_\w+)(?: --batch-size (\d+))?", text)
        assert len(found) == 2
        for name, given in found:
            training = get_preset(name).training
            batch_size = int(given or training.batch_size)
            assert batch_size * training.discriminator_steps <= count


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_examples": 9_999}, "advisable: --augment diffaugment"),
        ({"num_examples": 100}, "100 may be too few"),
        ({"num_oblong": 10_000}, "--fit pad"),
        ({"num_examples": 100}, "preset sagan_64 --batch-size 32"),
        ({"num_examples": 1}, "--batch-size 1"),
        ({"modes": {"L": 19_000, "1": 1_000}}, "model.channels=1"),
        ({"num_transparent": 1_000}, "model.channels=4 keeps"),
        ({"class_counts": {"a": 500, "b": 100, "c": 0}}, "5 times as many"),
        ({"extra_copies": 3}, "3 pictures are exact copies"),
        ({"copies_across_classes": 2}, "2 pictures are in several classes"),
        ({"extra_near_copies": 201}, "201 pictures look like others"),
    ],
)
def test_each_fact_has_its_advice(changes, words):
    assert words in advised(**changes)
    assert words not in advised()


def test_nothing_is_said_where_nothing_is_to_be_done():
    assert "augment" not in advised(num_examples=10_000)
    assert "grey" not in advised(modes={"L": 20_000}, channels=1)
    assert "channels=4" not in advised(modes={"RGBA": 20_000}, channels=4)
    assert "commonest" not in advised(class_counts={"a": 499, "b": 100})
    assert "commonest" not in advised(class_counts=None)


def test_oblong():
    assert advice.is_oblong(100, 80) and advice.is_oblong(80, 100)
    assert not advice.is_oblong(99, 80)
    assert advice.three([]) is None
    assert advice.three([3, 1, 8]) == (1, 3, 8)
