"""Arguments of `compile`: checked, used, and kept in files."""

import dataclasses
import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.config.training import OptimizerConfig, StepConfig, TrainingConfig
from keras_sagan.sagan import SAGAN
from keras_sagan.training import settings
from keras_sagan.training.settings import CompileArguments
from keras_sagan.training.steps import StepSettings
from tests import helpers

NON_DEFAULT = {
    "g_optimizer": keras.optimizers.RMSprop(0.5, rho=0.25),
    "d_optimizer": keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(0.25, 10, 0.5), beta_1=0.125
    ),
    "loss": "non_saturating",
    "discriminator_steps": 2,
    "ema_decay": 0.5,
    "ema_start": 3,
    "ema_warmup": True,
    "gradient_accumulation_steps": 4,
    "seed": 5,
    "augmentation": {
        "policy": "ada",
        "operations": "blit",
        "mirror": True,
        "ada_target": 0.5,
        "ada_images": 1000,
    },
    "fake_label_weights": (1.0, 0.0, 2.5),
    "r1_gamma": 0.5,
    "r2_gamma": 0.25,
    "steps_per_execution": 6,
}


@pytest.fixture(scope="module")
def gan():
    return helpers.tiny_gan(attention=False)


def test_defaults(gan):
    gan.compile()
    for optimizer, rate in [(gan.g_optimizer, 1e-4), (gan.d_optimizer, 4e-4)]:
        config = optimizer.get_config()
        assert config["learning_rate"] == pytest.approx(rate)
        assert (config["beta_1"], config["beta_2"]) == (0.0, 0.999)
        assert config["epsilon"] == 1e-8
    arguments = CompileArguments.deserialize(gan.get_compile_config())
    del arguments["g_optimizer"], arguments["d_optimizer"]
    assert arguments == {
        "loss": "hinge",
        "discriminator_steps": 1,
        "ema_decay": 0.999,
        "ema_start": 0,
        "ema_warmup": False,
        "gradient_accumulation_steps": 1,
        "seed": 0,
        "augmentation": None,
        "fake_label_weights": None,
        "r1_gamma": 0.0,
        "r2_gamma": 0.0,
        "jit_compile": False,
    }


@pytest.mark.parametrize("how", ["jit_compile", "run_eagerly"])  # not both at once
def test_config_keeps_every_argument(gan, how):
    given = {**NON_DEFAULT, how: True}
    gan.compile(**given)
    config = gan.get_compile_config()
    text = json.dumps(config)  # as in a file
    other = helpers.tiny_gan(attention=False)
    other.compile_from_config(json.loads(text))
    assert json.dumps(other.get_compile_config()) == text
    for name in ("g_optimizer", "d_optimizer"):
        restored, optimizer = getattr(other, name), given.pop(name)
        assert type(restored) is type(optimizer)
        assert restored.get_config() == optimizer.get_config()
    assert {name: config[name] for name in given} == given
    assert getattr(other, how)
    assert other.steps_per_execution == 6
    assert other.compiled


def test_optimizers_serve_one_network_each(gan):
    gan.compile()
    for optimizer, network in [
        (gan.g_optimizer, gan.generator),
        (gan.d_optimizer, gan.discriminator),
    ]:
        shapes = [tuple(v.shape) for v in optimizer.variables]
        for weight in network.trainable_variables:
            assert tuple(weight.shape) in shapes


@pytest.mark.parametrize(
    ("argument", "value", "allowed"),
    [
        (
            "loss",
            "hing",
            "'hinge', 'non_saturating', 'least_squares', 'wasserstein', 'rel",
        ),
        ("r1_gamma", -0.5, "a number of at least 0"),
        ("r1_gamma", float("nan"), "a number of at least 0"),
        ("r2_gamma", float("inf"), "a number of at least 0"),
        ("r2_gamma", True, "a number of at least 0"),
        ("discriminator_steps", 0, "an integer of at least 1"),
        ("discriminator_steps", 1.5, "an integer of at least 1"),
        ("discriminator_steps", True, "an integer of at least 1"),
        ("gradient_accumulation_steps", 0, "an integer of at least 1"),
        ("ema_decay", 1.0, r"\[0, 1\)"),
        ("ema_decay", -0.1, r"\[0, 1\)"),
        ("ema_decay", float("nan"), r"\[0, 1\)"),
        ("ema_decay", "0.9", r"\[0, 1\)"),
        ("ema_start", -1, "an integer of at least 0"),
        ("seed", -1, r"an integer in \[0, 4294967295\]"),
        ("seed", 2**62, r"an integer in \[0, 4294967295\]"),
        ("seed", None, "an integer"),
        ("fake_label_weights", (), "one per class"),
        ("fake_label_weights", (0.0, 0.0, 0.0), "not all 0"),
        ("fake_label_weights", ["a"], "a list of numbers"),
        ("augmentation", "mixup", "one of 'diffaugment', 'ada'"),
        ("augmentation", 3, "'diffaugment', 'ada' or an `AugmentationConfig`"),
        ("fake_label_weights", [1.0, 2.0], "one number per class"),
        (
            "g_optimizer",
            keras.optimizers.Adam(gradient_accumulation_steps=2),
            "must not accumulate gradients by itself",
        ),
        ("g_optimizer", "adam", "Keras optimizer"),
        ("d_optimizer", 1e-4, "Keras optimizer"),
        ("optimizer", "adam", "no argument 'optimizer'"),
        ("metrics", ["accuracy"], "no argument 'metrics'"),
    ],
)
def test_bad_arguments(gan, argument, value, allowed):
    with pytest.raises(ValueError, match=allowed) as error:
        gan.compile(**{argument: value})
    assert argument in str(error.value)
    assert str(value) in str(error.value) or "no argument" in str(error.value)


@pytest.mark.parametrize("loss", ["least_squares", "wasserstein", "relativistic"])
def test_adaptive_augmentation_needs_a_decision_at_zero(gan, loss):
    with pytest.raises(ValueError, match=r"'hinge' or .* with the augmentation 'ada'"):
        gan.compile(loss=loss, augmentation="ada")
    gan.compile(loss=loss, augmentation="diffaugment")


def test_numbers_of_numpy(gan):
    """What `compile` takes from Python it takes from NumPy, and files keep it."""
    given = {
        "discriminator_steps": np.int64(2),
        "ema_decay": np.float32(0.5),
        "ema_start": np.int32(3),
        "ema_warmup": np.True_,
        "gradient_accumulation_steps": np.uint8(4),
        "seed": np.int64(5),
        "fake_label_weights": np.array([1, 0, 2]),
    }
    gan.compile(**given)
    config = json.loads(json.dumps(gan.get_compile_config()))
    assert config.pop("fake_label_weights") == [1.0, 0.0, 2.0]
    del given["fake_label_weights"]
    assert {name: config[name] for name in given} == given


def test_compile_takes_what_a_step_is_made_of():
    """The signature has every setting of a step, with the same default."""
    signature = inspect.signature(SAGAN.compile).parameters
    for field in dataclasses.fields(StepSettings):
        assert signature[field.name].default == field.default, field.name


def test_a_step_is_compiled_from_the_configuration(gan):
    training = TrainingConfig(
        loss="wasserstein",
        r1_gamma=0.5,
        r2_gamma=0.25,
        discriminator_steps=2,
        ema_decay=0.25,
        ema_start=3,
        ema_warmup=True,
        gradient_accumulation_steps=4,
        seed=5,
    )
    settings.compile_from_settings(gan, OptimizerConfig(beta_1=0.5), training)
    config = gan.get_compile_config()
    for field in dataclasses.fields(StepConfig):
        assert config[field.name] == getattr(training, field.name) != field.default
    assert gan.d_optimizer.beta_1 == 0.5


def test_learning_rates_fall_along_half_a_cosine(gan):
    """As a function of the step, however many updates D makes in one."""
    optimizer = OptimizerConfig(
        g_learning_rate=2e-3, d_learning_rate=8e-3, decay_steps=30, decay_to=0.25
    )
    training = TrainingConfig(discriminator_steps=3)
    settings.compile_from_settings(gan, optimizer, training)
    for step in (0, 7, 15, 29, 30, 1000):
        gan.g_optimizer.iterations.assign(step)
        gan.d_optimizer.iterations.assign(3 * step)
        share = 0.25 + 0.75 * (1 + np.cos(np.pi * min(step, 30) / 30)) / 2
        rates = gan.g_optimizer.learning_rate, gan.d_optimizer.learning_rate
        np.testing.assert_allclose(rates, np.array([2e-3, 8e-3]) * share, rtol=1e-6)


def test_xla_cannot_differentiate_pooling_twice_in_float64():
    gan = helpers.tiny_gan(dtype="float64")
    with pytest.raises(ValueError, match="second derivative of max pooling"):
        gan.compile(r1_gamma=1.0, jit_compile=True)
    gan.compile(r1_gamma=1.0)
    gan.compile(jit_compile=True)
    helpers.tiny_gan(attention=False).compile(r2_gamma=1.0, jit_compile=True)


def test_optimizers_must_be_two(gan):
    optimizer = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="an optimizer each"):
        gan.compile(optimizer, optimizer)


@pytest.mark.slow
def test_float16_gets_a_loss_scale():
    gan = helpers.tiny_gan(dtype="mixed_float16", attention=False)
    gan.compile(d_optimizer=keras.optimizers.SGD(1e-3))
    for optimizer in (gan.g_optimizer, gan.d_optimizer):
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    networks = (gan.generator, gan.discriminator)
    before = [helpers.values(network.trainable_variables) for network in networks]
    for _ in range(8):  # the first ones find the scale
        images, labels = helpers.images_and_labels(4)
        gan.train_step((tf.constant(images), tf.constant(labels)))
    for network, old in zip(networks, before, strict=True):
        new = helpers.values(network.trainable_variables)
        assert all(np.isfinite(x).all() for x in new)
        assert not all(map(np.array_equal, new, old))
    other = helpers.tiny_gan(dtype="mixed_float16", attention=False)
    other.compile_from_config(json.loads(json.dumps(gan.get_compile_config())))
    assert other.get_compile_config() == gan.get_compile_config()
