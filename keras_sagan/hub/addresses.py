"""Parses the addresses of models on hubs, which have the form that KerasHub uses."""

import dataclasses
import re

_SCHEMES = ("hf", "kaggle")
_WORD = r"[\w.-]+"
_FORMS = {
    "hf": (
        re.compile(rf"(?P<handle>{_WORD}/{_WORD})(?:@(?P<version>[\w./-]+))?"),
        "hf://USER/NAME or hf://USER/NAME@REVISION",
    ),
    "kaggle": (
        re.compile(rf"(?P<handle>{_WORD}(?:/{_WORD}){{3}})(?:/(?P<version>[0-9]+))?"),
        "kaggle://USER/MODEL/FRAMEWORK/VARIATION or "
        "kaggle://USER/MODEL/FRAMEWORK/VARIATION/VERSION",
    ),
}
FORMS = " or ".join(form for _, form in _FORMS.values())


@dataclasses.dataclass(frozen=True)
class Address:
    """A model on a hub.

    Args:
        scheme: str. `"hf"` or `"kaggle"`.
        handle: str. Name of the model for the client of the hub.
        version: str, or None for the newest. With Hugging Face, a branch, tag or
            commit; with Kaggle, a number.
    """

    scheme: str
    handle: str
    version: str | None = None

    def __str__(self):
        separator = "@" if self.scheme == "hf" else "/"
        version = "" if self.version is None else f"{separator}{self.version}"
        return f"{self.scheme}://{self.handle}{version}"

    @property
    def name(self):
        """str. The last part of the handle."""
        return self.handle.rpartition("/")[2]


def is_address(name):
    """Returns whether `name` begins like an address of a hub, valid or not."""
    return isinstance(name, str) and name.lower().startswith(
        tuple(f"{scheme}://" for scheme in _SCHEMES)
    )


def parse(text):
    """Parses the address of a model, e.g. `"hf://USER/NAME"`.

    Returns: `Address`.

    Raises:
        ValueError: if it has another form.
    """
    scheme, _, rest = str(text).partition("://")
    scheme = scheme.lower()
    if scheme not in _FORMS:
        raise ValueError(f"The address of a model must be {FORMS}. Received: {text!r}.")
    pattern, form = _FORMS[scheme]
    match = pattern.fullmatch(rest)
    if not match:
        raise ValueError(
            f"The address of a model on this hub must be {form}. Received: {text!r}."
        )
    return Address(scheme, **match.groupdict())
