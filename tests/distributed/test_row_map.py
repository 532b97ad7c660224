import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.distributed.row_map import RowMap
from tests import helpers
from tests.training import equivalence


@pytest.mark.distributed
@pytest.mark.parametrize("replicas", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 7, 12])
def test_rows_come_back_in_order(replicas, count):
    strategy = equivalence.mirrored(replicas)
    with strategy.scope():
        factor = tf.Variable(2.0)
    sizes = []

    @tf.function(input_signature=[tf.TensorSpec((None, 2)), tf.TensorSpec((None,))])
    def feature(x, y):
        tf.py_function(sizes.append, [tf.shape(x)[0]], [])
        return factor * x + y[:, tf.newaxis]

    x = np.random.default_rng(0).normal(size=(count, 2)).astype("float32")
    y = np.arange(count, dtype="float32")
    rows = RowMap(feature, strategy)([x, y], 3)
    np.testing.assert_allclose(rows, 2 * x + y[:, None], rtol=1e-6)
    assert max(int(size) for size in sizes) <= min(3, -(-count // replicas))


@pytest.mark.slow
@pytest.mark.distributed
def test_images_of_two_replicas_are_those_of_one():
    gan, _ = equivalence.build(equivalence.mirrored(1))
    expected = gan.generate(labels=[0, 1, 2] * 3, seed=5, truncation=0.7)
    pair, _ = equivalence.build(equivalence.mirrored(2))
    images = pair.generate(labels=[0, 1, 2] * 3, seed=5, truncation=0.7, batch_size=2)
    helpers.assert_same_pixels(images, expected)
