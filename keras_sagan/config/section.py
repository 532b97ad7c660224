"""The base class of the configuration's sections: typed, checked, read and written."""

import dataclasses
import math
import types
import typing


class Section:
    """What every section has: typed fields, a check, a dictionary round trip."""

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            object.__setattr__(self, field.name, _typed(self, field, value))
        self.check()

    def check(self):
        """Raises `ValueError` for values of the right type that cannot be used."""

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
        unknown = sorted(set(values) - set(fields))
        missing = sorted(set(fields) - set(values))
        if unknown or missing:
            raise ValueError(
                f"{cls.__name__} needs exactly the keys {sorted(fields)}. "
                f"Unknown: {unknown}; missing: {missing}."
            )
        return cls(
            **{name: _read(fields[name], value) for name, value in values.items()}
        )

    def require(self, condition, name, rule):
        if not condition:
            raise ValueError(
                f"Argument `{name}` of {type(self).__name__} must be {rule}. "
                f"Received: {name}={getattr(self, name)!r}."
            )

    def require_choice(self, name, choices):
        allowed = ", ".join(repr(choice) for choice in choices)
        self.require(getattr(self, name) in choices, name, f"one of {allowed}")


def _typed(section, field, value):
    """The value in its field's type; int serves as float, list as tuple."""
    if typing.get_origin(field.type) is types.UnionType:
        if value is None:
            return None
        kind = next(k for k in typing.get_args(field.type) if k is not type(None))
    else:
        kind = field.type
    if typing.get_origin(kind) is tuple:
        if isinstance(value, (list, tuple)) and all(type(v) is int for v in value):
            return tuple(value)
        kind = "list of int"
    elif kind is float and _is_float(value):
        return float(value)
    elif kind is not float and type(value) is kind:
        return value
    raise ValueError(
        f"Argument `{field.name}` of {type(section).__name__} must be of type "
        f"{getattr(kind, '__name__', kind)}. Received: {field.name}={value!r}."
    )


def _is_float(value):
    """Whether a number is finite, as a float too."""
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
