"""Does augmentation help where there are few pictures?

    python benchmarks/few_shot.py -o runs/few-shot            # 9 runs
    python benchmarks/few_shot.py -o runs/few-shot --report   # the tables alone

Trains by the recipe of `hinge_recipe` on the first 1,000 Fashion-MNIST training images,
for the same number of steps without augmentation, with DiffAugment and with ADA, three
seeds each; in batches of 16 and with four discriminator steps a step, so that D knows
the training images by heart within the run (`d_seen` far above `d_held_out`), which is
what augmentation is to prevent. With batches of 64 and one step it does not within
3,000 steps, and augmentation has nothing to gain.

Measures the Frechet and the kernel distance to the 10,000 test images in the features
of one classifier, which was trained on the 60,000 training images once and is the same
for all. Every measurement is a line of `runs.jsonl`: a run whose last one is there is
not run again, and a run that was interrupted begins anew. Half an hour a run on one
core. Without a network, run scripts/fashion_mnist_from_debian first.
"""

import argparse
import dataclasses
import pathlib
import time

import keras
import numpy as np
import tensorflow as tf
from hinge_recipe import HINGE
from run_log import append_row, read_rows

from keras_sagan import SAGAN, data, metrics, models, runs
from keras_sagan.cli.settings import parse_setting
from keras_sagan.config.presets import get_preset
from keras_sagan.metrics.extractors import classifier
from keras_sagan.training import settings
from keras_sagan.visualize import grids

SCORES = ("frechet", "kernel")
_SCHEDULE = HINGE | {"training.batch_size": 16, "training.discriminator_steps": 4}
_HELD_OUT = 512  # images that D is asked about
POLICIES = {
    "none": {},
    "diffaugment": {"augmentation.policy": "diffaugment"},
    # p may go from 0 to 1 in 100,000 images: the runs are short.
    "ada": {"augmentation.policy": "ada", "augmentation.ada_images": 100_000},
}


def main():
    """Make the runs that are missing, then print the table."""
    args = _parse()
    output = pathlib.Path(args.output)
    output.mkdir(parents=True, exist_ok=True)
    log = output / "runs.jsonl"
    if not args.report:
        reference = _reference(args, output)
        for seed in range(args.seeds):  # seed by seed: half a table is a fair one
            for policy in args.policies:
                if (policy, seed, args.steps) not in _done(log):
                    for row in _run(args, output, policy, seed, reference):
                        append_row(log, row)
                        print(row, flush=True)
    print(report(_read(log)))


def _run(args, output, policy, seed, reference):
    """Train once: yields a dict of figures for every part of the run."""
    extractor, real, held_out = reference
    overrides = {
        "data.dataset": f"tfds:{args.dataset}",
        "data.split": f"train[:{args.images}]",
        "data.cache_dir": args.cache_dir,
        "training.seed": seed,
        **_SCHEDULE,
        **POLICIES[policy],
        **dict(args.settings),
    }
    config = get_preset(args.preset).run_config(overrides)
    config, source = runs.prepare(config)
    gan = _build(config, source.class_names, args.discriminator_filters)
    begin, last = time.perf_counter(), 0
    for part in range(1, args.parts + 1):
        first, last = last, part * args.steps // args.parts
        stream = source.stream(first * source.batch_size)
        history = gan.fit(stream, steps_per_epoch=last - first, verbose=0).history
        fakes = _generate(gan, args.fakes)
        features, _ = metrics.extract(fakes, extractor)
        kernel = metrics.kernel_distance(real, features, subsets=None)
        picture = output / "grids" / f"{policy}-{seed}-{last}.png"
        grids.save_grid(picture, fakes[:80], 10)
        yield {
            "policy": policy,
            "seed": seed,
            "step": last,
            "frechet": round(float(metrics.frechet_distance(real, features)), 4),
            "kernel": round(float(kernel.mean), 6),
            "d_real": round(history["d_real"][-1], 3),
            "d_fake": round(history["d_fake"][-1], 3),
            "d_seen": round(_logit(gan, *source.arrays()), 3),
            "d_held_out": round(_logit(gan, *held_out), 3),
            "p": round(float(gan.augmentation.probability), 3),
            "seconds": round(time.perf_counter() - begin, 1),
        }


def _build(config, class_names, filters):
    """A `SAGAN` of the configuration, its discriminator of another width if asked."""
    if filters is None:
        return runs.build(config, class_names)
    keras.utils.set_random_seed(config.training.seed)
    other = dataclasses.replace(config.model, base_filters=filters)
    dtype = config.training.dtype_policy
    gan = SAGAN(
        models.Generator(**config.model.generator_kwargs(), dtype=dtype),
        models.Discriminator(**other.discriminator_kwargs(), dtype=dtype),
        class_names=class_names,
    )
    settings.compile_from_settings(
        gan, config.optimizer, config.training, augmentation=config.augmentation
    )
    return gan


def _generate(gan, count):
    """Images of all classes in turn, the same latents at every time."""
    labels = np.arange(count) % gan.generator.num_classes
    return gan.generate(labels=labels, seed=1_000_000)


def _logit(gan, images, labels):
    """D's mean logit: that of training images is higher where it learns by heart."""
    batch = {"batch_size": 64, "verbose": 0, "return_dict": True}
    return gan.evaluate(images[:_HELD_OUT], labels[:_HELD_OUT], **batch)["d_real"]


def _reference(args, output):
    """The classifier as an extractor; its features of the test images; some of them."""
    config = get_preset(args.preset).run_config(dict(args.settings))
    size = config.model.image_size

    def load(split):
        return classifier.examples_of(
            data.load(
                f"tfds:{args.dataset}", size, split=split, cache_dir=args.cache_dir
            )
        )

    path = output / "classifier.keras"
    model, class_names = classifier.load_or_train(path, lambda: load("train"))
    images, labels, _ = load("test")
    extractor = classifier.classifier_extractor(model, class_names)
    features, logits = metrics.extract(images, extractor)
    print(f"classifier: {(logits.argmax(1) == labels).mean():.4f} of the test images")
    return extractor, features, (images, labels)


def report(rows):
    """The tables, as text: means over seeds, their spread, and the difference."""
    steps = sorted({row["step"] for row in rows})
    tables = [_table(rows, score, step) for score in SCORES for step in steps]
    return "\n".join(tables) or "no runs"


def _table(rows, score, step):
    """One score of all policies after so many steps."""
    values = {
        policy: [
            row[score]
            for row in rows
            if row["policy"] == policy and row["step"] == step
        ]
        for policy in POLICIES
    }
    lines = [f"{score} distance after {step} steps"]
    for policy, found in values.items():
        if found:
            lines.append(
                f"  {policy:<12} {np.mean(found):9.4f} +- {_spread(found):.4f}, "
                f"seeds {found}"
            )
    return "\n".join(lines + _differences(values))


def _differences(values):
    """Whether each policy is better than none by more than the seeds differ."""
    lines = []
    for policy in ("diffaugment", "ada"):
        if len(values[policy]) > 1 and len(values["none"]) > 1:
            gain = np.mean(values["none"]) - np.mean(values[policy])
            spread = max(_spread(values["none"]), _spread(values[policy]))
            verdict = "more" if gain > spread else "NOT more"
            lines.append(
                f"  {policy} is lower by {gain:.4f}: {verdict} than the seed spread "
                f"{spread:.4f}"
            )
    return lines


def _spread(values):
    """Sample standard deviation."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _read(log):
    """The measurements; of a run that began anew, the last ones."""
    return list({_key(row): row for row in read_rows(log)}.values())


def _done(log):
    return {_key(row) for row in _read(log)}


def _key(row):
    return row["policy"], row["seed"], row["step"]


def _policies(text):
    names = text.split(",")
    unknown = [name for name in names if name not in POLICIES]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"must be some of {', '.join(POLICIES)}. Received: {', '.join(unknown)}"
        )
    return names


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR")
    parser.add_argument("--report", action="store_true", help="run nothing")
    parser.add_argument(
        "--policies",
        type=_policies,
        default=list(POLICIES),
        metavar="NAMES",
        help=f"out of {', '.join(POLICIES)} (default: all)",
    )
    parser.add_argument("--dataset", default="fashion_mnist", metavar="NAME")
    parser.add_argument("--cache-dir", metavar="DIR")
    parser.add_argument("--images", type=int, default=1000, metavar="N")
    parser.add_argument("--steps", type=int, default=5000, metavar="STEPS")
    parser.add_argument("--parts", type=int, default=10, help="measurements a run")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--fakes", type=int, default=5000, metavar="N")
    parser.add_argument(
        "--discriminator-filters",
        type=int,
        metavar="N",
        help="width of the discriminator (default: the generator's)",
    )
    parser.add_argument("--preset", default="sagan_32_small", metavar="NAME")
    parser.add_argument(
        "--set",
        dest="settings",
        type=parse_setting,
        action="append",
        default=[],
        metavar="SECTION.FIELD=VALUE",
        help="another setting for all runs; may be repeated",
    )
    return parser.parse_args()


if __name__ == "__main__":
    tf.get_logger().setLevel("ERROR")
    main()
