"""Does a server under load answer every request, each with its own pictures?

    python benchmarks/serving_load.py                      # starts keras-sagan serve
    python benchmarks/serving_load.py --server grpc://HOST:8500/glyphs \
        --server http://HOST:8501/v1/models/glyphs         # asks a running one

Sends requests of one to four rows from concurrent clients, half of them over gRPC and
half over REST where the server has both, and compares every picture with the one that
the model makes of that seed, label and truncation in TensorFlow directly. No request
is sent twice, so that a lost one shows. Prints JSON; the exit status is 1 if anything
was wrong or lost, or if the server's memory grew.

Memory is flat if the medians of its second and last quarter differ by at most 2 %.
"""

import argparse
import concurrent.futures
import contextlib
import json
import multiprocessing
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

from keras_sagan.serving.client.client import Client
from keras_sagan.serving.client.retries import Retries
from keras_sagan.serving.errors import ServingError

MAX_ROWS = 4
FLAT = 0.02
ROUNDING = 1e-4  # share of values that may be one grey level off


def main():
    """Run the benchmark."""
    options = _parse()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rows = request_rows(options.requests)
        np.savez(folder / "rows.npz", **rows)
        expected = reference(options.model, rows)
        np.save(folder / "expected.npy", expected)
        servers, pid = options.server, options.pid
        if not servers:
            servers, pid = stack.enter_context(running_server(options.model, folder))
        measure(servers, min(500, options.requests), options, folder)
        with resident_sizes(pid) as sizes:
            begin = time.perf_counter()
            outcomes = measure(servers, options.requests, options, folder)
            seconds = time.perf_counter() - begin
    result = summary(outcomes, rows, expected.size, seconds, sizes)
    print(json.dumps(result, indent=2))
    return 0 if result["passed"] else 1


def request_rows(count):
    """Inputs of all requests: dict of arrays, with the first row of each request.

    Every row has a seed of its own. A quarter of the requests is truncated.
    """
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, MAX_ROWS + 1, count)
    total = int(sizes.sum())
    truncation = np.repeat(np.where(np.arange(count) % 4 == 0, 0.5, 0.0), sizes)
    return {
        "seed": rng.permutation(10 * total)[:total].astype("int64"),
        "label": rng.integers(0, 10, total).astype("int32"),
        "truncation": truncation.astype("float32"),
        "starts": np.concatenate([[0], np.cumsum(sizes)]),
    }


def reference(model, rows):
    """What TensorFlow makes of all rows: uint8 images."""
    import tensorflow as tf

    version = max(int(p.name) for p in pathlib.Path(model).iterdir() if p.is_dir())
    generate = tf.saved_model.load(f"{model}/{version}").signatures["generate"]
    names = ("seed", "label", "truncation")
    parts = []
    for start in range(0, len(rows["seed"]), 64):
        part = {name: tf.constant(rows[name][start : start + 64]) for name in names}
        parts.append(generate(**part)["images"].numpy())
    return np.concatenate(parts)


@contextlib.contextmanager
def running_server(model, folder):
    """`keras-sagan serve` on free ports: its addresses and process id."""
    command = [sys.executable, "-m", "keras_sagan", "serve", str(model)]
    output = folder / "server"
    with output.open("w") as printed:
        process = subprocess.Popen(
            [*command, "--grpc-port", "0", "--rest-port", "0"],
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    try:
        while "Ctrl-C" not in output.read_text():
            if process.poll() is not None:
                raise RuntimeError(output.read_text())
            time.sleep(0.1)
        yield re.findall(r"(?:grpc|http)://\S+", output.read_text()), process.pid
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def resident_sizes(pid):
    """Resident memory of a process in MiB, four times a second."""
    sizes, done = [], threading.Event()

    def watch():
        while not done.wait(0.25):
            pages = pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]
            sizes.append(int(pages) * 4096 / 2**20)

    thread = threading.Thread(target=watch)
    if pid:
        thread.start()
    try:
        yield sizes
    finally:
        done.set()
        if pid:
            thread.join()


def measure(servers, count, options, folder):
    """Sends the first `count` requests from all clients: a list of outcomes.

    The clients are threads of several processes, as one process of Python could not
    keep a server busy.
    """
    context = multiprocessing.get_context("spawn")
    jobs = [
        (list(servers), count, client, options.clients, str(folder))
        for client in range(options.clients)
    ]
    shares = [jobs[i :: options.processes] for i in range(options.processes)]
    with concurrent.futures.ProcessPoolExecutor(
        options.processes, mp_context=context
    ) as pool:
        parts = list(pool.map(run_clients, shares))
    return [outcome for part in parts for outcome in part]


def run_clients(jobs):
    """Runs some of the clients at the same time, in threads of this process."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(jobs))) as pool:
        parts = list(pool.map(run_client, jobs))
    return [outcome for part in parts for outcome in part]


def run_client(job):
    """One client: every `clients`-th request, one after the other."""
    servers, count, number, clients, folder = job
    expected = np.load(pathlib.Path(folder, "expected.npy"), mmap_mode="r")
    rows = dict(np.load(pathlib.Path(folder, "rows.npz")))
    url = servers[number % len(servers)]
    outcomes = []
    with Client(url, timeout=120, retries=Retries(attempts=1)) as client:
        for request in range(number, count, clients):
            part = slice(*rows["starts"][request : request + 2])
            begin = time.perf_counter()
            try:
                images = client.generate(
                    labels=rows["label"][part],
                    seed=rows["seed"][part],
                    truncation=float(rows["truncation"][part][0]),
                )
            except ServingError as error:
                outcomes.append((url, None, str(error)))
                continue
            seconds = time.perf_counter() - begin
            outcomes.append((url, seconds, compare(images, expected[part])))
    return outcomes


def compare(images, expected):
    """Values that are one grey level off; a message where it is another picture."""
    if images.shape != expected.shape or images.dtype != expected.dtype:
        return f"shape {images.shape} of {images.dtype}"
    difference = np.abs(images.astype(int) - expected)
    if difference.max() > 1:
        return f"{(difference > 1).any(axis=(1, 2, 3)).sum()} wrong pictures"
    return int(difference.sum())


def summary(outcomes, rows, pixels, seconds, sizes):
    """The figures, and whether they are as they must be."""
    lost = [what for _, took, what in outcomes if took is None]
    wrong = [what for _, took, what in outcomes if took and isinstance(what, str)]
    off = sum(what for _, _, what in outcomes if isinstance(what, int))
    images, most = len(rows["seed"]), ROUNDING * pixels
    answered = len(outcomes) - len(lost)
    result = {
        "requests": len(outcomes),
        "images": images,
        "lost": len(lost),
        "wrong": len(wrong),
        "examples": (lost + wrong)[:3],
        "values_one_grey_level_off": off,
        "seconds": round(seconds, 1),
        "requests_per_second": round(answered / seconds, 1),
        "images_per_second": round(images / seconds, 1),
        "latency_ms": latencies(outcomes),
    }
    flat = True
    if len(sizes) >= 8:
        quarter = len(sizes) // 4
        second, last = sizes[quarter : 2 * quarter], sizes[-quarter:]
        growth = float(np.median(last) / np.median(second) - 1)
        flat = growth <= FLAT
        result["memory_mib"] = {
            "first": round(sizes[0], 1),
            "median_of_second_quarter": round(float(np.median(second)), 1),
            "median_of_last_quarter": round(float(np.median(last)), 1),
            "largest": round(max(sizes), 1),
            "growth": round(growth, 4),
        }
    result["passed"] = not lost and not wrong and flat and off <= most
    return result


def latencies(outcomes):
    """Percentiles by protocol."""
    found = {}
    for url, seconds, _ in outcomes:
        if seconds is not None:
            found.setdefault(url.partition(":")[0], []).append(1e3 * seconds)
    return {
        protocol: {
            name: round(float(np.percentile(values, rank)), 1)
            for name, rank in (("p50", 50), ("p99", 99), ("max", 100))
        }
        for protocol, values in sorted(found.items())
    }


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", default="saved_models/glyphs", metavar="DIR", help="of its versions"
    )
    parser.add_argument("--requests", type=int, default=20_000, metavar="N")
    parser.add_argument("--clients", type=int, default=32, metavar="N")
    parser.add_argument("--processes", type=int, default=4, metavar="N")
    parser.add_argument(
        "--server", action="append", default=[], metavar="URL", help="a running one"
    )
    parser.add_argument(
        "--pid", type=int, metavar="N", help="of a running server: watch its memory"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
