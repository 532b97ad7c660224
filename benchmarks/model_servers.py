"""What does it cost to serve one small model, in our own server and in others?

    python benchmarks/model_servers.py

Starts `keras-sagan serve`, KServe's model server and MLServer in turn with the model of
`saved_models/glyphs` (the SavedModel, and the same as ONNX) and asks each for one
picture after the other with this package's client. Prints Markdown: seconds until the
model can be called, memory after the requests, and the processor time of server and
client for a request. Processor times count, as other programs change them little; the
values are medians of all rounds, with the smallest and largest in brackets.
"""

import argparse
import contextlib
import os
import pathlib
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).parents[1]
MODEL = ROOT / "saved_models" / "glyphs"


def main():
    """Run the benchmark."""
    options = _parse()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.path.insert(0, str(ROOT))  # for `tests`, which starts the servers
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        onnx = folder / "glyphs.onnx"
        export(onnx)
        rounds = [
            measure(onnx, folder / str(number), options.requests)
            for number in range(options.rounds)
        ]
    print(table(rounds))


def export(onnx):
    """The model as ONNX."""
    from keras_sagan import SAGAN
    from keras_sagan.export.onnx import export_onnx

    gan = SAGAN.from_preset(MODEL / "preset")
    gan.refresh_ema()
    export_onnx(gan.ema_generator, onnx, "glyphs", signature="generate")


def measure(onnx, folder, count):
    """One round: dict from server to its start, memory and time of requests."""
    from serving_load import running_server

    from tests.serving import model_servers

    folders = {name: folder / name for name in ("serve", "kserve", "mlserver")}
    for path in folders.values():
        path.mkdir(parents=True)
    return {
        "`keras-sagan serve`": server(
            own(running_server(MODEL, folders["serve"])), count
        ),
        "KServe": server(
            of_others(model_servers.kserve(onnx, folders["kserve"]), "v1", "v2"), count
        ),
        "MLServer": server(
            of_others(model_servers.mlserver(onnx, folders["mlserver"]), "v2"), count
        ),
    }


@contextlib.contextmanager
def own(started):
    """The development server: its process id, and addresses by protocol."""
    with started as (urls, pid):
        names = {"grpc": "v1, gRPC", "http": "v1, REST"}
        yield pid, {names[url.partition(":")[0]]: url for url in urls}


@contextlib.contextmanager
def of_others(started, *protocols):
    """A server of another project: the same."""
    with started as (process, address):
        urls = {f"{x}, REST": f"{address}/{x}/models/glyphs" for x in protocols}
        yield process.pid, urls


def server(started, count):
    """What one server takes: dict of floats."""
    begin = time.perf_counter()
    with started as (pid, urls):
        found = {
            "s to start": time.perf_counter() - begin,
            "s of processor to start": processor_seconds(pid),
        }
        for protocol, url in sorted(urls.items()):
            found |= requests(pid, url, protocol, count)
        found["MiB"] = memory_mib(pid)
    return found


def requests(pid, url, protocol, count):
    """Processor milliseconds of a request for one picture."""
    from keras_sagan.serving import Client

    with Client(url, timeout=120) as client:
        for seed in range(20):
            client.generate(labels=[3], seed=seed)
        before = processor_seconds(pid), time.process_time()
        for seed in range(count):
            client.generate(labels=[seed % 10], seed=seed)
        after = processor_seconds(pid), time.process_time()
    server, ours = (1000 * (b - a) / count for a, b in zip(before, after, strict=True))
    return {f"ms, {protocol}, server": server, f"ms, {protocol}, client": ours}


def processor_seconds(pid):
    """Processor time of a process and its descendants so far."""
    ticks = 0
    for process in tree(pid):
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))  # of itself and of what has ended
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mib(pid):
    """Resident memory of a process and its descendants."""
    pages = [int((x / "statm").read_text().split()[1]) for x in tree(pid)]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def tree(pid):
    """Folders in `/proc` of a process and its descendants."""
    process = pathlib.Path(f"/proc/{pid}")
    yield process
    for children in process.glob("task/*/children"):
        for child in children.read_text().split():
            yield from tree(child)


def table(rounds):
    """Markdown, with a row for every figure of every server."""
    lines = ["| server | what | median (smallest to largest) |", "|---|---|---|"]
    for name in rounds[0]:
        for what in rounds[0][name]:
            found = [one[name][what] for one in rounds]
            low, middle, high = np.percentile(found, [0, 50, 100])
            lines.append(
                f"| {name} | {what} | {middle:.2f} ({low:.2f} to {high:.2f}) |"
            )
    return "\n".join(lines)


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--requests", type=int, default=300, metavar="N", help="by each protocol"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
