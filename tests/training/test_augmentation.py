"""DiffAugment against loops in NumPy; draws; augmentation in the training step."""

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.config.data import AUGMENTATIONS, AugmentationConfig
from keras_sagan.sampling import Purpose
from keras_sagan.training import augmentation, networks, passes, steps
from tests import helpers

POLICIES = ("diffaugment", "ada")


def pictures(count=6, size=8, channels=3, dtype="float32"):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, size, size, channels)).astype(dtype)


def uniform(count, width, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, (count, width)).astype("float32")


# === DiffAugment ===
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_color_is_brightness_saturation_contrast(channels):
    images, u = pictures(channels=channels), uniform(6, 3)
    expected = images.astype("float64")
    for x, (brightness, saturation, contrast) in zip(expected, u, strict=True):
        rgb = x[..., :3]  # a view: what is left of 4 channels is alpha
        rgb += brightness - 0.5
        mean = rgb.mean(axis=2, keepdims=True)
        rgb[:] = (rgb - mean) * (2 * saturation) + mean
        rgb[:] = (rgb - rgb.mean()) * (contrast + 0.5) + rgb.mean()
    actual = augmentation.color(tf.constant(images), tf.constant(u))
    np.testing.assert_allclose(actual, expected, atol=1e-5)


@pytest.mark.parametrize("size", [8, 32])
def test_translation_moves_by_whole_pixels_up_to_an_eighth(size):
    images, u = pictures(200, size), uniform(200, 2)
    most = size // 8
    moved = augmentation.translation(tf.constant(images), tf.constant(u)).numpy()
    seen = set()
    for before, after, (uy, ux) in zip(images, moved, u, strict=True):
        dy, dx = (int(np.floor(v * (2 * most + 1))) - most for v in (uy, ux))
        padded = np.pad(before, ((most, most), (most, most), (0, 0)))
        wanted = padded[most + dy :, most + dx :][:size, :size]
        np.testing.assert_array_equal(after, wanted)
        seen.add((dy, dx))
    assert {dy for dy, _ in seen} == {dx for _, dx in seen}
    assert {dy for dy, _ in seen} == set(range(-most, most + 1))


def test_cutout_is_a_square_of_half_the_side():
    images, u = np.ones((300, 8, 8, 1), "float32"), uniform(300, 2)
    cut = augmentation.cutout(tf.constant(images), tf.constant(u)).numpy()[..., 0]
    centers = set()
    for image, (uy, ux) in zip(cut, u, strict=True):
        y, x = int(uy * 9), int(ux * 9)  # 0 to 8: also at the border
        expected = np.ones((8, 8))
        expected[max(y - 2, 0) : y + 2, max(x - 2, 0) : x + 2] = 0
        np.testing.assert_array_equal(image, expected)
        centers.add(y)
    assert centers == set(range(9))


def test_operations_can_be_chosen():
    images, u = tf.constant(pictures()), tf.constant(uniform(6, 7))
    config = AugmentationConfig("diffaugment", operations="cutout, color")
    expected = augmentation.cutout(
        augmentation.color(images, u[:, :3]), u[:, 3:5]
    )  # in the policy's order
    actual = augmentation.augment(config, images, u[:, :5], None)
    np.testing.assert_array_equal(actual, expected)
    with pytest.raises(ValueError, match="operations='blit'"):
        AugmentationConfig("diffaugment", operations="blit")
    with pytest.raises(ValueError, match="operations='color'"):
        AugmentationConfig(operations="color")


# === What every policy has ===
def augmented(policy, images, u, probability=0.5):
    config = AugmentationConfig(policy)
    return augmentation.augment(config, images, u, tf.constant(probability))


def width(policy):
    return augmentation._width(AugmentationConfig(policy))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_gradient_is_that_of_finite_differences(policy, channels):
    images = tf.constant(pictures(4, channels=channels, dtype="float64"))
    u = tf.constant(uniform(4, width(policy)))
    weight = np.random.default_rng(1).normal(size=images.shape)
    direction = np.random.default_rng(2).normal(size=images.shape)

    def value(x):
        return tf.reduce_sum(augmented(policy, x, u) * weight)

    with tf.GradientTape() as tape:
        tape.watch(images)
        result = value(images)
    gradient = tape.gradient(result, images)
    slope = (value(images + 1e-4 * direction) - value(images - 1e-4 * direction)) / 2e-4
    assert float(slope) == pytest.approx(float(tf.reduce_sum(gradient * direction)))
    assert np.linalg.norm(gradient) > 1


@pytest.mark.parametrize(
    "policy", ["diffaugment", pytest.param("ada", marks=pytest.mark.slow)]
)
def test_the_same_in_graphs_under_xla_and_row_by_row(policy):
    images, u = tf.constant(pictures(size=16)), tf.constant(uniform(6, width(policy)))
    eager = augmented(policy, images, u)
    assert not np.allclose(eager, images, atol=0.1)
    graph = tf.function(augmented)(policy, images, u)
    np.testing.assert_allclose(graph, eager, atol=1e-5)
    xla = tf.function(augmented, jit_compile=True)(policy, images, u)
    np.testing.assert_allclose(xla, eager, atol=1e-4)
    rows = [augmented(policy, images[i : i + 1], u[i : i + 1])[0] for i in range(6)]
    np.testing.assert_allclose(np.stack(rows), eager, atol=1e-5)


@pytest.mark.parametrize("policy", POLICIES)
def test_repeats_are_equal_bit_by_bit(policy):
    images = tf.constant(pictures(64, 16))
    u = tf.constant(uniform(64, width(policy)))

    @tf.function
    def both(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = augmented(policy, x, u)
            loss = tf.reduce_sum(result**2)
        return result, tape.gradient(loss, x)

    first = [np.array(x) for x in both(images)]
    for _ in range(5):
        helpers.assert_equal(both(images), first)


@pytest.mark.parametrize("policy", POLICIES)
def test_bfloat16_images_are_changed_in_float32(policy):
    images = tf.cast(tf.constant(pictures()), tf.bfloat16)
    u = tf.constant(uniform(6, width(policy)))
    result = augmented(policy, images, u)
    assert result.dtype == tf.float32
    expected = augmented(policy, tf.cast(images, tf.float32), u)
    np.testing.assert_array_equal(result, expected)


# === Draws ===
def drawn(
    config, purpose=Purpose.DISCRIMINATOR_STEP, step=0, seed=0, count=8, real_too=True
):
    return augmentation.draw(
        config, seed, purpose, step, lambda function: function(count), real_too
    )


def test_draws_depend_on_seed_step_purpose_and_row_alone():
    config = AugmentationConfig("diffaugment")
    real, fake = drawn(config)
    assert real.shape == fake.shape == (8, 7)
    np.testing.assert_array_equal(drawn(config, count=5)[0], real[:5])
    others = [
        fake,
        drawn(config, step=1)[0],
        drawn(config, seed=1)[0],
        *drawn(config, Purpose.GENERATOR_STEP),
    ]
    for other in others:
        assert not np.isin(other, real).any()
    # Nor are they the bits that latents are made of.
    latents = sampling.batch_latents(0, Purpose.DISCRIMINATOR_STEP, 0, 8, 7)
    normal = tf.math.ndtri(tf.cast(real, tf.float64))
    assert np.abs(latents - tf.cast(normal, tf.float32)).min() > 1e-6
    assert drawn(config, real_too=False)[0] is None
    assert drawn(None) == (None, None)


def test_mirror_turns_half_of_the_real_images():
    config = AugmentationConfig(mirror=True)
    real, fake = drawn(config, count=200)
    assert fake is None
    images = pictures(200)
    turned = augmentation.augment_real(config, tf.constant(images), real, None).numpy()
    count = 0
    for before, after in zip(images, turned, strict=True):
        same = np.array_equal(before, after)
        assert same or np.array_equal(before[:, ::-1], after)
        count += same
    assert 70 < count < 130
    untouched = augmentation.augment(config, tf.constant(images), None, None)
    np.testing.assert_array_equal(untouched, images)
    assert augmentation.resolve(config) is config


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("ada", AugmentationConfig("ada")),
        (AugmentationConfig(), None),
        (AugmentationConfig("ada").to_dict(), AugmentationConfig("ada")),
    ],
)
def test_resolve(value, expected):
    assert augmentation.resolve(value) == expected


@pytest.mark.parametrize("value", ["flip", 1, {"policy": "ada"}, ("ada",)])
def test_resolve_refuses(value):
    with pytest.raises(ValueError, match=r"Received|missing"):
        augmentation.resolve(value)


# === In the training step ===
def compiled(augment, loss="hinge"):
    gan = helpers.tiny_gan(attention=False)
    gan.compile(**helpers.sgd_pair(), augmentation=augment, loss=loss, seed=3)
    return gan


def batch(count=8):
    images, labels = helpers.images_and_labels(count)
    return tf.constant(images), tf.constant(labels)


@pytest.mark.parametrize(
    ("policy", "loss"),
    [
        ("diffaugment", "hinge"),
        pytest.param("ada", "hinge", marks=pytest.mark.slow),
        pytest.param("diffaugment", "relativistic", marks=pytest.mark.slow),
    ],
)
def test_both_networks_see_augmented_images_and_nothing_else(policy, loss, monkeypatch):
    """The discriminator's inputs of a step, taken down, against draws made here."""
    gan = compiled(policy, loss=loss)
    gan.augmentation.values.assign([0.7, 0.0])
    images, labels = batch()
    seen = []
    original = passes.discriminate

    def discriminate(discriminator, x, labels, training):
        seen.append(x)
        return original(discriminator, x, labels, training)

    monkeypatch.setattr(passes, "discriminate", discriminate)
    fakes = []
    generate = passes.generate

    def generate_and_keep(*args, **kwargs):
        fakes.append(generate(*args, **kwargs))
        return fakes[-1]

    monkeypatch.setattr(passes, "generate", generate_and_keep)
    steps.train_step(networks.of(gan), gan._settings, images, labels, gan.step)
    config, p = AugmentationConfig(policy), tf.constant(0.7)
    real_draws, fake_draws = drawn(config, seed=3)
    again, generator_draws = drawn(config, Purpose.GENERATOR_STEP, seed=3)
    unit = tf.cast(images, tf.float32) / 127.5 - 1
    expected = [
        tf.concat(
            [
                augmentation.augment(config, unit, real_draws, p),
                augmentation.augment(config, fakes[0], fake_draws, p),
            ],
            axis=0,
        ),
        augmentation.augment(config, fakes[1], generator_draws, p),
    ]
    if loss == "relativistic":  # the real images are changed anew for G's step
        expected.insert(1, augmentation.augment(config, unit, again, p))
        fakes.insert(1, unit)
    for actual, wanted, plain in zip(seen, expected, fakes, strict=True):
        np.testing.assert_allclose(actual, wanted, atol=1e-6)
        assert np.abs(actual[-8:] - plain).max() > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["ada", "diffaugment"])
def test_evaluation_is_not_augmented(policy):
    plain, other = compiled(None), compiled(policy)
    other.augmentation.values.assign([0.8, 0.0])
    logs = [
        gan.evaluate(*batch(), verbose=0, return_dict=True) for gan in (plain, other)
    ]
    assert logs[0] == logs[1]


@pytest.mark.slow
def test_two_runs_are_equal():
    results = []
    for _ in range(2):
        gan = compiled("ada")
        gan.augmentation.values.assign([0.8, 0.0])
        gan.fit(*batch(16), batch_size=8, verbose=0, shuffle=False)
        results.append(helpers.values(gan.discriminator.trainable_variables))
    helpers.assert_equal(*results)


@pytest.mark.slow
def test_mixed_precision_and_xla_train():
    gan = helpers.tiny_gan(attention=False, dtype="mixed_bfloat16")
    gan.compile(augmentation="ada", jit_compile=True)
    history = gan.fit(*batch(), batch_size=8, verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize("policy", POLICIES)
def test_sub_batches_have_their_rows_of_the_whole(policy):
    gan = compiled(policy)
    settings = steps.StepSettings(
        gradient_accumulation_steps=2, augmentation=AugmentationConfig(policy)
    )
    images, labels = batch()
    parts = steps.discriminator_batches(networks.of(gan), settings, images, labels, 5)
    real, fake = drawn(AugmentationConfig(policy), step=5)
    for i, part in enumerate(parts):
        np.testing.assert_array_equal(part.real_draws, real[i::2])
        np.testing.assert_array_equal(part.fake_draws, fake[i::2])


@pytest.mark.distributed
@pytest.mark.slow
def test_two_replicas_train_as_one():
    """Also the probability, which follows the mean over all replicas."""
    results, states = [], []
    for devices in (["CPU:0"], ["CPU:0", "CPU:1"]):
        with tf.distribute.MirroredStrategy(devices).scope():
            gan = helpers.tiny_gan(attention=False, synchronized=True)
            config = AugmentationConfig("ada", mirror=True, ada_images=100)
            gan.compile(**helpers.sgd_pair(), augmentation=config)
            gan.augmentation.values.assign([0.5, 0.0])
        before = helpers.values(gan.discriminator.trainable_variables)
        dataset = tf.data.Dataset.from_tensors(batch()).repeat()
        gan.fit(dataset, steps_per_epoch=5, verbose=0)
        results.append(helpers.values(gan.discriminator.trainable_variables))
        states.append(np.array(gan.augmentation.values))
    helpers.assert_same_change(before, results[1], results[0], 1e-3, least=1e-4)
    np.testing.assert_allclose(states[1], states[0], atol=1e-5)
    assert states[0][0] != 0.5


def test_every_operation_has_its_draws():
    for policy in POLICIES:
        assert width(policy) == sum(
            augmentation._width(AugmentationConfig(policy, operations=name))
            for name in AUGMENTATIONS[policy]
        )
