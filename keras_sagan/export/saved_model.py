"""SavedModels of a generator, as TF Serving loads them."""

import pathlib

import tensorflow as tf

from keras_sagan.export.signatures import concrete_signatures


def export_generator(generator, directory):
    """Write `generator` in inference mode to `directory`.

    The signatures are those of `concrete_signatures`. They share one concrete
    function for the network, and each variable is written once.

    Args:
        generator: `Generator`, built.
        directory: str or path; must not exist yet, or be empty.

    Raises:
        FileExistsError: if something is there already.
    """
    directory = pathlib.Path(directory)
    if directory.exists() and any(directory.iterdir()):
        raise FileExistsError(
            "The directory of an export must not exist yet, or be empty. "
            f"Received: {str(directory)!r}."
        )
    signatures, variables = concrete_signatures(generator)
    module = tf.Module()
    module.v = variables
    tf.saved_model.save(module, str(directory), signatures=signatures)
