"""One training on any number of replicas: what must come out the same."""

import keras
import numpy as np
import tensorflow as tf

from tests import helpers

STEPS, BATCH = 5, 64
G_RATE, D_RATE = 2.0**-12, 2.0**-9
IMAGES, LABELS = helpers.images_and_labels(STEPS * BATCH)


def mirrored(replicas):
    """A strategy of so many logical CPU devices, or the default one."""
    if replicas == 1:
        return tf.distribute.get_strategy()
    # Collectives of several strategies in one process get into each other's way.
    return tf.distribute.MirroredStrategy(
        [f"CPU:{i}" for i in range(replicas)],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )


def build(
    strategy,
    attention=False,
    dtype=None,
    synchronized=True,
    rates=(G_RATE, D_RATE),
    **arguments,
):
    """A compiled model, and its weights."""
    with strategy.scope():
        gan = helpers.tiny_gan(
            dtype=dtype, synchronized=synchronized, attention=attention
        )
        gan.compile(
            **{
                "g_optimizer": keras.optimizers.SGD(rates[0]),
                "d_optimizer": keras.optimizers.SGD(rates[1]),
                "seed": 3,
                **arguments,
            }
        )
    return gan, weights(gan)


def dataset():
    """Global batches, the same whoever asks."""
    data = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS))
    return data.batch(BATCH, drop_remainder=True)


def weights(gan):
    """Those of the networks, their spectral norms and batch statistics too."""
    return helpers.values(gan.generator.variables + gan.discriminator.variables)


def assert_moved(gan, before):
    """Training has changed the trained weights by 1 % of their norm."""
    trained = gan.generator.variables + gan.discriminator.variables
    norms = [
        (np.linalg.norm(np.array(x) - old), np.linalg.norm(old))
        for x, old in zip(trained, before, strict=True)
        if x.trainable
    ]
    change, size = np.linalg.norm(norms, axis=0)
    assert change >= 1e-2 * size


def largest_error(actual, expected):
    """The largest difference of two weights relative to max(|w|, 1e-2)."""
    return max(
        np.max(np.abs(a - b) / np.maximum(np.abs(b), 1e-2))
        for a, b in zip(actual, expected, strict=True)
    )


def losses(gan):
    """The losses of 20 steps: list of dict."""
    found = []

    def remember(batch, logs):
        found.append({name: float(logs[name]) for name in ("d_loss", "g_loss")})

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=remember)
    gan.fit(dataset().repeat(), steps_per_epoch=20, verbose=0, callbacks=[callback])
    return found
