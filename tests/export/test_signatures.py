"""The signatures: what they take and return, and what they refuse."""

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.export.signatures import concrete_signatures
from keras_sagan.sampling import to_uint8
from tests.helpers import assert_same_pixels, tiny_gan

COUNT = 64
SEEDS = np.arange(5, 5 + COUNT)
LABELS = np.arange(COUNT) % 3


@pytest.fixture(scope="module")
def signatures(any_gan):
    return concrete_signatures(any_gan.ema_generator)[0]


def _expected(gan, **arguments):
    if gan.generator.num_classes is None:
        return gan.generate(num_images=COUNT, seed=SEEDS, **arguments)
    return gan.generate(labels=LABELS, seed=SEEDS, **arguments)


def _rows(gan, rows=slice(None), **inputs):
    """Keyword arguments of a signature, for some of the rows."""
    inputs = {name: value[rows] for name, value in inputs.items()}
    if gan.generator.num_classes is not None:
        inputs["label"] = tf.constant(LABELS[rows], tf.int32)
    return inputs


def _drawn(gan, truncation, rows=slice(None)):
    seeds, limits = tf.constant(SEEDS), tf.fill((COUNT,), tf.constant(truncation))
    return _rows(gan, rows, seed=seeds, truncation=limits)


def test_interface(any_gan, signatures):
    specs = {
        "latent": tf.TensorSpec((None, 8), tf.float32, "latent"),
        "seed": tf.TensorSpec((None,), tf.int64, "seed"),
        "truncation": tf.TensorSpec((None,), tf.float32, "truncation"),
        "label": tf.TensorSpec((None,), tf.int32, "label"),
    }
    images = {"images": (tf.float32, [None, 32, 32, 3])}
    interface = {
        "serving_default": (["latent"], images),
        "generate": (["seed", "truncation"], {"images": (tf.uint8, [None, 32, 32, 3])}),
        "generate_png": (["seed", "truncation"], {"image_bytes": (tf.string, [None])}),
        "attention": (
            ["latent"],
            {**images, "attention_16": (tf.float32, [None, 256, 64])},
        ),
    }
    assert list(signatures) == list(interface)
    labels = [] if any_gan.generator.num_classes is None else ["label"]
    for name, (inputs, outputs) in interface.items():
        actual = signatures[name]
        given = {x.name: x for x in actual.structured_input_signature[0]}
        assert given == {x: specs[x] for x in (*inputs, *labels)}
        assert {
            key: (x.dtype, x.shape.as_list())
            for key, x in actual.structured_outputs.items()
        } == outputs


def test_without_attention_there_is_no_such_signature():
    generator = tiny_gan(attention=False).ema_generator
    signatures, _ = concrete_signatures(generator)
    assert list(signatures) == ["serving_default", "generate", "generate_png"]


@pytest.mark.parametrize("truncation", [0.0, 0.7])
def test_generate_is_that_of_the_model(any_gan, signatures, truncation):
    images = signatures["generate"](**_drawn(any_gan, truncation))["images"].numpy()
    expected = _expected(any_gan, truncation=truncation or None)
    assert_same_pixels(images, expected)
    assert len({image.tobytes() for image in images}) == COUNT


def test_truncation_is_of_the_row(any_gan, signatures):
    inputs = _drawn(any_gan, 0.0)
    limits = np.where(np.arange(COUNT) % 2, 0.7, 0).astype("float32")
    inputs["truncation"] = tf.constant(limits)
    images = signatures["generate"](**inputs)["images"].numpy()
    assert_same_pixels(images[::2], _expected(any_gan)[::2])
    assert_same_pixels(images[1::2], _expected(any_gan, truncation=0.7)[1::2])


def test_a_row_does_not_depend_on_its_batch(any_gan, signatures):
    whole = signatures["generate"](**_drawn(any_gan, 0.0))["images"].numpy()
    for rows in (slice(3, 4), slice(20, 27), slice(None, None, -1)):
        some = signatures["generate"](**_drawn(any_gan, 0.0, rows))["images"]
        assert_same_pixels(some.numpy(), whole[rows])


def test_png_holds_the_same_pixels(any_gan, signatures):
    inputs = _drawn(any_gan, 0.0, slice(7))
    encoded = signatures["generate_png"](**inputs)["image_bytes"].numpy()
    assert all(x.startswith(b"\x89PNG\r\n") for x in encoded)
    decoded = np.stack([tf.io.decode_png(x) for x in encoded])
    images = signatures["generate"](**inputs)["images"].numpy()
    np.testing.assert_array_equal(decoded, images)


def test_latents_give_the_same_images_and_maps(any_gan, signatures):
    latents = sampling.row_latents(tf.constant(SEEDS), 8, tf.zeros(COUNT))
    inputs = _rows(any_gan, slice(7), latent=latents)
    images = signatures["serving_default"](**inputs)["images"].numpy()
    assert_same_pixels(np.round(127.5 * (images + 1)), _expected(any_gan)[:7])
    attended = signatures["attention"](**inputs)
    np.testing.assert_allclose(attended["images"], images, atol=1e-6)
    labels = {"labels": LABELS[:7]} if "label" in inputs else {"num_images": 7}
    expected = any_gan.attention_maps(**labels, seed=SEEDS[:7])
    np.testing.assert_allclose(
        attended["attention_16"], expected["generator/attention_16"], atol=1e-5
    )


TWO = {"seed": [1, 2], "truncation": [0.0, 0.0], "label": [0, 1]}
LENGTH = "seed and truncation and label must have the same length"
ROWS = "seed and truncation and label must have at least one row"


@pytest.mark.parametrize("name", ["generate", "generate_png"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": [0, 3]}, r"label must be in \[0, 3\)"),
        ({"label": [-1, 0]}, r"label must be in \[0, 3\)"),
        ({"truncation": [0.0, -1.0]}, "truncation must be finite and > 0, or 0"),
        ({"truncation": [0.0, np.nan]}, "truncation must be finite and > 0, or 0"),
        ({"truncation": [0.0, np.inf]}, "truncation must be finite and > 0, or 0"),
        ({"label": [0]}, LENGTH),
        ({"seed": [1]}, LENGTH),
        ({"truncation": [0.0]}, LENGTH),
        ({"seed": [], "truncation": [], "label": []}, ROWS),
    ],
)
def test_bad_draws_are_refused(conditional_signatures, name, change, message):
    values = {**TWO, **change}
    dtypes = {"seed": tf.int64, "truncation": tf.float32, "label": tf.int32}
    inputs = {key: tf.constant(values[key], dtypes[key]) for key in values}
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        conditional_signatures[name](**inputs)


@pytest.mark.parametrize("name", ["serving_default", "attention"])
@pytest.mark.parametrize(
    ("latent", "label", "message"),
    [
        (np.zeros((1, 8)), [3], r"label must be in \[0, 3\)"),
        (np.zeros((1, 8)), [-1], r"label must be in \[0, 3\)"),
        (np.zeros((2, 8)), [0], "latent and label must have the same length"),
        (np.zeros((1, 8)), [0, 1], "latent and label must have the same length"),
        (np.zeros((0, 8)), [], "latent and label must have at least one row"),
        (np.full((1, 8), np.nan), [0], "latent must be finite"),
        (np.full((1, 8), -np.inf), [0], "latent must be finite"),
    ],
)
def test_bad_latents_are_refused(conditional_signatures, name, latent, label, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        conditional_signatures[name](
            latent=tf.constant(latent, tf.float32), label=tf.constant(label, tf.int32)
        )


@pytest.fixture(scope="module")
def conditional_signatures(conditional_gan):
    return concrete_signatures(conditional_gan.ema_generator)[0]


@pytest.mark.parametrize(
    ("value", "pixel"), [(-1.0, 0), (1.0, 255), (0.0, 128), (-1.5, 0), (1 / 255, 128)]
)
def test_to_uint8(value, pixel):
    assert to_uint8(tf.constant([value])).numpy() == [pixel]
