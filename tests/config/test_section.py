"""What all sections have in common: types, rules, files, documentation."""

import dataclasses
import re

import numpy as np
import pytest

from keras_sagan.config import section as sections
from keras_sagan.config.run import SECTIONS as PARTS
from keras_sagan.config.section import Section, Setting, section, setting
from tests.config.sections import MODEL, SECTIONS


@section
class Small(Section):
    """For the tests."""

    count: int = setting(3, "how many", least=1)
    share: float = setting(0.5, "how much", above=0, most=1, added_later=True)
    limit: float | None = setting(None, "at most", least=0, none="no limit")
    kind: str | None = setting(None, "which", choices=("a", "b"))
    wide: bool = setting(False, "whether")
    sizes: tuple[int, ...] = setting((), "which sizes")
    weights: tuple[float, ...] | None = None


@pytest.mark.parametrize(("cls", "values"), SECTIONS)
def test_table_covers_every_field_at_another_value(cls, values):
    default = cls()
    assert {field.name for field in dataclasses.fields(cls)} == set(values)
    for name, value in values.items():
        assert getattr(default, name) != value
        assert getattr(cls(**values), name) == value


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("count", 0, "an integer of at least 1"),
        ("count", 2.0, "an integer of at least 1"),
        ("count", True, "an integer of at least 1"),
        ("count", None, "an integer of at least 1"),
        ("count", np.int64(0), "an integer of at least 1"),
        ("count", np.float64(2), "an integer of at least 1"),
        ("count", np.array([1, 2]), "an integer of at least 1"),
        ("count", 2**63, "an integer of at least 1 (of 64 bits)"),
        ("share", 0, "a number in (0, 1]"),
        ("share", float("nan"), "a number in (0, 1]"),
        ("share", True, "a number in (0, 1]"),
        ("limit", -1, "a number of at least 0, or None for no limit"),
        ("limit", "none", "a number of at least 0, or None for no limit"),
        ("limit", 10**400, "a number of at least 0, or None for no limit"),
        ("kind", "c", "one of 'a', 'b', or None"),
        ("wide", 1, "True or False"),
        ("sizes", 3, "a list of integers"),
        ("sizes", [3, 4.0], "a list of integers"),
        ("weights", ["3"], "a list of numbers, or None"),
    ],
)
def test_errors_say_what_is_allowed(name, value, rule):
    message = f"Argument `{name}` of Small must be {rule}. Received: {name}={value!r}."
    with pytest.raises(ValueError, match=re.escape(message)):
        Small(**{name: value})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"count": np.int64(5)}, 5),
        ({"share": np.float32(0.25)}, 0.25),
        ({"share": 1}, 1.0),
        ({"limit": np.array(2)}, 2.0),
        ({"wide": np.bool_(True)}, True),
        ({"kind": np.str_("a")}, "a"),
        ({"sizes": [1, np.int32(2)]}, (1, 2)),
        ({"sizes": np.array([1, 2])}, (1, 2)),
        ({"weights": np.array([1, 2])}, (1.0, 2.0)),
    ],
)
def test_values_are_pythons_own(values, expected):
    (name,) = values
    value = getattr(Small(**values), name)
    assert value == expected
    assert type(value) is type(expected)
    if isinstance(value, tuple):
        assert [type(x) for x in value] == [type(x) for x in expected]


def test_dictionary_round_trip():
    small = Small(sizes=(1, 2), weights=(0.5,))
    assert small.to_dict()["sizes"] == [1, 2]
    assert Small.from_dict(small.to_dict()) == small


def test_a_file_that_is_older_than_a_setting():
    values = Small(share=0.25).to_dict()
    del values["share"]
    assert Small.from_dict(values) == Small()


@pytest.mark.parametrize("change", ["drop", "add"])
def test_from_dict_names_missing_and_unknown_keys(change):
    values = Small().to_dict()
    if change == "drop":
        del values["count"]
        message = r"Small.*Unknown: \[\]; missing: \['count'\]"
    else:
        values["stepz"] = 3
        message = r"Small.*Unknown: \['stepz'\]; missing: \[\]"
    with pytest.raises(ValueError, match=message):
        Small.from_dict(values)


def test_from_dict_refuses_what_is_no_dictionary():
    with pytest.raises(ValueError, match=r"Small must be given as a dictionary"):
        Small.from_dict([1])


def test_the_docstring_lists_the_settings():
    assert Small.__doc__.startswith("For the tests.\n\nArgs:\n    count: an integer of")
    assert "limit: a number of at least 0, or None for no limit. " in Small.__doc__
    assert "Defaults to None.\n        At most." in Small.__doc__


def test_every_setting_says_what_it_is_for():
    flags = []
    for part in PARTS:
        for field in dataclasses.fields(part.type):
            known = sections.setting_of(field)
            assert known.help and not known.help.endswith("."), field.name
            if known.flag is not None:
                assert re.fullmatch("--[a-z0-9-]+ [A-Z]+", known.flag)
                flags.append(known.flag.split()[0])
            if known.none is not None:
                assert sections.parts(field.type)[2], field.name
    assert len(set(flags)) == len(flags)


def test_a_rule_without_bounds():
    assert Setting("").rule(str) == "a text"
    assert Setting("").rule(tuple[int, ...] | None) == "a list of integers, or None"


def test_sections_cannot_be_changed():
    cls, _ = SECTIONS[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        cls(**MODEL).image_size = 64
