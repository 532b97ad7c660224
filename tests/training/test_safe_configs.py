import json
import shutil
import zipfile

import keras
import numpy as np
import pytest

from keras_sagan import SAGAN
from keras_sagan.training import safe_configs, saving
from tests.fuzz import mutations


@pytest.fixture
def preset(run_directory, tmp_path):
    """A copy of a trained model's directory."""
    return shutil.copytree(run_directory / "model", tmp_path / "model")


def change(preset, edit):
    path = preset / "config.json"
    config = json.loads(path.read_text())
    edit(config)
    path.write_text(json.dumps(config))


# === Configurations ===


def test_a_directory_of_ours_loads(preset):
    assert SAGAN.from_preset(preset).class_names == ("blue", "red")


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"function": {"class_name": "__lambda__", "config": {"value": "x"}}},
    "registered_name": None,
}
SYSTEM = {"module": "os", "class_name": "function", "config": "system"}
FUNCTION = {"module": "keras.utils", "class_name": "function", "config": "get_file"}
POLYMORPH = {
    "module": "os",
    "class_name": "system",
    "registered_name": "keras_sagan>system",
    "config": {},
}


@pytest.mark.parametrize("evil", [LAMBDA, SYSTEM, FUNCTION, POLYMORPH])
@pytest.mark.parametrize("place", ["generator", "g_optimizer", "nested"])
def test_other_objects_are_refused(preset, evil, place):
    def edit(config):
        if place == "generator":
            config["config"]["generator"] = evil
        elif place == "g_optimizer":
            config["compile_config"]["g_optimizer"] = evil
        else:
            optimizer = config["compile_config"]["g_optimizer"]["config"]
            optimizer["learning_rate"] = [{"x": [evil]}]

    change(preset, edit)
    with pytest.raises(ValueError, match="may name models of keras_sagan"):
        SAGAN.from_preset(preset)


def test_a_registered_class_is_the_programs_own():
    @keras.saving.register_keras_serializable(package="mine")
    class Optimizer(keras.optimizers.SGD):
        pass

    safe_configs.check_objects(keras.saving.serialize_keras_object(Optimizer()))
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, 10)
    adam = keras.optimizers.Adam(schedule)
    safe_configs.check_objects(keras.saving.serialize_keras_object(adam))


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "[" * 100_000, "\xff"])
def test_no_json_object(preset, text):
    (preset / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=r"config\.json"):
        SAGAN.from_preset(preset)


def test_a_huge_configuration_is_not_read(preset):
    with (preset / "config.json").open("a") as file:
        file.write(" " * (1 << 20))
    with pytest.raises(ValueError, match="at most 1048576 bytes"):
        SAGAN.from_preset(preset)


def test_another_model(preset):
    change(preset, lambda config: config.update(config["config"]["generator"]))
    with pytest.raises(ValueError, match="must describe a SAGAN"):
        SAGAN.from_preset(preset)


@pytest.mark.parametrize("name", ["base_filters", "num_classes", "latent_dim"])
def test_networks_larger_than_their_file(preset, name):
    def edit(config):
        config["config"]["generator"]["config"][name] = 10**9

    change(preset, edit)
    with pytest.raises(ValueError, match=f"{name}=1000000000"):
        SAGAN.from_preset(preset)


@pytest.mark.parametrize("size", [0, 10, 1000])
def test_damaged_weights(preset, size):
    path = preset / "model.weights.h5"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="is not a file of weights"):
        SAGAN.from_preset(preset)


# === Files of `gan.save` ===


@pytest.fixture(scope="module")
def keras_file(run_directory, tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "gan.keras"
    SAGAN.from_preset(run_directory / "model").save(path)
    return path.read_bytes()


def with_config(content, edit):
    """The archive with its configuration edited."""

    def change_entry(entry, data):
        if entry == "config.json":
            config = json.loads(data)
            edit(config)
            data = json.dumps(config).encode()
        return entry, data, zipfile.ZIP_STORED

    return mutations.repacked(content, change_entry)


@pytest.mark.slow
def test_a_file_of_ours_loads(keras_file, run_directory, tmp_path):
    (tmp_path / "gan.keras").write_bytes(keras_file)
    gan = saving.load_file(tmp_path / "gan.keras")
    assert gan.class_names == ("blue", "red") and gan.compiled
    expected = SAGAN.from_preset(run_directory / "model").generate([0, 1], seed=3)
    np.testing.assert_array_equal(gan.generate([0, 1], seed=3), expected)


@pytest.mark.parametrize("evil", [LAMBDA, SYSTEM, FUNCTION, POLYMORPH])
@pytest.mark.parametrize("place", ["config", "compile_config"])
def test_other_objects_in_a_file(keras_file, tmp_path, evil, place):
    def edit(config):
        config[place]["generator" if place == "config" else "g_optimizer"] = evil

    (tmp_path / "x.keras").write_bytes(with_config(keras_file, edit))
    with pytest.raises(ValueError, match=r"x\.keras' cannot be used.*may name models"):
        saving.load_file(tmp_path / "x.keras")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda x: x.update(x["config"]["generator"]), "must describe a SAGAN"),
        (
            lambda x: x["config"]["generator"]["config"].update(base_filters=10**9),
            "base_filters=1000000000",
        ),
    ],
)
def test_another_model_or_a_larger_one_in_a_file(keras_file, tmp_path, edit, message):
    (tmp_path / "x.keras").write_bytes(with_config(keras_file, edit))
    with pytest.raises(ValueError, match=message):
        saving.load_file(tmp_path / "x.keras")
