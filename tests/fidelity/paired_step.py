"""A training step with pairs and penalties, in Keras and for torch: same weights.

What a step minimises is looked at through its optimizers, which keep the gradients and
leave the weights as they are.
"""

import keras
import numpy as np
import tensorflow as tf
import torch

from keras_sagan import SAGAN, sampling
from keras_sagan.interop.assembly import named_variables
from tests.fidelity import comparison, torch_reference

BATCH, LATENT_DIM = 4, 8
LOSSES = ("d_loss", "r1_penalty", "r2_penalty", "g_loss")


class Keep(keras.optimizers.SGD):
    """Keeps the gradients it is given in `kept`, and changes nothing."""

    def apply(self, grads, trainable_variables=None):
        self.kept = dict(zip([v.path for v in trainable_variables], grads, strict=True))
        self.iterations.assign_add(1)


def torch_pair(dtype, classes=3, spectral_norm=False):
    """Torch networks whose weights hide no mistake."""
    torch.manual_seed(0)
    g = torch_reference.Generator(32, 4, classes, LATENT_DIM)
    d = torch_reference.Discriminator(32, 4, classes)
    g, d = (network.to(getattr(torch, dtype)) for network in (g, d))
    torch_reference.randomize(g, seed=1, scale=0.2)
    torch_reference.randomize(d, seed=2, scale=0.2)
    return g, d if spectral_norm else comparison.without_spectral_norm(d)


def keras_pair(g, d, dtype, classes=3, spectral_norm=False):
    """A `SAGAN` with the weights of `torch_pair`."""
    return SAGAN(
        comparison.keras_generator(g, LATENT_DIM, classes, (16,), dtype),
        comparison.keras_discriminator(
            d, 32, 4, classes, (16,), False, dtype, spectral_norm
        ),
    )


def data(dtype, classes=3, seed=0):
    """Real images and their labels, None if unconditional."""
    generator = np.random.default_rng(seed)
    images = generator.uniform(-1, 1, (BATCH, 32, 32, 3)).astype(dtype)
    labels = generator.integers(0, classes or 1, BATCH).astype("int32")
    return images, None if classes is None else labels


def torch_latents(purpose, dtype, seed):
    """What the first step draws."""
    drawn = sampling.batch_latents(seed, purpose, 0, BATCH, LATENT_DIM)
    return torch.from_numpy(drawn.numpy()).to(getattr(torch, dtype))


def keras_step(gan, images, labels, gammas, seed, **arguments):
    """The losses of a step, and the gradients of both networks by short names."""
    gan.compile(
        Keep(),
        Keep(),
        loss="relativistic",
        r1_gamma=gammas[0],
        r2_gamma=gammas[1],
        seed=seed,
        **arguments,
    )
    images = tf.constant(images)
    data = (images,) if labels is None else (images, tf.constant(labels))
    gan.reset_metrics()
    logs = gan.train_step(data)
    gradients = [
        {
            name: np.asarray(optimizer.kept[variable.path])
            for name, variable in named_variables(network).items()
            if variable.trainable
        }
        for network, optimizer in [
            (gan.generator, gan.g_optimizer),
            (gan.discriminator, gan.d_optimizer),
        ]
    ]
    return {name: float(logs[name]) for name in LOSSES if name in logs}, *gradients


def torch_gradients(g, d, gan):
    """The `.grad` of torch networks as `keras_step` returns them."""
    return tuple(
        {name: state[name] for name, v in named_variables(network).items()
         if v.trainable}
        for network, state in [
            (gan.generator, comparison.generator_state(g, gan.generator, True)),
            (gan.discriminator, comparison.discriminator_state(
                d, gan.discriminator, True)),
        ]
    )  # fmt: skip
