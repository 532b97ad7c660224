"""Adversarial losses: pure functions of the discriminator's logits.

Each takes logits of any shape and float dtype and returns a float32 scalar (float64
for float64 logits): the mean over the batch. Under a strategy the caller divides by
the number of replicas.
"""

import keras
from keras import ops


def hinge_discriminator_loss(real_logits, fake_logits):
    """`mean(relu(1 - real)) + mean(relu(1 + fake))` (SAGAN paper, eq. 4)."""
    real, fake = _wide(real_logits), _wide(fake_logits)
    return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))


def hinge_generator_loss(fake_logits):
    """`-mean(fake)` (SAGAN paper, eq. 4)."""
    return -ops.mean(_wide(fake_logits))


def non_saturating_discriminator_loss(real_logits, fake_logits):
    """`-mean(log sigmoid(real)) - mean(log(1 - sigmoid(fake)))` (Goodfellow, 2014)."""
    real, fake = _wide(real_logits), _wide(fake_logits)
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def non_saturating_generator_loss(fake_logits):
    """`-mean(log sigmoid(fake))` (Goodfellow et al., 2014, section 3)."""
    return ops.mean(ops.softplus(-_wide(fake_logits)))


def least_squares_discriminator_loss(real_logits, fake_logits):
    """`mean((real - 1)^2)/2 + mean(fake^2)/2` (Mao et al., 2017, eq. 9)."""
    real, fake = _wide(real_logits), _wide(fake_logits)
    return 0.5 * (ops.mean(ops.square(real - 1.0)) + ops.mean(ops.square(fake)))


def least_squares_generator_loss(fake_logits):
    """`mean((fake - 1)^2)/2` (Mao et al., 2017, eq. 9)."""
    return 0.5 * ops.mean(ops.square(_wide(fake_logits) - 1.0))


def wasserstein_discriminator_loss(real_logits, fake_logits):
    """`mean(fake) - mean(real)` (Arjovsky et al., 2017); spectral norm bounds D."""
    return ops.mean(_wide(fake_logits)) - ops.mean(_wide(real_logits))


def wasserstein_generator_loss(fake_logits):
    """`-mean(fake)` (Arjovsky et al., 2017)."""
    return -ops.mean(_wide(fake_logits))


LOSSES = {
    "hinge": (hinge_discriminator_loss, hinge_generator_loss),
    "non_saturating": (
        non_saturating_discriminator_loss,
        non_saturating_generator_loss,
    ),
    "least_squares": (
        least_squares_discriminator_loss,
        least_squares_generator_loss,
    ),
    "wasserstein": (wasserstein_discriminator_loss, wasserstein_generator_loss),
}


def get(name):
    """The pair (discriminator loss, generator loss) called `name`.

    Raises:
        ValueError: if there is no such loss.
    """
    if name not in LOSSES:
        raise ValueError(
            f"`loss` must be one of {', '.join(LOSSES)}. Received: loss={name!r}."
        )
    return LOSSES[name]


def _wide(logits):
    return ops.cast(logits, keras.backend.result_type(logits.dtype, "float32"))
