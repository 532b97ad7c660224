"""Does the same seed give the same picture wherever an exported model runs?

    python benchmarks/same_seed.py                            # saved_models/glyphs
    python benchmarks/same_seed.py --model RUN --seeds 256

Exports a model in every way and asks each runtime and each server for pictures of all
classes from the same seeds, half of them truncated: TensorFlow's C API, ONNX Runtime,
`keras-sagan serve`, KServe's model server, MLServer, and a page in Chromium. Compares
the pictures with those of `SAGAN.generate` and prints, as Markdown, how many of the
values (three per pixel in colour) differ by one grey level, and by more. The exit
status is 1 if more than 1 in 10,000 differ by one, or any by more.

The servers are real processes in environments of their own, which are made if they are
not there (`tests/environments.py`).
"""

import argparse
import contextlib
import os
import pathlib
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).parents[1]
SHARE = 1e-4
TRUNCATIONS = (None, 0.7)
LARGEST = 2**53  # a browser knows no larger seeds


def main():
    """Run the benchmark."""
    options = _parse()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.path.insert(0, str(ROOT))  # for `tests`, which starts the servers
    from keras_sagan.runs import load_trained

    gan = load_trained(options.model)
    gan.refresh_ema()
    rows = chosen_rows(options.seeds, gan.num_classes)
    expected = pictures(gan.generate, rows)
    print(
        f"{options.seeds} seeds in [-2^53, 2^53), {gan.num_classes or 'no'} classes, "
        f"truncation none and {TRUNCATIONS[1]}: {len(expected):,} pictures.\n"
    )
    print("| where | one grey level | more | of values |\n|---|---|---|---|")
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for name, open_ in contenders(gan, pathlib.Path(folder)).items():
            with open_ as generate:
                one, more = differences(pictures(generate, rows), expected)
            print(f"| {name} | {one:,} | {more:,} | {expected.size:,} |", flush=True)
            good &= more == 0 and one <= SHARE * expected.size
    return 0 if good else 1


def chosen_rows(count, num_classes):
    """Seeds of every size and sign, each with every class, as in `generate`."""
    rng = np.random.default_rng(0)
    bits = rng.integers(1, 54, count)
    seeds = rng.integers(-LARGEST, LARGEST, count) >> (53 - bits)
    if num_classes is None:
        return {"num_images": count, "seed": seeds}
    labels = np.tile(np.arange(num_classes, dtype=np.int32), count)
    return {"labels": labels, "seed": np.repeat(seeds, num_classes)}


def pictures(generate, rows):
    """All pictures of the rows, first without truncation."""
    return np.concatenate([generate(**rows, truncation=x) for x in TRUNCATIONS])


def differences(images, expected):
    """How many values differ by one grey level, and by more."""
    if (images.shape, images.dtype) != (expected.shape, expected.dtype):
        raise ValueError(f"{images.dtype} of the shape {images.shape}")
    levels = np.abs(images.astype(int) - expected)
    return int((levels == 1).sum()), int((levels > 1).sum())


def contenders(gan, folder):
    """Scopes in which there is a function like `generate`, by name."""
    from keras_sagan.export.onnx import export_onnx
    from keras_sagan.export.saved_model import write_saved_model
    from tests.serving import model_servers

    export = folder / "glyphs" / "1"
    export.mkdir(parents=True)
    write_saved_model(gan.ema_generator, export, "glyphs")
    onnx = folder / "glyphs.onnx"
    export_onnx(gan.ema_generator, onnx, "glyphs", signature="generate")
    for name in ("kserve", "mlserver", "serve"):
        (folder / name).mkdir()
    return {
        "TensorFlow's C API": in_c(export),
        "ONNX Runtime": in_onnx_runtime(onnx),
        "`keras-sagan serve`, gRPC": of_own_server(export.parent, folder, "grpc"),
        "`keras-sagan serve`, REST": of_own_server(export.parent, folder, "http"),
        "KServe 0.21, v1": of_server(
            model_servers.kserve(onnx, folder / "kserve"), "v1"
        ),
        "KServe 0.21, v2": of_server(
            model_servers.kserve(onnx, folder / "kserve"), "v2"
        ),
        "MLServer 1.7, v2": of_server(
            model_servers.mlserver(onnx, folder / "mlserver"), "v2"
        ),
        "Chromium": in_browser(gan, folder / "page"),
    }


@contextlib.contextmanager
def in_c(export):
    """The SavedModel, loaded by TensorFlow's C library."""
    from keras_sagan.export.verifying import capi

    session = capi.Session(export, capi.load_library())
    yield by_columns(lambda columns: session.run("generate", columns)["images"])
    session.close()


@contextlib.contextmanager
def in_onnx_runtime(onnx):
    """The ONNX model."""
    from keras_sagan.export.onnx import onnx_runner

    yield by_columns(onnx_runner(onnx))


def by_columns(run):
    """A function like `generate` from one of the inputs of the signature."""

    def generate(seed, labels=None, num_images=None, truncation=None):
        columns = {"seed": seed, "truncation": np.full(len(seed), truncation or 0, "f")}
        if labels is not None:
            columns["label"] = labels
        parts = [
            run({name: column[start : start + 64] for name, column in columns.items()})
            for start in range(0, len(seed), 64)
        ]
        return np.concatenate(parts)

    return generate


@contextlib.contextmanager
def of_own_server(directory, folder, scheme):
    """The development server."""
    from serving_load import running_server

    from keras_sagan.serving import Client

    with running_server(directory, folder / "serve") as (urls, _):
        [url] = [url for url in urls if url.startswith(scheme)]
        with Client(url, timeout=120) as client:
            yield client.generate


@contextlib.contextmanager
def of_server(started, protocol):
    """A server of another project."""
    from keras_sagan.serving import Client

    with started as (_, address):
        url = f"{address}/{protocol}/models/glyphs"
        with Client(url, timeout=120) as client:
            yield client.generate


@contextlib.contextmanager
def in_browser(gan, folder):
    """The page to share."""
    from keras_sagan.export.web.folder import export_web
    from tests.browser import chromium
    from tests.export.web import pages

    export_web(gan.ema_generator, folder)
    channels = gan.generator.channels

    def generate(seed, labels=None, num_images=None, truncation=None):
        labels = np.zeros(len(seed), int) if labels is None else labels
        return pages.generated(page, labels, seed, truncation or 0, channels)

    with chromium() as browser, pages.serving(folder) as address:
        page = browser.new_page()
        page.goto(address)
        pages.settled(page)
        yield generate


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model",
        default=str(ROOT / "saved_models" / "glyphs" / "preset"),
        metavar="RUN",
        help="run, preset or model (default: the one of saved_models/glyphs)",
    )
    parser.add_argument(
        "--seeds", type=int, default=64, metavar="N", help="each with all classes"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
