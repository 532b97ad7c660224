"""What do checkpoints cost? Training with and without them, in turns.

    python benchmarks/checkpoint_cost.py --preset sagan_32_small

One process, one compiled model, real data: blocks of steps in which a checkpoint is
begun at the start of the block (so that its writing is within the block) take turns
with blocks without one. Prints the median seconds of both blocks, the seconds that
training waited for checkpoints, and what one checkpoint in 500 steps comes to.
"""

import argparse
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

from keras_sagan.config.presets import get_preset
from keras_sagan.distributed import strategies
from keras_sagan.runs import beginning, building, checkpoint_files, checkpoints

INTERVAL = 500  # steps between two checkpoints


def main():
    """Runs the comparison and prints its figures."""
    options = parse()
    settings = dict(text.split("=", 1) for text in options.set)
    overrides = {
        "data.dataset": options.dataset,
        "training.batch_size": options.batch_size,
        "training.dtype_policy": options.dtype_policy,
        **{name: int(value) for name, value in settings.items()},
    }
    if options.cache_dir:
        overrides["data.cache_dir"] = options.cache_dir
    config = get_preset(options.preset).run_config(overrides)
    config, source = beginning.prepare(config, overrides)
    gan = building.build(config, source.class_names)
    folder = pathlib.Path(
        tempfile.mkdtemp(prefix="checkpoints-", dir=options.directory)
    )
    saved = checkpoints.Checkpoints(folder, INTERVAL, keep=3)
    saved.set_model(gan)
    batches = iter(strategies.stream(source, 0, gan.distribute_strategy))
    gan.make_train_function()

    def block():
        begin = time.monotonic()
        for _ in range(options.steps):
            gan.train_function(batches)
        return time.monotonic() - begin

    block()  # compiles
    plain, with_one, waited, writing = [], [], [], []
    for number in range(options.rounds):
        order = (False, True) if number % 2 else (True, False)
        for checkpoint in order:
            begin, before = time.monotonic(), saved.seconds
            if checkpoint:
                saved.save()
            block()
            took = time.monotonic() - begin
            thread = saved._thread
            if thread is not None:
                alive = thread.is_alive()
                saved.finish()
                writing.append(alive)
            if checkpoint:
                with_one.append(took)
                waited.append(saved.seconds - before)
            else:
                plain.append(took)
    report(options, gan, folder, plain, with_one, waited, writing)
    shutil.rmtree(folder)


def parse():
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="sagan_32_small")
    parser.add_argument("--dataset", default="tfds:fashion_mnist")
    parser.add_argument("--cache-dir")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--dtype-policy", default="float32")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=10, help="of a block")
    parser.add_argument("--directory", help="where checkpoints are written")
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=INTEGER")
    return parser.parse_args()


def report(options, gan, folder, plain, with_one, waited, writing):
    """Prints what was measured."""
    step = statistics.median(plain) / options.steps
    extra = [a - b for a, b in zip(with_one, plain, strict=True)]
    cost = statistics.median(extra)
    last = checkpoint_files.path_of(folder, checkpoint_files.steps(folder)[-1])
    size = sum(path.stat().st_size for path in last.iterdir())
    lines = [
        f"{options.preset}, {options.dataset}, batch {options.batch_size}",
        f"parameters: {gan.generator.count_params():,} and "
        f"{gan.discriminator.count_params():,}; a checkpoint: {size:,} bytes",
        f"a step without: {step:.4f} s (blocks of {options.steps}: "
        f"{min(plain):.3f} to {max(plain):.3f} s)",
        f"a block with a checkpoint takes longer by: {cost:.3f} s "
        f"({min(extra):.3f} to {max(extra):.3f} s)",
        f"of which training waited: {statistics.median(waited):.3f} s "
        f"({min(waited):.3f} to {max(waited):.3f} s); still being written at the end "
        f"of its block: {sum(writing)} of {len(writing)}",
        f"one in {INTERVAL} steps: {cost / (INTERVAL * step):.3%} of training time, "
        f"of which waiting {statistics.median(waited) / (INTERVAL * step):.3%}",
    ]
    print("\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
