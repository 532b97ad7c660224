import json

import numpy as np
import pytest

from keras_sagan.config.presets import get_preset
from keras_sagan.runs import reading, run_directory
from keras_sagan.visualize import save_picture
from keras_sagan.visualize.report import figures

CONFIG = {"preset": "sagan_32_small", "training": {"steps": 10}}


@pytest.fixture
def directory(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    rows = [{"step": 2, "d_loss": 1.5, "g_gamma_16": 0.1}]
    rows.append({"step": 4, "d_loss": 1.0, "g_sigma/dense": 2.0, "d_sigma/dense": 3.0})
    lines = [json.dumps(rows[1]), json.dumps(rows[0]), '{"step": 6, "d_lo']
    (folder / "metrics.jsonl").write_text("\n".join(lines))
    for name in ("0000004", "0000000", "other"):
        save_picture(folder / "samples" / f"{name}.png", np.zeros((4, 4, 3), np.uint8))
    return folder


def test_what_a_run_has_written(directory):
    found = reading.read_run(directory)
    assert (found.name, found.config, found.facts) == ("mine", CONFIG, {})
    assert [row["step"] for row in found.rows] == [2, 4]
    assert [step for step, _ in found.samples] == [0, 4]
    assert found.scores == []
    assert figures.gates(found.rows) == ["g_gamma_16"]
    assert figures.sigmas(found.rows, "d") == ["d_sigma/dense"]


@pytest.mark.parametrize("place", ["evaluation.csv", "evaluation/evaluation.csv"])
def test_scores_while_training(directory, place):
    (directory / place).parent.mkdir(exist_ok=True)
    (directory / place).write_text("step,seconds,fid\n5,1.0,30.5\n10,cut\n")
    scores = reading.read_run(directory).scores
    assert scores == [{"step": 5, "seconds": 1.0, "fid": 30.5}]


def test_a_new_run_has_written_little(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    found = reading.read_run(tmp_path)
    assert (found.rows, found.samples, found.scores) == ([], [], [])


def test_no_run(tmp_path):
    for text in (None, "{}", '{"module": "keras_sagan"}'):
        if text:
            (tmp_path / "config.json").write_text(text)
        with pytest.raises(FileNotFoundError, match="There is no run in"):
            reading.read_run(tmp_path)


DEEP = '{"training": ' + "[" * 100_000
LONG = '{"training": {}, "x": "' + "x" * (1 << 20) + '"}'


@pytest.mark.parametrize(
    "text", ["{", "[1]", DEEP, LONG], ids="open list deep long".split()
)
@pytest.mark.parametrize(
    "read",
    [reading.read_run, reading.read_config, reading.data_settings, reading.run_facts],
)
def test_a_damaged_configuration(read, text, tmp_path):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json' "):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("config", {"model": 3}),
        ("config", {"preset": []}),
        ("facts", {"data": []}),
        ("facts", {"data": {"name": "cats"}}),
        ("facts", {"machine": "fast"}),
    ],
    ids=str,
)
def test_parts_of_another_kind(directory, name, change):
    path = directory / f"{name}.json"
    content = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(content | change))
    with pytest.raises(ValueError, match=rf"{name}\.json' is damaged: its '\w+' must"):
        reading.read_run(directory)


@pytest.mark.parametrize(
    "change", [{"dataset": 3}, {"fit": []}, {"cache_dir": 3}], ids=str
)
def test_settings_of_data_of_another_kind(change, tmp_path):
    config = {"training": {}, "data": {"dataset": "glyphs", **change}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json' is damaged: its '\w+' must"):
        reading.data_settings(tmp_path)


def test_damaged_facts(tmp_path):
    (tmp_path / "facts.json").write_text(DEEP)
    with pytest.raises(ValueError, match=r"facts\.json' is not JSON"):
        reading.read_facts(tmp_path)
    (tmp_path / "facts.json").unlink()
    assert reading.read_facts(tmp_path) == {}


@pytest.mark.parametrize(
    "row", [DEEP, "[]", '{"step": Infinity}', '{"step": 1, "x": {}}']
)
def test_rows_that_are_none(directory, row):
    with (directory / "metrics.jsonl").open("a") as file:
        file.write(f'\n{row}\n{{"step": 8}}\n')
    assert [row["step"] for row in reading.read_rows(directory)] == [4, 2, 8]


@pytest.mark.parametrize("row", ["x" * 200_000 + ",1,1", "1e999,1,1"])
def test_a_damaged_table(directory, row):
    text = f"step,seconds,fid\n5,1.0,30.5\n{row}\n"
    (directory / "evaluation.csv").write_text(text)
    assert [row["step"] for row in reading.read_run(directory).scores] == [5]


def test_configuration_round_trip(tmp_path):
    config = get_preset("sagan_32").run_config({"data.dataset": "tfds:a/b:1.0"})
    run_directory.write_config(tmp_path, config)
    found, versions = reading.read_config(tmp_path)
    assert found == config
    assert set(versions) == {"python", "keras_sagan", "keras", "tensorflow"}
    settings = reading.data_settings(tmp_path)
    assert settings["dataset"] == "tfds:a/b:1.0"


def test_facts_of_a_run_that_was_killed(tmp_path):
    config = {"data": {"dataset": "glyphs"}, "preset": "sagan_32"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    rows = [{"step": step, "seconds": 2.0 * step} for step in (100, 200, 300)]
    text = "\n".join(map(json.dumps, rows)) + '\n{"step": 40'  # cut off
    (tmp_path / "metrics.jsonl").write_text(text)
    newest = reading.run_facts(tmp_path)["training"]
    assert (newest["steps"], newest["seconds"]) == (300, 600.0)
    earlier = reading.run_facts(tmp_path, step=250)["training"]
    assert (earlier["steps"], earlier["seconds"]) == (250, 400.0)


def test_a_model_is_no_run(run_directory):
    assert reading.run_facts(run_directory / "model") == {}
    assert reading.data_settings(run_directory / "model") == {}
