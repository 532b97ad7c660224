"""Every command with everything that can be named as a model."""

import contextlib
import functools
import json
import shutil
import urllib.request

import keras
import pytest

from keras_sagan.cli.commands import explore, serve
from keras_sagan.cli.main import build_parser, main
from keras_sagan.runs import loading
from tests.hub.hugging_face_server import taken_for_the_hub

TRAINED = ("run", "unfinished run", "model", "keras file", "hub")
EXPORTED = ("export", "version", "export without a version")
USABLE = {
    "sample": (*TRAINED, *EXPORTED),
    "attention": (*TRAINED, *EXPORTED),
    "explore": (*TRAINED, *EXPORTED),
    "evaluate": (*TRAINED, *EXPORTED),
    "export": TRAINED,
    "serve": EXPORTED,
    "report": ("run", "unfinished run"),
}
REFUSED = {  # what a command says of something else
    "sample": "but a trained model with both of its networks is needed",
    "attention": "but a trained model with both of its networks is needed",
    "explore": "but a trained model with both of its networks is needed",
    "evaluate": "but a trained model with both of its networks is needed",
    "export": "but a trained model with both of its networks is needed",
    "serve": "but an exported model is needed",
    "report": "but the directory of a run is needed",
}
UNUSABLE = {  # by every command
    "preset": "Make one with: keras-sagan train --dataset NAME --preset sagan_32_small",
    "onnx file": "is a model for another program, but ",
    "nothing": "There is no trained model at ",
    "pictures": "There is no trained model at ",
}
KINDS = (*TRAINED, *EXPORTED, *UNUSABLE)


@pytest.fixture(scope="module")
def models(run_directory, picture_folder, tmp_path_factory):
    """The names of one tiny model in every form: dict of str to str."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(run_directory, folder / "unfinished")
    shutil.rmtree(folder / "unfinished" / "model")
    gan = loading.load_trained(run_directory)
    gan.save(folder / "gan.keras")
    gan.export(folder / "exports" / "2")
    shutil.copytree(folder / "exports" / "2", folder / "bare")
    (folder / "gan.onnx").write_bytes(b"x")
    with taken_for_the_hub(folder / "cache") as hub:
        hub.put(
            "me/tiny",
            {x.name: x.read_bytes() for x in (run_directory / "model").iterdir()},
        )
        yield named(run_directory, folder, picture_folder)


def named(run_directory, folder, picture_folder):
    return {
        "run": str(run_directory),
        "unfinished run": str(folder / "unfinished"),
        "model": str(run_directory / "model"),
        "keras file": str(folder / "gan.keras"),
        "hub": "hf://me/tiny",
        "export": str(folder / "exports"),
        "version": str(folder / "exports" / "2"),
        "export without a version": str(folder / "bare"),
        "preset": "sagan_32_small",
        "onnx file": str(folder / "gan.onnx"),
        "nothing": str(folder / "nothing"),
        "pictures": str(picture_folder),
    }


@pytest.fixture(scope="module", autouse=True)
def opened_once():
    """A model is read, and its functions are traced, by the first command that asks."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("load_trained", "open_model"):
            patch.setattr(loading, name, functools.cache(getattr(loading, name)))
        yield


@pytest.fixture(scope="module")
def extractor(tmp_path_factory):
    path = tmp_path_factory.mktemp("extractor") / "x.keras"
    layers = [keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(4)]
    keras.Sequential(layers).save(path)
    return path


def run_explore(model):
    server = explore._server(build_parser().parse_args(["explore", model, "--port=0"]))
    try:
        for path, key in [("model", "classes"), ("view?seed=1&label=1", "image")]:
            address = f"http://127.0.0.1:{server.port}/api/{path}"
            with urllib.request.urlopen(address) as answer:
                assert key in json.load(answer)
    finally:
        server.stop()


def run_serve(model):
    ports = ["--grpc-port", "0", "--rest-port", "0"]
    server = serve._server(build_parser().parse_args(["serve", model, *ports]), None)
    try:
        assert list(server.model.versions) == [1 if model.endswith("bare") else 2]
        assert server.model.name in ("exports", "bare")
    finally:
        server.stop()


@pytest.fixture
def run(tmp_path, picture_folder, extractor, capsys):
    """Runs a command with a model; returns the exit status."""
    data = ["--dataset", f"folder:{picture_folder}", "--metrics", "kid"]
    few = ["--num-images", "6", "--kid-subset-size", "5"]
    more = {
        "sample": ["-o", str(tmp_path / "x.png"), "--num-images", "1"],
        "attention": ["-o", str(tmp_path / "x.png"), "--num-points", "1"],
        "evaluate": [*data, *few, "--extractor", f"keras:{extractor}"],
        "export": ["-o", str(tmp_path / "out")],
        "report": ["-o", str(tmp_path / "x.html")],
        "explore": ["--port", "0"],
        "serve": ["--grpc-port", "0", "--rest-port", "0"],
    }
    return lambda command, model: main([command, model, *more[command]])


@pytest.mark.parametrize("kind", [*TRAINED, *EXPORTED])
@pytest.mark.parametrize("command", USABLE)
def test_a_model_and_a_command(command, kind, models, run, capsys):
    if kind not in USABLE[command]:
        assert run(command, models[kind]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert models[kind] in line and REFUSED[command] in line
        assert "Make one with: keras-sagan " in line
    elif command == "explore":
        run_explore(models[kind])
    elif command == "serve":
        run_serve(models[kind])
    else:
        assert run(command, models[kind]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("kind", UNUSABLE)
@pytest.mark.parametrize("command", USABLE)
def test_what_no_command_opens(command, kind, models, run, capsys):
    assert run(command, models[kind]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert UNUSABLE[kind] in line


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf://me", "must be hf://USER/NAME"),
        ("kaggle://me/tiny", "must be kaggle://USER/MODEL/FRAMEWORK/VARIATION"),
        ("gs://me/tiny", "is not a path on this machine"),
        ("hf://me/none", "There is no model 'hf://me/none'"),
    ],
)
def test_bad_addresses(models, run, capsys, name, message):
    with contextlib.suppress(SystemExit):
        assert run("sample", name) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_home_is_expanded(models, monkeypatch, tmp_path):
    (tmp_path / "exports").symlink_to(models["export"])
    monkeypatch.setenv("HOME", str(tmp_path))
    assert loading.open_model("~/exports").class_names == ("blue", "red")
    assert loading.find_export("~/exports") == tmp_path / "exports"


def test_mixtures_of_classes_need_the_networks(models, tmp_path, capsys):
    options = ["-o", f"{tmp_path}/x.png", "--interpolate-classes", "--labels", "0,1"]
    assert main(["sample", models["export"], *options]) == 2
    assert REFUSED["sample"] in capsys.readouterr().err


def test_latents_and_neighbours_of_an_export(models, tmp_path, capsys):
    """The card says which data it was trained on; the run's card does."""
    output = ["-o", f"{tmp_path}/x.png", "--num-images", "1"]
    ways = ["--interpolate-latents", "1,2", "--frames", "2"]
    assert main(["sample", models["version"], *output, *ways]) == 0
    base = tmp_path / "saved"
    assert main(["export", models["run"], "-o", str(base)]) == 0
    nearest = ["-o", f"{tmp_path}/y.png", "--num-images", "1", "--nearest"]
    assert main(["sample", str(base), *nearest]) == 0
    assert "nearest of 16 training pictures" in capsys.readouterr().out


def test_a_gif_over_time_needs_a_run(models, tmp_path, capsys):
    assert main(["attention", models["model"], "-o", f"{tmp_path}/x.gif"]) == 2
    assert REFUSED["report"] in capsys.readouterr().err
