"""TFDS data sets in `array_record` files, whose pictures are read in any order."""

import bisect
import itertools
import threading

import numpy as np
import tensorflow_datasets as tfds

from keras_sagan.data.decoding import map_parallel, with_progress
from keras_sagan.data.pictures import Picture, open_encoded
from keras_sagan.data.sources import record_index
from keras_sagan.files import descriptors

# Of a random record this reads its own bytes. With 32 KiB, as TFDS's data source and
# grain's read, it is 2.5 times as many for records of 7 KB.
_BUFFER = 4096
_NO_READAHEAD = "readahead_buffer_size:0"


def has_random_access(builder):
    """Whether the files of a TFDS builder are `array_record`."""
    return builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD


class Records:
    """The records of a split, by row.

    A shard is opened when the first of its records is read, and stays open. Records
    may be read on any number of threads.

    Args:
        builder: `tfds.core.DatasetBuilder` whose files are `array_record`.
        split: str. A split or a slice of one, which has examples.
        keys: tuple of str. The features of the pictures and, if any, of labels.

    Raises:
        ValueError: if a shard is missing or not as the index says, or the index is not
            one of these shards.
    """

    def __init__(self, builder, split, keys):
        self._directory, self._keys = builder.data_dir, keys
        self._name = f"{builder.name}/{split}"
        self._files = builder.info.splits[split].file_instructions
        self._ends = list(itertools.accumulate(file.take for file in self._files))
        self._readers, self._lock = {}, threading.Lock()
        self._labels = self._index(builder, split)
        descriptors.allow(len(self._files))

    def __len__(self):
        return self._ends[-1]

    def rows(self, labelled):
        """How `Pictures` reads them: dict of its `rows`, `at` and `labels`."""
        labels = self.labels() if labelled else None

        def at(row):
            name = f"{self._name}[{row}]"
            label = int(labels[row]) if labelled else None
            return Picture(name, label, lambda: open_encoded(self.encoded(row), name))

        def rows(start, stop):
            return map(at, range(start, stop))

        return {"rows": rows, "at": at, "labels": labels}

    def labels(self):
        """The label of every row: int64 array, from the index or else the records.

        Raises:
            ValueError: if a record cannot be read.
        """
        if self._labels is None:
            found = map_parallel(lambda row: self._parsed(row)[1], range(len(self)))
            shown = with_progress(found, len(self), "reading labels")
            self._labels = np.fromiter(shown, np.int64, len(self))
        return self._labels

    def encoded(self, row):
        """The picture of a row as the bytes of its file.

        Raises:
            ValueError: if the record cannot be read, or its label is not that of the
                index; the message names the shard.
        """
        encoded, label = self._parsed(row)
        if self._labels is not None and label != self._labels[row]:
            problem = f"a picture has label {label}, and {self._labels[row]} is known"
            file = self._files[bisect.bisect_right(self._ends, row)].filename
            raise self._damaged(file, problem)
        return encoded

    def _parsed(self, row):
        """The encoded picture and its label (0 where there are none)."""
        import tensorflow as tf

        place = bisect.bisect_right(self._ends, row)
        file = self._files[place]
        position = row - (self._ends[place] - file.take) + file.skip
        try:
            # Not `read(position, position + 1)`: it is faster on one thread if shards
            # have many records, but never returns on two (array_record 0.8.6).
            (record,) = self._reader(place).read([position])
            features = tf.train.Example.FromString(record).features.feature
            label = features[self._keys[1]].int64_list.value if self._keys[1:] else [0]
            return features[self._keys[0]].bytes_list.value[0], label[0]
        except Exception as error:  # the reader's own, and protobuf's
            problem = f"{type(error).__name__}: {str(error)[:300]}"
            raise self._damaged(file.filename, problem) from error

    def _reader(self, place):
        """The open shard."""
        with self._lock:
            if place not in self._readers:
                self._readers[place] = _open_shard(self._files[place])
            return self._readers[place]

    def _index(self, builder, split):
        """Labels of the rows by the index, where there is one and there are labels."""
        path = tfds.core.Path(self._directory) / record_index.FILE
        for file in self._files:
            if not tfds.core.Path(file.filename).exists():
                raise self._damaged(file.filename, "there is no such file")
        whole = builder.info.splits.get("train")
        if not path.exists() or whole is None:
            return None
        names, lengths = whole.filenames, whole.shard_lengths
        sizes, labels = record_index.read(path, lengths, bool(self._keys[1:]))
        places = {name: place for place, name in enumerate(sorted(names))}
        starts = list(itertools.accumulate(lengths, initial=0))
        rows = []
        for file in self._files:
            shard = tfds.core.Path(file.filename)
            if shard.name not in places:
                return None  # of another split, of which the index says nothing
            place, size = places[shard.name], shard.stat().length
            if size != sizes[place]:
                problem = f"it has {size} bytes and was written with {sizes[place]}"
                raise self._damaged(shard, problem)
            first = starts[place] + file.skip
            rows.append(np.arange(first, first + file.take))
        return None if labels is None else labels[np.concatenate(rows)]

    def _damaged(self, file, problem):
        return ValueError(
            f"A file of the data set in {self._directory} is missing or damaged: "
            f"{file}: {problem}. Prepare or copy it again."
        )


def _open_shard(file):
    """A reader of a shard that may be used on several threads."""
    from array_record.python.array_record_module import ArrayRecordReader

    reader = ArrayRecordReader(
        file.filename, options=_NO_READAHEAD, file_reader_buffer_size=_BUFFER
    )
    if reader.num_records() != file.examples_in_shard:
        raise ValueError(
            f"it has {reader.num_records()} records, not {file.examples_in_shard}"
        )
    return reader
