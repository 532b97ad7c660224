import shutil

import numpy as np
import pytest

from keras_sagan.export.verifying.verification import (
    VerificationError,
    reference,
    verify,
)
from tests.export.gans import exportable_gan


def test_an_export_is_verified(any_gan, any_export):
    report = verify(any_gan, any_export)
    assert report["problems"] == report["warnings"] == []
    assert set(report["differences"]) == {
        "serving_default/images", "generate/images", "generate_png/image_bytes",
        "attention/images", "attention/attention_16",
    }  # fmt: skip
    assert report["differences"]["serving_default/images"] <= 1e-5
    assert report["operations"]["serving_default"] > 100


@pytest.mark.slow
def test_without_attention_and_in_float64(tmp_path):
    gan = exportable_gan(None, attention=False, dtype="float64")
    gan.export(str(tmp_path / "1"))
    report = verify(gan, tmp_path / "1")
    assert "attention/images" not in report["differences"]


def test_an_export_of_another_model_is_not(conditional_export):
    other = exportable_gan()
    bias = other.ema_generator.get_layer("to_images").layer.bias
    bias.assign(bias + 1e-3)
    with pytest.raises(VerificationError, match="serving_default/images: differs by"):
        verify(other, conditional_export)


def test_a_damaged_export_is_not(conditional_gan, conditional_export, tmp_path):
    shutil.copytree(conditional_export, tmp_path / "1")
    (tmp_path / "1" / "variables" / "variables.index").unlink()
    with pytest.raises(VerificationError, match="cannot be run"):
        verify(conditional_gan, tmp_path / "1")


def test_reference(conditional_gan):
    found = reference(conditional_gan)
    assert len(found["input/seed"]) == 64
    limits = found["input/truncation"]
    assert (limits[::2] == 0).all() and np.allclose(limits[1::2], 0.7)
    drawn = found["generate/images"]
    labels = list(found["input/label"])
    plain = conditional_gan.generate(labels=labels)
    np.testing.assert_array_equal(drawn[::2], plain[::2])
    assert (drawn[1::2] != plain[1::2]).any()
