"""Small checkpoints in the layouts of other projects, written by the reference."""

import keras
import numpy as np
import pytest
import torch

from tests.fidelity import peer_layouts, torch_reference

CLASSES, LATENT_DIM, BASE_FILTERS = 3, 8, 4


class Source:
    """Two reference networks in evaluation mode and what they give."""

    def __init__(self, form, activated_shortcut, attention=(16,), classes=CLASSES):
        torch.manual_seed(1)
        self.generator = torch_reference.randomize(
            torch_reference.Generator(
                32, BASE_FILTERS, classes, LATENT_DIM, attention, form
            ),
            seed=1,
            scale=0.2,
        )
        torch.manual_seed(2)
        self.discriminator = torch_reference.randomize(
            torch_reference.Discriminator(
                32, BASE_FILTERS, classes, attention, activated_shortcut
            ),
            seed=2,
        )
        generator = np.random.default_rng(0)
        self.latents = generator.normal(size=(5, LATENT_DIM)).astype("float32")
        self.labels = generator.integers(0, CLASSES, 5).astype("int32")
        self.real = generator.uniform(-1, 1, (5, 32, 32, 3)).astype("float32")

    def images(self, generator=None):
        generator = generator or self.generator
        with torch.no_grad():
            images = generator(torch.from_numpy(self.latents), self._torch_labels())
        return images.numpy().transpose(0, 2, 3, 1)

    def logits(self, images=None):
        images = self.real if images is None else images
        images = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        with torch.no_grad():
            return self.discriminator(images, self._torch_labels()).numpy()

    def _torch_labels(self):
        return torch.from_numpy(self.labels).long()


def assert_trains(gan, images, labels):
    """One step of `fit` on an imported model moves the weights of both networks."""
    networks = (gan.generator, gan.discriminator)
    before = [np.array(network.trainable_weights[0]) for network in networks]
    gan.compile(
        keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01), run_eagerly=True
    )
    history = gan.fit(images, labels, batch_size=len(images), verbose=0)
    assert np.isfinite([history.history["d_loss"], history.history["g_loss"]]).all()
    for network, weight in zip(networks, before, strict=True):
        assert np.any(np.array(network.trainable_weights[0]) != weight)


@pytest.fixture(scope="session")
def studiogan_files(tmp_path_factory):
    """Function from a cBN generation to `(Source, generator path, D path)`."""
    folder, made = tmp_path_factory.mktemp("studiogan"), {}

    def files(generation):
        if generation not in made:
            source = Source(peer_layouts.STUDIOGAN_CBN[generation][0], True)
            states = {
                "G": peer_layouts.studiogan_generator(
                    source.generator.state_dict(), generation
                ),
                "D": peer_layouts.studiogan_discriminator(
                    source.discriminator.state_dict()
                ),
            }
            paths = [folder / f"model={x}-v{generation}.pth" for x in states]
            for path, state in zip(paths, states.values(), strict=True):
                # As its `worker.py`: the state, the optimizer's, and loose numbers.
                state["bn4.num_batches_tracked"] = torch.tensor(7)
                content = {
                    "state_dict": state if path == paths[0] else without_counts(state),
                    "optimizer": {"state": {}, "param_groups": [{"lr": 1e-4}]},
                    "step": 3,
                    "best_fid": np.float64(12.5),
                    "run_name": "SAGAN",
                }
                torch.save(content, path)
            made[generation] = (source, *paths)
        return made[generation]

    return files


def without_counts(state):
    return {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
