"""`keras-sagan evaluate` from the command line: scores, files, comparison, refusal."""

import functools
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_sagan.cli.main import main
from keras_sagan.metrics import evaluation
from keras_sagan.metrics.extractors import classifier
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


@pytest.mark.slow
def test_the_same_question_is_not_computed_twice(
    evaluate, run_directory, tmp_path, monkeypatch, capsys
):
    """Nor is the classifier trained twice; another seed is another question."""
    given = ["--metrics", "kid,agreement", "--extractor", "classifier"]
    given += ["--cache-dir", str(tmp_path), "--json"]
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    assert evaluate(*given, str(first)) == 0
    assert "not computed again" not in capsys.readouterr().out
    copy = shutil.copytree(run_directory, tmp_path / "copy")
    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "collect", pytest.fail)
        patch.setattr(classifier, "train_classifier", pytest.fail)
        assert evaluate(*given, str(second), model=copy) == 0
    (kept,) = (tmp_path / "evaluations").glob("*.json")
    assert f"not computed again: read from {kept}" in capsys.readouterr().out
    results = [json.loads(x.read_text()) for x in (first, second)]
    assert results[1]["cached"] == str(kept) and results[0].pop("cached") is None
    assert results[1]["protocol"]["model"]["path"] == str(copy)
    for part in ("scores", "by_class"):
        assert results[0][part] == results[1][part]
    monkeypatch.setattr(evaluation, "collect", refuse)
    for changed in (["--seed", "1"], ["--no-cache"], ["--nearest-k", "3"]):
        with pytest.raises(AssertionError, match="computed"):
            evaluate(*given, str(tmp_path / "3.json"), *changed)


def refuse(*args):
    raise AssertionError("computed")


def test_results_that_cannot_be_kept(evaluate, tmp_path, capsys):
    (tmp_path / "evaluations").touch()
    given = ["--metrics", "kid", "--cache-dir", str(tmp_path)]
    assert evaluate(*given) == 0
    printed = capsys.readouterr()
    assert "warning: results are not stored: " in printed.err
    assert "kernel_distance_classifier" in printed.out


def test_an_audit_marks_what_is_not_seen(evaluate, tmp_path, capsys):
    """The 16 pictures make sets of 5 at most, of which little can be seen."""
    path = tmp_path / "r.json"
    assert evaluate("--metrics", "kid,rbf", "--audit", "--json", str(path)) == 0
    printed = capsys.readouterr().out
    assert "components: only eight principal components" in printed
    assert evaluate("--metrics", "kid,rbf", "--audit") == 0
    again = capsys.readouterr().out
    assert again.count("not computed again") == 2
    assert printed.partition("\n\n")[0] == again.partition("\n\n")[0]
    missed = json.loads(path.read_text())["missed"]
    assert missed
    for name, controls in missed.items():
        assert f"(does not see: {', '.join(controls)})" in printed
        assert name.endswith("_classifier")
    assert evaluate("--audit", "--reference-stats", str(tmp_path / "s.npz")) == 2
    assert "cannot be combined with --reference-stats" in capsys.readouterr().err


@pytest.mark.slow
def test_utility_needs_no_extractor(evaluate, tmp_path, capsys):
    """The FID network would be downloaded; a result that is kept says the same."""
    path = tmp_path / "r.json"
    given = ["--metrics", "utility", "--held-out", "train", "--extractor", "inception"]
    given += ["--cache-dir", str(tmp_path), "--utility-seeds", "2"]
    assert evaluate(*given, "--utility-steps", "1", "--json", str(path)) == 0
    (sentence,) = json.loads(path.read_text())["conclusions"]
    assert sentence.startswith("Adding these images ")
    assert evaluate(*given, "--utility-steps", "1") == 0
    first, again = capsys.readouterr().out.split("not computed again")
    assert sentence in first.split("protocol")[0] and again
    result = json.loads(path.read_text())
    assert result["protocol"]["extractor"]["name"] == "none"
    assert result["protocol"]["held_out"]["split"] == "train"
    assert set(result["by_class"]["gan_test"]) == {"0", "1"}
    assert set(result["intervals"]) == set(result["scores"])


@pytest.mark.distributed
@pytest.mark.slow
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
    assert evaluate(*metrics, "--json", paths[0]) == 2  # it is not replaced
    assert evaluate(*metrics, "--json", paths[0], "--force") == 0
    capsys.readouterr()
    assert main(["evaluate", paths[0], "--against", paths[1]]) == 0
    printed = capsys.readouterr().out
    assert "difference" in printed
    assert "(better)" in printed or "(worse)" in printed
    assert main(["evaluate", paths[0], "--against", paths[2]]) == 2
    assert "fake.truncation: None, 1.0" in capsys.readouterr().err
    assert main(["evaluate", paths[0], "--against", paths[2], "--ignore-protocol"]) == 0
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
    assert "allow only fid" in capsys.readouterr().err


@pytest.mark.slow
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


def folder_of(picture_folder, path, **classes):
    """A folder with classes of these names, each a copy of one of `picture_folder`."""
    for name, original in classes.items():
        shutil.copytree(picture_folder / original, path / name)
    return path


def test_classes_are_matched_by_name(picture_folder, tmp_path, capsys):
    """The classes of the pictures are the last two of the data's three."""
    many = folder_of(
        picture_folder, tmp_path / "3", amber="red", blue="blue", red="red"
    )
    for file in (many / "amber").iterdir():
        Image.new("RGB", (32, 32), (255, 191, 0)).save(file)
    given = ["--extractor", "classifier", "--image-size", "32"]
    given += ["--dataset", f"folder:{many}", "--metrics", "agreement"]
    assert main(["evaluate", f"folder:{picture_folder}", *given]) == 0
    printed = capsys.readouterr().out
    assert float(printed.split()[1]) > 0.6
    assert "blue" in printed and "amber" not in printed


@pytest.mark.parametrize("metric", ["agreement", "intra_fid"])
def test_classes_that_do_not_match(picture_folder, tmp_path, capsys, metric):
    other = folder_of(picture_folder, tmp_path / "other", blue="blue", teal="blue")
    kept = tmp_path / "c.keras"
    given = ["--extractor", f"classifier:{kept}", "--image-size", "32"]
    given += ["--dataset", f"folder:{picture_folder}", "--metrics", metric]
    assert main(["evaluate", f"folder:{other}", *given, "--allow-few"]) == 2
    error = capsys.readouterr().err
    assert "blue, red" in error and "blue, teal" in error


def test_statistics_and_options_that_contradict_them(
    evaluate, picture_folder, tmp_path, capsys
):
    """The file won without a word."""
    path = tmp_path / "stats.npz"
    given = ["--metrics", "fid", "--allow-few", "--reference-stats", str(path)]
    assert evaluate(*given) == 0
    assert evaluate(*given, "--split", "train", "--num-real", "16") == 0
    other = folder_of(picture_folder, tmp_path / "other", blue="blue", red="red")
    for flag, value, own in (
        ("--dataset", f"folder:{other}", f"'folder:{picture_folder}'"),
        ("--split", "test", "'train'"),
        ("--num-real", "8", "16"),
        ("--fit", "pad", "'crop'"),
        ("--image-size", "16", "32"),
    ):
        capsys.readouterr()
        assert evaluate(*given, flag, value) == 2
        error = capsys.readouterr().err
        assert f"{flag} {value}, and the file says {own}" in error
    with np.load(path) as content:
        moments = {name: content[name] for name in ("mu", "sigma")}
    np.savez(path, **moments)
    assert evaluate(*given) == 2
    assert "--dataset must be left out" in capsys.readouterr().err


def test_the_same_data_by_another_path(evaluate, picture_folder, tmp_path, monkeypatch):
    given = ["--metrics", "fid", "--allow-few"]
    given += ["--reference-stats", str(tmp_path / "stats.npz")]
    assert evaluate(*given) == 0
    monkeypatch.chdir(picture_folder.parent)
    assert evaluate(*given, "--dataset", f"folder:{picture_folder.name}") == 0


def test_what_cannot_be_is_refused_before_a_classifier_is_trained(
    evaluate, tmp_path, capsys
):
    new = tmp_path / "new.keras"
    assert evaluate("--metrics", "kid", "--extractor", f"classifier:{new}", few=[]) == 2
    assert "`subset_size`" in capsys.readouterr().err
    assert not new.exists()


def test_progress_in_a_log_file(evaluate, monkeypatch, capsys):
    """Lines; nothing is drawn over."""
    monkeypatch.setattr("keras_sagan.progress.LINE_SECONDS", 0.0)
    assert evaluate("--metrics", "kid,prdc") == 0
    output, errors = capsys.readouterr()
    assert "\r" not in output + errors
    for line in ("real images: 16/16", "generated images: 12/12", "distance: 100/100"):
        assert line in errors
