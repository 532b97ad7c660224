"""`from_tfa` on weights that TensorFlow Addons itself wrote, in its own environment."""

import pathlib
import subprocess
import sys

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from keras_sagan.interop import from_tfa
from keras_sagan.layers import SpectralNormalization
from tests import environments

REQUIREMENTS = ["tensorflow==2.15.1", "tensorflow-addons==0.23.0", "numpy<2"]
PROGRAM = pathlib.Path(__file__).with_name("tfa_program.py")


@pytest.fixture(scope="session")
def tfa_python():
    """Python of an environment with TFA, made once and kept between runs."""
    base = sys.executable if sys.version_info[:2] == (3, 11) else "python3.11"
    return environments.python_with("tfa", REQUIREMENTS, "tensorflow_addons", base)


@pytest.fixture(scope="session")
def tfa_folder(tfa_python, tmp_path_factory):
    """What `tfa_program.py` wrote."""
    folder = tmp_path_factory.mktemp("tfa")
    done = subprocess.run(
        [tfa_python, PROGRAM, folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def build(units=6):
    """The model of `tfa_program.py` with this package's wrapper."""
    sn = SpectralNormalization
    inner = keras.Sequential(
        [
            layers.Input((8, 8, 4)),
            sn(layers.Conv2D(3, 3, padding="same")),
            layers.BatchNormalization(),
        ]
    )
    images, labels = keras.Input((8, 8, 2)), keras.Input((), dtype="int32")
    h = sn(layers.Conv2D(4, 3, padding="same", activation="relu"))(images)
    h = inner(h)
    h = sn(layers.Conv2DTranspose(5, 4, strides=2, padding="same"))(h)
    h = layers.Flatten()(h)
    h = sn(layers.Dense(units, use_bias=False))(h)
    e = sn(layers.Embedding(7, units))(labels)
    return keras.Model([images, labels], layers.Dense(2)(h * e))


def wrappers(model):
    return [x for x in model._flatten_layers() if isinstance(x, SpectralNormalization)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["weights.h5", "model.h5"])
def test_inference_is_what_tfa_computes(tfa_folder, name):
    model = build()
    out = np.load(tfa_folder / "out.npz")
    assert from_tfa(tfa_folder / name, model) is model
    outputs = model.predict([out["images"], out["labels"]], verbose=0)
    np.testing.assert_allclose(outputs, out["outputs"], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_from_the_next_iteration_on_kernels_are_normalised(tfa_folder):
    """TFA's kernels have moved since they were normalised: sigma is near 1, not 1."""
    model = build()
    from_tfa(tfa_folder / "weights.h5", model)
    before = [float(wrapper.sigma()) for wrapper in wrappers(model)]
    np.testing.assert_allclose(before, 1, atol=1e-5)
    for wrapper in wrappers(model):
        wrapper.advance(100)
        largest = np.linalg.norm(np.asarray(wrapper._matrix()), 2)
        np.testing.assert_allclose(wrapper.sigma(), largest, rtol=1e-3)
    after = [float(wrapper.sigma()) for wrapper in wrappers(model)]
    assert np.abs(np.subtract(after, 1)).max() > 1e-3
    out = np.load(tfa_folder / "out.npz")
    model.compile(keras.optimizers.SGD(0.01), "mse")
    history = model.fit([out["images"], out["labels"]], out["outputs"], verbose=0)
    assert np.isfinite(history.history["loss"]).all()


@pytest.mark.slow
def test_a_model_of_another_width_is_refused(tfa_folder):
    model = build(units=5)
    before = [np.array(w) for w in model.weights]
    with pytest.raises(ValueError, match=r"must have shape \(.*\). Received: shape"):
        from_tfa(tfa_folder / "weights.h5", model)
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def small_model():
    return keras.Sequential(
        [keras.Input((3,)), SpectralNormalization(layers.Dense(2, name="dense"))]
    )


def write(path, arrays):
    """One layer's weights as Keras 2 stores them."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["sn"]
        group = file.create_group("sn")
        group.attrs["weight_names"] = list(arrays)
        for name, array in arrays.items():
            group[name] = array


KERNEL, BIAS = np.arange(6.0).reshape(3, 2), np.ones(2)


def test_a_hand_written_file(tmp_path):
    """Without TFA's environment: kernel as it is, u taken over."""
    arrays = {"sn/kernel:0": KERNEL, "sn/bias:0": BIAS, "sn/sn_u:0": np.ones((1, 2))}
    write(tmp_path / "w.h5", arrays)
    model = from_tfa(tmp_path / "w.h5", small_model())
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    np.testing.assert_allclose(model(x), x @ KERNEL + BIAS, rtol=1e-5)
    np.testing.assert_allclose(model.layers[0].u, np.ones(2) / np.sqrt(2), rtol=1e-6)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"sn/kernel:0": KERNEL, "sn/bias:0": BIAS},
            r"layer 'sn', lacks weight number 3, expected with shape \(1, 2\)",
        ),
        (
            {"sn/kernel:0": KERNEL.T},
            r"'sn/kernel:0' must have shape \(3, 2\). Received: shape \(2, 3\)",
        ),
        (
            {
                "sn/kernel:0": KERNEL,
                "sn/bias:0": BIAS,
                "sn/u:0": np.ones((1, 2)),
                "sn/more:0": BIAS,
            },
            r"holds 'sn/more:0' of shape \(2,\)",
        ),
        ({}, r"must hold 1 layers with weights.*Received: 0 layers"),
    ],
)
def test_wrong_weights_are_refused(tmp_path, arrays, message):
    write(tmp_path / "w.h5", arrays)
    model = small_model()
    before = [np.array(w) for w in model.weights]
    with pytest.raises(ValueError, match=message):
        from_tfa(tmp_path / "w.h5", model)
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.h5"):
        from_tfa(tmp_path / "nothing.h5", small_model())
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(ValueError, match="cannot be read as HDF5 weights of Keras 2"):
        from_tfa(tmp_path / "text.h5", small_model())
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = np.zeros(3)
    with pytest.raises(ValueError, match="cannot be read as HDF5 weights of Keras 2"):
        from_tfa(tmp_path / "other.h5", small_model())
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file.attrs["layer_names"] = ["a"]
        file["a"] = h5py.ExternalLink("other.h5", "/")
    with pytest.raises(ValueError, match="a link to something else"):
        from_tfa(tmp_path / "link.h5", small_model())
