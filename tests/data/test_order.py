"""The same seed gives the same batches: on every run, thread count, after resume."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from tests import helpers

PROGRAM = """
import hashlib, os, sys
name, cpus, start, labels = sys.argv[1:]
os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: int(cpus)]))
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(int(cpus))
tf.config.threading.set_inter_op_parallelism_threads(int(cpus))
from keras_sagan.data import load
source = load(name, 16, 8, seed=5, label_sampling=labels)
digest = hashlib.sha256()
for images, labels in source.stream(int(start)).take(12).as_numpy_iterator():
    digest.update(images.tobytes() + labels.tobytes())
print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Forty JPEG files of three classes."""
    root = tmp_path_factory.mktemp("order")
    for i in range(40):
        values = np.random.default_rng(i).integers(0, 256, (30, 40, 3), np.uint8)
        path = root / "abc"[min(i % 5, 2)] / f"{i}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(values).save(path)
    return root


@pytest.mark.parametrize(
    "labels", ["natural", pytest.param("balanced", marks=pytest.mark.slow)]
)
def test_batches_do_not_depend_on_the_process(pictures, labels):
    """Processes of one thread and of several; one that starts in the middle."""
    from keras_sagan.data import load

    source = load(f"folder:{pictures}", 16, 8, seed=5, label_sampling=labels)
    expected = {}
    for start in (0, 24):
        digest = hashlib.sha256()
        stream = list(source.stream(0).take(15).as_numpy_iterator())
        for images, batch_labels in stream[start // 8 :][:12]:
            digest.update(images.tobytes() + batch_labels.tobytes())
        expected[start] = digest.hexdigest()
    for cpus, start in ((1, 0), (2, 24)):
        name = f"folder:{pictures}"
        found = helpers.run_python(PROGRAM, name, cpus, start, labels)
        assert found == expected[start]
    assert expected[0] != expected[24]
