"""The evaluation of a run: opened from the configuration, part of the run."""

import csv
import json

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.training import load_trained, run, run_evaluation
from tests.training.small_runs import prepare

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


def test_a_run_that_goes_on_has_the_same_scores_and_bits(picture_folder, tmp_path):
    """The best score and its model too; no step is scored twice."""
    ends = {}
    for name, parts in {"whole": (6,), "parts": (3, 6)}.items():
        for steps in parts:
            more = {"training.steps": steps}
            config, source = prepare(picture_folder, **SETTINGS, **more)
            result = run.Run(config, tmp_path / name, source).fit()
        ends[name] = [np.array(x) for x in result.gan.weights], result.best
    assert [row["step"] for row in rows(tmp_path / "whole")] == ["2", "4", "6"]
    assert rows(tmp_path / "parts") == rows(tmp_path / "whole")
    assert ends["parts"][1]["step"] == ends["whole"][1]["step"]
    for one, other in zip(ends["parts"][0], ends["whole"][0], strict=True):
        np.testing.assert_array_equal(one, other)
    files = [tmp_path / name / "evaluation" / "best" for name in ends]
    best = [json.loads((x / "evaluation.json").read_text()) for x in files]
    assert best[0]["step"] == best[1]["step"] == ends["whole"][1]["step"]
    models = [load_trained(x).generate(labels=[0, 1], seed=0) for x in files]
    np.testing.assert_array_equal(*models)
    assert (tmp_path / "parts" / "evaluation" / "classifier.keras").is_file()


def test_patience_ends_the_run_for_good(picture_folder, tmp_path, monkeypatch):
    queue = iter([1.0, 2.0, 3.0])

    def evaluate_one(*args):
        scores = {"kernel_distance_classifier": next(queue)}
        return run_evaluation.metrics.Result(scores, {}, {}, {})

    monkeypatch.setattr(run_evaluation.metrics, "evaluate", evaluate_one)
    more = {"evaluation.patience": 1, "evaluation.every": 1, "training.steps": 9}
    config, source = prepare(picture_folder, **SETTINGS | more)
    for _ in range(2):
        result = run.Run(config, tmp_path / "run", source).fit()
        assert result.steps == 2
        assert result.best["step"] == 1
        assert result.model.is_dir()


def test_real_images(picture_folder, tmp_path):
    config, source = prepare(picture_folder, **SETTINGS)
    made = run_evaluation.RunEvaluation(config, tmp_path, source)
    assert made.real.count == 12
    assert made.real.description["split"] == "train"
    assert made.settings.subset_size == 12
    assert made.extractor.name == "classifier"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"evaluation.metrics": "fdi"}, "`metrics` must be some of fid"),
        ({"evaluation.metrics": "memorization"}, "cannot have memorization"),
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


def test_several_workers(picture_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(
        run_evaluation.distribution, "is_multi_worker", lambda strategy: True
    )
    config, source = prepare(picture_folder, **SETTINGS)
    with pytest.raises(ValueError, match="must be none where several workers train"):
        run_evaluation.of_run(config, tmp_path, source, tf.distribute.get_strategy())
    config = config.override({"evaluation.every": None})
    assert run_evaluation.of_run(config, tmp_path, source, None) is None
