"""How many steps does it save to begin with a trained model?

    python benchmarks/fine_tuning.py -o runs/fine-tuning            # 1 + 2 x 3 runs
    python benchmarks/fine_tuning.py -o runs/fine-tuning --report   # the table alone

Trains `sagan_32_small` on the built-in digits zero to seven. Then, on 200 pictures each
of eight and nine, trains one model that begins with that one (`from_preset(DIRECTORY,
class_names=...)`) and one with the same settings that begins at random, three seeds of
each; `--base MODEL` takes another model to begin with. Both are measured at the same
steps: the Frechet distance of 1,000 generated pictures to all eights and nines that
were not trained on, in the 32 features of one classifier of all digits, which is the
same for all. The answer is the first step at which the tuned model is as near as the
other one is at its best.

Every measurement is a line of `runs.jsonl`; a run whose last one is there is not run
again. With `--batch-size 16 --base-steps 400 --steps 400 --seeds 1` it takes about ten
minutes of one core.
"""

import argparse
import pathlib

import keras
import numpy as np
from PIL import Image
from run_log import append_row, read_rows

from keras_sagan import SAGAN, data, metrics, visualize

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NEW = (8, 9)
STARTS = ("tuned", "scratch")


def main():
    """Make the runs that are missing, then print the table."""
    args = _parse()
    output = pathlib.Path(args.output)
    output.mkdir(parents=True, exist_ok=True)
    log = output / "runs.jsonl"
    if not args.report:
        images, labels = data.load("glyphs", image_size=32, batch_size=1).arrays()
        base = args.base or _base(args, output, images, labels)
        few = np.concatenate(
            [np.flatnonzero(labels == x)[: args.pictures] for x in NEW]
        )
        others = np.setdiff1d(np.flatnonzero(np.isin(labels, NEW)), few)
        features = _features(output / "classifier.keras", images, labels)
        real = features(images[others])
        done = {(x["start"], x["seed"], x["step"]) for x in read_rows(log)}
        for seed in range(args.seeds):
            for start in STARTS:
                if (start, seed, args.steps) in done:
                    continue
                pictures = images[few], labels[few] - NEW[0]
                for step, gan in _trained(args, base, start, seed, pictures):
                    drawn = gan.generate(np.arange(1000) % 2, seed=10_000)
                    distance = metrics.frechet_distance(real, features(drawn))
                    row = {"start": start, "seed": seed, "step": step}
                    append_row(log, row | {"distance": float(distance)})
                    print(row, f"{distance:.3f}", flush=True)
                grid = visualize.image_grid(gan.generate(np.arange(20) % 2), columns=10)
                Image.fromarray(grid).save(output / f"{start}-{seed}.png")
    print(report(read_rows(log)))


def _base(args, output, images, labels):
    """The directory of the model of the other digits."""
    directory = output / "base"
    if not directory.exists():
        keras.utils.set_random_seed(0)
        gan = SAGAN.from_preset("sagan_32_small", class_names=NAMES[: NEW[0]])
        old = labels < NEW[0]
        _fit(gan, images[old], labels[old], args.batch_size, args.base_steps, seed=0)
        gan.save_to_preset(directory)
    return directory


def _trained(args, base, start, seed, pictures):
    """Trains one model: yields `(step, gan)`, the steps doubling up to the last."""
    keras.utils.set_random_seed(seed)
    names = [NAMES[x] for x in NEW]
    gan = SAGAN.from_preset(base, load_weights=start == "tuned", class_names=names)
    step, following = 0, args.first
    while step < args.steps:
        _fit(gan, *pictures, args.batch_size, following - step, seed=1000 * seed + step)
        step = following
        yield step, gan
        following = min(2 * step, args.steps)


def _fit(gan, images, labels, batch_size, steps, seed):
    """Trains on batches drawn without order, so many steps."""
    rng = np.random.default_rng(seed)
    rows = np.concatenate(
        [
            rng.permutation(len(images))
            for _ in range(steps * batch_size // len(images) + 1)
        ]
    )[: steps * batch_size]
    gan.fit(images[rows], labels[rows], batch_size, shuffle=False, verbose=0)


def _features(path, images, labels):
    """Function from pictures to the features of a classifier of all digits."""
    if path.exists():
        classifier = keras.saving.load_model(path)
    else:
        keras.utils.set_random_seed(0)
        classifier = keras.Sequential(
            [
                keras.Input((32, 32, 3)),
                keras.layers.Rescaling(1 / 127.5, -1),
                keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
                keras.layers.Conv2D(32, 3, strides=2, activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dense(32, activation="relu", name="features"),
                keras.layers.Dense(10),
            ]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        classifier.compile("adam", loss)
        classifier.fit(images[:8000], labels[:8000], 64, epochs=2, verbose=0)
        classifier.save(path)
    see = keras.Model(classifier.inputs, classifier.get_layer("features").output)
    return lambda pictures: see.predict(pictures, batch_size=250, verbose=0)


def report(rows):
    """The table of distances, and the answer, as Markdown."""
    rows = list(rows)
    steps = sorted({x["step"] for x in rows})
    lines = ["| steps | from the trained model | from scratch |", "|---|---|---|"]
    means = {}
    for step in steps:
        cells = []
        for start in STARTS:
            found = [
                x["distance"] for x in rows if (x["start"], x["step"]) == (start, step)
            ]
            means[start, step] = np.mean(found) if found else np.nan
            spread = f" +- {np.std(found, ddof=1):.2f}" if len(found) > 1 else ""
            cells.append(f"{means[start, step]:.2f}{spread}")
        lines.append(f"| {step:,} | {' | '.join(cells)} |")
    best = min(steps, key=lambda step: means["scratch", step])
    as_good = [x for x in steps if means["tuned", x] <= means["scratch", best]]
    answer = f"after {as_good[0]:,} steps" if as_good else "never"
    lines += [
        "",
        f"From scratch it is nearest after {best:,} steps "
        f"({means['scratch', best]:.2f}); from the trained model it is as near "
        f"{answer}.",
    ]
    return "\n".join(lines)


def _parse():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", default="runs/fine-tuning")
    parser.add_argument("--base", help="a model to begin with (default: trained here)")
    parser.add_argument("--base-steps", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--first", type=int, default=25, help="first measured step")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--pictures", type=int, default=200, help="of each new class")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--report", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
