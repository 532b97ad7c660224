"""Imports checkpoints of the official code (TensorFlow 1), with TensorFlow 2.

The official code stores only `u` and runs one power iteration from it in every forward
pass, even at evaluation. The pair after that iteration is what is imported. The layouts
of its arrays are those of Keras.
"""

import glob
import math
import os
import re

import numpy as np
import tensorflow as tf

from keras_sagan.files import paths
from keras_sagan.interop import transforms
from keras_sagan.interop.assembly import assign, build_gan, named_variables
from keras_sagan.interop.checkpoint import Checkpoint
from keras_sagan.models import architectures
from keras_sagan.models.discriminator import Discriminator
from keras_sagan.models.generator import Generator
from keras_sagan.sagan import SAGAN

IMAGE_SIZE = 128
SCOPE = "model/"
_MOST_NAMES = 10  # in a message
FIRST_MATRIX = f"{SCOPE}g_snh0/Matrix"
_PARTS = {"query": "theta", "key": "phi", "value": "g", "output": "attn"}
# Variables that only training needs.
_OPTIMIZER = re.compile(r".*/Adam(_1)?$|(.*/)?beta[12]_power(_1)?$|(.*_)?step$")


def load_tf1_checkpoint(prefix: str | os.PathLike) -> SAGAN:
    """Loads a `SAGAN` from a checkpoint of the official code.

    Widths, classes and the place of attention are inferred from the checkpoint. The
    networks are always those for 128 pixels.

    Args:
        prefix: str or path, e.g. `"model.ckpt-1000000"`. Common beginning of the names
            of its files, which end in `.index` and `.data-00000-of-00001`.

    Returns: compiled `SAGAN`; compile it again to fine-tune with other settings.

    Raises:
        FileNotFoundError: if there is no `prefix.index`. The message lists the
            checkpoints in the folder.
        ValueError: if the checkpoint is anything else. The message names the first key
            that is missing, unknown or of another shape, and the expected shape.
    """
    checkpoint = read_tf1(prefix)
    generator = import_generator(checkpoint)
    discriminator = import_discriminator(checkpoint, generator.num_classes)
    checkpoint.finish()
    return build_gan(generator, discriminator)


def read_tf1(prefix):
    """Reads a TensorFlow checkpoint, without the variables of optimizers.

    Returns: `Checkpoint`.

    Raises:
        FileNotFoundError, ValueError: as for `load_tf1_checkpoint`.
    """
    prefix = paths.local(prefix)
    if not prefix.with_name(f"{prefix.name}.index").is_file():
        raise FileNotFoundError(_no_prefix(prefix))
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        names = sorted(reader.get_variable_to_shape_map())
        wanted = [name for name in names if not _OPTIMIZER.match(name)]
        _check_size(prefix, reader, wanted)
        arrays = {name: np.asarray(reader.get_tensor(name)) for name in wanted}
    except (tf.errors.OpError, IndexError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"'{prefix}' cannot be read as a TensorFlow checkpoint: it is another kind "
            f"of file or is incomplete ({str(error).partition(chr(10))[0][:200]})."
        ) from error
    return Checkpoint(arrays, f"'{prefix}'")


def _no_prefix(prefix):
    """Returns the error message for a prefix without a file `.index`."""
    folder = prefix if prefix.is_dir() else prefix.parent
    names = [path.name.removesuffix(".index") for path in folder.glob("*.index")]
    names.sort(key=lambda name: [int(x) for x in re.findall(r"\d+", name)])
    listing = f"Found {', '.join(names[-_MOST_NAMES:])}" if names else "There is none"
    return (
        "PREFIX must be the common beginning of the names of a checkpoint's files, "
        f"without .index and .data-00000-of-00001. {listing} in {str(folder)!r}. "
        f"Received: {str(prefix)!r}."
    )


def _check_size(prefix, reader, wanted):
    """Raises a `ValueError` if the arrays are larger than the files."""
    shapes, dtypes = (
        reader.get_variable_to_shape_map(),
        reader.get_variable_to_dtype_map(),
    )
    total = sum(math.prod(shapes[name]) * max(dtypes[name].size, 1) for name in wanted)
    files = prefix.parent.glob(f"{glob.escape(prefix.name)}.data-*")
    size = sum(file.stat().st_size for file in files)
    if total > size:
        raise ValueError(f"its arrays have {total} bytes, but its files have {size}")


def import_generator(checkpoint, dtype=None):
    """Builds a `Generator` with the weights of a `Checkpoint`."""
    unit = architectures.SMALLEST**2 * architectures.GENERATOR_FIRST_WIDTH[IMAGE_SIZE]
    expected = ("latent_dim", f"{unit} * base_filters")
    latent_dim, columns = checkpoint.shape(FIRST_MATRIX, expected)
    if columns % unit:
        raise checkpoint.shape_error(FIRST_MATRIX, expected)
    tables = f"{SCOPE}g_block1/cbn_0/gamma"
    generator = Generator(
        image_size=IMAGE_SIZE,
        num_classes=checkpoint.shape(tables, ("classes", "channels"))[0],
        latent_dim=latent_dim,
        base_filters=columns // unit,
        attention_resolutions=_attention(
            checkpoint,
            "g_non_local",
            columns // unit,
            architectures.GENERATOR_WIDTHS[IMAGE_SIZE],
            architectures.generator_resolutions(IMAGE_SIZE),
        ),
        batch_norm_epsilon=1e-5,  # `ops.py`, both kinds
        batch_norm_momentum=0.999,  # `ops.py`; its last batch norm has 0.9999
        dtype=dtype,
    )
    assign(generator, _arrays(generator, checkpoint, _generator_scope))
    return generator


def import_discriminator(checkpoint, num_classes, dtype=None):
    """Builds a `Discriminator` for `num_classes` classes from a `Checkpoint`."""
    key, expected = (
        f"{SCOPE}d_optimized_block1/sn_conv1/w",
        (3, 3, "channels", "base_filters"),
    )
    channels, base_filters = checkpoint.shape(key, expected)[2:]
    discriminator = Discriminator(
        image_size=IMAGE_SIZE,
        num_classes=num_classes,
        base_filters=base_filters,
        channels=channels,
        attention_resolutions=_attention(
            checkpoint,
            "d_non_local",
            base_filters,
            architectures.DISCRIMINATOR_WIDTHS[IMAGE_SIZE],
            architectures.discriminator_resolutions(IMAGE_SIZE),
        ),
        dtype=dtype,
    )
    assign(discriminator, _arrays(discriminator, checkpoint, _discriminator_scope))
    return discriminator


def _attention(checkpoint, scope, base_filters, widths, resolutions):
    """Returns the attention resolutions: `()` or a tuple of one size in pixels.

    The size is found by the number of channels, which differs from block to block.
    """
    key = f"{SCOPE}{scope}/sn_conv_theta/w"
    if key not in checkpoint:
        return ()
    channels = checkpoint.shape(key, (1, 1, "channels", "channels / 8"))[2]
    for width, resolution in zip(widths, resolutions, strict=True):
        if width * base_filters == channels:
            return (resolution,)
    allowed = " or ".join(str(width * base_filters) for width in widths)
    raise checkpoint.shape_error(key, (1, 1, allowed, "channels / 8"))


def _arrays(network, checkpoint, scope):
    """Returns the arrays for all weights of a network, by their short names.

    Args:
        network: `Generator` or `Discriminator`.
        checkpoint: `Checkpoint`.
        scope: function from the name of a layer to its variable scope.
    """
    arrays = {}
    for name, variable in named_variables(network).items():
        layer, part = name.rsplit("/", 1)
        take, shape = checkpoint.take, tuple(variable.shape)
        where = SCOPE + scope(layer)
        if part in ("u", "v"):
            continue  # computed with their kernel, below
        if part in ("kernel", "embeddings"):
            key = f"{where}/{_kernel_name(where)}"
            arrays[name] = take(key, shape)
            # The official code normalises the transpose of an embedding.
            matrix = arrays[name] if part == "embeddings" else _rows(arrays[name])
            u = take(f"{where}/u", (1, matrix.shape[0]))[0]
            pair = transforms.power_iteration(matrix, u)
            arrays[f"{layer}/u"], arrays[f"{layer}/v"] = pair
        elif part == "bias":
            dense = where.endswith(("g_snh0", "d_sn_linear"))
            arrays[name] = take(f"{where}/{'bias' if dense else 'biases'}", shape)
        elif "non_local" in where:
            arrays[name] = take(f"{where}/sigma_ratio", ())
        elif "cbn_" in where and part.startswith("moving"):
            key = {"moving_mean": "mean", "moving_variance": "var"}[part]
            arrays[name] = take(f"{where}/{key}", (1, 1, 1, *shape)).reshape(shape)
        else:
            arrays[name] = take(f"{where}/{part}", shape)
    return arrays


def _rows(kernel):
    """Reshapes a kernel to the matrix `(out, all other axes)`."""
    return kernel.reshape(-1, kernel.shape[-1]).T


def _kernel_name(scope):
    if scope.endswith(("g_snh0", "d_sn_linear")):
        return "Matrix"
    return "embedding_map" if scope.endswith("d_embedding") else "w"


def _generator_scope(layer):
    """Returns the variable scope in the official code for a layer's name."""
    ends = {"dense": "g_snh0", "bn": "g_bn", "to_images": "g_snconv_last"}
    if layer in ends:
        return ends[layer]
    if layer.startswith("attention"):
        return _attention_scope("g_non_local", layer)
    block, part = layer.split("_")
    parts = {
        "bn1": "cbn_0",
        "bn2": "cbn_1",
        "conv1": "snconv1",
        "conv2": "snconv2",
        "shortcut": "snconv3",
    }
    return f"g_{block}/{parts[part]}"


def _discriminator_scope(layer):
    """Returns the variable scope in the official code for a layer's name."""
    ends = {"dense": "d_sn_linear", "embedding": "d_embedding"}
    if layer in ends:
        return ends[layer]
    if layer.startswith("attention"):
        return _attention_scope("d_non_local", layer)
    block, part = layer.split("_")
    parts = {"conv1": "sn_conv1", "conv2": "sn_conv2", "shortcut": "sn_conv3"}
    scope = "optimized_block1" if block == "block1" else block
    return f"d_{scope}/{parts[part]}"


def _attention_scope(scope, layer):
    _, _, part = layer.partition("/")
    return f"{scope}/sn_conv_{_PARTS[part]}" if part else scope
