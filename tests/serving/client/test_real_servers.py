"""The client and servers of others: KServe's and MLServer, from PyPI, as processes."""

import base64
import json

import numpy as np
import pytest
import urllib3

from keras_sagan.serving.client.client import Client
from keras_sagan.serving.errors import Code, ServingError
from tests.serving import model_servers

pytestmark = pytest.mark.patient  # pip installs both first
PLACES = {
    "kserve-v1": "v1/models/glyphs",
    "kserve-v2": "v2/models/glyphs",
    "mlserver-v2": "v2/models/glyphs",
}


@pytest.fixture(scope="module")
def gan():
    from tests.export.gans import exportable_gan

    return exportable_gan()


@pytest.fixture(scope="module")
def onnx(gan, tmp_path_factory):
    from keras_sagan.export.onnx import export_onnx

    path = tmp_path_factory.mktemp("onnx") / "m.onnx"
    export_onnx(gan.ema_generator, path, "m", signature="generate")
    return path


@pytest.fixture(scope="module")
def kserve(onnx, tmp_path_factory):
    with model_servers.kserve(onnx, tmp_path_factory.mktemp("kserve")) as (_, address):
        yield address


@pytest.fixture(scope="module")
def mlserver(onnx, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlserver")
    with model_servers.mlserver(onnx, folder) as (_, address):
        yield address


@pytest.fixture(params=PLACES)
def url(request):
    """Address of the model on each server, by each protocol."""
    address = request.getfixturevalue(request.param.partition("-")[0])
    return f"{address}/{PLACES[request.param]}"


def assert_few_levels(images, expected):
    difference = np.abs(images.astype(int) - expected)
    assert images.shape == expected.shape
    assert difference.max() <= 1 and (difference > 0).mean() <= 1e-4


@pytest.mark.parametrize("truncation", [None, 0.7])
def test_pictures_are_those_of_the_model(gan, url, truncation):
    labels, seeds = [2, 0, 1, 1, 0], [0, -5, 2**40, 9, 7]
    rows = {"labels": labels, "seed": seeds, "truncation": truncation}
    with Client(url, batch_size=3) as client:
        images = client.generate(**rows)
    assert_few_levels(images, gan.generate(**rows))


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ({"labels": [0, 3]}, r"`label` must be in \[0, 3\). Received: \[0, 3\]"),
        ({"labels": [-1]}, r"`label` must be in \[0, 3\). Received: \[-1\]"),
        ({"num_images": 2}, "must be seed, truncation, label. Received: seed, trunc"),
        ({"labels": [0] * 65}, "from 1 to 64. Received: {'seed': 65, "),
        ({"labels": [0], "truncation": -1.0}, "at least 0, .* Received: "),
        ({"labels": [0], "truncation": np.nan}, ""),  # no JSON: in the server's words
    ],
)
def test_refusals_have_their_reason(gan, url, rows, reason):
    with Client(url, batch_size=100) as client:
        with pytest.raises(ServingError, match=f"INVALID_ARGUMENT: .*{reason}") as told:
            client.generate(**rows, seed=0)
        assert told.value.code is Code.INVALID_ARGUMENT
        image = client.generate(labels=[1], seed=4)
    assert np.abs(image - gan.generate(labels=[1], seed=4).astype(int)).max() <= 1


def test_what_they_say_of_their_models(kserve, mlserver):
    for address in (kserve, mlserver):
        with Client(f"{address}/v2/models/glyphs") as client:
            assert client.status() == {0: "AVAILABLE"}
            assert list(client.signatures()) == ["generate"]
        with Client(f"{address}/v2/models/other") as client:
            with pytest.raises(ServingError, match=r"NOT_FOUND: Model .*other"):
                client.status()
    with Client(f"{kserve}/v1/models/glyphs") as client:
        with pytest.raises(ServingError, match=r"INVALID_ARGUMENT: .*It has: gen.*png"):
            client.attention_maps(np.zeros((1, 8), "f"), labels=[0])
        with pytest.raises(ServingError, match="lacks 'model_version_status'"):
            client.status()  # the one of KServe, whose probes ask for it
    with Client(f"{kserve}/v1/models/other") as client:
        with pytest.raises(ServingError, match=r"NOT_FOUND: .*does not exist"):
            client.generate(labels=[0])


def test_rows_of_kserve(kserve):
    row = {"seed": 7, "label": 2, "truncation": 0}
    request = {"signature_name": "generate_png"}
    status, answer = post(kserve, {**request, "instances": [row, {**row, "seed": 8}]})
    with Client(f"{kserve}/v1/models/glyphs") as client:
        files = client.generate_png(labels=[2, 2], seed=7)
    assert status == 200
    assert [base64.b64decode(x["b64"]) for x in answer["predictions"]] == files


@pytest.mark.parametrize(
    "change",
    [
        {"signature_name": "generate"},
        {"instances": 3},
        {"instances": []},
        {"instances": [{"seed": 1}, {"label": 1}]},
        {"instances": [3]},
        {"inputs": [3]},
        {"inputs": {"seed": [1.5], "label": [0], "truncation": [0]}},
        {"inputs": {"seed": [2**63], "label": [0], "truncation": [0]}},
        {"inputs": {"seed": [1], "label": [2**32], "truncation": [0]}},
        {"inputs": {"seed": [[1]], "label": [0], "truncation": [0]}},
        {"inputs": {"seed": [1, 2], "label": [0], "truncation": [0, 0]}},
        {"inputs": {"seed": ["1"], "label": [0], "truncation": [0]}},
    ],
)
def test_requests_that_kserve_refuses(kserve, change):
    status, answer = post(kserve, {"signature_name": "generate_png", **change})
    assert status == 400
    assert "must " in answer["error"] or "to be a list" in answer["error"]


def post(address, body):
    url = f"{address}/v1/models/glyphs:predict"
    with urllib3.PoolManager(retries=False) as http:
        answer = http.request("POST", url, body=json.dumps(body).encode())
    return answer.status, json.loads(answer.data)
