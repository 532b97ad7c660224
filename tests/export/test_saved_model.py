"""The exported generator, in this process and where neither Keras nor we exist."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import tiny_gan

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


@pytest.fixture(scope="module", params=[3, None], ids=["conditional", "unconditional"])
def exported(request, tmp_path_factory):
    gan = tiny_gan(request.param)
    folder = tmp_path_factory.mktemp("export") / "1"
    gan.export(str(folder))
    return gan, folder


def test_signature(exported):
    gan, folder = exported
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    _, inputs = serve.structured_input_signature
    expected = {"latent": tf.TensorSpec((None, 8), tf.float32, "latent")}
    if gan.generator.num_classes is not None:
        expected["label"] = tf.TensorSpec((None,), tf.int32, "label")
    assert inputs == expected
    assert list(serve.structured_outputs) == ["images"]
    images = serve.structured_outputs["images"]
    assert images.dtype == tf.float32
    assert images.shape.as_list() == [None, 32, 32, 3]


def test_same_images_without_keras(exported, tmp_path):
    gan, folder = exported
    inputs = _inputs(gan.generator, 64)
    np.savez(tmp_path / "in.npz", **inputs)
    arguments = [str(folder), str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]
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
    conditional = gan.generator.num_classes is not None
    rows = list(inputs.values()) if conditional else inputs["latent"]
    wanted = gan.predict(rows, verbose=0)
    for size in (1, 7, 64):
        np.testing.assert_allclose(actual[str(size)], wanted[:size], atol=1e-5)


def test_every_variable_is_written_once(exported):
    gan, folder = exported
    reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    shapes = reader.get_variable_to_shape_map()
    written = sum(
        int(np.prod(shape))
        for name, shape in shapes.items()
        if name.endswith("VARIABLE_VALUE")
    )
    assert written == gan.ema_generator.count_params()


@pytest.mark.parametrize(
    ("latents", "labels", "message"),
    [
        (1, [3], r"label must be in \[0, 3\)"),
        (1, [-1], r"label must be in \[0, 3\)"),
        (2, [0], "latent and label must have the same length"),
        (1, [0, 1], "latent and label must have the same length"),
    ],
)
def test_bad_requests_are_errors(conditional, latents, labels, message):
    serve = tf.saved_model.load(str(conditional)).signatures["serving_default"]
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        serve(latent=tf.zeros((latents, 8)), label=tf.constant(labels))


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conditional") / "1"
    tiny_gan().export(str(folder))
    return folder


def test_used_directory_is_refused(conditional):
    before = sorted(path.name for path in conditional.iterdir())
    with pytest.raises(FileExistsError, match="must not exist yet, or be empty"):
        tiny_gan().export(str(conditional))
    assert sorted(path.name for path in conditional.iterdir()) == before


def test_committed_digits_load():
    folder = "saved_models/glyphs/1"
    serve = tf.saved_model.load(folder).signatures["serving_default"]
    labels = tf.range(10, dtype=tf.int32)
    images = serve(latent=tf.zeros((10, 128)), label=labels)["images"].numpy()
    assert images.shape == (10, 32, 32, 3)
    assert images.min() < -0.9 and images.max() > 0.9  # bright strokes on black
