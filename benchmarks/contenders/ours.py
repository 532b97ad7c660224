"""Contender: `SAGAN.train_step` of this package, as `fit` compiles it."""

import numpy as np
import tensorflow as tf
from arguments import parse
from flops import training_flops
from turns import serve

from keras_sagan import SAGAN
from keras_sagan.models import Discriminator, Generator


def main():
    """Train on random images."""
    options = parse(__doc__, dtype={"default": "float32"}, jit={"action": "store_true"})
    size = {32: (16,), 64: (32,), 128: (32,)}[options.image_size]
    shared = {
        "image_size": options.image_size,
        "num_classes": options.classes,
        "base_filters": options.base_filters,
        "attention_resolutions": size,
        "dtype": options.dtype,
    }
    gan = SAGAN(Generator(**shared), Discriminator(**shared))
    gan.compile(jit_compile=options.jit)
    rng = np.random.default_rng(0)
    shape = (options.batch, options.image_size, options.image_size, 3)
    images = tf.constant(rng.integers(0, 256, shape, np.uint8))
    labels = tf.constant(rng.integers(0, options.classes, options.batch), tf.int32)
    gan.make_train_function()
    batches = iter(tf.data.Dataset.from_tensors((images, labels)).repeat())

    def step():
        float(gan.train_function(batches)["d_loss"])

    serve(step, gflops=training_flops(gan, options.batch) / 1e9)


if __name__ == "__main__":
    main()
