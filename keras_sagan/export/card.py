"""The model card in an export, which says what is known about the model.

`assets.extra/model.json` is for programs, and `assets.extra/README.md` says the same to
people. Both depend on the model and its run only, not on when they were written.
"""

import contextlib
import importlib.metadata
import math
import pathlib

import keras_sagan
from keras_sagan.files import json_files, writing

FILE, TEXT = "model.json", "README.md"
_MOST_CLASSES = 1_000_000  # in a card, as each class gets a name

_LARGEST = 2**53  # weight of a class, up to which floats hold all integers

_INTENDED_USE = (
    "Generating pictures similar to the training data, for data augmentation, teaching "
    "and research on generative models."
)
_LIMITATIONS = (
    "Pictures may not look like their class, and they repeat biases of the training "
    "data.",
    "What may be done with the pictures depends on the training data; see `data`.",
    "A low truncation makes pictures more typical and less varied.",
)
_STATISTICS = ("u", "v", "moving_mean", "moving_variance")
_PACKAGES = ("keras_sagan", "keras", "tensorflow")


def model_card(
    generator,
    name,
    class_names=None,
    facts=None,
    metrics=(),
    license=None,
    intended_use=None,
    class_weights=None,
):
    """Describes a model as a dictionary of JSON values.

    Args:
        generator: built `Generator`.
        name: str. Name of the model.
        class_names: sequence of str with the names of the classes, or None.
        facts: dict with `data` and `training`, e.g. from `runs.reading.run_facts`.
        metrics: sequence of dict with `scores`, perhaps their `intervals` and
            `conclusions`, and the `protocol` with which they were measured, as written
            by `keras-sagan evaluate --json`.
        license: str, or None if not stated.
        intended_use: str, or None for a general statement.
        class_weights: sequence of the relative frequencies of the classes in training,
            or None if they were equally frequent.

    Returns: dict.
    """
    facts = facts or {}
    config = generator.get_config()
    weights = [v for v in generator.weights if v.name not in _STATISTICS]
    return {
        "name": name,
        "license": license,
        "intended_use": intended_use or _INTENDED_USE,
        "limitations": list(_LIMITATIONS),
        "class_names": None if class_names is None else list(class_names),
        "class_weights": None if class_weights is None else list(class_weights),
        "generator": {
            k: v for k, v in config.items() if k not in ("name", "trainable")
        },
        "parameters": sum(math.prod(v.shape) for v in weights),
        "data": facts.get("data"),
        "training": facts.get("training"),
        "metrics": list(metrics),
        "versions": {
            "keras_sagan": keras_sagan.__version__,
            **{name: importlib.metadata.version(name) for name in _PACKAGES[1:]},
        },
    }


def write_card(directory, card):
    """Writes both files of a `model_card` to `directory`."""
    directory = pathlib.Path(directory)
    writing.write_new(directory / FILE, writing.json_text(card))
    writing.write_new(directory / TEXT, as_text(card))


def read_card(directory):
    """Reads the model card in `directory`, or returns {} if there is none or it is bad.

    A card may come from somebody else, so the parts that programs use are checked.
    """
    with contextlib.suppress(OSError, ValueError):
        content = json_files.read(pathlib.Path(directory) / FILE)
        if _is_usable(content):
            return content
    return {}


def _is_usable(content):
    generator, names = content.get("generator"), content.get("class_names")
    data = content.get("data")
    if not isinstance(generator, dict) or not isinstance(data, dict | None):
        return False
    settings = ("dataset", "split", "fit")
    if not all(isinstance((data or {}).get(name, ""), str) for name in settings):
        return False
    count = generator.get("num_classes")
    if count is None:
        return names is None and content.get("class_weights") is None
    if type(count) is not int or not 1 <= count <= _MOST_CLASSES:
        return False
    return (
        names is None
        or (
            isinstance(names, list)
            and len(names) == count
            and all(isinstance(name, str) for name in names)
        )
    ) and _are_weights(content.get("class_weights"), count)


def _are_weights(weights, count):
    return weights is None or (
        isinstance(weights, list)
        and len(weights) == count
        and all(type(x) in (int, float) and 0 <= x <= _LARGEST for x in weights)
        and any(weights)
    )


def as_text(card):
    """Returns a `model_card` as Markdown."""
    shape = card["generator"]
    size, classes = shape["image_size"], shape["num_classes"]
    kind = "unconditional" if classes is None else f"{classes} classes"
    if card["class_names"]:
        kind += f": {', '.join(card['class_names'])}"
    lines = [
        f"# {card['name']}",
        "",
        f"A generator of {size} x {size} pictures with {shape['channels']} channel(s) "
        f"(SAGAN, {kind}). {card['parameters']:,} parameters.",
        "",
        f"Licence: {card['license'] or 'not stated'}",
        "",
        f"Intended use: {card['intended_use']}",
        *_section("Limitations", [f"- {x}" for x in card["limitations"]]),
        *_section("Data", _card_entries(card["data"])),
        *_section("Training", _card_entries(card["training"])),
        *_section(
            "Metrics",
            [line for x in card["metrics"] for line in _card_entries(_as_shown(x))],
        ),
        *_section("Made with", _card_entries(card["versions"])),
    ]
    return "\n".join(lines) + "\n"


_HUB_BLOCK = """---
library_name: keras
pipeline_tag: unconditional-image-generation
tags:
- keras-sagan
- sagan
- gan
- self-attention
- image-generation
---
"""


def preset_text(card):
    """Returns a `model_card` as the `README.md` of a model that can be loaded.

    It begins with the YAML block that the Hugging Face Hub reads, and ends with an
    example of how to use the model.
    """
    labels = "num_images=16" if card["generator"]["num_classes"] is None else "[0] * 16"
    use = [
        "```python",
        "from keras_sagan import SAGAN",
        "",
        '# The directory of this file, or "hf://USER/NAME" for a model on the Hub.',
        'gan = SAGAN.from_preset("DIRECTORY")',
        f"images = gan.generate({labels}, seed=0)  # uint8",
        "```",
    ]
    return _HUB_BLOCK + as_text(card) + "\n".join(_section("Use", use)) + "\n"


def _section(title, lines):
    return ["", f"## {title}", "", *(lines or ["Not known."])]


def _as_shown(result):
    """A result whose scores have their intervals beside them, and its sentences."""
    shown = dict(result)
    for name, (low, high) in (shown.pop("intervals", None) or {}).items():
        value = f"{shown['scores'][name]} (interval {low:.4g} to {high:.4g})"
        shown["scores"] = {**shown["scores"], name: value}
    if "conclusions" in shown:
        shown["conclusions"] = " ".join(shown["conclusions"])
    return shown


def _card_entries(values, indent=""):
    lines = []
    for key, value in (values or {}).items():
        if isinstance(value, dict):
            lines += [f"{indent}- {key}:", *_card_entries(value, indent + "  ")]
        else:
            lines.append(f"{indent}- {key}: {'-' if value is None else value}")
    return lines
