"""What the check of an export notices; in this process, which has TensorFlow."""

import numpy as np
import pytest

from keras_sagan.export.verifying import capi_process, verification


@pytest.fixture(scope="module")
def wanted(conditional_gan):
    return verification.reference(conditional_gan)


def _problems(export, wanted):
    report = capi_process.run_export(export, wanted)
    ours = {"tensorflow was imported", "keras was imported"}
    assert ours <= set(report["problems"])
    return [x for x in report["problems"] if x not in ours]


def test_fine(conditional_export, wanted):
    assert _problems(conditional_export, wanted) == []


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("serving_default/images", 3e-5),
        ("attention/attention_16", 3e-4),
        ("generate/images", 2),
        ("generate_png/image_bytes", 2),
    ],
)
def test_one_wrong_value(conditional_export, wanted, key, change):
    value = wanted[key].copy()
    at = (0,) * value.ndim
    value[at] = value[at] + change if value[at] < 100 else value[at] - change
    problems = _problems(conditional_export, {**wanted, key: value})
    assert len(problems) == 1
    assert problems[0].startswith(f"{key}: ")


def test_too_many_rounded_pixels(conditional_export, wanted):
    value = wanted["generate/images"].copy()
    value[0, :, 0] ^= 1  # three times 96 of 221,184 values
    changed = {**wanted, "generate/images": value}
    assert any("of values differ" in x for x in _problems(conditional_export, changed))


def test_other_outputs(conditional_export, wanted):
    fewer = {k: v for k, v in wanted.items() if k != "attention/attention_16"}
    assert _problems(conditional_export, fewer) == [
        "attention returns ['attention_16', 'images']"
    ]
    fewer = {k: v for k, v in wanted.items() if not k.startswith("attention/")}
    assert "signatures are" in _problems(conditional_export, fewer)[0]


def test_what_is_accepted(conditional_export, wanted):
    more = {**wanted, "classes": np.array(2)}  # label 2 would have to be refused
    problems = _problems(conditional_export, more)
    assert "serving_default accepts label 2" in problems
    assert len(problems) == 4


def test_other_shapes_and_types(conditional_export, wanted):
    for value in (wanted["generate/images"][..., :2], wanted["attention/images"]):
        changed = {**wanted, "generate/images": value}
        (problem,) = _problems(conditional_export, changed)
        assert problem.startswith("generate/images: uint8 (1, 32, 32, 3) at batch")
