import json
import shutil

import numpy as np
import pytest

from keras_sagan import SAGAN
from keras_sagan.cli.commands import report as command
from keras_sagan.cli.main import main
from keras_sagan.models import Discriminator, Generator
from keras_sagan.visualize.report import diagnosis


def report(*arguments):
    return main(["report", *map(str, arguments)])


def test_the_report_of_a_run(run_directory, tmp_path, capsys):
    output, scores = tmp_path / "new" / "x.html", tmp_path / "scores.json"
    result = {"scores": {"fid": 33.25}, "intervals": {"fid": [30.5, 36.0]}}
    result["protocol"] = {}
    scores.write_text(json.dumps(result))
    options = ["-o", output, "--scores", scores, "--label", "red"]
    assert report(run_directory, *options) == 0
    assert capsys.readouterr().out == f"{output}\n"
    text = output.read_text(encoding="utf-8")
    assert "class red, seed 7" in text
    assert "model.base_filters</th><td>8</td><td>4</td>" in text
    assert "30.5 to 36" in text
    assert ">images</th><td>16</td>" in text
    assert text.count("data:image/") >= 5  # three grids, two attention figures
    assert ">attention_16/query</li>" in text  # sigma of each layer


def test_a_run_without_model_or_checkpoints(run_directory, tmp_path):
    shutil.copytree(run_directory, tmp_path / "young")
    for name in ("model", "checkpoints"):
        shutil.rmtree(tmp_path / "young" / name)
    assert report(tmp_path / "young", "-o", tmp_path / "x.html") == 0
    text = (tmp_path / "x.html").read_text()
    assert "neither a model nor a checkpoint yet" in text
    assert "Not checked: " in text and "batch statistics: no model" in text


@pytest.mark.slow
def test_a_truncated_picture_and_rows_without_speed(run_directory, tmp_path):
    shutil.copytree(run_directory, tmp_path / "cut")
    last = sorted((tmp_path / "cut" / "samples").glob("*.png"))[-1]
    last.write_bytes(last.read_bytes()[:200])
    metrics = tmp_path / "cut" / "metrics.jsonl"
    rows = [json.loads(line) for line in metrics.read_text().splitlines()]
    for row in rows:
        del row["images_per_second"]
    metrics.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert report(tmp_path / "cut", "-o", tmp_path / "x.html") == 0
    text = (tmp_path / "x.html").read_text()
    assert ">speed</th><td>-</td>" in text
    assert "collapse: no samples" in text


def test_mistakes(run_directory, tmp_path, capsys):
    output = tmp_path / "x.html"
    bad = tmp_path / "bad.json"
    bad.write_text('{"scores": 1}')
    for arguments, message in [
        ([tmp_path], "expected a run"),
        ([run_directory / "model"], "but the directory of a run is needed"),
        ([run_directory, "--scores", bad], "`--scores` takes files"),
        ([run_directory, "--scores", tmp_path / "none.json"], "none.json"),
        ([run_directory, "--label", "green"], "'green'"),
    ]:
        assert report(*arguments, "-o", output) == 2
        assert message in capsys.readouterr().err
        assert not output.exists()
    output.write_text("mine")
    assert report(run_directory, "-o", output) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_generator_that_ignores_its_labels():
    """As it is before training: every class has the same scales and shifts."""
    small = {"base_filters": 4, "attention_resolutions": ()}
    for classes, low, high in [(3, 0.0, diagnosis.IGNORED), (None, 1.0, 1.0)]:
        gan = SAGAN(
            Generator(num_classes=classes, **small),
            Discriminator(num_classes=classes, **small),
        )
        assert low <= command.label_effect(gan) <= high


@pytest.mark.parametrize("classes", [3, pytest.param(None, marks=pytest.mark.slow)])
def test_attention_before_training_and_of_queries_that_are_all_alike(classes):
    """A large mean of all positions makes their queries equal, and one key win."""
    small = {"base_filters": 8, "attention_resolutions": (8,)}
    gan = SAGAN(
        Generator(num_classes=classes, **small),
        Discriminator(num_classes=classes, base_filters=8, attention_resolutions=()),
    )
    name = "generator/attention_8"
    before = command.attention_of_positions(gan)
    assert list(before) == [name] and before[name][0] < diagnosis.ONE_PLACE
    weights = gan.ema_generator.weights
    [bias] = [x for x in weights if x.path.endswith("block1_conv2/bias")]
    bias.assign(200 * np.sign(np.random.default_rng(0).normal(size=bias.shape)))
    [found] = diagnosis.one_place(command.attention_of_positions(gan))
    assert found.name.startswith("Attention in the generator looks at one place")
