"""A `SAGAN` in files: everything comes back."""

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import SAGAN
from keras_sagan.config.presets import PRESETS
from keras_sagan.models import Discriminator, Generator
from tests import helpers

# Every argument at another value than its default.
SHARED = {
    "image_size": 64,
    "num_classes": 3,
    "base_filters": 8,
    "channels": 1,
    "attention_resolutions": (16, 32),
    "attention": "paper",
    "kernel_initializer": "orthogonal",
    "dtype": "mixed_bfloat16",
}
GENERATOR = {
    "latent_dim": 5,
    "synchronized": True,
    "batch_norm_momentum": 0.5,
    "batch_norm_epsilon": 1e-2,
    "name": "painter",
}
DISCRIMINATOR = {"activated_shortcut": True, "name": "critic"}
COMPILE = {
    "loss": "least_squares",
    "discriminator_steps": 2,
    "ema_decay": 0.25,
    "ema_start": 1,
    "ema_warmup": True,
    "gradient_accumulation_steps": 2,
    "seed": 9,
    "run_eagerly": True,
    "steps_per_execution": 2,
}


def test_presets_say_what_they_are():
    assert list(SAGAN.presets) == list(PRESETS)
    found = SAGAN.presets["sagan_32"]
    assert found["metadata"] == {
        "description": PRESETS["sagan_32"].description,
        "source": PRESETS["sagan_32"].source,
    }
    assert found["training"]["discriminator_steps"] == 5
    with pytest.raises(TypeError, match="does not support item assignment"):
        SAGAN.presets["mine"] = found


def state(gan):
    variables = gan.variables + gan.g_optimizer.variables + gan.d_optimizer.variables
    return helpers.values(variables)


def step(gan):
    images, labels = helpers.images_and_labels(4)
    gan.train_step((tf.constant(images), tf.constant(labels)))


def compile_with_momentum(gan, **arguments):
    gan.compile(
        keras.optimizers.Adam(0.01, beta_1=0.5),
        keras.optimizers.SGD(0.01, momentum=0.5),
        **arguments,
    )


def trained(**arguments):
    gan = helpers.tiny_gan(attention=False)
    compile_with_momentum(gan, **arguments)
    step(gan)
    return gan


@pytest.mark.slow
def test_whole_state_returns(tmp_path):
    gan = trained(**COMPILE)
    images = gan.generate(labels=["red", "blue"], truncation=1.0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert type(loaded) is SAGAN
    assert loaded.class_names == helpers.CLASS_NAMES
    helpers.assert_equal(state(loaded), state(gan))
    assert loaded.get_compile_config() == gan.get_compile_config()
    assert {name: loaded.get_compile_config()[name] for name in COMPILE} == COMPILE
    again = loaded.generate(labels=["red", "blue"], truncation=1.0)
    np.testing.assert_array_equal(again, images)
    step(gan)
    step(loaded)
    helpers.assert_equal(state(loaded), state(gan))


def test_architecture_returns(tmp_path):
    generator = Generator(**SHARED, **GENERATOR)
    discriminator = Discriminator(**SHARED, **DISCRIMINATOR)
    gan = SAGAN(generator, discriminator, class_names=("a", "b", "c"), name="both")
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.get_config() == gan.get_config()
    assert loaded.name == "both"
    averaged = {**GENERATOR, "dtype": "float32", "name": "ema_generator"}
    for network, arguments in [
        (loaded.generator, {**SHARED, **GENERATOR}),
        (loaded.ema_generator, {**SHARED, **averaged}),
        (loaded.discriminator, {**SHARED, **DISCRIMINATOR}),
    ]:
        arguments["dtype_policy"] = keras.DTypePolicy(arguments.pop("dtype"))
        for name, value in arguments.items():
            assert getattr(network, name) == value
    before, after = helpers.values(gan.variables), helpers.values(loaded.variables)
    helpers.assert_equal(after, before)


def test_every_weight_is_written_once(tmp_path):
    gan = helpers.tiny_gan(attention=False)
    gan.save_weights(tmp_path / "gan.weights.h5")
    sizes = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            sizes.append(item.size)

    with h5py.File(tmp_path / "gan.weights.h5") as file:
        file.visititems(visit)
    networks = (gan.generator, gan.ema_generator, gan.discriminator)
    weights = [weight for network in networks for weight in network.weights]
    fingerprint, adaptive, step = 2, 2, 1  # one array each
    assert len(sizes) == len(weights) + 3
    total = sum(int(np.prod(weight.shape)) for weight in weights)
    assert sum(sizes) == total + fingerprint + adaptive + step


@pytest.mark.slow
def test_weights_alone(tmp_path):
    gan = trained()
    gan.save_weights(tmp_path / "gan.weights.h5")
    other = helpers.tiny_gan(attention=False)
    compile_with_momentum(other)
    other.load_weights(tmp_path / "gan.weights.h5")
    helpers.assert_equal(state(other), state(gan))
    step(gan)
    step(other)
    helpers.assert_equal(state(other), state(gan))


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_weights_of_another_architecture(tmp_path):
    helpers.tiny_gan(attention=False).save_weights(tmp_path / "gan.weights.h5")
    other = helpers.tiny_gan(num_classes=4, class_names=None, attention=False)
    with pytest.raises(ValueError, match="could not be loaded"):
        other.load_weights(tmp_path / "gan.weights.h5")


@pytest.mark.slow
def test_model_that_was_not_compiled(tmp_path):
    gan = helpers.tiny_gan(None, attention=False)
    images = gan.generate(num_images=2)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert not loaded.compiled
    np.testing.assert_array_equal(loaded.generate(num_images=2), images)


@pytest.mark.slow
def test_frozen_layers_stay_frozen(tmp_path):
    """And the optimizers keep their state, which is that of the others."""
    gan = helpers.tiny_gan(attention=False)
    for network in (gan.generator, gan.discriminator):
        network.get_layer("block1_conv1").trainable = False
    gan.compile()
    gan.fit(*helpers.images_and_labels(8), batch_size=4, verbose=0)
    gan.save(tmp_path / "gan.keras")
    gan.save_to_preset(tmp_path / "preset")
    for other in (
        keras.saving.load_model(tmp_path / "gan.keras"),
        SAGAN.from_preset(tmp_path / "preset"),
    ):
        for name in ("generator", "discriminator"):
            network, loaded = getattr(gan, name), getattr(other, name)
            assert not loaded.get_layer("block1_conv1").trainable
            assert len(loaded.trainable_variables) == len(network.trainable_variables)
            assert loaded.get_config() == network.get_config()
        helpers.assert_equal(
            helpers.values(other.g_optimizer.variables),
            helpers.values(gan.g_optimizer.variables),
        )
        np.testing.assert_array_equal(other.generate([0, 1]), gan.generate([0, 1]))


def trains(network):
    """Whether each layer of a network trains, those inside others too."""
    return [layer.trainable for layer in network._flatten_layers()]


def freeze_all(gan):
    gan.discriminator.trainable = False


def freeze_all_but_one(gan):
    gan.discriminator.trainable = False
    gan.discriminator.get_layer("dense").trainable = True


def freeze_inside(gan):
    gan.discriminator.get_layer("block1_conv1").layer.trainable = False
    gan.discriminator.get_layer("attention_16").query.trainable = False


def freeze_outside(gan):
    layer = gan.discriminator.get_layer("block1_conv1")
    layer.trainable = False
    layer.layer.trainable = True


def freeze_everything(gan):
    gan.trainable = False


@pytest.mark.parametrize(
    "freeze",
    [
        freeze_inside,
        *(
            pytest.param(freeze, marks=pytest.mark.slow)
            for freeze in (
                freeze_all,
                freeze_all_but_one,
                freeze_outside,
                freeze_everything,
            )
        ),
    ],
)
def test_what_trains_returns(tmp_path, freeze):
    gan = helpers.tiny_gan()
    freeze(gan)
    gan.save(tmp_path / "gan.keras")
    gan.save_to_preset(tmp_path / "preset")
    for other in (
        SAGAN.from_config(gan.get_config()),
        keras.saving.load_model(tmp_path / "gan.keras"),
        SAGAN.from_preset(tmp_path / "preset"),
    ):
        assert other.get_config() == gan.get_config()
        assert other.trainable == gan.trainable
        for name in ("generator", "discriminator", "ema_generator"):
            assert trains(getattr(other, name)) == trains(getattr(gan, name))


def test_thawing_leaves_the_averages_frozen():
    gan = helpers.tiny_gan(attention=False)
    for value in (False, True):
        gan.trainable = value
        assert not gan.ema_generator.trainable_variables
        for network in (gan.generator, gan.discriminator):
            assert network.trainable == value
            assert bool(network.trainable_variables) == value
