"""Imports weights of Keras 2 models with TensorFlow Addons' spectral normalisation.

`tfa.layers.SpectralNormalization` (and `keras.layers.SpectralNormalization`, which was
copied from it) stores kernels that have already been divided by their spectral norm,
uses them unchanged at inference, and keeps one vector, `u`. See docs/how-to/migrate.md.
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
    """Loads HDF5 weights of a Keras 2 / TFA model into a Keras 3 model.

    Both models must have the same layers in the same order, with
    `keras_sagan.layers.SpectralNormalization` in place of that of TFA; names do not
    matter. After loading, inference gives the same results as the old model. From the
    first training call, or call of `advance`, on, every kernel is divided by its
    spectral norm, which is about 1.

    Args:
        path: str or path of an HDF5 file that `save_weights("....h5")` or
            `save("....h5")` wrote under Keras 2.
        model: built `keras.Model`, which may contain other models.

    Returns: `model`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is anything else, or if the layers differ. The message
            names the first array that is missing, superfluous or of another shape. The
            model is unchanged in that case.
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
    """Returns `(layer, [(name, array), ...])` for all layers with weights, in order."""
    path = paths.local(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    try:
        with hdf5_files.opened(path) as file:
            root = file.get("model_weights", file)
            layers = [_text(name) for name in root.attrs["layer_names"]]
            groups = [(name, _read_group(root[name])) for name in layers]
    except Exception as error:  # h5py raises almost any type for a damaged file
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
    """Yields the layers in `layer` that hold weights themselves, in order."""
    if isinstance(layer, keras.Model):
        for inner in layer.layers:
            yield from _leaves(inner)
    elif layer.weights:
        yield layer


def _match(path, name, group, leaves):
    """Pairs the arrays of a group with the weights of `leaves`.

    Keras 2 stores the trainable weights of all leaves first, then all others.

    Returns: list of functions that make the assignments. They are called once all
        groups have been checked.
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
    """Sets `u` and `v` of a wrapper so that sigma is 1 and its kernel stays unchanged.

    TFA's `u` (1, size) belongs to the last axis of the kernel. So does `u` here, with
    two exceptions: for an embedding it corresponds to `v`, and for a transposed
    convolution it is of no use, so that both vectors are computed from scratch.
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
        wrapper.v.assign(v / sigma)  # the next iteration makes it a unit vector again
