"""Feature extractors, the networks whose activations the scores compare.

Only the FID network with the published weights is called "inception". The scores of all
other extractors contain the name of the extractor, and none of them is called FID.
"""

import dataclasses
import hashlib
import math
import pathlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from keras_sagan.metrics.extractors import inception_weights
from keras_sagan.metrics.extractors.resize import resize

FID_NETWORK = "inception"
DINOV2 = "dinov2"
CLASSIFIER = "classifier"

UNVERIFIED = "_unverified"  # end of the name of a network with other weights


@dataclasses.dataclass(frozen=True)
class Extractor:
    """A network that turns images into features.

    Args:
        name: str. Name that is part of the names of scores.
        sha256: str. SHA-256 of the weights.
        resize: str. How images are resized for the network: one of
            `naming.RESIZE_KINDS`, or "none".
        preprocessing: str. How the values of pixels are transformed.
        function: function from a uint8 tensor `(batch, height, width, channels)` to
            features `(batch, dimensions)`, and logits `(batch, classes)` or `None`.
        channels: int. Number of channels of the images that it takes.
        dimensions: int. Length of a feature vector, or `None` if unknown.
        class_names: tuple of str with the classes of the logits, or `None`.
        layer: str, or `None`. Name of the layer that outputs the features, if it was
            chosen.
    """

    name: str
    sha256: str
    resize: str
    preprocessing: str
    function: Callable = dataclasses.field(repr=False, compare=False)
    channels: int = 3
    dimensions: int | None = None
    class_names: tuple | None = None
    layer: str | None = None

    @property
    def is_inception(self) -> bool:
        """bool. Whether it is the FID network, perhaps with other weights."""
        return self.name in (FID_NETWORK, FID_NETWORK + UNVERIFIED)

    @property
    def is_dinov2(self) -> bool:
        """bool. Whether it is a DINOv2, perhaps with other weights."""
        return self.name.startswith(DINOV2)

    @property
    def has_classes(self) -> bool:
        """bool. Whether its logits are those of meaningful classes."""
        return self.is_inception or self.name == CLASSIFIER

    @property
    def is_fid_network(self) -> bool:
        """bool. Whether its Frechet distance is FID."""
        return self.name == FID_NETWORK and self.sha256 == inception_weights.SHA256

    def describe(self) -> dict[str, str]:
        """Returns the description for the protocol of a score: dict."""
        names = ("name", "sha256", "resize", "preprocessing")
        described = {name: getattr(self, name) for name in names}
        return described if self.layer is None else {**described, "layer": self.layer}


def extract(
    images: np.ndarray, extractor: Extractor, batch_size: int = 64
) -> tuple[np.ndarray, np.ndarray | None]:
    """Extracts features from images.

    Args:
        images: uint8 array `(n, height, width, channels)`.
        extractor: `Extractor`.
        batch_size: int. Number of images that are processed at once.

    Returns: tuple `(features, logits)`: float32 `(n, dimensions)`, and float32
        `(n, classes)` or `None`.

    Raises:
        ValueError: if the images are not such an array.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3, 4):
        raise ValueError(
            "`images` must be uint8 of shape (n, height, width, channels) with 1, 3 "
            f"or 4 channels. Received: {images.dtype} of shape {images.shape}."
        )
    if not len(images):
        raise ValueError("`images` must hold at least one image. Received: none.")
    outputs = []
    for start in range(0, len(images), batch_size):
        batch = with_channels(images[start : start + batch_size], extractor.channels)
        missing = 0 if start == 0 else batch_size - len(batch)
        if missing:  # padded to the same shape, as another one would be compiled anew
            batch = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)])
        rows = len(batch) - missing
        result = extractor.function(tf.constant(batch))
        outputs.append([None if x is None else x.numpy()[:rows] for x in result])
    features, logits = zip(*outputs, strict=True)
    return np.concatenate(features), None if logits[0] is None else np.concatenate(
        logits
    )


def with_channels(images, channels):
    """Converts uint8 images to 1 or 3 channels, with transparent parts on white."""
    if images.shape[3] == 4:
        alpha = images[..., 3:].astype(np.float32) / 255
        blended = images[..., :3] * alpha + 255 * (1 - alpha)
        images = np.rint(blended).astype(np.uint8)
    if images.shape[3] == channels:
        return images
    if images.shape[3] == 1:
        return np.repeat(images, channels, axis=3)
    raise ValueError(
        f"The extractor takes images with {channels} channels. "
        f"Received: {images.shape[3]}."
    )


def keras_extractor(
    model: keras.Model,
    name: str,
    features: str | None = None,
    preprocess: Callable | None = None,
    resize_kind: str = "clean",
) -> Extractor:
    """Makes an extractor of any Keras model with one image input.

    Args:
        model: `keras.Model` with input `(batch, height, width, 1 or 3)`. Images are
            resized to its size if that is fixed.
        name: str. Name that becomes part of the names of scores.
        features: str. Name of the layer whose output are the features; the output of
            the model are the logits then. With `None`, the output of the model are the
            features. Feature maps are averaged over their positions.
        preprocess: function from float32 images in [0, 255] to the input of the model,
            e.g. that of its module in `keras.applications`, or `None`.
        resize_kind: str. One of `naming.RESIZE_KINDS`.

    Returns: `Extractor`.

    Raises:
        ValueError: if `name` is that of a published network, or if `model` has another
            input.
    """
    if name.startswith((FID_NETWORK, DINOV2)):
        raise ValueError(
            f"`name` must not begin with {FID_NETWORK!r} or {DINOV2!r}, the names of "
            f"published networks. Received: name={name!r}."
        )
    shapes = [tuple(x.shape) for x in getattr(model, "inputs", None) or ()]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] not in (1, 3):
        raise ValueError(
            "`model` must have one input of shape (batch, height, width, 1 or 3). "
            f"Received: {shapes}."
        )
    (shape,) = shapes
    network = model
    if features is not None:
        outputs = [model.get_layer(features).output, model.outputs[0]]
        network = keras.Model(model.inputs[0], outputs)
    size = shape[1]

    @tf.function(reduce_retracing=True)
    def function(images):
        same = size is None or tuple(images.shape[1:3]) == shape[1:3]
        x = tf.cast(images, tf.float32) if same else resize(images, size, resize_kind)
        x = x if preprocess is None else preprocess(x)
        outputs = network(x, training=False)
        hidden, logits = outputs if features is not None else (outputs, None)
        return _flat_features(hidden), None if logits is None else tf.cast(
            logits, tf.float32
        )

    return Extractor(
        name=name,
        sha256=weights_sha256(model),
        resize=resize_kind if size is not None else "none",
        preprocessing=getattr(preprocess, "__module__", "none").rpartition(".")[2]
        if preprocess
        else "none",
        function=function,
        channels=shape[3],
        dimensions=_dimensions(network.outputs[0].shape),
        layer=features,
    )


def saved_model_extractor(path, name):
    """Makes an extractor of a TensorFlow SavedModel.

    The only input of its signature "serving_default" gets the images, with values in
    [0, 255], at their own size. The features are the output called "features", or the
    only output.

    Raises:
        ValueError, OSError: if it is not such a SavedModel.
    """
    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures.get("serving_default")
    inputs = {} if serve is None else serve.structured_input_signature[1]
    if len(inputs) != 1 or next(iter(inputs.values())).shape.rank != 4:
        raise ValueError(
            f"{str(path)!r} must have a signature 'serving_default' with one input, "
            "images of shape (batch, height, width, channels). Received: "
            f"{', '.join(f'{k} {x.shape}' for k, x in inputs.items()) or 'none'}."
        )
    ((key, spec),) = inputs.items()
    outputs = sorted(serve.structured_outputs)
    wanted = "features" if "features" in outputs else outputs[0]
    if len(outputs) > 1 and wanted != "features":
        raise ValueError(
            f"{str(path)!r} must have one output, or one called 'features'. "
            f"Received: {outputs}."
        )

    def function(images):
        return _flat_features(serve(**{key: tf.cast(images, spec.dtype)})[wanted]), None

    function.loaded = loaded  # keeps its variables alive
    return Extractor(
        name=name,
        sha256=_files_sha256(path),
        resize="none",
        preprocessing="none",
        function=function,
        channels=spec.shape[3] or 3,
        dimensions=_dimensions(serve.structured_outputs[wanted].shape),
    )


def weights_sha256(model):
    """Returns the SHA-256 of the weights of a Keras model, in order."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(str((weight.shape, weight.dtype.str)).encode())
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _files_sha256(path):
    digest = hashlib.sha256()
    for file in sorted(x for x in pathlib.Path(path).rglob("*") if x.is_file()):
        if file.name != "fingerprint.pb":
            digest.update(file.relative_to(path).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _dimensions(shape):
    """Returns the length of a feature of `_flat_features`, or `None` if unknown."""
    shape = tf.TensorShape(shape)
    if shape.rank is None:
        return None
    sizes = shape.as_list()[1:]
    sizes = sizes[-1:] if len(sizes) == 3 else sizes
    return None if None in sizes else math.prod(sizes)


def _flat_features(features):
    if len(features.shape) == 4:
        features = tf.reduce_mean(features, axis=[1, 2])
    features = tf.cast(features, tf.float32)
    return tf.reshape(features, [tf.shape(features)[0], -1])
