"""A trained model as the beginning of one for other classes."""

import keras
import numpy as np
import pytest

from keras_sagan import SAGAN
from keras_sagan.training import fine_tuning
from tests import helpers

NETWORKS = ("generator", "ema_generator", "discriminator")
OF_CLASSES = ("gamma", "beta", "embeddings", "u", "v")


@pytest.fixture(scope="module")
def trained():
    """Function from a number of classes to a model, averages unlike the weights."""
    models = {}

    def of(num_classes):
        if num_classes not in models:
            gan = helpers.tiny_gan(num_classes, attention=False)
            gan.compile(**helpers.sgd_pair(), loss="wasserstein", ema_decay=0.5)
            rng = np.random.default_rng(3)
            for weight in gan.ema_generator.weights:
                if weight.name != "moving_variance":
                    weight.assign(weight + rng.normal(0, 0.1, weight.shape))
            gan.step_counter.count.assign(7)
            models[num_classes] = gan
        return models[num_classes]

    return of


def weights(network):
    return {weight.path: np.array(weight) for weight in network.weights}


def is_of_classes(path):
    first, _, name = path.partition("/")
    table = "bn" in first and first != "bn" and name in ("gamma", "beta")
    return table or first == "embedding"


@pytest.mark.parametrize("classes", [(3, 2), (None, 2), (3, None)])
def test_all_but_the_tables_of_classes_is_kept(trained, classes):
    old, new = classes
    source = trained(old)
    gan = fine_tuning.with_classes(source, new, None)
    assert gan.num_classes == new and gan.step == 0
    compared = 0
    for name in NETWORKS:
        before, after = weights(getattr(source, name)), weights(getattr(gan, name))
        for path, value in after.items():
            if not is_of_classes(path):
                np.testing.assert_array_equal(value, before[path])
                compared += 1
            elif not path.startswith("embedding"):
                row = before[path] if old is None else before[path].mean(axis=0)
                expected = row if new is None else np.stack([row] * new)
                np.testing.assert_array_equal(value, expected)
                compared += 1
    assert compared == sum(
        not path.startswith("embedding")
        for name in NETWORKS
        for path in weights(getattr(gan, name))
    )


@pytest.mark.parametrize("spectral_norm", [True, False])
def test_the_embedding(spectral_norm):
    source = helpers.tiny_gan(attention=False, d_spectral_norm=spectral_norm)
    gan = fine_tuning.with_classes(source, 2, ("new", "red"))
    layers = [x.discriminator.get_layer("embedding") for x in (source, gan)]
    inner = [x.layer if spectral_norm else x for x in layers]
    old, new = (np.array(x.embeddings) for x in inner)
    np.testing.assert_allclose(new, [old.mean(axis=0), old[0]], rtol=1e-6)
    if spectral_norm:
        sigma = np.linalg.svd(new, compute_uv=False)[0]
        assert float(layers[1].sigma()) == pytest.approx(sigma, rel=1e-3)


def test_classes_of_a_name_are_kept(trained):
    gan = fine_tuning.with_classes(trained(3), 4, ("blue", "black", "red", "white"))
    for name in ("generator", "ema_generator"):
        old = getattr(trained(3), name).get_layer("block1_bn1").gamma
        new = getattr(gan, name).get_layer("block1_bn1").gamma
        mean = np.mean(old, axis=0)
        expected = np.stack([old[2], mean, old[0], mean])
        np.testing.assert_allclose(new, expected, rtol=1e-6)


@pytest.mark.slow
def test_frequencies_of_classes_follow_their_names():
    gan = helpers.tiny_gan(attention=False)
    gan.compile(**helpers.sgd_pair(), fake_label_weights=[1, 2, 3])
    for names, expected in [
        (("blue", "red", "green"), (3, 1, 2)),
        (("blue", "red"), (3, 1)),
        (("blue", "red", "teal"), None),
    ]:
        other = fine_tuning.with_classes(gan, len(names), names, copy_weights=False)
        assert other.fake_label_weights == expected


@pytest.mark.slow
def test_pictures_of_every_class_begin_as_the_unconditional_ones(trained):
    source = trained(None)
    gan = fine_tuning.with_classes(source, 3, helpers.CLASS_NAMES)
    expected = source.generate(num_images=3, seed=5)
    helpers.assert_same_pixels(gan.generate(["blue", "red", "red"], seed=5), expected)
    assert expected.std() > 10


@pytest.mark.slow
def test_from_a_directory(trained, tmp_path):
    trained(3).save_to_preset(tmp_path / "model")
    gan = SAGAN.from_preset(tmp_path / "model", class_names=["cat", "dog"])
    assert gan.class_names == ("cat", "dog") and gan.num_classes == 2
    config, before = gan.get_compile_config(), trained(3).get_compile_config()
    assert (config["loss"], config["ema_decay"]) == ("wasserstein", 0.5)
    assert config["g_optimizer"] == before["g_optimizer"]
    assert int(gan.g_optimizer.iterations) == gan.step == 0
    gan.fit(*helpers.images_and_labels(4, num_classes=2), batch_size=4, verbose=0)
    assert gan.step == 1
    numbered = SAGAN.from_preset(tmp_path / "model", num_classes=5)
    assert numbered.num_classes == 5 and numbered.class_names is None
    unconditional = SAGAN.from_preset(tmp_path / "model", num_classes=None)
    assert unconditional.generate(num_images=1).shape == (1, 32, 32, 3)
    empty = SAGAN.from_preset(tmp_path / "model", False, num_classes=5)
    kernel = empty.generator.trainable_variables[0]
    assert not np.array_equal(kernel, numbered.generator.trainable_variables[0])


@pytest.mark.slow
def test_names_and_numbers_that_disagree(trained, tmp_path):
    trained(3).save_to_preset(tmp_path / "model")
    with pytest.raises(ValueError, match=r"one name per class.*num_classes=3"):
        SAGAN.from_preset(tmp_path / "model", num_classes=3, class_names=["cat"])
    with pytest.raises(ValueError, match=r"`num_classes` .*> 0"):
        SAGAN.from_preset(tmp_path / "model", num_classes=0)


def test_a_recipe_takes_names_too():
    small = {"base_filters": 4, "attention_resolutions": ()}
    gan = SAGAN.from_preset("sagan_32", class_names=("cat", "dog"), **small)
    assert gan.class_names == ("cat", "dog")
    assert gan.discriminator.num_classes == 2


def test_other_networks_are_refused(trained):
    other = helpers.tiny_gan(attention=True)
    message = "The generator must be like that .*base_filters=4, there 2"
    with pytest.raises(ValueError, match=message):
        fine_tuning.take_over(other, trained(3))


@pytest.mark.slow
def test_frozen_layers_stay_as_they_are():
    gan = helpers.tiny_gan(attention=False)
    gan.compile(keras.optimizers.SGD(0.5), keras.optimizers.SGD(0.5), seed=3)
    names = gan.freeze("discriminator/block[12]_*", "generator/dense")
    assert "discriminator/block1_conv1" in names and "generator/dense" in names
    assert all(x.startswith(("discriminator/block", "generator/dense")) for x in names)
    assert gan.get_compile_config()["seed"] == 3
    before = {name: weights(getattr(gan, name)) for name in NETWORKS}
    gan.fit(*helpers.images_and_labels(4), batch_size=4, verbose=0)
    moved = {
        f"{name}/{path}"
        for name in ("generator", "discriminator")
        for path, value in weights(getattr(gan, name)).items()
        if path.endswith(("kernel", "embeddings"))
        and not np.array_equal(value, before[name][path])
    }
    assert not [x for x in moved if x.startswith(tuple(names))]
    assert any(x.startswith("discriminator/block3_conv1") for x in moved)
    assert any(x.startswith("generator/block1_conv1") for x in moved)


def test_a_pattern_that_fits_nothing():
    gan = helpers.tiny_gan(attention=False)
    with pytest.raises(
        ValueError, match=r"must match a name.*Received: 'block1_conv1'"
    ):
        gan.freeze("block1_conv1")
    assert gan.generator.trainable_variables
