"""Builds DINOv2, vision transformers with patches of 14 pixels, to extract features.

The graph is that of KerasHub (extra `dinov2`), and the weights are the published ones,
with the names of facebookresearch/dinov2 or of Hugging Face's `transformers`. As in
dgm-eval and torch-fidelity, the feature is the class token after the last
normalisation, of images of 224 x 224 pixels.

Reference: [Oquab et al., 2023](https://arxiv.org/abs/2304.07193);
    [Stein et al., 2023](https://arxiv.org/abs/2306.04675), on scores of its features.
"""

import dataclasses

import numpy as np

from keras_sagan.extras import MissingExtraError

IMAGE_SIZE = 224
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

_PATCH = 14
_TRAINED_SIZE = 518  # size of images for which the weights hold positions
_OFFSET = 0.1  # number of patches that the published model adds before interpolation
_A = -0.75  # parameter of PyTorch's cubic kernel

# What differs in the names of `transformers`, in the files on the Hugging Face Hub.
_OF_TRANSFORMERS = {
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.patch_embeddings.projection": "patch_embed.proj",
    "embeddings.": "",
    "encoder.layer.": "blocks.",
    "attention.output.dense": "attn.proj",
    "layer_scale1.lambda1": "ls1.gamma",
    "layer_scale2.lambda1": "ls2.gamma",
    "layernorm.": "norm.",
}


@dataclasses.dataclass(frozen=True)
class Size:
    """One of the published sizes.

    Args:
        layers: int. Number of blocks.
        width: int. Number of dimensions of tokens and of the feature.
        heads: int. Number of attention heads.
        url: str. Address of the file of weights.
        sha256: str. SHA-256 of this file.
        bytes: int. Size of this file.
    """

    layers: int
    width: int
    heads: int
    url: str
    sha256: str
    bytes: int


_URL = (
    "https://dl.fbaipublicfiles.com/dinov2/dinov2_vit{0}14/dinov2_vit{0}14_pretrain.pth"
)
SIZES = {
    "s": Size(
        layers=12,
        width=384,
        heads=6,
        url=_URL.format("s"),
        sha256="b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9",
        bytes=88_283_115,
    ),
    "b": Size(
        layers=12,
        width=768,
        heads=12,
        url=_URL.format("b"),
        sha256="0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73",
        bytes=346_378_731,
    ),
    "l": Size(
        layers=24,
        width=1024,
        heads=16,
        url=_URL.format("l"),
        sha256="d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
        bytes=1_217_586_395,
    ),
}


def build(layers: int, width: int, heads: int):
    """Builds the network with random weights: `keras.Model`.

    It maps `{"images": (batch, 224, 224, 3)}`, which must be normalised, to the tokens,
    float32 `(batch, 257, width)`, of which the first is the class token.

    Raises:
        ImportError: if KerasHub is not installed.
    """
    try:
        import keras_hub
    except ImportError as error:
        what = f"The extractor dinov2 takes its graph from KerasHub ({error}), which"
        raise MissingExtraError(what, "dinov2") from error
    return keras_hub.models.DINOV2Backbone(
        patch_size=_PATCH,
        num_layers=layers,
        hidden_dim=width,
        num_heads=heads,
        intermediate_dim=4 * width,
        image_shape=(IMAGE_SIZE, IMAGE_SIZE, 3),
        position_embedding_shape=(_TRAINED_SIZE, _TRAINED_SIZE, 3),
        dtype="float32",
    )


def set_weights(model, arrays):
    """Sets the weights of a model.

    Args:
        model: result of `build`.
        arrays: dict from the names of facebookresearch/dinov2 to arrays, or from those
            in `model.safetensors` on the Hugging Face Hub.

    Raises:
        ValueError: if an array is missing, unknown, or of another shape.
    """
    arrays = _renamed({name: np.asarray(x) for name, x in arrays.items()})
    expected = _shapes(model)
    received = {name: x.shape for name, x in arrays.items()}
    wrong = sorted(
        name
        for name in {*expected, *received}
        if expected.get(name) != received.get(name)
    )
    if wrong:
        name = wrong[0]
        raise ValueError(
            f"The weights must be those of DINOv2 with {model.num_layers} layers of "
            f"width {model.hidden_dim}; {len(wrong)} differ. {name!r} must have shape "
            f"{expected.get(name)}. Received: {received.get(name)}."
        )
    values = dict(_converted(arrays, model.num_layers, model.num_heads))
    for weight in model.weights:
        weight.assign(values[weight.path])


def _renamed(arrays):
    """Gives weights with the names of `transformers` their names of facebookresearch.

    Queries, keys and values, which are separate there, are concatenated.
    """
    if "embeddings.cls_token" not in arrays:
        return arrays
    arrays = {_published_name(name): x for name, x in arrays.items()}
    for query in [name for name in arrays if "attention.query" in name]:
        names = [query.replace("query", x) for x in ("query", "key", "value")]
        if all(name in arrays for name in names):
            name = query.replace("attention.attention.query", "attn.qkv")
            arrays[name] = np.concatenate([arrays.pop(x) for x in names])
    return arrays


def _published_name(name):
    for theirs, published in _OF_TRANSFORMERS.items():
        name = name.replace(theirs, published)
    return name


def positions(embedding, size=IMAGE_SIZE // _PATCH):
    """Interpolates position embeddings for fewer patches, as the published model does.

    This is PyTorch's bicubic interpolation, without antialiasing, by the factor
    (size + 0.1) / 37. The published code adds the 0.1 because of an old rounding error,
    and the features depend on it. KerasHub interpolates differently.

    Args:
        embedding: array `(1, 1 + n * n, width)`.
        size: int. Number of patches along each side.

    Returns: float32 array `(1, 1 + size * size, width)`.
    """
    token, patches = embedding[:, :1], embedding[0, 1:]
    old = round(len(patches) ** 0.5)
    rows = _cubic_matrix(old, size)
    grid = patches.reshape(old, old, -1).astype(np.float64)
    grid = np.einsum("uh,vw,hwd->uvd", rows, rows, grid, optimize=True)
    grid = grid.reshape(1, size * size, -1)
    return np.concatenate([token, grid], axis=1).astype(np.float32)


def _cubic_matrix(old, new):
    matrix = np.zeros((new, old))
    for row in range(new):
        centre = (row + 0.5) * old / (new + _OFFSET) - 0.5
        first = int(np.floor(centre))
        for k in range(first - 1, first + 3):
            weight = _cubic(abs(centre - k))
            matrix[row, min(max(k, 0), old - 1)] += weight  # borders are repeated
    return matrix


def _cubic(x):
    if x <= 1:
        return ((_A + 2) * x - (_A + 3)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * _A if x < 2 else 0.0


def _shapes(model):
    """Returns the published names of all weights with their shapes: dict."""
    d, patches = model.hidden_dim, (_TRAINED_SIZE // _PATCH) ** 2
    shapes = {
        "cls_token": (1, 1, d),
        "pos_embed": (1, 1 + patches, d),
        "mask_token": (1, d),
        "patch_embed.proj.weight": (d, 3, _PATCH, _PATCH),
        "patch_embed.proj.bias": (d,),
        "norm.weight": (d,),
        "norm.bias": (d,),
    }
    for i in range(model.num_layers):
        block = {"ls1.gamma": (d,), "ls2.gamma": (d,)}
        for name, (rows, columns) in {
            "attn.qkv": (3 * d, d),
            "attn.proj": (d, d),
            "mlp.fc1": (4 * d, d),
            "mlp.fc2": (d, 4 * d),
        }.items():
            block |= {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}
        for name in ("norm1", "norm2"):
            block |= {f"{name}.weight": (d,), f"{name}.bias": (d,)}
        shapes |= {f"blocks.{i}.{name}": shape for name, shape in block.items()}
    return shapes


def _converted(arrays, layers, heads):
    """Yields the path of every weight in KerasHub, and its value."""
    yield "embeddings/cls_token", arrays["cls_token"]
    yield "embeddings/mask_token", arrays["mask_token"]
    yield "embeddings/position_embeddings", arrays["pos_embed"]
    interpolated = positions(arrays["pos_embed"])
    yield "embeddings/interpolated_position_embeddings", interpolated
    patches = "embeddings/patch_embeddings/projection"
    kernel = arrays["patch_embed.proj.weight"].transpose(2, 3, 1, 0)
    yield f"{patches}/kernel", kernel
    yield f"{patches}/bias", arrays["patch_embed.proj.bias"]
    yield "layernorm/gamma", arrays["norm.weight"]
    yield "layernorm/beta", arrays["norm.bias"]
    for i in range(layers):
        begin = f"blocks.{i}."
        block = {
            x.removeprefix(begin): arrays[x] for x in arrays if x.startswith(begin)
        }
        for path, value in _of_block(block, heads):
            yield f"encoder/layers_{i}/{path}", value


def _of_block(arrays, heads):
    """Yields the paths and values of the weights of a block."""
    for i in (1, 2):
        yield f"norm{i}/gamma", arrays[f"norm{i}.weight"]
        yield f"norm{i}/beta", arrays[f"norm{i}.bias"]
        yield f"layer_scale{i}/lambda1", arrays[f"ls{i}.gamma"]
        yield f"mlp/fc{i}/kernel", arrays[f"mlp.fc{i}.weight"].T
        yield f"mlp/fc{i}/bias", arrays[f"mlp.fc{i}.bias"]
    width = len(arrays["norm1.weight"])
    kernels = arrays["attn.qkv.weight"].reshape(3, width, width)
    biases = arrays["attn.qkv.bias"].reshape(3, heads, -1)
    for name, kernel, bias in zip(
        ("query", "key", "value"), kernels, biases, strict=True
    ):
        yield f"attention/attention/{name}/kernel", kernel.T.reshape(width, heads, -1)
        yield f"attention/attention/{name}/bias", bias
    out = arrays["attn.proj.weight"].T.reshape(heads, -1, width)
    yield "attention/attention/attention_output/kernel", out
    yield "attention/attention/attention_output/bias", arrays["attn.proj.bias"]
