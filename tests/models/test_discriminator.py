"""The discriminator against the plain network, its sizes, dtypes and errors."""

import keras
import numpy as np
import pytest

from keras_sagan.layers import GatedResidual2D, SelfAttention2D, spectral_norm_layers
from keras_sagan.models import Discriminator
from tests import helpers
from tests.models import reference

LABELS = np.array([2, 0, 1], "int32")


def make(**kwargs):
    """A network as narrow as its attention allows."""
    defaults = {
        "num_classes": 3,
        "base_filters": 4 if kwargs.get("attention_resolutions") else 1,
        "attention_resolutions": (),
    }
    return Discriminator(**{**defaults, **kwargs})


def images(size=32, channels=3, dtype="float32"):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (3, size, size, channels)).astype(dtype)


# === Function ===
@pytest.mark.parametrize(
    ("attention", "activated_shortcut"),
    [
        ("released", True),
        *(
            pytest.param(attention, False, marks=pytest.mark.slow)
            for attention in ("released", "paper", "formula", "residual")
        ),
    ],
)
def test_equals_the_plain_network(attention, activated_shortcut):
    network = make(
        attention=attention,
        attention_resolutions=(8, 16),
        activated_shortcut=activated_shortcut,
        dtype="float64",
    )
    reference.randomize(network)
    x = images(dtype="float64")
    expected = reference.discriminate(network, x, LABELS, activated_shortcut)
    np.testing.assert_allclose(network([x, LABELS]), expected, rtol=1e-9)
    # The two forms of the shortcut tell apart.
    other = reference.discriminate(network, x, LABELS, not activated_shortcut)
    assert np.abs(expected - other).min() > 1e-3 * np.abs(expected).max()


def test_unconditional_equals_the_plain_network():
    network = make(num_classes=None, image_size=64, dtype="float64")
    reference.randomize(network)
    x = images(64, dtype="float64")
    np.testing.assert_allclose(
        network(x), reference.discriminate(network, x), rtol=1e-9
    )


def test_there_are_no_batch_statistics():
    network = make()
    x = images()
    alone = [network([x[i : i + 1], LABELS[i : i + 1]])[0] for i in range(3)]
    np.testing.assert_allclose(network([x, LABELS]), alone, rtol=1e-4, atol=1e-5)
    assert {v.name for v in network.non_trainable_variables} == {"u", "v"}


@pytest.mark.parametrize(
    "attention", ["released", pytest.param("residual", marks=pytest.mark.slow)]
)
def test_without_spectral_norm(attention):
    network = make(attention=attention, attention_resolutions=(16,), dtype="float64")
    reference.randomize(network)
    plain = helpers.without_spectral_norm(network)
    assert not spectral_norm_layers(plain)
    assert not plain.spectral_norm
    assert not plain.non_trainable_variables
    x = images(dtype="float64")
    np.testing.assert_allclose(plain([x, LABELS]), network([x, LABELS]), rtol=1e-9)


# === Sizes ===
@pytest.mark.parametrize(
    ("image_size", "channels", "num_classes"),
    [
        (32, 1, None),
        (32, 4, 3),
        (64, 3, 3),
        (64, 4, None),
        (128, 1, 3),
        (128, 3, None),
        pytest.param(256, 4, 3, marks=pytest.mark.slow),
        pytest.param(256, 1, None, marks=pytest.mark.slow),
    ],
)
def test_shapes(image_size, channels, num_classes):
    network = make(image_size=image_size, channels=channels, num_classes=num_classes)
    assert network.output_shape == (None, 1)
    x = images(image_size, channels)
    logits = network(x if num_classes is None else [x, LABELS])
    assert logits.shape == (3, 1)
    assert logits.dtype == "float32"
    assert np.std(logits) > 0
    names = [layer.name for layer in network.layers]
    assert ("embedding" in names) == (num_classes is not None)


@pytest.mark.parametrize(
    ("image_size", "produced"),
    [
        (64, (4, 8, 16, 32)),
        pytest.param(256, (4, 8, 16, 32, 64, 128), marks=pytest.mark.slow),
    ],
)
def test_attention_at_all_sizes(image_size, produced):
    network = make(
        image_size=image_size,
        base_filters=8,
        attention="paper",
        attention_resolutions=produced,
        num_classes=None,
    )
    layers = [x for x in network.layers if isinstance(x, SelfAttention2D)]
    assert [x.input.shape[1] for x in layers] == sorted(produced, reverse=True)
    assert network.attention_resolutions == produced


@pytest.mark.parametrize("resolutions", [(), (8,), (16,), (8, 16)])
def test_attention_comes_after_the_first_block_of_its_size(resolutions):
    network = make(attention_resolutions=resolutions)
    names = [x.name for x in network.layers]
    for size, block in [(16, 1), (8, 2)]:
        assert (f"attention_{size}" in names) == (size in resolutions)
        if size in resolutions:
            following = names.index(f"block{block + 1}_conv1")
            assert names.index(f"block{block}_conv2") < names.index(f"attention_{size}")
            assert names.index(f"attention_{size}") < following


def test_shortcuts_have_a_convolution_only_where_shapes_change():
    names = [x.name for x in make(image_size=128).layers]
    shortcuts = [f"block{i}_shortcut" in names for i in range(1, 7)]
    assert shortcuts == [True] * 5 + [False]  # 16 to 16 widths, no pooling
    names = [x.name for x in make(image_size=64).layers]
    assert "block5_shortcut" in names  # 8 to 16 widths


def test_residual_is_the_control_of_the_released_attention():
    control = make(attention="residual", attention_resolutions=(16,))
    network = make(attention_resolutions=(16,))
    assert isinstance(control.get_layer("attention_16"), GatedResidual2D)
    trained = [
        sum(np.prod(v.shape) for v in x.trainable_variables) for x in (control, network)
    ]
    assert trained[0] == trained[1]


def test_everything_is_spectrally_normalised():
    network = make(attention_resolutions=(16,))
    wrapped = {id(v) for x in spectral_norm_layers(network) for v in x.variables}
    others = [v.path for v in network.variables if id(v) not in wrapped]
    assert others == ["attention_16/gamma"]
    embedding = network.get_layer("embedding")
    assert embedding.u.shape == (3,)  # in class space


@pytest.mark.parametrize("initializer", ["glorot_uniform", "orthogonal"])
def test_the_embedding_is_initialised_like_the_kernels(initializer):
    network = make(num_classes=40, base_filters=8, kernel_initializer=initializer)
    table = np.array(network.get_layer("embedding").layer.embeddings)  # (40, 16)
    if initializer == "orthogonal":
        np.testing.assert_allclose(table.T @ table, np.eye(16), atol=1e-5)
    else:
        limit = np.sqrt(6 / (40 + 16))
        assert 0.95 * limit < np.abs(table).max() <= limit


# === Dtypes ===
@pytest.mark.parametrize(
    ("policy", "variables", "outputs"),
    [
        ("mixed_bfloat16", "float32", "float32"),
        *(
            pytest.param(*3 * (x,), marks=pytest.mark.slow)
            for x in ("float32", "float64")
        ),
    ],
)
def test_dtypes(policy, variables, outputs):
    network = make(dtype=policy, attention_resolutions=(16,))
    assert {v.dtype for v in network.variables} == {variables}
    logits = network([images(), LABELS], training=True)
    assert logits.dtype == outputs == network.output.dtype
    compute = keras.DTypePolicy(policy).compute_dtype
    assert network.get_layer("attention_16").output.dtype == compute
    # From the last activation on: sum over positions, dense and embedding.
    for name in ("relu", "dense", "embedding"):
        assert network.get_layer(name).output.dtype == outputs
    assert network.dtype_policy.name == policy


def test_mixed_bfloat16_is_close_to_float32():
    network = make(attention_resolutions=(16,))
    mixed = make(attention_resolutions=(16,), dtype="mixed_bfloat16")
    mixed.set_weights(network.get_weights())
    logits = np.array(network([images(), LABELS]))
    np.testing.assert_allclose(
        mixed([images(), LABELS]), logits, atol=0.03 * np.abs(logits).max()
    )


# === Errors ===
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_size", 16),
        ("num_classes", -3),
        ("num_classes", True),
        ("base_filters", 0),
        ("channels", 5),
        ("attention", "none"),
        ("kernel_initializer", "zeros"),
    ],
)
def test_bad_arguments(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be .*{name}={value!r}\."):
        make(**{name: value})


@pytest.mark.parametrize(
    ("image_size", "resolutions", "produced"),
    [
        (32, (32,), [8, 16]),
        (32, (4,), [8, 16]),
        (64, (64,), [4, 8, 16, 32]),
        (128, (32, 128), [4, 8, 16, 32, 64]),
        (256, (256,), [4, 8, 16, 32, 64, 128]),
    ],
)
def test_attention_at_a_size_that_does_not_occur(image_size, resolutions, produced):
    with pytest.raises(ValueError, match="`attention_resolutions`") as error:
        make(image_size=image_size, attention_resolutions=resolutions)
    assert f"produces, {produced}. " in str(error.value)
    assert f"Received: attention_resolutions={resolutions!r}" in str(error.value)
