"""What `keras-sagan evaluate` scores, by its name."""

import dataclasses
import pathlib
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Scored:
    """Images to be scored.

    Args:
        images: function from a count, seed, truncation and number of classes to an
            `ImageSet`.
        image_size: int.
        channels: int.
        class_names: sequence of str, or `None`.
        count: int, or `None` where any number can be made.
        needs_classes: bool. Whether the number of classes has to be given.
    """

    images: Callable
    image_size: int
    channels: int
    class_names: tuple | None = None
    count: int | None = None
    needs_classes: bool = False


def open_scored(name, image_size, cache_dir, dataset=None):
    """Opens a run, a model, a SavedModel, a folder, or a split of `dataset`.

    Raises:
        FileNotFoundError: if it is none of these.
    """
    if name.startswith("folder:"):
        return _open_real(name, "train", image_size, cache_dir)
    if name.startswith("split:"):
        if dataset is None:
            raise ValueError(f"{name!r} is a split of --dataset: pass it.")
        return _open_real(dataset, name.partition(":")[2], image_size, cache_dir)
    if (pathlib.Path(name) / "saved_model.pb").is_file():
        return _open_saved_model(name)
    return _open_gan(name)


def _open_gan(name):
    from keras_sagan.metrics.image_sets import gan_images
    from keras_sagan.training.run_directory import load_trained

    gan = load_trained(name)

    def images(count, seed, truncation, num_classes):
        return gan_images(gan, count, seed, truncation, name)

    generator = gan.generator
    return Scored(images, generator.image_size, generator.channels, gan.class_names)


def _open_saved_model(name):
    import tensorflow as tf

    from keras_sagan.metrics.image_sets import saved_model_images

    signatures = tf.saved_model.load(name).signatures
    shape = signatures["serving_default"].structured_outputs["images"].shape

    def images(count, seed, truncation, num_classes):
        return saved_model_images(name, count, num_classes, seed, truncation)

    return Scored(images, shape[1], shape[3], needs_classes=True)


def _open_real(name, split, image_size, cache_dir):
    from keras_sagan import data
    from keras_sagan.metrics.image_sets import array_images

    source = data.load(
        name,
        image_size=image_size or 32,
        batch_size=1,
        split=split,
        cache_dir=cache_dir,
    )
    total = source.num_examples
    described = {"kind": "images", "model": {"path": f"{name} {split}"}}

    def images(count, seed, truncation, num_classes):
        if truncation is not None:
            raise ValueError(
                "`truncation` is of a generator; these images are there. "
                f"Received: truncation={truncation!r}."
            )
        return array_images(*source.arrays(), described, min(count, total), seed)

    return Scored(images, source.image_size, source.channels, source.class_names, total)
