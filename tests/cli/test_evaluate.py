"""`keras-sagan evaluate` from the command line: scores, files, comparison, refusal."""

import functools
import json

import numpy as np
import pytest
from PIL import Image

from keras_sagan.cli.main import main
from keras_sagan.runs import loading

FEW = ["--num-images", "12", "--kid-subset-size", "5", "--nearest-k", "2"]


@pytest.fixture(scope="module")
def classifier_file(tmp_path_factory, picture_folder):
    """A classifier of `picture_folder`, trained by the command itself at first use."""
    return tmp_path_factory.mktemp("classifier") / "c.keras"


@pytest.fixture(scope="module", autouse=True)
def opened_once():
    """A model is read, and its functions are traced, by the first test that asks."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(loading.load_trained)
        patch.setattr(loading, "load_trained", once)
        yield


@pytest.fixture
def evaluate(run_directory, picture_folder, classifier_file):
    """Runs the command with the classifier; returns the exit status."""

    def run(*options, model=run_directory, few=FEW):
        data = ["--dataset", f"folder:{picture_folder}"]
        extractor = ["--extractor", f"classifier:{classifier_file}"]
        return main(["evaluate", str(model), *data, *extractor, *few, *options])

    return run


def test_scores_and_protocol(evaluate, tmp_path, capsys, classifier_file):
    path = tmp_path / "r.json"
    metrics = ["--metrics", "fid,kid,prdc,agreement,intra_fid", "--allow-few"]
    assert evaluate(*metrics, "--json", str(path)) == 0
    result = json.loads(path.read_text())
    assert classifier_file.is_file()
    assert set(result["scores"]) == {
        f"{name}_classifier"
        for name in (
            "frechet_distance",
            "kernel_distance",
            "kid_deviation",
            "precision",
            "recall",
            "density",
            "coverage",
            "agreement",
            "intra_class_frechet_distance",
        )
    }
    assert result["protocol"]["fake"]["count"] == 12
    assert result["protocol"]["real"]["count"] == 16
    assert result["protocol"]["extractor"]["name"] == "classifier"
    printed = capsys.readouterr().out
    assert "frechet_distance_classifier" in printed and '"count": 12' in printed
    assert "blue" in printed and "red" in printed  # the table of classes


@pytest.mark.distributed
def test_scores_of_several_devices_are_those_of_one(evaluate, tmp_path, monkeypatch):
    results = []
    monkeypatch.setattr(  # the one that is kept is another strategy's
        loading,
        "load_trained",
        loading.load_trained.__wrapped__,
    )
    for name in ("none", "mirrored"):  # four logical CPU devices
        path = tmp_path / f"{name}.json"
        given = ["--metrics", "kid,agreement", "--json", str(path), "--strategy", name]
        assert evaluate(*given) == 0
        results.append(json.loads(path.read_text()))
    assert results[0]["protocol"] == results[1]["protocol"]
    for name, score in results[0]["scores"].items():
        assert results[1]["scores"][name] == pytest.approx(score, rel=1e-3), name


def test_comparison(evaluate, tmp_path, capsys):
    paths = [str(tmp_path / name) for name in ("a.json", "b.json", "c.json")]
    metrics = ["--metrics", "kid"]
    assert evaluate(*metrics, "--json", paths[0]) == 0
    assert evaluate(*metrics, "--seed", "3", "--json", paths[1]) == 0
    assert evaluate(*metrics, "--truncation", "1", "--json", paths[2]) == 0
    capsys.readouterr()
    assert main(["evaluate", paths[0], "--against", paths[1]]) == 0
    assert "difference" in capsys.readouterr().out
    assert main(["evaluate", paths[0], "--against", paths[2]]) == 2
    assert "fake.truncation: None, 1.0" in capsys.readouterr().err
    assert main(["evaluate", paths[0], "--against", paths[2], "--force"]) == 0
    assert main(["evaluate", paths[0]]) == 2


def test_a_folder_against_itself(evaluate, picture_folder, tmp_path, capsys):
    metrics = ["--metrics", "fid", "--allow-few"]
    stats = str(tmp_path / "new" / "stats.npz")
    folder, size = f"folder:{picture_folder}", ["--image-size", "32"]
    given = [*metrics, "--reference-stats", stats, "--fit", "pad"]
    assert evaluate(*given, *size, model=folder, few=[]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert float(first.split()[1]) < 1e-6
    with np.load(stats) as content:
        assert content["mu"].shape == (128,) and content["sigma"].shape == (128, 128)
        assert json.loads(str(content["protocol"]))["real"]["fit"] == "pad"
    # Read the second time: no data set is needed for it.
    assert evaluate(*metrics, "--reference-stats", stats, few=FEW) == 0
    again = capsys.readouterr().out.splitlines()[0]
    assert float(again.split()[1]) > 1
    assert evaluate("--metrics", "kid", "--reference-stats", stats) == 2
    assert "allow fid" in capsys.readouterr().err


def test_an_export(evaluate, run_directory, tmp_path, capsys):
    from keras_sagan.runs import load_trained

    load_trained(run_directory).export(str(tmp_path / "1"))
    scores = []
    for model in (run_directory, tmp_path / "1"):
        assert evaluate("--metrics", "kid", model=model) == 0
        scores.append(float(capsys.readouterr().out.split()[1]))
    assert scores[1] == pytest.approx(scores[0], rel=1e-3)


def test_truncation_sweep(evaluate, tmp_path, capsys):
    png, path = tmp_path / "sweep.png", tmp_path / "sweep.json"
    options = ["--truncation-sweep", "0.5,none", "--sweep-png", str(png)]
    assert evaluate("--metrics", "kid", *options, "--json", str(path)) == 0
    with Image.open(png) as image:
        assert image.size == (720, 480)
    results = json.loads(path.read_text())
    assert [r["protocol"]["fake"]["truncation"] for r in results] == [0.5, None]
    assert "truncation 0.5: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--metrics", "fdi"], "`metrics` must be some of"),
        (["--metrics", "fid"], "allow_few"),
        (["--metrics", "kid", "--kid-subset-size", "1000"], "`subset_size`"),
        (["--metrics", "memorization"], "--held-out"),
        (["--metrics", "kid", "--num-real", "99"], "at most 16"),
    ],
)
def test_mistakes(evaluate, capsys, options, message):
    assert evaluate(*options) == 2
    assert message in capsys.readouterr().err


def test_without_data(run_directory, capsys):
    assert main(["evaluate", str(run_directory), "--extractor", "classifier"]) == 2
    assert "pass --dataset" in capsys.readouterr().err
