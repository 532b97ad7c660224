"""`load_studiogan` on files in StudioGAN's layout."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from keras_sagan import SAGAN
from keras_sagan.interop import load_studiogan
from tests.interop.conftest import CLASSES, Source


@pytest.mark.parametrize(
    "generation",
    [
        pytest.param(1, marks=pytest.mark.slow),
        pytest.param(2, marks=pytest.mark.slow),
        3,
    ],
)
def test_images_and_logits(studiogan_files, generation):
    source, generator_path, discriminator_path = studiogan_files(generation)
    gan = load_studiogan(generator_path, discriminator_path)
    images = gan.predict([source.latents, source.labels], verbose=0)
    np.testing.assert_allclose(images, source.images(), atol=1e-5)
    logits = gan.discriminator([source.real, source.labels])
    np.testing.assert_allclose(logits, source.logits(), rtol=1e-4, atol=1e-4)
    assert gan.generator.get_config()["batch_norm_epsilon"] == 1e-4
    assert gan.generator.get_config()["batch_norm_momentum"] == 0.9


@pytest.mark.slow
def test_the_imported_model_trains_saves_and_generates(studiogan_files, tmp_path):
    source, generator_path, discriminator_path = studiogan_files(3)
    gan = load_studiogan(generator_path, discriminator_path)
    before = gan.generate([0, 1, 2], seed=4)
    gan.save_to_preset(tmp_path / "model")
    loaded = SAGAN.from_preset(str(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.generate([0, 1, 2], seed=4), before)
    images = loaded.predict([source.latents, source.labels], verbose=0)
    np.testing.assert_allclose(images, source.images(), atol=1e-5)

    data = (source.real[:4], source.labels[:4])
    assert np.isfinite(gan.evaluate(*data, batch_size=4, verbose=0)).all()
    gan.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01), ema_decay=0.0)
    history = gan.fit(*data, batch_size=4, epochs=2, verbose=0)
    assert np.isfinite(history.history["d_loss"]).all()
    assert np.any(gan.generate([0, 1, 2], seed=4) != before)


def test_the_exported_model_is_the_imported_one(studiogan_files, tmp_path):
    source, generator_path, _ = studiogan_files(1)
    load_studiogan(generator_path).export(str(tmp_path / "1"))
    serve = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    images = serve(latent=tf.constant(source.latents), label=tf.constant(source.labels))
    np.testing.assert_allclose(images["images"], source.images(), atol=1e-5)


def test_without_a_discriminator(studiogan_files):
    source, generator_path, _ = studiogan_files(3)
    gan = load_studiogan(generator_path)
    assert gan.discriminator.base_filters == 4
    assert gan.discriminator.attention_resolutions == (16,)
    images = gan.predict([source.latents, source.labels], verbose=0)
    np.testing.assert_allclose(images, source.images(), atol=1e-5)


@pytest.mark.slow
def test_shortcuts_before_the_activation(studiogan_files, tmp_path):
    source = Source("one_hot", activated_shortcut=False)
    _, generator_path, discriminator_path = studiogan_files(3)
    # The weights are the same: only what the network computes with them differs.
    gan = load_studiogan(generator_path, discriminator_path, activated_shortcut=False)
    logits = gan.discriminator([source.real, source.labels])
    np.testing.assert_allclose(logits, source.logits(), rtol=1e-4, atol=1e-4)
    other = load_studiogan(generator_path, discriminator_path).discriminator
    assert np.abs(logits - other([source.real, source.labels])).max() > 1e-2


def change(path, target, edit):
    content = torch.load(path, weights_only=False)
    content["state_dict"] = edit(content["state_dict"])
    torch.save(content, target)
    return target


def without(key):
    return lambda state: {k: v for k, v in state.items() if k != key}


def with_value(key, shape):
    return lambda state: {**state, key: torch.zeros(shape)}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            without("blocks.1.0.conv2d2.weight_orig"),
            r"lacks 'blocks.1.0.conv2d2.weight_orig', expected with shape "
            r"\(16, 16, 3, 3\)",
        ),
        (
            without("blocks.2.0.conv1x1_g.weight_u"),
            r"lacks 'blocks.2.0.conv1x1_g.weight_u', expected with shape \(8,\)",
        ),
        (
            with_value("blocks.0.0.bn1.bn.running_var", 5),
            r"'blocks.0.0.bn1.bn.running_var' must have shape \(16,\). "
            r"Received: shape \(5,\)",
        ),
        (
            with_value("linear0.weight_orig", (100, 8)),
            r"'linear0.weight_orig' must have shape \(64 \* base_filters, latent_dim\)",
        ),
        (with_value("info_mix_linear.bias", 3), r"holds 'info_mix_linear.bias'"),
        (
            lambda state: {"conv1.weight": torch.zeros(3)},
            r"Received: 0 blocks; there is no 'blocks.0.0.conv2d1.weight_orig'",
        ),
        (
            lambda state: {k: v for k, v in state.items() if "blocks.3." not in k},
            r"Received: 2 blocks; there is no 'blocks.3.0.conv2d1.weight_orig'",
        ),
    ],
)
def test_a_wrong_generator_is_refused(studiogan_files, tmp_path, edit, message):
    _, path, _ = studiogan_files(3)
    with pytest.raises(ValueError, match=message):
        load_studiogan(change(path, tmp_path / "G.pth", edit))


def test_a_discriminator_of_other_classes_is_refused(studiogan_files, tmp_path):
    _, generator_path, path = studiogan_files(3)
    wrong = change(
        path, tmp_path / "D.pth", with_value("embedding.weight_orig", (9, 8))
    )
    message = rf"'embedding.weight_orig' must have shape \({CLASSES}, 8\)"
    with pytest.raises(ValueError, match=message):
        load_studiogan(generator_path, wrong)


def test_swapped_files_are_refused(studiogan_files):
    _, generator_path, discriminator_path = studiogan_files(3)
    with pytest.raises(ValueError, match=r"must have as many blocks|lacks"):
        load_studiogan(discriminator_path, generator_path)
