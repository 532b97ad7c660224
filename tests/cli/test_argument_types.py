"""Types of arguments."""

import argparse

import pytest

from keras_sagan.cli import argument_types


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (argument_types.positive_number, "0.5", 0.5),
        (argument_types.truncations, "0.5, none,2", [0.5, None, 2.0]),
        (argument_types.png_file, "a.PNG", "a.PNG"),
    ],
)
def test_values(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (argument_types.positive_number, "-1", "must be above 0"),
        (argument_types.positive_number, "nan", "must be above 0"),
        (argument_types.positive_number, "much", "must be a number. Received: much"),
        (argument_types.truncations, "1,x", "numbers above 0, or none"),
        (argument_types.truncations, "0", "numbers above 0, or none"),
        (argument_types.png_file, "a.jpg", "must end in .png"),
    ],
)
def test_mistakes(parse, text, message):
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        parse(text)
