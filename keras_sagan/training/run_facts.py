"""What a run was trained on and with, as a file beside its configuration."""

import json
import os
import pathlib
import platform

import tensorflow as tf

from keras_sagan.training.file_errors import naming

FILE = "facts.json"


def describe(source, diversity):
    """The data and the machine of a run, as a dictionary of JSON values.

    Args:
        source: `keras_sagan.data.Source`.
        diversity: float. `divergence.diversity` of the real images.
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


def write(directory, facts):
    """Writes `facts.json`, whole or not at all."""
    path = pathlib.Path(directory, FILE)
    partial = path.with_name(f".{FILE}-new")
    with naming(path):
        partial.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        partial.replace(path)


def _device(device):
    details = tf.config.experimental.get_device_details(device)
    return details.get("device_name") or device.name.rpartition("physical_device:")[2]


def _processor():
    path = pathlib.Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    return names[0].strip() if names else platform.processor() or platform.machine()
