"""Opens an exported model, to be used like a `SAGAN`."""

import numpy as np
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.export.card import read_card
from keras_sagan.export.runtimes import with_signature
from keras_sagan.export.saved_model import EXTRA
from keras_sagan.files import paths
from keras_sagan.sampling import to_uint8

# Inputs of the signatures, except for `label`: dtypes and numbers of dimensions.
_LATENTS = {"latent": (tf.float32, 2)}
_SEEDS = {"seed": (tf.int64, 1), "truncation": (tf.float32, 1)}
_LABELS = {"label": (tf.int32, 1)}


class ExportedModel:
    """An opened SavedModel of `keras-sagan export`.

    Its methods take the same arguments and return the same values as those of `SAGAN`.
    An export contains the generator only, so it cannot be trained and has no attention
    maps of a discriminator.

    Args:
        directory: str or path of the SavedModel.

    Attributes:
        directory: path.
        name: str. The last two parts of the path, e.g. `"glyphs/1"`.
        card: dict. The model card, or {} if it is missing or cannot be used.
        image_size: int. Height and width of the images in pixels.
        channels: int.
        latent_dim: int.
        conditional: bool. Whether it takes labels.
        class_names: tuple of str, or None.
        class_weights: list of the relative frequencies of the classes in training, or
            None if they were equally frequent.
        layers: list of str. Attention layers, e.g. `"generator/attention_16"`.

    Raises:
        ValueError: if the SavedModel was made by another program.
        OSError: if there is no SavedModel.
    """

    def __init__(self, directory):
        self.directory = paths.local(directory)
        path = self.directory.resolve()
        self.name = f"{path.parent.name}/{path.name}"
        # Kept, because it owns the variables.
        self._loaded = tf.saved_model.load(str(self.directory))
        self._signatures = dict(self._loaded.signatures)
        self._check()
        serve = self._signatures["serving_default"]
        inputs = serve.structured_input_signature[1]
        images = serve.structured_outputs["images"].shape
        self.latent_dim = inputs["latent"].shape[1]
        self.image_size, self.channels = images[1], images[3]
        self.conditional = "label" in inputs
        self._with_maps = self._signatures.get("attention", serve)
        self.layers = [
            f"generator/{x}"
            for x in self._with_maps.structured_outputs
            if x != "images"
        ]
        self.card = read_card(self.directory / EXTRA)
        self._num_classes = self.card.get("generator", {}).get("num_classes")
        names = self.card.get("class_names")
        self.class_names = None if names is None else tuple(names)
        self.class_weights = self.card.get("class_weights")

    def _check(self):
        wanted = {
            "serving_default": (_LATENTS, tf.float32),
            "generate": (_SEEDS, tf.uint8),
        }
        if "attention" in self._signatures:
            wanted["attention"] = (_LATENTS, tf.float32)
        fits = [
            name in self._signatures and _fits(self._signatures[name], *specs)
            for name, specs in wanted.items()
        ]
        if not all(fits):
            raise ValueError(
                f"{str(self.directory)!r} is not an export of `keras-sagan export`. It "
                "must have the signatures 'serving_default', from latents to images, "
                "and 'generate', from seeds and truncations to uint8 images. Received: "
                f"{'; '.join(map(_described, self._signatures.items())) or 'none'}."
            )

    @property
    def num_classes(self):
        """int, or None if unconditional.

        Raises:
            ValueError: if it takes labels, but its card does not say how many.
        """
        if not self.conditional:
            return None
        if self._num_classes is None:
            raise ValueError(
                f"{str(self.directory)!r} does not say which classes it has. The model "
                "card of `keras-sagan export` must be in assets.extra/model.json."
            )
        return self._num_classes

    def generate(
        self, labels=None, num_images=None, seed=0, truncation=None, batch_size=64
    ):
        """Generates images; see `SAGAN.generate`."""
        sampling.check_batch_size(batch_size)
        labels, seeds = self._resolve(labels, num_images, seed)
        batches = _batches(batch_size, seeds, labels)
        return np.concatenate([self.draw(*rows, truncation) for rows in batches])

    def draw(self, seeds, labels=None, truncation=None):
        """Generates images in a single batch, without using the model card.

        Args:
            seeds: int array `(n,)`.
            labels: int array `(n,)`, or None if unconditional.
            truncation: float > 0, or None.

        Returns: uint8 array `(n, height, width, channels)`.
        """
        limits = sampling.resolve_truncation(truncation, len(seeds))
        rows = {"seed": np.asarray(seeds, np.int64), "truncation": limits}
        return self._run(self._signatures["generate"], rows, labels)["images"].numpy()

    def images(self, latents, labels=None, batch_size=64):
        """Generates uint8 images `(n, height, width, channels)` from latent vectors."""
        serve = self._signatures["serving_default"]
        batches = _batches(batch_size, np.asarray(latents, np.float32), labels)
        return np.concatenate(
            [
                to_uint8(self._run(serve, {"latent": rows}, of_rows)["images"])
                for rows, of_rows in batches
            ]
        )

    def view(self, latents, labels=None):
        """Generates images from latent vectors, with the maps of all attention layers.

        Returns: uint8 array of images, and a dict as returned by `attention_maps`.
        """
        rows = {"latent": np.asarray(latents, np.float32)}
        outputs = self._run(self._with_maps, rows, labels)
        images = to_uint8(outputs["images"]).numpy()
        layers = [name.removeprefix("generator/") for name in self.layers]
        return images, {f"generator/{x}": outputs[x].numpy() for x in layers}

    def network_function(self):
        """Returns the network with its maps, like `runtimes.network_function`."""

        def network(latent, label=None):
            rows = {"latent": latent}
            if label is not None:
                rows["label"] = tf.where(label < 0, self.num_classes, label)
            return self._with_maps(**rows)

        return with_signature(network, self.latent_dim, self.conditional)

    def attention_maps(self, labels=None, num_images=None, seed=0):
        """Returns the generator's attention maps; see `SAGAN.attention_maps`."""
        labels, seeds = self._resolve(labels, num_images, seed)
        return self.view(sampling.latents(self.latent_dim, seeds), labels)[1]

    def _resolve(self, labels, num_images, seed):
        labels, count = sampling.resolve_labels(
            labels, num_images, self.num_classes, self.class_names
        )
        return labels, sampling.resolve_seeds(seed, count)

    def _run(self, signature, rows, labels):
        if self.conditional:
            rows = {**rows, "label": np.asarray(labels, np.int32)}
        return signature(**{name: tf.constant(values) for name, values in rows.items()})


def _fits(signature, inputs, dtype):
    """Returns whether a signature maps these inputs, perhaps with labels, to images."""
    given = signature.structured_input_signature[1]
    given = {name: (x.dtype, x.shape.rank) for name, x in given.items()}
    images = signature.structured_outputs.get("images")
    return (
        given in (inputs, {**inputs, **_LABELS})
        and images is not None
        and images.dtype == dtype
        and images.shape.rank == 4
        and None not in images.shape[1:].as_list()
    )


def _described(item):
    name, signature = item
    inputs = signature.structured_input_signature[1].values()
    given = ", ".join(f"{x.name} {x.dtype.name}" for x in inputs)
    return f"{name}({given}) -> {', '.join(signature.structured_outputs)}"


def _batches(size, rows, labels):
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        yield rows[part], None if labels is None else labels[part]
