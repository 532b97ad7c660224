import pytest

from keras_sagan.cli.settings import FLAGS, parse_setting, parse_value
from keras_sagan.config.run import SETTINGS


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("32", 32),
        ("2e-4", 2e-4),
        (".5", 0.5),
        ("none", None),
        ("None", None),
        ("true", True),
        ("false", False),
        ("16,32", (16, 32)),
        ("[16]", [16]),
        ("[]", []),
        ("hinge", "hinge"),
        ("folder:/a/b-c", "folder:/a/b-c"),
        ("", ""),
    ],
)
def test_parse_value(text, value):
    parsed = parse_value(text)
    assert parsed == value and type(parsed) is type(value)


def test_parse_setting_splits_at_the_first_equals_sign():
    assert parse_setting("data.cache_dir = a=b") == ("data.cache_dir", "a=b")


def test_parse_setting_needs_an_equals_sign():
    with pytest.raises(ValueError, match=r"section\.field=value\. Received: 'x'"):
        parse_setting("x")


def test_flags_are_for_different_settings():
    settings = [flag.setting for flags in FLAGS.values() for flag in flags]
    assert set(settings) <= set(SETTINGS)
    assert len(set(settings)) == len(settings)
