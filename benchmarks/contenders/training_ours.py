"""Contender: a recipe of this package on a data set, trained in slices of time."""

import argparse
import time

from slices import serve

from keras_sagan import runs
from keras_sagan.config.presets import get_preset

_STEPS = 20  # between two looks at the clock


def main():
    """Train on `--dataset`, a name as of `keras-sagan train`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="sagan_32_small")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    overrides = {"data.dataset": options.dataset, "training.seed": options.seed}
    config, source = runs.prepare(get_preset(options.preset).run_config(overrides))
    gan = runs.build(config, source.class_names, source.class_counts)

    def train(seconds):
        before, end = gan.step, time.perf_counter() + seconds
        while time.perf_counter() < end:
            batches = source.stream(gan.step * config.training.examples_per_step)
            gan.fit(batches, steps_per_epoch=_STEPS, verbose=0)
        return gan.step - before

    serve(train, lambda labels: gan.generate(labels=labels, seed=1_000_000))


if __name__ == "__main__":
    main()
