"""What exports for runtimes without TensorFlow share.

They have one function, most often from `latent` (and `label`) to `images`: what these
runtimes cannot do (encode PNG, refuse with a message) is left to the caller.
"""

import numpy as np
import tensorflow as tf

from keras_sagan.export.composed_latents import composed_latents
from keras_sagan.export.folding import attention_layers, fold
from keras_sagan.export.verifying.verification import (
    BATCH_SIZES,
    LEVEL_SHARE,
    MAP_TOLERANCE,
    TRUNCATION,
    VerificationError,
)
from keras_sagan.sampling import to_uint8

TOLERANCE = 1e-4  # a hundredth of a grey level: other programs round otherwise


def network_function(generator, merged_upsampling, maps=False):
    """A `tf.function` of the folded network, and the list of its `tf.TensorSpec`.

    A negative label becomes one that is out of range, which the runtimes refuse; they
    would count it from the last class backwards.

    Args:
        generator: `Generator`, built.
        merged_upsampling: bool. See `fold`.
        maps: bool. Whether it gives the map of each attention layer, too, by the
            layer's name.
    """
    model, classes = fold(generator, merged_upsampling), generator.num_classes
    layers = [layer.name for layer in attention_layers(generator)]

    def network(latent, label=None):
        if label is None:
            outputs = model(latent)
        else:
            outputs = model([latent, tf.where(label < 0, classes, label)])
        images, *scores = tf.nest.flatten(outputs)
        named = zip(layers, scores, strict=True) if maps else ()
        return {"images": images, **dict(named)}

    return with_signature(network, generator.latent_dim, classes is not None)


def with_signature(network, latent_dim, conditional):
    """A function of `latent` (and `label`) as a `tf.function`, and its `TensorSpec`."""
    specs = [tf.TensorSpec((None, latent_dim), tf.float32, "latent")]
    if conditional:
        specs.append(tf.TensorSpec((None,), tf.int32, "label"))
    return tf.function(network, input_signature=specs, autograph=False), specs


def latents_function(latent_dim):
    """A `tf.function` from `seed` and `truncation` (0 for none) to `latent`."""
    specs = [
        tf.TensorSpec((None,), tf.int64, "seed"),
        tf.TensorSpec((None,), tf.float32, "truncation"),
    ]

    def latents(seed, truncation):
        return {"latent": composed_latents(seed, latent_dim, truncation)}

    return tf.function(latents, input_signature=specs, autograph=False), specs


def generate_function(network, specs):
    """What draws with a network from seeds: `generate`, and its `tf.TensorSpec`s.

    Args:
        network, specs: as `network_function` returns them.

    Returns: `tf.function` from `seed`, `truncation` (0 for none) and the `label` that
        the network has, to `images` in uint8.
    """
    draw, of_seeds = latents_function(specs[0].shape[1])
    specs = [*of_seeds, *specs[1:]]

    def generate(seed, truncation, *label):
        images = network(draw(seed, truncation)["latent"], *label)["images"]
        return {"images": to_uint8(images)}

    return tf.function(generate, input_signature=specs, autograph=False), specs


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


def verify_draws(model, run):
    """Compare what a runtime draws from seeds with `generate`, at batches of 1, 7, 64.

    Args:
        model: `SAGAN` that was exported, or the `ExportedModel`.
        run: callable from a dict of `seed`, `truncation` (and `label`) to a dict of
            `images`, uint8, and, if it gives any, the map of every attention layer.

    Returns: share of the values that are another grey level: float.

    Raises:
        VerificationError: if that is more than one in 10,000, if one differs by more
            than one level, or maps by more than 1e-4.
    """
    rows = {"seed": np.arange(max(BATCH_SIZES), dtype=np.int64)}
    rows["truncation"] = np.zeros(len(rows["seed"]), np.float32)
    if model.num_classes is not None:
        rows["label"] = (rows["seed"] % model.num_classes).astype(np.int32)
    levels = []
    for size in BATCH_SIZES:
        inputs = {name: value[:size] for name, value in rows.items()}
        outputs = run(inputs)
        levels.append(_other_levels(model, outputs.pop("images"), inputs))
        if size < max(BATCH_SIZES):  # maps are large
            _compare_maps(model, outputs, inputs)
        inputs["truncation"] = inputs["truncation"] + np.float32(TRUNCATION)
        levels.append(_other_levels(model, run(inputs)["images"], inputs))
    found = np.concatenate([x.ravel() for x in levels])
    share = float((found > 0).mean())
    if found.max() > 1 or share > LEVEL_SHARE:
        raise VerificationError(
            f"Images of the export differ by up to {found.max()} grey levels, in "
            f"{share:.2g} of the values."
        )
    return share


def drawing(draw, network):
    """A runtime that draws from seeds: what gives latents, then the network.

    Args:
        draw: callable from a dict of `seed` and `truncation` to one of `latent`.
        network: callable from a dict of `latent` (and `label`) to one of `images` in
            [-1, 1] and attention maps.

    Returns: callable, as `verify_draws` takes it.
    """

    def run(inputs):
        labels = {"label": inputs["label"]} if "label" in inputs else {}
        seeds = {name: inputs[name] for name in ("seed", "truncation")}
        latents = np.asarray(draw(seeds)["latent"])
        outputs = network({"latent": latents, **labels})
        return {**outputs, "images": to_uint8(outputs["images"]).numpy()}

    return run


def _other_levels(model, images, inputs):
    """By how many grey levels each value differs from that of `generate`."""
    truncation = float(inputs["truncation"][0]) or None
    expected = model.generate(**_as_generate(inputs), truncation=truncation)
    if (images.shape, images.dtype) != (expected.shape, expected.dtype):
        raise VerificationError(
            f"The export returns {images.dtype} of the shape {images.shape}."
        )
    return np.abs(images.astype(int) - expected)


def _compare_maps(model, maps, inputs):
    expected = model.attention_maps(**_as_generate(inputs))
    for name, scores in maps.items():
        difference = np.abs(scores - expected[f"generator/{name}"]).max()
        if not difference <= MAP_TOLERANCE:
            raise VerificationError(f"Maps of {name} differ by {difference:.2g}.")


def _as_generate(inputs):
    given = {"labels": inputs["label"]} if "label" in inputs else {}
    return {**(given or {"num_images": len(inputs["seed"])}), "seed": inputs["seed"]}
