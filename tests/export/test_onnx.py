"""ONNX models in ONNX Runtime."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from keras_sagan.export.numpy_latents import row_latents
from keras_sagan.export.onnx import export_onnx, onnx_outputs, onnx_runner
from keras_sagan.export.runtimes import verify_draws, verify_images
from tests.helpers import assert_same_pixels, tiny_networks


@pytest.fixture(scope="module")
def exported(any_gan, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_onnx(any_gan.ema_generator, path, "tiny", license="CC0-1.0")
    return path


def test_same_images_at_any_batch_size(any_gan, exported):
    assert verify_images(any_gan, onnx_runner(exported)) <= 1e-5


def test_same_picture_for_the_same_seed(any_gan, exported):
    inputs, rows = {"latent": row_latents(np.arange(7), 8)}, {"num_images": 7}
    if any_gan.generator.num_classes is not None:
        inputs["label"] = np.arange(7, dtype=np.int32) % 3
        rows = {"labels": inputs["label"]}
    images = onnx_runner(exported)(inputs)
    expected = any_gan.generate(**rows, seed=0)
    assert_same_pixels(np.round(127.5 * (images + 1)), expected)


def test_interface(any_gan, exported):
    session = onnxruntime.InferenceSession(str(exported))
    inputs = {x.name: (x.type, x.shape) for x in session.get_inputs()}
    assert inputs.pop("latent") == ("tensor(float)", ["batch", 8])
    if any_gan.generator.num_classes is not None:
        assert inputs.pop("label") == ("tensor(int32)", ["batch"])
    assert inputs == {}
    (images,) = session.get_outputs()
    assert (images.name, images.shape) == ("images", ["batch", 32, 32, 3])


def test_signatures(any_gan, tmp_path):
    """From seeds to the pictures of `generate`, and to attention maps."""
    conditional = any_gan.generator.num_classes is not None
    path, labels = tmp_path / "x.onnx", ["label"] if conditional else []
    export_onnx(any_gan.ema_generator, path, "tiny", signature="generate")
    session = onnxruntime.InferenceSession(str(path))
    assert [x.name for x in session.get_inputs()] == ["seed", "truncation", *labels]
    (images,) = session.get_outputs()
    assert images.type == "tensor(uint8)"
    assert verify_draws(any_gan, onnx_outputs(path)) <= 1e-4

    with pytest.raises(ValueError, match="`signature` must be one of"):
        export_onnx(any_gan.ema_generator, path, "tiny", signature="generate_png")


def test_no_attention_layers(tmp_path):
    generator = tiny_networks(attention=False)[0]
    with pytest.raises(ValueError, match="has no attention layers"):
        export_onnx(generator, tmp_path / "x.onnx", "tiny", signature="attention")


def test_card(exported):
    entries = {x.key: x.value for x in onnx.load(exported).metadata_props}
    card = json.loads(entries["model_card"])
    assert (card["name"], card["license"]) == ("tiny", "CC0-1.0")


def test_nothing_is_computed_that_weights_decide(exported):
    kinds = {node.op_type for node in onnx.load(exported).graph.node}
    assert "ConvTranspose" in kinds
    assert not kinds & {"Sqrt", "Div", "Reciprocal"}


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_out_of_range_are_errors(any_gan, exported, label):
    if any_gan.generator.num_classes is None:
        pytest.skip("the unconditional model has no labels")
    inputs = {"latent": np.zeros((1, 8), "f"), "label": np.array([label], "int32")}
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument):
        onnx_runner(exported)(inputs)


def test_files_are_not_overwritten(any_gan, exported):
    before = exported.read_bytes()
    with pytest.raises(FileExistsError):
        export_onnx(any_gan.ema_generator, exported, "tiny")
    assert exported.read_bytes() == before
