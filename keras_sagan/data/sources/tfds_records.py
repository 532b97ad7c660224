"""Reads TFDS data sets in `array_record` files, whose pictures have random access."""

import bisect
import functools
import itertools
import threading

import numpy as np
import tensorflow_datasets as tfds

from keras_sagan.data.decoding import map_parallel, with_progress
from keras_sagan.data.pictures import Picture, open_encoded
from keras_sagan.data.sources import record_index
from keras_sagan.files import descriptors

# A random read of a record reads little else. With the 32 KiB of TFDS's data source and
# of grain, records of 7 KB take 2.5 times as many bytes.
_BUFFER = 4096
_NO_READAHEAD = "readahead_buffer_size:0"


def has_random_access(builder):
    """Returns whether the files of a TFDS builder are `array_record`."""
    return builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD


class Records:
    """Gives access to the records of a split by row.

    A shard is opened when the first of its records is read, and stays open. Records can
    be read from any number of threads.

    Args:
        builder: `tfds.core.DatasetBuilder` whose files are `array_record`.
        split: str. A split or a slice of one that has examples.
        keys: tuple of str. Names of the features of pictures and, if any, of labels.

    Raises:
        ValueError: if a shard is missing or has another size than in the index, or if
            the index belongs to other shards.
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
        """Returns the `rows`, `at` and `labels` of `Pictures`: dict."""
        labels = self.labels() if labelled else None

        def at(row):
            name = f"{self._name}[{row}]"
            label = int(labels[row]) if labelled else None
            encoded = functools.partial(self.encoded, row)
            return Picture(name, label, lambda: open_encoded(encoded(), name), encoded)

        def rows(start, stop):
            return map(at, range(start, stop))

        return {"rows": rows, "at": at, "labels": labels}

    def labels(self):
        """Returns the labels of all rows: int64 array.

        They are read from the index or, if there is none, from all records.

        Raises:
            ValueError: if a record cannot be read.
        """
        if self._labels is None:
            found = map_parallel(lambda row: self._parsed(row)[1], range(len(self)))
            shown = with_progress(found, len(self), "reading labels")
            self._labels = np.fromiter(shown, np.int64, len(self))
        return self._labels

    def encoded(self, row):
        """Returns the encoded picture of a row: bytes.

        Raises:
            ValueError: if the record cannot be read, or if its label is not that of the
                index. The message names the shard.
        """
        encoded, label = self._parsed(row)
        if self._labels is not None and label != self._labels[row]:
            problem = f"a picture has label {label} instead of {self._labels[row]}"
            file = self._files[bisect.bisect_right(self._ends, row)].filename
            raise self._damaged(file, problem)
        return encoded

    def _parsed(self, row):
        """Returns the encoded picture and its label (0 if unlabelled)."""
        import tensorflow as tf

        place = bisect.bisect_right(self._ends, row)
        file = self._files[place]
        position = row - (self._ends[place] - file.take) + file.skip
        try:
            # `read(position, position + 1)` is faster in one thread if shards have many
            # records, but never returns in two threads (array_record 0.8.6).
            (record,) = self._reader(place).read([position])
            features = tf.train.Example.FromString(record).features.feature
            label = features[self._keys[1]].int64_list.value if self._keys[1:] else [0]
            return features[self._keys[0]].bytes_list.value[0], label[0]
        except Exception as error:  # from the reader or from protobuf
            problem = f"{type(error).__name__}: {str(error)[:300]}"
            raise self._damaged(file.filename, problem) from error

    def _reader(self, place):
        """Returns the reader of a shard, which is opened if needed."""
        with self._lock:
            if place not in self._readers:
                self._readers[place] = _open_shard(self._files[place])
            return self._readers[place]

    def _index(self, builder, split):
        """Returns the labels of the rows from the index, or `None` without them."""
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
                return None  # another split, which is not in the index
            place, size = places[shard.name], shard.stat().length
            if size != sizes[place]:
                problem = f"it has {size} bytes, but was written with {sizes[place]}"
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
    """Opens a shard and returns a reader that can be used in several threads."""
    from array_record.python.array_record_module import ArrayRecordReader

    reader = ArrayRecordReader(
        file.filename, options=_NO_READAHEAD, file_reader_buffer_size=_BUFFER
    )
    if reader.num_records() != file.examples_in_shard:
        raise ValueError(
            f"it has {reader.num_records()} records, not {file.examples_in_shard}"
        )
    return reader
