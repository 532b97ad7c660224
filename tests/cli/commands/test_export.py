import json

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import SAGAN
from keras_sagan.cli.main import main
from keras_sagan.runs import load_trained
from tests.helpers import ROOT, run_python


@pytest.mark.slow
def test_export_is_the_next_version_of_the_same_model(run_directory, tmp_path, capsys):
    base = tmp_path / "models" / "pictures"
    (base / "3").mkdir(parents=True)
    assert main(["export", str(run_directory), "-o", str(base)]) == 0
    assert capsys.readouterr().out == f"{base / '4'}\n"
    assert sorted(path.name for path in base.iterdir()) == ["3", "4"]

    latents = tf.random.stateless_normal((2, 128), seed=(1, 2))
    serve = tf.saved_model.load(str(base / "4")).signatures["serving_default"]
    images = serve(latent=latents, label=tf.constant([0, 1]))["images"].numpy()
    gan = load_trained(run_directory)
    expected = gan.predict([latents, np.array([0, 1])], verbose=0)
    np.testing.assert_allclose(images, expected, atol=1e-5)


def test_verified_export_with_a_card(run_directory, tmp_path, capsys):
    base = tmp_path / "pictures"
    arguments = ["export", str(run_directory), "-o", str(base), "--verify"]
    assert main([*arguments, "--license", "CC0-1.0", "--intended-use", "Tests."]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{base / '1'}\n"
    assert "Verified through the C API of TensorFlow" in printed.err
    card = json.loads((base / "1" / "assets.extra" / "model.json").read_text())
    assert card["name"] == "pictures"
    assert card["license"] == "CC0-1.0"
    assert card["intended_use"] == "Tests."
    assert card["class_names"] == ["blue", "red"]
    assert card["training"]["steps"] == 4


@pytest.mark.slow
def test_what_cannot_be_verified_is_not_published(
    run_directory, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(
        "keras_sagan.export.verifying.verification.sys.executable", "/bin/false"
    )
    base = tmp_path / "pictures"
    assert main(["export", str(run_directory), "-o", str(base), "--verify"]) == 2
    assert "cannot be run" in capsys.readouterr().err
    assert list(base.iterdir()) == []


def test_no_model_there(tmp_path, capsys):
    assert main(["export", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert "no trained model" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "kind", ["onnx", pytest.param("litert", marks=pytest.mark.slow)]
)
def test_other_formats(run_directory, tmp_path, capsys, kind):
    path = tmp_path / "models" / f"pictures.{kind}"
    arguments = ["export", str(run_directory), "-o", str(path), "--format", kind]
    assert main([*arguments, "--verify"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{path}\n"
    assert "Verified: images differ by at most" in printed.err
    assert [x.name for x in path.parent.iterdir()] == [path.name]
    content = path.read_bytes()
    assert main(arguments) == 2  # never overwritten
    assert "exists already" in capsys.readouterr().err
    assert path.read_bytes() == content


@pytest.mark.slow
def test_a_preset_is_the_model_without_its_optimizers(run_directory, tmp_path, capsys):
    path = tmp_path / "preset"
    arguments = ["export", str(run_directory), "-o", str(path), "--format", "preset"]
    assert main([*arguments, "--license", "MIT", "--verify"]) == 0
    assert "Verified: images differ by at most" in capsys.readouterr().err
    text = (path / "README.md").read_text()
    assert "Licence: MIT" in text
    assert "dataset: folder:" in text
    weights = "model.weights.h5"
    whole = (run_directory / "model" / weights).stat().st_size
    assert (path / weights).stat().st_size < 0.7 * whole
    loaded = SAGAN.from_preset(path)
    assert loaded.step == 4
    assert loaded.compiled
    assert loaded.d_optimizer.iterations.numpy() == 0


@pytest.mark.slow
@pytest.mark.parametrize("signature", ["attention", "generate"])
def test_signatures_of_onnx(run_directory, tmp_path, capsys, signature):
    path = tmp_path / "pictures.onnx"
    arguments = ["export", str(run_directory), "-o", str(path), "--format", "onnx"]
    assert main([*arguments, "--signature", signature, "--verify"]) == 0
    assert "those of `generate` with the same seeds" in capsys.readouterr().err


@pytest.mark.slow
def test_a_model_of_a_triton_repository(run_directory, tmp_path, capsys):
    folder = tmp_path / "repository" / "pictures"
    arguments = ["export", str(run_directory), "-o", str(folder), "--format", "triton"]
    assert main([*arguments, "--verify"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{folder / '1'}\n"
    assert "the pictures are those of `generate` with the same seeds" in printed.err
    assert (folder / "1" / "model.onnx").is_file()
    assert 'name: "pictures"' in (folder / "config.pbtxt").read_text()


def test_a_signature_is_of_onnx(tmp_path, capsys):
    arguments = ["export", str(tmp_path), "-o", str(tmp_path / "out")]
    assert main([*arguments, "--signature", "generate"]) == 2
    assert (
        "--signature goes with --format onnx and triton only" in capsys.readouterr().err
    )


@pytest.mark.slow
def test_a_page(run_directory, tmp_path, capsys):
    folder, web = tmp_path / "pictures", ["--format", "web", "--verify"]
    arguments = ["export", str(run_directory), "-o", str(folder), *web]
    assert main([*arguments, "--license", "CC0-1.0"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{folder}\n"
    assert "the pictures are those of `generate` with the same seeds" in printed.err
    card = json.loads((folder / "model.json").read_text())
    assert (card["name"], card["license"]) == ("pictures", "CC0-1.0")
    assert card["training"]["steps"] == 4
    before = sorted(folder.rglob("*"))
    assert main(arguments) == 2  # never overwritten
    assert "new or an empty folder" in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.slow
def test_a_page_of_an_exported_model(tmp_path):
    folder = tmp_path / "site"
    model = str(ROOT / "saved_models" / "glyphs")
    arguments = ["export", model, "-o", str(folder), "--format", "web"]
    assert main([*arguments, "--intended-use", "Tests."]) == 0
    card = json.loads((folder / "model.json").read_text())
    assert (card["name"], card["intended_use"]) == ("glyphs", "Tests.")


def test_an_image_of_an_exported_model(tmp_path, capsys):
    folder = tmp_path / "image"
    model = str(ROOT / "saved_models" / "glyphs")
    arguments = ["export", model, "-o", str(folder), "--format", "oci"]
    assert main([*arguments, "--license", "MIT"]) == 2
    assert "go with a trained model only" in capsys.readouterr().err
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert (folder / "oci-layout").is_file()


@pytest.mark.slow
def test_an_image_of_a_trained_model(run_directory, tmp_path, capsys):
    folder = tmp_path / "pictures"
    arguments = ["export", str(run_directory), "-o", str(folder), "--format", "oci"]
    assert main([*arguments, "--license", "MIT", "--verify"]) == 0
    assert "Verified through the C API" in capsys.readouterr().err
    titles = [x.read_bytes() for x in folder.glob("blobs/sha256/*")]
    assert any(b'"org.opencontainers.image.title":"pictures"' in x for x in titles)


def test_scores_are_checked_first(tmp_path, capsys):
    scores = tmp_path / "scores.json"
    scores.write_text("{}")
    arguments = ["export", str(tmp_path), "-o", str(tmp_path / "out")]
    assert main([*arguments, "--metrics", str(scores)]) == 2
    assert "evaluate --json" in capsys.readouterr().err


_EXPORT = "import sys; from keras_sagan.cli.main import main; main(sys.argv[1:])"


@pytest.mark.slow
def test_same_run_same_bytes(run_directory, tmp_path):
    for base in (tmp_path / "a", tmp_path / "b"):
        run_python(_EXPORT, "export", run_directory, "-o", base / "pictures")
    first, second = (
        {
            str(path.relative_to(base)): path.read_bytes()
            for path in base.rglob("*")
            if path.is_file()
        }
        for base in (tmp_path / "a", tmp_path / "b")
    )
    random = "pictures/1/fingerprint.pb"  # TensorFlow puts a random number there
    assert first.pop(random) and second.pop(random)
    assert first == second
    assert len(first) == 6
