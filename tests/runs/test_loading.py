import pytest

from keras_sagan.runs import checkpoint_files, checkpoints
from keras_sagan.runs.loading import load_trained, models_over_time
from tests import helpers


def test_each_checkpoint_is_restored(run_directory):
    folder = run_directory / "checkpoints"
    seen = []
    for step, gan in models_over_time(run_directory):
        arrays = checkpoint_files.read(folder, step).arrays
        found = checkpoints.snapshot(gan)
        helpers.assert_equal([found[x] for x in arrays], arrays.values())
        seen.append((step, int(gan.g_optimizer.iterations)))
    assert seen == [(4, 4)]


def test_without_checkpoints(run_directory):
    with pytest.raises(FileNotFoundError, match="has no checkpoints to show"):
        next(models_over_time(run_directory / "model"))


def test_a_directory_without_a_model(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no trained model: expected .*model/"):
        load_trained(tmp_path)
