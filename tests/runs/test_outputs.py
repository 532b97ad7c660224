"""What is written where nothing is trained; runs are in `test_run.py`."""

import json
import time

import pytest

from keras_sagan import callbacks
from keras_sagan.runs import building, load_trained
from keras_sagan.runs.outputs import Outputs
from tests.training.small_runs import prepare


@pytest.fixture(scope="module")
def begun(picture_folder, tmp_path_factory):
    """`Outputs` of an untrained model, in a directory with signs of `str.format`."""
    config, source = prepare(picture_folder, **{"training.minutes": 2.0})
    gan = building.build(config, source.class_names)
    directory = tmp_path_factory.mktemp("outputs") / "{a} {} {0}"
    outputs = Outputs(config, directory)
    with outputs.locked():
        outputs.begin(gan, source, None)
    return outputs


def test_the_beginning(begun):
    names = {path.name for path in begun.directory.iterdir()}
    assert names == {"config.json", "facts.json"}
    facts = json.loads((begun.directory / "facts.json").read_text())
    assert facts["data"]["diversity"] > 0
    kinds = {type(x) for x in (*begun.logs, *begun.pictures)}
    assert {callbacks.MetricsLog, callbacks.SampleGrid, callbacks.Progress} <= kinds


def test_the_end(begun):
    model = begun.end()
    assert model == begun.directory / "model"
    assert begun.newest_samples == begun.directory / "samples" / "0000000.png"
    assert begun.newest_samples.is_file()
    assert load_trained(begun.directory).class_names == ("blue", "red")
    begun.begin_training()
    assert (begun.directory / "aside-1-model").is_dir()


def test_time(begun):
    assert 60 < begun.deadline - time.monotonic() <= 120
    assert begun.seconds_to_end() >= 5.0


def test_where_a_run_that_diverged_can_go_on(begun):
    assert begun.last_good() == "There is no checkpoint yet."
    begun.checkpoints.prepare()
    begun.checkpoints.set_model(begun.pictures[0].model)
    begun.checkpoints.save()
    assert begun.last_good().startswith("The newest checkpoint is that of step 0.")


def test_a_step_without_a_checkpoint(begun):
    with pytest.raises(FileNotFoundError, match="must be the step of a checkpoint"):
        Outputs(begun.config, begun.directory, resume_from=7)
