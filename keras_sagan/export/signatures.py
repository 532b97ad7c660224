"""Creates the signatures of an exported generator, which share the same network.

Every input is checked in the graph. Latent vectors are drawn from one seed per row, so
that a server can combine the rows of several requests in a batch.
"""

import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.export.folding import attention_layers, fold
from keras_sagan.sampling import to_uint8


def concrete_signatures(generator):
    """Returns the signatures of a generator as concrete functions.

    - `serving_default`: `latent` to `images`, float32 in [-1, 1].
    - `generate`: `seed` and `truncation` (0 for none) to `images`, uint8.
    - `generate_png`: the same inputs to `image_bytes`, encoded as PNG.
    - `attention`, if there are attention layers: `latent` to `images` and a map
      `(n, queries H*W, keys M)` for each layer, under its name.

    Unless the generator is unconditional, all of them take `label` as well.

    Args:
        generator: built `Generator`. Its weights are copied.

    Returns: dict from the name of a signature to its concrete function, and a list of
        the variables that these read.
    """
    model = fold(generator)
    maps = [layer.name for layer in attention_layers(generator)]
    classes = generator.num_classes
    inputs = {
        "latent": tf.TensorSpec((None, generator.latent_dim), tf.float32, "latent"),
        "seed": tf.TensorSpec((None,), tf.int64, "seed"),
        "truncation": tf.TensorSpec((None,), tf.float32, "truncation"),
        "label": tf.TensorSpec((None,), tf.int32, "label"),
    }
    labels = [] if classes is None else ["label"]

    def concrete(function, *names):
        specs = [inputs[name] for name in (*names, *labels)]
        return tf.function(
            function, autograph=False, input_signature=specs
        ).get_concrete_function()

    core = concrete(
        lambda latent, *label: model([latent, *label] if label else latent), "latent"
    )

    def network(latent, label):
        images, *scores = tf.nest.flatten(core(latent, *label))
        images = tf.ensure_shape(images, (None, *model.outputs[0].shape[1:]))
        return images, dict(zip(maps, scores, strict=True))

    def serve(latent, *label):
        latent, *label = _checked(classes, latent=latent, **_named(label))
        return {"images": network(latent, label)[0]}

    def attention(latent, *label):
        latent, *label = _checked(classes, latent=latent, **_named(label))
        images, scores = network(latent, label)
        return {"images": images, **scores}

    def pixels(seed, truncation, label):
        seed, truncation, *label = _checked(
            classes, seed=seed, truncation=truncation, **_named(label)
        )
        latent = sampling.row_latents(seed, generator.latent_dim, truncation)
        return to_uint8(network(latent, label)[0])

    def generate(seed, truncation, *label):
        return {"images": pixels(seed, truncation, label)}

    def generate_png(seed, truncation, *label):
        images = pixels(seed, truncation, label)
        return {"image_bytes": tf.io.encode_png(images)}

    signatures = {
        "serving_default": concrete(serve, "latent"),
        "generate": concrete(generate, "seed", "truncation"),
        "generate_png": concrete(generate_png, "seed", "truncation"),
    }
    if maps:
        signatures["attention"] = concrete(attention, "latent")
    return signatures, [variable.value for variable in model.variables]


def keras_endpoint(signature):
    """Returns a function of one argument, like the endpoint `serve` of Keras exports.

    Args:
        signature: `serving_default` of `concrete_signatures`.

    Returns: `tf.function` from `[latent, label]`, or from `latent` if the model is
        unconditional, to images. Labels are int32 or int64.
    """
    latent, *label = signature.structured_input_signature[0]

    @tf.function(autograph=False)
    def serve(inputs):
        latent, *label = inputs if isinstance(inputs, list) else [inputs]
        # A cast alone would turn a large number into another class.
        label = [tf.cast(tf.clip_by_value(x, -1, 2**31 - 1), tf.int32) for x in label]
        return signature(latent, *label)["images"]

    if not label:
        serve.get_concrete_function(latent)
    for dtype in (tf.int32, tf.int64) if label else ():
        serve.get_concrete_function([latent, tf.TensorSpec((None,), dtype, "label")])
    return serve


def _named(label):
    return {"label": label[0]} if label else {}


def _checked(classes, **inputs):
    """Returns the inputs of a request, after assertions that they are valid."""
    # A session accepts inputs of any rank, so that ranks must be checked here.
    shapes = {name: x.shape for name, x in inputs.items()}
    inputs = {name: tf.ensure_shape(x, shapes[name]) for name, x in inputs.items()}
    checks = _length_checks(inputs)
    if "latent" in inputs:
        finite = tf.reduce_all(tf.math.is_finite(inputs["latent"]))
        checks.append(_check(finite, "latent must be finite"))
    if "truncation" in inputs:
        limits = inputs["truncation"]
        fine = tf.reduce_all(tf.math.is_finite(limits) & (limits >= 0))
        message = "truncation must be finite and > 0, or 0 for none"
        checks.append(_check(fine, message))
    if "label" in inputs:
        labels = inputs["label"]
        fine = tf.reduce_all((labels >= 0) & (labels < classes))
        checks.append(_check(fine, f"label must be in [0, {classes})"))
    with tf.control_dependencies(checks):
        return [tf.identity(x) for x in inputs.values()]


def _length_checks(inputs):
    lengths = [tf.shape(x)[0] for x in inputs.values()]
    names = " and ".join(inputs)
    same = tf.reduce_all([length == lengths[0] for length in lengths])
    return [
        _check(same, f"{names} must have the same length"),
        _check(lengths[0] > 0, f"{names} must have at least one row"),
    ]


def _check(condition, message):
    return tf.debugging.Assert(condition, [message])
