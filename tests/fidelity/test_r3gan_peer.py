"""R3GAN's own trainer on the same weights and batch: `--r3gan PATH`.

Its file `R3GAN/Trainer.py`, which needs PyTorch only, trains the torch reference.
"""

import importlib.util
import subprocess

import pytest
import torch

from keras_sagan.sampling import Purpose
from tests.fidelity import comparison, paired_step, torch_reference

GAMMA = 0.5  # it has one for both penalties


@pytest.fixture(scope="module")
def trainer(request, tmp_path_factory):
    """The class `AdversarialTraining` of a checkout."""
    checkout = request.config.getoption("--r3gan", default=None)
    if checkout is None:
        pytest.skip("needs a checkout of R3GAN: --r3gan PATH")
    path = tmp_path_factory.mktemp("r3gan") / "trainer.py"
    command = ["git", "-C", checkout, "show", "HEAD:R3GAN/Trainer.py"]
    path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    spec = importlib.util.spec_from_file_location("r3gan_trainer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.AdversarialTraining


@pytest.mark.parametrize(
    ("dtype", "tolerance", "draws"), [("float32", 1e-4, 3), ("float64", 1e-9, 1)]
)
@pytest.mark.parametrize("classes", [None, 3])
def test_losses_penalties_and_every_gradient(trainer, dtype, tolerance, draws, classes):
    g, d = paired_step.torch_pair(dtype, classes)
    gan = paired_step.keras_pair(g, d, dtype, classes)
    its, worst = trainer(g, d), []
    for seed in range(draws):
        images, labels = paired_step.data(dtype, classes, seed)
        y = None if labels is None else torch.from_numpy(labels)
        real = comparison.nchw(images)
        g.zero_grad(), d.zero_grad()
        with torch_reference.frozen(g):
            latents = paired_step.torch_latents(Purpose.DISCRIMINATOR_STEP, dtype, seed)
            d_loss, _, r1, r2 = its.AccumulateDiscriminatorGradients(
                latents, real, y, GAMMA
            )
        d_gradients = [parameter.grad.clone() for parameter in d.parameters()]
        torch_reference.advance(g)
        g.zero_grad()
        with torch_reference.frozen(g):
            latents = paired_step.torch_latents(Purpose.GENERATOR_STEP, dtype, seed)
            g_loss, _ = its.AccumulateGeneratorGradients(latents, real, y)
        for parameter, gradient in zip(d.parameters(), d_gradients, strict=True):
            parameter.grad = gradient
        expected = {
            name: float(x.mean())
            for name, x in zip(
                paired_step.LOSSES, (d_loss, r1, r2, g_loss), strict=True
            )
        }

        values, *gradients = paired_step.keras_step(
            gan, images, labels, (GAMMA, GAMMA), seed
        )
        assert values == pytest.approx(expected, rel=1e-5)
        pairs = zip(gradients, paired_step.torch_gradients(g, d, gan), strict=True)
        worst.append(max(comparison.worst_difference(*pair) for pair in pairs))
    print(f"\n{dtype}, {classes} classes: gradients differ by {min(worst):.1e}")
    assert min(worst) <= tolerance
