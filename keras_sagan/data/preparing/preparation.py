"""Converts any data set to a TFDS data set at the size of training, for fast loading.

The pictures are decoded, made square and resized once, in parallel, and stored without
loss as PNG in `array_record` files (shards). They are written to `OUTPUT.incomplete`,
which is renamed when it is complete. If the work is interrupted, the same call
continues after the last complete shard.
"""

import contextlib
import dataclasses
import io
import itertools
import pathlib
import shutil

from PIL import Image

from keras_sagan.data import loading
from keras_sagan.data.decoding import map_parallel, with_progress
from keras_sagan.data.pictures import check_usable
from keras_sagan.data.preparing import journal
from keras_sagan.data.sources import record_index
from keras_sagan.files import paths, writing

REPORT = "prepare_report.json"
SHARD_PICTURES = 1000  # smallest number in a shard
# All shards stay open in training, so there must not be too many. In large ones,
# array_record takes longer to find a record: 27 us of 2,000 records, 250 us of 50,000.
MOST_SHARDS = 256

_NAME = "prepared"  # of the TFDS data set
_SUFFIX = "array_record"
_OPTIONS = "group_size:1"  # so that a record can be read without others
_COMPRESSION = 3  # level of PNG, 0 to 9: fast, with files little larger than at 6


class _UnusableError(ValueError):
    """Raised if pictures must be changed, so that shards of this call are useless."""


@dataclasses.dataclass(frozen=True)
class PrepareResult:
    """The result of `prepare`.

    Attributes:
        output: str. Path of the directory, which `load` opens as `tfds:PATH`.
        written: int. Number of pictures in it.
        skipped: tuple of str. Why each of the other pictures could not be read.
        empty_classes: tuple of str. Classes of which no picture could be read.
        shards: int. Number of files with pictures.
        resumed: int. Number of shards that an earlier call had completed.
    """

    output: str
    written: int
    skipped: tuple[str, ...]
    empty_classes: tuple[str, ...]
    shards: int
    resumed: int


def prepare(
    name,
    output,
    image_size=32,
    split="train",
    channels=None,
    cache_dir=None,
    fit="crop",
    strict=False,
):
    """Converts a split of a data set to TFDS files that load fast.

    Args:
        name: str. As for `load`.
        output: str or path of a directory that is new or empty.
        image_size: int. Height and width of the stored pictures in pixels.
        split: str. As for `load`. It is stored as split "train".
        channels: As for `load`.
        cache_dir: As for `load`.
        fit: As for `load`.
        strict: bool. Whether an unreadable picture is an error. Otherwise it is left
            out and reported. Shards of an earlier call are kept in both cases.

    Returns:
        `PrepareResult`, also written to `prepare_report.json` in the directory.

    Raises:
        FileExistsError: if `output` is not empty, or if `OUTPUT.incomplete` belongs to
            something else.
        BlockingIOError: if another process is preparing the same directory.
        ValueError, OSError: as for `load`, and with `strict` for unreadable pictures.
    """
    kind, rest, image_size, channels = loading.parse_arguments(
        name, image_size, channels, fit
    )
    output = _new_directory(output)
    pictures = loading.open_pictures(kind, rest, split, image_size, cache_dir)
    check_usable(pictures, name)
    channels = channels or pictures.channels
    request = {
        "source": name,
        "split": split,
        "image_size": image_size,
        "channels": channels,
        "fit": fit,
    }
    state = {
        **request,
        "source": _absolute(kind, rest),
        "fingerprint": pictures.fingerprint,
    }
    work = output.with_name(output.name + ".incomplete")
    with journal.working_directory(work, state):
        shards, resumed = _shards(pictures, work, image_size, channels, fit, strict)
        skipped = tuple(reason for shard in shards for reason in shard["skipped"])
        written = sum(shard["count"] for shard in shards)
        if not written:
            shutil.rmtree(work)
            raise ValueError(
                f"`name`: none of the {pictures.count} pictures of {name!r} can be "
                f"read. The first error: {skipped[0]}"
            )
        filled = [shard for shard in shards if shard["count"]]
        empty = _empty_classes(filled, pictures.class_names)
        result = PrepareResult(
            str(output), written, skipped, empty, len(filled), resumed
        )
        report = {**request, **dataclasses.asdict(result)}
        writing.replace_file(work / REPORT, writing.json_text(report))
        shape = (image_size, image_size, channels)
        _finish(work, filled, pictures.class_names, shape)
        writing.publish_folder(work, output)
        shutil.rmtree(output / journal.FOLDER)
    return result


def _new_directory(output):
    """Returns the path at which a new directory can be put.

    Raises:
        FileExistsError: if that is not possible.
    """
    path = paths.local(output)
    if path.is_symlink() or path.exists():
        path = path.resolve()  # so that a link stays one
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(
            f"`output` must be a new or empty directory. Received: '{output}'."
        )
    if path == pathlib.Path.cwd() or path.is_mount():
        raise FileExistsError(
            "`output` must be a directory that can be replaced, so neither the current "
            "directory nor one on which a disk is mounted. Name a new directory inside "
            f"it. Received: '{output}'."
        )
    return path


def _absolute(kind, rest):
    """Returns a parsed name in a form that does not depend on the current directory."""
    if not rest:  # a built-in data set
        return kind
    path = paths.local(rest)
    return f"{kind}:{path.resolve() if path.exists() else rest}"


def _shards(pictures, work, image_size, channels, fit, strict):
    """Writes the shards that are missing.

    Returns:
        Tuple `(shards, resumed)` of the pages of all shards in the journal and the
        number of those that were there before.
    """
    shards = journal.finished_shards(work)
    resumed = len(shards)
    most = max(SHARD_PICTURES, -(-pictures.count // MOST_SHARDS))  # pictures per shard

    def encode(picture):
        try:
            array = picture.decode(image_size, channels, fit)
        except ValueError as error:
            if strict:
                raise _UnusableError(str(error)) from error
            return picture, None, str(error)
        return picture, _png(array), None

    first = resumed * most
    encoded = map_parallel(encode, pictures.rows(first, pictures.count))
    encoded = with_progress(encoded, pictures.count, "preparing", first)
    shape = (image_size, image_size, channels)
    try:
        for reason in [reason for shard in shards for reason in shard["skipped"]]:
            if strict:
                raise _UnusableError(reason)
        for start in range(first, pictures.count, most):
            index, count = len(shards), min(most, pictures.count - start)
            names = pictures.class_names
            shards.append(_write_shard(work, index, encoded, count, names, shape))
    except _UnusableError as error:
        if resumed:  # the shards of an earlier call, which are of use without `strict`
            raise _UnusableError(
                f"{error}. The shards of an earlier call are still in {work}. Without "
                "`strict`, the same call continues with them; remove it to start anew"
            ) from error
        shutil.rmtree(work)
        raise
    return shards, resumed


def _write_shard(work, index, encoded, wanted, class_names, shape):
    """Writes a shard and its page in the journal."""
    features = _features(class_names, shape)
    path = journal.shard_path(work, index)
    facts = {"index": index, "count": 0, "bytes": 0, "labels": [], "skipped": []}
    with _records(path) as write:
        for _ in range(wanted):
            picture, png, problem = next(encoded)
            if problem:
                facts["skipped"].append(problem)
                continue
            example = {"image": io.BytesIO(png)}
            if class_names is not None:
                example["label"] = _checked(picture, class_names)
                facts["labels"].append(int(picture.label))
            record = features.serialize_example(features.encode_example(example))
            write(record)
            facts["count"] += 1
            facts["bytes"] += len(record)
    writing.flush(path)
    facts["size"] = path.stat().st_size
    # The page says that the file is complete, so it is written last.
    journal.write_page(work, index, facts)
    return facts


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


def _finish(work, shards, class_names, shape):
    """Writes the index and TFDS's description, and gives the shards their names."""
    import tensorflow_datasets as tfds

    sizes = [shard["size"] for shard in shards]
    labels = list(itertools.chain.from_iterable(shard["labels"] for shard in shards))
    index = record_index.content(sizes, labels if class_names is not None else None)
    writing.replace_file(work / record_index.FILE, index)

    for number, shard in enumerate(shards):
        path = journal.shard_path(work, shard["index"])
        if path.exists():  # otherwise an earlier call was killed after renaming it
            ending = f"{number:05d}-of-{len(shards):05d}"
            path.replace(work / f"{_NAME}-train.{_SUFFIX}-{ending}")
    for path in work.glob("shard-*"):  # those without pictures
        path.unlink()
    split = tfds.core.SplitInfo(
        name="train",
        shard_lengths=[shard["count"] for shard in shards],
        num_bytes=sum(shard["bytes"] for shard in shards),
        filename_template=tfds.core.ShardedFileTemplate(
            data_dir=work,
            dataset_name=_NAME,
            split="train",
            filetype_suffix=_SUFFIX,
        ),
    )
    tfds.folder_dataset.write_metadata(
        data_dir=work,
        features=_features(class_names, shape),
        split_infos=[split],
        version="1.0.0",
        check_data=False,
        description="Written by `keras-sagan data prepare`.",
    )


def _empty_classes(shards, class_names):
    """Returns the names of the classes without pictures: tuple of str."""
    seen = {label for shard in shards for label in shard["labels"]}
    names = enumerate(class_names or ())
    return tuple(name for label, name in names if label not in seen)


def _features(class_names, shape):
    import tensorflow_datasets as tfds

    features = {"image": tfds.features.Image(shape=shape, encoding_format="png")}
    if class_names is not None:
        features["label"] = tfds.features.ClassLabel(names=list(class_names))
    return tfds.features.FeaturesDict(features)


def _checked(picture, class_names):
    """Returns the label of a picture, or raises an error if it is out of range."""
    if not 0 <= picture.label < len(class_names):
        raise _UnusableError(
            f"Labels must be in [0, {len(class_names)}). Received: {picture.label} for "
            f"{picture.name}."
        )
    return picture.label


def _png(array):
    """Encodes an array as a PNG file: bytes."""
    file = io.BytesIO()
    picture = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
    picture.save(file, "PNG", compress_level=_COMPRESSION)
    return file.getvalue()
