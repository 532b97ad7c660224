"""Checks of constructor arguments, with one wording for all.

They return the argument as Python's own number where NumPy's was given: a layer keeps
it in its configuration, which is JSON.
"""

import keras

Tensor = keras.KerasTensor  # in annotations: of any backend, symbolic or not
Shape = tuple[int | None, ...]


def check_channels_last(name):
    """Raise a `ValueError` where Keras is set to images with channels first."""
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            f"{name} takes images (batch, height, width, channels), channels last: "
            "call keras.config.set_image_data_format('channels_last'). Received: "
            f"image_data_format={keras.config.image_data_format()!r}."
        )


def check_choice(name, value, allowed):
    """Return `value`, or raise a `ValueError` unless it is one of `allowed`."""
    value = _as_python(value)
    if isinstance(value, bool | float) or value not in allowed:
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, allowed))}. "
            f"Received: {name}={value!r}."
        )
    return value


def check_positive_integer(name, value, alternative=""):
    """Return `value`, or raise a `ValueError` unless it is an integer > 0."""
    value = _as_python(value)
    if type(value) is not int or value <= 0:
        allowed = f"an integer > 0 {alternative}".rstrip()
        raise ValueError(f"`{name}` must be {allowed}. Received: {name}={value!r}.")
    return value


def check_fraction(name, value):
    """Return `value`, or raise a `ValueError` unless it is a number in [0, 1)."""
    value = _as_python(value)
    if not (_is_number(value) and 0 <= value < 1):
        raise ValueError(f"`{name}` must be in [0, 1). Received: {name}={value!r}.")
    return value


def check_positive(name, value):
    """Return `value`, or raise a `ValueError` unless it is a number > 0."""
    value = _as_python(value)
    if not (_is_number(value) and value > 0):
        raise ValueError(f"`{name}` must be > 0. Received: {name}={value!r}.")
    return value


def _as_python(value):
    """NumPy's number as Python's; anything else as it is."""
    scalar = hasattr(value, "item") and getattr(value, "shape", None) == ()
    return value.item() if scalar else value


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)
