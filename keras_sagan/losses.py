"""Adversarial losses, as pure functions of the discriminator's logits.

Every loss takes logits of any shape and float dtype and returns the mean over the batch
as a float32 scalar (float64 for float64 logits). Under a `tf.distribute` strategy the
caller divides the result by the number of replicas, whose gradients Keras adds up.
"""

import dataclasses
import typing

import keras
from keras import KerasTensor as Tensor
from keras import ops

from keras_sagan.config import training


def hinge_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Returns `mean(relu(1 - real)) + mean(relu(1 + fake))` (SAGAN paper, eq. 4)."""
    real, fake = _wide(real_logits), _wide(fake_logits)
    return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))


def hinge_generator_loss(fake_logits: Tensor) -> Tensor:
    """Returns `-mean(fake)` (SAGAN paper, eq. 4)."""
    return -ops.mean(_wide(fake_logits))


def non_saturating_discriminator_loss(
    real_logits: Tensor, fake_logits: Tensor
) -> Tensor:
    """Returns `-mean(log sigmoid(real)) - mean(log(1 - sigmoid(fake)))`.

    Reference: Goodfellow et al., 2014, eq. 1.
    """
    # As softplus: `log(sigmoid(x))` underflows to -inf for very negative logits.
    real, fake = _wide(real_logits), _wide(fake_logits)
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def non_saturating_generator_loss(fake_logits: Tensor) -> Tensor:
    """Returns `-mean(log sigmoid(fake))` (Goodfellow et al., 2014, section 3)."""
    return ops.mean(ops.softplus(-_wide(fake_logits)))


def least_squares_discriminator_loss(
    real_logits: Tensor, fake_logits: Tensor
) -> Tensor:
    """Returns `mean((real - 1)^2)/2 + mean(fake^2)/2` (Mao et al., 2017, eq. 9)."""
    real, fake = _wide(real_logits), _wide(fake_logits)
    return 0.5 * (ops.mean(ops.square(real - 1.0)) + ops.mean(ops.square(fake)))


def least_squares_generator_loss(fake_logits: Tensor) -> Tensor:
    """Returns `mean((fake - 1)^2)/2` (Mao et al., 2017, eq. 9)."""
    return 0.5 * ops.mean(ops.square(_wide(fake_logits) - 1.0))


def wasserstein_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Returns `mean(fake) - mean(real)` (Arjovsky et al., 2017).

    The paper clips D's weights to keep D Lipschitz; here spectral norm does that.
    """
    return ops.mean(_wide(fake_logits)) - ops.mean(_wide(real_logits))


def wasserstein_generator_loss(fake_logits: Tensor) -> Tensor:
    """Returns `-mean(fake)` (Arjovsky et al., 2017)."""
    return -ops.mean(_wide(fake_logits))


def relativistic_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Returns `mean(softplus(fake - real))` over pairs of rows (R3GAN, section 2)."""
    return ops.mean(ops.softplus(_wide(fake_logits) - _wide(real_logits)))


def relativistic_generator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Returns `mean(softplus(real - fake))` over pairs of rows (R3GAN, section 2)."""
    return ops.mean(ops.softplus(_wide(real_logits) - _wide(fake_logits)))


@dataclasses.dataclass(frozen=True)
class Loss:
    """The losses of the two networks.

    Args:
        discriminator: function of real and fake logits.
        generator: function of the fake logits, or, if `paired`, of real and fake ones.
        paired: bool. Whether each generated image is compared with a real one of the
            same label. Only the difference of their logits has a meaning then.
    """

    discriminator: typing.Callable
    generator: typing.Callable
    paired: bool = False

    def generator_loss(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        """Returns the generator's loss; `real_logits` may be None unless `paired`."""
        if self.paired:
            return self.generator(real_logits, fake_logits)
        return self.generator(fake_logits)


LOSSES = {
    "hinge": Loss(hinge_discriminator_loss, hinge_generator_loss),
    "non_saturating": Loss(
        non_saturating_discriminator_loss, non_saturating_generator_loss
    ),
    "least_squares": Loss(
        least_squares_discriminator_loss, least_squares_generator_loss
    ),
    "wasserstein": Loss(wasserstein_discriminator_loss, wasserstein_generator_loss),
    "relativistic": Loss(
        relativistic_discriminator_loss, relativistic_generator_loss, paired=True
    ),
}


def get(name: str) -> Loss:
    """Returns the `Loss` called `name`.

    Raises:
        ValueError: if there is no such loss.
    """
    if name not in LOSSES:
        raise ValueError(
            f"`loss` must be one of {', '.join(LOSSES)}. Received: loss={name!r}."
        )
    return LOSSES[name]


def register(name: str, loss: Loss) -> None:
    """Registers a loss under a name, for `SAGAN.compile` and for settings of runs.

    To load a model that was compiled with the loss, a program must register it first.

    Args:
        name: str that is not the name of another loss.
        loss: `Loss`.

    Raises:
        ValueError: if the name is taken by another loss, or if `loss` is not a `Loss`.
    """
    if not (isinstance(name, str) and name) or LOSSES.get(name, loss) != loss:
        raise ValueError(
            f"`name` must be none of {', '.join(LOSSES)}. Received: name={name!r}."
        )
    if not isinstance(loss, Loss):
        raise ValueError(f"`loss` must be a `losses.Loss`. Received: loss={loss!r}.")
    if name not in LOSSES:
        LOSSES[name] = loss
        training.LOSSES.append(name)


def _wide(logits):
    return ops.cast(logits, keras.backend.result_type(logits.dtype, "float32"))
