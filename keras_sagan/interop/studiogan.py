"""Imports SAGAN checkpoints of PyTorch-StudioGAN (`model=G-...pth`, `model=D-...pth`).

The conditional batch norm of that project has changed twice. All three versions store
the same statistics and amount to one gain and one bias per class and channel:

- until 2022-01-24, an embedding per layer: `gain = 1 + embed0[label]`;
- until 2022-03-05, a linear map of an embedding that all layers share:
  `gain = 1 + gain(shared[label])`;
- since then, a linear map of the one-hot label: `gain = 1 + gain(one_hot(label))`.

All of these maps are spectrally normalised; the shared embedding is not. They are
imported as the tables that they amount to, which are plain weights in this package, so
that further training changes them without spectral normalisation.
"""

import os

from keras_sagan.interop import transforms
from keras_sagan.interop.assembly import assign, build_gan
from keras_sagan.interop.checkpoint import read_torch
from keras_sagan.interop.torch_names import (
    Names,
    find_places,
    generator_size,
)
from keras_sagan.interop.torch_networks import (
    generator_arrays,
    read_discriminator,
    take_spectral,
)
from keras_sagan.models.generator import Generator
from keras_sagan.sagan import SAGAN

NAMES = Names(
    block="blocks.{}.0",
    conv1="conv2d1",
    conv2="conv2d2",
    shortcut="conv2d0",
    bn1="bn1",
    bn2="bn2",
    query="conv1x1_theta",
    key="conv1x1_phi",
    value="conv1x1_g",
    output="conv1x1_attn",
    gate="sigma",
    generator_dense="linear0",
    generator_bn="bn4",
    to_images="conv2d5",
    discriminator_dense="linear1",
    embedding="embedding",
    gate_shape=(1,),
)
# `utils/ops.py` has eps=1e-4 and momentum=0.1, which is 1 minus Keras's momentum.
BATCH_NORM = {"batch_norm_epsilon": 1e-4, "batch_norm_momentum": 0.9}


def load_studiogan(
    generator_path: str | os.PathLike,
    discriminator_path: str | os.PathLike | None = None,
    activated_shortcut: bool = True,
) -> SAGAN:
    """Loads a `SAGAN` that was trained with PyTorch-StudioGAN.

    Image size, widths, classes, latent size and the place of attention are inferred
    from the files. No code from the files is run, and PyTorch is not needed.

    Args:
        generator_path: str or path of `model=G-...pth`, or of `model=G_ema-...pth`.
        discriminator_path: str or path of `model=D-...pth`, or None for an untrained
            discriminator.
        activated_shortcut: bool. Whether the input of D's shortcuts is `relu(x)`.
            Defaults to `True`, the effect of StudioGAN's in-place ReLU (`config.py`,
            `resnet.py`).

    Returns: compiled `SAGAN`; compile it again to fine-tune with other settings.

    Raises:
        FileNotFoundError: if a file does not exist.
        ValueError: if a file is anything else. The message names the first key that is
            missing, unknown or of another shape, and the expected shape.
    """
    generator = import_generator(read_torch(generator_path))
    discriminator = None
    if discriminator_path is not None:
        discriminator = import_discriminator(
            read_torch(discriminator_path), generator.num_classes, activated_shortcut
        )
    return build_gan(generator, discriminator)


def import_generator(checkpoint, dtype=None):
    """Builds a `Generator` with the weights of a `Checkpoint`."""
    places = find_places(checkpoint, NAMES)
    base_filters, latent_dim = generator_size(checkpoint, NAMES, places.image_size)
    generator = Generator(
        image_size=places.image_size,
        num_classes=_num_classes(checkpoint, places),
        latent_dim=latent_dim,
        base_filters=base_filters,
        attention_resolutions=tuple(places.attention),
        dtype=dtype,
        **BATCH_NORM,
    )
    shared = _shared_embedding(checkpoint, generator.num_classes)

    def conditional_norm(checkpoint, prefix, shape):
        gain, bias = (
            _table(checkpoint, prefix, part, shape, shared) for part in ("gain", "bias")
        )
        return f"{prefix}.bn", 1 + gain, bias

    assign(
        generator,
        generator_arrays(generator, checkpoint, NAMES, places, conditional_norm),
    )
    return generator


def import_discriminator(checkpoint, num_classes, activated_shortcut, dtype=None):
    """Builds a `Discriminator` with the weights of a `Checkpoint`.

    `num_classes` is an int, or None for an unconditional one.
    """
    discriminator, arrays = read_discriminator(
        checkpoint, NAMES, num_classes, activated_shortcut, dtype
    )
    assign(discriminator, arrays)
    return discriminator


def _num_classes(checkpoint, places):
    """Returns the number of classes, or None if the batch norm is unconditional."""
    norm = f"{places.blocks[0]}.{NAMES.bn1}"
    if f"{norm}.weight" in checkpoint:
        return None
    if checkpoint.has_prefix(f"{norm}.embed0."):
        key, expected = f"{norm}.embed0.weight_orig", ("classes", "channels")
        return checkpoint.shape(key, expected)[0]
    if "shared.weight" in checkpoint:
        return checkpoint.shape("shared.weight", ("classes", "embedding size"))[0]
    key, expected = f"{norm}.gain.weight_orig", ("channels", "classes")
    return checkpoint.shape(key, expected)[1]


def _shared_embedding(checkpoint, num_classes):
    """Returns the embedding `(classes, size)` of the second version, or None."""
    key = "shared.weight"
    if num_classes is None or key not in checkpoint:
        return None
    size = checkpoint.shape(key, (num_classes, "embedding size"))[1]
    return checkpoint.take(key, (num_classes, size))


def _table(checkpoint, prefix, part, shape, shared):
    """Returns the table `(classes, channels)` of a part: `"gain"` or `"bias"`."""
    classes, channels = shape
    embed = {"gain": "embed0", "bias": "embed1"}[part]
    if checkpoint.has_prefix(f"{prefix}.{embed}."):
        weight = take_spectral(checkpoint, f"{prefix}.{embed}", shape)
        return transforms.normalized(*weight)
    inputs = classes if shared is None else shared.shape[1]
    weight = take_spectral(checkpoint, f"{prefix}.{part}", (channels, inputs))
    table = transforms.normalized(*weight).T  # (inputs, channels)
    return table if shared is None else shared @ table
