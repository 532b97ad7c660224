"""How fast do pictures reach training, and what happens to broken ones?

    python benchmarks/input_pipeline.py -o /tmp/pictures
    python benchmarks/input_pipeline.py -o /tmp/pictures --dataset tfds:fashion_mnist

Writes a tree of JPEG and PNG files of 64 x 64 pixels, one in a hundred of them broken
or odd, then measures: `check`, `prepare`, opening what was prepared, the stream of
batches alone, and the share of training at 64 px that waits for data; with `--dataset`
also that of training on another data set at 32 px. Peak memory is that of the whole
process. The files are written once; the same directory again skips that. Needs an
otherwise quiet machine.
"""

import argparse
import pathlib
import resource
import shutil
import time

import numpy as np
import tensorflow as tf
from PIL import Image

from keras_sagan import data, runs
from keras_sagan.config.presets import get_preset

CLASSES = 10
BATCH_SIZE = 64


def main():
    """Write the files, then measure."""
    args = _parse()
    root = pathlib.Path(args.output)
    source, prepared = root / "source", root / "prepared"
    if not source.exists():
        write_tree(source, args.count)
    bad = sorted(str(path) for path in source.rglob("*bad*"))
    report = timed("check", lambda: data.check(f"folder:{source}", 64), args.count)
    named = sum(any(name in line for line in report.unreadable) for name in bad)
    print(
        f"  {len(report.unreadable)} unreadable, {named} of {len(bad)} bad ones named"
    )
    print(f"  {len(report.odd)} odd, {report.extra_copies} exact copies")
    for path in (prepared, prepared.with_name("prepared.incomplete")):
        shutil.rmtree(path, ignore_errors=True)
    result = timed(
        "prepare", lambda: data.prepare(f"folder:{source}", prepared, 64), args.count
    )
    print(f"  {result.written} written, {len(result.skipped)} skipped")
    opened = timed(
        "open",
        lambda: data.load(f"tfds:{prepared}", 64, BATCH_SIZE),
        result.written,
    )
    measure_stream(opened, args.batches)
    if args.steps:
        measure_waiting(f"tfds:{prepared}", "sagan_64", args)
    if args.steps and args.dataset:
        measure_waiting(args.dataset, "sagan_32_small", args)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MiB")


def write_tree(root, count):
    """`count` files in ten classes: drawings with noise, one in a hundred bad."""
    print(f"writing {count} files")
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 1, 64)
    for index in range(count):
        folder = root / f"class{index % CLASSES}"
        folder.mkdir(parents=True, exist_ok=True)
        if index % 100 == 99:
            write_bad(folder, index)
            continue
        color = rng.uniform(0, 255, (2, 3))
        values = ramp[:, None, None] * color[0] + ramp[None, :, None] * color[1]
        values = values / 2 + rng.normal(0, 12, (64, 64, 1))
        image = Image.fromarray(values.clip(0, 255).astype(np.uint8))
        ending = "png" if index % 10 == 3 else "jpg"
        image.save(folder / f"{index:06d}.{ending}", quality=90)


def write_bad(folder, index):
    """One of several kinds of files that cannot be read."""
    kind = index // 100 % 5
    path = folder / f"bad{index:06d}.{'png' if kind in (1, 3) else 'jpg'}"
    if kind == 0:
        path.write_bytes(b"")
    elif kind == 1:
        path.write_text("no picture")
    elif kind == 2:
        Image.effect_noise((64, 64), 60).save(path, "JPEG")
        path.write_bytes(path.read_bytes()[:700])
    elif kind == 3:
        Image.new("1", (20_000, 20_000)).save(path)  # a bomb: 50 MB in a few KB
    else:
        path.symlink_to(folder / "bad-nowhere.jpg")


def timed(what, function, count):
    """Call it; print the time and the rate."""
    begin = time.perf_counter()
    result = function()
    seconds = time.perf_counter() - begin
    print(f"{what}: {seconds:.2f} s, {count / seconds:.0f} images/s")
    return result


def measure_stream(source, batches):
    """Batches as fast as they come."""
    iterator = iter(source.dataset)
    next(iterator)
    begin = time.perf_counter()
    for _ in range(batches):
        next(iterator)
    seconds = time.perf_counter() - begin
    print(f"stream: {batches * source.batch_size / seconds:.0f} images/s")


def measure_waiting(name, preset, args):
    """The share of training time in which a step waits for its batch.

    The time of `next` against that of the whole loop; every step is waited for.
    """
    overrides = {
        "data.dataset": name,
        "data.cache_dir": args.cache_dir,
        "model.base_filters": args.base_filters,
        "training.batch_size": BATCH_SIZE,
    }
    config = get_preset(preset).run_config(overrides)
    config, source = runs.prepare(config)
    gan = runs.build(config, source.class_names)
    iterator = iter(source.dataset)

    @tf.function
    def step(batch):
        return gan.train_step(batch)["loss"]

    step(next(iterator))  # compiles
    waited = 0.0
    begin = time.perf_counter()
    for _ in range(args.steps):
        before = time.perf_counter()
        batch = next(iterator)
        waited += time.perf_counter() - before
        float(step(batch))  # to its end
    total = time.perf_counter() - begin
    rate = args.steps * source.batch_size / total
    share = 100 * waited / total
    print(f"training on {name}: {rate:.0f} images/s, waits {share:.2f} %")


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR")
    parser.add_argument("--count", type=int, default=10_000, metavar="FILES")
    parser.add_argument("--batches", type=int, default=1000, metavar="N")
    parser.add_argument("--steps", type=int, default=30, help="0: no training")
    parser.add_argument("--dataset", metavar="NAME", help="wait for this one too")
    parser.add_argument("--cache-dir", metavar="DIR")
    parser.add_argument("--base-filters", type=int, default=16, metavar="N")
    return parser.parse_args()


if __name__ == "__main__":
    main()
