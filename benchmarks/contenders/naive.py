"""Contender: the SAGAN that a Keras user would write with Keras's own layers.

Nearest upsampling and convolution as two layers, `keras.layers.SpectralNormalization`
(which is not the published algorithm), conditional batch norm of a `BatchNormalization`
and two embeddings, real and generated images scored one after the other, everything
in one `tf.function`. 32 pixels, the widths of `sagan_32`.
"""

import keras
import numpy as np
import tensorflow as tf
from arguments import parse
from keras import layers
from turns import serve


class Attention(layers.Layer):
    """Released form: keys and values pooled."""

    def build(self, shape):
        channels = shape[-1]
        for name, filters in [
            ("query", channels // 8),
            ("key", channels // 8),
            ("value", channels // 2),
            ("output_projection", channels),
        ]:
            conv = layers.Conv2D(filters, 1, use_bias=False)
            setattr(self, name, layers.SpectralNormalization(conv))
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros")

    def call(self, x, training=False):
        _, h, w, c = x.shape
        q = tf.reshape(self.query(x, training=training), (-1, h * w, c // 8))
        k = tf.nn.max_pool2d(self.key(x, training=training), 2, 2, "SAME")
        v = tf.nn.max_pool2d(self.value(x, training=training), 2, 2, "SAME")
        k = tf.reshape(k, (-1, h * w // 4, c // 8))
        v = tf.reshape(v, (-1, h * w // 4, c // 2))
        scores = tf.nn.softmax(tf.matmul(q, k, transpose_b=True))
        attended = tf.reshape(tf.matmul(scores, v), (-1, h, w, c // 2))
        return x + self.gamma * self.output_projection(attended, training=training)


def conv(filters, size=3):
    """Spectrally normalised in the way of Keras."""
    return layers.SpectralNormalization(layers.Conv2D(filters, size, padding="same"))


def normalize(x, labels, classes):
    """Conditional batch norm of stock layers."""
    channels = x.shape[-1]
    gamma = layers.Embedding(classes, channels, "ones")(labels)
    beta = layers.Embedding(classes, channels, "zeros")(labels)
    x = layers.BatchNormalization(center=False, scale=False)(x)
    gamma, beta = (layers.Reshape((1, 1, channels))(t) for t in (gamma, beta))
    return x * gamma + beta


def generator(width, classes):
    """From latents and labels to images."""
    latents, labels = keras.Input((128,)), keras.Input((), dtype="int32")
    x = layers.SpectralNormalization(layers.Dense(16 * 4 * width))(latents)
    x = layers.Reshape((4, 4, 4 * width))(x)
    for _ in range(3):
        y = layers.ReLU()(normalize(x, labels, classes))
        y = conv(4 * width)(layers.UpSampling2D()(y))
        y = layers.ReLU()(normalize(y, labels, classes))
        x = conv(4 * width)(y) + conv(4 * width, 1)(layers.UpSampling2D()(x))
        if x.shape[1] == 16:
            x = Attention()(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Activation("tanh", dtype="float32")(conv(3)(x))
    return keras.Model([latents, labels], x)


def discriminator(width, classes):
    """From images and labels to logits."""
    images = keras.Input((32, 32, 3))
    labels = keras.Input((), dtype="int32")
    pool = layers.AveragePooling2D(2)
    y = conv(2 * width)(layers.ReLU()(conv(2 * width)(images)))
    x = pool(y) + conv(2 * width, 1)(pool(images))
    x = Attention()(x)
    for down in (True, False, False):
        y = conv(2 * width)(layers.ReLU()(x))
        y = conv(2 * width)(layers.ReLU()(y))
        x = pool(y) + pool(conv(2 * width, 1)(x)) if down else y + x
    h = layers.GlobalAveragePooling2D(dtype="float32")(layers.ReLU()(x)) * 64
    embedded = layers.Embedding(classes, 2 * width, dtype="float32")(labels)
    projection = keras.ops.sum(embedded * h, axis=-1, keepdims=True)
    score = layers.SpectralNormalization(layers.Dense(1, dtype="float32"))(h)
    return keras.Model([images, labels], score + projection)


def main():
    """Train on random images."""
    options = parse(__doc__, dtype={"default": "float32"})
    if options.image_size != 32:
        raise SystemExit("this contender knows 32 pixels only")
    keras.config.set_dtype_policy(options.dtype)
    g = generator(options.base_filters, options.classes)
    d = discriminator(options.base_filters, options.classes)
    g_optimizer = keras.optimizers.Adam(1e-4, 0, 0.999)
    d_optimizer = keras.optimizers.Adam(4e-4, 0, 0.999)
    g_optimizer.build(g.trainable_variables)
    d_optimizer.build(d.trainable_variables)
    averages = [tf.Variable(v.value) for v in g.trainable_variables]
    rng = np.random.default_rng(0)
    shape = (options.batch, 32, 32, 3)
    images = tf.constant(rng.integers(0, 256, shape, np.uint8))
    labels = tf.constant(rng.integers(0, options.classes, options.batch), tf.int32)

    def fakes():
        z = tf.random.normal((options.batch, 128))
        y = tf.random.uniform((options.batch,), 0, options.classes, tf.int32)
        return g([z, y], training=True), y

    @tf.function
    def run(images, labels):
        real = tf.cast(images, tf.float32) / 127.5 - 1
        with tf.GradientTape() as tape:
            x, y = fakes()
            scores = d([real, labels], training=True), d([x, y], training=True)
            loss = tf.reduce_mean(tf.nn.relu(1 - scores[0]))
            loss += tf.reduce_mean(tf.nn.relu(1 + scores[1]))
        variables = d.trainable_variables
        d_optimizer.apply(tape.gradient(loss, variables), variables)
        with tf.GradientTape() as tape:
            x, y = fakes()
            g_loss = -tf.reduce_mean(d([x, y], training=True))
        variables = g.trainable_variables
        g_optimizer.apply(tape.gradient(g_loss, variables), variables)
        for average, v in zip(averages, variables, strict=True):
            average.assign(0.999 * average + 0.001 * v)
        return loss

    serve(lambda: float(run(images, labels)))


if __name__ == "__main__":
    main()
