"""Reads TensorFlow Datasets (TFDS): `tfds:NAME`, `tfds:PATH` and built-in data sets."""

import contextlib
import difflib
import functools
import os
import sys

import numpy as np
import tensorflow_datasets as tfds

from keras_sagan.data import images, pictures
from keras_sagan.data.pictures import Picture, Pictures, open_encoded
from keras_sagan.data.sources import tfds_files, tfds_records
from keras_sagan.data.storage import data_dir
from keras_sagan.files import paths

_READ_BATCH = 256
_RECORD = 16  # bytes that every example takes for its length and checksums


def prepared_builder(name, cache_dir=None):
    """Returns a TFDS builder whose files are on the disk, downloading them if needed.

    Args:
        name: str. Path of the directory of a prepared data set, or a TFDS name,
            optionally with config and version ("fashion_mnist", "cifar10:3.0.2"). A
            directory that has a `dataset_info.json` takes precedence.
        cache_dir: str or `None`. TFDS data directory; see `storage.data_dir`.

    Returns:
        `tfds.core.DatasetBuilder`.

    Raises:
        ValueError: if TFDS has no such data set (the message suggests similar names),
            if the directory is not one, or if its description names classes from
            outside TFDS.
        RuntimeError: if it cannot be downloaded and prepared. The message says what to
            do.
    """
    path = str(paths.local(name))
    if os.path.isfile(os.path.join(path, "dataset_info.json")):
        return _described(path)
    if path.startswith(os.sep) or name.startswith("."):
        raise ValueError(_unfinished(name, path))
    directory = data_dir(cache_dir)
    tfds_files.check_name(name, directory)
    try:
        builder = tfds.builder(name, data_dir=directory)
    except tfds.core.DatasetNotFoundError as error:
        raise ValueError(_not_found(name, path, directory)) from error
    except (AssertionError, ValueError) as error:  # unknown version or config, bad name
        if "Parsing builder name" in str(error):
            raise ValueError(_not_found(name, path, directory)) from error
        raise ValueError(f"{error} Received: 'tfds:{name}'.") from error
    if not builder.is_prepared():
        _prepare(builder, name, directory)
    return builder


def open_pictures(builder, split):
    """Opens a split as `Pictures`, in stored order.

    Raises:
        ValueError: as for `features_of` and `split_size`.
    """
    image_feature, label_feature = features_of(builder)
    count, channels = split_size(builder, split), image_feature.shape[-1]
    labelled = label_feature is not None
    if tfds_records.has_random_access(builder):
        rows = tfds_records.Records(builder, split, _keys(builder)).rows(labelled)
        if image_feature.to_json_content().encoding_format == "png":
            rows["png_shape"] = tuple(image_feature.shape)
    else:
        rows = _rows_in_order(builder, split, labelled)
    return Pictures(
        count=count,
        class_names=label_feature and class_names(label_feature),
        channels=channels if channels in images.MODES else 3,
        notes=_unused_label(builder),
        fingerprint=repr((builder.info.full_name, split, count)),
        **rows,
    )


def _rows_in_order(builder, split, labelled):
    """Returns the `rows` of `Pictures` for files without random access (TFRecord)."""

    def encoded(start, stop):
        dataset = _feature_columns(builder, split).skip(start).take(stop - start)
        with _naming_files(builder):
            for batch in dataset.batch(_READ_BATCH).prefetch(1).as_numpy_iterator():
                yield from zip(*batch, strict=True)

    def rows(start, stop):
        for row, columns in enumerate(encoded(start, stop), start):
            name = f"{builder.name}/{split}[{row}]"
            label = int(columns[1]) if labelled else None
            opener = functools.partial(open_encoded, columns[0], name)
            yield Picture(name, label, opener)

    return {"rows": rows}


def class_names(label_feature):
    """Returns the class names of a `ClassLabel` feature: tuple of str."""
    return tuple(map(label_feature.int2str, range(label_feature.num_classes)))


def _feature_columns(builder, split):
    """Returns the examples as tuples (encoded image, label) or (encoded image,).

    TensorFlow does not decode the pictures, because it does not limit their size. Other
    features are not read.
    """
    keys = _keys(builder)
    dataset = builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders=tfds.decode.PartialDecoding(
            dict.fromkeys(keys, True), {keys[0]: tfds.decode.SkipDecoding()}
        ),
        read_config=tfds.ReadConfig(try_autocache=False),
    )
    return dataset.map(lambda example: tuple(example[key] for key in keys))


def features_of(builder):
    """Returns the image feature and the label feature (`None` if unlabelled).

    The image feature is "image", or the only `Image` feature. The label feature is
    "label", if that is a `ClassLabel`.

    Raises:
        ValueError: if no feature or several features have pictures of 8 or 16 bits, or
            if there are more than a million classes.
    """
    image, *label = (builder.info.features[key] for key in _keys(builder))
    if label and label[0].num_classes > pictures.MOST_CLASSES:
        raise ValueError(
            f"{builder.name!r} must have at most {pictures.MOST_CLASSES} classes. "
            f"Received: {label[0].num_classes}."
        )
    return image, label[0] if label else None


def _keys(builder):
    """Returns the names of the features of pictures and, if any, of labels: tuple."""
    features = dict(builder.info.features.items())
    pictures = [key for key, x in features.items() if _is_picture(x)]
    if "image" in pictures:
        pictures = ["image"]
    if len(pictures) != 1:
        raise ValueError(
            "A TFDS data set needs a feature 'image', or a single other feature, of "
            f"8-bit or 16-bit pictures. Received: {builder.name!r} with features "
            f"{features}."
        )
    if isinstance(features.get("label"), tfds.features.ClassLabel):
        return (*pictures, "label")
    return tuple(pictures)


def _is_picture(feature):
    dtypes = (np.uint8, np.uint16)
    return isinstance(feature, tfds.features.Image) and feature.np_dtype in dtypes


def _unused_label(builder):
    """Returns a note about a feature "label" that is not a class: tuple of str."""
    label = dict(builder.info.features.items()).get("label")
    if label is None or isinstance(label, tfds.features.ClassLabel):
        return ()
    return (f"labels that are not classes ({label!r}): pictures are unlabelled",)


def _described(path):
    """Returns the builder of a directory.

    Raises:
        ValueError: if its description cannot be read.
    """
    try:
        tfds_files.check_directory(path)
        return tfds.builder_from_directory(path)
    except Exception as error:  # parsers raise many kinds of errors
        raise ValueError(
            f"The description of the TFDS data set in {path} cannot be read "
            f"({type(error).__name__}: {error}). Prepare or copy it again."
        ) from error


@contextlib.contextmanager
def _naming_files(builder):
    """Context in which a missing or damaged file is a `ValueError` with its path."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        raise ValueError(
            f"A file of the data set in {builder.data_dir} is missing or damaged "
            f"({type(error).__name__}: {str(error.message)[:300]}). Prepare or copy it "
            "again."
        ) from error


def split_size(builder, split):
    """Returns the number of examples in a split.

    Raises:
        ValueError: if the split is empty or does not exist. The message names those
            that exist.
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
    _check_files(builder, split, count)
    return count


def _check_files(builder, split, count):
    """Raises a `ValueError` if the files of a split are too small for its examples."""
    instructions = builder.info.splits[split].file_instructions
    paths = {tfds.core.Path(instruction.filename) for instruction in instructions}
    size = sum(path.stat().length for path in paths if path.exists())
    if count * _RECORD > size:
        raise ValueError(
            f"A file of the data set in {builder.data_dir} is missing or damaged "
            f"({count} examples in {size} bytes). Prepare or copy it again."
        )


@contextlib.contextmanager
def messages_on_stderr():
    """Context in which TFDS writes to stderr, and progress bars to a terminal only."""
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    with contextlib.redirect_stdout(sys.stderr):
        yield


def _prepare(builder, name, directory):
    """Downloads and writes the data set; its messages go to stderr."""
    print(
        f"{directory} does not contain {name!r}, so TFDS downloads it now (without a "
        "network, it gives up after a few minutes)",
        file=sys.stderr,
    )
    config = tfds.download.DownloadConfig(try_download_gcs=False)
    try:
        with messages_on_stderr():
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
            "Fashion-MNIST can be built from a Debian package with "
            "scripts/fashion_mnist_from_debian."
        ) from error


def _not_found(name, path, directory):
    is_folder = os.path.isdir(path)
    return _unfinished(name, path) if is_folder else _unknown_name(name, directory)


def _unfinished(name, path):
    return (
        f"{path} is not a complete TFDS data set (it has no dataset_info.json). For a "
        "folder of pictures use 'folder:PATH'. If a preparation was interrupted, run "
        "the same 'keras-sagan data prepare' again. "
        f"Received: 'tfds:{name}'."
    )


def _unknown_name(name, directory):
    known = tfds.list_builders(with_community_datasets=False)
    base = name.split("/")[0].split(":")[0].lower()
    nearest = difflib.get_close_matches(base, known, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(map(repr, nearest))}?" if nearest else ""
    return (
        f"There is no such data set in TFDS, and none in {directory}.{hint} "
        f"Received: 'tfds:{name}'."
    )
