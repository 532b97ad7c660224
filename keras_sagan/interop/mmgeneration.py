"""Imports SAGAN checkpoints of MMGeneration, each a file with both networks."""

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
from keras_sagan.layers.checks import check_choice
from keras_sagan.models.generator import Generator
from keras_sagan.sagan import SAGAN

NAMES = Names(
    block="conv_blocks.{}",
    conv1="conv_1.conv",
    conv2="conv_2.conv",
    shortcut="shortcut.conv",
    bn1="norm_1",
    bn2="norm_2",
    query="theta.conv",
    key="phi.conv",
    value="g.conv",
    output="o.conv",
    gate="gamma",
    generator_dense="noise2feat",
    generator_bn="to_rgb.bn",
    to_images="to_rgb.conv",
    discriminator_dense="decision",
    embedding="proj_y",
    gate_shape=(),
    plain_norm=".norm",
    first_block="from_rgb",
)
GENERATOR, AVERAGED, DISCRIMINATOR = "generator.", "generator_ema.", "discriminator."


def load_mmgeneration(
    path: str | os.PathLike,
    channel_order: str = "bgr",
    activated_shortcut: bool = False,
    gamma_offset: float = 1.0,
    batch_norm_epsilon: float | None = None,
) -> SAGAN:
    """Loads a `SAGAN` that was trained with MMGeneration.

    Image size, widths, classes, latent size, the place of attention and the style of
    spectral normalisation are inferred from the file. `generator_ema`, if the file has
    it, becomes `ema_generator`. No code from the file is run, and PyTorch is not
    needed.

    Args:
        path: str or path of the `.pth` file.
        channel_order: `"bgr"` or `"rgb"`. Channel order of the images on which the
            networks were trained. Defaults to `"bgr"` (source: its data configs); use
            `"rgb"` for files with `convert-studio-rgb` in their name. The imported
            networks work in RGB in any case.
        activated_shortcut: bool. Whether the input of D's shortcuts is `relu(x)`, as in
            configs with `wReLUinplace` in their name. Defaults to `False`.
        gamma_offset: float. Added to the class embedding to give the scale of the
            conditional batch norm. Defaults to `1.0`, right for configs with the
            initialisation `studio` or `BigGAN`, that is, all published SAGANs; use 0
            for `SAGAN` and `SNGAN`.
        batch_norm_epsilon: float, or None for the value of the published configs: 1e-5
            if the class embeddings are not spectrally normalised (BigGAN schedule),
            otherwise 1e-4.

    Returns: compiled `SAGAN`; compile it again to fine-tune with other settings.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if the file is anything else. The message names the first key that
            is missing, unknown or of another shape, and the expected shape.
    """
    check_choice("channel_order", channel_order, ("bgr", "rgb"))
    checkpoint = read_torch(path)
    reverse = channel_order == "bgr"
    options = (gamma_offset, batch_norm_epsilon, reverse)
    generator = import_generator(checkpoint.part(GENERATOR), *options)
    discriminator = import_discriminator(
        checkpoint.part(DISCRIMINATOR),
        generator.num_classes,
        activated_shortcut,
        reverse,
    )
    averaged = None
    if checkpoint.has_prefix(AVERAGED):
        part = checkpoint.part(AVERAGED)
        averaged = read_generator(part, generator, gamma_offset, reverse)
    return build_gan(generator, discriminator, averaged)


def import_generator(checkpoint, gamma_offset, batch_norm_epsilon, reverse, dtype=None):
    """Builds a `Generator` with the weights of a `Checkpoint`."""
    places = find_places(checkpoint, NAMES)
    base_filters, latent_dim = generator_size(checkpoint, NAMES, places.image_size)
    norm = f"{places.blocks[0]}.{NAMES.bn1}"
    if batch_norm_epsilon is None:
        plain_tables = f"{norm}.weight_embedding.weight" in checkpoint
        batch_norm_epsilon = 1e-5 if plain_tables else 1e-4
    generator = Generator(
        image_size=places.image_size,
        num_classes=_num_classes(checkpoint, norm),
        latent_dim=latent_dim,
        base_filters=base_filters,
        attention_resolutions=tuple(places.attention),
        batch_norm_epsilon=batch_norm_epsilon,
        batch_norm_momentum=0.9,  # 1 minus PyTorch's default
        dtype=dtype,
    )
    assign(generator, read_generator(checkpoint, generator, gamma_offset, reverse))
    return generator


def read_generator(checkpoint, generator, gamma_offset, reverse):
    """Returns the arrays of a `Checkpoint` for a generator shaped like `generator`."""

    def conditional_norm(checkpoint, prefix, shape):
        gain, bias = (
            _table(checkpoint, f"{prefix}.{part}_embedding", shape)
            for part in ("weight", "bias")
        )
        return f"{prefix}.norm", gamma_offset + gain, bias

    places = find_places(checkpoint, NAMES)
    arrays = generator_arrays(generator, checkpoint, NAMES, places, conditional_norm)
    if reverse:
        # BGR to RGB: image channels are the last axis of each of these.
        for part in ("kernel", "bias", "u"):
            name = f"to_images/{part}"
            arrays[name] = arrays[name][..., ::-1]
    return arrays


def import_discriminator(
    checkpoint, num_classes, activated_shortcut, reverse, dtype=None
):
    """Builds a `Discriminator` with the weights of a `Checkpoint`.

    `num_classes` is an int, or None for an unconditional one.
    """
    discriminator, arrays = read_discriminator(
        checkpoint, NAMES, num_classes, activated_shortcut, dtype
    )
    if reverse:
        # The two layers that see the image; `v` is in the space of their inputs.
        for name in ("block1_conv1", "block1_shortcut"):
            kernel, v = arrays[f"{name}/kernel"], arrays[f"{name}/v"]
            arrays[f"{name}/kernel"] = kernel[:, :, ::-1]
            arrays[f"{name}/v"] = v.reshape(-1, discriminator.channels)[:, ::-1].ravel()
    assign(discriminator, arrays)
    return discriminator


def _num_classes(checkpoint, norm):
    """Returns the number of classes, or None if the batch norm is unconditional."""
    if f"{norm}.norm.weight" in checkpoint:
        return None
    embedding = f"{norm}.weight_embedding"
    key = f"{embedding}.weight"
    if key not in checkpoint:
        key = f"{embedding}.weight_orig"
    return checkpoint.shape(key, ("classes", "channels"))[0]


def _table(checkpoint, prefix, shape):
    """Returns a class embedding `(classes, channels)`, spectrally normalised or not."""
    spectral = f"{prefix}.weight_orig" in checkpoint or f"{prefix}.u0" in checkpoint
    if spectral:
        return transforms.normalized(*take_spectral(checkpoint, prefix, shape))
    return checkpoint.take(f"{prefix}.weight", shape)
