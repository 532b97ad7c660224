"""Strategies, rows and replicas; several processes are in `test_processes.py`."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import data
from keras_sagan.distributed import strategies
from keras_sagan.distributed.cluster import Cluster
from tests import helpers
from tests.training import equivalence

DEFAULT = tf.distribute.get_strategy()


def contexts(workers, replicas=None):
    return [
        tf.distribute.InputContext(workers, index, replicas or workers)
        for index in range(workers)
    ]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """22 images that are told apart by their first value, in batches of 8."""
    path = tmp_path_factory.mktemp("data") / "numbers.npz"
    images = np.zeros((22, 32, 32, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(22)
    np.savez(path, images=images, labels=np.arange(22) % 2)
    return data.load(f"npz:{path}", image_size=32, batch_size=8)


def numbers(dataset, batches):
    """First values of the images of some batches: int array `(batches, rows)`."""
    return np.stack([x.numpy()[:, 0, 0, 0] for x, _ in dataset.take(batches)])


# === The strategy ===
@pytest.mark.parametrize(
    ("name", "cluster", "message"),
    [
        ("both", None, "one of none, mirrored, multi_worker, auto. Received: 'both'"),
        ("multi_worker", None, "by `--workers` and `--index` or by TF_CONFIG.*no work"),
        ("mirrored", Cluster(("a:1",), 0), "Received: strategy='mirrored', workers"),
        ("none", Cluster(("a:1",), 0), "only then"),
    ],
)
def test_strategies_that_cannot_be(name, cluster, message):
    with pytest.raises(ValueError, match=message):
        strategies.create_strategy(name, cluster)


def test_without_gpus_auto_is_one_device_and_mirrored_all_logical_ones():
    assert strategies.create_strategy("none") is DEFAULT
    assert strategies.create_strategy() is DEFAULT
    mirrored = strategies.create_strategy("mirrored")
    assert mirrored.num_replicas_in_sync == 4
    for strategy in (DEFAULT, mirrored):
        assert not strategies.is_multi_worker(strategy)
        assert strategies.is_chief(strategy)
        assert strategies.worker_index(strategy) == 0


def test_batch_sizes_that_divide():
    strategy = equivalence.mirrored(4)
    strategies.check_batch_size(8, strategy)
    with pytest.raises(ValueError, match=r"number, 4\. Received: batch_size=10"):
        strategies.check_batch_size(10, strategy)


# === Rows ===
@pytest.mark.parametrize(
    ("workers", "parts"), [(1, 1), (2, 1), (4, 1), (2, 2), (2, 4), (4, 2)]
)
def test_workers_read_disjoint_rows_of_the_same_batches(source, workers, parts):
    source = dataclasses.replace(source, parts=parts)
    expected = numbers(source.stream(5), 6)
    read = [
        numbers(strategies.stream_of(source, 5, context), 6)
        for context in contexts(workers)
    ]
    np.testing.assert_array_equal(np.concatenate(read, axis=1), expected)
    shared = [
        numbers(strategies.rows_of(source.stream(5), 8, context), 6)
        for context in contexts(workers)
    ]
    np.testing.assert_array_equal(shared, read)


def test_no_example_is_seen_twice_in_an_epoch(source):
    whole = dataclasses.replace(source, batch_size=2)  # 22 is 11 batches of 2
    read = [
        numbers(strategies.stream_of(whole, 0, context), 11) for context in contexts(2)
    ]
    assert sorted(np.ravel(read)) == list(range(22))


@pytest.mark.distributed
@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_replicas_get_their_rows_in_order(source, replicas):
    strategy = equivalence.mirrored(replicas)
    for dataset in (
        strategies.shard(source.stream(3), strategy),
        strategies._distribute(
            lambda context: strategies.stream_of(source, 3, context), strategy
        ),
    ):
        batch, _ = next(iter(dataset))
        shares = strategy.experimental_local_results(batch)
        assert [len(x) for x in shares] == [8 // replicas] * replicas
        np.testing.assert_array_equal(
            np.concatenate(shares)[:, 0, 0, 0], numbers(source.stream(3), 1)[0]
        )


def test_a_stream_for_one_process_is_the_sources_own(source):
    found = strategies.stream(source, 3, DEFAULT)
    np.testing.assert_array_equal(numbers(found, 2), numbers(source.stream(3), 2))
    with pytest.raises(ValueError, match="batch_size=8"):
        strategies.stream(source, 3, equivalence.mirrored(3))


def test_batches_without_a_size_cannot_be_shared(source):
    with pytest.raises(ValueError, match="drop_remainder=True"):
        strategies.shard(source.stream().unbatch().batch(8), DEFAULT)
    with pytest.raises(ValueError, match="Received: batch_size=8"):
        strategies.shard(source.stream(), equivalence.mirrored(3))


# === Optimizers ===
def test_loss_scale_optimizers_are_refused_with_the_reason():
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
    strategies.check_optimizer("g_optimizer", optimizer)
    with equivalence.mirrored(2).scope():
        gan = helpers.tiny_gan(attention=False)
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
        with pytest.raises(ValueError, match=r"infinite.* on 2 replicas"):
            gan.compile(d_optimizer=optimizer)


def test_optimizers_are_made_in_the_scope():
    optimizer = keras.optimizers.SGD()
    with equivalence.mirrored(2).scope(), pytest.raises(ValueError, match="the strat"):
        strategies.check_optimizer("g_optimizer", optimizer)


def test_models_are_made_and_compiled_in_the_scope():
    strategy = equivalence.mirrored(2)
    with strategy.scope():
        inside = helpers.tiny_gan(attention=False)
        inside.compile()
    with pytest.raises(ValueError, match=r"compiled in the scope of its"):
        inside.compile()
    outside = helpers.tiny_gan(attention=False)
    with strategy.scope(), pytest.raises(ValueError, match="created in that scope"):
        outside.compile()


def test_float16_on_several_replicas_is_refused_with_the_reason():
    with equivalence.mirrored(2).scope():
        gan = helpers.tiny_gan(attention=False, dtype="mixed_float16")
        with pytest.raises(ValueError, match=r"infinite.*mixed_bfloat16"):
            gan.compile()


@pytest.mark.distributed
def test_the_reason_is_still_there():
    """When this fails, Keras can do it: then the refusal can go."""
    strategy = equivalence.mirrored(2)
    with strategy.scope():
        weight = keras.Variable([1.0])
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
        optimizer.build([weight])

    def step():
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        optimizer.apply([tf.where(tf.equal(replica, 1), [np.inf], [0.0])], [weight])

    tf.function(lambda: strategy.run(step))()
    assert not np.isfinite(weight.numpy()).all()


# === What workers share, where there is one ===
def test_alone_there_is_nothing_to_share():
    array = np.arange(3, dtype=np.int32)
    np.testing.assert_array_equal(strategies.gather(array, DEFAULT), [array])
    arrays = {"x": array}
    assert strategies.from_chief(arrays, DEFAULT) is arrays
