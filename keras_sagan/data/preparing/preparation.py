"""Converts any data set to a TFDS data set at the size of training, for fast loading.

The pictures are decoded, made square and resized once, in parallel, and stored without
loss as PNG in `array_record` files (shards). They are written to `OUTPUT.incomplete`,
which is renamed when it is complete. If the work is interrupted, the same call
continues after the last complete shard.
"""

import dataclasses
import itertools
import pathlib
import shutil

from keras_sagan.data import loading
from keras_sagan.data.decoding import with_progress
from keras_sagan.data.pictures import check_usable
from keras_sagan.data.preparing import beam, journal, shard_files
from keras_sagan.data.sources import record_index
from keras_sagan.files import paths, writing

REPORT = "prepare_report.json"
SHARD_PICTURES = 1000  # smallest number in a shard
# All shards stay open in training, so there must not be too many. In large ones,
# array_record takes longer to find a record: 27 us of 2,000 records, 250 us of 50,000.
MOST_SHARDS = 256

_NAME = "prepared"  # of the TFDS data set
_SUFFIX = "array_record"


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
    beam_options=None,
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
        beam_options: dict of options of an Apache Beam pipeline, whose workers write
            the files, e.g. `{"runner": "DirectRunner", "direct_num_workers": 4}`, or
            `None` for this process. They must see the data set and the parent directory
            of `output` at the same paths. The files are the same.

    Returns:
        `PrepareResult`, also written to `prepare_report.json` in the directory.

    Raises:
        FileExistsError: if `output` is not empty, or if `OUTPUT.incomplete` belongs to
            something else.
        BlockingIOError: if another process is preparing the same directory.
        ValueError, OSError: as for `load`, and with `strict` for unreadable pictures.
        ImportError: if a package of an extra is missing.
        RuntimeError: if Apache Beam fails.
    """
    kind, rest, image_size, channels = loading.parse_arguments(
        name, image_size, channels, fit
    )
    output = _new_directory(output)
    pipeline = None if beam_options is None else beam.open_pipeline(beam_options)
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
        elsewhere = []
        if pipeline is not None:
            elsewhere = _missing(work, pictures.count)
            job = beam.Job(work=str(work), cache_dir=cache_dir, **state)
            beam.write_shards(pipeline, elsewhere, job)
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
            *(str(output), written, skipped, empty, len(filled)),
            resumed=resumed - len(elsewhere),
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
    places = _places(pictures.count)[resumed:]
    first = places[0][1] if places else pictures.count
    rows = pictures.rows(first, pictures.count)
    encoded = shard_files.encode(rows, image_size, channels, fit, strict)
    encoded = with_progress(encoded, pictures.count, "preparing", first)
    shape = (image_size, image_size, channels)
    try:
        for reason in [reason for shard in shards for reason in shard["skipped"]]:
            if strict:
                raise shard_files.UnusableError(reason)
        for index, start, stop in places:
            names = pictures.class_names
            facts = _write_shard(work, index, encoded, stop - start, names, shape)
            shards.append(facts)
    except shard_files.UnusableError as error:
        if resumed:  # the shards of an earlier call, which are of use without `strict`
            raise shard_files.UnusableError(
                f"{error}. The shards of an earlier call are still in {work}. Without "
                "`strict`, the same call continues with them; remove it to start anew"
            ) from error
        shutil.rmtree(work)
        raise
    return shards, resumed


def _places(count):
    """Returns the number, first and last row (exclusive) of each shard: list."""
    most = max(SHARD_PICTURES, -(-count // MOST_SHARDS))  # pictures per shard
    starts = range(0, count, most)
    return [(i, start, min(start + most, count)) for i, start in enumerate(starts)]


def _missing(work, count):
    """Returns the `_places` of the shards that are not complete: list."""
    finished = journal.finished_shard
    return [place for place in _places(count) if finished(work, place[0]) is None]


def _write_shard(work, index, *content):
    """Writes a shard and its page in the journal; see `shard_files.write`."""
    facts = shard_files.write(journal.shard_path(work, index), *content)
    # The page says that the file is complete, so it is written last.
    return journal.write_page(work, index, facts)


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
        features=shard_files.features_of(class_names, shape),
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
