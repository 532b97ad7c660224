import json

import numpy as np
import pytest

from keras_sagan.runs import reading
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
        with pytest.raises(FileNotFoundError, match="holds no run"):
            reading.read_run(tmp_path)


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_damaged_configuration(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config.json' is damaged"):
        reading.read_run(tmp_path)
