"""`load_mmgeneration` on files in MMGeneration's layout."""

import numpy as np
import pytest
import torch

from keras_sagan.interop import load_mmgeneration
from tests.fidelity import peer_layouts
from tests.interop.conftest import Source, assert_trains


def state_of(source):
    """The state dict of both networks under MMGeneration's names."""
    generator = peer_layouts.mmgeneration_generator(source.generator.state_dict())
    discriminator = peer_layouts.mmgeneration_discriminator(
        source.discriminator.state_dict()
    )
    return {
        **{f"generator.{k}": v for k, v in generator.items()},
        **{f"discriminator.{k}": v for k, v in discriminator.items()},
    }


def save(path, state):
    meta = {"epoch": 0, "iter": 100, "mmgen_version": "0.7.3"}
    torch.save({"meta": meta, "state_dict": state, "optimizer": {}}, path)
    return path


def assert_same_networks(gan, source, order=slice(None), atol=1e-5):
    images = gan.predict([source.latents, source.labels], verbose=0)
    np.testing.assert_allclose(images, source.images()[..., order], atol=atol)
    logits = gan.discriminator([source.real, source.labels])
    expected = source.logits(source.real[..., order])
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def source():
    return Source("table", activated_shortcut=False)


@pytest.mark.parametrize(
    ("form", "epsilon"),
    [("table", 1e-5), pytest.param("table_sn", 1e-4, marks=pytest.mark.slow)],
)
def test_both_kinds_of_class_tables(tmp_path, form, epsilon):
    """The file says which kind it is; the published recipes' epsilon goes with it."""
    source = Source(form, activated_shortcut=False)
    for module in source.generator.modules():
        if hasattr(module, "running_mean"):
            module.eps = epsilon
    gan = load_mmgeneration(save(tmp_path / "m.pth", state_of(source)), "rgb")
    assert gan.generator.batch_norm_epsilon == epsilon
    assert gan.generator.batch_norm_momentum == 0.9
    assert_same_networks(gan, source)


def test_bgr_networks_come_out_as_rgb(tmp_path, source):
    """The file's networks make and judge BGR images; the imported ones RGB."""
    path = save(tmp_path / "m.pth", state_of(source))
    gan = load_mmgeneration(path, batch_norm_epsilon=1e-4)
    assert_same_networks(gan, source, order=slice(None, None, -1))
    flipped = save(tmp_path / "f.pth", peer_layouts.reverse_channels(state_of(source)))
    assert_same_networks(load_mmgeneration(flipped, batch_norm_epsilon=1e-4), source)


@pytest.mark.slow
def test_averaged_generator(tmp_path, source):
    """`generator_ema` becomes `ema_generator`; the live one is there as well."""
    other = Source("table", activated_shortcut=False).generator
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(0.9)
    state = state_of(source)
    averaged = peer_layouts.mmgeneration_generator(other.state_dict())
    state.update({f"generator_ema.{k}": v for k, v in averaged.items()})
    path = save(tmp_path / "m.pth", state)
    gan = load_mmgeneration(path, "rgb", batch_norm_epsilon=1e-4)
    inputs = [source.latents, source.labels]
    images = gan.predict(inputs, verbose=0)
    np.testing.assert_allclose(images, source.images(other), atol=1e-5)
    np.testing.assert_allclose(gan.generator(inputs), source.images(), atol=1e-5)
    assert_trains(gan, source.real, source.labels)


def test_biggan_style_spectral_norm(tmp_path, source):
    """`u0` alone is stored; one iteration from it gives the pair that is used."""
    state = state_of(source)
    prefixes = [
        prefix
        for prefix in {key.rsplit(".", 1)[0] for key in state}
        if prefix.endswith(".conv") and ".to_rgb" not in prefix
    ]
    path = save(tmp_path / "m.pth", peer_layouts.ajbrock(state, prefixes))
    for network in (source.generator, source.discriminator):
        # What the file means: the reference after one iteration of the same layers.
        assert network.training is False
    reference = Source("table", activated_shortcut=False)
    advance_convolutions(reference)
    gan = load_mmgeneration(path, "rgb", batch_norm_epsilon=1e-4)
    assert_same_networks(gan, reference)


def advance_convolutions(source):
    from tests.fidelity import torch_reference

    skipped = (source.generator.dense, source.generator.to_images)
    skipped += (source.discriminator.dense, source.discriminator.embedding)
    for network in (source.generator, source.discriminator):
        for module, hook in torch_reference.spectral_hooks(network):
            if not any(module is other for other in skipped):
                with torch.no_grad():
                    hook.compute_weight(module, do_power_iteration=True)


@pytest.mark.slow
def test_activated_shortcuts(tmp_path):
    source = Source("table", activated_shortcut=True)
    path = save(tmp_path / "m.pth", state_of(source))
    gan = load_mmgeneration(
        path, "rgb", activated_shortcut=True, batch_norm_epsilon=1e-4
    )
    assert_same_networks(gan, source)


def test_gamma_offset(tmp_path, source):
    state = state_of(source)
    for key in state:
        if "weight_embedding" in key:
            state[key] = state[key] + 1
    path = save(tmp_path / "m.pth", state)
    gan = load_mmgeneration(path, "rgb", gamma_offset=0.0, batch_norm_epsilon=1e-4)
    assert_same_networks(gan, source)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda s: {k: v for k, v in s.items() if not k.startswith("d")},
            "holds no key that starts with 'discriminator.'",
        ),
        (
            lambda s: {k: v for k, v in s.items() if "conv_blocks.1.conv_2" not in k},
            r"generator lacks 'conv_blocks.1.conv_2.conv.weight_orig', expected with "
            r"shape \(16, 16, 3, 3\)",
        ),
        (
            lambda s: {**s, "discriminator.decision.bias": torch.zeros(2)},
            r"'decision.bias' must have shape \(1,\). Received: shape \(2,\)",
        ),
        (
            lambda s: {**s, "generator.to_rgb.gain": torch.zeros(2)},
            r"holds 'to_rgb.gain' of shape \(2,\)",
        ),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, source, edit, message):
    path = save(tmp_path / "m.pth", edit(state_of(source)))
    with pytest.raises(ValueError, match=message):
        load_mmgeneration(path)


def test_channel_order_is_checked(tmp_path):
    with pytest.raises(ValueError, match="`channel_order` must be one of 'bgr', 'rgb'"):
        load_mmgeneration(tmp_path / "m.pth", channel_order="hsv")
