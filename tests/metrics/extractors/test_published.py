"""The published networks as extractors; the FID network's numbers: test_inception."""

import hashlib

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

from keras_sagan.metrics import dinov2_extractor, extract, registry
from keras_sagan.metrics.extractors import dinov2, opening, published
from tests.metrics.extractors.test_dinov2 import random_weights


@pytest.fixture(scope="module")
def small():
    """A DINOv2 of two layers with random weights."""
    model = dinov2.build(2, 32, 2)
    dinov2.set_weights(model, random_weights(layers=2))
    return model


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)


def test_preprocessing_is_that_of_dgm_eval(small, images):
    """Pillow's bicubic on bytes, [0, 1], ImageNet's mean and deviation."""
    extractor = published.opened_dinov2(small, "dinov2_x", "0" * 64, "pillow")
    x = np.stack(
        [
            np.asarray(Image.fromarray(image).resize((224, 224), Image.BICUBIC))
            for image in images
        ]
    )
    x = (x / 255.0 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    expected = np.asarray(small({"images": x.astype("f4")}))[:, 0]
    ours, logits = extract(images, extractor)
    assert logits is None and ours.shape == (3, extractor.dimensions) == (3, 32)
    np.testing.assert_allclose(ours, expected, atol=2e-3)
    other = published.opened_dinov2(small, "dinov2_x", "0" * 64, "tensorflow1")
    assert np.abs(extract(images, other)[0] - expected).max() > 0.01


def test_a_file_of_weights(peers, tmp_path, monkeypatch, images):
    weights = random_weights(layers=2)
    torch = peers.torch
    path = tmp_path / "w.pth"
    torch.save({name: torch.from_numpy(x) for name, x in weights.items()}, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    tiny = dinov2.Size(2, 32, 2, path.as_uri(), sha256, path.stat().st_size)
    monkeypatch.setitem(dinov2.SIZES, "s", tiny)
    made = opening.open_extractor("dinov2:s", path, None, None, None)
    assert (made.name, made.resize) == ("dinov2_s", "pillow")
    assert made.sha256 == sha256
    downloaded = dinov2_extractor("s", cache_dir=tmp_path / "cache")
    np.testing.assert_array_equal(
        *(extract(images, x)[0] for x in (made, downloaded)),
    )
    fid, kid = (registry.METRICS[name].scores[0] for name in ("fid", "kid"))
    assert (fid.title(made), kid.title(made)) == ("fd_dinov2_s", "kd_dinov2_s")
    monkeypatch.setitem(dinov2.SIZES, "l", tiny.__class__(2, 32, 2, "", "0" * 64, 0))
    other = dinov2_extractor("l", path)
    assert fid.title(other) == "fd_dinov2_unverified"
    assert registry.score_of(fid.title(other)) is fid
    assert registry.score_of(kid.title(made)) is kid
    safetensors.numpy.save_file(weights, tmp_path / "w.safetensors")
    other = dinov2_extractor("s", tmp_path / "w.safetensors")
    assert fid.title(other) == "fd_dinov2_s_unverified"
    np.testing.assert_array_equal(*(extract(images, x)[0] for x in (made, other)))


def test_wrong_sizes_and_names():
    with pytest.raises(ValueError, match=r"`size` must be one of s, b, l"):
        dinov2_extractor("g")
    with pytest.raises(FileNotFoundError):
        dinov2_extractor("s", "gone.pth")
