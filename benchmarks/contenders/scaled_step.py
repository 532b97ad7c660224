"""Contender: a training step of one size, on one or several logical replicas."""

import numpy as np
import tensorflow as tf
from arguments import parse
from turns import serve

from keras_sagan import SAGAN
from keras_sagan.distributed import strategies
from keras_sagan.models import Discriminator, Generator
from keras_sagan.models.architectures import discriminator_resolutions

COUNT = {"type": int, "required": True}


def main():
    """Train on random images."""
    options = parse(
        __doc__, dtype={"default": "float32"}, attention=COUNT, replicas=COUNT
    )
    with strategy(options.replicas).scope():
        gan = model(options)
        gan.compile()
    rng = np.random.default_rng(0)
    shape = (options.batch, options.image_size, options.image_size, 3)
    images = rng.integers(0, 256, shape, np.uint8)
    labels = rng.integers(0, options.classes, options.batch).astype(np.int32)
    data = tf.data.Dataset.from_tensor_slices((images, labels))
    data = data.batch(options.batch, drop_remainder=True).cache().repeat()
    batches = iter(gan.distribute_strategy.experimental_distribute_dataset(data))
    gan.make_train_function()

    def step():
        float(gan.train_function(batches)["d_loss"])

    serve(step)


def strategy(replicas):
    """As many logical devices of the processor, or none."""
    if replicas == 1:
        return strategies.create_strategy("none")
    devices = [tf.config.LogicalDeviceConfiguration() for _ in range(replicas)]
    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, devices)
    return tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(replicas)])


def model(options):
    """A `SAGAN` with attention where it was asked for and the network has that size."""
    shared = {
        "image_size": options.image_size,
        "num_classes": options.classes,
        "base_filters": options.base_filters,
        "dtype": options.dtype,
    }
    wanted = (options.attention,) if options.attention else ()
    produced = discriminator_resolutions(options.image_size)
    generator = Generator(
        **shared,
        attention_resolutions=wanted,
        synchronized=options.replicas > 1,
    )
    where = [size for size in wanted if size in produced]
    return SAGAN(generator, Discriminator(**shared, attention_resolutions=where))


if __name__ == "__main__":
    main()
