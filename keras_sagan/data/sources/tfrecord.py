"""Reads TFRecord files of encoded pictures: `tfrecord:PATH`.

Every record is a `tf.train.Example` with the bytes of a picture's file. When the files
are opened, TensorFlow reads all records once, for checksums and labels. Afterwards,
records are read in any order.
"""

from keras_sagan.data.sources import options, shards
from keras_sagan.files import record_files

_OPTIONS = ("image", "label")
_USAGE = (
    "the features of TFRecord files are given as in "
    "'tfrecord:PATH:image=image/encoded,label=image/class/label'."
)
_ENDINGS = r"(?i)\.(tfrecords?|tfrec|record)\b|tfrecord.*-of-\d+$|^[^.]*-\d+-of-\d+$"
# Names that TensorFlow's own tools and TFDS give to features.
_IMAGES = ("image/encoded", "image")
_LABELS = ("image/class/label", "label")


def open_pictures(text):
    """Opens the `Pictures` of a set of files.

    Args:
        text: str. As for `shards.find`, perhaps with the names of features:
            `PATH:image=KEY,label=KEY`. Defaults to "image/encoded" or "image", and to
            "image/class/label" or "label" if there are labels. Labels are whole
            numbers from 0, or names of classes.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if a file cannot be read, or has no such features. The message
            names it.
    """
    path, names = options.parse("tfrecord", text, _OPTIONS, _USAGE)
    images = (names["image"],) if "image" in names else _IMAGES
    labels = (names["label"],) if "label" in names else _LABELS

    def read(file):
        return _read(file, images, labels, needed="label" in names)

    def unpack(record):
        return _image(_features(record), images)

    return shards.open_pictures(shards.find(path, _ENDINGS, "tfrecord"), read, unpack)


def _read(path, images, labels, needed):
    """Returns the `shards.Shard` of a file."""
    import tensorflow as tf

    # Checks the lengths first, for which TensorFlow would allocate any memory.
    places = record_files.records(path)
    values = []
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            features = _features(record)
            _image(features, images)
            values.append(_label(features, labels, needed))
    except tf.errors.OpError as error:
        raise ValueError(f"record {len(values)}: {error.message}") from error
    except ValueError as error:
        raise ValueError(f"record {len(values)}: {error}") from error
    starts, sizes = map(list, zip(*places, strict=True)) if places else ([], [])
    return shards.Shard(path, None, starts, sizes, values)


def _features(record):
    """Returns the features of a record, a mapping from names to messages."""
    import google.protobuf.message
    import tensorflow as tf

    try:
        return tf.train.Example.FromString(record).features.feature
    except google.protobuf.message.DecodeError as error:
        raise ValueError(f"it is not a tf.train.Example ({error})") from error


def _image(features, names):
    """Returns the bytes of the picture's file."""
    for name in names:
        if name in features and len(features[name].bytes_list.value) == 1:
            return features[name].bytes_list.value[0]
    raise ValueError(
        f"it must have one picture as the feature {' or '.join(map(repr, names))}; "
        "name another one as in 'tfrecord:PATH:image=KEY'. "
        f"Received: {_kinds(features)}"
    )


def _label(features, names, needed):
    """Returns the number or the name of a class, or `None`."""
    for name in names:
        if name not in features:
            continue
        feature = features[name]
        numbers, texts = feature.int64_list.value, feature.bytes_list.value
        if len(numbers) == 1:
            return numbers[0]
        if len(texts) == 1:
            return texts[0].decode("utf-8", "backslashreplace")
    if needed:
        raise ValueError(
            f"it must have a label, a number or a text, as the feature {names[0]!r}. "
            f"Received: {_kinds(features)}"
        )
    return None


def _kinds(features):
    """Returns the names and types of the first features as text."""
    kinds = {name: features[name].WhichOneof("kind") for name in sorted(features)[:20]}
    return ", ".join(f"{name:.80} ({kind})" for name, kind in kinds.items()) or "none"
