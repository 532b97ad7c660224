"""Functions and checks that are shared by exports for runtimes without TensorFlow.

These exports have a single function, usually from `latent` (and `label`) to `images`.
What the runtimes cannot do, such as encoding PNG or refusing inputs with a message, is
left to the caller.
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

TOLERANCE = 1e-4  # about a hundredth of a grey level, for differences in rounding


def network_function(generator, merged_upsampling, maps=False):
    """Returns a `tf.function` of the folded network, and its list of `tf.TensorSpec`s.

    Negative labels become labels out of range, which the runtimes refuse. Otherwise
    they would count them backwards from the last class.

    Args:
        generator: built `Generator`.
        merged_upsampling: bool. See `fold`.
        maps: bool. Whether the outputs include the map of each attention layer, under
            the name of the layer.
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
    """Returns a function of `latent` (and `label`) as `tf.function`, with its specs."""
    specs = [tf.TensorSpec((None, latent_dim), tf.float32, "latent")]
    if conditional:
        specs.append(tf.TensorSpec((None,), tf.int32, "label"))
    return tf.function(network, input_signature=specs, autograph=False), specs


def latents_function(latent_dim):
    """Returns a `tf.function` from `seed` and `truncation` to `latent`, with specs."""
    specs = [
        tf.TensorSpec((None,), tf.int64, "seed"),
        tf.TensorSpec((None,), tf.float32, "truncation"),
    ]

    def latents(seed, truncation):
        return {"latent": composed_latents(seed, latent_dim, truncation)}

    return tf.function(latents, input_signature=specs, autograph=False), specs


def generate_function(network, specs):
    """Returns a function that generates images from seeds, and its `tf.TensorSpec`s.

    Args:
        network, specs: as returned by `network_function`.

    Returns: `tf.function` from `seed`, `truncation` (0 for none) and, if the network
        takes it, `label` to uint8 `images`, and a list of `tf.TensorSpec`s.
    """
    draw, of_seeds = latents_function(specs[0].shape[1])
    specs = [*of_seeds, *specs[1:]]

    def generate(seed, truncation, *label):
        images = network(draw(seed, truncation)["latent"], *label)["images"]
        return {"images": to_uint8(images)}

    return tf.function(generate, input_signature=specs, autograph=False), specs


def verify_images(gan, run):
    """Compares images of a runtime with those of the model, at batch sizes 1, 7, 64.

    Args:
        gan: `SAGAN` that was exported.
        run: function from a dict of `latent` (and `label`) to an array of images.

    Returns: float. The largest difference.

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
        largest = float(np.maximum(largest, difference))  # keeps NaN
    if not largest <= TOLERANCE:
        raise VerificationError(f"Images of the export differ by {largest:.2g}.")
    return largest


def verify_draws(model, run):
    """Compares what a runtime draws from seeds with `generate`, at batches of 1, 7, 64.

    Args:
        model: `SAGAN` that was exported, or the `ExportedModel`.
        run: function from a dict of `seed`, `truncation` (and `label`) to a dict of
            uint8 `images` and, if it has them, the maps of all attention layers.

    Returns: float. Share of the values that have another grey level.

    Raises:
        VerificationError: if the share is above 1 in 10,000, if a value differs by more
            than one level, or if maps differ by more than 1e-4.
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
            f"Images of the export differ by up to {found.max()} grey levels, and a "
            f"share of {share:.2g} of the values differ."
        )
    return share


def drawing(draw, network):
    """Combines a function that draws latent vectors with a network.

    Args:
        draw: function from a dict of `seed` and `truncation` to one of `latent`.
        network: function from a dict of `latent` (and `label`) to one of `images` in
            [-1, 1] and attention maps.

    Returns: function from seeds to images, as expected by `verify_draws`.
    """

    def run(inputs):
        labels = {"label": inputs["label"]} if "label" in inputs else {}
        seeds = {name: inputs[name] for name in ("seed", "truncation")}
        latents = np.asarray(draw(seeds)["latent"])
        outputs = network({"latent": latents, **labels})
        return {**outputs, "images": to_uint8(outputs["images"]).numpy()}

    return run


def _other_levels(model, images, inputs):
    """Returns by how many grey levels each value differs from that of `generate`."""
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
