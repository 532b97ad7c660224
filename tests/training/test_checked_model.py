"""Data without end, data that come once, batch by batch, and labels with gaps."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import helpers

IMAGES, LABELS = helpers.images_and_labels(8)
FLOATS = IMAGES / np.float32(127.5) - np.float32(1)
WRONG = np.where(np.arange(8) == 5, 99, LABELS).astype("int32")
LATENTS = np.zeros((8, 8), "float32")


@pytest.fixture(scope="module")
def gan():
    gan = helpers.tiny_gan(attention=False)
    gan.compile(**helpers.sgd_pair(), run_eagerly=True)
    return gan


def dataset(images=IMAGES, labels=LABELS, batch_size=4):
    data = tf.data.Dataset.from_tensor_slices((images, labels))
    return data.batch(batch_size, drop_remainder=True)


class Endless(keras.utils.PyDataset):
    def __getitem__(self, index):
        return IMAGES, LABELS

    @property
    def num_batches(self):
        return None


# === Data without end ===
@pytest.mark.parametrize("data", [dataset().repeat(), Endless()], ids=["tf", "Py"])
def test_data_without_end_need_a_number_of_steps(gan, data):
    with pytest.raises(ValueError, match=r"`x` has no end.*`steps_per_epoch`"):
        gan.fit(data, verbose=0)
    with pytest.raises(ValueError, match=r"`x` has no end.*`steps` must"):
        gan.evaluate(data, verbose=0)
    with pytest.raises(ValueError, match=r"`validation_data` .*`validation_steps`"):
        gan.fit(dataset(), validation_data=data, verbose=0)
    gan.fit(
        data, steps_per_epoch=1, validation_data=data, validation_steps=1, verbose=0
    )
    gan.evaluate(data, None, 4, 0, None, 1)  # positional, as of `keras.Model.evaluate`


def test_latents_without_end_need_a_number_of_steps(gan):
    data = tf.data.Dataset.from_tensors(((LATENTS, LABELS),)).repeat()
    with pytest.raises(ValueError, match=r"`x` has no end.*`steps` must"):
        gan.predict(data, verbose=0)
    assert gan.predict(data, None, 0, 2).shape == (16, 32, 32, 3)


def test_positional_validation_data_are_checked(gan):
    bad = FLOATS + 2, LABELS
    with pytest.raises(ValueError, match="must be uint8"):
        gan.fit(IMAGES, LABELS, 4, 1, 0, None, 0.0, bad)


# === Data that come once ===
def test_a_generator_is_read_once_and_whole(gan):
    batches = [(IMAGES[:4], LABELS[:4]), (IMAGES[4:], LABELS[4:])]
    generator = iter(batches)
    signature = tuple(tf.TensorSpec(x.shape, x.dtype) for x in batches[0])
    data = tf.data.Dataset.from_generator(
        lambda: generator, output_signature=signature
    ).prefetch(1)
    before = gan.step
    gan.fit(data, steps_per_epoch=2, verbose=0)
    assert gan.step == before + 2


def test_first_batch_of_a_generator_in_the_unit_interval(gan):
    bright = (FLOATS + 1) / 2
    before = gan.step
    with pytest.raises(ValueError, match=r"almost surely in \[0, 1\]"):
        gan.fit(((bright, LABELS) for _ in range(9)), verbose=0)
    assert gan.step == before + 1
    later = iter([(FLOATS, LABELS), (bright, LABELS)])
    gan.fit((x for x in later), steps_per_epoch=2, verbose=0)


def test_a_generator_of_one_class(gan):
    batches = ((np.repeat(IMAGES, 63, 0)[:500], np.full(500, 2)) for _ in range(2))
    with pytest.raises(ValueError, match=r"several classes.*1000 labels 2 "):
        gan.fit(batches, steps_per_epoch=2, verbose=0)


# === Batch by batch ===
def test_train_on_batch_refuses_what_fit_refuses(gan):
    before = helpers.values(gan.variables)
    for images, labels, message in [
        (IMAGES, WRONG, r"in \[0, 3\).*99"),
        (IMAGES.astype("float32"), LABELS, "in .-1, 1.*255"),
        ((FLOATS + 1) / 2, LABELS, "almost surely"),
        (IMAGES, np.eye(3, dtype="int32")[LABELS], "One-hot"),
    ]:
        for data in (images, labels), map(tf.constant, (images, labels)):
            with pytest.raises(ValueError, match=message):
                gan.train_on_batch(*data)
    helpers.assert_equal(helpers.values(gan.variables), before)
    gan.train_on_batch(FLOATS, LABELS)
    gan.train_on_batch((FLOATS + 1) / 2, LABELS)  # a later batch may be bright


def test_test_on_batch_checks_and_scores_the_present_averages(gan):
    with pytest.raises(ValueError, match=r"in \[0, 3\).*99"):
        gan.test_on_batch(IMAGES, WRONG)
    gan.generator.trainable_variables[0].assign_add(
        tf.ones_like(gan.generator.trainable_variables[0])
    )
    gan.train_on_batch(IMAGES, LABELS)
    found = gan.test_on_batch(IMAGES, LABELS, return_dict=True)
    expected = gan.evaluate(IMAGES, LABELS, batch_size=8, verbose=0, return_dict=True)
    assert found == pytest.approx(expected)


def test_predict_checks_labels_and_uses_the_present_averages(gan):
    for call in (lambda x: gan.predict(x, verbose=0), gan.predict_on_batch):
        with pytest.raises(ValueError, match=r"in \[0, 3\).*99"):
            call([LATENTS, WRONG])
    gan.train_on_batch(IMAGES, LABELS)
    found = gan.predict_on_batch([LATENTS, LABELS])
    np.testing.assert_allclose(
        found, gan.predict([LATENTS, LABELS], verbose=0), atol=1e-6
    )


# === Labels with gaps ===
def test_arrays_with_classes_that_no_picture_has(gan):
    images, labels = np.repeat(IMAGES, 4, 0), np.arange(32, dtype="int32") % 2 + 1
    with pytest.warns(UserWarning, match=r"no pictures of class 0 \(num_classes=3"):
        gan.fit(images, labels, batch_size=16, verbose=0)


def test_streams_with_classes_that_no_picture_has(gan):
    images = np.repeat(IMAGES, 19, 0)[:150]
    batches = [(images, np.arange(150) % 2 + i) for i in (0, 0, 1)]
    data = tf.data.Dataset.from_generator(
        lambda: iter(batches),
        output_signature=(
            tf.TensorSpec((150, 32, 32, 3), "uint8"),
            tf.TensorSpec((150,), "int32"),
        ),
    )
    with pytest.warns(UserWarning, match="no pictures of class 2") as noted:
        gan.fit(data.take(2).repeat(), epochs=2, steps_per_epoch=2, verbose=0)
    assert len([x for x in noted if x.category is UserWarning]) == 1
    gan.fit(data, steps_per_epoch=3, verbose=0)
