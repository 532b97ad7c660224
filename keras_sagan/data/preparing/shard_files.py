"""Writes files of prepared pictures: an `array_record` file of TFDS examples each."""

import contextlib
import io

from PIL import Image

from keras_sagan.data.decoding import map_parallel
from keras_sagan.files import writing

# A record can be read without others. PNG files cannot be compressed any further, and
# trying takes longer than everything else.
_OPTIONS = "group_size:1,uncompressed"
_COMPRESSION = 3  # level of PNG, 0 to 9: fast, with files little larger than at 6


class UnusableError(ValueError):
    """Raised if pictures must be changed, so that shards of this call are useless."""


def encode(pictures, image_size, channels, fit, strict=False):
    """Decodes pictures, makes them square and resizes them, in parallel.

    Args:
        pictures: iterable of `Picture`.
        image_size, channels, fit: as for `images.to_array`.
        strict: bool. Whether an unreadable picture is an `UnusableError`.

    Yields: tuples of the picture, its PNG file (bytes, or `None` if it cannot be read)
        and why it cannot (str, or `None`).
    """

    def one(picture):
        try:
            array = picture.decode(image_size, channels, fit)
        except ValueError as error:
            if strict:
                raise UnusableError(str(error)) from error
            return picture, None, str(error)
        return picture, png(array), None

    return map_parallel(one, pictures)


def write(path, encoded, wanted, class_names, shape):
    """Writes a file and flushes it.

    Args:
        path: path of the file.
        encoded: iterator of what `encode` yields.
        wanted: int. Number of pictures to take from it.
        class_names: sequence of str, or `None`.
        shape: tuple `(image_size, image_size, channels)`.

    Returns: dict of JSON values with `count`, the `bytes` of the records, `labels`,
        `skipped` with the reasons, and the `size` of the file in bytes.

    Raises:
        UnusableError: if a label is out of range.
        OSError: if the file cannot be written.
    """
    features = features_of(class_names, shape)
    facts = {"count": 0, "bytes": 0, "labels": [], "skipped": []}
    with _records(path) as write_record:
        for _ in range(wanted):
            picture, file, problem = next(encoded)
            if problem:
                facts["skipped"].append(problem)
                continue
            example = {"image": io.BytesIO(file)}
            if class_names is not None:
                example["label"] = _checked(picture, class_names)
                facts["labels"].append(int(picture.label))
            record = _in_order(
                features.serialize_example(features.encode_example(example))
            )
            write_record(record)
            facts["count"] += 1
            facts["bytes"] += len(record)
    writing.flush(path)
    return {**facts, "size": path.stat().st_size}


def features_of(class_names, shape):
    """Returns TFDS's description of the examples; see `write`."""
    import tensorflow_datasets as tfds

    features = {"image": tfds.features.Image(shape=shape, encoding_format="png")}
    if class_names is not None:
        features["label"] = tfds.features.ClassLabel(names=list(class_names))
    return tfds.features.FeaturesDict(features)


def png(array):
    """Encodes a uint8 array `(height, width, channels)` as a PNG file: bytes."""
    file = io.BytesIO()
    picture = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
    picture.save(file, "PNG", compress_level=_COMPRESSION)
    return file.getvalue()


@contextlib.contextmanager
def _records(path):
    """Context that opens a file of records and yields a function to write one.

    Raises:
        OSError: if the file cannot be written. A full disk is noticed only at the end.
    """
    from array_record.python.array_record_module import ArrayRecordWriter

    try:
        writer = ArrayRecordWriter(str(path), _OPTIONS)
    except RuntimeError as error:
        raise OSError(f"{path} cannot be written: {error}") from error
    try:
        yield writer.write
    finally:
        try:
            writer.close()
        except RuntimeError as error:
            raise OSError(f"{path} cannot be written: {error}") from error


def _in_order(record):
    """Returns the record with its features in the order that every process gives it."""
    import tensorflow as tf

    message = tf.train.Example.FromString(record)
    return message.SerializeToString(deterministic=True)


def _checked(picture, class_names):
    """Returns the label of a picture, or raises an error if it is out of range."""
    if not 0 <= picture.label < len(class_names):
        raise UnusableError(
            f"Labels must be in [0, {len(class_names)}). Received: {picture.label} for "
            f"{picture.name}."
        )
    return picture.label
