"""State dicts of the torch reference under the names of other projects."""

import re

STUDIOGAN_CBN = {  # generation: form of the class tables, names of its two maps
    1: ("table_sn", "embed0", "embed1"),
    2: ("shared", "gain", "bias"),
    3: ("one_hot", "gain", "bias"),
}
_STUDIOGAN = [
    (r"^dense\.", "linear0."),
    (r"^layers\.(\d+)\.", r"blocks.\1.0."),
    (r"\.conv1\.", ".conv2d1."),
    (r"\.conv2\.", ".conv2d2."),
    (r"\.shortcut\.", ".conv2d0."),
    (r"\.query\.", ".conv1x1_theta."),
    (r"\.key\.", ".conv1x1_phi."),
    (r"\.value\.", ".conv1x1_g."),
    (r"\.output\.", ".conv1x1_attn."),
    (r"\.gate$", ".sigma"),
    (r"^bn\.", "bn4."),
    (r"^to_images\.", "conv2d5."),
]
_MMGENERATION = [
    (r"^dense\.", "noise2feat."),
    (r"^layers\.(\d+)\.", r"conv_blocks.\1."),
    (r"\.conv1\.", ".conv_1.conv."),
    (r"\.conv2\.", ".conv_2.conv."),
    (r"\.shortcut\.", ".shortcut.conv."),
    (r"\.query\.", ".theta.conv."),
    (r"\.key\.", ".phi.conv."),
    (r"\.value\.", ".g.conv."),
    (r"\.output\.", ".o.conv."),
    (r"\.gate$", ".gamma"),
    (r"\.bn(\d)\.norm\.", r".norm_\1.norm."),
    (r"\.bn(\d)\.tables\.gain\.", r".norm_\1.weight_embedding."),
    (r"\.bn(\d)\.tables\.offset\.", r".norm_\1.bias_embedding."),
    (r"^bn\.", "to_rgb.bn."),
    (r"^to_images\.", "to_rgb.conv."),
]


def rename(state, rules):
    renamed = {}
    for key, value in state.items():
        name = key
        for pattern, replacement in rules:
            name = re.sub(pattern, replacement, name)
        renamed[name] = value
    return renamed


def studiogan_generator(state, generation, conditional=True):
    """`state` of a `Generator` whose form is that of `STUDIOGAN_CBN[generation]`."""
    _, gain, bias = STUDIOGAN_CBN[generation]
    rules = [
        *_STUDIOGAN,
        (r"\.tables\.gain\.", f".{gain}."),
        (r"\.tables\.offset\.", f".{bias}."),
        (r"\.(bn\d)\.norm\.", r".\1.bn." if conditional else r".\1."),
    ]
    return _with_gates_as_vectors(rename(state, rules))


def studiogan_discriminator(state):
    rules = [(r"^dense\.", "linear1."), *_STUDIOGAN]
    return _with_gates_as_vectors(rename(state, rules))


def mmgeneration_generator(state):
    return rename(state, _MMGENERATION)


def mmgeneration_discriminator(state):
    """The first block has a name of its own, and the others count from there."""
    shifted = {
        re.sub(
            r"^layers\.(\d+)\.",
            lambda m: f"layers.{int(m[1]) - 1}." if int(m[1]) else "from_rgb.",
            key,
        ): value
        for key, value in state.items()
    }
    head = [(r"^dense\.", "decision."), (r"^embedding\.", "proj_y.")]
    return rename(shifted, [*head, *_MMGENERATION])


def ajbrock(state, prefixes):
    """`state` with the layers under `prefixes` in BigGAN-PyTorch's layout."""
    changed = {}
    for key, value in state.items():
        if not key.startswith(tuple(prefixes)):
            changed[key] = value
        elif key.endswith("weight_orig"):
            changed[key.removesuffix("_orig")] = value
        elif key.endswith("weight_u"):
            base = key.removesuffix("weight_u")
            changed[f"{base}u0"] = value[None, :]
            changed[f"{base}sv0"] = value.new_ones(1)
        elif not key.endswith("weight_v"):
            changed[key] = value
    return changed


def reverse_channels(state):
    """The same networks for images in BGR (an MMGeneration state dict)."""
    changed = dict(state)
    for key, value in state.items():
        name = key.partition(".")[2]
        if name in [f"to_rgb.conv.{x}" for x in ("weight_orig", "bias", "weight_u")]:
            changed[key] = value.flip(0)
        elif re.match(r"from_rgb\.(conv_1|shortcut)\.conv\.weight_orig", name):
            changed[key] = value.flip(1)
        elif re.match(r"from_rgb\.(conv_1|shortcut)\.conv\.weight_v", name):
            changed[key] = value.unflatten(0, (3, -1)).flip(0).flatten()
    return changed


def _with_gates_as_vectors(state):
    return {
        key: value.reshape(1) if key.endswith(".sigma") else value
        for key, value in state.items()
    }
