"""Runs that begin with a trained model."""

import json
import shutil

import numpy as np
import pytest

from keras_sagan.cli.main import main
from keras_sagan.config.presets import get_preset
from keras_sagan.runs import beginning, building, loading
from tests import helpers

SHORT = "--steps 2 --batch-size 4 --log-every 1 --dtype-policy float32 "


@pytest.fixture(scope="module")
def other_pictures(picture_folder, tmp_path_factory):
    """Pictures of a class that `run_directory` knows, and of a new one."""
    folder = tmp_path_factory.mktemp("others")
    shutil.copytree(picture_folder / "red", folder / "red")
    shutil.copytree(picture_folder / "blue", folder / "azure")
    return folder


def config_of(**values):
    named = {name.replace("__", "."): value for name, value in values.items()}
    named |= {"training.batch_size": 4, "training.dtype_policy": "float32"}
    return get_preset("sagan_32_small").run_config(named)


def test_networks_and_weights(run_directory, other_pictures):
    config = config_of(
        training__init_from=str(run_directory), data__dataset=f"folder:{other_pictures}"
    )
    config, source = beginning.prepare(config)
    assert (config.model.base_filters, config.model.d_base_filters) == (4, None)
    assert config.model.num_classes == 2
    gan = building.build(config, source.class_names)
    before = loading.load_trained(run_directory)
    kernel = gan.generator.get_layer("dense").layer.kernel
    trained = before.generator.get_layer("dense").layer.kernel
    assert not np.array_equal(kernel, trained)
    beginning.begin(gan, config, resumes=True)
    assert not np.array_equal(kernel, trained)
    beginning.begin(gan, config, resumes=False)
    np.testing.assert_array_equal(kernel, trained)
    assert (source.class_names, before.class_names) == (
        ("azure", "red"),
        ("blue", "red"),
    )
    table, old = (
        np.array(x.generator.get_layer("block1_bn1").beta) for x in (gan, before)
    )
    np.testing.assert_allclose(table, [old.mean(axis=0), old[1]], rtol=1e-6)


def test_a_setting_that_is_the_models(run_directory):
    config = config_of(training__init_from=str(run_directory), model__base_filters=8)
    message = r"`model.base_filters` must be that of the model .*: 4\. Received: 8"
    with pytest.raises(ValueError, match=message):
        beginning.prepare(config, given={"model.base_filters"})


@pytest.mark.parametrize("name", ["saved_models/glyphs/1", "sagan_64"])
def test_models_that_cannot_be_trained_on(name, monkeypatch):
    monkeypatch.chdir(helpers.ROOT)
    config = config_of(training__init_from=name)
    with pytest.raises(ValueError, match=r"but a trained model with both .* is needed"):
        beginning.prepare(config)


@pytest.mark.slow
def test_the_command(run_directory, other_pictures, tmp_path, capsys):
    command = ["train", "--init-from", str(run_directory), "-o", str(tmp_path / "run")]
    command += ["--dataset", f"folder:{other_pictures}", *SHORT.split()]
    frozen = "discriminator/block1_*,discriminator/block2_*"
    assert main([*command, "--freeze", frozen]) == 0, capsys.readouterr().err
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["training"]["init_from"] == str(run_directory)
    assert config["training"]["freeze"] == frozen.split(",")
    assert config["model"]["base_filters"] == 4
    before, after = map(loading.load_trained, (run_directory, tmp_path / "run"))
    for name, same in [("block1_conv1", True), ("block3_conv1", False)]:
        kernels = [
            np.array(getattr(layer, "layer", layer).kernel)
            for layer in (x.discriminator.get_layer(name) for x in (before, after))
        ]
        assert np.array_equal(*kernels) == same
    # The model that it began with is not needed to go on.
    text = (tmp_path / "run" / "config.json").read_text()
    moved = text.replace(str(run_directory), "/nowhere")
    (tmp_path / "run" / "config.json").write_text(moved)
    gan = loading.load_trained(tmp_path / "run")
    assert gan.class_names == ("azure", "red")
