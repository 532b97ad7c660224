"""Reading TensorFlow Datasets (TFDS): `tfds:NAME` and the glyphs' own files."""

import contextlib
import difflib
import sys

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from keras_sagan.data import images
from keras_sagan.data.pipeline import Examples
from keras_sagan.data.storage import allocate, data_dir

_READ_BATCH = 256


def prepared_builder(name, cache_dir=None):
    """A TFDS builder whose files are on disk; downloads them where they are not.

    Args:
        name: str. TFDS name, optionally with config and version:
            "fashion_mnist", "cifar10:3.0.2".
        cache_dir: str or `None`. TFDS data directory (see `storage`).

    Returns:
        `tfds.core.DatasetBuilder`.

    Raises:
        ValueError: if TFDS has no such data set; the nearest names are suggested.
        RuntimeError: if it could not be downloaded and prepared; says what to do.
    """
    directory = data_dir(cache_dir)
    try:
        builder = tfds.builder(name, data_dir=directory)
    except tfds.core.DatasetNotFoundError as error:
        raise ValueError(_unknown_name(name, directory)) from error
    if not builder.is_prepared():
        _prepare(builder, name, directory)
    return builder


def read(builder, split, image_size, channels=None, cache_dir=None):
    """Decodes a split of a prepared TFDS data set.

    Pictures are centre-cropped to a square and resized (`images.to_array`: a picture
    smaller than `image_size` is enlarged with a bicubic filter).

    Args:
        builder: prepared `tfds.core.DatasetBuilder` with an "image" feature and, for
            a labelled data set, a `ClassLabel` feature "label".
        split: str. TFDS split, slices included: "train", "train[:90%]".
        image_size: int. Height and width in pixels.
        channels: 1, 3, 4 or `None` for the data set's own.
        cache_dir: str or `None`. Where very large arrays are put (`storage`).

    Returns:
        `Examples` in stored order.

    Raises:
        ValueError: if there is no such split, no uint8 "image" feature, a "label"
            that is no class label, or a label out of range.
    """
    image_feature, label_feature = features_of(builder)
    count = split_size(builder, split)
    channels = channels or image_feature.shape[-1] or 3
    pixels = allocate((count, image_size, image_size, channels), data_dir(cache_dir))
    labels = None if label_feature is None else np.empty(count, np.int32)
    for row, (image, label) in enumerate(raw_examples(builder, split)):
        pixels[row] = images.to_array(as_picture(image), image_size, channels)
        if labels is not None:
            labels[row] = label
    if labels is None:
        return Examples(pixels, None, None)
    _check_labels(labels, label_feature.num_classes, builder, split)
    return Examples(pixels, labels, class_names(label_feature))


def as_picture(array):
    """A `PIL.Image.Image` of a uint8 array `(height, width, channels)`."""
    return Image.fromarray(array[:, :, 0] if array.shape[-1] == 1 else array)


def class_names(label_feature):
    """The class names of a `ClassLabel` feature: tuple of str."""
    return tuple(map(label_feature.int2str, range(label_feature.num_classes)))


def raw_examples(builder, split):
    """Yields the examples of a split as they are stored, in stored order.

    Args:
        builder: prepared `tfds.core.DatasetBuilder`.
        split: str.

    Yields:
        `(image, label)`: uint8 array `(height, width, channels)` and int, or `None`
        when unlabelled.
    """
    keys = [key for key in ("image", "label") if key in builder.info.features]
    dataset = builder.as_dataset(
        split=split,
        shuffle_files=False,
        read_config=tfds.ReadConfig(try_autocache=False),
    )
    dataset = dataset.map(lambda example: tuple(example[key] for key in keys))
    if None not in builder.info.features["image"].shape:
        dataset = dataset.batch(_READ_BATCH)
    else:  # pictures of different sizes make no batch
        dataset = dataset.batch(1)
    for columns in dataset.prefetch(2).as_numpy_iterator():
        labels = columns[1] if len(columns) == 2 else [None] * len(columns[0])
        yield from zip(columns[0], labels, strict=True)


def features_of(builder):
    """The image feature and the label feature (`None` when unlabelled).

    Raises:
        ValueError: if there is no 8-bit "image", or a "label" that is no class label.
    """
    features = dict(builder.info.features.items())
    image = features.get("image")
    if not isinstance(image, tfds.features.Image) or image.np_dtype != np.uint8:
        raise ValueError(
            "A TFDS data set needs a feature 'image' of 8-bit pictures. "
            f"Received: {builder.name!r} with features {features}."
        )
    label = features.get("label")
    if label is not None and not isinstance(label, tfds.features.ClassLabel):
        raise ValueError(
            "The feature 'label' of a TFDS data set must be a ClassLabel. "
            f"Received: {builder.name!r} with label {label!r}."
        )
    return image, label


def split_size(builder, split):
    """The number of examples in a split.

    Raises:
        ValueError: if there is no such split (names those that exist) or it is empty.
    """
    try:
        count = builder.info.splits[split].num_examples
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"`split` must be one of {sorted(builder.info.splits)} or a slice of it "
            f"such as 'train[:90%]' for {builder.name!r}. Received: split={split!r}."
        ) from error
    if not count:
        raise ValueError(
            f"`split` of {builder.name!r} has no examples. Received: split={split!r}."
        )
    return count


def _check_labels(labels, num_classes, builder, split):
    wrong = (labels < 0) | (labels >= num_classes)
    if wrong.any():
        raise ValueError(
            f"Labels of {builder.name!r} must be in [0, {num_classes}). Received: "
            f"{int(wrong.sum())} of {len(labels)} examples of split {split!r} outside "
            f"it, e.g. {int(labels[wrong][0])} (TFDS marks an unlabelled example "
            "with -1)."
        )


def _prepare(builder, name, directory):
    """Downloads and writes the data set; its messages go to stderr."""
    print(
        f"{directory} has no {name!r}: TFDS downloads it now (without a network it "
        "gives up after a few minutes)",
        file=sys.stderr,
    )
    config = tfds.download.DownloadConfig(try_download_gcs=False)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            builder.download_and_prepare(download_config=config)
    except Exception as error:
        if builder.is_prepared():  # another process was faster
            return
        raise RuntimeError(
            f"TFDS could not prepare 'tfds:{name}' in {directory}: "
            f"{type(error).__name__}: {error}\n"
            "TFDS downloads a data set on first use. Without a network, prepare it on "
            "another machine and copy its directory there, or name a directory that "
            "has it (`cache_dir`, or the environment variable TFDS_DATA_DIR). "
            "Fashion-MNIST can be built from a Debian package: "
            "scripts/fashion_mnist_from_debian."
        ) from error


def _unknown_name(name, directory):
    known = tfds.list_builders(with_community_datasets=False)
    base = name.split("/")[0].split(":")[0].lower()
    nearest = difflib.get_close_matches(base, known, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(map(repr, nearest))}?" if nearest else ""
    return (
        f"TFDS knows no data set of that name and {directory} holds none.{hint} "
        f"Received: 'tfds:{name}'."
    )
