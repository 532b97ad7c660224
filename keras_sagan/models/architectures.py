"""Widths, resolutions and argument checks that the two networks share."""

import fnmatch
import operator

from keras_sagan.config.model import (
    ATTENTION_NAMES,
    IMAGE_SIZES,
    KERNEL_INITIALIZERS,
)
from keras_sagan.layers.checks import (
    check_channels_last,
    check_choice,
    check_positive_integer,
)

GENERATOR_WIDTHS = {  # of the blocks, in units of `base_filters`
    32: (4, 4, 4),
    64: (8, 4, 2, 1),
    128: (16, 8, 4, 2, 1),
    256: (16, 8, 8, 4, 2, 1),
}
GENERATOR_FIRST_WIDTH = {32: 4, 64: 16, 128: 16, 256: 16}  # of the 4x4 tensor
DISCRIMINATOR_WIDTHS = {
    32: (2, 2, 2, 2),
    64: (1, 2, 4, 8, 16),
    128: (1, 2, 4, 8, 16, 16),
    256: (1, 2, 4, 8, 8, 16, 16),
}
DISCRIMINATOR_DOWNSAMPLES = {32: 2, 64: 4, 128: 5, 256: 6}  # count, from the first on
SMALLEST = 4  # height and width, in pixels, of the generator's first tensor

ATTENTION_SETTINGS = {  # arguments of SelfAttention2D
    "released": {"key_ratio": 8, "value_ratio": 2, "pool_size": 2},
    "paper": {"key_ratio": 8, "value_ratio": 8, "pool_size": 1},
    "formula": {
        "key_ratio": 8,
        "value_ratio": 1,
        "pool_size": 1,
        "use_output_projection": False,
    },
}


def generator_resolutions(image_size):
    """Returns the size in pixels after each generator block, e.g. `(8, 16, 32)`."""
    count = len(GENERATOR_WIDTHS[image_size])
    return tuple(SMALLEST * 2 ** (i + 1) for i in range(count))


def discriminator_resolutions(image_size):
    """Returns the size in pixels after each block of D, e.g. `(16, 8, 8, 8)`."""
    downsamples = DISCRIMINATOR_DOWNSAMPLES[image_size]
    count = len(DISCRIMINATOR_WIDTHS[image_size])
    return tuple(image_size // 2 ** min(i + 1, downsamples) for i in range(count))


def check_network(
    image_size, num_classes, base_filters, channels, attention, kernel_initializer
):
    """Checks the arguments that both networks share.

    Returns: tuple of `image_size`, `num_classes`, `base_filters` and `channels`, with
        NumPy integers converted to Python's.

    Raises:
        ValueError: if an argument is invalid. The message names it, its value and what
            is allowed.
    """
    check_channels_last("A network")
    check_choice("attention", attention, ATTENTION_NAMES)
    check_choice("kernel_initializer", kernel_initializer, KERNEL_INITIALIZERS)
    if num_classes is not None:
        num_classes = check_positive_integer(
            "num_classes", num_classes, "or None (unconditional)"
        )
    return (
        check_choice("image_size", image_size, IMAGE_SIZES),
        num_classes,
        check_positive_integer("base_filters", base_filters),
        check_choice("channels", channels, (1, 3, 4)),
    )


def check_attention_resolutions(resolutions, produced):
    """Returns `resolutions` as a sorted tuple of sizes that all occur in `produced`.

    Raises:
        ValueError: if a size does not occur. The message lists those that do.
    """
    if hasattr(resolutions, "tolist"):  # NumPy's numbers and arrays
        resolutions = resolutions.tolist()
    if isinstance(resolutions, int):
        resolutions = (resolutions,)
    try:
        sizes = {operator.index(size) for size in resolutions}
    except TypeError:
        sizes = None
    if sizes is None or not sizes <= set(produced):
        raise ValueError(
            "`attention_resolutions` must be () or hold sizes that this network "
            f"produces, {sorted(set(produced))}. "
            f"Received: attention_resolutions={resolutions!r}."
        )
    return tuple(sorted(sizes))


def frozen_layers(model):
    """Returns which layers differ from their parent in whether they are trainable.

    The configuration of a network holds its arguments but not its layers, so that this
    has to be stored in addition.

    Returns: dict. `"frozen"` lists layers that are not trainable although their parent
        is, `"thawed"` those that are although their parent is not, as paths of names,
        e.g. "attention_16/query". Empty lists are left out.
    """
    layers = list(nested_layers(model))
    unlike = {
        "frozen": [path for path, x, y in layers if y and not x.trainable],
        "thawed": [path for path, x, y in layers if x.trainable and not y],
    }
    return {name: paths for name, paths in unlike.items() if paths}


def with_frozen_layers(cls, config):
    """Creates a model of class `cls` from a configuration with `frozen_layers`."""
    arguments = dict(config)
    frozen, thawed = arguments.pop("frozen", ()), arguments.pop("thawed", ())
    trainable = arguments.pop("trainable", True)
    model = cls(**arguments)
    if not trainable:
        model.trainable = False
    for path, layer, _ in nested_layers(model):
        if path in frozen or path in thawed:
            layer.trainable = path in thawed
    return model


def nested_layers(layer, prefix=""):
    """Yields all layers inside a layer, parents first.

    Layers without weights, such as those that Keras makes for operations, are skipped.

    Yields: tuple of the path, the layer, and whether its parent is trainable.
    """
    for inner in layer._flatten_layers(include_self=False, recursive=False):
        if inner.weights:
            path = prefix + inner.name
            yield path, inner, layer.trainable
            yield from nested_layers(inner, f"{path}/")


def freeze_layers(networks, patterns):
    """Freezes the layers whose names match patterns; see `SAGAN.freeze`.

    Args:
        networks: dict from `"generator"` and `"discriminator"` to the networks.
        patterns: sequence of str for `fnmatch`, e.g. `"discriminator/block1_*"`.

    Returns: list of str. Names of the layers that were frozen.

    Raises:
        ValueError: if a pattern does not match the name of any layer.
    """
    layers = {
        f"{name}/{path}": layer
        for name, network in networks.items()
        for path, layer, _ in nested_layers(network)
    }
    frozen = []
    for pattern in patterns:
        names = fnmatch.filter(layers, pattern)
        if not names:
            raise ValueError(
                "A pattern of layers to freeze must match a name such as "
                f"{', '.join(list(layers)[:3])}, discriminator/block1_conv1. "
                f"Received: {pattern!r}."
            )
        frozen += [name for name in names if name not in frozen]
    for name in frozen:
        layers[name].trainable = False
    return frozen
