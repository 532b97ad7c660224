"""Preset directories, and models after named recipes."""

import functools
import json
import os
import pathlib
import re

import keras
import numpy as np
import pytest
import yaml

import keras_sagan
from keras_sagan import SAGAN
from keras_sagan.config import presets
from keras_sagan.config.presets import PRESETS
from tests import helpers
from tests.training import equivalence


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model after a step, and the directory it was saved to."""
    gan = helpers.tiny_gan(attention=False)
    gan.compile(keras.optimizers.Adam(0.01), loss="wasserstein", run_eagerly=True)
    gan.fit(*helpers.images_and_labels(4), batch_size=4, verbose=0)
    directory = tmp_path_factory.mktemp("presets") / "new" / "preset"
    gan.save_to_preset(directory)
    return gan, directory


def test_directory_holds_four_files(saved):
    _, directory = saved
    names = {path.name for path in directory.iterdir()}
    assert names == {"config.json", "model.weights.h5", "metadata.json", "README.md"}
    metadata = json.loads((directory / "metadata.json").read_text())
    assert metadata["keras_sagan"] == keras_sagan.__version__
    assert metadata["keras"] == keras.__version__


def test_model_returns(saved):
    gan, directory = saved
    for path in (directory, str(directory)):
        loaded = SAGAN.from_preset(path)
        helpers.assert_equal(
            helpers.values(loaded.variables + loaded.g_optimizer.variables),
            helpers.values(gan.variables + gan.g_optimizer.variables),
        )
        assert loaded.get_compile_config() == gan.get_compile_config()
        assert loaded.class_names == gan.class_names
    images = gan.generate(labels=[0, 1, 2])
    np.testing.assert_array_equal(loaded.generate(labels=[0, 1, 2]), images)
    data = helpers.images_and_labels(4, seed=1)
    for model in (gan, loaded):
        model.fit(*data, batch_size=4, verbose=0)
    helpers.assert_equal(
        helpers.values(loaded.variables), helpers.values(gan.variables)
    )


def test_architecture_alone(saved):
    gan, directory = saved
    fresh = SAGAN.from_preset(directory, load_weights=False)
    assert fresh.get_config() == gan.get_config()
    assert int(fresh.g_optimizer.iterations) == 0
    kernel = gan.generator.trainable_variables[0]
    assert not np.array_equal(fresh.generator.trainable_variables[0], kernel)


def test_weights_are_on_the_disk_before_the_directory_is_there(
    saved, tmp_path, monkeypatch
):
    target, fsync = tmp_path / "model", os.fsync

    def record(descriptor):
        path = pathlib.Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        flushed.append((path.name, path.stat().st_size, target.exists()))
        fsync(descriptor)

    flushed = []
    monkeypatch.setattr(os, "fsync", record)
    saved[0].save_to_preset(target)
    for path in target.iterdir():
        assert (path.name, path.stat().st_size, False) in flushed


def test_a_full_disk_is_an_error(saved, tmp_path):
    with (
        helpers.room_for(50_000),  # enough for all but the weights
        pytest.raises(OSError, match=r"model/model\.weights\.h5'"),
    ):
        saved[0].save_to_preset(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_directory_must_be_new_or_empty(saved, tmp_path):
    gan, directory = saved
    with pytest.raises(FileExistsError, match=r"preset' is there already.*empty"):
        gan.save_to_preset(directory)
    gan.save_to_preset(tmp_path)  # empty


def test_directory_cannot_be_changed(saved):
    message = (
        r"only the arguments `num_classes`, `class_names` and .*\['base_filters'\]"
    )
    with pytest.raises(ValueError, match=message):
        SAGAN.from_preset(saved[1], base_filters=4, synchronized=True)


def test_the_card_says_what_the_model_is(saved):
    """As the Hub reads it: a block of YAML, then Markdown."""
    directory = saved[1]
    _, block, text = (directory / "README.md").read_text().split("---\n", 2)
    metadata = yaml.safe_load(block)
    assert metadata["library_name"] == "keras"
    assert metadata["pipeline_tag"] == "unconditional-image-generation"
    assert "keras-sagan" in metadata["tags"]
    assert text.startswith("# SAGAN, 32 x 32\n")
    for part in ("red, green, blue", "- steps: 1", 'SAGAN.from_preset("DIRECTORY")'):
        assert part in text
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    named = code.replace('"DIRECTORY"', repr(str(directory)))
    exec(compile(named, "README.md", "exec"), names := {})
    assert names["images"].shape == (16, 32, 32, 3)
    assert names["gan"].step == 1  # as it was when it was saved


@pytest.mark.slow
def test_a_directory_with_synchronised_batch_statistics(saved):
    directory = saved[1]
    plain = SAGAN.from_preset(directory)
    assert not plain.generator.synchronized
    with equivalence.mirrored(2).scope():
        loaded = SAGAN.from_preset(directory, synchronized=True)
    for network in (loaded.generator, loaded.ema_generator):
        norms = [x for x in network.layers if hasattr(x, "synchronized")]
        assert norms and all(x.synchronized for x in norms)
    helpers.assert_equal(
        helpers.values(loaded.variables + loaded.g_optimizer.variables),
        helpers.values(plain.variables + plain.g_optimizer.variables),
    )


def test_recipe_with_overrides():
    gan = SAGAN.from_preset(
        "sagan_32",
        num_classes=4,
        base_filters=4,
        channels=1,
        latent_dim=3,
        synchronized=True,
    )
    assert gan.generator.synchronized
    for network in (gan.generator, gan.discriminator):
        assert network.num_classes == 4
        assert network.base_filters == 4
        assert network.channels == 1
        assert network.kernel_initializer == "orthogonal"
    assert gan.generator.latent_dim == 3
    assert gan.generator.batch_norm_momentum == 0.9
    assert gan.generator.batch_norm_epsilon == 1e-4
    for optimizer in (gan.g_optimizer, gan.d_optimizer):
        config = optimizer.get_config()
        assert config["learning_rate"] == pytest.approx(2e-4)
        assert (config["beta_1"], config["beta_2"]) == (0.5, 0.999)
        assert config["epsilon"] == 1e-8
    settings = PRESETS["sagan_32"].training
    config = gan.get_compile_config()
    for name in (
        "loss",
        "r1_gamma",
        "r2_gamma",
        "discriminator_steps",
        "ema_decay",
        "ema_start",
        "ema_warmup",
        "gradient_accumulation_steps",
        "seed",
    ):
        assert config[name] == getattr(settings, name)


@pytest.mark.slow
def test_recipe_in_another_precision(monkeypatch):
    small = {"base_filters": 4, "attention_resolutions": ()}
    gan = SAGAN.from_preset("sagan_32_small", dtype="mixed_bfloat16", **small)
    assert gan.generator.dtype_policy.name == "mixed_bfloat16"
    assert gan.ema_generator.dtype_policy.name == "float32"
    for native, usable in [(True, "mixed_bfloat16"), (False, "float32")]:
        monkeypatch.setattr(presets, "computes_in_bfloat16", lambda x=native: x)
        gan = SAGAN.from_preset("sagan_32_small", **small)
        assert gan.discriminator.dtype_policy.name == usable


@pytest.mark.parametrize(
    ("preset", "overrides", "message"),
    [
        ("sagan_23", {}, "preset.*Did you mean 'sagan_32'"),
        ("no/such/directory", {}, r"`preset` .*config.json.*no/such/directory"),
        ("sagan_32", {"filters": 3}, "can be replaced.*filters"),
        ("sagan_32", {"base_filters": 0}, "`base_filters` .*> 0"),
    ],
)
def test_bad_arguments(preset, overrides, message):
    with pytest.raises(ValueError, match=message):
        SAGAN.from_preset(preset, **overrides)


def test_the_directory_of_a_run_is_not_that_of_its_model(run_directory):
    with pytest.raises(FileNotFoundError, match=r"\(RUN/model\).*without model.weig"):
        SAGAN.from_preset(str(run_directory))


def test_directory_without_a_preset(tmp_path):
    with pytest.raises(ValueError, match=r"`preset` .*config\.json"):
        SAGAN.from_preset(tmp_path)


class OwnSAGAN(SAGAN):
    """A subclass as users write them, not registered."""


@keras.saving.register_keras_serializable(package="tests")
class RegisteredSAGAN(SAGAN):
    """One that Keras knows."""


@keras.saving.register_keras_serializable(package="tests")
class OtherSAGAN(SAGAN):
    """One that is none of the others."""


@pytest.fixture(scope="module")
def directory_of(saved, tmp_path_factory):
    """A function from a class to the directory of a model of it."""

    def write(kind):
        directory = tmp_path_factory.mktemp("kinds") / kind.__name__
        gan = kind(*helpers.tiny_networks(attention=False))
        gan.compile()
        gan.save_to_preset(directory)
        return directory

    return functools.cache(write)


@pytest.mark.parametrize(
    ("written", "asked", "expected"),
    [
        (SAGAN, OwnSAGAN, OwnSAGAN),
        (SAGAN, RegisteredSAGAN, RegisteredSAGAN),
        (OwnSAGAN, OwnSAGAN, OwnSAGAN),
        (RegisteredSAGAN, RegisteredSAGAN, RegisteredSAGAN),
        (RegisteredSAGAN, SAGAN, RegisteredSAGAN),
    ],
)
def test_subclasses(directory_of, written, asked, expected):
    gan = asked.from_preset(directory_of(written))
    assert type(gan) is expected
    assert gan.compiled


@pytest.mark.parametrize(
    ("written", "asked"), [(OwnSAGAN, SAGAN), (RegisteredSAGAN, OtherSAGAN)]
)
def test_classes_that_do_not_fit(directory_of, written, asked):
    message = rf"a {written.__name__}.*`{asked.__name__}.from_preset`.*register"
    with pytest.raises(ValueError, match=message):
        asked.from_preset(directory_of(written))


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
def test_formats_that_cannot_hold_it(saved, tmp_path, name):
    with pytest.raises(ValueError, match=rf"`\.keras`.*save_to_preset.*{name}"):
        saved[0].save(tmp_path / name)
    assert not list(tmp_path.iterdir())
