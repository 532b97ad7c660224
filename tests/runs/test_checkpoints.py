import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.runs import checkpoint_files, checkpoints
from keras_sagan.runs.checkpoint_files import CheckpointError
from tests import helpers


def new_gan(**arguments):
    gan = helpers.tiny_gan(attention=False, **arguments)
    gan.compile(ema_decay=0.5)
    return gan


def train(gan, steps=1, callbacks=()):
    images, labels = helpers.images_and_labels(4 * steps)
    data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(4)
    gan.fit(data, epochs=1, verbose=0, callbacks=list(callbacks))


@pytest.fixture(scope="module")
def trained():
    gan = new_gan()
    train(gan, 2)
    return gan


def test_a_snapshot_holds_everything_and_no_views(trained):
    arrays = checkpoints.snapshot(trained)
    groups = [name.partition("/")[0] for name in arrays]
    assert groups.count("model") == len(trained.variables)
    assert groups.count("g_optimizer") == len(trained.g_optimizer.variables)
    assert groups.count("d_optimizer") == len(trained.d_optimizer.variables)
    assert groups.count("metrics") == 2 * len(trained.metrics)
    kernel = trained.generator.trainable_variables[0]
    before = np.array(kernel)
    kernel.assign_add(np.ones_like(before))
    changed = checkpoints.snapshot(trained)
    kernel.assign(before)
    assert sum(not np.array_equal(arrays[n], changed[n]) for n in arrays) == 1


def test_restored_training_goes_on_with_the_same_bits(trained):
    arrays = checkpoints.snapshot(trained)
    other = new_gan()
    checkpoints.restore(other, arrays)
    for gan in (trained, other):
        train(gan)
    expected, found = map(checkpoints.snapshot, (trained, other))
    assert any(not np.array_equal(arrays[n], expected[n]) for n in arrays)
    helpers.assert_equal(found.values(), expected.values())


@pytest.mark.slow
def test_pairs_and_penalties_go_on_with_the_same_bits():
    """Also the metrics in the middle of an epoch, and D without spectral norm."""
    gans = []
    for _ in range(2):
        gan = helpers.tiny_gan(attention=False, d_spectral_norm=False)
        gan.compile(
            loss="relativistic", r1_gamma=0.5, r2_gamma=0.5, augmentation="diffaugment"
        )
        gans.append(gan)
    train(gans[0], 2)
    arrays = checkpoints.snapshot(gans[0])
    assert sum(name.startswith("metrics/") for name in arrays) == 2 * 7
    checkpoints.restore(gans[1], arrays)
    for gan in gans:
        train(gan)
    expected, found = map(checkpoints.snapshot, gans)
    assert any(not np.array_equal(arrays[n], expected[n]) for n in arrays)
    helpers.assert_equal(found.values(), expected.values())


@pytest.mark.parametrize("change", ["shape", "dtype", "missing", "unknown"])
def test_nothing_is_restored_from_another_model(trained, change):
    before = checkpoints.snapshot(trained)
    arrays = {name: array + 1 for name, array in before.items()}
    name = list(arrays)[-1]
    if change == "shape":
        arrays[name] = arrays[name][None]
    elif change == "dtype":
        arrays[name] = arrays[name].astype(np.float16)
    elif change == "missing":
        del arrays[name]
    else:
        arrays["model/9999/more"] = np.zeros(1)
    with pytest.raises(
        CheckpointError, match="9999/more" if change == "unknown" else name
    ):
        checkpoints.restore(trained, arrays)
    helpers.assert_equal(checkpoints.snapshot(trained).values(), before.values())


@pytest.mark.slow
def test_checkpoints_at_the_ends_of_epochs(tmp_path):
    gan = new_gan()
    saved = checkpoints.Checkpoints(
        tmp_path / "all", every=2, keep=2, details=lambda: {"seconds": 1.0}
    )
    for _ in range(7):  # epochs of one step
        train(gan, callbacks=[saved])
    assert checkpoint_files.steps(tmp_path / "all") == [4, 6]
    assert saved.seconds > 0
    other = new_gan()
    found = checkpoints.Checkpoints(tmp_path / "all", 2, 2).resume(other)
    assert (found.step, found.details) == (6, {"seconds": 1.0})
    assert int(other.g_optimizer.iterations) == 6
    assert saved.resume(other, step=4).step == 4
    assert int(other.g_optimizer.iterations) == 4


@pytest.mark.slow
def test_the_end_of_training_is_saved(tmp_path):
    gan = new_gan()
    saved = checkpoints.Checkpoints(tmp_path / "all", every=100, keep=2)
    train(gan, callbacks=[saved])
    assert checkpoint_files.steps(tmp_path / "all") == []

    class Stop(checkpoints.StepCallback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    train(gan, 3, callbacks=[Stop(), saved])
    assert checkpoint_files.steps(tmp_path / "all") == [2]


def test_values_that_are_not_finite_are_not_saved(tmp_path):
    gan = new_gan()
    saved = checkpoints.Checkpoints(tmp_path / "all", every=1, keep=2)
    saved.set_model(gan)
    kernel = gan.generator.trainable_variables[0]
    kernel.assign(kernel * np.inf)
    with pytest.raises(FloatingPointError, match=r"at step 0 the variable 'model/"):
        saved.save()
    assert checkpoint_files.steps(tmp_path / "all") == []
