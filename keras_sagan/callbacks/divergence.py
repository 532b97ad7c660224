"""Notices training that has gone wrong: non-finite values, and collapse."""

import math
import warnings

import numpy as np

from keras_sagan.callbacks.step import StepCallback

SATURATED = 0.02  # mean loss over an interval, below which the discriminator has won
INTERVALS = 5  # in a row, before that is a warning
LOW_DIVERSITY = 0.1  # as a fraction of that of real images
LOOKED_AT = 1000  # real images from which their diversity is estimated


def check_arrays(arrays, step):
    """Raises a `DivergenceError` if an array of a checkpoint is not finite.

    Args:
        arrays: dict from names to arrays.
        step: int. Generator steps made, for the message.
    """
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DivergenceError(
                f"Training diverged: at step {step} the variable {name!r} is not "
                "finite. A smaller learning rate or another seed may help."
            )


def diversity(images, labels=None):
    """Measures how much the images of a class differ from each other.

    Args:
        images: uint8 array `(n, height, width, channels)`.
        labels: int array `(n,)`, or None if there are no classes.

    Returns: float. Standard deviation of a pixel over the images of a class, in grey
        levels, averaged over pixels and over the classes that have several images.
    """
    labels = np.zeros(len(images), int) if labels is None else np.asarray(labels)
    groups = [images[labels == label] for label in np.unique(labels)]
    spreads = [
        np.std(x.astype(np.float64), axis=0).mean() for x in groups if len(x) > 1
    ]
    return float(np.mean(spreads)) if spreads else 0.0


def real_diversity(source):
    """Returns the `diversity` of a `keras_sagan.data.Source`, from a sample of it."""
    images, labels = source.arrays()
    sample = np.linspace(0, len(images) - 1, min(len(images), LOOKED_AT)).astype(int)
    return diversity(images[sample], None if labels is None else labels[sample])


class CollapseWarnings(StepCallback):
    """Warns if training is in a state from which it can hardly recover.

    There are two signs. Either the discriminator has won: its mean loss stays below
    0.02 for five intervals, and the generator gets practically no gradient. Or the
    samples of a class are nearly identical: they differ less than a tenth as much as
    real images.

    Args:
        samples: `SampleGrid` whose images are examined.
        real_diversity: float. `diversity` of real images.
        loss: str. Name of the loss. The level of the Wasserstein loss has no meaning,
            so that it is not examined.
    """

    def __init__(self, samples, real_diversity, loss):
        super().__init__()
        self.samples = samples
        self.real_diversity = real_diversity
        self.loss = loss
        self._saturated = 0
        self._seen = None  # path of the last grid that was examined

    def on_epoch_end(self, epoch, logs=None):
        self._look_at_loss((logs or {}).get("d_loss"))
        if self.samples.images is not None and self.samples.path != self._seen:
            self._seen = self.samples.path
            self._look_at_samples()

    def _look_at_loss(self, d_loss):
        if d_loss is None or self.loss == "wasserstein":
            return
        self._saturated = self._saturated + 1 if float(d_loss) < SATURATED else 0
        if self._saturated == INTERVALS:
            _warn(
                f"Step {self.step}: the discriminator has won: its loss was below "
                f"{SATURATED} for {INTERVALS} intervals, and the generator can no "
                "longer learn from it. A smaller learning rate of the discriminator, "
                "or more images, may help."
            )

    def _look_at_samples(self):
        if self.step == 0:  # an untrained generator
            return
        spread = diversity(self.samples.images, self.samples.labels)
        if spread < LOW_DIVERSITY * self.real_diversity:
            _warn(
                f"Step {self.step}: the samples have collapsed: images of a class "
                f"differ by {spread:.1f} grey levels, real ones by "
                f"{self.real_diversity:.1f}. Look at {self.samples.path}; another "
                "seed or other learning rates may help."
            )


def _warn(message):
    warnings.warn(message, RuntimeWarning, stacklevel=2)


class StopOnNonFinite(StepCallback):
    """Ends training with an error as soon as a logged value is not finite.

    Raises:
        DivergenceError: if a value is not finite. The message says at which step, and
            which value was the first.
    """

    def on_epoch_end(self, epoch, logs=None):
        bad = {
            name: float(value)
            for name, value in (logs or {}).items()
            if not math.isfinite(value)
        }
        if bad:
            raise DivergenceError(
                f"Training diverged: {self._cause()} Logged at step {self.step}: {bad}."
            )

    def _cause(self):
        first = self.model.first_non_finite()
        if first is None:
            return "a mean over the last steps is not finite."
        step, cause = first
        return f"at step {step} {cause} was not finite."


class DivergenceError(FloatingPointError):
    """Raised if a loss or a weight is no longer finite."""
