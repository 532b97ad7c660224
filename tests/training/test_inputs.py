"""Bad data: what `fit` says, and that nothing was trained before it says so."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.training import inputs
from tests import helpers

IMAGES, LABELS = helpers.images_and_labels(8)
FLOATS = IMAGES / np.float32(127.5) - np.float32(1)


@pytest.fixture(scope="module")
def conditional():
    gan = helpers.tiny_gan(attention=False)
    gan.compile(**helpers.sgd_pair(), run_eagerly=True)
    return gan


@pytest.fixture(scope="module")
def unconditional():
    gan = helpers.tiny_gan(None, attention=False)
    gan.compile(**helpers.sgd_pair(), run_eagerly=True)
    return gan


def dataset(*columns, batch_size=4):
    data = columns if len(columns) > 1 else columns[0]
    return tf.data.Dataset.from_tensor_slices(data).batch(batch_size)


def assert_refused(gan, message, *data, **arguments):
    """`fit` raises, and neither weights nor step counters have moved."""
    variables = [*gan.variables, *gan.optimizer.variables]
    before = helpers.values(variables)
    with pytest.raises(ValueError, match=message):
        gan.fit(*data, verbose=0, **arguments)
    helpers.assert_equal(helpers.values(variables), before)


def changed(array, value, at=0):
    array = array.copy()
    array[at] = value
    return array


BAD_DATA = {
    "label too large": (IMAGES, changed(LABELS, 99), "`labels` .*[0, 3).*99"),
    "label negative": (IMAGES, changed(LABELS, -1), "`labels` .*[0, 3).*-1"),
    "float labels": (IMAGES, LABELS.astype("float32"), "integers.*float32"),
    "bool labels": (IMAGES, LABELS > 0, "integers.*bool"),
    "one-hot labels": (IMAGES, np.eye(3, dtype="int32")[LABELS], r"argmax.*\(8, 3\)"),
    "float one-hot": (IMAGES, np.eye(3, dtype="float32")[LABELS], "One-hot.*argmax"),
    "float [0, 255]": (
        IMAGES.astype("float32"),
        LABELS,
        "in .-1, 1.* 127.5 - 1.*255",
    ),
    "float [0, 1]": ((FLOATS + 1) / 2, LABELS, r"almost surely in \[0, 1\]"),
    "NaN": (changed(FLOATS, np.nan), LABELS, "finite.*NaN"),
    "int32 images": (IMAGES.astype("int32"), LABELS, "uint8.*dtype int32"),
    "grey": (IMAGES[..., :1], LABELS, r"32, 32, 3\).*, 32, 32, 1\)"),
    "size": (IMAGES[:, :16], LABELS, r"32, 32, 3\).*, 16, 32, 3\)"),
    "channels first": (np.moveaxis(IMAGES, -1, 1), LABELS, "Channels come last"),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_arrays_are_refused_before_the_first_step(conditional, case):
    images, labels, message = BAD_DATA[case]
    message = message.replace("[0, 3)", r"\[0, 3\)")
    assert_refused(conditional, message, images, labels, batch_size=4)


@pytest.mark.parametrize("case", ["label too large", "NaN", "float [0, 1]", "grey"])
def test_bad_first_batch_is_refused_before_the_first_step(conditional, case):
    images, labels, message = BAD_DATA[case]
    message = message.replace("[0, 3)", r"\[0, 3\)")
    assert_refused(conditional, message, dataset(images, labels))


def test_data_that_does_not_fit_the_kind_of_model(conditional, unconditional):
    assert_refused(conditional, "labels.* missing.*num_classes=3", IMAGES)
    assert_refused(conditional, "labels.* missing.*num_classes=3", dataset(IMAGES))
    assert_refused(unconditional, "unconditional", IMAGES, LABELS)
    assert_refused(unconditional, "unconditional", dataset(IMAGES, LABELS))


def test_batch_that_is_one_image_or_empty(conditional):
    single = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS))
    assert_refused(conditional, "One image is not a batch", single)
    assert_refused(conditional, "empty", single.take(0))


def test_batch_that_does_not_divide():
    gan = helpers.tiny_gan(attention=False)
    gan.compile(
        **helpers.sgd_pair(), discriminator_steps=2, gradient_accumulation_steps=3
    )
    assert_refused(gan, "divisible by .* = 6.*of 4", IMAGES, LABELS, batch_size=4)


def test_batch_of_unknown_size_that_must_divide():
    gan = helpers.tiny_gan(attention=False)
    gan.compile(**helpers.sgd_pair(), discriminator_steps=2)
    message = r"must be known.*drop_remainder=True.*\(None, 32, 32, 3\)"
    assert_refused(gan, message, IMAGES[:6], LABELS[:6], batch_size=4)
    assert_refused(gan, message, dataset(IMAGES, LABELS))


@pytest.mark.distributed
def test_batch_of_unknown_size_under_a_strategy():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        gan = helpers.tiny_gan(attention=False)
        gan.compile(**helpers.sgd_pair())
    assert_refused(gan, "replicas.*batch size must be known", dataset(IMAGES, LABELS))


# One class of several: almost surely a folder at the wrong depth.
def test_one_class_only_is_refused(conditional):
    images, labels = np.repeat(IMAGES, 5, axis=0), np.full(40, 2)
    message = r"`labels` must be of several classes.*40 labels 2 .*num_classes=3"
    assert_refused(conditional, message, images, labels)
    assert_refused(conditional, message, dataset(images, labels))
    assert_refused(conditional, message, _Batches(images, labels))


def test_many_labels_of_one_class_only_are_refused(conditional):
    images, labels = np.repeat(IMAGES, 5, axis=0), np.full(40, 2)
    message = "1000 labels 2 and no other"
    data = dataset(images, labels).repeat()
    assert_refused(conditional, message, data, steps_per_epoch=1)


@pytest.mark.parametrize("count", [2, 31])
def test_few_labels_of_one_class_pass(count):
    images = np.repeat(IMAGES[:1], count, axis=0)
    inputs.check_first_batch(images, np.zeros(count, "int32"), _Network(3))


def test_one_class_passes_in_a_model_of_one():
    images = np.repeat(IMAGES, 5, axis=0)
    inputs.check_first_batch(images, np.zeros(40, "int32"), _Network(1))


def test_first_batch_of_one_class_passes_where_others_follow():
    images = np.repeat(IMAGES, 13, axis=0)  # 104
    labels = np.repeat([0, 1], [100, 4]).astype("int32")
    data = dataset(images, labels, batch_size=50)
    inputs.check_first_batch(data, None, _Network(3))


def test_labels_with_an_axis_of_one_pass():
    inputs.check_first_batch(IMAGES, LABELS[:, None], _Network(3))


# Later batches: found in the graph, reported with their position.
@pytest.mark.parametrize(
    ("images", "labels", "fault"),
    [
        (FLOATS, changed(LABELS, 3, at=5), "label outside"),
        (FLOATS, changed(LABELS, -1, at=4), "label outside"),
        (changed(FLOATS, 1.5, at=6), LABELS, "image value outside"),
        (
            changed(FLOATS, np.nan, at=4),
            LABELS,
            "image value outside",
        ),  # last: weights too
    ],
)
def test_bad_later_batch_fails_with_its_position(conditional, images, labels, fault):
    first = int(conditional.g_optimizer.iterations)
    with pytest.raises(ValueError, match=rf"step {first + 1} .*{fault}"):
        conditional.fit(dataset(images, labels, batch_size=4), verbose=0)
    conditional.fit(FLOATS[:4], LABELS[:4], verbose=0)  # forgotten


def test_bad_batch_of_a_generator_fails_with_its_position(unconditional):
    batches = ((changed(FLOATS[:4], value),) for value in (0, 2))
    with pytest.raises(ValueError, match=r"step 1 .*image value outside"):
        unconditional.fit(batches, steps_per_epoch=2, verbose=0)


def test_later_batch_of_another_shape(conditional):
    def batches():
        yield FLOATS[:4], LABELS[:4]
        yield FLOATS[:4, :16], LABELS[:4]

    types = (tf.TensorSpec((4, None, 32, 3)), tf.TensorSpec((4,), tf.int32))
    data = tf.data.Dataset.from_generator(batches, output_signature=types)
    with pytest.raises(ValueError, match=r"shape \(batch, 32, 32, 3\).*\(4, 16, 32"):
        conditional.fit(data, verbose=0)


def test_structure_of_a_batch(conditional):
    batches = (({"images": data}, LABELS[:4]) for data in [FLOATS[:4]])
    with pytest.raises(ValueError, match="structure dict"):
        conditional.fit(batches, verbose=0)


def test_batches_of_tfds_as_they_come(conditional):
    data = {"image": IMAGES, "label": LABELS}
    rows = tf.data.Dataset.from_tensor_slices(data).batch(4)
    message = r"map\(lambda x: \(x\['image'.*dict with 'image', 'label'"
    assert_refused(conditional, message, rows)


def test_one_hot_labels_of_a_generator(conditional):
    for dtype in ("int32", "float32"):
        batches = ((FLOATS, np.eye(3, dtype=dtype)[LABELS]) for _ in range(1))
        with pytest.raises(ValueError, match=r"One-hot.*argmax.*\(8, 3\)"):
            conditional.fit(batches, steps_per_epoch=1, verbose=0)


def unknown_shapes(size):
    """A dataset that does not know its shapes, as with pictures decoded in Python."""
    images = np.zeros((4, size, size, 3), "uint8")

    def read(_):
        labels = np.zeros(4, "int32")
        return tf.numpy_function(lambda: (images, labels), [], (tf.uint8, tf.int32))

    return tf.data.Dataset.range(2).map(read)


@pytest.mark.slow
def test_batches_of_unknown_shape(unconditional):
    gan = helpers.tiny_gan(attention=False)
    gan.compile(**helpers.sgd_pair())
    gan.fit(unknown_shapes(32), verbose=0)
    assert gan.step == 2
    assert_refused(unconditional, r"32, 32, 3.*\(4, 16, 16, 3\)", unknown_shapes(16))


class _Batches(keras.utils.PyDataset):
    def __init__(self, images, labels):
        super().__init__()
        self.columns = images, labels

    def __len__(self):
        return len(self.columns[0]) // 4

    def __getitem__(self, index):
        return tuple(column[4 * index : 4 * index + 4] for column in self.columns)


class _Network:
    """What the checks look at of a discriminator."""

    def __init__(self, num_classes):
        self.num_classes = num_classes
        self.image_size = 32
        self.channels = 3
