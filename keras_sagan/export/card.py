"""The model card in an export: what the model is, and what is known about it.

`assets.extra/model.json` is for programs, `assets.extra/README.md` says the same to
people. Both depend on the model and its run only, not on when they were written.
"""

import contextlib
import importlib.metadata
import math
import pathlib

import keras_sagan
from keras_sagan.files import json_files, writing

FILE, TEXT = "model.json", "README.md"
_MOST_CLASSES = 1_000_000  # that a card may speak of: each gets a name

_LARGEST = 2**53  # weight of a class: of its images, in numbers that floats hold

_INTENDED_USE = (
    "Generating pictures like those of the training data: data augmentation, teaching, "
    "research on generative models."
)
_LIMITATIONS = (
    "Pictures can be unlike their class, and repeat what the training data overdo.",
    "The training data decide what may be done with the pictures: see `data`.",
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
    """What is known about a model, as a dictionary of JSON values.

    Args:
        generator: `Generator`, built.
        name: str. Of the model.
        class_names: sequence of str, one a class, or None.
        facts: dict with `data` and `training`, e.g. of `runs.reading.run_facts`.
        metrics: sequence of dict with `scores` and the `protocol` that they were
            measured by, as `keras-sagan evaluate --json` writes.
        license: str, or None if not stated.
        intended_use: str, or None for the general one.
        class_weights: sequence of numbers, how frequent each class was in training;
            None for equally many.
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
    """Write both files of a `model_card` into `directory`."""
    directory = pathlib.Path(directory)
    writing.write_new(directory / FILE, writing.json_text(card))
    writing.write_new(directory / TEXT, as_text(card))


def read_card(directory):
    """The model card in `directory`, or {} where there is none that can be used.

    Of a card of others, the classes and the data are checked: programs read them.
    """
    with contextlib.suppress(OSError, ValueError):
        content = json_files.read(pathlib.Path(directory) / FILE)
        if _is_usable(content):
            return content
    return {}


def _is_usable(content):
    generator, names = content.get("generator"), content.get("class_names")
    if not isinstance(generator, dict) or not isinstance(
        content.get("data"), dict | None
    ):
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
    """A `model_card` as Markdown."""
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
            "Metrics", [line for x in card["metrics"] for line in _card_entries(x)]
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
    """A `model_card` as the `README.md` of a model that can be loaded.

    It begins with the block of YAML that Hugging Face's Hub reads, and says how the
    model is used.
    """
    labels = "num_images=16" if card["generator"]["num_classes"] is None else "[0] * 16"
    use = [
        "```python",
        "from keras_sagan import SAGAN",
        "",
        '# Where this file is: a directory, or "hf://USER/NAME" of a model on the Hub.',
        'gan = SAGAN.from_preset("DIRECTORY")',
        f"images = gan.generate({labels}, seed=0)  # uint8",
        "```",
    ]
    return _HUB_BLOCK + as_text(card) + "\n".join(_section("Use", use)) + "\n"


def _section(title, lines):
    return ["", f"## {title}", "", *(lines or ["Not known."])]


def _card_entries(values, indent=""):
    lines = []
    for key, value in (values or {}).items():
        if isinstance(value, dict):
            lines += [f"{indent}- {key}:", *_card_entries(value, indent + "  ")]
        else:
            lines.append(f"{indent}- {key}: {'-' if value is None else value}")
    return lines
