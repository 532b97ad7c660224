"""The base class of the sections of the configuration.

Each setting is described in one place, its `setting(...)`: its default, its purpose,
the values that are allowed and its flag on the command line. Checks, error messages,
the docstring of the class and the help of `keras-sagan train` are made from this.
"""

import dataclasses
import math
import types
import typing

_NAMES = {int: "an integer", float: "a number", str: "a text", bool: "True or False"}
_LARGEST = 2**63 - 1  # largest integer of TensorFlow and NumPy


@dataclasses.dataclass(frozen=True)
class Setting:
    """Describes a setting, except for its type and its default.

    Args:
        help: str. What it is for, as shown by `--help`.
        flag: str, or None. Its flag of `keras-sagan train` and the unit or kind of its
            value, e.g. `"--batch-size IMAGES"`.
        choices: tuple of the allowed values; `()` for all within the bounds.
        least: number, or None. Inclusive lower bound.
        above: number, or None. Exclusive lower bound.
        most: number, or None. Inclusive upper bound.
        below: number, or None. Exclusive upper bound.
        none: str, or None. What the value `None` means, if the type allows it.
        added_later: bool. Whether a file may lack it, because it was written before the
            setting existed. It gets the default then.
    """

    help: str
    flag: str | None = None
    choices: tuple = ()
    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None
    none: str | None = None
    added_later: bool = False

    def allows(self, value):
        """Returns whether a value of the right type is allowed."""
        return (
            (not self.choices or value in self.choices)
            and (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
            and (self.below is None or value < self.below)
            and not _is_huge(value)
        )

    def rule(self, annotation, value=None):
        """Says which values are allowed, e.g. "an integer of at least 1, or None".

        Args:
            annotation: type of the field, e.g. `int | None`.
            value: the value that was refused, if any.
        """
        kind, item, optional = parts(annotation)
        if self.choices:
            text = f"one of {', '.join(map(repr, self.choices))}"
        elif item is not None:
            text = f"a list of {_NAMES[item].split()[-1]}s"
        else:
            text = _NAMES.get(kind, f"of type {kind.__name__}") + self._bounds()
        if _is_huge(value):
            text += " (of 64 bits)"
        meaning = f" for {self.none}" if self.none else ""
        return f"{text}, or None{meaning}" if optional else text

    def _bounds(self):
        low = self.least if self.above is None else self.above
        high = self.most if self.below is None else self.below
        if high is not None:
            begin = "[" if self.above is None else "("
            end = "]" if self.below is None else ")"
            return f" in {begin}{low}, {high}{end}"
        if low is not None:
            return f" of at least {low}" if self.above is None else f" above {low}"
        return ""


def _is_huge(value):
    return type(value) is int and abs(value) > _LARGEST


def setting(default, *args, **kwargs):
    """Returns a field of a section, from its default and the arguments of `Setting`."""
    known = Setting(*args, **kwargs)
    return dataclasses.field(default=default, metadata={"setting": known})


def setting_of(field):
    """Returns the `Setting` of a dataclass field, or one that allows everything."""
    return field.metadata.get("setting", Setting(""))


@typing.dataclass_transform(frozen_default=True, field_specifiers=(setting,))
def section(cls):
    """Turns a class into a frozen dataclass whose docstring lists its settings."""
    cls = dataclasses.dataclass(frozen=True)(cls)
    lines = ["\n\nArgs:"]
    for field in dataclasses.fields(cls):
        known = setting_of(field)
        meaning = known.help[:1].upper() + known.help[1:]
        rule = known.rule(field.type)
        lines.append(f"    {field.name}: {rule}. Defaults to {field.default!r}.")
        lines.append(f"        {meaning}.")
    cls.__doc__ = (cls.__doc__ or "").rstrip() + "\n".join(lines) + "\n"
    return cls


def parts(annotation):
    """Splits the type of a field into its parts.

    Args:
        annotation: a type, a `tuple[item, ...]`, or one of these `| None`.

    Returns: `(type, type of its items or None, whether None is allowed)`.
    """
    optional = typing.get_origin(annotation) is types.UnionType
    if optional:
        kinds = typing.get_args(annotation)
        annotation = next(kind for kind in kinds if kind is not types.NoneType)
    if typing.get_origin(annotation) is tuple:
        return tuple, typing.get_args(annotation)[0], optional
    return annotation, None, optional


class Section:
    """Base class of the sections, whose fields are checked and stored as JSON."""

    _owner = None  # name of the owner in messages; None for that of the class

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = _typed(field.type, getattr(self, field.name))
            known = setting_of(field)
            allowed = value is not _WRONG and (value is None or known.allows(value))
            self.require(allowed, field.name, known.rule(field.type, value))
            object.__setattr__(self, field.name, value)
        self.check()

    def check(self):
        """Raises a `ValueError` for values that are not allowed together."""

    def to_dict(self):
        """Returns the section as a nested dictionary of JSON values."""
        return {
            field.name: _plain(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }

    @classmethod
    def from_dict(cls, values):
        """Creates the section from a dictionary that `to_dict` returned.

        Raises:
            ValueError: if a key is unknown or missing, or if a value is not allowed.
        """
        if not isinstance(values, dict):
            raise ValueError(
                f"{cls.__name__} must be given as a dictionary. Received: {values!r}."
            )
        fields = {field.name: field for field in dataclasses.fields(cls)}
        needed = {x for x, field in fields.items() if not setting_of(field).added_later}
        unknown = sorted(set(values) - set(fields))
        missing = sorted(needed - set(values))
        if unknown or missing:
            raise ValueError(
                f"{cls.__name__} needs exactly the keys {sorted(fields)}. "
                f"Unknown: {unknown}; missing: {missing}."
            )
        return cls(
            **{name: _read(fields[name], value) for name, value in values.items()}
        )

    def require(self, condition, name, rule):
        """Raises a `ValueError` about the argument `name` unless `condition` holds."""
        if not condition:
            owner = f"`{self._owner}`" if self._owner else type(self).__name__
            raise ValueError(
                f"Argument `{name}` of {owner} must be {rule}. "
                f"Received: {name}={getattr(self, name)!r}."
            )


_WRONG = object()


def _typed(annotation, value):
    """Converts a value to the type of its field, or returns `_WRONG`.

    An integer is accepted as a number, a list as a tuple, and NumPy numbers and arrays
    as those of Python.
    """
    kind, item, optional = parts(annotation)
    if hasattr(value, "tolist"):  # a NumPy number or array
        value = value.tolist()
    if value is None and optional:
        return None
    if kind is tuple:
        if not isinstance(value, (list, tuple)):
            return _WRONG
        values = tuple(_typed(item, each) for each in value)
        return _WRONG if _WRONG in values else values
    if kind is float:
        return float(value) if _is_finite(value) else _WRONG
    return value if type(value) is kind else _WRONG


def _is_finite(value):
    """Returns whether a value is a number that is finite as a float."""
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False


def _plain(value):
    if isinstance(value, Section):
        return value.to_dict()
    return list(value) if isinstance(value, tuple) else value


def _read(field, value):
    if dataclasses.is_dataclass(field.type):
        return field.type.from_dict(value)
    return value
