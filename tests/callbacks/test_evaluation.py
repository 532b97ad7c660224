"""The callback: when it scores, what it writes, what it keeps, when it stops."""

import csv
import dataclasses
import json
import math

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_sagan.callbacks import evaluation as module
from keras_sagan.callbacks.evaluation import Evaluation
from keras_sagan.metrics import (
    Extractor,
    Settings,
    array_images,
    evaluate,
    gan_images,
)
from keras_sagan.models import Discriminator, Generator
from keras_sagan.sagan import SAGAN

FEW = Settings(metrics=("kid",), subset_size=8, subsets=3)


def quarters(images):
    pooled = tf.nn.avg_pool2d(tf.cast(images, tf.float32) / 255, 16, 16, "VALID")
    return tf.reshape(pooled, [len(images), -1]), None


EXTRACTOR = Extractor("quarters", "0" * 64, "none", "x/255", quarters)


@pytest.fixture
def gan():
    options = {"num_classes": 2, "base_filters": 4, "attention_resolutions": ()}
    made = SAGAN(Generator(latent_dim=8, **options), Discriminator(**options))
    made.compile(ema_decay=0.5)
    return made


@pytest.fixture(scope="module")
def dataset():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (32, 32, 32, 3), dtype=np.uint8)
    return images, (np.arange(32) % 2).astype(np.int32)


def drive(gan, callback, steps):
    """What `fit` calls, around steps that change one weight only: tracing a real
    step takes longer than all else here. `test_run_evaluation` trains."""
    callback.set_model(gan)
    callback.on_train_begin()
    gan.stop_training = False
    for batch in range(steps):
        gan.step_counter.count.assign_add(1)
        gan.generator.weights[0].assign_add(gan.generator.weights[0] * 0.1)
        callback.on_train_batch_end(batch)
        if gan.stop_training:
            break
    callback.on_train_end()


def made(directory, dataset, **options):
    options = {"every": 2, "num_images": 8, "settings": FEW, "share": 1.0, **options}
    return Evaluation(array_images(*dataset), EXTRACTOR, directory, **options)


def scalars(directory):
    (path,) = directory.glob("events.*")
    found = {}
    for record in tf.data.TFRecordDataset(str(path)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            found[event.step, value.tag] = float(tf.make_ndarray(value.tensor))
    return found


def test_scores_at_the_multiples(gan, dataset, tmp_path):
    callback = made(tmp_path, dataset, keep_best=False)
    drive(gan, callback, 5)
    assert [row["step"] for row in callback.rows] == [2, 4]
    with (tmp_path / "evaluation.csv").open() as file:
        table = list(csv.DictReader(file))
    name = "kernel_distance_quarters"
    for written, row in zip(table, callback.rows, strict=True):
        assert float(written[name]) == row[name]
    assert scalars(tmp_path)[4, f"evaluation/{name}"] == pytest.approx(
        callback.rows[1][name], rel=1e-5
    )


def test_the_score_is_that_of_evaluate(gan, dataset, tmp_path):
    callback = made(tmp_path, dataset, every=3, seed=7)
    drive(gan, callback, 3)
    expected = evaluate(
        array_images(*dataset), gan_images(gan, 8, seed=7), EXTRACTOR, FEW
    )
    (row,) = callback.rows
    assert {name: row[name] for name in expected.scores} == expected.scores


def scripted(monkeypatch, values, name="x"):
    """Evaluations that find given values of the score, one after the other."""
    queue = iter(values)

    def evaluate_one(*args):
        return module.evaluation.Result({name: next(queue)}, {}, {}, {})

    monkeypatch.setattr(module.evaluation, "evaluate", evaluate_one)
    monkeypatch.setattr(module.image_sets, "gan_images", lambda *args: None)


def test_the_best_is_kept(gan, dataset, tmp_path, monkeypatch):
    scripted(monkeypatch, [float("nan"), 1.0, 3.0, 2.0])
    callback = made(tmp_path, dataset, every=1)
    drive(gan, callback, 2)
    weights = np.array(gan.generator.weights[0])
    drive(gan, callback, 2)
    assert callback.best["step"] == 2
    best = SAGAN.from_preset(str(tmp_path / "best"))
    np.testing.assert_array_equal(best.generator.weights[0], weights)
    assert np.any(gan.generator.weights[0] != weights)
    assert sorted(x.name for x in tmp_path.iterdir() if x.is_dir()) == ["best"]
    row = json.loads((tmp_path / "best" / "evaluation.json").read_text())
    assert (row["step"], row["x"]) == (2, 1.0)
    with Image.open(tmp_path / "evaluation.png") as image:
        assert image.size == (720, 480)


def test_early_stop(gan, dataset, tmp_path, monkeypatch):
    scripted(monkeypatch, [3.0, 1.0, 2.0, 1.0, 0.5, 0.4])
    callback = made(tmp_path, dataset, every=1, patience=2, keep_best=False)
    drive(gan, callback, 6)
    assert [row["x"] for row in callback.rows] == [3, 1, 2, 1]
    assert gan.stop_training


@pytest.mark.parametrize(
    ("name", "scores", "target", "steps"),
    [
        ("fid", [3.0, 1.0, 0.5], 1.0, 2),
        ("recall", [0.1, 0.6, 0.4, 0.8], 0.7, 4),
        ("fid", [3.0, math.nan, 0.5], 1.0, 3),
        ("fid", [3.0, 1.0, 0.5], 0.1, 3),
    ],
)
def test_training_ends_at_the_target(
    gan, dataset, tmp_path, monkeypatch, name, scores, target, steps
):
    scripted(monkeypatch, scores, name)
    callback = made(tmp_path, dataset, every=1, target=target, keep_best=False)
    drive(gan, callback, len(scores))
    assert len(callback.rows) == steps
    reached = name == "recall" or target == 1.0
    assert gan.stop_training == reached
    again = made(tmp_path, dataset, every=1, target=target)
    assert again.go_on(gan) == reached


def test_higher_is_better(gan, dataset, tmp_path, monkeypatch):
    scripted(monkeypatch, [3.0, 1.0, 4.0])
    callback = made(tmp_path, dataset, every=1, mode="max", keep_best=False)
    drive(gan, callback, 3)
    assert callback.best["x"] == 4


def test_which_is_better_follows_from_the_name(gan, dataset, tmp_path, monkeypatch):
    for index, (name, best) in enumerate([("recall_quarters", 4), ("fid", 1)]):
        scripted(monkeypatch, [3.0, 1.0, 4.0], name)
        folder = tmp_path / str(index)
        callback = made(folder, dataset, every=1, keep_best=False)
        drive(gan, callback, 3)
        assert callback.best[name] == best


def test_its_share_of_the_time(gan, dataset, tmp_path, monkeypatch):
    """Evaluations of 1 s each in steps of 1 s may take a quarter of the time."""
    clock = iter(range(1000))
    now = [0.0]

    def evaluate_one(*args):
        now[0] += 1.0
        return module.evaluation.Result({"x": float(next(clock))}, {}, {}, {})

    monkeypatch.setattr(module.evaluation, "evaluate", evaluate_one)
    monkeypatch.setattr(module.image_sets, "gan_images", lambda *args: None)
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    callback = made(tmp_path, dataset, every=1, share=0.25, keep_best=False)
    callback.set_model(gan)
    callback.on_train_begin()
    for _ in range(100):
        now[0] += 1.0
        gan.step_counter.count.assign_add(1)
        callback.on_train_batch_end(0)
        assert len(callback.rows) <= max(1, 0.25 * now[0] + 1e-9)
    callback.on_train_end()
    assert 24 < len(callback.rows) <= 34
    assert callback.skipped == 100 - len(callback.rows)


def test_a_resumed_run_goes_on(gan, dataset, tmp_path, monkeypatch):
    scripted(monkeypatch, [3.0, 1.0, 2.0, 1.5])
    drive(gan, made(tmp_path, dataset, every=1), 2)
    callback = made(tmp_path, dataset, every=1)
    drive(gan, callback, 2)
    assert [row["step"] for row in callback.rows] == [1, 2, 3, 4]
    assert callback.best["step"] == 2
    lines = (tmp_path / "evaluation.csv").read_text().splitlines()
    assert len(lines) == 5 and lines[0] == "step,seconds,x"


@pytest.mark.slow
def test_a_run_that_goes_back(gan, dataset, tmp_path, monkeypatch):
    """Rows after the checkpoint are dropped, and the steps scored again, once."""
    scripted(monkeypatch, [3.0, 1.0, 0.5, 2.0, 0.7, 0.6])
    drive(gan, made(tmp_path, dataset, every=1), 3)
    gan.step_counter.count.assign(2)
    callback = made(tmp_path, dataset, every=1, patience=2)
    drive(gan, callback, 3)
    rows = [(row["step"], row["x"]) for row in callback.rows]
    assert rows == [(1, 3), (2, 1), (3, 2), (4, 0.7), (5, 0.6)]
    lines = (tmp_path / "evaluation.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["step", *"12345"]


def test_a_run_that_has_run_out_of_patience_stays_there(
    gan, dataset, tmp_path, monkeypatch
):
    scripted(monkeypatch, [1.0, 2.0, 3.0])
    drive(gan, made(tmp_path, dataset, every=1, patience=2), 5)
    again = made(tmp_path, dataset, every=1, patience=2)
    assert again.go_on(gan)
    assert not made(tmp_path, dataset, every=1, patience=3).go_on(gan)


@pytest.mark.parametrize(
    ("step", "left"),
    [
        (1, [1]),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [(3, [1, 2, 3]), (0, None)]
        ),
    ],
)
def test_later_rows_leave_the_files_at_once(
    gan, dataset, tmp_path, monkeypatch, step, left
):
    scripted(monkeypatch, [3.0, 2.0, 1.0])
    drive(gan, made(tmp_path, dataset, every=1), 3)
    gan.step_counter.count.assign(step)
    made(tmp_path, dataset, every=1).go_on(gan)
    table, curve = (tmp_path / name for name in (module.TABLE, module.CURVE))
    assert curve.exists() == table.exists() == (left is not None)
    if left is not None:
        rows = csv.DictReader(table.read_text().splitlines())
        assert [int(row["step"]) for row in rows] == left


def test_time_goes_on_when_fit_is_called_again(gan, dataset, tmp_path, monkeypatch):
    now = [0.0]
    scripted(monkeypatch, [1.0, 2.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    callback = made(tmp_path, dataset, every=1, share=0.5, keep_best=False)
    drive(gan, callback, 1)
    callback.cost = callback._spent = 10.0
    now[0] = 11.0
    drive(gan, callback, 1)  # 10 of 11 seconds were spent
    now[0] = 30.0
    drive(gan, callback, 1)
    assert [row["step"] for row in callback.rows] == [1, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "`every` must be at least 1"),
        ({"mode": "best"}, "`mode` must be 'min', 'max' or None"),
        ({"share": 0}, r"`share` must be in \(0, 1\]"),
        ({"patience": 0}, "`patience`"),
    ],
)
def test_wrong_arguments(dataset, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        made(tmp_path, dataset, **options)


def test_an_unknown_monitor(dataset, tmp_path):
    callback = made(tmp_path, dataset, monitor="fid")
    expected = "`monitor` must be the beginning of one of kernel_distance_quarters, kid"
    with pytest.raises(ValueError, match=expected):
        callback.prepare()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metrics": ("fid",)}, "`fake` must have more images than the 12 dimensions"),
        ({"metrics": ("kid",), "subset_size": 9}, "`subset_size`"),
        ({"metrics": ("prdc",), "nearest_k": 8}, "`nearest_k`"),
        ({"metrics": ("is",)}, "class probabilities"),
    ],
)
def test_what_cannot_be_scored_is_known_before(dataset, tmp_path, settings, message):
    callback = made(tmp_path, dataset, settings=Settings(**settings))
    with pytest.raises(ValueError, match=message):
        callback.prepare()


@pytest.mark.parametrize(
    "settings",
    [
        Settings(metrics=("fid",)),
        Settings(metrics=("kid",), subset_size=9),
        Settings(metrics=("prdc",), nearest_k=8),
    ],
)
def test_it_is_known_before_features_are_extracted(dataset, tmp_path, settings):
    callback = made(tmp_path, dataset, settings=settings)
    callback.extractor = dataclasses.replace(
        EXTRACTOR, function=pytest.fail, dimensions=12
    )
    with pytest.raises(ValueError, match="Received"):
        callback.prepare()
