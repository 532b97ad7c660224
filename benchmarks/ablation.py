"""Does attention help two far parts of an image to agree?

    python benchmarks/ablation.py -o runs/ablation            # 9 runs
    python benchmarks/ablation.py -o runs/ablation --report   # the table alone

The design of Table 1 of the paper on the embedded data set `shapes`, whose two objects
stand at opposite edges and must match: the same small network without attention, with
attention at one resolution, and with a residual block of as many parameters in its
place, for the same seeds, steps and images. What is counted is exact: the share of
generated images that keep the rule (`keras_sagan.data.sources.shapes.agreement`). A
generator that uses few colours agrees more often by accident: `chance` is how often its
two sides would have one colour if each drew its own.

Every run is a line of `runs.jsonl`: what is there is not run again, and a run that was
interrupted begins anew. `grids/` has samples and `models/` the trained models.
"""

import argparse
import pathlib
import time

import keras
import numpy as np
from hinge_recipe import HINGE
from run_log import append_row, read_rows

from keras_sagan import runs
from keras_sagan.config.presets import get_preset
from keras_sagan.data.sources import shapes
from keras_sagan.visualize import grids

SIZES = (8, 16)  # that both networks of 32 x 32 pixels produce
VARIANTS = {
    "none": {"model.attention_resolutions": ()},
    **{
        f"{word}-{size}": {
            "model.attention_resolutions": (size,),
            "model.attention": setting,
        }
        for word, setting in [("attention", "released"), ("residual", "residual")]
        for size in SIZES
    },
}
BASELINE = "none"
MEASURES = ("color", "chance", "shape", "both", "label")
_SEED = 1_000_000  # of the images that are measured


def main():
    """Make the runs that are missing, then print the table."""
    args = _parse()
    output = pathlib.Path(args.output)
    output.mkdir(parents=True, exist_ok=True)
    log = output / "runs.jsonl"
    if not args.report:
        for seed in range(args.seeds):  # seed by seed: half a table is a fair one
            for variant in args.variants:
                if (variant, seed) not in _done(log):
                    append_row(log, _run(args, output, variant, seed))
    print(report(read_rows(log)))


def _run(args, output, variant, seed):
    """Train and measure once: a dict of figures."""
    keras.backend.clear_session()  # of the run before
    overrides = HINGE | {
        "data.dataset": "shapes",
        "data.cache_dir": args.cache_dir,
        "training.seed": seed,
        "training.batch_size": args.batch_size,
        "training.ema_decay": 0.99,
        "model.base_filters": args.base_filters,
        **VARIANTS[variant],
    }
    config = get_preset("sagan_32_small").run_config(overrides)
    config, source = runs.prepare(config)
    gan = runs.build(config, source.class_names)
    begin, curve = time.perf_counter(), []
    for part in range(1, args.parts + 1):
        first = (part - 1) * args.steps // args.parts
        steps = part * args.steps // args.parts - first
        stream = source.stream(first * source.batch_size)
        logs = gan.fit(stream, steps_per_epoch=steps, verbose=0).history
        images, measured = _measure(gan, args.count)
        gates = {name: x[-1] for name, x in logs.items() if "gamma" in name}
        curve.append({"step": first + steps, **measured, **_rounded(gates)})
        print(variant, seed, curve[-1], flush=True)
    name = f"{variant}-{seed}"
    grids.save_grid(output / "grids" / f"{name}.png", images[:60], 10)
    gan.save_to_preset(str(output / "models" / name))
    return {
        "variant": variant,
        "seed": seed,
        "steps": args.steps,
        "batch_size": args.batch_size,
        "base_filters": args.base_filters,
        "parameters": {
            "generator": _count(gan.generator),
            "discriminator": _count(gan.discriminator),
        },
        "seconds": round(time.perf_counter() - begin, 1),
        "curve": curve,
    }


def _measure(gan, count):
    """Images of all classes in turn, the same latents each time; their shares."""
    labels = np.arange(count) % len(shapes.PAIRS)
    images = gan.generate(labels=labels, seed=_SEED)
    result = shapes.agreement(images, labels)._asdict()
    objects = shapes.nearest(images)
    result["found"] = objects.found.all(axis=1)
    result["chance"] = _chance(objects.colors[result["found"]])
    return images, _rounded({name: np.mean(x) for name, x in result.items()})


def _chance(colors):
    """How often sides with these colours `(n, 2)` would agree, drawn apart."""
    shares = [np.bincount(side, minlength=len(shapes.COLORS)) for side in colors.T]
    return float(np.dot(*shares)) / max(1, len(colors)) ** 2


def report(rows):
    """The table as text: mean of the last measurement over seeds, and its spread.

    Args:
        rows: list of dict, as in `runs.jsonl`.
    """
    if not rows:
        return "no runs"
    names = [name for name in VARIANTS if any(r["variant"] == name for r in rows)]
    lines = [
        f"{rows[0]['steps']} steps of {rows[0]['batch_size']} images, base_filters "
        f"{rows[0]['base_filters']}; mean +- standard deviation over seeds",
        "",
        "| variant | seeds | parameters G, D | " + " | ".join(MEASURES) + " | found |",
        "|---" * (4 + len(MEASURES)) + "|",
    ]
    for name in names:
        runs = [row for row in rows if row["variant"] == name]
        sizes = runs[0]["parameters"]
        cells = [_cell([r["curve"][-1][m] for r in runs]) for m in (*MEASURES, "found")]
        lines.append(
            f"| {name} | {len(runs)} | {sizes['generator']:,}, "
            f"{sizes['discriminator']:,} | " + " | ".join(cells) + " |"
        )
    return "\n".join([*lines, "", *_differences(rows, names)])


def _differences(rows, names):
    """By how much each variant keeps `both` more often than the baseline, by seed."""
    both = {(r["variant"], r["seed"]): r["curve"][-1]["both"] for r in rows}
    lines = []
    for name in names:
        seeds = sorted(
            seed
            for variant, seed in both
            if variant == name and (BASELINE, seed) in both
        )
        if name == BASELINE or not seeds:
            continue
        gains = [both[name, seed] - both[BASELINE, seed] for seed in seeds]
        text = ", ".join(f"{gain:+.3f}" for gain in gains)
        lines.append(
            f"{name} against {BASELINE}, `both`, seed by seed: {text}; mean "
            f"{np.mean(gains):+.3f} +- {_spread(gains):.3f}"
        )
    return lines


def _cell(values):
    return f"{np.mean(values):.3f} +- {_spread(values):.3f}"


def _spread(values):
    """Sample standard deviation."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def _rounded(values):
    return {name: round(float(value), 4) for name, value in values.items()}


def _count(network):
    return int(sum(np.prod(v.shape) for v in network.trainable_variables))


def _done(log):
    return {(row["variant"], row["seed"]) for row in read_rows(log)}


def _variants(text):
    names = text.split(",")
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"must be some of {', '.join(VARIANTS)}. Received: {', '.join(unknown)}"
        )
    return names


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR")
    parser.add_argument("--report", action="store_true", help="run nothing")
    parser.add_argument(
        "--variants",
        type=_variants,
        default=["none", "attention-16", "residual-16"],
        metavar="NAMES",
        help=f"out of {', '.join(VARIANTS)} (default: none,attention-16,residual-16)",
    )
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--steps", type=int, default=3000, metavar="STEPS")
    parser.add_argument("--parts", type=int, default=6, help="measurements a run")
    parser.add_argument("--count", type=int, default=3000, metavar="IMAGES")
    parser.add_argument("--batch-size", type=int, default=64, metavar="IMAGES")
    parser.add_argument("--base-filters", type=int, default=16, metavar="N")
    parser.add_argument("--cache-dir", metavar="DIR")
    return parser.parse_args()


if __name__ == "__main__":
    main()
