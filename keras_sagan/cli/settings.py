"""Turns the command line of `keras-sagan train` into a `RunConfig`.

The flags are generated from the settings themselves; see `keras_sagan.config.section`.
"""

import argparse
import ast
import dataclasses

from keras_sagan.cli.model_argument import model_name
from keras_sagan.cli.parsing import local_path, wrap
from keras_sagan.config.presets import get_preset
from keras_sagan.config.run import (
    DECIDED_BY_DATA,
    SECTIONS,
    SETTINGS,
    RunConfig,
    field_of,
)
from keras_sagan.config.section import parts, setting_of
from keras_sagan.files import json_files

DEFAULT_PRESET = "sagan_32_small"

_TYPES = {"DIR": local_path, "MODEL": model_name}  # types of flags, by their metavar


def add_base(parser):
    """Adds `--preset` and `--config`, which give the settings that others override."""
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help=f"recipe to start from (default: {DEFAULT_PRESET}); see 'keras-sagan "
        "presets'",
    )
    parser.add_argument(
        "--config",
        type=local_path,
        metavar="FILE",
        help="JSON file of settings, e.g. the config.json of a run; flags override it, "
        "and settings that it lacks are those of the preset",
    )


def add_flags(parser):
    """Adds a flag for every setting that has one, grouped by section, and `--set`."""
    for section in SECTIONS:
        fields = dataclasses.fields(section.type)
        flagless = [field.name for field in fields if setting_of(field).flag is None]
        about = section.type.__doc__.partition("\n\nArgs:")[0]
        more = f" With --set {section.name}.FIELD=VALUE: {', '.join(flagless)}."
        group = parser.add_argument_group(
            section.name, wrap(about + (more if flagless else ""))
        )
        for field in fields:
            if setting_of(field).flag is not None:
                _add_flag(group, section, field)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.FIELD=VALUE",
        help="any setting, e.g. --set model.base_filters=32; overrides flags and may "
        "be repeated",
    )


def _add_flag(group, section, field):
    setting = setting_of(field)
    choices = f": {', '.join(map(str, setting.choices))}" if setting.choices else ""
    text = f"{setting.help}{choices} (default: {_default(section, field)})"
    flag, unit = setting.flag.split()
    group.add_argument(
        flag,
        dest=f"{section.name}.{field.name}",
        # No attribute unless given, so that `resolve` knows what the user has chosen.
        default=argparse.SUPPRESS,
        metavar=unit,
        type=_TYPES.get(unit, str),
        help=text.replace("%", "%%"),  # argparse applies % formatting to it
    )


def resolve(options):
    """Returns the configuration that a command line describes.

    Args:
        options: parsed arguments of `add_base` and `add_flags`.

    Returns: tuple of the `RunConfig` and the set of names of the settings that were
        given explicitly, by flags or in the file, and which the data must not change.
        If `--dataset` overrides that of the file, the numbers of classes and channels
        in the file are not among them.

    Raises:
        ValueError: if a setting is unknown or invalid, or if the file is not a
            configuration or has another preset than `--preset`.
        OSError: if the file cannot be read.
    """
    given = {
        name: parse_value(text, name)
        for name, text in vars(options).items()
        if name in SETTINGS
    }
    given.update(parse_setting(text) for text in options.set)
    if options.config is None:
        preset = get_preset(options.preset or DEFAULT_PRESET)
        return preset.run_config(given), set(given)
    config, names = _read_file(options.config, options.preset)
    if "data.dataset" in given:
        names = names.difference(DECIDED_BY_DATA)
    return config.override(given), names | set(given)


def _read_file(path, preset):
    """Reads a file; returns its `RunConfig` and the names of the settings in it."""
    content = json_files.read(path)
    content.pop("versions", None)  # of the run that wrote it
    name = content.pop("preset", None)
    if preset and name and preset != name:
        raise ValueError(
            f"{path!r} starts from the preset {name!r}, but --preset says {preset!r}. "
            'Leave out --preset, or the key "preset" in the file.'
        )
    values = {}
    for section, fields in content.items():
        if not isinstance(fields, dict):
            raise ValueError(
                f"{path!r} must hold settings in sections, e.g. "
                f'{{"training": {{"steps": 1000}}}}. Received: {section!r}: {fields!r}.'
            )
        values |= {f"{section}.{field}": value for field, value in fields.items()}
    name = str(name or preset or DEFAULT_PRESET)
    try:
        for each in values:
            field_of(each)
        # A run's file is complete, and its preset may no longer exist.
        if _needed() <= set(values):
            config = RunConfig.from_dict({"preset": name, **content})
        else:
            config = get_preset(name).run_config(values)
    except ValueError as error:
        raise ValueError(f"{path!r}: {error}") from error
    return config, set(values)


def _needed():
    """Returns the names of the settings that every configuration of a run has."""
    return {
        f"{section.name}.{field.name}"
        for section in SECTIONS
        for field in dataclasses.fields(section.type)
        if not (setting_of(section).added_later or setting_of(field).added_later)
    }


def parse_setting(text):
    """Parses `"section.field=value"`.

    Returns:
        Tuple `(name, value)` of a str and the result of `parse_value`.

    Raises:
        ValueError: if there is no `=`, or no such setting.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(
            f"Argument `--set` must have the form section.field=value. "
            f"Received: {text!r}."
        )
    return name.strip(), parse_value(value.strip(), name.strip())


def parse_value(text, name):
    """Parses the value of a setting.

    Args:
        text: str, e.g. `"none"`, `"true"`, `"2e-4"`, `"16,32"`, `"[]"`, `"glyphs"`.
        name: str. `"section.field"`.

    Returns: a value of the setting's type, if possible. Otherwise it has another type,
        and the check of the configuration says what is wrong with it.

    Raises:
        ValueError: if there is no such setting.
    """
    kind, item, optional = parts(field_of(name).type)
    if optional and text.lower() in ("none", "null"):
        return None
    if kind is str:
        return text
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        value = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        value = text
    if item is str and isinstance(value, str):
        return tuple(x.strip() for x in value.split(",") if x.strip())
    return (value,) if item is not None and type(value) is item else value


def _default(section, field):
    """Returns what `--help` shows as the default of a setting."""
    if section.default_factory is dataclasses.MISSING:
        return "the preset's"
    if field.default is None:
        return setting_of(field).none
    if field.default == ():
        return "none"
    return str(field.default).lower() if field.type is bool else field.default
