"""Runs a SavedModel for requests that have been checked against its signatures."""

import pathlib

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from keras_sagan.serving.errors import Code, ServingError, invalid
from keras_sagan.serving.signatures import Signature, TensorSpec

DEFAULT_SIGNATURE = "serving_default"
_INIT = "__saved_model_init_op"
_WARM_UP = ("assets.extra", "tf_serving_warmup_requests")


class Servable:
    """A version of a model, ready to answer requests.

    As in TensorFlow Serving, it is loaded into a graph and run in a session by the
    names of tensors, so that no Python code of the model is involved.

    Args:
        directory: str or path of the SavedModel.
        max_batch: int. Largest number of rows of a request.

    Raises:
        OSError: if there is no SavedModel.
        ValueError: if its file of warm-up requests is damaged.
    """

    def __init__(self, directory, max_batch):
        self.max_batch = max_batch
        graph = tf.Graph()
        with graph.as_default():
            self._session = tf.compat.v1.Session(graph=graph)
            meta_graph = tf.compat.v1.saved_model.load(
                self._session, [tf.saved_model.SERVING], str(directory)
            )
        self.signature_defs = {
            name: definition
            for name, definition in meta_graph.signature_def.items()
            if name != _INIT
        }
        self.signatures = {
            name: Signature(_specs(definition.inputs), _specs(definition.outputs))
            for name, definition in self.signature_defs.items()
        }
        self._functions = {
            name: self._function(definition)
            for name, definition in self.signature_defs.items()
        }
        self._warm_up(pathlib.Path(directory, *_WARM_UP))

    def _function(self, definition):
        """Returns a function of the input values, which are sorted by their names."""

        def tensors(infos):
            return [
                self._session.graph.get_tensor_by_name(infos[name].name)
                for name in sorted(infos)
            ]

        return self._session.make_callable(
            tensors(definition.outputs), tensors(definition.inputs)
        )

    def _warm_up(self, path):
        """Replays the requests that come with the model, as TensorFlow Serving does.

        The first run of a signature takes seconds, which the first client would
        otherwise have to wait.
        """
        if not path.is_file():
            return
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            try:
                log = prediction_log_pb2.PredictionLog.FromString(record)
            except DecodeError as error:
                raise ValueError(
                    f"{str(path)!r} does not contain requests: {error}."
                ) from error
            request = log.predict_log.request
            name = request.model_spec.signature_name
            inputs = {
                key: tf.make_ndarray(proto) for key, proto in request.inputs.items()
            }
            if inputs.keys() != self.signature(name).inputs.keys():
                raise ValueError(
                    f"{str(path)!r} must contain requests with all inputs of their "
                    f"signatures. Received: {sorted(inputs) or 'no inputs'} for "
                    f"{name or DEFAULT_SIGNATURE!r}."
                )
            self.run(name, inputs)

    def signature(self, name):
        """Returns the `Signature` called `name`; `""` stands for the default one."""
        name = name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise ServingError(
                Code.FAILED_PRECONDITION,
                f'Serving signature key "{name}" not found. The model has: '
                f"{', '.join(sorted(self.signatures))}.",
            )
        return self.signatures[name]

    def check(self, signature, inputs):
        """Checks types and shapes of inputs, before memory is allocated for them.

        Args:
            signature: `Signature`.
            inputs: dict from names to `(dtype, shape)`.

        Raises:
            ServingError: `INVALID_ARGUMENT` if they do not match the signature, or if
                there are too many rows.
        """
        extra = sorted(set(inputs) - set(signature.inputs))
        missing = sorted(set(signature.inputs) - set(inputs))
        if extra or missing:
            raise invalid(
                f"Inputs do not match the signature. Sent extra: {extra}. Missing "
                f"but required: {missing}."
            )
        for name, (dtype, shape) in inputs.items():
            spec = signature.inputs[name]
            if dtype != spec.dtype:
                raise invalid(
                    f"Input {name!r} must be {spec.dtype}. Received: {dtype}."
                )
            if not spec.fits(shape):
                raise invalid(
                    f"Input {name!r} must have shape {spec.text}. Received: "
                    f"{_short(shape)}."
                )
            if shape and not 1 <= shape[0] <= self.max_batch:
                raise invalid(
                    f"A batch has 1 to {self.max_batch} rows. Input {name!r} has "
                    f"{shape[0]}."
                )

    def run(self, name, inputs):
        """Runs the signature `name` on a dict of checked arrays; returns such a dict.

        Raises:
            ServingError: if the graph refuses the values (a label out of range, unequal
                lengths, NaN), with the code and the message of the graph.
        """
        name = name or DEFAULT_SIGNATURE
        try:
            values = self._functions[name](*(inputs[key] for key in sorted(inputs)))
        except tf.errors.OpError as error:
            raise ServingError(Code(error.error_code), _first(error.message)) from error
        return dict(zip(sorted(self.signatures[name].outputs), values, strict=True))


def load_versions(directory, max_batch, every=False):
    """Loads the versions of a model, `directory/1`, `directory/2`, ...

    Args:
        directory: str or path that was given to `keras-sagan export -o`; or that of a
            single version, which is then the only one.
        max_batch: see `Servable`.
        every: bool. Whether to load all versions instead of only the newest.

    Returns:
        Dict from version numbers to `Servable`.

    Raises:
        OSError: if there is no version, or if one of them is not a SavedModel.
    """
    directory = pathlib.Path(directory)
    if (directory / "saved_model.pb").is_file():
        version = int(directory.name) if directory.name.isdecimal() else 1
        return {version: Servable(directory, max_batch)}
    names = [path.name for path in directory.iterdir()] if directory.is_dir() else []
    versions = sorted(int(name) for name in names if name.isdecimal())
    if not versions:
        raise OSError(
            "The directory must hold a version of a model, e.g. "
            f"{directory / '1' / 'saved_model.pb'}. Received: {str(directory)!r}."
        )
    wanted = versions if every else versions[-1:]
    return {
        version: Servable(directory / str(version), max_batch) for version in wanted
    }


def _specs(infos):
    return {
        name: TensorSpec(
            np.dtype(tf.as_dtype(info.dtype).as_numpy_dtype), _shape(info.tensor_shape)
        )
        for name, info in infos.items()
    }


def _shape(proto):
    if proto.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in proto.dim)


def _short(shape):
    return str(tuple(shape)) if len(shape) <= 8 else f"{len(shape)} dimensions"


def _first(message):
    """Returns the message of a graph's error without what TensorFlow puts around it."""
    message = message.removeprefix("Graph execution error:").strip()
    return message.partition("\n\t [[")[0][:500]
