"""Checks of constructor arguments, with one wording for all."""

import keras


def check_channels_last(name):
    """Raise a `ValueError` where Keras is set to images with channels first."""
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            f"{name} takes images (batch, height, width, channels), channels last: "
            "call keras.config.set_image_data_format('channels_last'). Received: "
            f"image_data_format={keras.config.image_data_format()!r}."
        )


def check_choice(name, value, allowed):
    """Raise a `ValueError` unless `value` is one of `allowed`."""
    if value not in allowed or isinstance(value, bool):
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, allowed))}. "
            f"Received: {name}={value!r}."
        )


def check_positive_integer(name, value, alternative=""):
    """Raise a `ValueError` unless `value` is an integer > 0."""
    if isinstance(value, bool) or not (isinstance(value, int) and value > 0):
        allowed = f"an integer > 0 {alternative}".rstrip()
        raise ValueError(f"`{name}` must be {allowed}. Received: {name}={value!r}.")


def check_fraction(name, value):
    """Raise a `ValueError` unless `value` is in [0, 1)."""
    if not 0 <= value < 1:
        raise ValueError(f"`{name}` must be in [0, 1). Received: {name}={value!r}.")


def check_positive(name, value):
    """Raise a `ValueError` unless `value` > 0."""
    if not value > 0:
        raise ValueError(f"`{name}` must be > 0. Received: {name}={value!r}.")
