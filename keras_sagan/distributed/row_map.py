"""Spreads the rows of a computation over the replicas of a process."""

import numpy as np
import tensorflow as tf

from keras_sagan.distributed import strategies


class RowMap:
    """Applies a function to many rows with all replicas of this process.

    Args:
        function: function from tensors `(n, ...)` to a tensor `(n, ...)` or a tuple of
            such tensors and None. It must treat each row by itself and must not
            communicate between replicas.
        strategy: `tf.distribute.Strategy`.

    Call arguments:
        columns: list of arrays of equal length.
        batch_size: int > 0. Number of rows that a replica computes at once.

    Returns: array of the results in the order of the rows, or a tuple of arrays and
        None.
    """

    def __init__(self, function, strategy):
        self._function = function
        self._strategy = strategy
        self._replicas = strategies.local_replicas(strategy)
        self._on_all = tf.function(
            lambda share: strategy.run(self._on_one, share),
            reduce_retracing=True,
            autograph=False,
        )

    def __call__(self, columns, batch_size):
        count = len(columns[0])
        # Smaller batches, if otherwise some replicas would be idle.
        batch_size = min(batch_size, -(-count // self._replicas))
        shares = [
            tuple(tf.constant(x[start : start + batch_size]) for x in columns)
            for start in range(0, count, batch_size)
        ]
        if self._replicas == 1:
            results = [_numpy(self._function(*x)) for x in shares]
        else:
            groups = range(0, len(shares), self._replicas)
            results = [
                y for i in groups for y in self._group(shares[i : i + self._replicas])
            ]
        return tf.nest.map_structure(_joined, *results)

    def _on_one(self, *rows):
        """Calls the function through a plain method.

        `strategy.run` would trace a `tf.function` once for all replicas together.
        """
        return self._function(*rows)

    def _group(self, shares):
        """Returns the results of at most as many shares as there are replicas."""
        # All replicas must take part, so repeated shares fill up the last group.
        padding = shares[:1] * (self._replicas - len(shares))
        values = iter([*shares, *padding])
        distributed = self._strategy.experimental_distribute_values_from_function(
            lambda _: next(values)
        )
        results = self._on_all(distributed)
        local = self._strategy.experimental_local_results

        def of(replica):
            return tf.nest.map_structure(
                lambda x: None if x is None else local(x)[replica].numpy(), results
            )

        return [of(replica) for replica in range(len(shares))]


def _numpy(results):
    return tf.nest.map_structure(lambda x: None if x is None else x.numpy(), results)


def _joined(*parts):
    return None if parts[0] is None else np.concatenate(parts)
