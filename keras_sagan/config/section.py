"""The base class of the configuration's sections: typed, checked, read and written.

All that is known about a setting stands beside it, in `setting(...)`: its default,
what it is for, which values are allowed, and its flag on the command line. Checks,
error messages, the documentation of the class and the help of `keras-sagan train` are
made from that.
"""

import dataclasses
import math
import types
import typing

_NAMES = {int: "an integer", float: "a number", str: "a text", bool: "True or False"}
_LARGEST = 2**63 - 1  # integer of TensorFlow and NumPy


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is known about a setting beside its type and its default.

    Args:
        help: str. What it is for, as `--help` says it.
        flag: str, or None. Its flag of `keras-sagan train` and the unit or kind of its
            value, e.g. `"--batch-size IMAGES"`.
        choices: tuple of the values that are allowed; `()` for all within the bounds.
        least: number, or None. Lower bound, which is allowed.
        above: number, or None. Lower bound, which is not allowed.
        most: number, or None. Upper bound, which is allowed.
        below: number, or None. Upper bound, which is not allowed.
        none: str, or None. What the value `None` means, where the type has it.
        added_later: bool. Files that are older than this setting lack it: they mean
            its default.
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
        """Whether a value of the right type is one of the choices and in the bounds."""
        return (
            (not self.choices or value in self.choices)
            and (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
            and (self.below is None or value < self.below)
            and not _is_huge(value)
        )

    def rule(self, annotation, value=None):
        """What is allowed, e.g. `"an integer of at least 1, or None for no limit"`.

        Args:
            annotation: type of the field, e.g. `int | None`.
            value: what is not allowed, where there is something.
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
    """A field of a section; the arguments after the default are those of `Setting`."""
    known = Setting(*args, **kwargs)
    return dataclasses.field(default=default, metadata={"setting": known})


def setting_of(field):
    """The `Setting` of a dataclass field: one without bounds if it was given none."""
    return field.metadata.get("setting", Setting(""))


@typing.dataclass_transform(frozen_default=True, field_specifiers=(setting,))
def section(cls):
    """Class decorator: a frozen dataclass whose docstring lists its settings."""
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
    """What a field's type consists of.

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
    """What every section has: typed fields, checks, a dictionary round trip."""

    _owner = None  # what messages call the owner of the arguments; None: the class

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = _typed(field.type, getattr(self, field.name))
            known = setting_of(field)
            allowed = value is not _WRONG and (value is None or known.allows(value))
            self.require(allowed, field.name, known.rule(field.type, value))
            object.__setattr__(self, field.name, value)
        self.check()

    def check(self):
        """Raises `ValueError` for values that are allowed, but not together."""

    def to_dict(self):
        """Returns the section as a dictionary of JSON values, nested as it is."""
        return {
            field.name: _plain(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }

    @classmethod
    def from_dict(cls, values):
        """Returns the section from what `to_dict` gave.

        Raises:
            ValueError: if a key is unknown or missing, or a value is not allowed.
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
        """Raises `ValueError` about the argument `name` unless `condition` holds."""
        if not condition:
            owner = f"`{self._owner}`" if self._owner else type(self).__name__
            raise ValueError(
                f"Argument `{name}` of {owner} must be {rule}. "
                f"Received: {name}={getattr(self, name)!r}."
            )


_WRONG = object()


def _typed(annotation, value):
    """The value in its field's type, or `_WRONG`.

    An integer serves as a number, a list as a tuple, and what NumPy holds as what
    Python does.
    """
    kind, item, optional = parts(annotation)
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
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
    """Whether it is a number, and finite as a float too."""
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
