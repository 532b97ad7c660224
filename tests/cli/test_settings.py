"""From words on the command line, and from files, to a configuration."""

import dataclasses
import json

import pytest

from keras_sagan.cli.main import build_parser
from keras_sagan.cli.settings import parse_setting, parse_value, resolve
from keras_sagan.config.presets import get_preset
from keras_sagan.config.run import SECTIONS, SETTINGS, RunConfig, field_of
from keras_sagan.config.section import setting_of
from tests.config.sections import run_config


def resolved(*arguments):
    return resolve(build_parser().parse_args(["train", *map(str, arguments)]))


@pytest.fixture
def file(tmp_path):
    """A function that writes a JSON file, and returns its path."""

    def write(content):
        path = tmp_path / "settings.json"
        path.write_text(json.dumps(content))
        return path

    return write


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("training.steps", "32", 32),
        ("training.steps", "many", "many"),
        ("training.steps", "{[]: 1}", "{[]: 1}"),
        ("training.steps", "(" * 300, "(" * 300),
        ("training.steps", "none", "none"),  # not allowed: the check says so
        ("training.minutes", "2", 2),
        ("training.minutes", "None", None),
        ("optimizer.g_learning_rate", "2e-4", 2e-4),
        ("optimizer.g_learning_rate", ".5", 0.5),
        ("augmentation.mirror", "true", True),
        ("augmentation.mirror", "False", False),
        ("augmentation.mirror", "1", "1"),
        ("augmentation.policy", "none", None),
        ("model.attention_resolutions", "16,32", (16, 32)),
        ("model.attention_resolutions", "16", (16,)),
        ("model.attention_resolutions", "[16]", [16]),
        ("model.attention_resolutions", "[]", []),
        ("training.loss", "hinge", "hinge"),
        ("data.split", "2024", "2024"),
        ("data.dataset", "none", "none"),
        ("data.dataset", "folder:/a/b-c", "folder:/a/b-c"),
        ("data.dataset", "", ""),
    ],
)
def test_parse_value(name, text, value):
    parsed = parse_value(text, name)
    assert parsed == value and type(parsed) is type(value)


def test_parse_setting_splits_at_the_first_equals_sign():
    assert parse_setting("data.cache_dir = a=b") == ("data.cache_dir", "a=b")


def test_parse_setting_needs_an_equals_sign():
    with pytest.raises(ValueError, match=r"section\.field=value\. Received: 'x'"):
        parse_setting("x")


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_can_be_given(name):
    """With `--set`, and with its flag if it has one."""
    section, _, field = name.partition(".")
    value = getattr(getattr(run_config(), section), field)
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    flag = (setting_of(field_of(name)).flag or "").partition(" ")[0]
    more = {  # without which the value is not allowed
        "model.attention_resolutions": ["--image-size", "64"],
        "augmentation.operations": ["--augment", "ada"],
    }.get(name, [])
    for words in [["--set", f"{name}={text}"], [flag, text]][: 2 if flag else 1]:
        config, given = resolved(*more, *words)
        assert getattr(getattr(config, section), field) == value
        assert name in given


def test_help_has_the_defaults(capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for expected in [
        "--loss NAME loss of both networks: hinge, non_saturating, least_squares, ",
        "wasserstein, relativistic (default: the preset's)",
        "(default: glyphs)",
        "(default: no evaluation)",
        "(default: 1000)",
        "(default: false)",
        "With --set training.FIELD=VALUE: ema_start, ema_warmup.",
    ]:
        assert expected in text
    assert "None" not in text


def test_a_file_of_a_run(file):
    """All of it, whatever the preset is now, and the versions beside it."""
    config = run_config()
    path = file({**config.to_dict(), "versions": {"keras": "3.0"}})
    assert resolved("--config", path) == (config, set(SETTINGS))


def test_flags_win_over_the_file(file):
    config = run_config()
    path = file(config.to_dict())
    more = ["--steps", 7, "--set", "training.seed=8"]
    changed, _ = resolved("--config", path, *more)
    assert changed == config.override({"training.steps": 7, "training.seed": 8})


def test_another_data_set_decides_what_data_decide(file):
    path = file(run_config().to_dict())
    _, given = resolved("--config", path, "--dataset", "shapes")
    assert set(SETTINGS) - given == {"model.num_classes", "model.channels"}
    more = ["--dataset", "shapes", "--set", "model.channels=1"]
    _, given = resolved("--config", path, *more)
    assert set(SETTINGS) - given == {"model.num_classes"}


def test_a_file_of_a_few_settings(file):
    content = {"preset": "sagan_32", "training": {"steps": 7}}
    expected = get_preset("sagan_32").run_config({"training.steps": 7})
    assert resolved("--config", file(content)) == (expected, {"training.steps"})
    path = file({"training": {"steps": 7}})
    assert resolved("--config", path, "--preset", "sagan_32")[0] == expected
    assert resolved("--config", path)[0].preset == "sagan_32_small"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"training": {"stepz": 7}}, "Did you mean 'training.steps'"),
        ({"steps": 7}, r"in sections, e\.g\. .*Received: 'steps': 7"),
        ({"training": {"steps": "7"}}, "`steps` of TrainingConfig must be an integer"),
        ({"training": {"steps": 0}}, r"settings\.json': Argument `steps`"),
        ({"preset": "sagan_33"}, "Did you mean 'sagan_32'"),
        ({"preset": ["a"]}, "must be one of sagan_32"),
        ([], "must hold a JSON object"),
    ],
)
def test_files_that_are_no_configuration(file, content, message):
    with pytest.raises(ValueError, match=message):
        resolved("--config", file(content))


def test_a_file_of_another_preset(file):
    path = file({"preset": "sagan_32"})
    message = "from the preset 'sagan_32', but --preset says 'sagan_64'. Leave out"
    with pytest.raises(ValueError, match=message):
        resolved("--config", path, "--preset", "sagan_64")
    assert resolved("--config", path, "--preset", "sagan_32")[0].preset == "sagan_32"


def test_a_run_that_is_older_than_a_setting(file):
    values = run_config().to_dict()
    del values["evaluation"]
    config, _ = resolved("--config", file(values))
    assert config == RunConfig.from_dict(values)


def test_groups_are_the_sections():
    """So that whoever reads the help knows what to write after `--set`."""
    text = build_parser().parse_args(["train"])
    assert not {x for x in vars(text) if x in SETTINGS}  # nothing was given
    assert {section.name for section in SECTIONS} == {
        name.partition(".")[0] for name in SETTINGS
    }
    assert all(dataclasses.is_dataclass(section.type) for section in SECTIONS)
