"""DINOv2 by KerasHub's graph: equal to `transformers` with the same random weights."""

import numpy as np
import pytest

from keras_sagan.files import safetensors_files
from keras_sagan.metrics.extractors import dinov2

LAYERS, WIDTH, HEADS = 3, 32, 2


def random_weights(layers=LAYERS, width=WIDTH, seed=0):
    """Weights by the published names, none of them small enough not to matter."""
    generator = np.random.default_rng(seed)
    model = dinov2.build(layers, width, 2)
    return {
        name: generator.normal(0.2 if len(shape) == 1 else 0, 0.2, shape).astype("f4")
        for name, shape in dinov2._shapes(model).items()
    }


def of_transformers(torch, arrays, grid=None):
    """Hugging Face's model with these weights, its positions interpolated by PyTorch.

    As facebookresearch/dinov2 does for images of 224 pixels: bicubic, by the factor
    (16 + 0.1) / 37. Without a grid, they are those of the file, of 37 x 37 patches.
    """
    from transformers import Dinov2Config, Dinov2Model

    config = Dinov2Config(
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        image_size=14 * (grid or 37),
        patch_size=14,
    )
    state = {name: torch.from_numpy(x) for name, x in arrays.items()}
    patches = state["pos_embed"][:, 1:].reshape(1, 37, 37, WIDTH).permute(0, 3, 1, 2)
    if grid:
        factor = (grid + 0.1) / 37
        patches = torch.nn.functional.interpolate(
            patches, scale_factor=(factor, factor), mode="bicubic"
        )
    patches = patches.permute(0, 2, 3, 1).reshape(1, -1, WIDTH)
    begin = "embeddings."
    renamed = {
        f"{begin}cls_token": state["cls_token"],
        f"{begin}mask_token": state["mask_token"],
        f"{begin}position_embeddings": torch.cat(
            [state["pos_embed"][:, :1], patches], 1
        ),
    }
    for part in ("weight", "bias"):
        renamed[f"{begin}patch_embeddings.projection.{part}"] = state[
            f"patch_embed.proj.{part}"
        ]
        renamed[f"layernorm.{part}"] = state[f"norm.{part}"]
        for i in range(LAYERS):
            old, new = f"blocks.{i}", f"encoder.layer.{i}"
            for name in ("norm1", "norm2", "mlp.fc1", "mlp.fc2"):
                renamed[f"{new}.{name}.{part}"] = state[f"{old}.{name}.{part}"]
            rows = state[f"{old}.attn.qkv.{part}"].chunk(3)
            for name, x in zip("qkv", rows, strict=True):
                renamed[f"{new}.attention.{name}_proj.{part}"] = x
            out = state[f"{old}.attn.proj.{part}"]
            renamed[f"{new}.attention.o_proj.{part}"] = out
    for i in range(LAYERS):
        for k in (1, 2):
            scale = state[f"blocks.{i}.ls{k}.gamma"]
            renamed[f"encoder.layer.{i}.layer_scale{k}.lambda1"] = scale
    model = Dinov2Model(config).eval()
    model.load_state_dict(renamed, strict=True)
    return model


@pytest.fixture(scope="module")
def arrays():
    return random_weights()


@pytest.mark.filterwarnings("ignore")  # of the imports of transformers
def test_equal_to_transformers(peers, arrays):
    torch = peers.torch
    theirs = of_transformers(torch, arrays, grid=16)
    model = dinov2.build(LAYERS, WIDTH, HEADS)
    dinov2.set_weights(model, arrays)
    x = np.random.default_rng(1).normal(size=(2, 224, 224, 3)).astype("f4")
    with torch.no_grad():
        found = theirs(torch.from_numpy(x.transpose(0, 3, 1, 2).copy()))
    ours = model({"images": x}, training=False)
    expected = found.last_hidden_state.numpy()
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(np.asarray(ours), expected, atol=1e-4)


@pytest.mark.filterwarnings("ignore")  # of the imports of transformers
def test_files_of_the_hugging_face_hub(peers, arrays, tmp_path):
    """Their names and shapes; queries, keys and values are separate there."""
    of_transformers(peers.torch, arrays).save_pretrained(tmp_path)
    theirs = safetensors_files.read(tmp_path / "model.safetensors")
    assert "encoder.layer.2.attention.attention.query.weight" in theirs
    models = [dinov2.build(LAYERS, WIDTH, HEADS) for _ in range(2)]
    for model, weights in zip(models, (arrays, theirs), strict=True):
        dinov2.set_weights(model, weights)
    for one, other in zip(*(model.weights for model in models), strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)
    del theirs["encoder.layer.1.attention.attention.key.bias"]
    with pytest.raises(ValueError, match="3 differ"):
        dinov2.set_weights(models[0], theirs)


@pytest.mark.parametrize("size", [16, 10, 37])
def test_positions_are_pytorchs(peers, size):
    torch = peers.torch
    embedding = np.random.default_rng(2).normal(size=(1, 1 + 37 * 37, 6)).astype("f4")
    grid = torch.from_numpy(embedding[:, 1:]).reshape(1, 37, 37, 6).permute(0, 3, 1, 2)
    factor = (size + 0.1) / 37
    theirs = torch.nn.functional.interpolate(
        grid, scale_factor=(factor, factor), mode="bicubic"
    )
    expected = theirs.permute(0, 2, 3, 1).reshape(1, size * size, 6).numpy()
    ours = dinov2.positions(embedding, size)
    np.testing.assert_allclose(ours[:, 1:], expected, atol=2e-5)
    np.testing.assert_array_equal(ours[:, 0], embedding[:, 0])


def test_other_weights_are_refused(arrays):
    model = dinov2.build(LAYERS, WIDTH, HEADS)
    missing = {name: x for name, x in arrays.items() if name != "blocks.1.ls1.gamma"}
    with pytest.raises(ValueError, match=r"'blocks\.1\.ls1\.gamma' must have shape"):
        dinov2.set_weights(model, missing)
    with pytest.raises(ValueError, match="2 layers of width 32; 14 differ"):
        dinov2.set_weights(dinov2.build(2, WIDTH, HEADS), arrays)


def test_the_published_sizes():
    """Parameters as published: 21, 86 and 300 million, 4 bytes each and a little."""
    for size, made in dinov2.SIZES.items():
        d = made.width
        positions = 37 * 37 + 1
        block = 12 * d * d + 15 * d
        parameters = made.layers * block + d * (positions + 3 * 14 * 14 + 1 + 1 + 1 + 2)
        assert 0 < made.bytes - 4 * parameters < 200_000, size
        assert f"vit{size}14" in made.url and len(made.sha256) == 64
