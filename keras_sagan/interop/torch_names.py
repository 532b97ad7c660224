"""The names of weights in PyTorch SAGANs, and the architecture inferred from them."""

import dataclasses

from keras_sagan.models import architectures


@dataclasses.dataclass(frozen=True)
class Names:
    """The names that a project gives to the parts of its networks.

    Args:
        block: str. Prefix of a block or an attention layer, with `{}` for its number.
        conv1, conv2, shortcut: str. Convolutions of a block.
        bn1, bn2: str. Normalisations of a generator block.
        query, key, value, output, gate: str. Parts of an attention layer.
        generator_dense, generator_bn, to_images: str. First layer and last layers of
            the generator.
        discriminator_dense, embedding: str. Head of the discriminator.
        gate_shape: tuple. Shape of the gate, `()` or `(1,)`.
        plain_norm: str. Suffix of `bn1` and `bn2` if they are unconditional.
        first_block: str or None. Prefix of the first block of the discriminator if it
            is not one of the numbered blocks.
    """

    block: str
    conv1: str
    conv2: str
    shortcut: str
    bn1: str
    bn2: str
    query: str
    key: str
    value: str
    output: str
    gate: str
    generator_dense: str
    generator_bn: str
    to_images: str
    discriminator_dense: str
    embedding: str
    gate_shape: tuple
    plain_norm: str = ""
    first_block: str | None = None

    def blocks(self, checkpoint, discriminator=False):
        """Returns the prefixes of blocks and attention layers, in order.

        Returns: list of tuples of a prefix and whether it is an attention layer.
        """
        parts = []
        if discriminator and self.first_block:
            parts.append((self.first_block, False))
        number = 0
        while checkpoint.has_prefix(f"{self.block.format(number)}."):
            prefix = self.block.format(number)
            parts.append((prefix, checkpoint.has_prefix(f"{prefix}.{self.query}.")))
            number += 1
        return parts


@dataclasses.dataclass(frozen=True)
class Places:
    """Where the blocks and attention layers of a network are, and its image size.

    Args:
        image_size: int. Height and width of the images in pixels.
        blocks: list of str. Prefixes of the blocks.
        attention: dict from the size in pixels to the prefix of the attention layer.
    """

    image_size: int
    blocks: list
    attention: dict


def find_places(checkpoint, names, discriminator=False):
    """Infers the image size and the place of attention from the numbered keys.

    Args:
        checkpoint: `Checkpoint`.
        names: `Names`.
        discriminator: bool. Whether the network is a discriminator.

    Returns: `Places`.

    Raises:
        ValueError: if no supported network has that number of blocks.
    """
    widths = (
        architectures.DISCRIMINATOR_WIDTHS
        if discriminator
        else architectures.GENERATOR_WIDTHS
    )
    parts = names.blocks(checkpoint, discriminator)
    blocks = [prefix for prefix, is_attention in parts if not is_attention]
    sizes = {len(width): size for size, width in widths.items()}
    if len(blocks) not in sizes:
        following = f"{names.block.format(len(parts))}.{names.conv1}.weight_orig"
        supported = ", ".join(f"{count} ({size} px)" for count, size in sizes.items())
        raise ValueError(
            f"{checkpoint.origin} must have as many blocks as one of these networks: "
            f"{supported}. Received: {len(blocks)} blocks; there is no {following!r} "
            "of shape (filters, channels, 3, 3)."
        )
    image_size = sizes[len(blocks)]
    produced = (
        architectures.discriminator_resolutions(image_size)
        if discriminator
        else architectures.generator_resolutions(image_size)
    )
    attention, done = {}, 0
    for prefix, is_attention in parts:
        done += not is_attention
        if is_attention:
            attention[_resolution(checkpoint, prefix, produced, done)] = prefix
    return Places(image_size, blocks, attention)


def _resolution(checkpoint, prefix, produced, done):
    """Returns the size in pixels at an attention layer that follows `done` blocks."""
    if not done or produced[done - 1] in produced[: done - 1]:
        raise ValueError(
            f"{checkpoint.origin} has attention at {prefix!r}, after {done} blocks; it "
            "is supported after the first block of each size. Sizes after the blocks: "
            f"{produced}."
        )
    return produced[done - 1]


def generator_size(checkpoint, names, image_size):
    """Infers `(base_filters, latent_dim)` from the first dense layer."""
    key = weight_key(checkpoint, names.generator_dense)
    unit = architectures.SMALLEST**2 * architectures.GENERATOR_FIRST_WIDTH[image_size]
    expected = (f"{unit} * base_filters", "latent_dim")
    rows, latent_dim = checkpoint.shape(key, expected)
    if rows % unit:
        raise checkpoint.shape_error(key, expected)
    return rows // unit, latent_dim


def discriminator_size(checkpoint, names, places):
    """Infers `(base_filters, channels)` from the first convolution."""
    key = weight_key(checkpoint, f"{places.blocks[0]}.{names.conv1}")
    unit = architectures.DISCRIMINATOR_WIDTHS[places.image_size][0]
    expected = (f"{unit} * base_filters", "channels", 3, 3)
    rows, channels = checkpoint.shape(key, expected)[:2]
    if rows % unit:
        raise checkpoint.shape_error(key, expected)
    return rows // unit, channels


def weight_key(checkpoint, prefix):
    """Returns the key of a spectrally normalised weight; see `take_spectral`."""
    return f"{prefix}.weight" + ("" if f"{prefix}.u0" in checkpoint else "_orig")
