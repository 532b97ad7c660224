"""Slices of splits, such as "train[:90%]", for any source, in the notation of TFDS."""

import bisect
import dataclasses
import itertools
import typing

import numpy as np


class Slice(typing.NamedTuple):
    """Rows `[start, stop)` of a split."""

    split: str
    start: int
    stop: int


def parse(split, counts, name):
    """Returns the rows for which a split or slice stands.

    Args:
        split: str. "train", "train[:90%]", "train[10:20]", "train[:5]+test".
        counts: dict from the name of each existing split to its number of examples.
        name: str. Name of the data set, for messages.

    Returns:
        list of `Slice`, none of them empty.

    Raises:
        ValueError: if there is no such split (the message names those that exist), or
            if it is empty.
    """
    slices = [Slice(split, 0, counts[split])] if split in counts else None
    slices = [x for x in slices or _sliced(split, counts, name) if x.stop > x.start]
    if not slices:
        raise ValueError(
            f"`split` of {name!r} has no examples. Received: split={split!r}."
        )
    return slices


def _sliced(split, counts, name):
    import tensorflow_datasets as tfds

    infos = {key: tfds.core.SplitInfo(key, [count], 0) for key, count in counts.items()}
    try:
        rows = tfds.core.ReadInstruction.from_spec(split).to_absolute(infos)
    except Exception as error:  # its parser raises many kinds
        raise ValueError(
            f"`split` must be one of {sorted(counts)} or a slice of it such as "
            f"'train[:90%]' for {name!r}. Received: split={split!r}."
        ) from error
    return [
        Slice(x.splitname, x.from_ or 0, counts[x.splitname] if x.to is None else x.to)
        for x in rows
    ]


def take(splits, split, name):
    """Returns the `Pictures` of a split or slice.

    Args:
        splits: dict from the name of each split to its `Pictures`; all have the same
            classes.
        split, name: as for `parse`.

    Raises:
        ValueError: as for `parse`.
    """
    if split in splits:  # even if it is empty, because its problems are reported later
        return splits[split]
    counts = {key: pictures.count for key, pictures in splits.items()}
    return _joined(
        [
            (splits[part.split], part.start, part.stop)
            for part in parse(split, counts, name)
        ]
    )


def _joined(parts):
    """Returns the `Pictures` of ranges of others, a list of (pictures, start, stop)."""
    ends = list(itertools.accumulate(stop - start for _, start, stop in parts))
    whole = list({id(pictures): pictures for pictures, _, _ in parts}.values())

    def at(row):
        number = bisect.bisect_right(ends, row)
        pictures, _, stop = parts[number]
        return pictures.at(stop - ends[number] + row)

    def rows(first, last):
        for (pictures, start, stop), end in zip(parts, ends, strict=True):
            offset = stop - end
            begin = max(first + offset, start)
            if begin < min(last + offset, stop):
                yield from pictures.rows(begin, min(last + offset, stop))

    labels = None
    if all(pictures.labels is not None for pictures in whole):
        labels = np.concatenate([x.labels[start:stop] for x, start, stop in parts])
    return dataclasses.replace(
        whole[0],
        count=ends[-1],
        rows=rows,
        at=at if all(pictures.at for pictures in whole) else None,
        labels=labels,
        problems=tuple(itertools.chain.from_iterable(x.problems for x in whole)),
        notes=tuple(itertools.chain.from_iterable(x.notes for x in whole)),
        fingerprint=repr([(x.fingerprint, start, stop) for x, start, stop in parts]),
    )
