import json
import shutil

import pytest

from keras_sagan.runs import checkpoint_files, checkpoints, loading
from keras_sagan.runs.loading import Kind, models_over_time
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


def test_without_checkpoints(run_directory, tmp_path):
    with pytest.raises(ValueError, match="but the directory of a run is needed"):
        next(models_over_time(run_directory / "model"))
    shutil.copy(run_directory / "config.json", tmp_path)
    with pytest.raises(FileNotFoundError, match="has no checkpoints to show"):
        next(models_over_time(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no trained model in .* yet"):
        loading.load_trained(tmp_path)


def touched(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("files", "kind", "path"),
    [
        ({"config.json": '{"training": {}}'}, Kind.RUN, "."),
        ({"config.json": "{"}, Kind.RUN, "."),  # damaged: what reads it says so
        ({"config.json": "{", "model.weights.h5": ""}, Kind.MODEL, "."),
        ({"config.json": "{}", "model/model.weights.h5": ""}, Kind.MODEL, "model"),
        (
            {"1/saved_model.pb": "", "10/saved_model.pb": "", "9/x": ""},
            Kind.EXPORT,
            "10",
        ),
        ({"saved_model.pb": ""}, Kind.EXPORT, "."),
    ],
)
def test_kinds(tmp_path, files, kind, path):
    for name, text in files.items():
        touched(tmp_path / name, text)
    location = loading.locate(tmp_path)
    assert (location.kind, location.path) == (kind, tmp_path / path)
    assert loading.locate(str(tmp_path)) == location


@pytest.mark.parametrize("files", [{}, {"config.json": "{}"}, {"1/x": ""}])
def test_no_model(tmp_path, files):
    for name, text in files.items():
        touched(tmp_path / name, text)
    with pytest.raises(FileNotFoundError, match="no trained model at"):
        loading.locate(tmp_path)


def test_a_directory_comes_before_a_preset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert loading.locate("sagan_32_small").kind is Kind.PRESET
    touched(tmp_path / "sagan_32_small" / "model.weights.h5")
    assert loading.locate("sagan_32_small").kind is Kind.MODEL


def test_data_that_a_model_was_trained_on(run_directory):
    assert loading.data_settings(run_directory)["fit"] == "crop"
    assert loading.data_settings(run_directory / "model") == {}
    glyphs = helpers.ROOT / "saved_models" / "glyphs"
    trained_on = {"dataset": "glyphs", "split": "train"}
    assert loading.data_settings(glyphs).items() >= trained_on.items()


def test_a_checkpoint_knows_the_mix_of_its_labels(run_directory, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(run_directory, run)
    shutil.rmtree(run / "model")
    for name, section, values in [
        ("config.json", "data", {"fake_labels": "natural"}),
        ("config.json", "training", {"loss": "hinge"}),
        ("facts.json", "data", {"class_counts": [12, 4]}),
    ]:
        content = json.loads((run / name).read_text())
        content[section].update(values)
        (run / name).write_text(json.dumps(content))
    models = [loading.load_trained(run), *(gan for _, gan in models_over_time(run))]
    assert len(models) == 2
    for gan in models:
        assert gan.get_compile_config()["fake_label_weights"] == (12, 4)


def test_the_model_beside_an_export(run_directory, tmp_path):
    """What draws takes the export, which opens faster; what trains, the model."""
    touched(tmp_path / "1" / "saved_model.pb")
    with pytest.raises(ValueError, match="but a trained model with both of its netw"):
        loading.load_trained(tmp_path)
    shutil.copytree(run_directory / "model", tmp_path / "preset")
    assert loading.locate(tmp_path).kind is Kind.EXPORT
    gan, expected = map(loading.load_trained, (tmp_path, run_directory))
    helpers.assert_equal(
        helpers.values(gan.discriminator.weights),
        helpers.values(expected.discriminator.weights),
    )
