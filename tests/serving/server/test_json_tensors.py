import base64

import numpy as np
import pytest

from keras_sagan.serving.errors import Code, ServingError
from keras_sagan.serving.server import json_tensors
from keras_sagan.serving.signatures import Signature, TensorSpec

SEED = TensorSpec(np.dtype("int64"), (None,))
LATENT = TensorSpec(np.dtype("float32"), (None, 2))
TEXT = TensorSpec(np.dtype("O"), (None,))
TWO = Signature({"seed": SEED, "latent": LATENT}, {})
ONE = Signature({"seed": SEED}, {})


def columns(body, signature):
    return json_tensors.columns(json_tensors.parse_request(body), signature)


def test_rows_and_columns_are_the_same_request():
    by_row = columns(
        b'{"instances": [{"seed": 1, "latent": [0, 1]},'
        b' {"latent": [2, 3], "seed": 4}]}',
        TWO,
    )
    by_column = columns(b'{"inputs": {"seed": [1, 4], "latent": [[0,1],[2,3]]}}', TWO)
    assert by_row == by_column == {"seed": [1, 4], "latent": [[0, 1], [2, 3]]}


def test_a_single_input_needs_no_name():
    assert columns(b'{"instances": [1, 2]}', ONE) == {"seed": [1, 2]}
    assert columns(b'{"inputs": [1, 2]}', ONE) == {"seed": [1, 2]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON Parse error"),
        (b'{"inputs": [1', "JSON Parse error"),
        (b"\xff\xfe\xff", "JSON Parse error"),
        (b"[" * 100_000, "JSON Parse error: .*(recursion|deep)"),
        (b'{"inputs": ' + b"9" * 5000 + b"}", "JSON Parse error"),
        (b"[1]", "Is not object"),
        (b"{}", "Missing 'inputs' or 'instances' key"),
        (b'{"inputs": 1, "instances": [1]}', "only one of"),
        (b'{"inputs": 1, "signature_name": 7}', "'signature_name' key"),
        (b'{"instances": []}', "at least one value"),
        (b'{"instances": {"seed": 1}}', "to be a list"),
        (b'{"instances": [1]}', "Expecting an object in element 0"),
        (b'{"inputs": [1]}', "Expecting an object in 'inputs'"),
        (b'{"instances": [{"seed": 1}, {"latent": 1}]}', "Element 1 of 'instances'"),
    ],
)
def test_malformed_requests(body, message):
    with pytest.raises(ServingError, match=message) as refused:
        columns(body, TWO)
    assert refused.value.code is Code.INVALID_ARGUMENT


def test_values_keep_their_type():
    array = json_tensors.to_array("seed", [2**62, -1], SEED)
    assert array.dtype == np.int64 and array.tolist() == [2**62, -1]
    array = json_tensors.to_array("latent", [[1, 0.1]], LATENT)
    assert array.dtype == np.float32 and array.tolist() == [
        [1.0, float(np.float32(0.1))]
    ]
    encoded = base64.b64encode(b"\x00\xff").decode()
    array = json_tensors.to_array("text", ["a", {"b64": encoded}], TEXT)
    assert array.tolist() == [b"a", b"\x00\xff"]


@pytest.mark.parametrize(
    ("value", "spec"),
    [
        ([1.0], SEED),
        ([True], SEED),
        (["1"], SEED),
        ([None], SEED),
        ([2**63], SEED),
        ([{"b64": "AA=="}], SEED),
        ([[1, float("nan")]], LATENT),
        ([[1, float("inf")]], LATENT),
        ([[1, 1e39]], LATENT),
        ([[1, 10**400]], LATENT),
        ([["a", "b"]], LATENT),
        ([7], TEXT),
        ([{"b64": "?"}], TEXT),
        ([{"b65": "AA=="}], TEXT),
        ([[1, 2], [3]], LATENT),
        ([[1, 2], 3], LATENT),
        ([1, [2]], SEED),
    ],
)
def test_values_that_do_not_fit(value, spec):
    with pytest.raises(ServingError) as refused:
        json_tensors.to_array("x", value, spec)
    assert refused.value.code is Code.INVALID_ARGUMENT


def test_shape_goes_by_the_first_elements():
    assert json_tensors.shape_of(3) == ()
    assert json_tensors.shape_of([[[1, 2]], [[3, 4]]]) == (2, 1, 2)
    assert json_tensors.shape_of([]) == (0,)


def test_answers():
    images = np.arange(4, dtype="uint8").reshape(2, 2)
    png = np.array([b"a", b"b"], object)
    encoded = [{"b64": "YQ=="}, {"b64": "Yg=="}]
    to_json = json_tensors.to_json
    assert to_json({"images": images}, False) == {"outputs": [[0, 1], [2, 3]]}
    assert to_json({"images": images}, True) == {"predictions": [[0, 1], [2, 3]]}
    both = {"images": images, "image_bytes": png}
    assert to_json(both, False) == {
        "outputs": {"images": [[0, 1], [2, 3]], "image_bytes": encoded}
    }
    assert to_json(both, True) == {
        "predictions": [
            {"images": [0, 1], "image_bytes": encoded[0]},
            {"images": [2, 3], "image_bytes": encoded[1]},
        ]
    }
    assert to_json({"name": png}, False) == {"outputs": ["a", "b"]}
