"""Argument checks: what passes, and the wording of what does not."""

import re

import keras
import numpy as np
import pytest

from keras_sagan import layers, models
from keras_sagan.layers import checks


def test_choices_that_pass():
    assert type(checks.check_choice("channels", np.int64(3), (1, 3, 4))) is int
    checks.check_choice("attention", "paper", ("paper", "formula"))


@pytest.mark.parametrize("value", [2, "3", None, True, 3.0])
def test_choices_that_do_not(value):
    message = f"`channels` must be one of 1, 3, 4. Received: channels={value!r}."
    with pytest.raises(ValueError, match=re.escape(message)):
        checks.check_choice("channels", value, (1, 3, 4))


def test_integers_that_pass():
    checks.check_positive_integer("filters", 1)
    checks.check_positive_integer("filters", 10**6)
    assert type(checks.check_positive_integer("filters", np.int32(3))) is int
    assert type(checks.check_positive_integer("filters", np.array(3))) is int


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", None, True, [1]])
def test_integers_that_do_not(value):
    message = f"`filters` must be an integer > 0. Received: filters={value!r}."
    with pytest.raises(ValueError, match=re.escape(message)):
        checks.check_positive_integer("filters", value)


def test_an_alternative_is_named():
    with pytest.raises(ValueError, match=r"an integer > 0 or None\. Received: n=0"):
        checks.check_positive_integer("n", 0, "or None")


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan"), "0.5", None, True])
def test_fractions_that_do_not_pass(value):
    checks.check_fraction("momentum", 0)
    assert type(checks.check_fraction("momentum", np.float32(0.5))) is float
    message = f"`momentum` must be in [0, 1). Received: momentum={value!r}."
    with pytest.raises(ValueError, match=re.escape(message)):
        checks.check_fraction("momentum", value)


@pytest.mark.parametrize("value", [0.0, -1, float("nan"), "1", None, True])
def test_numbers_that_are_not_positive(value):
    checks.check_positive("epsilon", 1e-12)
    assert type(checks.check_positive("epsilon", np.float64(0.5))) is float
    message = f"`epsilon` must be > 0. Received: epsilon={value!r}."
    with pytest.raises(ValueError, match=re.escape(message)):
        checks.check_positive("epsilon", value)


@pytest.mark.parametrize(
    "make",
    [
        layers.SelfAttention2D,
        layers.GatedResidual2D,
        lambda: layers.UpsampleConv2D(4),
        lambda: layers.DownsampleConv2D(4),
        models.Generator,
        models.Discriminator,
    ],
)
def test_channels_first_is_refused(make):
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match=r"channels last.*'channels_first'"):
            make()
    finally:
        keras.config.set_image_data_format("channels_last")
    make()
