"""What the comparisons with torch share: moving arrays over, and what is close."""

import numpy as np
import torch
from torch.nn.utils import remove_spectral_norm

from keras_sagan.interop import mmgeneration
from keras_sagan.interop.assembly import assign, named_variables
from keras_sagan.interop.checkpoint import Checkpoint
from keras_sagan.interop.torch_names import find_places
from keras_sagan.interop.torch_networks import discriminator_arrays
from keras_sagan.models import Discriminator, Generator
from tests.fidelity import peer_layouts, torch_reference


def to_numpy(tensor):
    return tensor.detach().numpy().copy()


def nhwc(tensor):
    """A torch batch of images or features in Keras's layout."""
    return to_numpy(tensor).transpose(0, 2, 3, 1)


def nchw(array):
    return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2)))


def checkpoint(state):
    return Checkpoint({key: to_numpy(x) for key, x in state.items()}, "reference")


def state_of(network, gradients=False):
    """The state dict, with the gradients in the place of the parameters if wanted."""
    state = dict(network.state_dict())
    if gradients:
        state.update({name: p.grad for name, p in network.named_parameters()})
    return state


def keras_generator(reference, latent_dim, classes, attention, dtype):
    """The Keras twin of a reference generator with class tables of form "table"."""
    generator = Generator(
        image_size=reference.size,
        num_classes=classes,
        latent_dim=latent_dim,
        base_filters=reference.bn.running_mean.shape[0] // reference.widths[-1],
        attention_resolutions=attention,
        batch_norm_momentum=reference.momentum,
        batch_norm_epsilon=reference.eps,
        dtype=dtype,
    )
    assign(generator, generator_state(reference, generator))
    return generator


def generator_state(reference, generator, gradients=False):
    """Weights (or gradients of the trainable ones) by the names of Keras's."""
    state = peer_layouts.mmgeneration_generator(state_of(reference, gradients))
    offset = 0.0 if gradients else 1.0
    return mmgeneration.read_generator(checkpoint(state), generator, offset, False)


def without_spectral_norm(network):
    """The torch network with the kernels that it runs with as its parameters."""
    for module, _ in list(torch_reference.spectral_hooks(network)):
        remove_spectral_norm(module)
    return network


def keras_discriminator(
    reference, size, ch, classes, attention, activated, dtype, spectral_norm=True
):
    discriminator = Discriminator(
        image_size=size,
        num_classes=classes,
        base_filters=ch,
        attention_resolutions=attention,
        activated_shortcut=activated,
        spectral_norm=spectral_norm,
        dtype=dtype,
    )
    assign(discriminator, discriminator_state(reference, discriminator))
    return discriminator


def discriminator_state(reference, discriminator, gradients=False):
    """As `generator_state`."""
    state, layout = state_of(reference, gradients), discriminator
    if not discriminator.spectral_norm:  # read as if it were normalised
        state = dict(_with_vectors(state))
        layout = Discriminator.from_config(
            {**discriminator.get_config(), "spectral_norm": True}
        )
    arrays = checkpoint(peer_layouts.mmgeneration_discriminator(state))
    names = mmgeneration.NAMES
    places = find_places(arrays, names, discriminator=True)
    found = discriminator_arrays(layout, arrays, names, places)
    return {name: found[name] for name in named_variables(discriminator)}


def _with_vectors(state):
    """Items of a state dict in the layout of spectral norms, with vectors of zeros."""
    for key, value in state.items():
        if not key.endswith(".weight"):
            yield key, value
            continue
        yield f"{key}_orig", value
        yield f"{key}_u", torch.zeros(value.shape[0])
        yield f"{key}_v", torch.zeros(value[0].numel())


def assert_close(actual, expected, tolerance, scale=None, name=""):
    """Norm of the difference at most `tolerance` times that of `expected`.

    `scale`: a norm below which differences do not count in full: the gradient of a
    bias in front of a batch norm is zero up to rounding.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, name
    norm = np.linalg.norm(expected)
    if scale is not None:
        norm = max(norm, scale)
    difference = np.linalg.norm(actual.astype("float64") - expected)
    assert difference <= tolerance * norm, f"{name}: {difference / norm:.1e}"


def worst_difference(actual, expected):
    """The largest relative difference between two dicts of gradients.

    Relative to the norm of each expected gradient, or to 1e-3 of the norm of all
    together where that is more.
    """
    assert actual.keys() == expected.keys()
    total = np.sqrt(sum(np.sum(np.square(x)) for x in expected.values()))
    assert total > 0
    differences = []
    for name, gradient in actual.items():
        norm = max(np.linalg.norm(expected[name]), 1e-3 * total)
        assert gradient.shape == expected[name].shape, name
        difference = gradient.astype("float64") - expected[name]
        differences.append(np.linalg.norm(difference) / norm)
    return max(differences)
