import _thread
import contextlib
import json
import os
import pathlib
import shutil
import signal
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_sagan import SAGAN, callbacks
from keras_sagan.config.run import RunConfig
from keras_sagan.files.locking import only_one_process
from keras_sagan.runs import checkpoint_files, load_trained, run
from keras_sagan.visualize import class_rows, image_grid
from tests import helpers
from tests.callbacks.event_points import event_points
from tests.training.small_runs import prepare

# === The run directory ===


def test_directory_of_a_finished_run(run_directory):
    names = {path.name for path in run_directory.iterdir()}
    assert names == {
        "checkpoints",
        "config.json",
        "facts.json",
        "logs",
        "metrics.jsonl",
        "model",
        "samples",
    }
    samples = sorted(path.name for path in (run_directory / "samples").iterdir())
    assert samples == ["0000000.png", "0000003.png", "0000004.png"]
    assert {path.name for path in (run_directory / "model").iterdir()} == {
        "README.md",
        "config.json",
        "metadata.json",
        "model.weights.h5",
    }
    files = [x for x in (run_directory / "logs").rglob("*") if x.is_file()]
    assert {x.parent.name for x in files} == {"logs", "pictures"}


def test_config_file_resolves_everything(run_directory, picture_folder):
    content = json.loads((run_directory / "config.json").read_text())
    versions = content.pop("versions")
    assert set(versions) == {"python", "keras_sagan", "keras", "tensorflow"}
    assert versions["tensorflow"] == tf.__version__
    config = RunConfig.from_dict(content)
    assert config.preset == "sagan_32_small"
    assert config.data.dataset == f"folder:{picture_folder}"
    assert config.model.num_classes == 2
    assert config.training.seed == 5


def test_metrics_file_has_a_row_for_each_interval(run_directory):
    lines = (run_directory / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["step"] for row in rows] == [2, 4]
    for row in rows:
        assert {"d_loss", "g_loss", "images_per_second", "seconds"} <= set(row)
        assert np.isfinite(list(row.values())).all()


def test_trained_model_makes_the_last_grid(run_directory):
    gan = load_trained(run_directory)
    assert isinstance(gan, SAGAN)
    assert int(gan.g_optimizer.iterations) == 4
    labels, seeds = class_rows([0, 1], 8)
    images = gan.generate(labels=labels, seed=seeds).astype(int)
    with Image.open(run_directory / "samples" / "0000004.png") as image:
        pixels = np.asarray(image).astype(int)
    assert np.abs(pixels - image_grid(images.astype(np.uint8), 8)).max() <= 1


def test_nothing_is_written_before_fit(picture_folder, tmp_path):
    config, source = prepare(picture_folder)
    run.Run(config, tmp_path / "new", source)
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_a_worker_that_is_not_the_chief_writes_nothing(
    picture_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    config, source = prepare(picture_folder, **{"training.steps": 2})
    training = run.Run(config, None, source)
    result = training.fit()
    assert (result.steps, result.samples, result.model) == (2, None, None)
    assert not list(tmp_path.iterdir())


# === Ends ===


@pytest.mark.slow
def test_minutes_end_an_unconditional_run(unlabelled, tmp_path):
    more = {
        "training.minutes": 0.001,
        "training.discriminator_steps": 2,
        "training.gradient_accumulation_steps": 2,
    }
    config, source = prepare(unlabelled, **more)
    result = run.Run(config, tmp_path / "run", source).fit()
    assert result.steps == 1  # the first step is made, however late it is
    assert result.signal is None
    assert result.samples == tmp_path / "run" / "samples" / "0000001.png"
    with Image.open(result.samples) as image:
        assert image.size == (8 * 34 + 2, 8 * 34 + 2)
    again = load_trained(tmp_path / "run").generate(num_images=3, seed=1)
    np.testing.assert_allclose(
        again.astype(int), result.gan.generate(num_images=3, seed=1), atol=1
    )


@pytest.mark.slow
def test_ctrl_c_keeps_the_model(picture_folder, tmp_path):
    config, source = prepare(picture_folder)
    training = run.Run(config, tmp_path / "run", source)
    metrics = tmp_path / "run" / "metrics.jsonl"
    done = threading.Event()

    def press():
        while not (done.is_set() or metrics.exists()):
            time.sleep(0.01)
        if not done.is_set():
            _thread.interrupt_main()

    thread = threading.Thread(target=press)
    # A job in the background of a shell starts with this signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread.start()
    with contextlib.ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGINT, before)
        stack.callback(thread.join)
        stack.callback(done.set)
        result = training.fit()
    assert result.signal == signal.SIGINT
    assert 2 <= result.steps < config.training.steps
    assert pathlib.Path(result.samples).stem == f"{result.steps:07d}"
    assert load_trained(tmp_path / "run").compiled


def rows(output):
    """The rows of metrics without the times."""
    lines = (output / "metrics.jsonl").read_text().splitlines()
    times = ("seconds", "images_per_second")
    return [
        {k: v for k, v in json.loads(line).items() if k not in times} for line in lines
    ]


class At(callbacks.StepCallback):
    """Does something once, after a step."""

    def __init__(self, step, action):
        super().__init__()
        self.wanted, self.action = step, action

    def on_train_batch_end(self, batch, logs=None):
        if self.step == self.wanted:
            self.action(self.model)


class Disturbed(run.Run):
    """A run with `At` callbacks."""

    disturbances = ()

    def _callbacks(self, *args):
        return [*self.disturbances, *super()._callbacks(*args)]


SHORT = {
    "training.steps": 12,
    "optimizer.decay_steps": 10,  # of which each step has rates of its own
    "logging.log_every": 4,
    "logging.checkpoint_every": 4,
    "logging.sample_every": 3,
}


def terminate(model):
    os.kill(os.getpid(), signal.SIGTERM)


def points(output):
    """The steps of TensorBoard's points of a run: of the loss, and of the grids."""
    folders = output / "logs", output / "logs" / "pictures"
    scalars, pictures = map(event_points, folders)
    return [step for step, _ in scalars["g_loss"]], [x for x, _ in pictures["samples"]]


@pytest.mark.slow
def test_a_terminated_run_ends_with_the_same_bits(picture_folder, tmp_path):
    config, source = prepare(picture_folder, **SHORT)
    run.Run(config, tmp_path / "whole", source).fit()

    first = Disturbed(config, tmp_path / "parts", source)
    first.disturbances = [At(6, terminate)]  # amid an interval of metrics
    result = first.fit()
    assert (result.steps, result.signal, result.model) == (6, signal.SIGTERM, None)
    saved = tmp_path / "parts" / "checkpoints"
    assert checkpoint_files.steps(saved) == [4, 6]
    assert load_trained(tmp_path / "parts").class_names == (
        "blue",
        "red",
    )
    with (tmp_path / "parts" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 7')  # as a kill may leave it

    assert run.Run(config, tmp_path / "parts", source).fit().steps == 12
    assert rows(tmp_path / "parts") == rows(tmp_path / "whole")
    expected = checkpoint_files.read(tmp_path / "whole" / "checkpoints", 12).arrays
    found = checkpoint_files.read(saved, 12).arrays
    assert list(found) == list(expected)
    helpers.assert_equal(found.values(), expected.values())
    for name in ("0000000.png", "0000009.png", "0000012.png"):
        images = [tmp_path / x / "samples" / name for x in ("parts", "whole")]
        assert images[0].read_bytes() == images[1].read_bytes()
    assert points(tmp_path / "whole") == ([4, 8, 12], [0, 3, 6, 9, 12])
    assert points(tmp_path / "parts") == points(tmp_path / "whole")

    # A longer run, from an earlier checkpoint: what it had come to is set aside
    longer = config.override({"training.steps": 14})
    shutil.rmtree(tmp_path / "parts" / "logs")  # they are written again
    again = Disturbed(longer, tmp_path / "parts", source, resume_from=8)
    again.disturbances = [At(13, terminate)]
    assert (again.fit().steps, again.step) == (13, 13)
    assert [row["step"] for row in rows(tmp_path / "parts")][:3] == [4, 8, 12]
    assert (saved / "aside-1-0000012").is_dir()
    assert points(tmp_path / "parts") == ([4, 8, 12, 13], [9, 12])
    grids = {path.name for path in (tmp_path / "parts" / "samples").iterdir()}
    assert grids >= {"aside-1-0000009.png", "aside-1-0000012.png", "0000012.png"}
    assert (tmp_path / "parts" / "aside-1-model").is_dir()
    trained = load_trained(tmp_path / "parts")
    assert int(trained.g_optimizer.iterations) == 13
    with pytest.raises(FileNotFoundError, match=r"Received: 9"):
        run.Run(longer, tmp_path / "parts", source, resume_from=9)


@pytest.mark.slow
def test_a_run_whose_classes_were_renamed_does_not_go_on(picture_folder, tmp_path):
    folder = shutil.copytree(picture_folder, tmp_path / "pictures")
    config, source = prepare(folder, **{"training.steps": 2})
    run.Run(config, tmp_path / "run", source).fit()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    (folder / "blue").rename(folder / "zebra")  # now the second class
    longer = config.override({"training.steps": 4})
    with pytest.raises(ValueError, match=r"started with the classes .*Nothing was ch"):
        run.Run(longer, tmp_path / "run")
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    assert after == before
    (folder / "zebra").rename(folder / "blue")
    next((folder / "blue").iterdir()).unlink()
    with pytest.warns(UserWarning, match=r"16 images then, 15 now"):
        run.Run(longer, tmp_path / "run")


@pytest.mark.slow
def test_divergence_names_step_weight_and_checkpoint(picture_folder, tmp_path):
    def poison(model):
        kernel = model.discriminator.get_layer("block2_conv1").trainable_variables[0]
        kernel.assign(kernel * np.nan)
        poison.name = kernel.path

    config, source = prepare(picture_folder, **SHORT)
    training = Disturbed(config, tmp_path / "run", source)
    training.disturbances = [At(6, poison)]
    with pytest.raises(callbacks.DivergenceError) as error:
        training.fit()
    message = str(error.value)
    assert f"at step 6 the weight {poison.name!r} was not finite" in message
    assert "The newest checkpoint is that of step 4" in message
    assert checkpoint_files.read_newest(tmp_path / "run" / "checkpoints").step == 4


@pytest.mark.slow
def test_a_checkpoint_that_cannot_be_written_is_a_warning(picture_folder, tmp_path):
    def put_a_file_in_the_way(model):
        folder = tmp_path / "run" / "checkpoints"
        end = time.monotonic() + 60
        while checkpoint_files.steps(folder) != [4] and time.monotonic() < end:
            time.sleep(0.05)  # a thread writes it
        folder.rename(tmp_path / "earlier")
        folder.write_text("")

    config, source = prepare(picture_folder, **SHORT)
    training = Disturbed(config, tmp_path / "run", source)
    training.disturbances = [At(6, put_a_file_in_the_way)]
    with pytest.warns(RuntimeWarning, match="could not be written: "):
        assert training.fit().steps == 12
    assert checkpoint_files.steps(tmp_path / "earlier") == [4]
    assert (tmp_path / "run" / "model").is_dir()


def test_one_process_a_directory(picture_folder, tmp_path):
    config, source = prepare(picture_folder)
    training = run.Run(config, tmp_path / "run", source)
    (tmp_path / "run").mkdir()
    with (
        only_one_process(tmp_path / "run", "training"),
        pytest.raises(BlockingIOError, match="Another process is training in"),
    ):
        training.fit()
    assert not any((tmp_path / "run").iterdir())
