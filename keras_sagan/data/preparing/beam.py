"""Writes the files of a prepared data set on the workers of Apache Beam.

Each worker opens the data set itself and writes whole files, so that no picture passes
through the engine. The files are those that `preparation` would write.
"""

import dataclasses
import difflib
import functools
import pathlib

from keras_sagan.data import loading
from keras_sagan.data.preparing import journal, shard_files
from keras_sagan.extras import MissingExtraError
from keras_sagan.files import writing


@dataclasses.dataclass(frozen=True)
class Job:
    """What a worker needs to know.

    Attributes:
        work: str. Path of the directory of the files, which all workers share.
        source: str. Name of the data set, with an absolute path.
        split, image_size, channels, fit, cache_dir: as for `prepare`.
        fingerprint: str. `Pictures.fingerprint` of the data set.
    """

    work: str
    source: str
    split: str
    image_size: int
    channels: int
    fit: str
    cache_dir: str | None
    fingerprint: str


def open_pipeline(options):
    """Returns an empty `apache_beam.Pipeline`.

    Args:
        options: dict of Beam's options of pipelines, e.g. `{"runner": "DirectRunner",
            "direct_num_workers": 4}`.

    Raises:
        ImportError: without the extra `beam`.
        ValueError: if there is no such option or runner, or it has a wrong value.
    """
    try:
        import apache_beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise MissingExtraError(f"Apache Beam ({error})", "beam") from error

    known = PipelineOptions([]).get_all_options()
    for name in options:
        if name not in known:  # Beam would leave it out
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"Apache Beam has no option {name!r}.{hint}")
    given = PipelineOptions.from_dictionary(options)
    try:
        given.get_all_options()  # parses them, with argparse
    except SystemExit:
        raise ValueError(f"Apache Beam refuses the options {options}.") from None
    return apache_beam.Pipeline(options=given)


def write_shards(pipeline, places, job):
    """Writes shards and their pages in the journal.

    Args:
        pipeline: `apache_beam.Pipeline` without steps.
        places: list of tuples `(index, start, stop)` of each shard and its rows.
        job: `Job`.

    Raises:
        RuntimeError: if the engine could not write all of them. What it has written is
            kept.
    """
    import apache_beam

    spread = pipeline | apache_beam.Create(places) | apache_beam.Reshuffle()
    _ = spread | "WriteShard" >> apache_beam.Map(write_shard, job)
    try:
        pipeline.run().wait_until_finish()
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise RuntimeError(
            f"Apache Beam could not prepare all files: {reason}. Those that are "
            f"complete are in {job.work}; the same command continues with them."
        ) from error


def write_shard(place, job):
    """Writes a shard. An engine may let several workers do so at the same time.

    Args:
        place: tuple `(index, start, stop)`.
        job: `Job`.
    """
    index, start, stop = place
    work, pictures = pathlib.Path(job.work), _opened(job)
    path = journal.shard_path(work, index)
    rows = pictures.rows(start, stop)
    encoded = shard_files.encode(rows, job.image_size, job.channels, job.fit)
    shape = (job.image_size, job.image_size, job.channels)
    facts = {}

    def write(new):
        names = pictures.class_names
        facts.update(shard_files.write(new, encoded, stop - start, names, shape))

    writing.replace_file(path, write)
    journal.write_page(work, index, facts)


@functools.lru_cache(maxsize=1)
def _opened(job):
    """Returns the `Pictures` of a job, which a process opens once."""
    kind, rest = loading.parse_name(job.source)
    pictures = loading.open_pictures(
        kind, rest, job.split, job.image_size, job.cache_dir
    )
    if pictures.fingerprint != job.fingerprint:
        raise ValueError(
            f"A worker finds other pictures in {job.source!r} than where the command "
            "was started: all must have the same files, at the same path."
        )
    return pictures
