"""How exact, large and fast are exports?

    python benchmarks/export.py                          # sagan_32_small and sagan_32
    python benchmarks/export.py --model RUN --threads 1

Exports each model as a SavedModel, an ONNX and a LiteRT model (extras `onnx` and
`litert`), checks every one against the model in Python, and times them. Named recipes
are untrained, with batch-norm scales and gates that are not neutral. Prints Markdown.

The SavedModel runs through TensorFlow's C API in a process of its own. "Live" is the
averaged Keras generator, as `tf.function` and called directly. Latency is the median
time of one call at the given batch size, each runtime with `--threads` threads for
computing; they take turns, so that other load on the machine hits all of them.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from contenders.weights import make_not_neutral

ROOT = pathlib.Path(__file__).parents[1]
BATCH_SIZES = (1, 8)
_RECIPES = ("sagan_32_small", "sagan_32")

# A server: loads, answers a first request, then times itself when told to.
_SERVER = """
import sys, time
begin = time.perf_counter()
import numpy as np
from keras_sagan.export.verifying import capi
directory, threads = sys.argv[1], int(sys.argv[2])
library = capi.load_library()
opened = time.perf_counter()
session = capi.Session(directory, library, threads)
loaded = time.perf_counter()
places = session.signatures["generate"].inputs
def rows(count):
    made = {"seed": np.arange(count), "truncation": np.zeros(count, "f"),
            "label": np.zeros(count, "i")}
    return {name: made[name] for name in places}
session.run("generate", rows(1))
answered = time.perf_counter()
print(opened - begin, loaded - opened, answered - begin, flush=True)
for line in sys.stdin:
    signature, count, repeats, path = line.split()
    inputs = rows(int(count))
    if signature == "serving_default":
        with np.load(path) as stored:
            inputs = {k: stored[k][:int(count)] for k in stored}
    times = []
    for _ in range(int(repeats)):
        start = time.perf_counter()
        session.run(signature, inputs)
        times.append(time.perf_counter() - start)
    print(sorted(times)[len(times) // 2], flush=True)
"""


def main():
    """Run the benchmark."""
    options = _parse()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    for name in options.model or _RECIPES:
        with tempfile.TemporaryDirectory() as folder:
            report(name, load(name), pathlib.Path(folder), options)


def report(name, gan, folder, options):
    """Exports one model and prints its tables."""
    from keras_sagan.export.saved_model import write_saved_model
    from keras_sagan.export.verifying.verification import verify

    directory = folder / "1"
    directory.mkdir()
    begin = time.perf_counter()
    write_saved_model(gan.ema_generator, directory, name)
    seconds = time.perf_counter() - begin
    checked = verify(gan, directory)
    print(f"\n## {pathlib.Path(name).name}\n")
    print(f"Written in {seconds:.1f} s. {size_line(gan, directory)}")
    print(f"Operations a request runs: {checked['operations']}; Keras: {live_ops(gan)}")
    print(f"C API: largest differences {checked['differences']}")
    with Server(directory, options.threads) as server:
        print(
            f"Cold start: {server.opened:.2f} s to open TensorFlow's library, "
            f"{server.loaded:.2f} s to load, {server.answered:.2f} s from the start of "
            "the process to the first picture"
        )
        runtimes = {
            **live_runners(gan),
            "SavedModel `serving_default`, C API": server.timer("serving_default"),
            "SavedModel `generate`, C API": server.timer("generate"),
            **other_runtimes(gan, folder, options.threads),
        }
        table(gan, folder, runtimes, options.rounds)


def load(name):
    """A `SAGAN`: a trained one, or a recipe with weights that are not neutral."""
    from keras_sagan import SAGAN
    from keras_sagan.runs import load_trained

    if name not in _RECIPES:
        gan = load_trained(name)
    else:
        gan = SAGAN.from_preset(name)
        make_not_neutral(gan.ema_generator)
    gan.refresh_ema()
    return gan


def size_line(gan, directory):
    """Bytes of an export, and relative to the float32 weights of the generator."""
    from keras_sagan.export.card import model_card

    weights = 4 * model_card(gan.ema_generator, "x")["parameters"]
    files = [path for path in directory.rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in files)
    graph = (directory / "saved_model.pb").stat().st_size
    return (
        f"{total:,} bytes ({graph:,} of them saved_model.pb), {total / weights:.3f} of "
        f"the {weights:,} bytes of the generator's float32 weights."
    )


def live_ops(gan):
    """Number of operations in the graph of the Keras generator."""
    concrete = _live_function(gan).get_concrete_function(*_specs(gan))
    return len(concrete.graph.get_operations())


def live_runners(gan):
    """The Keras generator, compiled and called directly: functions of rows."""
    compiled = _live_function(gan)

    def direct(rows):
        inputs = list(rows.values())
        inputs = inputs if len(inputs) > 1 else inputs[0]
        return gan.ema_generator(inputs, training=False).numpy()

    return {
        "live Keras generator, `tf.function`": lambda rows: compiled(
            *rows.values()
        ).numpy(),
        "live Keras generator, called directly": direct,
    }


def other_runtimes(gan, folder, threads):
    """ONNX and LiteRT: functions of rows, after a check against the model."""
    from keras_sagan.export.litert import export_litert, litert_runner
    from keras_sagan.export.onnx import export_onnx, onnx_runner
    from keras_sagan.export.runtimes import verify_images

    export_onnx(gan.ema_generator, folder / "x.onnx", "x")
    export_litert(gan.ema_generator, folder / "x.tflite")
    runners = {
        "ONNX, ONNX Runtime": onnx_runner(folder / "x.onnx", threads),
        "LiteRT, ai-edge-litert": litert_runner(folder / "x.tflite", threads or 2),
    }
    for (name, run), file in zip(runners.items(), ("x.onnx", "x.tflite"), strict=True):
        size = (folder / file).stat().st_size
        print(f"{name}: {size:,} bytes, largest difference {verify_images(gan, run)}")
    return runners


class Server:
    """The SavedModel in a process of its own, which times itself."""

    def __init__(self, directory, threads):
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(directory), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        line = self._process.stdout.readline()
        self.opened, self.loaded, self.answered = map(float, line.split())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()

    def timer(self, signature):
        """A function of batch size, repeats and file of rows: median seconds."""

        def timed(count, repeats, path):
            request = f"{signature} {count} {repeats} {path}\n"
            self._process.stdin.write(request)
            self._process.stdin.flush()
            return float(self._process.stdout.readline())

        timed.in_server = True
        return timed


def table(gan, folder, runtimes, rounds):
    """Prints the median latency of every runtime."""
    rows = _rows(gan, max(BATCH_SIZES))
    path = folder / "rows.npz"
    np.savez(path, **rows)
    header = " | ".join(f"batch {n}, ms" for n in BATCH_SIZES)
    print(f"\n| runtime | {header} |\n|---|{'---|' * len(BATCH_SIZES)}")
    times = {name: {n: [] for n in BATCH_SIZES} for name in runtimes}
    for _ in range(rounds):
        for count in BATCH_SIZES:
            some = {name: value[:count] for name, value in rows.items()}
            for name, run in runtimes.items():
                if hasattr(run, "in_server"):
                    seconds = run(count, 20, path)
                else:
                    seconds = _median(run, some, 20)
                times[name][count].append(seconds)
    for name, found in times.items():
        cells = " | ".join(
            f"{1000 * np.median(found[n]):.2f} ({1000 * min(found[n]):.2f} to "
            f"{1000 * max(found[n]):.2f})"
            for n in BATCH_SIZES
        )
        print(f"| {name} | {cells} |")
    print(json.dumps({k: {n: min(v[n]) for n in v} for k, v in times.items()}))


def _median(run, rows, repeats):
    times = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        run(rows)
        times.append(time.perf_counter() - start)
    return float(np.median(times[2:]))


def _live_function(gan):
    import tensorflow as tf

    def images(latent, *label):
        inputs = [latent, *label] if label else latent
        return gan.ema_generator(inputs, training=False)

    return tf.function(images, input_signature=_specs(gan), autograph=False)


def _specs(gan):
    import tensorflow as tf

    specs = [tf.TensorSpec((None, gan.generator.latent_dim))]
    if gan.generator.num_classes is not None:
        specs.append(tf.TensorSpec((None,), tf.int32))
    return specs


def _rows(gan, count):
    rng = np.random.default_rng(0)
    rows = {"latent": rng.normal(size=(count, gan.generator.latent_dim)).astype("f")}
    if gan.generator.num_classes is not None:
        rows["label"] = np.arange(count, dtype="i") % gan.generator.num_classes
    return rows


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", action="append", metavar="RUN", help="run, model or recipe"
    )
    parser.add_argument("--threads", type=int, default=1, help="default: 1")
    parser.add_argument(
        "--rounds", type=int, default=20, help="of 20 calls each (default: 20)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
