"""SavedModels of a generator, as TF Serving loads them.

One concrete function runs the network and every signature calls it; only raw
variables are tracked, so that each is written once.
"""

import pathlib

import tensorflow as tf


def export_generator(generator, directory):
    """Write `generator` in inference mode to `directory`.

    Signature `serving_default`: `latent` float32 `(None, latent_dim)` and, for a
    conditional generator, `label` int32 `(None,)` to `images` float32
    `(None, image_size, image_size, channels)` in [-1, 1]. A label outside
    `[0, num_classes)` and unequal lengths are errors in the graph.

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
    module = tf.Module()
    module.v = [variable.value for variable in generator.variables]
    tf.saved_model.save(
        module, str(directory), signatures={"serving_default": _serve(generator)}
    )


def _serve(generator):
    latent = tf.TensorSpec((None, generator.latent_dim), tf.float32, "latent")
    if generator.num_classes is None:

        def serve(latent):
            return {"images": _float32(generator(latent, training=False))}

        return _concrete(serve, [latent])

    def serve(latent, label):
        with tf.control_dependencies(_label_checks(latent, label, generator)):
            latent, label = tf.identity(latent), tf.identity(label)
        return {"images": _float32(generator([latent, label], training=False))}

    return _concrete(serve, [latent, tf.TensorSpec((None,), tf.int32, "label")])


def _label_checks(latent, label, generator):
    classes = generator.num_classes
    message = f"label must be in [0, {classes})"
    return [
        tf.debugging.assert_equal(
            tf.shape(latent)[0],
            tf.shape(label)[0],
            message="latent and label must have the same length",
        ),
        tf.debugging.assert_non_negative(label, message=message),
        tf.debugging.assert_less(label, classes, message=message),
    ]


def _concrete(function, signature):
    return tf.function(
        function, autograph=False, input_signature=signature
    ).get_concrete_function()


def _float32(images):
    return tf.cast(images, tf.float32)
