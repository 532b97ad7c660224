"""`load_tf1_checkpoint` on checkpoints that `tf.compat.v1.train.Saver` writes."""

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.interop import load_tf1_checkpoint, tf1, transforms
from keras_sagan.interop.assembly import named_variables
from keras_sagan.models import Discriminator, Generator
from tests.interop.conftest import assert_trains

CLASSES, BASE_FILTERS, LATENT_DIM = 3, 4, 8


def official_variables(network, scope):
    """Random variables of the official code for the layers of `network`.

    Returns: dict from variable name to array.
    """
    generator, arrays = np.random.default_rng(0), {}

    def normal(*shape):
        return 0.2 * generator.normal(size=shape).astype("float32")

    for name, variable in named_variables(network).items():
        layer, part = name.rsplit("/", 1)
        where, shape = f"model/{scope(layer)}", tuple(variable.shape)
        dense = where.endswith(("g_snh0", "d_sn_linear"))
        if part == "kernel":
            arrays[f"{where}/{'Matrix' if dense else 'w'}"] = normal(*shape)
            arrays[f"{where}/u"] = normal(1, shape[-1])
        elif part == "embeddings":
            arrays[f"{where}/embedding_map"] = normal(*shape)
            arrays[f"{where}/u"] = normal(1, shape[0])
        elif part == "bias":
            arrays[f"{where}/{'bias' if dense else 'biases'}"] = normal(*shape)
        elif part == "gamma" and "non_local" in where:
            arrays[f"{where}/sigma_ratio"] = np.float32(0.7)
        elif part == "gamma":
            arrays[f"{where}/gamma"] = 1 + normal(*shape)
        elif part == "beta":
            arrays[f"{where}/beta"] = normal(*shape)
        elif part.startswith("moving"):
            value = np.exp(normal(*shape)) if "var" in part else normal(*shape)
            plain = where.endswith("g_bn")
            key = part if plain else {"moving_mean": "mean"}.get(part, "var")
            arrays[f"{where}/{key}"] = value if plain else value.reshape(1, 1, 1, -1)
    return arrays


@pytest.fixture(scope="module")
def variables():
    """Of both networks and of what training keeps beside them."""
    shared = {"image_size": 128, "num_classes": CLASSES, "base_filters": BASE_FILTERS}
    generator = Generator(latent_dim=LATENT_DIM, attention_resolutions=(32,), **shared)
    discriminator = Discriminator(attention_resolutions=(32,), **shared)
    return {
        **official_variables(generator, tf1._generator_scope),
        **official_variables(discriminator, tf1._discriminator_scope),
        "global_step": np.int64(5),
        "d_step": np.int32(5),
        "beta1_power": np.float32(0),
        "beta2_power_1": np.float32(0.9),
        "model/g_snconv_last/w/Adam": np.zeros((3, 3, 4, 3), "float32"),
        "model/g_snconv_last/w/Adam_1": np.zeros((3, 3, 4, 3), "float32"),
    }


def save(folder, arrays):
    """A checkpoint as TensorFlow 1 writes it; returns its prefix."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        made = [
            tf.compat.v1.get_variable(name, initializer=tf.constant(array))
            for name, array in arrays.items()
        ]
        saver = tf.compat.v1.train.Saver(made)
        session.run(tf.compat.v1.global_variables_initializer())
        return saver.save(session, str(folder / "model.ckpt"), global_step=5)


def test_networks(variables, tmp_path):
    """Sizes are read from the checkpoint; kernels are normalised as the code does."""
    gan = load_tf1_checkpoint(save(tmp_path, variables))
    generator, discriminator = gan.generator, gan.discriminator
    assert (generator.image_size, generator.num_classes) == (128, CLASSES)
    assert (generator.base_filters, generator.latent_dim) == (BASE_FILTERS, LATENT_DIM)
    assert generator.attention_resolutions == (32,)
    assert discriminator.attention_resolutions == (32,)

    for network, layer, scope, name in [
        (generator, "dense", "g_snh0", "Matrix"),
        (generator, "block2_conv1", "g_block2/snconv1", "w"),
        (discriminator, "dense", "d_sn_linear", "Matrix"),
        (discriminator, "block1_shortcut", "d_optimized_block1/sn_conv3", "w"),
        (discriminator, "block6_conv2", "d_block6/sn_conv2", "w"),
        (discriminator, "embedding", "d_embedding", "embedding_map"),
    ]:
        weight = variables[f"model/{scope}/{name}"]
        expected = normalized_as_officially(
            weight, variables[f"model/{scope}/u"], layer == "embedding"
        )
        actual = network.get_layer(layer).normalized_kernel()
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6)

    norm = generator.get_layer("block3_bn2")
    for name, key in [("gamma", "gamma"), ("moving_variance", "var")]:
        expected = variables[f"model/g_block3/cbn_1/{key}"]
        actual = getattr(norm, name).numpy()
        np.testing.assert_array_equal(actual, expected.reshape(actual.shape))
    gate = discriminator.get_layer("attention_32").gamma
    assert gate.numpy() == variables["model/d_non_local/sigma_ratio"]
    latents, labels = np.zeros((2, LATENT_DIM), "float32"), np.array([0, 2], "int32")
    images = gan.predict([latents, labels], verbose=0)
    assert np.isfinite(images).all()
    assert_trains(gan, images, labels)


def normalized_as_officially(weight, u, transpose):
    """One iteration from `u`, as the official code's formulas have it."""
    matrix = weight.T if transpose else weight.reshape(-1, weight.shape[-1])
    v = u @ matrix.T
    v = v / (np.sqrt(np.sum(v**2)) + 1e-12)
    u = v @ matrix
    u = u / (np.sqrt(np.sum(u**2)) + 1e-12)
    sigma = (v @ matrix @ u.T).item()
    return weight / sigma


@pytest.mark.slow
def test_without_attention(variables, tmp_path):
    """The official baseline."""
    plain = {k: v for k, v in variables.items() if "non_local" not in k}
    gan = load_tf1_checkpoint(save(tmp_path, plain))
    assert gan.generator.attention_resolutions == ()
    assert gan.discriminator.attention_resolutions == ()


def without(key):
    return lambda arrays: {k: v for k, v in arrays.items() if k != key}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            without("model/g_block4/snconv2/w"),
            r"lacks 'model/g_block4/snconv2/w', expected with shape \(3, 3, 8, 8\)",
        ),
        (
            lambda a: {**a, "model/g_bn/beta": np.zeros(9, "float32")},
            r"'model/g_bn/beta' must have shape \(4,\). Received: shape \(9,\)",
        ),
        (
            lambda a: {**a, "model/g_extra/w": np.zeros(9, "float32")},
            r"holds 'model/g_extra/w' of shape \(9,\)",
        ),
        (
            lambda a: {"conv/kernel": np.zeros(3, "float32")},
            r"lacks 'model/g_snh0/Matrix', expected with shape "
            r"\(latent_dim, 256 \* base_filters\)",
        ),
    ],
)
def test_a_wrong_checkpoint_is_refused(variables, tmp_path, edit, message):
    prefix = save(tmp_path, edit(variables))
    with pytest.raises(ValueError, match=message):
        load_tf1_checkpoint(prefix)


def test_other_files_are_refused(variables, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is none in .*/nothing'\."):
        load_tf1_checkpoint(tmp_path / "nothing")
    (tmp_path / "text.index").write_text("not a checkpoint")
    with pytest.raises(ValueError, match="cannot be read as a TensorFlow checkpoint"):
        load_tf1_checkpoint(tmp_path / "text")
    prefix = save(tmp_path, variables)
    data = tmp_path / "model.ckpt-5.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:5000])
    with pytest.raises(
        ValueError, match=r"its arrays have .* bytes, but its files have 5000"
    ):
        load_tf1_checkpoint(prefix)


@pytest.mark.parametrize("name", ["", "x", "model.ckpt-10.index", "model.ckpt-5.meta"])
def test_a_name_that_is_no_prefix_is_answered_with_those_that_are(tmp_path, name):
    for step in (5, 10):
        for ending in ("index", "meta", "data-00000-of-00001"):
            (tmp_path / f"model.ckpt-{step}.{ending}").touch()
    message = r"common beginning .* Found model\.ckpt-5, model\.ckpt-10 in "
    with pytest.raises(FileNotFoundError, match=message):
        load_tf1_checkpoint(tmp_path / name)


def test_rows_are_what_one_iteration_needs():
    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 5))
    u, v = transforms.power_iteration(tf1._rows(kernel), np.ones(5))
    assert u.shape == (5,) and v.shape == (18,)
