"""`prepare`: any data set -> a TFDS data set in `array_record` at the training size.

The pictures are decoded, made square and resized once, in parallel, and stored without
loss (PNG) in shards. Work goes on in `OUTPUT.incomplete`, a finished shard at a time;
the same call again continues after the last one, and the directory gets its name when
everything is in it.
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
SHARD_PICTURES = 1000  # at least
# Every shard stays open; but the larger one is, the longer array_record looks for a
# record: 27 us of 2,000 records, 250 us of 50,000.
MOST_SHARDS = 256

_NAME = "prepared"  # of the TFDS data set
_SUFFIX = "array_record"
_OPTIONS = "group_size:1"  # a record is read without others
_COMPRESSION = 3  # of PNG, 0 to 9: fast, and little larger than the default 6


class _UnusableError(ValueError):
    """The pictures have to be changed: what this call prepared of them is of no use."""


@dataclasses.dataclass(frozen=True)
class PrepareResult:
    """What `prepare` did.

    Attributes:
        output: str. The directory; `tfds:DIR` for `load`.
        written: int. Pictures in it.
        skipped: tuple of str: why each picture that is not in it could not be read.
        empty_classes: tuple of str: the classes of which no picture could be read.
        shards: int. Files of records.
        resumed: int. Shards that an earlier call had finished.
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
    """Converts a split of a data set once, for fast loading.

    Args:
        name: str. As for `load`.
        output: str or path. Directory to make: new or empty.
        image_size: int. Height and width of the stored pictures in pixels.
        split: str. As for `load`; stored as split "train".
        channels: As for `load`.
        cache_dir: As for `load`.
        fit: As for `load`.
        strict: bool. Whether a picture that cannot be read is an error; else it is
            left out and reported. Shards of an earlier call stay.

    Returns:
        `PrepareResult`, also written to `prepare_report.json` in the directory.

    Raises:
        FileExistsError: if `output` is not empty, or an interrupted preparation of
            something else is in its place.
        BlockingIOError: if another process is preparing it.
        ValueError, OSError: as `load`; with `strict` also for an unreadable picture.
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
                f"read; the first: {skipped[0]}"
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
    """The path of a directory that can be put in place of what is there.

    Raises:
        FileExistsError: if it cannot.
    """
    path = paths.local(output)
    if path.is_symlink() or path.exists():
        path = path.resolve()  # a link stays one
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(
            f"`output` must be a new or empty directory. Received: '{output}'."
        )
    if path == pathlib.Path.cwd() or path.is_mount():
        raise FileExistsError(
            "`output` must be a directory that can be replaced, so neither the one "
            "you are in nor one where a disk is mounted; name a new one in it. "
            f"Received: '{output}'."
        )
    return path


def _absolute(kind, rest):
    """A parsed name, the same from every directory and however it was typed."""
    if not rest:  # an embedded set
        return kind
    path = paths.local(rest)
    return f"{kind}:{path.resolve() if path.exists() else rest}"


def _shards(pictures, work, image_size, channels, fit, strict):
    """Writes the shards that are missing.

    Returns:
        `(shards, resumed)`: what the journal says of each shard, and how many were
        there before.
    """
    shards = journal.finished_shards(work)
    resumed = len(shards)
    most = max(SHARD_PICTURES, -(-pictures.count // MOST_SHARDS))  # in a shard

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
        if resumed:  # an earlier call's work, of use without `strict`
            raise _UnusableError(
                f"{error}. What an earlier call finished is still in {work}: without "
                "`strict` the same call goes on with it; remove it to begin anew"
            ) from error
        shutil.rmtree(work)
        raise
    return shards, resumed


def _write_shard(work, index, encoded, wanted, class_names, shape):
    """Writes one file of records and its page in the journal."""
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
    # The page says that the file is whole, so it comes last.
    journal.write_page(work, index, facts)
    return facts


@contextlib.contextmanager
def _records(path):
    """Scope with a function that writes a record.

    Raises:
        OSError: if the file cannot be written. A full disk shows at the end only.
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
    """Gives the shards their names and writes the index and TFDS's description."""
    import tensorflow_datasets as tfds

    sizes = [shard["size"] for shard in shards]
    labels = list(itertools.chain.from_iterable(shard["labels"] for shard in shards))
    index = record_index.content(sizes, labels if class_names is not None else None)
    writing.replace_file(work / record_index.FILE, index)

    for number, shard in enumerate(shards):
        path = journal.shard_path(work, shard["index"])
        if path.exists():  # else an earlier call was killed after renaming it
            ending = f"{number:05d}-of-{len(shards):05d}"
            path.replace(work / f"{_NAME}-train.{_SUFFIX}-{ending}")
    for path in work.glob("shard-*"):  # those without a picture
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
    """Names of the classes that no shard has a picture of."""
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
    """The picture's label."""
    if not 0 <= picture.label < len(class_names):
        raise _UnusableError(
            f"Labels must be in [0, {len(class_names)}). Received: {picture.label} of "
            f"{picture.name}."
        )
    return picture.label


def _png(array):
    """The array as the bytes of a PNG file."""
    file = io.BytesIO()
    picture = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
    picture.save(file, "PNG", compress_level=_COMPRESSION)
    return file.getvalue()
