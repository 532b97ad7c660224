"""The relativistic loss and both gradient penalties against the formulas in torch."""

import pytest
import torch
from torch.nn import functional as F

from keras_sagan.sampling import Purpose
from tests.fidelity import comparison, paired_step, torch_reference

GAMMAS = (0.5, 0.3)
# For several draws in float32 see `test_networks`.
FLOAT32, FLOAT64 = ("float32", 1e-4, 3), ("float64", 1e-9, 1)


def penalty(d, images, labels):
    """Mean over images of the squared norm of a logit's gradient: one by one."""
    squares = []
    for i in range(len(images)):
        image = images[i : i + 1].detach().requires_grad_()
        label = () if labels is None else (labels[i : i + 1],)
        (slope,) = torch.autograd.grad(d(image, *label), image, create_graph=True)
        squares.append((slope**2).sum())
    return sum(squares) / len(squares)


def torch_step(g, d, images, labels, dtype, gammas, seed):
    """Losses of a step in the order of Keras's, gradients left in `.grad`."""
    y = () if labels is None else (torch.from_numpy(labels),)
    real = comparison.nchw(images)
    torch_reference.advance(d)
    latents = paired_step.torch_latents(Purpose.DISCRIMINATOR_STEP, dtype, seed)
    with torch_reference.frozen(g), torch.no_grad():
        fake = g(latents, *y)
    d_loss = -F.logsigmoid(d(real, *y) - d(fake, *y)).mean()
    r1, r2 = penalty(d, real, *(y or [None])), penalty(d, fake, *(y or [None]))
    d_total = d_loss + gammas[0] / 2 * r1 + gammas[1] / 2 * r2
    parameters = list(d.parameters())
    d_gradients = torch.autograd.grad(d_total, parameters)
    torch_reference.advance(g)
    latents = paired_step.torch_latents(Purpose.GENERATOR_STEP, dtype, seed)
    g.zero_grad()
    with torch_reference.frozen(g):
        g_loss = -F.logsigmoid(d(g(latents, *y), *y) - d(real, *y)).mean()
        g_loss.backward()
    for parameter, gradient in zip(parameters, d_gradients, strict=True):
        parameter.grad = gradient
    values = (d_loss, r1, r2, g_loss)
    return {name: x.item() for name, x in zip(paired_step.LOSSES, values, strict=True)}


# About speed: torch keeps gradients in the layout of a transposed kernel.
@pytest.mark.filterwarnings("ignore:grad and param do not obey")
@pytest.mark.parametrize(
    ("dtype", "tolerance", "draws", "classes", "spectral_norm"),
    [
        pytest.param(*FLOAT32, 3, False, id="float32", marks=pytest.mark.slow),
        pytest.param(*FLOAT64, 3, True, id="float64-spectral-norm"),
        pytest.param(*FLOAT64, None, False, id="float64-unconditional"),
    ],
)
def test_losses_penalties_and_every_gradient(
    dtype, tolerance, draws, classes, spectral_norm
):
    worst = []
    for seed in range(draws):
        g, d = paired_step.torch_pair(dtype, classes, spectral_norm)
        gan = paired_step.keras_pair(g, d, dtype, classes, spectral_norm)
        images, labels = paired_step.data(dtype, classes, seed)
        values, *gradients = paired_step.keras_step(gan, images, labels, GAMMAS, seed)
        expected = torch_step(g, d, images, labels, dtype, GAMMAS, seed)
        # `g_loss` is the softplus of a large negative number: rounded as that is.
        assert values == pytest.approx(expected, rel=1e-5, abs=1e-7)
        assert min(expected[name] for name in paired_step.LOSSES[:3]) > 0.01
        pairs = zip(gradients, paired_step.torch_gradients(g, d, gan), strict=True)
        worst.append(max(comparison.worst_difference(*pair) for pair in pairs))
    assert min(worst) <= tolerance
