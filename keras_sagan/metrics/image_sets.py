"""Sets of images to be scored, with their labels and a description for the protocol."""

import dataclasses
import functools
import hashlib
import json
import typing
from collections.abc import Callable, Sequence

import numpy as np

from keras_sagan import progress
from keras_sagan.metrics import classes
from keras_sagan.metrics.counts import check_count

LATENT_SEEDS = 1 << 20  # the first seed of a set is a multiple of this
_MOST_SEED = (1 << 43) - 2  # so that the seeds of latent vectors have 64 bits
_HASHED = 256  # images that are hashed at once


@dataclasses.dataclass(frozen=True)
class ImageSet:
    """A set of images that are read or generated when they are needed.

    Args:
        count: int. Number of images in the set.
        batches: function from a batch size to an iterator of uint8 arrays
            `(batch, height, width, channels)`. Every call must yield the same images.
        labels: integer array `(count,)`, or `None`.
        description: dict of JSON values for the protocol.
        class_names: tuple of str to which the labels refer, or `None`. They are used to
            match the classes of two sets.
        made_by: str, or `None`. SHA-256 of the generator of the images, except for what
            is in `description`; `None` if they are not generated.
    """

    count: int
    batches: Callable = dataclasses.field(repr=False)
    labels: np.ndarray | None = dataclasses.field(repr=False)
    description: dict
    class_names: tuple | None = None
    made_by: str | None = None

    def arrays(self, batch_size: int = 256) -> np.ndarray:
        """Returns all images: uint8 `(count, height, width, channels)`."""
        return np.concatenate(list(self.batches(batch_size)))

    def fingerprint(self) -> str:
        """Returns a SHA-256 of the pixels, or of the generator that makes them."""
        if self.made_by is not None:
            return self.made_by
        digest = hashlib.sha256()
        what = "fingerprint of the images"
        batches = self.batches(_HASHED)
        for batch in progress.track(batches, self.count, what, size=len):
            digest.update(str(batch.shape).encode())
            digest.update(np.ascontiguousarray(batch).data)
        return digest.hexdigest()


def array_images(
    images: np.ndarray,
    labels: np.ndarray | None = None,
    description: dict | None = None,
    count: int | None = None,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
) -> ImageSet:
    """Makes a set of images in memory.

    Args:
        images: uint8 array `(n, height, width, channels)`.
        labels: integer array `(n,)`, or `None`.
        description: dict for the protocol, e.g. with data set and split.
        count: int or `None`. Number of images to take at random; `None` for all.
        seed: int. Seed of this choice.
        class_names: sequence of str with the names of the classes, or `None`.

    Returns: `ImageSet`.

    Raises:
        ValueError: if `count` is not in [1, n].
    """
    total = len(images)
    rows = None
    if count is not None and count != total:
        check_count("count", count, 1, total, " (the number of images)")
        generator = np.random.default_rng(seed)
        rows = np.sort(generator.choice(total, count, replace=False))
    count = total if rows is None else len(rows)

    def batches(batch_size):
        for start in range(0, count, batch_size):
            part = slice(start, start + batch_size)
            yield images[part] if rows is None else images[rows[part]]

    if labels is not None and rows is not None:
        labels = np.asarray(labels)[rows]
    return ImageSet(
        count,
        batches,
        None if labels is None else np.asarray(labels),
        {
            **(description or {}),
            "count": count,
            "choice": "all" if rows is None else f"random, seed {seed}",
            "image_size": int(images.shape[1]),
        },
        _names(class_names),
    )


def generated_images(
    generate,
    count,
    num_classes,
    seed,
    description,
    class_names=None,
    class_weights=None,
    made_by=None,
):
    """Makes a set of images of a generator, with classes as frequent as in training.

    Args:
        generate: function from int64 seeds `(n,)` and int32 labels `(n,)` (`None`
            without classes) to uint8 images.
        count: int. Number of images.
        num_classes: int or `None`.
        seed: int. Image `i` is generated from seed `seed * 2^20 + i`.
        description: dict for the protocol.
        class_names: sequence of str with the names of the classes, or `None`.
        class_weights: sequence of the relative frequencies of the classes (see
            `classes.spread_labels`). With `None`, image `i` has label
            `i % num_classes`.
        made_by: str, or `None`. See `ImageSet`.
    """
    check_count("count", count, 1, LATENT_SEEDS)
    check_count("seed", seed, -_MOST_SEED, _MOST_SEED)
    seeds = seed * LATENT_SEEDS + np.arange(count, dtype=np.int64)
    labels, mix = None, {"labels": "none"}
    if num_classes is not None:
        weights = [1] * num_classes if class_weights is None else class_weights
        labels, mix = classes.spread_labels(count, weights), {"labels": "balanced"}
        if len(set(weights)) > 1:
            counts = np.bincount(labels, minlength=num_classes).tolist()
            mix = {"labels": "as in training", "class_counts": counts}

    def batches(batch_size):
        for start in range(0, count, batch_size):
            part = slice(start, start + batch_size)
            yield generate(seeds[part], None if labels is None else labels[part])

    description = {**description, "count": count, **mix, "seed": seed}
    return ImageSet(count, batches, labels, description, _names(class_names), made_by)


def gan_images(
    gan: typing.Any,
    count: int,
    seed: int = 0,
    truncation: float | None = None,
    model: str | None = None,
) -> ImageSet:
    """Makes a set of images of a `SAGAN`, with averaged weights and their statistics.

    Args:
        gan: `SAGAN`.
        count: int. Number of images.
        seed: int. Sets with different seeds have different images.
        truncation: float or `None`. See `SAGAN.generate`.
        model: str, or `None`. Name of the model in the protocol, to which the SHA-256
            of its weights is added.

    Returns: `ImageSet`.
    """

    def generate(seeds, labels):
        what = {"num_images": len(seeds)} if labels is None else {"labels": labels}
        return gan.generate(
            **what, seed=seeds, truncation=truncation, batch_size=len(seeds)
        )

    gan.refresh_ema()
    weights = _generator_sha256(gan)
    description = {
        **_generator_description(gan.generator, truncation),
        "model": {"path": model, "sha256": weights},
    }
    config = json.dumps({**gan.generator.get_config(), "name": ""}, default=str)
    return generated_images(
        generate,
        count,
        gan.generator.num_classes,
        seed,
        description,
        gan.class_names,
        gan.fake_label_weights,
        hashlib.sha256(f"{weights} {config}".encode()).hexdigest(),
    )


def exported_images(
    model: typing.Any,
    count: int,
    num_classes: int | None,
    seed: int = 0,
    truncation: float | None = None,
) -> ImageSet:
    """Makes a set of images of an exported model.

    Args:
        model: `export.loading.ExportedModel`.
        count: int. Number of images.
        num_classes: int, or `None` for an unconditional model.
        seed: int. Sets with different seeds have different images.
        truncation: float or `None`. See `SAGAN.generate`.

    Returns: `ImageSet`.
    """
    variables = model.directory / "variables" / "variables.data-00000-of-00001"
    sha256 = hashlib.sha256(variables.read_bytes())
    description = {
        **_generator_description(model, truncation),
        "model": {"path": str(model.directory), "sha256": sha256.hexdigest()},
    }
    sha256.update((model.directory / "saved_model.pb").read_bytes())
    weights = model.class_weights
    if weights is not None and len(weights) != num_classes:
        weights = None  # the given number contradicts the card
    draw = functools.partial(model.draw, truncation=truncation)
    return generated_images(
        draw,
        count,
        num_classes,
        seed,
        description,
        model.class_names,
        weights,
        sha256.hexdigest(),
    )


def _generator_description(sizes, truncation):
    return {
        "kind": "generator",
        "weights": "averaged (EMA)",
        "batch_norm": "standing statistics of the averaged weights",
        "truncation": truncation,
        "image_size": int(sizes.image_size),
    }


def _names(class_names):
    return None if class_names is None else tuple(class_names)


def _generator_sha256(gan):
    digest = hashlib.sha256()
    for weight in gan.ema_generator.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
