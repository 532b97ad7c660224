"""The exported generator, in this process and where neither Keras nor we exist."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.export.folding import fold
from tests.helpers import ROOT, tiny_gan

_ALONE = """
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.modules["keras"] = None
sys.modules["keras_sagan"] = None
import numpy as np
import tensorflow as tf

folder, inputs, outputs = sys.argv[1:]
serve = tf.saved_model.load(folder).signatures["serving_default"]
feeds = {name: tf.constant(value) for name, value in np.load(inputs).items()}
images = {}
for size in (1, 7, 64):
    rows = {name: value[:size] for name, value in feeds.items()}
    images[str(size)] = serve(**rows)["images"].numpy()
np.savez(outputs, **images)
print(json.dumps(sorted(name for name in sys.modules if name.startswith("keras"))))
"""


def _inputs(generator, count):
    rng = np.random.default_rng(0)
    inputs = {
        "latent": rng.normal(size=(count, generator.latent_dim)).astype("float32")
    }
    if generator.num_classes is not None:
        labels = np.arange(count) % generator.num_classes
        inputs["label"] = labels.astype("int32")
    return inputs


def test_same_images_without_keras(any_gan, any_export, tmp_path):
    inputs = _inputs(any_gan.generator, 64)
    np.savez(tmp_path / "in.npz", **inputs)
    arguments = [str(any_export), str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]
    done = subprocess.run(
        [sys.executable, "-c", _ALONE, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    # The two entries that the program itself put there, and nothing below them.
    assert json.loads(done.stdout) == ["keras", "keras_sagan"]
    actual = np.load(tmp_path / "out.npz")
    rows = list(inputs.values()) if "label" in inputs else inputs["latent"]
    wanted = any_gan.predict(rows, verbose=0)
    for size in (1, 7, 64):
        np.testing.assert_allclose(actual[str(size)], wanted[:size], atol=1e-5)


def test_every_variable_is_written_once(any_gan, any_export):
    reader = tf.train.load_checkpoint(str(any_export / "variables" / "variables"))
    shapes = reader.get_variable_to_shape_map()
    written = sum(
        int(np.prod(shape))
        for name, shape in shapes.items()
        if name.endswith("VARIABLE_VALUE")
    )
    assert written == fold(any_gan.ema_generator).count_params()


def test_used_directory_is_refused(conditional_export):
    before = sorted(path.name for path in conditional_export.iterdir())
    with pytest.raises(FileExistsError, match="must not exist yet, or be empty"):
        tiny_gan().export(str(conditional_export))
    assert sorted(path.name for path in conditional_export.iterdir()) == before


def test_card_names_the_classes(any_gan, any_export):
    card = json.loads((any_export / "assets.extra" / "model.json").read_text())
    names = any_gan.class_names
    assert card["class_names"] == (None if names is None else list(names))
    assert (names is None) == (any_gan.generator.num_classes is None)


def test_committed_digits_draw():
    signatures = tf.saved_model.load(str(ROOT / "saved_models/glyphs/1")).signatures
    labels = tf.range(10, dtype=tf.int32)
    drawn = {"seed": tf.range(10, dtype=tf.int64), "truncation": tf.zeros(10)}
    images = signatures["generate"](**drawn, label=labels)["images"].numpy()
    assert images.shape == (10, 32, 32, 3)
    assert images.min() < 10 and images.max() > 240  # bright strokes on black
    assert 0.02 < (images.max(axis=-1) > 128).mean() < 0.5
    assert sorted(signatures) == [
        "attention", "generate", "generate_png", "serving_default"
    ]  # fmt: skip
