"""A client for exported SAGAN models behind TensorFlow Serving and other servers.

It needs NumPy, Pillow, grpcio, protobuf and urllib3, and does not import TensorFlow.
"""

import io
import math
import numbers
import time
import typing
from collections.abc import Sequence

import numpy as np
from PIL import Image

from keras_sagan.extras import MissingExtraError
from keras_sagan.listening.access import check_token
from keras_sagan.serving.client.address import parse_address
from keras_sagan.serving.client.retries import Retries, call_with_retries
from keras_sagan.serving.errors import Code, ServingError
from keras_sagan.serving.signatures import Signature


class Client:
    """Generates images with a served model.

    Its methods may be called from several threads at once. Each raises `ServingError`
    if the server refuses a request or cannot be reached.

    Args:
        url: str. `grpc://HOST:8500/MODEL` or `http://HOST:8501/v1/models/MODEL`,
            optionally followed by `/versions/N` or `/labels/NAME`; or, for servers of
            the Open Inference Protocol, `http://HOST:PORT/v2/models/MODEL`, optionally
            followed by `/versions/N`. `grpcs://` and `https://` use TLS.
        timeout: float. Seconds that a request may take, whatever the server does. This
            includes the lookup of its name, connecting, retries, and, once per client
            over REST, asking for the signatures of the model.
        retries: `Retries`.
        batch_size: int. Largest number of images per request. More images are asked
            for in several requests, which yield the same images, because an image
            depends only on its own seed.
        max_message_bytes: int. Size of the largest answer that is accepted.
        token: str, or `None`. Sent as `Authorization: Bearer TOKEN` to a server, or a
            proxy in front of it, that requires one. Without TLS, whoever can see the
            connection can read it.

    Raises:
        ImportError: if the extra `serving` is not installed.
        ValueError: if an argument is out of range.

    Example:
        with Client("grpc://localhost:8500/glyphs") as client:
            images = client.generate(labels=[3, 3, 7], seed=0)  # uint8 (3, H, W, C)
    """

    def __init__(
        self,
        url: str,
        timeout: float = 30.0,
        retries: Retries | None = None,
        batch_size: int = 32,
        max_message_bytes: int = 256 * 2**20,
        token: str | None = None,
    ) -> None:
        if not (timeout > 0 and math.isfinite(timeout)):
            raise ValueError(f"`timeout` must be positive. Received: {timeout!r}.")
        if batch_size < 1:
            raise ValueError(
                f"`batch_size` must be at least 1. Received: {batch_size!r}."
            )
        self.address = parse_address(url)
        self.timeout = timeout
        self.retries = retries or Retries()
        self.batch_size = batch_size
        token = token if token is None else check_token(token)
        self._transport = _transport(self.address, max_message_bytes, token)
        self._signatures: dict[str, Signature] | None = None

    def generate(
        self,
        labels: Sequence[int] | None = None,
        seed: int | Sequence[int] = 0,
        truncation: float | None = None,
        num_images: int | None = None,
    ) -> np.ndarray:
        """Returns uint8 images `(n, height, width, channels)`.

        Args:
            labels: sequence of int, one per image; `None` for an unconditional model.
            seed: int, in which case image `i` uses `seed + i`, or a sequence of int
                with one per image.
            truncation: float, in which case latents are drawn from [-t, t], or `None`.
            num_images: int. Number of images if there are no labels.
        """
        rows = _rows(labels, seed, truncation, num_images)
        if self.address.scheme in ("grpc", "grpcs") or self.address.protocol == "v2":
            return np.concatenate(
                [self.predict("generate", part)["images"] for part in self._parts(rows)]
            )
        # As PNG, because JSON would spell out every value of every pixel.
        return np.stack([_pixels(data) for data in self._png(rows)])

    def generate_png(
        self,
        labels: Sequence[int] | None = None,
        seed: int | Sequence[int] = 0,
        truncation: float | None = None,
        num_images: int | None = None,
    ) -> list[bytes]:
        """Returns a list of PNG files (`bytes`); arguments as for `generate`."""
        return self._png(_rows(labels, seed, truncation, num_images))

    def attention_maps(
        self, latents: np.ndarray, labels: Sequence[int] | None = None
    ) -> dict[str, np.ndarray]:
        """Returns images together with the attention maps that led to them.

        Args:
            latents: array `(n, latent_dim)`.
            labels: sequence of n int; `None` for an unconditional model.

        Returns:
            Dict of arrays: `images`, float32 in [-1, 1], and one map per attention
            layer.
        """
        inputs = {"latent": np.asarray(latents, np.float32)}
        if labels is not None:
            inputs["label"] = np.asarray(labels, np.int32)
        return self.predict("attention", inputs)

    def predict(
        self, signature: str, inputs: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Runs a signature of the model in a single request.

        Args:
            signature: str. Name of the signature, e.g. `"serving_default"`. A model
                behind the Open Inference Protocol has one, which is recognised by its
                inputs and outputs.
            inputs: dict from names of inputs to arrays of the signature's types.

        Returns:
            Dict from output names to arrays.
        """
        end = time.monotonic() + self.timeout
        # The types of the outputs are in the signature, but not in the JSON of REST.
        types = self.signatures().get(signature) if self._needs_signature else None
        if self._needs_signature and types is None:
            raise ServingError(
                Code.INVALID_ARGUMENT,
                f"The model has no signature {signature!r}. It has: "
                f"{', '.join(self.signatures())}.",
            )
        return call_with_retries(
            lambda left: self._transport.predict(signature, types, inputs, left),
            self.retries,
            end - time.monotonic(),
        )

    def signatures(self) -> dict[str, Signature]:
        """Returns the signatures of the model: dict from name to `Signature`."""
        signatures = self._signatures or self._call(self._transport.signatures)
        self._signatures = signatures
        return signatures

    def status(self) -> dict[int, str]:
        """Returns the state of every version, e.g. `{1: "AVAILABLE"}`.

        With the Open Inference Protocol, the state is "AVAILABLE" or "LOADING". If a
        server does not name its versions, the number is 0.
        """
        return self._call(self._transport.status)

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *unused: typing.Any) -> None:
        self.close()

    @property
    def _needs_signature(self):
        return self.address.scheme in ("http", "https")

    def _call(self, attempt):
        return call_with_retries(attempt, self.retries, self.timeout)

    def _png(self, rows):
        return [
            data
            for part in self._parts(rows)
            for data in self.predict("generate_png", part)["image_bytes"]
        ]

    def _parts(self, rows):
        for start in range(0, len(rows["seed"]), self.batch_size):
            part = slice(start, start + self.batch_size)
            yield {name: column[part] for name, column in rows.items()}


def _transport(address, max_message_bytes, token):
    try:
        if address.scheme in ("grpc", "grpcs"):
            from keras_sagan.serving.client.grpc_transport import GrpcTransport as kind
        elif address.protocol == "v2":
            from keras_sagan.serving.client.open_inference import (
                OpenInferenceTransport as kind,
            )
        else:
            from keras_sagan.serving.client.rest_transport import RestTransport as kind
    except ImportError as error:
        raise MissingExtraError(f"A client ({error})", "serving") from error
    return kind(address, max_message_bytes, token)


def _rows(labels, seed, truncation, num_images):
    """Returns the inputs of `generate` as columns with one row per image."""
    if (labels is None) == (num_images is None):
        raise ValueError(
            "Give either `labels` or `num_images`. Received: "
            f"labels={labels!r}, num_images={num_images!r}."
        )
    count = num_images if labels is None else len(labels)
    if count < 1:
        raise ValueError(f"At least one image is needed. Received: {count!r}.")
    one = isinstance(seed, numbers.Integral)
    seeds = [int(seed) + i for i in range(count)] if one else list(seed)
    if len(seeds) != count:
        raise ValueError(
            f"`seed` must be an int or {count} of them. Received: {len(seeds)}."
        )
    rows = {
        "seed": _integers("seed", seeds, np.int64),
        "truncation": np.full(count, truncation or 0.0, np.float32),
    }
    if labels is not None:
        rows["label"] = _integers("labels", labels, np.int32)
    return rows


def _integers(name, values, dtype):
    try:
        return np.asarray(values, dtype)
    except OverflowError as error:
        raise ValueError(
            f"`{name}` must be integers of {8 * np.dtype(dtype).itemsize} bits. "
            f"Received: {values!r}."
        ) from error


def _pixels(data):
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        pixels = np.asarray(image)
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
