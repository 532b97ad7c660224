"""`.keras` files, opened by a process that imports the package and Keras, no more."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.conformance.cases import CASES

OPEN = """
import sys
import keras_sagan
import keras
import json, traceback
import numpy as np

for path in sys.argv[1:]:
    try:
        model = keras.saving.load_model(path)
        inputs = np.load(path + ".inputs.npz")
        inputs = [inputs[name] for name in inputs.files]
        outputs = model(inputs if len(inputs) > 1 else inputs[0])
        np.savez(path + ".outputs.npz", np.array(outputs), *model.get_weights())
        configs = [layer.get_config() for layer in [model, *model.layers]
                   if type(layer).__module__.startswith("keras_sagan.")]
        result = {"configs": configs}
    except Exception:
        result = {"error": traceback.format_exc()}
    with open(path + ".json", "w") as file:
        json.dump(result, file)
"""


@pytest.fixture(scope="module")
def saved(wanted, tmp_path_factory):
    """The model of each case, after it was saved here and opened over there."""
    folder = tmp_path_factory.mktemp("saved")
    models = {}
    for case in wanted:
        model = models[case] = case.model(case.build("float64"))
        inputs = case.inputs()
        model(inputs, training=True)  # moves u, v and the statistics
        path = folder / f"{case.name}.keras"
        model.save(path)
        inputs = inputs if isinstance(inputs, list) else [inputs]
        np.savez(f"{path}.inputs.npz", *inputs)
    paths = [folder / f"{case.name}.keras" for case in wanted]
    subprocess.run([sys.executable, "-c", OPEN, *paths], check=True)
    return folder, models


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_keras_file_in_a_new_process(case, saved):
    folder, models = saved
    path, model = folder / f"{case.name}.keras", models[case]
    result = json.loads((folder / f"{case.name}.keras.json").read_text())
    assert "error" not in result, result["error"]

    ours = [x for x in [model, *model.layers] if is_ours(x)]
    configs = json.loads(json.dumps([comparable(x.get_config()) for x in ours]))
    assert [comparable(config) for config in result["configs"]] == configs

    arrays = np.load(f"{path}.outputs.npz")
    outputs, *weights = (arrays[name] for name in arrays.files)
    for weight, variable in zip(weights, model.weights, strict=True):
        np.testing.assert_array_equal(weight, variable)
    np.testing.assert_allclose(outputs, model(case.inputs()), rtol=1e-12, atol=1e-14)


def is_ours(layer):
    return type(layer).__module__.startswith("keras_sagan.")


def comparable(config):
    """Without what Keras notes beside the arguments of a built layer."""
    if isinstance(config, dict):
        return {k: comparable(v) for k, v in config.items() if k != "build_config"}
    return config


def test_an_opened_file_has_the_class_of_the_saved_one(saved):
    folder, models = saved
    for case, model in models.items():
        restored = keras.saving.load_model(folder / f"{case.name}.keras")
        assert [type(x) for x in restored.layers] == [type(x) for x in model.layers]
