"""How many of 1,000 modes does a recipe find, and how soon?

    python benchmarks/modes.py -o runs/modes              # three recipes
    python benchmarks/modes.py -o runs/modes --report     # the table alone

Stacked glyphs, after Stacked MNIST (Srivastava et al., 2017): each of the three
channels of an image is a built-in digit of its own in grey, so that there are 10 x 10 x
10 combinations, equally frequent. Nothing is conditional. A classifier of single digits
reads the channels of 25,600 generated images; a combination that was read at least once
counts as found. KL is that of the frequencies of the combinations to equal ones, in
nats; a sample of the data itself has about 0.02. The classifier also reads digits out
of noise: both figures mean something only beside the precision, the share of 2,000
channels whose features lie among those of 2,000 real digits.

The recipes are `sagan_32_small` with the hinge loss and spectral norm in both networks
(at the learning rates and batches it had before), with the relativistic loss alone, and
with its penalties. They take turns, one part each, so that the machine is the same for
all; every measurement is a line of `runs.jsonl`. Training time is that of `fit`.
"""

import argparse
import pathlib
import time

import keras
import numpy as np
import tensorflow as tf
from hinge_recipe import HINGE
from run_log import append_row, read_rows

from keras_sagan import data, metrics, runs
from keras_sagan.config.presets import get_preset
from keras_sagan.metrics.extractors import classifier
from keras_sagan.visualize import grids

MODES = 1000
_GENERATED = 25_600
_COMPARED = 2000  # channels, for the precision
_STEPS = 25  # between two looks at the clock
RECIPES = {
    "hinge": HINGE,
    "relativistic": {"training.r1_gamma": 0.0, "training.r2_gamma": 0.0},
    "relativistic with penalties": {},
}


def main():
    """Train what is missing, then print the table."""
    options = _parse()
    output = pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    log = output / "runs.jsonl"
    if not options.report:
        images, labels, _ = classifier.examples_of(data.load("glyphs", 32))
        grey = images.max(axis=-1, keepdims=True)
        reader = metrics.train_classifier(grey, labels)
        extractor = classifier.classifier_extractor(reader, tuple("0123456789"))
        runs_of = {
            name: measure(name, grey, reader, extractor, options, output)
            for name in RECIPES
        }
        for _ in range(options.parts):
            for name in RECIPES:
                append_row(log, next(runs_of[name]))
    print(report(read_rows(log)))


def measure(name, grey, reader, extractor, options, output):
    """Train one recipe: yields a dict of figures after every part."""
    overrides = {"model.num_classes": None, "training.seed": options.seed}
    config = get_preset("sagan_32_small").run_config(overrides | RECIPES[name])
    keras.utils.set_random_seed(options.seed)
    gan = runs.build(config)
    real, _ = metrics.extract(grey[:_COMPARED], extractor)
    seconds = steps = 0
    for part in range(1, options.parts + 1):
        begin = time.perf_counter()
        until = 60 * options.minutes * part / options.parts
        while seconds + time.perf_counter() - begin < until:
            batches = stacked(grey, config.training.batch_size, options.seed, steps)
            gan.fit(batches, steps_per_epoch=_STEPS, verbose=0)
            steps += _STEPS
        seconds += time.perf_counter() - begin
        images = gan.generate(num_images=_GENERATED, seed=1_000_000)
        grids.save_grid(output / f"{name}-{part}.png", images[:64], 8)
        found, divergence = count_modes(read_digits(reader, images))
        fake, _ = metrics.extract(images[:_COMPARED, ..., :1], extractor)
        scores = metrics.precision_recall_density_coverage(real, fake)
        yield {
            "recipe": name,
            "seed": options.seed,
            "minutes": round(seconds / 60, 2),
            "steps": steps,
            "modes": found,
            "kl": round(divergence, 4),
            "precision": round(float(scores["precision"]), 3),
        }


def stacked(grey, batch_size, seed, first):
    """An endless `tf.data.Dataset` of uint8 batches `(n, 32, 32, 3)`, from a step."""

    def batch(step):
        chosen = tf.random.stateless_uniform(
            (batch_size, 3), [seed, step], maxval=len(grey), dtype=tf.int32
        )
        digits = tf.gather(images, chosen)[..., 0]  # (n, 3, 32, 32)
        return tf.transpose(digits, (0, 2, 3, 1))

    images = tf.constant(grey)
    return tf.data.Dataset.counter(first).map(lambda x: batch(tf.cast(x, tf.int32)))


def read_digits(reader, images):
    """The digit in each channel: int array `(n, 3)`."""
    channels = [
        reader.predict(images[..., i : i + 1], batch_size=256, verbose=0).argmax(1)
        for i in range(3)
    ]
    return np.stack(channels, axis=1)


def count_modes(digits):
    """Combinations that occur, and the KL divergence of their frequencies.

    Args:
        digits: int array `(n, 3)` of 0 to 9.

    Returns: int and float, in nats: that from the frequencies to equal ones.
    """
    counts = np.bincount(digits @ [100, 10, 1], minlength=MODES)
    shares = counts[counts > 0] / counts.sum()
    return len(shares), float(np.sum(shares * np.log(shares * MODES)))


def report(rows):
    """Markdown: a row a recipe and time."""
    lines = [
        "| recipe | seed | minutes | steps | modes of 1,000 | KL | precision |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda x: (x["recipe"], x["seed"], x["minutes"])):
        lines.append("| " + " | ".join(str(value) for value in row.values()) + " |")
    return "\n".join(lines)


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIRECTORY")
    parser.add_argument("--minutes", type=float, default=10.0, help="for each recipe")
    parser.add_argument("--parts", type=int, default=5, help="measurements of each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", action="store_true", help="train nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
