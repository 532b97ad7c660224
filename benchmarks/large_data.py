"""What a data set that does not fit into memory costs: the start, the stream, memory.

    python benchmarks/large_data.py make -o /tmp/million
    python benchmarks/large_data.py stream --dataset tfds:/tmp/million
    python benchmarks/large_data.py train --dataset tfds:/tmp/million
    python benchmarks/large_data.py workers --dataset tfds:/tmp/million --parts 2

`make` writes pictures of 64 x 64 pixels (`--count`, a million; about 7 KB of PNG each,
of which 2,000 are different) in `--shards` files, `array_record` or with `--format
tfrecord` as earlier versions wrote them. `stream` reads shuffled batches as fast as
they come. `train` trains a small network and says when step 1 was over, how long steps
waited for their batch, and how much memory it took; with `--data-memory` decoded or
not. `workers` counts the bytes that each of several workers reads and the shards that
it opens, with the data in `--parts`. Times are those of the clock and of the processor:
the latter hold beside other load.
"""

import argparse
import io
import itertools
import os
import pathlib
import resource
import subprocess
import sys
import time

import numpy as np
from PIL import Image

SIZE = 64
CLASSES = 10
DISTINCT = 2000
BATCH_SIZE = 64


def main():
    """Parses the arguments and measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=sorted(MEASUREMENTS))
    parser.add_argument("-o", "--output")
    parser.add_argument("--dataset")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=256)
    parser.add_argument("--written", type=int, help="shards; the others are links")
    parser.add_argument("--format", default="array_record")
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--data-memory", type=float, default=1.0)
    parser.add_argument("--base-filters", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--parts", type=int, default=1)
    args = parser.parse_args()
    MEASUREMENTS[args.what](args)


# === Making a data set ===
def make(args):
    """Writes the shards, their index and their description."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    from keras_sagan.data.sources import record_index

    root = pathlib.Path(args.output)
    root.mkdir(parents=True)
    pngs = [png(index) for index in range(DISTINCT)]
    lengths = np.diff(np.linspace(0, args.count, args.shards + 1).astype(int)).tolist()
    labels = np.random.default_rng(0).integers(0, CLASSES, args.count)
    if args.written:  # equal shards
        lengths = [args.count // args.shards] * args.shards
        labels = np.resize(labels[: args.written * lengths[0]], sum(lengths))
    rows, sizes, begin = itertools.count(), [], time.perf_counter()
    for shard, length in enumerate(lengths):
        name = f"large-train.{args.format}-{shard:05d}-of-{args.shards:05d}"
        if args.written and shard >= args.written:
            earlier = f"{name[:-14]}{shard % args.written:05d}-of-{args.shards:05d}"
            (root / name).hardlink_to(root / earlier)
            sizes.append((root / name).stat().st_size)
            continue
        with open_writer(root / name, args.format) as writer:
            for row in itertools.islice(rows, length):
                example = tf.train.Example()
                feature = example.features.feature
                feature["image"].bytes_list.value.append(pngs[row * 7919 % DISTINCT])
                feature["label"].int64_list.value.append(labels[row])
                writer.write(example.SerializeToString())
        sizes.append((root / name).stat().st_size)
        print(f"{shard + 1} of {args.shards}, {time.perf_counter() - begin:.0f} s")
    if args.format == "array_record":
        index = record_index.content(sizes, labels)
        (root / record_index.FILE).write_bytes(index)
    shape = (SIZE, SIZE, 3)
    tfds.folder_dataset.write_metadata(
        data_dir=root,
        features=tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=shape, encoding_format="png"),
                "label": tfds.features.ClassLabel(num_classes=CLASSES),
            }
        ),
        split_infos=[
            tfds.core.SplitInfo(
                name="train",
                shard_lengths=lengths,
                num_bytes=sum(sizes),
                filename_template=tfds.core.ShardedFileTemplate(
                    data_dir=root,
                    dataset_name="large",
                    split="train",
                    filetype_suffix=args.format,
                ),
            )
        ],
        version="1.0.0",
        check_data=False,
    )


def open_writer(path, kind):
    """A context with a method `write` for records."""
    import contextlib

    import tensorflow as tf
    from array_record.python.array_record_module import ArrayRecordWriter

    if kind == "tfrecord":
        return tf.io.TFRecordWriter(str(path))
    options = "group_size:1,uncompressed"  # as `data prepare` does
    return contextlib.closing(ArrayRecordWriter(str(path), options))


def png(index):
    """A drawing with noise."""
    rng = np.random.default_rng(index)
    ramp = np.linspace(0, 1, SIZE)
    color = rng.uniform(0, 255, (2, 3))
    values = ramp[:, None, None] * color[0] + ramp[None, :, None] * color[1]
    values = values / 2 + rng.normal(0, 6, (SIZE, SIZE, 1))
    file = io.BytesIO()
    image = Image.fromarray(values.clip(0, 255).astype(np.uint8))
    image.save(file, "PNG", compress_level=3)
    return file.getvalue()


# === Measuring ===
def stream(args):
    """Opens the set and reads batches."""
    from keras_sagan import data

    begin = time.perf_counter()
    source = data.load(args.dataset, SIZE, BATCH_SIZE, data_memory=args.data_memory)
    print(f"opened {source.num_examples} in {time.perf_counter() - begin:.2f} s")
    iterator = iter(source.dataset)
    next(iterator)
    begin, cpu = time.perf_counter(), time.process_time()
    for _ in range(args.batches):
        next(iterator)
    images = args.batches * BATCH_SIZE
    seconds, used = time.perf_counter() - begin, time.process_time() - cpu
    cores = len(os.sched_getaffinity(0))
    print(
        f"stream: {images / seconds:.0f} images/s; {used / images * 1e6:.0f} us of a "
        f"processor an image: {cores * images / used:.0f} images/s of {cores} whole "
        f"cores. {peak()}. Load {os.getloadavg()[0]:.1f}"
    )


def train(args):
    """Trains for some steps in this process."""
    begin = time.perf_counter()
    import tensorflow as tf

    from keras_sagan import runs
    from keras_sagan.config.presets import get_preset
    from keras_sagan.runs import facts

    imported = time.perf_counter()
    overrides = {
        "data.dataset": args.dataset,
        "data.data_memory": args.data_memory,
        "model.base_filters": args.base_filters,
        "training.batch_size": BATCH_SIZE,
    }
    config, source = runs.prepare(get_preset("sagan_64").run_config(overrides))
    content = facts.content(source)  # as a run does
    opened = time.perf_counter()
    memory = resident()
    gan = runs.build(config, source.class_names, source.class_counts)
    iterator = iter(source.dataset)

    @tf.function
    def step(batch):
        return gan.train_step(batch)["loss"]

    float(step(next(iterator)))
    first = time.perf_counter()
    print(
        f"step 1 after {first - begin:.1f} s: import {imported - begin:.1f}, data "
        f"{opened - imported:.1f}, network and step {first - opened:.1f}"
    )
    waited, started, cpu = 0.0, time.perf_counter(), time.process_time()
    for _ in range(args.steps):
        before = time.perf_counter()
        batch = next(iterator)
        waited += time.perf_counter() - before
        float(step(batch))
    total = time.perf_counter() - started
    used = (time.process_time() - cpu) / args.steps
    print(
        f"{args.steps * BATCH_SIZE / total:.1f} images/s, {used:.2f} s of a processor "
        f"a step, waiting {100 * waited / total:.2f} % of the time; content "
        f"{content}; resident after the data {memory:.0f} MiB, at the end "
        f"{resident():.0f} MiB. {peak()}. Load {os.getloadavg()[0]:.1f}"
    )


def workers(args):
    """Each worker of `--workers` reads its rows of the batches."""
    for worker in range(args.workers):
        command = [sys.executable, __file__, "one_worker", "--dataset", args.dataset]
        command += ["--workers", str(args.workers), "--parts", str(args.parts)]
        command += ["--batches", str(args.batches)]
        env = {**os.environ, "WORKER": str(worker)}
        subprocess.run(command, check=True, env=env)


def one_worker(args):
    """Counts what one worker reads of the files of the data set."""
    import tensorflow as tf

    from keras_sagan import data
    from keras_sagan.distributed import strategies

    source = data.load(args.dataset, SIZE, BATCH_SIZE, data_memory=0, parts=args.parts)
    worker = int(os.environ["WORKER"])
    context = tf.distribute.InputContext(args.workers, worker, 1)
    batches = strategies.stream_of(source, 0, context)
    before = read_bytes()
    count = sum(len(x[0]) for x in batches.take(args.batches).as_numpy_iterator())
    found = read_bytes() - before
    folder = args.dataset.removeprefix("tfds:")
    opened = sorted(x[-14:-9] for x in open_files() if x.startswith(folder))
    print(
        f"worker {worker}: {count} images, {found} bytes, {len(opened)} shards opened, "
        f"{opened[0]} to {opened[-1]}"
    )


def read_bytes():
    """Bytes that this process has read, from the disk or from the system's memory."""
    lines = pathlib.Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


def open_files():
    """Paths of the files that this process has open."""
    for link in pathlib.Path("/proc/self/fd").iterdir():
        try:
            yield os.readlink(link)
        except OSError:
            continue


def resident():
    """MiB of this process in memory now."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def peak():
    """The most memory that this process has had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"peak memory {most:.0f} MiB"


MEASUREMENTS = {
    "make": make,
    "stream": stream,
    "train": train,
    "workers": workers,
    "one_worker": one_worker,
}

if __name__ == "__main__":
    main()
