"""Callbacks that look for `model.optimizer`: Keras's own, and those of trackers."""

import keras
import numpy as np
import pytest

from tests import helpers

G_RATE, D_RATE = 2.0**-9, 2.0**-7


@pytest.fixture(scope="module")
def compiled():
    return helpers.tiny_gan(attention=False)


@pytest.fixture
def gan(compiled):
    sgd = keras.optimizers.SGD
    compiled.compile(sgd(G_RATE), sgd(D_RATE), run_eagerly=True)
    return compiled


def rates(gan):
    optimizers = gan.g_optimizer, gan.d_optimizer
    return [float(x.learning_rate) for x in optimizers]


def fit(gan, *callbacks, epochs=1, **arguments):
    images, labels = helpers.images_and_labels(4)
    return gan.fit(
        images, labels, 4, epochs, 0, list(callbacks), **arguments
    ).history  # positional, as of `keras.Model.fit`


def test_learning_rate_scheduler_scales_both(gan):
    seen = []

    def schedule(epoch, rate):
        seen.append(rate)
        return (0.0, G_RATE / 4, G_RATE / 2)[epoch]  # a warm-up from 0

    history = fit(gan, keras.callbacks.LearningRateScheduler(schedule), epochs=3)
    assert seen == [G_RATE, 0, G_RATE / 4]
    assert history["learning_rate"] == [0, G_RATE / 4, G_RATE / 2]
    assert rates(gan) == [G_RATE / 2, D_RATE / 2]


def test_reduce_on_plateau_scales_both_as_far_as_its_least_rate(gan):
    reduce = keras.callbacks.ReduceLROnPlateau(
        "d_real", 0.25, mode="max", min_delta=1e9, patience=1, min_lr=G_RATE / 8
    )
    history = fit(gan, reduce, epochs=4)
    expected = [G_RATE, G_RATE, G_RATE / 4, G_RATE / 8]
    assert history["learning_rate"] == expected
    assert rates(gan) == [G_RATE / 8, D_RATE / 8]


def test_a_scheduled_rate_is_refused_before_either_changes(compiled):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    sgd = keras.optimizers.SGD
    for pair in [(sgd(G_RATE), sgd(schedule)), (sgd(schedule), sgd(G_RATE))]:
        compiled.compile(*pair)
        before = rates(compiled)
        with pytest.raises(TypeError, match="LearningRateSchedule"):
            compiled.optimizer.learning_rate = 1.0
        assert rates(compiled) == before


def test_a_rate_that_always_was_0_has_no_factor(compiled):
    compiled.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(D_RATE))
    with pytest.raises(ValueError, match=r"is 0: set .*learning_rate=0.5"):
        compiled.optimizer.learning_rate = 0.5
    assert rates(compiled) == [0, D_RATE]


def test_half_precision_optimizers_are_scaled_inside_their_loss_scale():
    gan = helpers.tiny_gan(attention=False, dtype="mixed_float16")
    gan.compile(keras.optimizers.SGD(G_RATE), keras.optimizers.SGD(D_RATE))
    gan.optimizer.learning_rate = G_RATE / 2
    assert rates(gan) == [G_RATE / 2, D_RATE / 2]


@pytest.mark.slow
def test_other_stock_callbacks_that_look_at_the_optimizer(gan, tmp_path):
    callbacks = [
        keras.callbacks.BackupAndRestore(tmp_path / "backup"),
        keras.callbacks.TensorBoard(tmp_path / "logs", write_steps_per_second=True),
    ]
    images, labels = helpers.images_and_labels(4)
    fit(gan, *callbacks, epochs=2, validation_data=(images, labels))
    assert list((tmp_path / "logs" / "validation").iterdir())


def test_summary_counts_the_variables_of_both(gan):
    lines = []
    gan.summary(print_fn=lambda line, *_, **__: lines.append(line))
    count = 4  # of each, the updates and the rate
    assert f"Optimizer params: {count}" in "\n".join(lines)


def test_iterations_are_the_steps_of_the_model(gan):
    before = gan.step
    fit(gan, epochs=2)
    assert int(gan.optimizer.iterations.numpy()) == gan.step == before + 2


def test_saving_stores_the_rates_of_each(gan, tmp_path):
    gan.optimizer.learning_rate = G_RATE / 2
    gan.save(tmp_path / "gan.keras")
    other = keras.saving.load_model(tmp_path / "gan.keras")
    assert rates(other) == [G_RATE / 2, D_RATE / 2]
    other.optimizer.learning_rate = G_RATE
    assert rates(other) == [G_RATE, D_RATE]


def test_mlflow(gan, tmp_path, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow.tensorflow.callback import MlflowCallback

    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    with mlflow.start_run() as run:
        fit(gan, MlflowCallback(log_every_epoch=False, log_every_n_steps=1), epochs=2)
    logged = mlflow.get_run(run.info.run_id).data
    assert float(logged.params["opt_g_learning_rate"]) == G_RATE
    assert float(logged.params["opt_d_learning_rate"]) == D_RATE
    assert np.isfinite(logged.metrics["d_loss"])


def test_wandb(gan, tmp_path, monkeypatch):
    import wandb

    monkeypatch.chdir(tmp_path)
    from wandb.integration.keras import WandbMetricsLogger

    with wandb.init(mode="offline", dir=tmp_path) as run:
        fit(gan, WandbMetricsLogger(), epochs=2)
        assert run.summary["epoch/learning_rate"] == G_RATE
