"""Opens the images that `keras-sagan evaluate` scores."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Scored:
    """Images to be scored.

    Args:
        images: function from a count, seed, truncation and number of classes to an
            `ImageSet`.
        image_size: int.
        channels: int.
        count: int, or `None` if any number of images can be generated.
        needs_classes: bool. Whether the number of classes has to be given.
        fit: "crop" or "pad". How images to compare with them are made square.
    """

    images: Callable
    image_size: int
    channels: int
    count: int | None = None
    needs_classes: bool = False
    fit: str = "crop"


def open_scored(name, image_size, cache_dir, dataset=None, fit="crop"):
    """Opens a run, a model, an export, a folder, or a split of `dataset`.

    Args:
        name: str. Name as on the command line. Of an export, the newest version is
            opened.
        image_size: int, or `None`. Size to which images of a folder or a split are
            resized.
        cache_dir: str, or `None`. See `data.load`.
        dataset: str, or `None`. Data set to which a split belongs.
        fit: "crop" or "pad". How images of a folder or a split are made square.

    Returns: `Scored`.

    Raises:
        FileNotFoundError: if the name is none of these.
        ValueError: if `dataset` or `image_size` is needed, but `None`.
    """
    from keras_sagan.runs import loading
    from keras_sagan.sagan import SAGAN

    if name.startswith("folder:"):
        return _open_real(name, "train", image_size, cache_dir, fit)
    if name.startswith("split:"):
        if dataset is None:
            raise ValueError(f"{name!r} is a split of a data set: pass --dataset.")
        split = name.partition(":")[2]
        return _open_real(dataset, split, image_size, cache_dir, fit)
    model = loading.open_model(name)
    fit = loading.data_settings(name).get("fit", "crop")
    if isinstance(model, SAGAN):
        return _trained(model, name, fit)
    return _exported(model, fit)


def _trained(gan, name, fit):
    from keras_sagan.metrics.image_sets import gan_images

    def images(count, seed, truncation, num_classes):
        return gan_images(gan, count, seed, truncation, name)

    generator = gan.generator
    return Scored(images, generator.image_size, generator.channels, fit=fit)


def _exported(model, fit):
    from keras_sagan.metrics.image_sets import exported_images

    knows_classes = bool(model.card) or not model.conditional

    def images(count, seed, truncation, num_classes):
        if not knows_classes and num_classes is None:
            raise ValueError(
                f"{str(model.directory)!r} takes labels, and has no model card that "
                "says how many classes there are: pass --num-classes or --dataset."
            )
        if not model.conditional:
            num_classes = None
        return exported_images(
            model, count, num_classes or model.num_classes, seed, truncation
        )

    return Scored(
        images,
        model.image_size,
        model.channels,
        needs_classes=not knows_classes,
        fit=fit,
    )


def _open_real(name, split, image_size, cache_dir, fit):
    from keras_sagan import data
    from keras_sagan.metrics.image_sets import array_images

    if image_size is None:
        raise ValueError(
            "The images must be resized to a common size: pass --image-size, e.g. the "
            "size of the images that the model generates."
        )
    source = data.load(
        name,
        image_size=image_size,
        batch_size=1,
        split=split,
        cache_dir=cache_dir,
        fit=fit,
    )
    total = source.num_examples
    description = {"kind": "images", "fit": fit, "model": {"path": f"{name} {split}"}}

    def images(count, seed, truncation, num_classes):
        if truncation is not None:
            raise ValueError(
                "`truncation` applies to generators, not to existing images. "
                f"Received: truncation={truncation!r}."
            )
        return array_images(
            *source.arrays(), description, min(count, total), seed, source.class_names
        )

    return Scored(
        images,
        source.image_size,
        source.channels,
        total,
        fit=fit,
    )
