"""Records the data and the machine of a run in `facts.json`.

When a run is resumed, the file shows whether the data are still the same.
"""

import dataclasses
import hashlib
import os
import pathlib
import platform
import warnings

import numpy as np
import tensorflow as tf

from keras_sagan.data.source import Examples
from keras_sagan.data.stored_images import StoredImages
from keras_sagan.distributed import strategies
from keras_sagan.files import writing
from keras_sagan.runs import reading

_SAMPLED = 256  # images whose content is compared


def describe(source, diversity):
    """Describes the data and the machine of a run.

    Args:
        source: `keras_sagan.data.Source`.
        diversity: float. `divergence.diversity` of the real images.

    Returns: dict of JSON values with the keys `data` and `machine`.
    """
    counts = source.class_counts
    return {
        "data": {
            "name": source.name,
            "split": source.split,
            "images": int(source.num_examples),
            "image_size": int(source.image_size),
            "channels": int(source.channels),
            "class_names": source.class_names and list(source.class_names),
            "class_counts": None if counts is None else [int(x) for x in counts],
            "content": content(source),
            "diversity": round(float(diversity), 3),
        },
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_gib": round(
                os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1
            ),
            "devices": [_device(x) for x in tf.config.list_physical_devices()],
        },
    }


def content(source, with_images=True):
    """Returns a hash (str) of all labels and, if wanted, of a sample of the images."""
    images, labels = source.arrays()
    digest = hashlib.blake2b(digest_size=16)
    if with_images:
        for i in range(0, len(images), max(1, len(images) // _SAMPLED)):
            digest.update(images[i].tobytes())
    if labels is not None:
        digest.update(labels.tobytes())
    return digest.hexdigest()


def in_run_order(directory, source):
    """Returns the source with its classes in the order in which the run had them.

    An older version sorted class folders "0" to "11" as text. A run that was started
    with it keeps its labels, and the order of its images, class by class.

    Args:
        directory: path of the run's directory.
        source: `keras_sagan.data.Source`.
    """
    names, before = source.class_names, _data_facts(directory).get("class_names")
    same = isinstance(before, list) and names and sorted(names) == sorted(before)
    # Not with several workers, of which some may not have the directory.
    several = strategies.is_multi_worker(tf.distribute.get_strategy())
    if not same or several or list(names) == before:
        return source
    images, labels = source.arrays()
    labels = np.array([before.index(name) for name in names], np.int32)[labels]
    order = np.argsort(labels, kind="stable")
    stored = isinstance(images, StoredImages)
    images = images.in_order(order) if stored else images[order]
    examples = Examples(images, labels[order], tuple(before))
    return dataclasses.replace(source, examples=examples)


def check_same_data(directory, source):
    """Compares the data of a resumed run with those recorded in its `facts.json`.

    If the images differ, there is a warning: later batches will not be those that the
    run would have had. A run without the file is not checked.

    Args:
        directory: path of the run's directory.
        source: `keras_sagan.data.Source`.

    Raises:
        ValueError: if the classes differ, because a label would then have another
            meaning than before.
    """
    before = _data_facts(directory)
    names = source.class_names and list(source.class_names)
    if before.get("class_names", names) != names:
        raise ValueError(
            f"The run in {str(directory)!r} was started with the classes "
            f"{before['class_names']!r:.500}; now {source.name!r} has {names!r:.500}. "
            "Labels would have another meaning for the networks. Nothing was changed."
        )
    now = {"images": source.num_examples, "content": content(source)}
    if any(before.get(key, value) != value for key, value in now.items()):
        warnings.warn(
            f"The images of {source.name!r} are not those with which the run in "
            f"{str(directory)!r} was started ({before.get('images')} images then, "
            f"{source.num_examples} now, or different ones). It goes on with the "
            "current images, and will not end as it would have without the "
            "interruption.",
            stacklevel=2,
        )


def class_counts(directory):
    """Returns the number of examples of each class: list of int, or None if unknown."""
    counts = _data_facts(directory).get("class_counts")
    valid = isinstance(counts, list) and all(type(x) is int and x >= 0 for x in counts)
    return counts if valid else None


def _data_facts(directory):
    """Returns the part of `facts.json` about the data: dict, empty if there is none."""
    try:
        data = reading.read_facts(directory)["data"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return data if isinstance(data, dict) else {}


def write(directory, facts):
    """Writes `facts.json`, completely or not at all."""
    path = pathlib.Path(directory, reading.FACTS)
    writing.replace_file(path, writing.json_text(facts))


def _device(device):
    details = tf.config.experimental.get_device_details(device)
    return details.get("device_name") or device.name.rpartition("physical_device:")[2]


def _processor():
    path = pathlib.Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    return names[0].strip() if names else platform.processor() or platform.machine()
