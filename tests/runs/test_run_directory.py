import errno
import json
import os

import pytest

from keras_sagan.config.presets import get_preset
from keras_sagan.files import writing
from keras_sagan.runs import load_trained
from keras_sagan.runs import run_directory as files


@pytest.fixture
def config():
    return get_preset("sagan_32").run_config({"data.dataset": "tfds:a/b:1.0"})


def test_names_of_run_directories_count_on(tmp_path, config):
    first = files.next_run_directory(config, tmp_path / "runs")
    assert first == tmp_path / "runs" / "00000-tfds-a-b-1.0-sagan_32"
    (tmp_path / "runs" / "00041-else").mkdir(parents=True)
    (tmp_path / "runs" / "demo-99").mkdir()
    second = files.next_run_directory(config, tmp_path / "runs")
    assert second.name.startswith("00042-")


# === Whether a run begins or goes on ===


@pytest.mark.parametrize("resume", [None, False])
def test_a_new_directory_begins_a_run(tmp_path, config, resume):
    assert not files.check_usable(tmp_path / "new", config, resume)
    assert not files.check_usable(tmp_path, config, resume)


def test_a_run_that_was_ended_before_it_began(tmp_path, config):
    (tmp_path / f"{writing.PREFIX}x1").mkdir()
    (tmp_path / f"{writing.PREFIX}x1" / "config.json").write_text("{")
    assert not files.check_usable(tmp_path, config)
    (tmp_path / ".config.json").write_text("{")
    with pytest.raises(FileExistsError, match="is not empty"):
        files.check_usable(tmp_path, config)


def test_a_run_that_must_be_there(tmp_path, config):
    with pytest.raises(FileNotFoundError, match="There is no run to resume"):
        files.check_usable(tmp_path, config, resume=True)


@pytest.mark.parametrize("resume", [None, False, True])
def test_other_files_are_left_alone(tmp_path, config, resume):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(FileExistsError, match=r"is not empty: .*Nothing was changed"):
        files.check_usable(tmp_path, config, resume)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_run_goes_on_with_the_same_configuration(tmp_path, config):
    files.write_config(tmp_path, config)
    assert files.check_usable(tmp_path, config)
    assert files.check_usable(tmp_path, config, resume=True)
    with pytest.raises(FileExistsError):
        files.check_usable(tmp_path, config, resume=False)
    allowed = {"training.steps": 7, "training.minutes": 1.0, "logging.log_every": 7}
    assert files.check_usable(tmp_path, config.override(allowed))


def test_differences_are_listed(tmp_path, config):
    files.write_config(tmp_path, config)
    other = config.override({"training.seed": 9, "data.parts": 2})
    with pytest.raises(ValueError, match="another configuration") as error:
        files.check_usable(tmp_path, other)
    assert "training.seed: 0 -> 9; data.parts: 1 -> 2." in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", "{", "[" * 5000, '{"versions": {}}', "\0"]
)
def test_a_damaged_configuration(tmp_path, config, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config.json' is not the configuration"):
        files.check_usable(tmp_path, config)


def test_other_versions_are_a_warning(tmp_path, config):
    files.write_config(tmp_path, config)
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    content["versions"]["keras"] = "3.0.1"
    path.write_text(json.dumps(content))
    with pytest.warns(RuntimeWarning, match=r"other versions \(keras 3\.0\.1 -> "):
        assert files.check_usable(tmp_path, config)


# === Files of a run ===


def test_rows_after_a_step_are_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    files.keep_metrics_until(tmp_path, 10)
    assert not path.exists()
    rows = ['{"step": 5}', "[]", "x", '{"step": 10}', '{"step": 15}', '{"step": 2']
    rows.insert(1, '{"step":' * 100_000)
    path.write_text("\n".join(rows))
    files.keep_metrics_until(tmp_path, 10)
    assert path.read_text() == '{"step": 5}\n{"step": 10}\n'


@pytest.mark.slow
def test_the_model_replaces_an_earlier_one(run_directory, tmp_path):
    gan = load_trained(run_directory / "model")
    assert gan.class_names == ("blue", "red")
    for _ in range(2):
        assert files.write_model(gan, tmp_path) == tmp_path / "model"
        assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert load_trained(tmp_path).class_names == ("blue", "red")


def test_a_model_does_not_follow_links(run_directory, tmp_path):
    gan = load_trained(run_directory)
    (tmp_path / "else").mkdir()
    (tmp_path / "run").mkdir()
    for name in (".model-new", ".model-old", "model"):
        (tmp_path / "run" / name).symlink_to(tmp_path / "else")
    target = files.write_model(gan, tmp_path / "run")
    assert list((tmp_path / "else").iterdir()) == []
    assert not target.is_symlink()
    assert load_trained(target).class_names == ("blue", "red")


def test_a_model_that_cannot_be_replaced_stays(run_directory, tmp_path, monkeypatch):
    gan = load_trained(run_directory)
    target = files.write_model(gan, tmp_path)
    before = (target / "model.weights.h5").read_bytes()
    rename = os.rename

    def refuse(old, new):  # as a mount point or NFS does
        if old.name == new.name == "model":
            raise OSError(errno.EBUSY, "Device or resource busy", str(old))
        return rename(old, new)

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(OSError, match=r"busy: '[^.]*/model'$"):
        files.write_model(gan, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (target / "model.weights.h5").read_bytes() == before


def test_load_trained_says_what_it_expects(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no trained model at .* expected a run"
    ):
        load_trained(tmp_path)
