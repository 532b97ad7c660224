"""Creates a `SAGAN` and opens its data from a configuration."""

import dataclasses

import keras
import tensorflow as tf

from keras_sagan import data, losses
from keras_sagan.distributed import strategies
from keras_sagan.models.discriminator import Discriminator
from keras_sagan.models.generator import Generator
from keras_sagan.sagan import SAGAN
from keras_sagan.training import batch_checks, settings


def load_source(config, channels):
    """Opens the data of a run, in batches of the images that a generator step needs.

    Args:
        config: `RunConfig`.
        channels: int, or None to take the number of channels from the data.

    Returns: `keras_sagan.data.Source`.

    Raises:
        ValueError: if there are fewer images than a generator step needs, or if parts
            of the data cannot share a batch evenly.
        OSError: if the data cannot be read.
    """
    training, parts = config.training, config.data.parts
    if training.batch_size % parts:
        raise ValueError(
            "Setting `data.parts` must divide `training.batch_size`, so that each "
            "update of a network sees equally many images of all parts. Received: "
            f"data.parts={parts}, training.batch_size={training.batch_size}."
        )
    source = data.load(
        config.data.dataset,
        image_size=config.model.image_size,
        batch_size=1,
        split=config.data.split,
        seed=training.seed,
        channels=channels,
        cache_dir=config.data.cache_dir,
        fit=config.data.fit,
        label_sampling=config.data.real_labels,
        data_memory=config.data.data_memory,
    )
    if source.num_examples < training.examples_per_step:
        raise ValueError(
            "`batch_size` * `discriminator_steps` * `gradient_accumulation_steps` must "
            f"be at most the {source.num_examples} images of {source.name!r}. "
            f"Received: {training.batch_size} * {training.discriminator_steps} * "
            f"{training.gradient_accumulation_steps}."
        )
    counts = source.class_counts or ()
    batch_checks.warn_of_missing(counts, source.class_names, least=1)
    return dataclasses.replace(
        source, batch_size=training.examples_per_step, parts=parts
    )


def build(config, class_names=None, class_counts=None):
    """Builds and compiles the `SAGAN` of a configuration.

    The random number generators of Python, NumPy and Keras are seeded with
    `training.seed`. In the scope of a strategy with several replicas, batch statistics
    are computed over all of them.

    Args:
        config: `RunConfig`.
        class_names: sequence of str, or `None`.
        class_counts: sequence of int, or `None`. Number of examples of each class, for
            natural fake labels.

    Raises:
        ValueError: if settings contradict each other.
    """
    training = config.training
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    strategies.check_batch_size(training.batch_size, tf.distribute.get_strategy())
    keras.utils.set_random_seed(training.seed)
    gan = SAGAN(
        Generator(
            **config.model.generator_kwargs(),
            synchronized=replicas > 1,
            dtype=training.dtype_policy,
        ),
        Discriminator(
            **config.model.discriminator_kwargs(), dtype=training.dtype_policy
        ),
        class_names=class_names,
    )
    gan.freeze(*training.freeze)
    settings.compile_from_settings(
        gan,
        config.optimizer,
        training,
        augmentation=config.augmentation,
        fake_label_weights=_label_weights(config, class_counts),
    )
    return gan


def _label_weights(config, class_counts):
    """Returns the frequencies of the classes of generated images in training.

    Returns: sequence of numbers, or None if all classes are equally frequent.
    """
    natural = config.data.fake_labels == "natural"
    if not losses.get(config.training.loss).paired:
        return class_counts if natural else None
    if natural:
        raise ValueError(
            "Setting `data.fake_labels` must be 'balanced', its default, with "
            f"training.loss={config.training.loss!r}, which gives a generated image "
            "the label of the real one it is paired with: see `data.real_labels`. "
            "Received: data.fake_labels='natural'."
        )
    if config.data.real_labels == "balanced" or len(set(class_counts or ())) < 2:
        return None
    return class_counts


def check_fits(config, source):
    """Raises a `ValueError` unless the networks match the images of a source."""
    for name in ("num_classes", "channels", "image_size"):
        wanted, actual = getattr(config.model, name), getattr(source, name)
        if wanted != actual:
            raise ValueError(
                f"Setting `model.{name}` must be that of the data, {actual!r}. "
                f"Received: {wanted!r}."
            )
