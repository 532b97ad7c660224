"""How many steps does it save to begin with a trained model?

    python benchmarks/fine_tuning.py -o runs/fine-tuning            # 1 + 2 x 3 runs
    python benchmarks/fine_tuning.py -o runs/fine-tuning --report   # the table alone
    python benchmarks/fine_tuning.py -o runs/fine-tuning --decay    # of a given budget

Trains `sagan_32_small` on the built-in digits zero to seven. Then, on 200 pictures each
of eight and nine, trains one model that begins with that one (`from_preset(DIRECTORY,
class_names=...)`) and one with the same settings that begins at random, three seeds of
each; `--base MODEL` takes another model to begin with. Both are measured at the same
steps: the Frechet distance of 1,000 generated pictures to all eights and nines that
were not trained on, in the 32 features of one classifier of all digits, which is the
same for all. The answer is the first step at which the tuned model is as near as the
other one is at its best.

The learning rates of these runs hardly fall. With `--decay`, each number of steps is a
run of its own, whose learning rates fall along half a cosine to its end as one trains
in practice: from scratch with `--steps`, and from the trained model with a quarter and
an eighth of them.

Every measurement is a line of `runs.jsonl`; a run whose last one is there is not run
again. With `--batch-size 16 --base-steps 400 --steps 400 --seeds 1` it takes about ten
minutes of one core.
"""

import argparse
import itertools
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
        done = {_key(row) for row in read_rows(log)}
        for start, seed, steps in _runs(args):
            row = {"start": start, "seed": seed, "decay": args.decay}
            if _key(row | {"step": steps[-1]}) in done:
                continue
            pictures = images[few], labels[few] - NEW[0]
            for step, gan in _trained(args, base, start, seed, pictures, steps):
                drawn = gan.generate(np.arange(1000) % 2, seed=10_000)
                distance = metrics.frechet_distance(real, features(drawn))
                append_row(log, row | {"step": step, "distance": float(distance)})
                print(row, f"{step}: {distance:.3f}", flush=True)
            grid = visualize.image_grid(gan.generate(np.arange(20) % 2), columns=10)
            name = f"{start}-{seed}-{steps[-1]}.png"
            Image.fromarray(grid).save(output / name)
    print(report([x for x in read_rows(log) if _key(x)[-1] == args.decay]))


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


def _key(row):
    return row["start"], row["seed"], row["step"], row.get("decay", False)


def _runs(args):
    """Yields tuples `(start, seed, steps)` of the runs; all steps are measured."""
    doubling = [args.first]
    while doubling[-1] < args.steps:
        doubling.append(min(2 * doubling[-1], args.steps))
    for seed in range(args.seeds):
        if args.decay:
            yield "scratch", seed, [args.steps]
            yield "tuned", seed, [args.steps // 4]
            yield "tuned", seed, [args.steps // 8]
        else:
            yield from ((start, seed, doubling) for start in STARTS)


def _trained(args, base, start, seed, pictures, steps):
    """Trains one model: yields `(step, gan)`."""
    keras.utils.set_random_seed(seed)
    names = [NAMES[x] for x in NEW]
    gan = SAGAN.from_preset(base, load_weights=start == "tuned", class_names=names)
    if args.decay:
        config = gan.get_compile_config()
        for optimizer in (config["g_optimizer"], config["d_optimizer"]):
            optimizer["config"]["learning_rate"]["config"]["decay_steps"] = steps[-1]
        gan.compile_from_config(config)
    for before, step in itertools.pairwise([0, *steps]):
        _fit(gan, *pictures, args.batch_size, step - before, seed=1000 * seed + before)
        yield step, gan


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
    parser.add_argument("--decay", action="store_true", help="a budget for each run")
    parser.add_argument("--report", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
