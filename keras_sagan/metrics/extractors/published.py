"""Opens published networks, the FID network and DINOv2, as extractors.

Their scores have the published names only if the file of weights is the published one.
"""

import os

import tensorflow as tf

from keras_sagan.files import paths, safetensors_files, torch_files
from keras_sagan.metrics.extractors import (
    dinov2,
    inception,
    inception_weights,
    weights_files,
)
from keras_sagan.metrics.extractors.extractor import (
    DINOV2,
    FID_NETWORK,
    UNVERIFIED,
    Extractor,
)
from keras_sagan.metrics.extractors.naming import RESIZE_KINDS
from keras_sagan.metrics.extractors.resize import resize


def inception_extractor(
    path: str | os.PathLike | None = None,
    resize_kind: str = "tensorflow1",
    cache_dir: str | os.PathLike | None = None,
) -> Extractor:
    """Opens the FID network, with features "pool3" and logits without bias.

    Args:
        path: path of the file of weights of pytorch-fid or torch-fidelity, or `None` to
            download it. With a file of other content, the extractor and its scores are
            called "inception_unverified".
        resize_kind: str, one of `naming.RESIZE_KINDS`. With "pytorch", pixels are
            scaled as in pytorch-fid, to 2 * pixel / 255 - 1.
        cache_dir: path of the directory of downloaded files. Defaults to
            "~/.cache/keras_sagan" (or in $XDG_CACHE_HOME, if that is set).

    Returns: `Extractor`.

    Raises:
        ValueError: if `resize_kind` is unknown, or if the file is something else.
        FileNotFoundError: if there is no such file.
        RuntimeError: if it cannot be downloaded.
    """
    if resize_kind not in RESIZE_KINDS:
        raise ValueError(
            f"`resize_kind` must be one of {RESIZE_KINDS}. Received: {resize_kind!r}."
        )
    model, sha256 = inception_weights.load(path, cache_dir)
    as_pytorch_fid = resize_kind == "pytorch"

    @tf.function(reduce_retracing=True)
    def function(images):
        x = resize(images, inception.IMAGE_SIZE, resize_kind)
        x = x * (2 / 255) - 1 if as_pytorch_fid else (x - 128) / 128
        outputs = model(x, training=False)
        return outputs["pool3"], outputs["logits_unbiased"]

    known = sha256 == inception_weights.SHA256
    return Extractor(
        name=FID_NETWORK + ("" if known else UNVERIFIED),
        sha256=sha256,
        resize=resize_kind,
        preprocessing="2x/255-1" if as_pytorch_fid else "(x-128)/128",
        function=function,
        dimensions=inception.FEATURES,
    )


def dinov2_extractor(
    size: str = "l",
    path: str | os.PathLike | None = None,
    resize_kind: str = "pillow",
    cache_dir: str | os.PathLike | None = None,
) -> Extractor:
    """Opens DINOv2 ViT-S, B or L with patches of 14 pixels; features are class tokens.

    Args:
        size: "s", "b" or "l". The FD-DINOv2 of the literature uses "l", whose scores
            are called `fd_dinov2`. The names for other sizes also contain the size.
        path: path of the published file `dinov2_vit...14_pretrain.pth`, or `None` to
            download it. With a file of other content, the name ends in "unverified".
            `model.safetensors` of the Hugging Face Hub is read too, but also counts as
            unverified, because its SHA-256 is not known here.
        resize_kind: str, one of `naming.RESIZE_KINDS`: "pillow" as in dgm-eval, "clean"
            as with its `--clean_resize`, or "tensorflow1" as in torch-fidelity.
        cache_dir: path of the directory of downloaded files. Defaults to
            "~/.cache/keras_sagan" (or in $XDG_CACHE_HOME, if that is set).

    Returns: `Extractor`.

    Raises:
        ImportError: if KerasHub is not installed (extra `dinov2`).
        ValueError: if `size` or `resize_kind` is unknown, or if the file is something
            else.
        FileNotFoundError: if there is no such file.
        RuntimeError: if it cannot be downloaded.
    """
    if size not in dinov2.SIZES or resize_kind not in RESIZE_KINDS:
        raise ValueError(
            f"`size` must be one of {', '.join(dinov2.SIZES)}, and `resize_kind` one "
            f"of {RESIZE_KINDS}. Received: size={size!r}, resize_kind={resize_kind!r}."
        )
    made = dinov2.SIZES[size]
    model = dinov2.build(made.layers, made.width, made.heads)
    what = f"DINOv2 ViT-{size.upper()}/14"
    file = (
        weights_files.download(what, made.url, made.sha256, made.bytes + 1, cache_dir)
        if path is None
        else paths.local(path)
    )
    sha256 = weights_files.sha256_of(file)
    is_safetensors = file.suffix == ".safetensors"
    read = safetensors_files.read if is_safetensors else torch_files.read
    dinov2.set_weights(model, read(file))
    name = DINOV2 if size == "l" else f"{DINOV2}_{size}"
    return opened_dinov2(
        model,
        name if sha256 == made.sha256 else name + UNVERIFIED,
        sha256,
        resize_kind,
    )


def opened_dinov2(model, name, sha256, resize_kind):
    """Makes an extractor of a DINOv2 model.

    Args:
        model: result of `dinov2.build`.
        name: str. Name that is part of the names of scores.
        sha256: str. SHA-256 of the weights.
        resize_kind: str. One of `naming.RESIZE_KINDS`.
    """
    mean, deviation = (
        tf.constant(x, tf.float32) * 255 for x in (dinov2.MEAN, dinov2.DEVIATION)
    )

    @tf.function(reduce_retracing=True)
    def function(images):
        x = resize(images, dinov2.IMAGE_SIZE, resize_kind)
        tokens = model({"images": (x - mean) / deviation}, training=False)
        return tokens[:, 0], None

    return Extractor(
        name=name,
        sha256=sha256,
        resize=resize_kind,
        preprocessing="imagenet",
        function=function,
        dimensions=model.hidden_dim,
    )
