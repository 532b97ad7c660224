"""Warns during training if the generator collapses or copies training images."""

import math
import warnings

import numpy as np

from keras_sagan.callbacks.step import StepCallback
from keras_sagan.metrics import collapse, image_sets
from keras_sagan.visualize.report import diagnosis

D_SIGMA = "d_largest_sigma"


class CollapseSigns(StepCallback):
    """Compares generated with real images, class by class, and warns of collapse.

    At the end of an epoch in which a multiple of `every` steps was reached, up to 1,000
    images of the averaged generator, always from the same latent vectors, are compared
    with equally many real ones. The results (see `metrics.collapse.Reference.signs`)
    and the largest singular value of the discriminator's kernels are added to the logs
    of the epoch, for the callbacks that come after this one. There is a
    `RuntimeWarning` for each new finding of `visualize.report.diagnosis.collapsing`.
    With fewer than 20 real images, nothing is compared.

    Args:
        real: `ImageSet` of training images. It should have at most 10,000, so that
            copies are found quickly.
        every: int. Number of steps between two comparisons.
    """

    def __init__(self, real, every):
        super().__init__()
        self.real, self.every = real, every
        self._reference = None
        self._looks, self._known = [], set()
        self._last = 0  # step of the last epoch that ended

    def on_train_begin(self, logs=None):
        self._last = self.step

    def on_epoch_end(self, epoch, logs=None):
        due = self.step // self.every > self._last // self.every
        self._last = self.step
        if not due or self.real.count < collapse.LEAST:
            return
        signs = self._look()
        if logs is not None:
            logs.update(signs)
        self._looks.append({"step": self.step, **signs})
        findings = list(diagnosis.collapsing(self._looks, self.model.class_names))
        new = [x for x in findings if x.name not in self._known]
        self._known = {x.name for x in findings}
        for finding in new:
            message = f"Step {self.step}: {finding.name.lower()}. {finding.text}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)

    def _look(self):
        if self._reference is None:  # not earlier, because it decodes images
            self._reference = collapse.Reference(self.real)
        fake = image_sets.gan_images(
            self.model, min(self.real.count, collapse.LOOKED_AT)
        )
        sigma = largest_singular_value(self.model.discriminator)
        return {**self._reference.signs(fake), D_SIGMA: sigma}


def largest_singular_value(network):
    """Computes the largest singular value of all kernels of a network, as matrices.

    The kernels of spectrally normalised layers are taken before their normalisation.

    Args:
        network: `keras.Model`.

    Returns: float, or NaN if a kernel is not finite.
    """
    kernels = [np.asarray(x) for x in network.trainable_variables if len(x.shape) > 1]
    if not all(np.isfinite(x).all() for x in kernels):
        return math.nan
    matrices = [x.reshape(-1, x.shape[-1]).astype(np.float64) for x in kernels]
    return max(float(np.sqrt(np.linalg.eigvalsh(x.T @ x)[-1])) for x in matrices)
