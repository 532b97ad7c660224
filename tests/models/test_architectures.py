"""Widths and sizes of the networks, and their parameter counts against others' code."""

import json

import keras
import numpy as np
import pytest

from keras_sagan.models import Discriminator, Generator, architectures


def parameters(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("image_size", "num_classes", "attention", "generator", "discriminator"),
    [
        (32, 10, 16, 4_386_308, 1_075_586),  # StudioGAN, CIFAR10
        (64, 100, 32, 12_811_396, 19_650_242),  # StudioGAN, Baby-ImageNet
        (64, 200, 32, 13_387_396, 19_752_642),  # StudioGAN, Tiny-ImageNet
        (128, 1000, 64, 42_017_412, 39_448_258),  # StudioGAN, ImageNet
        (128, 1000, 32, 42_078_852, 39_463_618),  # official code, ImageNet
    ],
)
def test_parameter_counts_of_the_published_networks(
    image_size, num_classes, attention, generator, discriminator
):
    shared = {"num_classes": num_classes, "attention_resolutions": (attention,)}
    assert parameters(Generator(image_size, **shared)) == generator
    assert parameters(Discriminator(image_size, **shared)) == discriminator


@pytest.mark.parametrize(
    ("image_size", "generator", "discriminator"),
    [
        (32, (8, 16, 32), (16, 8, 8, 8)),
        (64, (8, 16, 32, 64), (32, 16, 8, 4, 4)),
        (128, (8, 16, 32, 64, 128), (64, 32, 16, 8, 4, 4)),
        (256, (8, 16, 32, 64, 128, 256), (128, 64, 32, 16, 8, 4, 4)),
    ],
)
def test_sizes_after_each_block(image_size, generator, discriminator):
    assert architectures.generator_resolutions(image_size) == generator
    assert architectures.discriminator_resolutions(image_size) == discriminator


def test_widths_of_the_256_pixel_networks():
    """No published count exists for these: the widths block by block."""
    shared = {"num_classes": 2, "base_filters": 1, "attention_resolutions": ()}
    network = Generator(256, latent_dim=3, **shared)
    widths = [
        network.get_layer(f"block{i}_conv2").output.shape[1:] for i in range(1, 7)
    ]
    assert network.get_layer("dense").output.shape == (None, 4 * 4 * 16)
    assert widths == [
        (8, 8, 16),
        (16, 16, 8),
        (32, 32, 8),
        (64, 64, 4),
        (128, 128, 2),
        (256, 256, 1),
    ]
    network = Discriminator(256, **shared)
    widths = [
        network.get_layer(f"block{i}_conv2").output.shape[1:] for i in range(1, 8)
    ]
    assert widths == [
        (128, 128, 1),
        (64, 64, 2),
        (32, 32, 4),
        (16, 16, 8),
        (8, 8, 8),
        (4, 4, 16),
        (4, 4, 16),
    ]


def test_check_of_attention_resolutions():
    check = architectures.check_attention_resolutions
    assert check((), (8, 16)) == ()
    assert check([16, 8], (8, 16)) == (8, 16)
    assert check(8, (8, 16)) == (8,)
    with pytest.raises(ValueError, match=r"produces, \[8, 16\]\. Received: .*\(8, 4\)"):
        check((8, 4), (16, 8, 8))
    for value in (None, (8.0,), 8.0, "8"):
        with pytest.raises(ValueError, match=r"must be \(\) or hold .* Received: "):
            check(value, (8, 16))


def test_numbers_of_numpy():
    """They are Python's in the configuration, which is JSON."""
    shared = {
        "image_size": np.int64(32),
        "num_classes": np.int32(3),
        "base_filters": np.int64(4),
        "channels": np.uint8(1),
    }
    own = {
        "latent_dim": np.int64(4),
        "batch_norm_momentum": np.float32(0.5),
        "batch_norm_epsilon": np.float32(0.25),
    }
    for network, more, resolutions in [
        (Generator, own, np.array([16, 8])),
        (Discriminator, {}, [np.int64(8)]),
    ]:
        given = {**shared, **more}
        built = network(**given, attention_resolutions=resolutions)
        config = json.loads(json.dumps(built.get_config()))
        assert {name: config[name] for name in given} == given
        assert config["attention_resolutions"] == sorted(resolutions)


@pytest.mark.parametrize("image_size", [16, 48, 512, None, True, 32.0])
def test_other_sizes_list_those_that_are_supported(image_size):
    message = rf"one of 32, 64, 128, 256\. Received: image_size={image_size!r}"
    for network in (Generator, Discriminator):
        with pytest.raises(ValueError, match=message):
            network(image_size)


@pytest.mark.parametrize("value", [None, 16.0, "16", (16, None), ("16",)])
@pytest.mark.parametrize("network", [Generator, Discriminator])
def test_attention_resolutions_of_another_type(network, value):
    with pytest.raises(ValueError, match=r"`attention_resolutions` .*Received: att"):
        network(attention_resolutions=value)


@pytest.mark.parametrize(
    "network", [Generator, pytest.param(Discriminator, marks=pytest.mark.slow)]
)
def test_clones_and_submodels(network, tmp_path):
    """Keras makes the layers again one by one: each has to be registered."""
    for num_classes in (None, 3):
        model = network(base_filters=4, num_classes=num_classes)
        data = [np.ones((2, *x.shape[1:]), x.dtype) for x in model.inputs]
        clone = keras.models.clone_model(model)
        for layer in clone.layers:
            if layer.weights:
                layer.set_weights(model.get_layer(layer.name).get_weights())
        given = data if num_classes else data[0]
        np.testing.assert_allclose(clone(given), model(given), rtol=1e-5, atol=1e-6)
        part = keras.Model(model.inputs, model.get_layer("relu").output)
        part.save(tmp_path / "part.keras")
        loaded = keras.saving.load_model(tmp_path / "part.keras")
        np.testing.assert_allclose(loaded(data), part(data), rtol=1e-5, atol=1e-6)
