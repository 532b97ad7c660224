"""The evaluation of a run: opened from the configuration, part of the run."""

import csv
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.cli.main import main
from keras_sagan.metrics import evaluation as metrics
from keras_sagan.runs import evaluation, load_trained, run
from tests.callbacks.event_points import event_points
from tests.training import equivalence
from tests.training.small_runs import TINY, prepare

SCORE = "evaluation/kernel_distance_classifier"
SETTINGS = {
    "evaluation.every": 2,
    "evaluation.extractor": "classifier",
    "evaluation.metrics": "kid,agreement",
    "evaluation.num_images": 12,
    "evaluation.num_real": 12,
    "evaluation.share": 1.0,
    "logging.checkpoint_every": 2,
    "training.ema_decay": 0.5,
}


def rows(output):
    path = output / "evaluation" / "evaluation.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {name: x for name, x in row.items() if name != "seconds"}
            for row in csv.DictReader(file)
        ]


@pytest.mark.slow
def test_a_run_that_goes_on_has_the_same_scores_and_bits(picture_folder, tmp_path):
    """The best score and its model too; no step is scored twice."""
    config, source = prepare(picture_folder, **SETTINGS, **{"training.steps": 4})
    whole, again = tmp_path / "whole", tmp_path / "again"
    first = run.Run(config, whole, source).fit()
    shutil.copytree(whole, again)
    classifier = (whole / "evaluation" / "classifier.keras").read_bytes()
    for path in ("model", "evaluation/best"):  # they are to be made again
        if first.best["step"] == 4 or path == "model":
            shutil.rmtree(again / path)
    second = run.Run(config, again, source, resume_from=2).fit()
    assert [row["step"] for row in rows(whole)] == ["2", "4"]
    assert len({row["kernel_distance_classifier"] for row in rows(whole)}) == 2
    assert rows(again) == rows(whole)
    assert [x[0] for x in event_points(again / "evaluation")[SCORE]] == [2, 4]
    assert second.best["step"] == first.best["step"]
    for one, other in zip(first.gan.weights, second.gan.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    best = [x / "evaluation" / "best" for x in (whole, again)]
    steps = [json.loads((x / "evaluation.json").read_text())["step"] for x in best]
    assert steps == [first.best["step"]] * 2
    models = [load_trained(x).generate(labels=[0, 1], seed=0) for x in best]
    np.testing.assert_array_equal(*models)
    assert (again / "evaluation" / "classifier.keras").read_bytes() == classifier


def test_a_best_model_of_a_later_step_is_set_aside(picture_folder, tmp_path):
    config, source = prepare(picture_folder, **SETTINGS)
    alone = tf.distribute.get_strategy()
    made = evaluation.RunEvaluation(config, tmp_path, source, alone)
    best = tmp_path / "evaluation" / "best"
    made.set_best_aside(after=2)  # there is none
    best.mkdir(parents=True)
    (best / "evaluation.json").write_text('{"step": 4}')
    made.set_best_aside(after=4)
    assert best.is_dir()
    made.set_best_aside(after=2)
    assert [x.name for x in best.parent.iterdir()] == ["aside-1-best"]


@pytest.mark.slow
def test_patience_ends_the_run_for_good(picture_folder, tmp_path, monkeypatch, capsys):
    """Then the same by the command: there is nothing left to do."""
    queue = iter([1.0, 2.0, 3.0])

    def evaluate_one(*args):
        scores = {"kernel_distance_classifier": next(queue)}
        return metrics.Result(scores, {}, {}, {})

    monkeypatch.setattr(metrics, "evaluate", evaluate_one)
    more = {"evaluation.patience": 1, "evaluation.every": 1, "training.steps": 9}
    config, source = prepare(picture_folder, **SETTINGS | more)
    result = run.Run(config, tmp_path / "run", source).fit()
    assert result.steps == 2
    assert result.best["step"] == 1
    assert result.model.is_dir()
    command = ["train", "-o", str(tmp_path / "run"), "--evaluate-every", "1"]
    command += ["--dataset", f"folder:{picture_folder}", "--patience", "1"]
    settings = {**TINY, **SETTINGS, "training.steps": 9}
    del settings["evaluation.every"]
    command += [f"--set={name}={value}" for name, value in settings.items()]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "Finished after 2 steps" in printed
    assert "Best:    step 1: kernel_distance_classifier 1\n" in printed


def test_real_images(picture_folder, tmp_path):
    config, source = prepare(picture_folder, **SETTINGS)
    alone = tf.distribute.get_strategy()
    made = evaluation.RunEvaluation(config, tmp_path, source, alone)
    assert made.real.count == 12
    assert made.real.description["split"] == "train"
    assert made.settings.subset_size == 12
    assert made.extractor.name == "classifier"
    assert not list(tmp_path.iterdir())


@pytest.mark.distributed
def test_features_of_two_replicas_are_those_of_one(picture_folder, tmp_path):
    config, source = prepare(picture_folder, **SETTINGS)
    features, fingerprints = [], []
    for strategy in (equivalence.mirrored(1), equivalence.mirrored(2)):
        made = evaluation.RunEvaluation(config, tmp_path, source, strategy)
        made.prepare()
        features.append(made._prepared.features.features)
        fingerprints.append(made.extractor.sha256)
    assert fingerprints[0] == fingerprints[1]
    np.testing.assert_allclose(*features, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"evaluation.metrics": "fdi"}, "`metrics` must be some of fid"),
        ({"evaluation.metrics": "memorization"}, "cannot include memorization"),
        ({"evaluation.metrics": "fid"}, "more images than the 128 dimensions"),
        ({"evaluation.monitor": "fid"}, "`monitor` must be the beginning"),
        ({"evaluation.extractor": "incepton"}, "`extractor` must be inception"),
        ({"evaluation.split": "nowhere"}, "nowhere"),
    ],
)
def test_mistakes_come_before_anything_is_written(
    picture_folder, tmp_path, changed, message
):
    config, source = prepare(picture_folder, **SETTINGS | changed)
    training = run.Run(config, tmp_path / "run", source)
    with pytest.raises(ValueError, match=message):
        training.evaluation  # noqa: B018
    assert not (tmp_path / "run").exists()
