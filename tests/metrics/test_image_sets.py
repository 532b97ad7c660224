"""Sets of images: batches, choices, descriptions."""

import numpy as np
import pytest

from keras_sagan.metrics import array_images, image_sets


def test_arrays(pictures):
    images = array_images(*pictures, {"dataset": "x"})
    np.testing.assert_array_equal(images.arrays(7), pictures.images)
    assert images.description == {
        "dataset": "x",
        "count": 80,
        "choice": "all",
        "image_size": 32,
    }
    some = array_images(*pictures, count=30, seed=1)
    assert some.count == len(some.arrays(7)) == len(some.labels) == 30
    for image, label in zip(some.arrays(), some.labels, strict=True):
        (row,) = np.flatnonzero((pictures.images == image).all((1, 2, 3)))
        assert pictures.labels[row] == label
    np.testing.assert_array_equal(some.arrays(), some.arrays())
    other = array_images(*pictures, count=30, seed=2)
    assert (other.arrays() != some.arrays()).any()
    with pytest.raises(ValueError, match=r"`count`.*at most 80"):
        array_images(*pictures, count=81)


def test_generated_images():
    def generate(seeds, labels):
        stacked = np.stack([seeds % 251, labels], axis=1).astype(np.uint8)
        return stacked[:, :, None, None]

    images = image_sets.generated_images(generate, 10, 3, 2, {"kind": "x", "model": 1})
    first = (2 * 2**20) % 251
    np.testing.assert_array_equal(
        images.arrays(4)[:, 0, 0, 0], (first + np.arange(10)) % 251
    )
    np.testing.assert_array_equal(images.labels, np.arange(10) % 3)
    np.testing.assert_array_equal(images.arrays(4)[:, 1, 0, 0], images.labels)
    assert images.description["labels"] == "balanced"
    unlabelled = image_sets.generated_images(lambda s, y: y, 2, None, 0, {})
    assert unlabelled.labels is None and list(unlabelled.batches(2)) == [None]


@pytest.mark.parametrize("seed", [2**43, -(2**43), 0.5])
def test_seeds_of_more_than_64_bits(seed):
    with pytest.raises(ValueError, match="`seed` must be an integer of at least"):
        image_sets.generated_images(None, 1, None, seed, {})


def test_classes_as_frequent_as_in_training():
    def generate(seeds, labels):
        return labels.astype(np.uint8)[:, None, None, None]

    arguments = (generate, 10, 3, 0, {})
    images = image_sets.generated_images(*arguments, class_weights=(6, 3, 0))
    assert np.bincount(images.labels, minlength=3).tolist() == [7, 3, 0]
    np.testing.assert_array_equal(images.arrays(4)[:, 0, 0, 0], images.labels)
    assert images.description["labels"] == "as in training"
    assert images.description["class_counts"] == [7, 3, 0]
    equal = image_sets.generated_images(*arguments, class_weights=(6.0, 6.0, 6.0))
    before = image_sets.generated_images(*arguments)
    np.testing.assert_array_equal(equal.labels, before.labels)
    assert equal.description == before.description


@pytest.mark.slow
def test_of_a_gan_with_a_class_mix(run_directory):
    from keras_sagan.runs import load_trained

    gan = load_trained(run_directory)
    gan.compile(fake_label_weights=(3, 1))
    images = image_sets.gan_images(gan, 8, seed=1)
    assert np.bincount(images.labels).tolist() == [6, 2]
    expected = gan.generate(labels=images.labels, seed=2**20)
    np.testing.assert_array_equal(images.arrays(8), expected)


def test_of_a_gan(run_directory):
    from keras_sagan.runs import load_trained

    gan = load_trained(run_directory)
    images = image_sets.gan_images(gan, 6, seed=0, truncation=0.5, model="m")
    expected = gan.generate(labels=[0, 1] * 3, seed=0, truncation=0.5)
    np.testing.assert_array_equal(images.arrays(6), expected)
    described = images.description
    assert described["truncation"] == 0.5 and described["seed"] == 0
    assert described["batch_norm"].startswith("standing")
    assert described["model"]["path"] == "m"
    sha256 = described["model"]["sha256"]
    assert image_sets.gan_images(gan, 2).description["model"]["sha256"] == sha256
    weight = gan.ema_generator.trainable_variables or gan.ema_generator.variables
    weight[0].assign(weight[0] * 2)
    assert image_sets.gan_images(gan, 2).description["model"]["sha256"] != sha256


@pytest.mark.slow
def test_of_an_export(run_directory, tmp_path):
    """The same images as of the model itself: they can be compared."""
    from keras_sagan.export.loading import ExportedModel
    from keras_sagan.runs import load_trained

    gan = load_trained(run_directory)
    gan.compile(fake_label_weights=(3, 1))
    gan.export(str(tmp_path / "1"))
    model = ExportedModel(tmp_path / "1")
    exported = image_sets.exported_images(model, 6, 2, seed=3)
    direct = image_sets.gan_images(gan, 6, seed=3)
    difference = exported.arrays().astype(int) - direct.arrays()
    assert np.abs(difference).max() <= 1
    assert np.bincount(exported.labels).tolist() == [5, 1]
    differing = {"model"}
    for name in {*exported.description, *direct.description} - differing:
        assert exported.description[name] == direct.description[name]
