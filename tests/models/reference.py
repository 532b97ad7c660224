"""The two networks once more: stock Keras layers, two-step resampling, plain loops.

Written from the description of the architecture, without the package's blocks. Takes
weights out of a network by layer name; kernels are divided by `v^T M u` in NumPy.
"""

import keras
import numpy as np
import tensorflow as tf

GENERATOR_BLOCKS = {32: 3, 64: 4, 128: 5, 256: 6}
DISCRIMINATOR_BLOCKS = {32: 4, 64: 5, 128: 6, 256: 7}
DISCRIMINATOR_DOWNSAMPLES = {32: 2, 64: 4, 128: 5, 256: 6}


def randomize(network, seed=0):
    """Give every weight a value that matters, and `u`, `v` one that nearly fits."""
    rng = np.random.default_rng(seed)
    for variable in network.variables:
        if variable.name in ("u", "v"):
            continue
        low = 0.5 if "variance" in variable.name else -1.0
        variable.assign(rng.uniform(low, 1.0, variable.shape))
    for layer in network._flatten_layers():
        if hasattr(layer, "advance"):
            layer.advance(2)


def normalized_kernel(wrapper):
    if isinstance(wrapper.layer, keras.layers.Embedding):
        table = np.array(wrapper.layer.embeddings)
        return table / (np.array(wrapper.v) @ table.T @ np.array(wrapper.u))
    kernel = np.array(wrapper.layer.kernel)
    matrix = kernel.reshape(-1, kernel.shape[-1])
    return kernel / (np.array(wrapper.v) @ matrix @ np.array(wrapper.u))


class _Network:
    """Stock layers with the weights of the layers of `network`, by name."""

    def __init__(self, network, training):
        self.network = network
        self.training = training

    def has(self, name):
        return name in [layer.name for layer in self.network.layers]

    def conv(self, name, x):
        wrapper = self.network.get_layer(name)
        kernel = normalized_kernel(wrapper)
        return self._run(
            keras.layers.Conv2D(
                kernel.shape[-1], kernel.shape[0], padding="same", dtype="float64"
            ),
            [kernel, np.array(wrapper.layer.bias)],
            x,
        )

    def dense(self, name, x):
        wrapper = self.network.get_layer(name)
        kernel = normalized_kernel(wrapper)
        return self._run(
            keras.layers.Dense(kernel.shape[-1], dtype="float64"),
            [kernel, np.array(wrapper.layer.bias)],
            x,
        )

    def batch_norm(self, name, x, labels):
        layer = self.network.get_layer(name)
        plain = keras.layers.BatchNormalization(
            center=False, scale=False, epsilon=layer.epsilon, dtype="float64"
        )
        statistics = [np.array(layer.moving_mean), np.array(layer.moving_variance)]
        x = self._run(plain, statistics, x, training=self.training)
        gamma, beta = np.array(layer.gamma), np.array(layer.beta)
        if gamma.ndim == 2:  # one row a class
            gamma, beta = (t[labels][:, None, None, :] for t in (gamma, beta))
        return x * gamma + beta

    def attention(self, x):
        name = f"attention_{x.shape[1]}"
        if not self.has(name):
            return x
        layer = self.network.get_layer(name)
        if hasattr(layer, "reduce"):
            hidden = tf.nn.conv2d(relu(x), normalized_kernel(layer.reduce), 1, "SAME")
            hidden = hidden @ normalized_kernel(layer.expand)[0, 0]
            return x + np.array(layer.gamma) * hidden
        batch, height, width, _ = x.shape
        query, key, value = (
            x @ normalized_kernel(part)[0, 0]
            for part in (layer.query, layer.key, layer.value)
        )
        if self.network.attention == "released":
            key, value = (
                keras.layers.MaxPooling2D(2, dtype="float64")(t) for t in (key, value)
            )
        query, key, value = (
            np.reshape(t, (batch, -1, t.shape[-1])) for t in (query, key, value)
        )
        logits = np.exp(query @ key.transpose(0, 2, 1))
        attended = logits / logits.sum(-1, keepdims=True) @ value
        attended = attended.reshape(batch, height, width, -1)
        if self.network.attention != "formula":
            attended = attended @ normalized_kernel(layer.output_projection)[0, 0]
        return x + np.array(layer.gamma) * attended

    def _run(self, layer, weights, x, **kwargs):
        layer.build(x.shape)
        layer.set_weights(weights)
        return layer(x, **kwargs)


def relu(x):
    return np.maximum(x, 0.0)


def up(x):
    return keras.layers.UpSampling2D(2, dtype="float64")(x)


def pool(x):
    return keras.layers.AveragePooling2D(2, dtype="float64")(x)


def generate(network, latents, labels=None, training=False):
    """Images of a float64 `Generator`."""
    run = _Network(network, training)
    x = np.reshape(run.dense("dense", latents), (len(latents), 4, 4, -1))
    for i in range(1, GENERATOR_BLOCKS[network.image_size] + 1):
        hidden = relu(run.batch_norm(f"block{i}_bn1", x, labels))
        hidden = run.conv(f"block{i}_conv1", up(hidden))
        hidden = relu(run.batch_norm(f"block{i}_bn2", hidden, labels))
        hidden = run.conv(f"block{i}_conv2", hidden)
        x = run.attention(hidden + run.conv(f"block{i}_shortcut", up(x)))
    x = relu(run.batch_norm("bn", x, labels))
    return np.tanh(run.conv("to_images", x))


def discriminate(network, images, labels=None, activated_shortcut=False):
    """Logits of a float64 `Discriminator`."""
    run = _Network(network, training=False)
    hidden = relu(run.conv("block1_conv1", images))
    hidden = pool(run.conv("block1_conv2", hidden))
    x = run.attention(hidden + run.conv("block1_shortcut", pool(images)))
    attended = {x.shape[1]}
    for i in range(2, DISCRIMINATOR_BLOCKS[network.image_size] + 1):
        hidden = run.conv(f"block{i}_conv1", relu(x))
        hidden = run.conv(f"block{i}_conv2", relu(hidden))
        shortcut = relu(x) if activated_shortcut else x
        if run.has(f"block{i}_shortcut"):
            shortcut = run.conv(f"block{i}_shortcut", shortcut)
        if i <= DISCRIMINATOR_DOWNSAMPLES[network.image_size]:
            hidden, shortcut = pool(hidden), pool(shortcut)
        x = hidden + shortcut
        if x.shape[1] not in attended:
            x = run.attention(x)
            attended.add(x.shape[1])
    features = np.sum(relu(x), axis=(1, 2))
    logits = np.array(run.dense("dense", features))
    if labels is None:
        return logits
    table = normalized_kernel(network.get_layer("embedding"))
    return logits + np.sum(table[labels] * features, axis=-1, keepdims=True)
