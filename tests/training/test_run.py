import _thread
import contextlib
import json
import pathlib
import signal
import threading
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_sagan import SAGAN
from keras_sagan.config import RunConfig
from keras_sagan.models.presets import get_preset
from keras_sagan.training import run
from keras_sagan.visualize import class_rows, image_grid

TINY = {
    "model.base_filters": 4,
    "training.batch_size": 4,
    "training.dtype_policy": "float32",
    "logging.log_every": 2,
}


def prepare(folder, **overrides):
    overrides = {**TINY, "data.dataset": f"folder:{folder}", **overrides}
    config = get_preset("sagan_32_small").run_config(overrides)
    return run.prepare(config, given=overrides)


@pytest.fixture
def unlabelled(picture_folder, tmp_path):
    for path in picture_folder.glob("*/*.png"):
        target = tmp_path / "unlabelled" / f"{path.parent.name}{path.name}"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    return target.parent


# === Configuration against the data ===


def test_classes_and_channels_are_the_datas(picture_folder, unlabelled):
    config, source = prepare(picture_folder)
    assert (config.model.num_classes, config.model.channels) == (2, 3)
    assert source.class_names == ("blue", "red")
    config, _ = prepare(unlabelled)
    assert config.model.num_classes is None


def test_given_channels_convert_the_data(picture_folder):
    config, source = prepare(picture_folder, **{"model.channels": 1})
    assert config.model.channels == source.channels == 1


def test_given_classes_must_be_the_datas(picture_folder):
    assert prepare(picture_folder, **{"model.num_classes": 2})
    with pytest.raises(ValueError, match=r"num_classes=2\. Received: 7"):
        prepare(picture_folder, **{"model.num_classes": 7})


def test_a_batch_is_what_a_generator_step_consumes(picture_folder):
    more = {
        "training.discriminator_steps": 2,
        "training.gradient_accumulation_steps": 2,
    }
    _, source = prepare(picture_folder, **more)
    assert source.batch_size == 2 * 2 * 4


def test_build_uses_every_setting(picture_folder):
    values = {
        "model.latent_dim": 16,
        "model.attention": "paper",
        "optimizer.g_learning_rate": 1e-3,
        "optimizer.d_learning_rate": 2e-3,
        "optimizer.beta_1": 0.5,
        "optimizer.beta_2": 0.9,
        "optimizer.epsilon": 1e-6,
    }
    config, source = prepare(picture_folder, **values)
    gan = run.build(config, source.class_names)
    assert gan.class_names == ("blue", "red")
    assert gan.generator.latent_dim == 16
    assert gan.discriminator.attention == "paper"
    for optimizer, rate in [(gan.g_optimizer, 1e-3), (gan.d_optimizer, 2e-3)]:
        assert float(optimizer.learning_rate) == pytest.approx(rate)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.9)
        assert optimizer.epsilon == 1e-6


def test_build_seeds_the_weights(picture_folder):
    def kernel(seed):
        config, _ = prepare(picture_folder, **{"training.seed": seed})
        return np.array(run.build(config).generator.trainable_variables[0])

    np.testing.assert_array_equal(kernel(1), kernel(1))
    assert np.abs(kernel(1) - kernel(2)).max() > 1e-3


# === The run directory ===


def test_directory_of_a_finished_run(run_directory):
    names = {path.name for path in run_directory.iterdir()}
    assert names == {"config.json", "samples", "logs", "metrics.jsonl", "model"}
    samples = sorted(path.name for path in (run_directory / "samples").iterdir())
    assert samples == ["0000000.png", "0000003.png", "0000004.png"]
    assert {path.name for path in (run_directory / "model").iterdir()} == {
        "config.json",
        "metadata.json",
        "model.weights.h5",
    }
    assert any((run_directory / "logs").iterdir())


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
    gan = run.load_trained(run_directory)
    assert isinstance(gan, SAGAN)
    assert int(gan.g_optimizer.iterations) == 4
    labels, seeds = class_rows([0, 1], 8)
    images = gan.generate(labels=labels, seed=seeds).astype(int)
    with Image.open(run_directory / "samples" / "0000004.png") as image:
        pixels = np.asarray(image).astype(int)
    assert np.abs(pixels - image_grid(images.astype(np.uint8), 8)).max() <= 1


def test_load_trained_takes_the_models_directory_too(run_directory):
    gan = run.load_trained(run_directory / "model")
    assert gan.class_names == ("blue", "red")


def test_load_trained_says_what_it_expects(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no trained model: expected model/"):
        run.load_trained(tmp_path)


def test_a_used_directory_is_refused_untouched(picture_folder, tmp_path):
    config, source = prepare(picture_folder)
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(FileExistsError, match=r"is not empty: .*Nothing was changed"):
        run.Run(config, tmp_path, source)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_nothing_is_written_before_fit(picture_folder, tmp_path):
    config, source = prepare(picture_folder)
    run.Run(config, tmp_path / "new", source)
    assert not (tmp_path / "new").exists()


def test_a_source_of_other_images_is_refused(picture_folder, tmp_path):
    config, source = prepare(picture_folder)
    config = config.override({"model.num_classes": 3})
    with pytest.raises(ValueError, match=r"`model\.num_classes` must be the data's 2"):
        run.Run(config, tmp_path / "new", source)


def test_names_of_run_directories_count_on(tmp_path, picture_folder):
    config = get_preset("sagan_32").run_config({"data.dataset": "tfds:a/b:1.0"})
    first = run.next_run_directory(config, tmp_path / "runs")
    assert first == tmp_path / "runs" / "00000-tfds-a-b-1.0-sagan_32"
    (tmp_path / "runs" / "00041-else").mkdir(parents=True)
    (tmp_path / "runs" / "demo-99").mkdir()
    second = run.next_run_directory(config, tmp_path / "runs")
    assert second.name.startswith("00042-")


# === Ends ===


def test_minutes_end_an_unconditional_run(unlabelled, tmp_path):
    more = {
        "training.minutes": 0.001,
        "training.discriminator_steps": 2,
        "training.gradient_accumulation_steps": 2,
    }
    config, source = prepare(unlabelled, **more)
    result = run.Run(config, tmp_path / "run", source).fit()
    assert result.steps == 1  # the first step is made, however late it is
    assert not result.interrupted
    assert result.samples == tmp_path / "run" / "samples" / "0000001.png"
    with Image.open(result.samples) as image:
        assert image.size == (8 * 34 + 2, 8 * 34 + 2)
    again = run.load_trained(tmp_path / "run").generate(num_images=3, seed=1)
    np.testing.assert_allclose(
        again.astype(int), result.gan.generate(num_images=3, seed=1), atol=1
    )


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
    assert result.interrupted
    assert 2 <= result.steps < config.training.steps
    assert pathlib.Path(result.samples).stem == f"{result.steps:07d}"
    assert run.load_trained(tmp_path / "run").compiled


def test_the_dtype_policy_is_left_as_it_was(picture_folder):
    before = keras.config.dtype_policy()
    config, _ = prepare(picture_folder, **{"training.dtype_policy": "mixed_bfloat16"})
    gan = run.build(config)
    assert gan.generator.dtype_policy.name == "mixed_bfloat16"
    assert keras.config.dtype_policy() == before
