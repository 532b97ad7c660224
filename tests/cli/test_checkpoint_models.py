import numpy as np
import pytest

from keras_sagan.cli.checkpoint_models import models_over_time
from keras_sagan.training import load_trained


def test_the_last_one_is_the_trained_model(run_directory):
    seen = [
        (step, gan.generate(labels=[0, 1], seed=3))
        for step, gan in models_over_time(run_directory)
    ]
    assert [step for step, _ in seen] == [4]
    trained = load_trained(run_directory).generate(labels=[0, 1], seed=3)
    np.testing.assert_array_equal(seen[-1][1], trained)


def test_without_checkpoints(run_directory):
    with pytest.raises(FileNotFoundError, match="has no checkpoints to show"):
        next(models_over_time(run_directory / "model"))
