"""How near to the data is a recipe after so many minutes, beside StudioGAN's SAGAN?

    python benchmarks/time_to_distance.py -o DIR --studiogan CHECKOUT --dataset glyphs
    python benchmarks/time_to_distance.py -o DIR --report     # the table alone

The default recipe of this package and PyTorch-StudioGAN's SAGAN (its own networks,
loss, optimizers and updates of D; the same widths and batch; channels_last, its
fastest way on a processor) train on the same pictures with the same threads. They take
turns in slices of a minute, so that the machine is the same for both; compilation
counts as training. At each mark both generate 10,000 images, equally many of each
class, whose Frechet distance to 10,000 training pictures is taken in two feature
spaces: of a classifier of the data, and of the same network with random weights, which
no labels made (random features compare images usefully: Naeem et al., 2020, section
3.3.2). Every measurement is a line of `runs.jsonl`; a seed that is there is not run
again.
"""

import argparse
import pathlib

import numpy as np
from contenders.turns import Contender
from run_log import append_row, read_rows

from keras_sagan import data, metrics
from keras_sagan.config.presets import get_preset
from keras_sagan.metrics.extractors import classifier
from keras_sagan.visualize import grids

PRESET = "sagan_32_small"
_COUNT = 10_000  # images that are compared
_SLICE = 60.0  # seconds


def main():
    """Train what is missing, then print the table."""
    options = _parse()
    output = pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    log = output / "runs.jsonl"
    if not options.report:
        source = data.load(options.dataset, 32)
        scores = Scores(*source.arrays())
        done = {(row["dataset"], row["seed"]) for row in read_rows(log)}
        for seed in options.seeds:
            if (options.dataset, seed) not in done:
                for row in race(options, source, seed, scores, output):
                    append_row(log, row)
    print(report(read_rows(log)))


class Training(Contender):
    """A running contender that calls `serve` of `contenders/slices.py`.

    Attributes:
        trained: float. Seconds of training so far, its compilation among them.
        steps: int. Made so far.
    """

    def __init__(self, program, arguments, threads):
        super().__init__(program, arguments, threads)
        self.trained, self.steps = 0.0, 0

    def train(self, seconds):
        """Lets it train for about so many seconds."""
        answer = self.ask({"seconds": seconds})
        self.trained += answer["seconds"]
        self.steps += answer["steps"]

    def generate(self, labels, path):
        """uint8 images of labels; `path` is a `.npy` file to pass them through."""
        self.ask({"labels": [int(x) for x in labels], "path": str(path)})
        images = np.load(path)
        path.unlink()
        return images


class Scores:
    """Frechet distances to the pictures of a data set, in two feature spaces."""

    def __init__(self, images, labels):
        chosen = np.random.default_rng(0).permutation(len(images))[:_COUNT]
        self._extractors = {
            name: classifier.classifier_extractor(
                metrics.train_classifier(images, labels, epochs)
            )
            for name, epochs in (("classifier", 4), ("random weights", 0))
        }
        self._real = {
            name: metrics.extract(images[chosen], extractor)[0]
            for name, extractor in self._extractors.items()
        }

    def __call__(self, images):
        return {
            name: metrics.frechet_distance(
                self._real[name], metrics.extract(images, extractor)[0]
            )
            for name, extractor in self._extractors.items()
        }


def race(options, source, seed, scores, output):
    """Trains both in turns; yields a dict for each mark and contender."""
    trainings = _start(options, source, seed, output)
    labels = np.arange(_COUNT) % source.num_classes
    for mark in options.minutes:
        while any(x.trained < 60 * mark for x in trainings.values()):
            for training in trainings.values():
                left = 60 * mark - training.trained
                if left > 0:
                    training.train(min(_SLICE, left))
        for name, training in trainings.items():
            images = training.generate(labels, output / "images.npy")
            file = f"{options.dataset.replace(':', '-')}-{seed}-{mark:g}-{name}.png"
            grids.save_grid(output / file, images[:80], 10)
            yield {
                "dataset": options.dataset,
                "seed": seed,
                "minutes": mark,
                "contender": name,
                "steps": training.steps,
                **{k: round(float(x), 3) for k, x in scores(images).items()},
            }
    for training in trainings.values():
        training.end()


def _start(options, source, seed, output):
    arrays = output / "arrays.npz"
    images, labels = source.arrays()
    np.savez(arrays, images=images, labels=labels)
    model = get_preset(PRESET).model
    batch = get_preset(PRESET).training.batch_size
    ours = ["--preset", PRESET, "--dataset", options.dataset, "--seed", seed]
    peer = ["--source", options.studiogan, "--arrays", arrays, "--seed", seed]
    peer += ["--base-filters", model.base_filters, "--d-filters", model.d_base_filters]
    peer += ["--batch", batch, "--classes", source.num_classes]
    return {
        "keras_sagan": Training("training_ours.py", ours, options.threads),
        "StudioGAN": Training("training_studiogan.py", peer, options.threads),
    }


def report(rows):
    """Markdown: a row for each data set, seed and mark, both beside each other."""
    spaces = ("classifier", "random weights")
    lines = [
        "| data | seed | minutes | steps (StudioGAN's) | "
        + " | ".join(f"{x}: ours | StudioGAN's | ratio" for x in spaces)
        + " |",
        "|---" * (4 + 3 * len(spaces)) + "|",
    ]
    pairs = {}
    for row in rows:
        key = row["dataset"], row["seed"], row["minutes"]
        pairs.setdefault(key, {})[row["contender"]] = row
    for key in sorted(pairs):
        if len(pairs[key]) < 2:
            continue
        ours, peer = pairs[key]["keras_sagan"], pairs[key]["StudioGAN"]
        cells = [*key, f"{ours['steps']} ({peer['steps']})"]
        for space in spaces:
            cells += [ours[space], peer[space], f"{peer[space] / ours[space]:.1f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIRECTORY")
    parser.add_argument("--studiogan", metavar="CHECKOUT")
    parser.add_argument("--dataset", default="glyphs", help="32 pixels, with classes")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, nargs="+", default=[5, 10, 20, 40])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--report", action="store_true", help="train nothing")
    options = parser.parse_args()
    if not (options.report or options.studiogan):
        parser.error("--studiogan CHECKOUT is needed to train")
    return options


if __name__ == "__main__":
    main()
