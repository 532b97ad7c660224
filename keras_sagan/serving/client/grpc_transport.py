"""Requests to TensorFlow Serving over gRPC."""

import contextlib

import grpc
from google.protobuf.message import DecodeError

from keras_sagan.listening.access import bearer
from keras_sagan.serving import messages, tensors
from keras_sagan.serving.errors import Code, ServingError
from keras_sagan.serving.signatures import Signature, TensorSpec

_PREDICTION = "/tensorflow.serving.PredictionService"
_MODEL = "/tensorflow.serving.ModelService"


class GrpcTransport:
    """A gRPC channel to a served model.

    Args:
        address: `Address` with the scheme `grpc` or `grpcs`. With `grpcs` (TLS), the
            environment variable GRPC_DEFAULT_SSL_ROOTS_FILE_PATH can name the file of
            certificates that gRPC trusts.
        max_message_bytes: int. Size of the largest answer that is accepted. gRPC's own
            limit is 4 MiB, less than 22 images of 256 x 256 pixels.
        token: str, or `None`. Sent with every request.
    """

    def __init__(self, address, max_message_bytes, token=None):
        self._address = address
        self._max_bytes = max_message_bytes
        self._sent = [] if token is None else [("authorization", bearer(token))]
        options = [
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", max_message_bytes),
            ("grpc.enable_retries", 0),  # `call_with_retries` does that instead
        ]
        if address.scheme == "grpcs":
            credentials = grpc.ssl_channel_credentials()
            channel = grpc.secure_channel(address.target, credentials, options)
        else:
            channel = grpc.insecure_channel(address.target, options)
        self._channel = channel
        self._predict = self._method(f"{_PREDICTION}/Predict", messages.PredictResponse)
        self._metadata = self._method(
            f"{_PREDICTION}/GetModelMetadata", messages.GetModelMetadataResponse
        )
        self._status = self._method(
            f"{_MODEL}/GetModelStatus", messages.GetModelStatusResponse
        )

    def _method(self, path, response):
        return self._channel.unary_unary(
            path,
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=response.FromString,
        )

    def predict(self, name, signature, inputs, timeout):
        """Runs the signature `name` on a dict of arrays, and returns such a dict."""
        del signature  # the answer carries its types
        request = messages.PredictRequest(model_spec=self._spec(name))
        for key, value in inputs.items():
            request.inputs[key].CopyFrom(tensors.to_message(value))
        with _serving_errors():
            outputs = self._predict(request, timeout, self._sent).outputs
            return {
                key: tensors.from_message(outputs[key], self._max_bytes)
                for key in sorted(outputs)
            }

    def signatures(self, timeout):
        """Returns the signatures of the model: dict from name to `Signature`."""
        request = messages.GetModelMetadataRequest(
            model_spec=self._spec(), metadata_field=["signature_def"]
        )
        with _serving_errors():
            response = self._metadata(request, timeout, self._sent)
            signatures = messages.SignatureDefMap.FromString(
                response.metadata["signature_def"].value
            ).signature_def
            return {
                name: Signature(_specs(x.inputs), _specs(x.outputs))
                for name, x in sorted(signatures.items())
                if x.outputs
            }

    def status(self, timeout):
        """Returns the state of every version: dict from number to name of the state."""
        request = messages.GetModelStatusRequest(model_spec=self._spec())
        with _serving_errors():
            response = self._status(request, timeout, self._sent)
        return {
            int(version.version): messages.STATES.get(version.state, "UNKNOWN")
            for version in response.model_version_status
        }

    def close(self):
        """Closes the channel."""
        self._channel.close()

    def _spec(self, signature=""):
        spec = messages.ModelSpec(name=self._address.model, signature_name=signature)
        if self._address.version is not None:
            spec.version.value = self._address.version
        if self._address.label is not None:
            spec.version_label = self._address.label
        return spec


@contextlib.contextmanager
def _serving_errors():
    try:
        yield
    except grpc.RpcError as error:
        code = Code(error.code().value[0])
        raise ServingError(code, error.details() or "no details") from error
    except (ValueError, DecodeError) as error:
        message = f"The answer cannot be read: {error}"
        raise ServingError(Code.INTERNAL, message) from error


def _specs(infos):
    specs = {}
    for name in sorted(infos):
        info = infos[name]
        if info.tensor_shape.unknown_rank:
            shape = None
        else:
            sizes = [dim.size for dim in info.tensor_shape.dim]
            shape = tuple(None if size < 0 else size for size in sizes)
        specs[name] = TensorSpec(tensors.dtype_of_number(info.dtype), shape)
    return specs
