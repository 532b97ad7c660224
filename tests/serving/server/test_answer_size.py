"""Bounds against the answers themselves; `test_development_server` has the refusals."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from keras_sagan.serving.errors import Code, ServingError
from keras_sagan.serving.server import answer_size, json_tensors
from keras_sagan.serving.server.development_server import Limits
from keras_sagan.serving.signatures import TensorSpec

RNG = np.random.default_rng(0)
FLOATS = RNG.integers(0, 2**32, (3, 40), np.uint32).view("float32")  # all there are
PNG = np.array([b"", b"\x89PNG\x00" * 9, b"\xff"], object)
ANSWERS = [
    {"images": np.full((3, 5, 7, 3), 255, "uint8")},
    {"x": FLOATS, "é": np.float32(FLOATS[:, :1])},
    {"x": RNG.integers(0, 2**64, (3, 40), np.uint64).view("float64")},
    {"x": np.full((3, 1), np.iinfo("int64").min), "y": np.zeros((3, 2, 0), "int32")},
    {"x": np.full((3, 4), np.finfo("float64").min), "flag": np.zeros((3, 9), bool)},
    {"image_bytes": PNG},
    {"text": PNG, "seed": np.int64([1, 2, 3])},
    {"one": np.float32(-1.1754944e-38).reshape(1)},
]


@pytest.mark.parametrize("outputs", ANSWERS, ids="-".join)
def test_no_answer_is_larger_than_its_bound(outputs):
    known = answer_size.actual(outputs)
    for by_row in (False, True):
        answer = json.dumps(json_tensors.to_json(outputs, by_row)).encode()
        bound = answer_size.json_bytes(known, by_row)
        assert len(answer) <= bound <= 200 * len(outputs) + 6 * len(answer)
    response = predict_pb2.PredictResponse()
    for name, value in outputs.items():
        response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
    bound = answer_size.message_bytes(known)
    assert response.ByteSize() <= bound <= 200 * len(outputs) + response.ByteSize()


def test_what_a_signature_says_beforehand():
    float32, string = np.dtype("float32"), np.dtype("O")
    outputs = {
        "map": TensorSpec(float32, (None, 64, 16)),
        "free": TensorSpec(float32, (None, None, 3)),
        "fixed": TensorSpec(float32, (7,)),
        "image_bytes": TensorSpec(string, (None,)),
        "any": TensorSpec(float32, None),
    }
    inputs = {"latent": (float32, (5, 128)), "scalar": (float32, ())}
    known = answer_size.expected(outputs, inputs)
    shapes = {name: output.shape for name, output in known.items()}
    assert shapes == {
        "map": (5, 64, 16),
        "free": (5, 1, 3),
        "fixed": (7,),
        "image_bytes": (5,),
        "any": (0,),
    }
    computed = {
        "map": np.zeros((5, 64, 16), "float32"),
        "free": np.zeros((5, 2, 3), "float32"),
        "fixed": np.zeros(7, "float32"),
        "image_bytes": np.array([b"x"] * 5, object),
        "any": np.zeros(3, "float32"),
    }
    after = answer_size.actual(computed)
    assert answer_size.message_bytes(known) < answer_size.message_bytes(after)
    assert answer_size.json_bytes(known, True) < answer_size.json_bytes(after, True)
    del outputs["any"], outputs["free"], outputs["image_bytes"]
    known = answer_size.expected(outputs, inputs)
    after = answer_size.actual({name: computed[name] for name in outputs})
    assert known == after


def test_the_largest_signature_of_the_presets():
    """Attention of 64 x 64 queries over 32 x 32 keys: by default, one row as JSON."""
    outputs = {
        "attention_64": TensorSpec(np.dtype("float32"), (None, 4096, 1024)),
        "images": TensorSpec(np.dtype("float32"), (None, 128, 128, 3)),
    }
    limit = Limits().max_answer_bytes
    for rows, by_json, by_message in [(1, True, True), (4, False, True)]:
        inputs = {"latent": (np.dtype("float32"), (rows, 128))}
        known = answer_size.expected(outputs, inputs)
        assert (answer_size.json_bytes(known, True) <= limit) == by_json
        assert (answer_size.message_bytes(known) <= limit) == by_message


def test_the_limit_itself_is_allowed():
    answer_size.check(1000, 1000)
    with pytest.raises(ServingError, match=r"1,001 bytes.*1,000.*--max-answer") as no:
        answer_size.check(1001, 1000)
    assert no.value.code is Code.INVALID_ARGUMENT
