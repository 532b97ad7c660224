"""A `keras.Model` that can train on several workers.

Keras leaves three things open there: how the data are split, how the logs of all
workers are combined, and how training stops on all of them at the same step.
"""

import hashlib
import inspect
import json

import keras
import numpy as np
import tensorflow as tf

from keras_sagan import versions
from keras_sagan.distributed import strategies

_SUBJECTS = ("configuration", "package versions", "first batch of the data set")
_HINTS = {_SUBJECTS[2]: " (shuffle with a seed)"}


class DistributedModel(keras.Model):
    """A model whose `fit` and `evaluate` also run on several workers.

    Under `tf.distribute.MultiWorkerMirroredStrategy` every worker passes the same
    `tf.data.Dataset` of global batches, in the same order, to `fit`, and works on its
    own rows of every batch. A subclass must be built when its constructor returns.
    """

    def arguments_of(self, method, *args, **kwargs):
        """Returns a dict of the arguments of a `keras.Model` method, by their names."""
        signature = inspect.signature(getattr(keras.Model, method))
        arguments = dict(signature.bind(self, *args, **kwargs).arguments)
        del arguments["self"]
        return arguments | arguments.pop("kwargs", {})

    def fit(self, *args, **kwargs):
        """Trains the model; arguments and result are those of `keras.Model.fit`.

        Raises:
            ValueError: if the batch size is not a multiple of the number of replicas;
                on several workers also if the data are not a `tf.data.Dataset`, or if
                the workers were started with different settings, versions or data.
        """
        kwargs = self.arguments_of("fit", *args, **kwargs)
        x = kwargs.get("x")
        if isinstance(x, tf.data.Dataset):
            _check_divides(x, self.distribute_strategy)
        elif isinstance(x, np.ndarray) or tf.is_tensor(x):
            batch_size = kwargs.get("batch_size") or 32  # Keras's default
            strategies.check_batch_size(batch_size, self.distribute_strategy)
        if strategies.is_multi_worker(self.distribute_strategy):
            self._stop_request().reset()
            self._check_same_everywhere(x)
            _share("x", "steps_per_epoch", kwargs, self.distribute_strategy)
            if kwargs.get("validation_data") is not None:
                _share(
                    "validation_data",
                    "validation_steps",
                    kwargs,
                    self.distribute_strategy,
                )
        if isinstance(kwargs.get("x"), tf.distribute.DistributedDataset):
            kwargs["shuffle"] = False  # Keras warns that it ignores True
        return super().fit(**kwargs)

    def evaluate(self, *args, **kwargs):
        """Evaluates the model; see `keras.Model.evaluate`, and `fit` for the data."""
        kwargs = self.arguments_of("evaluate", *args, **kwargs)
        if strategies.is_multi_worker(self.distribute_strategy):
            _share("x", "steps", kwargs, self.distribute_strategy)
        return super().evaluate(**kwargs)

    def predict(self, *args, **kwargs):
        """Computes outputs for many inputs; see `keras.Model.predict`.

        Raises:
            NotImplementedError: on several workers.
        """
        if strategies.is_multi_worker(self.distribute_strategy):
            # Keras's way of concatenating the replicas' outputs fails there: the
            # workers hang, or end with errors one after the other.
            raise NotImplementedError(
                "`predict` does not work on several workers. Every worker can call "
                "`generate`, or the model itself, as `gan([latents, labels])`: both "
                "compute all rows on that worker, without the others."
            )
        return super().predict(*args, **kwargs)

    def request_stop(self):
        """Ends training, on several workers after the same step everywhere.

        Use it for reasons that only some workers may have, such as the clock or a
        signal. If all of them have the same reason, set `stop_training` instead.
        """
        if strategies.is_multi_worker(self.distribute_strategy):
            self._stop_request().ask()
        else:
            self.stop_training = True

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing, because the model is already built.

        Keras would read a batch to build it and reduce that batch over the replicas;
        collective operations do not support uint8 images.
        """

    def _make_function(self, step_function):
        """Compiles a step as Keras does, but with packed logs on several workers."""
        if not strategies.is_multi_worker(self.distribute_strategy):
            return super()._make_function(step_function)
        logs = _PackedLogs(self._stop_request())
        function = super()._make_function(logs.packed(step_function))

        def run(iterator):
            values, stop = logs.unpacked(function(iterator))
            if stop:
                self.stop_training = True
            return values

        return run

    def _stop_request(self):
        if getattr(self, "_request", None) is None:
            self._request = _StopRequest(self.distribute_strategy)
        return self._request

    def _check_same_everywhere(self, dataset):
        """Raises a `ValueError` on every worker if any of them was started differently.

        Compared are the configuration, the package versions and the first batch.
        """
        values = [_without_names(keras.saving.serialize_keras_object(self))]
        values.append(versions.metadata())
        if isinstance(dataset, tf.data.Dataset):
            batch = next(iter(dataset), None)
            values.append([np.asarray(x).tolist() for x in tf.nest.flatten(batch)])
        digests = np.stack([_digest(value) for value in values])
        gathered = strategies.gather(digests, self.distribute_strategy)
        for i, subject in enumerate(_SUBJECTS[: len(values)]):
            others = [
                w
                for w in range(len(gathered))
                if (gathered[w, i] != gathered[0, i]).any()
            ]
            if others:
                raise ValueError(
                    f"The {subject} must be the same on every worker"
                    f"{_HINTS.get(subject, '')}. Received: a different one on worker "
                    f"{', '.join(map(str, others))} than on worker 0."
                )


class _StopRequest:
    """A variable that tells all workers whether one of them wants training to end."""

    def __init__(self, strategy):
        self._strategy = strategy
        with strategy.scope():
            self._asked = tf.Variable(
                0.0,
                trainable=False,
                # Each worker sets its own copy without waiting for the others.
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.SUM,
            )

    def ask(self):
        self._set(1.0)

    def reset(self):
        self._set(0.0)

    def read(self):
        """Returns the value of one replica; to be called inside a step."""
        return self._asked.read_value()

    def _set(self, value):
        for mine in self._strategy.experimental_local_results(self._asked):
            mine.assign(value)


class _PackedLogs:
    """Packs the logs of a step and the request to stop into one vector.

    On several workers Keras reduces each log separately, along an axis that scalars do
    not have (keras issue 20585). A vector has that axis and needs only one reduction.
    """

    def __init__(self, request):
        self._request = request
        self._names = None  # known when the step is traced

    def packed(self, step_function):
        def step(data):
            logs = step_function(data)
            self._names = sorted(logs)
            values = [tf.cast(logs[name], tf.float32) for name in self._names]
            return tf.stack([*values, self._request.read()])[tf.newaxis]

        return step

    def unpacked(self, means):
        """Returns a dict of scalar tensors, and whether any worker wants to stop."""
        *values, stop = tf.unstack(means)
        return dict(zip(self._names, values, strict=True)), bool(stop > 0)


def _share(name, steps, kwargs, strategy):
    """Replaces a dataset among the arguments by this worker's share of it.

    Args:
        name: str. The argument that holds the dataset.
        steps: str. The argument that holds its number of batches; filled in if the
            dataset knows it, because the share has no end.
        kwargs: dict of the arguments of `fit` or `evaluate`; modified in place.
        strategy: `tf.distribute.Strategy`.
    """
    dataset = kwargs.get(name)
    if isinstance(dataset, tf.distribute.DistributedDataset):
        return
    if not isinstance(dataset, tf.data.Dataset):
        raise ValueError(
            f"On several workers `{name}` must be a tf.data.Dataset, with the same "
            f"batches on every worker. Received: {name} of type "
            f"{type(dataset).__name__}."
        )
    if kwargs.get(steps) is None:
        kwargs[steps] = int(dataset.cardinality())
        if kwargs[steps] < 1:
            raise ValueError(
                f"On several workers `{steps}` must be given if the dataset does "
                "not know its number of batches. Received: a dataset of cardinality "
                f"{kwargs[steps]} (-1: infinite, -2: unknown)."
            )
    kwargs[name] = strategies.shard(dataset, strategy)


def _check_divides(dataset, strategy):
    batch_size = strategies.batch_size_of(dataset)
    if batch_size is not None:
        strategies.check_batch_size(batch_size, strategy)


def _digest(value):
    text = json.dumps(value, sort_keys=True, default=str).encode()
    digest = hashlib.blake2b(text, digest_size=16).digest()
    return np.frombuffer(digest, np.int32)


def _without_names(config):
    """Returns a configuration without names.

    Keras numbers the names of layers in the order in which a process creates them.
    """
    if isinstance(config, dict):
        return {k: _without_names(v) for k, v in config.items() if k != "name"}
    if isinstance(config, (list, tuple)):
        return [_without_names(x) for x in config]
    return config
