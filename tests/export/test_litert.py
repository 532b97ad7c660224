"""LiteRT models in the real interpreter."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_sagan.export.litert import export_litert, litert_runner
from keras_sagan.export.numpy_latents import row_latents
from keras_sagan.export.runtimes import verify_images
from tests.helpers import assert_same_pixels


@pytest.fixture(scope="module")
def exported(any_gan, tmp_path_factory):
    path = tmp_path_factory.mktemp("litert") / "model.tflite"
    export_litert(any_gan.ema_generator, path)
    return path


def test_same_images_at_any_batch_size(any_gan, exported):
    assert verify_images(any_gan, litert_runner(exported)) <= 1e-5


def test_same_picture_for_the_same_seed(any_gan, exported):
    inputs, rows = {"latent": row_latents(np.arange(7), 8)}, {"num_images": 7}
    if any_gan.generator.num_classes is not None:
        inputs["label"] = np.arange(7, dtype=np.int32) % 3
        rows = {"labels": inputs["label"]}
    images = litert_runner(exported)(inputs)
    assert_same_pixels(np.round(127.5 * (images + 1)), any_gan.generate(**rows, seed=0))


def test_interface(any_gan, exported):
    signatures = Interpreter(model_path=str(exported)).get_signature_list()
    inputs = (
        ["latent"] if any_gan.generator.num_classes is None else ["label", "latent"]
    )
    assert signatures == {"serving_default": {"inputs": inputs, "outputs": ["images"]}}


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_out_of_range_are_errors(any_gan, exported, label):
    if any_gan.generator.num_classes is None:
        pytest.skip("the unconditional model has no labels")
    inputs = {"latent": np.zeros((1, 8), "f"), "label": np.array([label], "int32")}
    with pytest.raises(RuntimeError, match="gather index out of bounds"):
        litert_runner(exported)(inputs)


def test_files_are_not_overwritten(any_gan, exported):
    before = exported.read_bytes()
    with pytest.raises(FileExistsError):
        export_litert(any_gan.ema_generator, exported)
    assert exported.read_bytes() == before
