"""Weights of Keras 2 models whose layers TensorFlow Addons normalised.

`tfa.layers.SpectralNormalization` (and `keras.layers.SpectralNormalization`, which
copies it) stores kernels that it has divided by their spectral norm already, uses
them as they are at inference, and keeps one vector, `u`. See docs/how-to/migrate.md.
"""

import functools
import os

import keras
import numpy as np

from keras_sagan.files import hdf5_files, paths
from keras_sagan.interop import transforms
from keras_sagan.layers.spectral_normalization import SpectralNormalization

STARTING_ITERATIONS = 15
_TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


def from_tfa(path: str | os.PathLike, model: keras.Model) -> keras.Model:
    """Load HDF5 weights of a Keras 2 / TFA model into a Keras 3 model.

    The models must have the same layers in the same order, with
    `keras_sagan.layers.SpectralNormalization` where the old one had that of TFA;
    names do not matter. After loading, inference gives what the old model gave. From
    the first training call on, or after `advance`, every kernel is divided by its
    spectral norm, which was about 1.

    Args:
        path: str or path of an HDF5 file that `save_weights("....h5")` or
            `save("....h5")` wrote under Keras 2.
        model: built `keras.Model`; nested models are followed.

    Returns: `model`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is something else, or the layers differ: the message names
            the first array that is missing, too much or of another shape. The model
            is unchanged then.
    """
    groups = _read_groups(path)
    layers = [layer for layer in model.layers if layer.weights]
    if len(groups) != len(layers):
        raise ValueError(
            f"{str(path)!r} must hold {len(layers)} layers with weights, as the model "
            f"has. Received: {len(groups)} layers: {[name for name, _ in groups]}."
        )
    plan = []
    for (name, group), layer in zip(groups, layers, strict=True):
        plan += _match(path, name, group, list(_leaves(layer)))
    for assignment in plan:
        assignment()
    return model


def _read_groups(path):
    """List of `(layer, [(name, array), ...])` of the layers with weights, in order."""
    path = paths.local(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    try:
        with hdf5_files.opened(path) as file:
            root = file.get("model_weights", file)
            layers = [_text(name) for name in root.attrs["layer_names"]]
            groups = [(name, _read_group(root[name])) for name in layers]
    except Exception as error:  # the library raises nearly everything
        raise ValueError(
            f"{str(path)!r} cannot be read as HDF5 weights of Keras 2: it is another "
            f"kind of file or is incomplete ({error})."
        ) from error
    return [(name, arrays) for name, arrays in groups if arrays]


def _read_group(group):
    names = [_text(name) for name in group.attrs["weight_names"]]
    return [(name, np.asarray(group[name])) for name in names]


def _text(name):
    return name.decode() if isinstance(name, bytes) else str(name)


def _leaves(layer):
    """The layers with weights of their own in `layer`, in order."""
    if isinstance(layer, keras.Model):
        for inner in layer.layers:
            yield from _leaves(inner)
    elif layer.weights:
        yield layer


def _match(path, name, group, leaves):
    """Pair the arrays of one group with `leaves`; returns the assignments to make.

    Keras 2 stores the trainable weights of all leaves first, then the others.
    """
    places = [x for leaf in leaves for x in _trainable(leaf)]
    places += [x for leaf in leaves for x in _non_trainable(leaf)]
    assignments = []
    for index, (shape, assign) in enumerate(places):
        if index == len(group):
            raise ValueError(
                f"{str(path)!r}, layer {name!r}, lacks weight number {index + 1}, "
                f"expected with shape {shape}."
            )
        key, array = group[index]
        if array.shape != shape:
            raise ValueError(
                f"{str(path)!r}: {key!r} must have shape {shape}. "
                f"Received: shape {array.shape}."
            )
        assignments.append(functools.partial(assign, array))
    for key, array in group[len(places) :]:
        raise ValueError(
            f"{str(path)!r} holds {key!r} of shape {array.shape}, which the model's "
            "layer does not have."
        )
    return assignments  # kernels come before the vectors that belong to them


def _trainable(leaf):
    inner = leaf.layer if isinstance(leaf, SpectralNormalization) else leaf
    return [(tuple(v.shape), v.assign) for v in inner.trainable_weights]


def _non_trainable(leaf):
    if not isinstance(leaf, SpectralNormalization):
        return [(tuple(v.shape), v.assign) for v in leaf.non_trainable_weights]
    size = leaf.kernel.shape[-1]
    return [((1, size), functools.partial(_set_vectors, leaf))]


def _set_vectors(wrapper, stored):
    """Give `wrapper` its vectors, such that it uses its kernel as it is.

    TFA's `u` (1, size) belongs to the last axis of the kernel. That is ours too,
    except for an embedding, where it is our `v`, and for a transposed convolution,
    which has to start anew.
    """
    kernel = np.asarray(wrapper.kernel)
    stored = transforms.unit(stored.ravel())
    if isinstance(wrapper.layer, keras.layers.Embedding):
        u, v = transforms.unit(kernel @ stored), stored
    elif isinstance(wrapper.layer, _TRANSPOSED):
        wrapper.advance(STARTING_ITERATIONS)
        u, v = np.asarray(wrapper.u), np.asarray(wrapper.v)
    else:
        rows = kernel.reshape(-1, kernel.shape[-1])
        u, v = stored, transforms.unit(rows @ stored)
    wrapper.u.assign(u)
    wrapper.v.assign(v)
    sigma = float(wrapper.sigma())
    if abs(sigma) > wrapper.epsilon:
        wrapper.v.assign(v / sigma)  # the next iteration makes it a unit vector
