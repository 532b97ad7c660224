"""The client and servers of the Open Inference Protocol."""

import json
import runpy

import numpy as np
import pytest

from keras_sagan.serving.client.client import Client
from keras_sagan.serving.errors import Code, ServingError
from tests.helpers import ROOT
from tests.serving.client.open_inference_server import serving
from tests.serving.client.test_rest_transport import QUICK, answering


@pytest.fixture(scope="module")
def gan():
    from tests.export.gans import exportable_gan

    return exportable_gan()


@pytest.fixture(scope="module")
def models(gan, tmp_path_factory):
    from keras_sagan.export.onnx import export_onnx

    folder = tmp_path_factory.mktemp("onnx")
    for signature in ("generate", "attention"):
        path = folder / f"{signature}.onnx"
        export_onnx(gan.ema_generator, path, "m", signature=signature)
    return folder


@pytest.mark.parametrize("like_triton", [True, False])
def test_pictures_are_those_of_the_model(gan, models, like_triton):
    labels, seeds = [2, 0, 1, 1, 0], [0, -5, 2**40, 9, 7]
    with serving(models / "generate.onnx", like_triton) as (url, requests):
        with Client(url, batch_size=3) as client:
            images = client.generate(labels=labels, seed=seeds, truncation=0.7)
            assert client.status() == {3 if like_triton else 0: "AVAILABLE"}
    expected = gan.generate(labels=labels, seed=seeds, truncation=0.7)
    difference = np.abs(images.astype(int) - expected)
    assert difference.max() <= 1 and (difference > 0).mean() <= 1e-4
    assert [x.rpartition("/")[2] for x in requests].count("infer") == 2


def test_attention_maps(gan, models):
    latents = np.random.default_rng(0).normal(size=(2, 8)).astype(np.float32)
    with serving(models / "attention.onnx", True) as (url, _), Client(url) as client:
        maps = client.attention_maps(latents, labels=[0, 2])
        with pytest.raises(ServingError, match=r"no signature 'generate'. It has: att"):
            client.generate(labels=[0], seed=0)
    assert set(maps) == {"images", "attention_16"}
    np.testing.assert_allclose(maps["attention_16"].sum(-1), 1, atol=1e-5)


def test_refusals_have_their_reason(models):
    with serving(models / "generate.onnx", False) as (url, _), Client(url) as client:
        with pytest.raises(
            ServingError, match=r"INVALID_ARGUMENT: .*indices"
        ) as refused:
            client.generate(labels=[9], seed=0)
        assert refused.value.code is Code.INVALID_ARGUMENT
    with serving(models / "generate.onnx", False) as (url, _):
        with Client(url.removesuffix("m") + "other") as client:
            with pytest.raises(ServingError, match="NOT_FOUND: no such"):
                client.status()


FINE = {"seed": [1, 2], "truncation": [0, 0.5], "label": [0, 2]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": [0, 3]}, r"`label` must be in \[0, 3\). Received: \[0, 3\]"),
        ({"label": [-1, 0]}, r"`label` must be in \[0, 3\)"),
        ({"label": [0, 2**32]}, "`label` must be a list of integers of 32 bits"),
        ({"seed": [1, 2**63]}, "`seed` must be a list of integers of 64 bits"),
        ({"seed": [1.5, 2]}, "`seed` must be a list of integers"),
        ({"seed": [[1], [2]]}, "`seed` must be a list of integers"),
        ({"seed": [True, False]}, "`seed` must be a list of integers"),
        ({"truncation": ["1", "2"]}, "`truncation` must be a list of numbers"),
        ({"truncation": [0, -1]}, "`truncation` must be a number of at least 0"),
        ({"truncation": [0, np.nan]}, "`truncation` must be a number of at least 0"),
        ({"seed": [1]}, r"from 1 to 64. Received: {'seed': 1, 'truncation': 2"),
        (dict.fromkeys(FINE, [0] * 65), "from 1 to 64. Received: {'seed': 65"),
        ({name: [] for name in FINE}, "`seed` must be a list of integers"),
        ({"latent": [0, 0]}, "must be seed, truncation, label. Received: seed,"),
    ],
)
def test_what_the_model_of_deploy_refuses(models, change, reason):
    generator = open_generator(models / "generate.onnx")
    with pytest.raises(ValueError, match=reason):
        generator.run({**FINE, **change})


def test_what_the_model_of_deploy_answers(gan, models):
    images = open_generator(models / "generate.onnx").run(FINE)
    expected = gan.generate(labels=[0, 2], seed=[1, 2])[0]
    assert images.shape == (2, 32, 32, 3)
    assert np.abs(images[0] - expected.astype(int)).max() <= 1
    with pytest.raises(ValueError, match="must be exported with `--signature generate"):
        open_generator(models / "attention.onnx")


def open_generator(path):
    """The class that deploy/model_servers has for KServe and MLServer."""
    file = ROOT / "deploy" / "model_servers" / "generator.py"
    return runpy.run_path(str(file))["Generator"](str(path))


METADATA = {
    "name": "m",
    "inputs": [{"name": "latent", "datatype": "FP32", "shape": [-1, 2]}],
    "outputs": [{"name": "images", "datatype": "UINT8", "shape": [-1, 2]}],
}


def output(**changes):
    found = {"name": "images", "datatype": "UINT8", "shape": [1, 2], "data": [1, 2]}
    return {"outputs": [{**found, **changes}]}


@pytest.mark.parametrize(
    "answer",
    [
        output(data=[1]),
        output(data=[1, 300]),
        output(data=["x", 1]),
        output(shape=[2, 2]),
        output(name="other"),
        {"outputs": 1},
        {"outputs": [1]},
        [],
    ],
)
def test_answers_that_do_not_fit(answer):
    answers = (200, json.dumps(METADATA)), (200, json.dumps(answer))
    with answering(*answers) as (url, _), Client(url.replace("v1", "v2")) as client:
        with pytest.raises(ServingError, match="INTERNAL: The answer"):
            client.predict("serving_default", {"latent": np.zeros((1, 2), "f")})


def test_a_request():
    answers = (200, json.dumps(METADATA)), (200, json.dumps(output(data=[[1, 2]])))
    with answering(*answers) as (url, requests):
        with Client(url.replace("v1", "v2") + "/versions/4") as client:
            outputs = client.predict(
                "serving_default", {"latent": np.float32([[1, 2]])}
            )
    assert outputs["images"].dtype == np.uint8 and outputs["images"].tolist() == [
        [1, 2]
    ]
    assert [x[:2] for x in requests] == [
        ("GET", "/v2/models/m/versions/4"),
        ("POST", "/v2/models/m/versions/4/infer"),
    ]
    assert json.loads(requests[1][2]) == {
        "inputs": [
            {"name": "latent", "datatype": "FP32", "shape": [1, 2], "data": [1.0, 2.0]}
        ],
        "outputs": [{"name": "images"}],
    }


def test_a_model_that_is_loading():
    answers = (200, json.dumps({**METADATA, "versions": ["7"]})), (400, '{"error": ""}')
    with answering(*answers) as (url, _), Client(url.replace("v1", "v2")) as client:
        assert client.status() == {7: "LOADING"}


def test_types_that_are_not_known():
    bytes_ = {
        **METADATA,
        "outputs": [{"name": "x", "datatype": "BYTES", "shape": [-1]}],
    }
    with answering((200, json.dumps(bytes_))) as (url, _):
        with Client(url.replace("v1", "v2"), retries=QUICK) as client:
            with pytest.raises(ServingError, match=r"UNIMPLEMENTED: .*type BYTES"):
                client.signatures()
