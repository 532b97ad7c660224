"""What exports for runtimes without TensorFlow share.

They have one function, from `latent` (and `label`) to `images`: what these runtimes
cannot do (draw from seeds, encode PNG, refuse with a message) is left to the caller.
"""

import numpy as np
import tensorflow as tf

from keras_sagan.export.folding import fold
from keras_sagan.export.verifying.verification import BATCH_SIZES, VerificationError

TOLERANCE = 1e-4  # a hundredth of a grey level: other programs round otherwise


def network_function(generator, merged_upsampling):
    """A `tf.function` of the folded network, and the list of its `tf.TensorSpec`.

    A negative label becomes one that is out of range, which the runtimes refuse; they
    would count it from the last class backwards.

    Args:
        generator: `Generator`, built.
        merged_upsampling: bool. See `fold`.
    """
    model, classes = fold(generator, merged_upsampling), generator.num_classes
    specs = [tf.TensorSpec((None, generator.latent_dim), tf.float32, "latent")]

    def images(latent, label=None):
        if label is None:
            outputs = model(latent)
        else:
            outputs = model([latent, tf.where(label < 0, classes, label)])
        return {"images": tf.nest.flatten(outputs)[0]}

    if classes is not None:
        specs.append(tf.TensorSpec((None,), tf.int32, "label"))
    return tf.function(images, input_signature=specs, autograph=False), specs


def verify_images(gan, run):
    """Compare a runtime with the model, at the batch sizes 1, 7 and 64.

    Args:
        gan: `SAGAN` that was exported.
        run: callable from a dict of `latent` (and `label`) to an array of images.

    Returns: the largest difference: float.

    Raises:
        VerificationError: if it is above 1e-4.
    """
    rng = np.random.default_rng(0)
    count, classes = max(BATCH_SIZES), gan.generator.num_classes
    shape = (count, gan.generator.latent_dim)
    rows = {"latent": rng.normal(size=shape).astype(np.float32)}
    if classes is not None:
        rows["label"] = (np.arange(count) % classes).astype(np.int32)
    inputs = list(rows.values())
    expected = gan.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    largest = 0.0
    for size in BATCH_SIZES:
        images = run({name: value[:size] for name, value in rows.items()})
        if images.shape != expected[:size].shape:
            raise VerificationError(f"The export returns the shape {images.shape}.")
        difference = np.abs(images - expected[:size]).max()
        largest = float(np.maximum(largest, difference))  # NaN stays
    if not largest <= TOLERANCE:
        raise VerificationError(f"Images of the export differ by {largest:.2g}.")
    return largest
