"""Checks constructor arguments, with the same wording for all layers and models.

The checks convert NumPy scalars to Python numbers, because a layer stores its arguments
in its configuration, which must be serialisable as JSON.
"""

import keras

Tensor = keras.KerasTensor  # in annotations: a tensor of any backend, symbolic or not
Shape = tuple[int | None, ...]


def check_channels_last(name):
    """Raises a `ValueError` if Keras is configured for images with channels first."""
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            f"{name} takes images (batch, height, width, channels), channels last: "
            "call keras.config.set_image_data_format('channels_last'). Received: "
            f"image_data_format={keras.config.image_data_format()!r}."
        )


def check_choice(name, value, allowed):
    """Returns `value`, or raises a `ValueError` unless it is one of `allowed`."""
    value = _as_python(value)
    if isinstance(value, bool | float) or value not in allowed:
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, allowed))}. "
            f"Received: {name}={value!r}."
        )
    return value


def check_positive_integer(name, value, alternative=""):
    """Returns `value`, or raises a `ValueError` unless it is an integer > 0.

    `alternative` is added to what the message says is allowed, e.g. `"or None"`.
    """
    value = _as_python(value)
    if type(value) is not int or value <= 0:  # `isinstance` would accept True
        allowed = f"an integer > 0 {alternative}".rstrip()
        raise ValueError(f"`{name}` must be {allowed}. Received: {name}={value!r}.")
    return value


def check_fraction(name, value):
    """Returns `value`, or raises a `ValueError` unless it is a number in [0, 1)."""
    value = _as_python(value)
    if not (_is_number(value) and 0 <= value < 1):
        raise ValueError(f"`{name}` must be in [0, 1). Received: {name}={value!r}.")
    return value


def check_positive(name, value):
    """Returns `value`, or raises a `ValueError` unless it is a number > 0."""
    value = _as_python(value)
    if not (_is_number(value) and value > 0):
        raise ValueError(f"`{name}` must be > 0. Received: {name}={value!r}.")
    return value


def _as_python(value):
    """Converts a NumPy scalar to a Python number; returns anything else unchanged."""
    scalar = hasattr(value, "item") and getattr(value, "shape", None) == ()
    return value.item() if scalar else value


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)
