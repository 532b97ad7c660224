"""What `keras.Model` lacks on several workers: data, logs, and a common end."""

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
    """A model that is built from the start, with `fit` and `evaluate` for workers.

    Under `tf.distribute.MultiWorkerMirroredStrategy` every worker gives `fit` the same
    `tf.data.Dataset` of global batches, in the same order, and works on its rows.
    """

    def arguments_of(self, method, *args, **kwargs):
        """What a method of `keras.Model` is given, by the names of its arguments."""
        signature = inspect.signature(getattr(keras.Model, method))
        given = dict(signature.bind(self, *args, **kwargs).arguments)
        del given["self"]
        return given | given.pop("kwargs", {})

    def fit(self, *args, **kwargs):
        """As `keras.Model.fit`.

        Raises:
            ValueError: on several workers, if data are no `tf.data.Dataset`, or the
                workers do not fit each other.
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
        """As `keras.Model.evaluate`."""
        kwargs = self.arguments_of("evaluate", *args, **kwargs)
        if strategies.is_multi_worker(self.distribute_strategy):
            _share("x", "steps", kwargs, self.distribute_strategy)
        return super().evaluate(**kwargs)

    def predict(self, *args, **kwargs):
        """As `keras.Model.predict`.

        Raises:
            NotImplementedError: on several workers.
        """
        if strategies.is_multi_worker(self.distribute_strategy):
            # Keras puts the replicas' rows together along an axis that it does not
            # have there: its workers wait for each other, or fail one by one.
            raise NotImplementedError(
                "`predict` does not work on several workers. Every worker can call "
                "`generate`, or the model itself, as `gan([latents, labels])`: both "
                "compute all rows there and ask no other worker."
            )
        return super().predict(*args, **kwargs)

    def request_stop(self):
        """Ends training: at once when alone, else after a step that all agree on.

        For reasons that not all workers have, such as a clock or a signal; where all
        have the same reason, set `stop_training`.
        """
        if strategies.is_multi_worker(self.distribute_strategy):
            self._stop_request().ask()
        else:
            self.stop_training = True

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing is left to build.

        Keras would read a batch for it and reduce that over the replicas, which
        collectives cannot do with uint8 images.
        """

    def _make_function(self, step_function):
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
        """Raise a `ValueError` on every worker if they were started differently."""
        values = [_without_names(keras.saving.serialize_keras_object(self))]
        values.append(versions.metadata())
        if isinstance(dataset, tf.data.Dataset):
            batch = next(iter(dataset), None)
            values.append([np.asarray(x).tolist() for x in tf.nest.flatten(batch)])
        digests = np.stack([_digest(value) for value in values])
        found = strategies.gather(digests, self.distribute_strategy)
        for i, subject in enumerate(_SUBJECTS[: len(values)]):
            others = [
                w for w in range(len(found)) if (found[w, i] != found[0, i]).any()
            ]
            if others:
                raise ValueError(
                    f"The {subject} must be the same on every worker"
                    f"{_HINTS.get(subject, '')}. Received: another one on worker "
                    f"{', '.join(map(str, others))} than on worker 0."
                )


class _StopRequest:
    """Whether this worker wants training to end."""

    def __init__(self, strategy):
        self._strategy = strategy
        with strategy.scope():
            self._asked = tf.Variable(
                0.0,
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.SUM,
            )

    def ask(self):
        self._set(1.0)

    def reset(self):
        self._set(0.0)

    def read(self):
        """Of one replica, inside a step."""
        return self._asked.read_value()

    def _set(self, value):
        for mine in self._strategy.experimental_local_results(self._asked):
            mine.assign(value)


class _PackedLogs:
    """Logs of a step as one vector, with the wish to stop.

    Keras reduces every log of several workers by itself, along an axis that scalars
    do not have (keras issue 20585); one vector takes one reduction.
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
        """Dict of scalar tensors, and whether anybody wants to stop."""
        *values, stop = tf.unstack(means)
        return dict(zip(self._names, values, strict=True)), bool(stop > 0)


def _share(name, steps, kwargs, strategy):
    """Replace a dataset among the arguments of `fit` or `evaluate` by its share."""
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
                f"On several workers `{steps}` must be given where the dataset does "
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
    """A configuration without names, which depend on what else a process has made."""
    if isinstance(config, dict):
        return {k: _without_names(v) for k, v in config.items() if k != "name"}
    if isinstance(config, (list, tuple)):
        return [_without_names(x) for x in config]
    return config
