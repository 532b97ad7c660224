"""What two processes cost: images/s of 2 workers of 1 thread, and of 1 of 2 threads.

    python benchmarks/distribution.py            # about 8 minutes on two quiet cores

Both make the same steps of the same global batch; the rounds alternate. Logical CPU
devices would share one pool of threads and cannot show this. The first steps of each
round, in which TensorFlow compiles, are not counted.
"""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[1]
GOAL = 0.85


def main():
    """Runs the rounds, or one worker of a round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=30, help="counted in a round")
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64, help="global")
    parser.add_argument("--base-filters", type=int, default=32)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker is not None:
        worker(options)
        return
    rates = {1: [], 2: []}
    for _ in range(options.rounds):
        for count, found in rates.items():
            found.append(measure(count))
            print(f"{count} process(es): {found[-1]:.2f} images/s", flush=True)
    one, two = (statistics.median(rates[count]) for count in (1, 2))
    print(
        f"median of {options.rounds}: 1 process x 2 threads {one:.2f} images/s, "
        f"2 workers x 1 thread {two:.2f} images/s: {two / one:.1%} (goal {GOAL:.0%})"
    )


def measure(count):
    """Images/s of so many workers that share two threads."""
    addresses = ",".join(f"127.0.0.1:{port}" for port in free_ports(count))
    threads = str(2 // count)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": "1" if count == 1 else "2",
    }
    started = [
        subprocess.Popen(
            [sys.executable, __file__, *sys.argv[1:], "--worker", f"{addresses}/{i}"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for i in range(count)
    ]
    outputs = [process.communicate()[0] for process in started]
    return json.loads(outputs[0].splitlines()[-1])


def free_ports(count):
    """Ports of this machine that nobody uses."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


def worker(options):
    """Trains; prints images/s of the counted steps."""
    import keras
    import numpy as np
    import tensorflow as tf

    from keras_sagan import SAGAN
    from keras_sagan.distributed import strategies
    from keras_sagan.distributed.cluster import Cluster
    from keras_sagan.models import Discriminator, Generator

    addresses, _, index = options.worker.rpartition("/")
    addresses = addresses.split(",")
    several = len(addresses) > 1
    strategy = strategies.create_strategy(
        "multi_worker" if several else "none",
        Cluster(addresses, int(index)) if several else None,
    )
    with strategy.scope():
        gan = SAGAN(
            Generator(base_filters=options.base_filters, synchronized=several),
            Discriminator(base_filters=options.base_filters),
        )
        gan.compile()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (options.batch, 32, 32, 3), np.uint8)
    labels = rng.integers(0, 10, options.batch).astype(np.int32)
    data = tf.data.Dataset.from_tensors((images, labels)).repeat()

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch + 1 == options.warm_up:
                self.begin = time.perf_counter()
            self.end = time.perf_counter()

    clock = Clock()
    steps = options.warm_up + options.steps
    gan.fit(data, steps_per_epoch=steps, epochs=1, verbose=0, callbacks=[clock])
    print(json.dumps(options.batch * options.steps / (clock.end - clock.begin)))


if __name__ == "__main__":
    main()
