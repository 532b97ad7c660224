"""What one process shows; two are in `test_processes.py`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.distributed import model
from tests import helpers
from tests.training import equivalence

IMAGES, LABELS = helpers.images_and_labels(12)


def dataset(batch_size=4):
    data = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS))
    return data.batch(batch_size, drop_remainder=True)


def test_arguments_reach_keras_by_place_and_by_name():
    gan, _ = equivalence.build(tf.distribute.get_strategy(), run_eagerly=True)
    ended = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: ended.append(sorted(logs))
    )
    gan.fit(IMAGES, LABELS, 4, 2, 0, callbacks=[callback], steps_per_epoch=1)
    assert len(ended) == 2
    logs = gan.evaluate(IMAGES, LABELS, 4, 0, return_dict=True)
    assert sorted(logs) == ended[0]


def test_a_request_to_stop_is_granted_at_once_when_alone():
    gan, _ = equivalence.build(tf.distribute.get_strategy(), run_eagerly=True)
    stop = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: gan.request_stop()
    )
    gan.fit(dataset(), epochs=3, verbose=0, callbacks=[stop])
    assert int(gan.g_optimizer.iterations) == 1


def test_the_global_batch_must_divide_by_the_replicas():
    gan, _ = equivalence.build(equivalence.mirrored(2))
    with pytest.raises(ValueError, match=r"number, 2\. Received: batch_size=3"):
        gan.fit(dataset(3))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (IMAGES, "`x` must be a tf.data.Dataset.*Received: x of type ndarray"),
        (dataset().repeat(), r"`steps` must be given.*cardinality -1"),
        (dataset().filter(lambda *_: True), r"`steps` must be given.*cardinality -2"),
    ],
)
def test_data_that_workers_cannot_share(data, message):
    with pytest.raises(ValueError, match=message):
        model._share("x", "steps", {"x": data}, None)


def test_shared_data_know_their_steps():
    arguments = {"x": dataset()}
    strategy = equivalence.mirrored(2)
    model._share("x", "steps", arguments, strategy)
    assert arguments["steps"] == 3
    assert isinstance(arguments["x"], tf.distribute.DistributedDataset)
    again = dict(arguments)
    model._share("x", "steps", again, strategy)
    assert again == arguments


def test_logs_travel_as_one_vector():
    request = model._StopRequest(tf.distribute.get_strategy())
    logs = model._PackedLogs(request)
    step = tf.function(logs.packed(lambda x: {"b": x, "a": tf.cast(2 * x, "float64")}))
    packed = step(tf.constant(3.0))
    assert packed.shape == (1, 3)
    values, stop = logs.unpacked(packed[0])
    assert {name: float(x) for name, x in values.items()} == {"a": 6.0, "b": 3.0}
    assert all(x.shape == () for x in values.values()) and not stop
    request.ask()
    assert logs.unpacked(step(tf.constant(3.0))[0])[1]
    request.reset()
    assert not logs.unpacked(step(tf.constant(3.0))[0])[1]


def test_digests_see_what_matters():
    gan, _ = equivalence.build(tf.distribute.get_strategy())
    config = model._without_names(keras.saving.serialize_keras_object(gan))
    other, _ = equivalence.build(tf.distribute.get_strategy(), ema_decay=0.5)
    changed = model._without_names(keras.saving.serialize_keras_object(other))
    twin, _ = equivalence.build(tf.distribute.get_strategy())
    assert twin.generator.name != gan.generator.name
    same = model._without_names(keras.saving.serialize_keras_object(twin))
    digest = model._digest
    np.testing.assert_array_equal(digest(config), digest(same))
    assert (digest(config) != digest(changed)).any()
