import numpy as np
import tensorflow as tf

from keras_sagan.cli.export import next_version
from keras_sagan.cli.main import main
from keras_sagan.training.run import load_trained


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


def test_next_version(tmp_path):
    assert next_version(tmp_path / "none").name == "1"
    for name in ("2", "10", "notes", ".11.partial"):
        (tmp_path / name).mkdir()
    assert next_version(tmp_path) == tmp_path / "11"


def test_no_model_there(tmp_path, capsys):
    assert main(["export", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert "no trained model" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
