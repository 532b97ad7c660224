"""Warnings of collapse in whole trainings that begin with the shipped digits."""

import warnings

import numpy as np
import pytest
from PIL import Image

from keras_sagan import SAGAN, callbacks, config, runs
from keras_sagan.metrics import image_sets
from tests import helpers

SHIPPED = str(helpers.ROOT / "saved_models" / "glyphs" / "preset")
EVERY = 10  # steps between two looks


class Fault(callbacks.StepCallback):
    """Sets weights of both generators after every step of an interval."""

    def __init__(self, steps, plant):
        super().__init__()
        self.steps, self.plant = steps, plant

    def on_train_batch_end(self, batch, logs=None):
        if self.step in self.steps:
            for network in (self.model.generator, self.model.ema_generator):
                self.plant(network)


def three_colours(generator):
    """Blue depends on red and green: no blue, pink and turquoise pictures are left."""
    layer = generator.get_layer("to_images").layer
    kernel, bias = layer.get_weights()
    kernel[..., 2] = 0.25 * (kernel[..., 0] + kernel[..., 1])
    bias[2] = 0.25 * (bias[0] + bias[1]) - 1.2
    layer.set_weights([kernel, bias])


def one_mode(generator):
    """The latent vector has no effect."""
    layer = generator.get_layer("dense").layer
    kernel, bias = layer.get_weights()
    layer.set_weights([0 * kernel, bias])


class Faulty(runs.Run):
    """A run with more callbacks."""

    faults = ()

    def _callbacks(self, *args):
        return [*self.faults, *super()._callbacks(*args)]


def warnings_of(output, dataset, steps, faults=(), **settings):
    """The warnings of a run, up to their first full stop."""
    settings = {
        "training.init_from": SHIPPED,
        "training.batch_size": 16,
        "training.steps": steps,
        "data.dataset": dataset,
        "logging.log_every": EVERY,
        "logging.sample_every": EVERY,
        **settings,
    }
    recipe = config.get_preset("sagan_32_small").run_config(settings)
    recipe, source = runs.prepare(recipe)
    run = Faulty(recipe, output, source)
    run.faults = faults
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run.fit()
    texts = [str(x.message) for x in caught if x.category is RuntimeWarning]
    return [text.partition(".")[0] for text in texts]


@pytest.mark.slow
def test_a_collapse_is_warned_of_at_the_next_look_and_nothing_before(tmp_path):
    """Of 40 steps, 20 are healthy, 10 without three colours, and 10 of one mode."""
    faults = [Fault(range(21, 31), three_colours), Fault(range(31, 41), one_mode)]
    assert warnings_of(tmp_path, "glyphs", 40, faults) == [
        "Step 30: kinds of images are missing",
        "Step 40: images repeat each other",
        "Step 40: the samples have collapsed: images of a class differ by 0",
    ]


@pytest.mark.slow
def test_copies_are_warned_of_at_the_first_look(tmp_path):
    """The training images are those that the model draws anyway."""
    pictures = image_sets.gan_images(SAGAN.from_preset(SHIPPED), 1000)
    for i, picture in enumerate(np.concatenate([*pictures.batches(100)])):
        folder = tmp_path / "data" / str(i % 10)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{i:04}.png")
    data = f"folder:{tmp_path / 'data'}"
    # With larger rates, its pictures are other ones at step 10.
    slow = {f"optimizer.{x}_learning_rate": 1e-4 for x in "gd"}
    [message] = warnings_of(tmp_path / "run", data, EVERY, **slow)
    assert message == f"Step {EVERY}: training images are copied"
