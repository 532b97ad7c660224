"""The client and the bundled model behind a real server, by both protocols."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_sagan.extras import install_command
from keras_sagan.serving.client.client import Client
from keras_sagan.serving.errors import Code, ServingError
from tests.helpers import ROOT
from tests.serving.conftest import GLYPHS

LABELS, SEEDS = [3, 3, 7, 0], [0, -5, 2**40, 9]


@pytest.fixture(scope="module")
def reference():
    """`generate` of the model, in this process."""
    generate = tf.saved_model.load(str(GLYPHS / "1")).signatures["generate"]

    def images(labels, seeds, truncation=0.0):
        return generate(
            seed=tf.constant(seeds, tf.int64),
            label=tf.constant(labels, tf.int32),
            truncation=tf.fill([len(seeds)], float(truncation)),
        )["images"].numpy()

    return images


def assert_same_pictures(actual, expected):
    """Equal but for rounding: one grey level in one of 10,000 values."""
    assert actual.dtype == np.uint8 and actual.shape == expected.shape
    difference = np.abs(actual.astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 1e-4


def test_pictures_are_those_of_the_model(url, reference):
    with Client(url) as client:
        images = client.generate(labels=LABELS, seed=SEEDS)
        assert_same_pictures(images, reference(LABELS, SEEDS))
        assert images[1].std() > 10 and (images[0] != images[1]).any()
        one_seed = client.generate(labels=LABELS, seed=4, truncation=0.5)
        assert_same_pictures(one_seed, reference(LABELS, [4, 5, 6, 7], 0.5))


def test_many_images_are_asked_for_in_parts(url, reference):
    labels = [i % 10 for i in range(11)]
    with Client(url, batch_size=4) as client:
        images = client.generate(labels=labels, seed=3)
    assert_same_pictures(images, reference(labels, range(3, 14)))


def test_png_files(url, reference):
    with Client(url) as client:
        files = client.generate_png(labels=LABELS, seed=SEEDS)
    pictures = [np.asarray(Image.open(io.BytesIO(data))) for data in files]
    assert_same_pictures(np.stack(pictures), reference(LABELS, SEEDS))


def test_attention_maps(url):
    latents = np.random.default_rng(0).normal(size=(2, 128))
    with Client(url) as client:
        outputs = client.attention_maps(latents, [3, 7])
        images = client.predict(
            "serving_default",
            {"latent": np.float32(latents), "label": np.int32([3, 7])},
        )["images"]
    np.testing.assert_allclose(outputs.pop("images"), images, atol=1e-5)
    assert outputs
    for scores in outputs.values():
        assert scores.shape[0] == 2 and scores.dtype == np.float32
        np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-5)


def test_what_the_server_says_about_the_model(url):
    with Client(f"{url}/versions/1") as client:
        assert client.status() == {1: "AVAILABLE"}
        signatures = client.signatures()
    assert {"serving_default", "generate", "generate_png", "attention"} <= set(
        signatures
    )
    generate = signatures["generate"]
    assert {name: spec.dtype.name for name, spec in generate.inputs.items()} == {
        "label": "int32",
        "seed": "int64",
        "truncation": "float32",
    }
    assert generate.outputs["images"].shape == (None, 32, 32, 3)


def test_what_the_model_refuses(url):
    with Client(url) as client:
        with pytest.raises(
            ServingError, match=r"label must be in \[0, 10\)"
        ) as refused:
            client.generate(labels=[10])
        assert refused.value.code is Code.INVALID_ARGUMENT
        with pytest.raises(ServingError, match="truncation must be"):
            client.generate(labels=[1], truncation=-1.0)
        with pytest.raises(ServingError, match=r"nothing"):
            client.predict("nothing", {})
    with Client(f"{url}/versions/9") as client:
        with pytest.raises(ServingError) as missing:
            client.signatures()
        assert missing.value.code is Code.NOT_FOUND


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Give either `labels` or `num_images`"),
        ({"labels": [1], "num_images": 1}, "Give either"),
        ({"labels": []}, "At least one image"),
        ({"labels": [1, 2], "seed": [1]}, "`seed` must be an int or 2 of them"),
        ({"labels": [1, 2], "seed": 2**63 - 1}, "`seed` must be integers of 64 bits"),
        ({"labels": [2**31]}, r"`labels` must be integers of 32 bits. .*2147483648"),
    ],
)
def test_arguments(arguments, message):
    with Client("grpc://localhost/m") as client:
        with pytest.raises(ValueError, match=message):
            client.generate(**arguments)


def test_settings():
    with pytest.raises(ValueError, match=r"`timeout` must be positive. Received: 0"):
        Client("grpc://localhost/m", timeout=0)
    with pytest.raises(ValueError, match=r"`batch_size` must be at least 1. Received"):
        Client("grpc://localhost/m", batch_size=0)
    with pytest.raises(ValueError, match="`token` must consist of letters"):
        Client("grpc://localhost/m", token="two words")
    with pytest.raises(ValueError, match="`url` must be like"):
        Client("localhost:8500")


@pytest.mark.parametrize(
    ("url", "package"),
    [
        ("grpc://localhost/m", "grpc"),
        ("grpc://localhost/m", "google.protobuf"),
        ("http://localhost/v1/models/m", "urllib3"),
    ],
)
def test_the_extra_is_named(url, package):
    program = (
        "import sys; from keras_sagan.cli.main import main; "
        f"sys.modules[{package!r}] = None; "
        f"sys.exit(main(['sample', '--server', '{url}', '-o', 'x.png']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("keras-sagan: error: A client (")
    assert done.stderr.endswith(f": {install_command('serving')}\n")


def test_tensorflow_is_not_needed(server):
    code = f"""
import json, sys
sys.modules["tensorflow"] = None
from keras_sagan.serving import Client
shapes = []
for url in {[server.grpc, server.rest]}:
    with Client(url) as client:
        shapes.append(client.generate(labels=[1]).shape)
print(json.dumps([*shapes, "keras" in sys.modules]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True
    )
    assert json.loads(done.stdout) == [[1, 32, 32, 3], [1, 32, 32, 3], False]
