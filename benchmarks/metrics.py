"""How fast are the metrics, beside the tools that they are compared with?

    python benchmarks/metrics.py              # everything, about 15 minutes on 2 cores
    python benchmarks/metrics.py features --images 128
    python benchmarks/metrics.py frechet --count 50000 --dimensions 2048
    python benchmarks/metrics.py prdc --count 10000 --dimensions 2048
    python benchmarks/metrics.py large --dimensions 1024 --only fid mind

Needs the extra `test`. Every comparison takes turns (ours, theirs, ours, ...) so that
both meet the same machine; the ratio of the medians is printed, with the processor
time of both, which depends less on what else runs. Results are checked to be equal.
"""

import argparse
import contextlib
import importlib
import io
import multiprocessing
import os
import resource
import statistics
import sys
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from keras_sagan.metrics import (
    Moments,
    frechet_distance,
    kernel_distance,
    monge_distance,
    precision_recall_density_coverage,
    rbf_distance,
    vendi_score,
)
from keras_sagan.metrics.extractors import inception

_EACH = ("features", "frechet", "distance", "prdc", "large")


def main():
    """Run the benchmarks that were asked for."""
    args = _parse()
    for name in args.what or _EACH[:-1]:
        globals()[name](args)


def features(args):
    """Images a second of the FID network: TensorFlow here, PyTorch there."""
    import tensorflow as tf
    import torch

    theirs = _torch_network()
    model = inception.build()
    arrays = {name: x.numpy() for name, x in theirs.state_dict().items()}
    inception.set_weights(model, arrays)

    @tf.function
    def function(x):
        x = tf.raw_ops.ResizeBilinear(images=x, size=[299, 299])
        return model((x - 128) / 128, training=False)["pool3"]

    shape = (args.batch_size, 32, 32, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    ours_input = tf.constant(images)
    theirs_input = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())

    def run_theirs():
        with torch.no_grad():
            return theirs(theirs_input)[0].numpy()

    rounds = max(1, args.images // args.batch_size)
    run = {"ours": lambda: function(ours_input).numpy(), "torch-fidelity": run_theirs}
    found = _take_turns(run, rounds)
    a, b = (found[name].result for name in run)
    _report("Inception features", found, args.batch_size, "images")
    print(f"  largest difference / largest feature: {abs(a - b).max() / b.max():.1e}")


def frechet(args):
    """The Frechet distance from float32 features, as extractors give them."""
    operators = torchvision_operators()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cleanfid.fid import fid_from_feats

    generator = np.random.default_rng(0)
    mixing = generator.normal(size=(args.dimensions,) * 2) / np.sqrt(args.dimensions)
    mixing = mixing.astype(np.float32)
    real, fake = (
        np.maximum(
            generator.standard_normal((args.count, args.dimensions), np.float32)
            @ mixing + np.float32(shift), 0,
        )
        for shift in (0.4, 0.5)
    )  # fmt: skip

    def theirs():
        """NumPy's `cov` in float64 and SciPy's `sqrtm`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return fid_from_feats(real, fake)

    run = {"ours": lambda: frechet_distance(real, fake), "clean-fid": theirs}
    found = _take_turns(run, args.rounds)
    what = f"Frechet distance, 2 x {args.count} x {args.dimensions}"
    _report(what, found)
    a, b = (found[name].result for name in run)
    exact = frechet_distance(Moments.of(real), Moments.of(fake))
    print(f"  {a:.9g} and {b:.9g}: relative difference {abs(a - b) / b:.1e}")
    print(f"  in float64 {exact:.9g}: relative difference {abs(a - exact) / exact:.1e}")
    del operators


def distance(args):
    """The Frechet distance from moments that are there: of a callback, or a file."""
    import scipy.linalg

    generator = np.random.default_rng(0)
    real, fake = (
        Moments.of(
            np.maximum(
                generator.standard_normal((3 * args.dimensions, args.dimensions))
                + shift, 0,
            )
        )
        for shift in (0.4, 0.5)
    )  # fmt: skip
    s1, s2, d = real.covariance, fake.covariance, real.mean - fake.mean

    def usual():
        root = scipy.linalg.sqrtm(s1.dot(s2))
        return d.dot(d) + np.trace(s1) + np.trace(s2) - 2 * np.trace(root.real)

    run = {"ours": lambda: frechet_distance(real, fake), "sqrtm": usual}
    found = _take_turns(run, args.rounds)
    _report(f"Frechet distance of moments, {args.dimensions} dimensions", found)
    a, b = (found[name].result for name in run)
    print(f"  {a:.9g} and {b:.9g}: relative difference {abs(a - b) / b:.1e}")


def prdc(args):
    """Precision, recall, density, coverage; and the memory that they take."""
    from prdc import compute_prdc

    count = min(args.count, 10000)
    generator = np.random.default_rng(0)
    low = generator.standard_normal((2, count, 32), np.float32)
    mixing = generator.standard_normal((32, args.dimensions), np.float32)
    real, fake = low @ mixing
    fake = 0.9 * fake + 0.5
    before = _peak()
    precision_recall_density_coverage(real, fake)
    ours = _peak() - before

    def theirs():
        with contextlib.redirect_stdout(io.StringIO()):
            return compute_prdc(real, fake, 5)

    run = {
        "ours": lambda: precision_recall_density_coverage(real, fake),
        "prdc": theirs,
    }
    found = _take_turns(run, args.rounds)
    _report(f"PRDC, 2 x {count} x {args.dimensions}", found)
    print(f"  memory above the features: ours {ours} MiB, then {_peak() - before} MiB")
    a, b = (found[name].result for name in run)
    print(f"  ours {a}\n  prdc { {name: float(b[name]) for name in a} }")


def large(args):
    """Time and memory of each score on large sets, each in a process of its own."""
    print(f"2 x {args.count} x {args.dimensions} float32")
    for name in args.only or _LARGE:
        for who, function in zip(("ours", "theirs"), _LARGE[name], strict=True):
            if function is None:
                continue
            reader, writer = multiprocessing.Pipe(False)
            process = multiprocessing.Process(
                target=_alone, args=(function, args.count, args.dimensions, writer)
            )
            process.start()
            print(f"  {name}, {who}: {reader.recv()}", flush=True)
            process.join()


def _alone(function, count, dimensions, writer):
    """Sends a line about one score on features that are made here."""
    generator = np.random.default_rng(0)
    mixing = generator.standard_normal((dimensions, dimensions), np.float32)
    mixing /= np.float32(np.sqrt(dimensions))
    sets = []
    for shift in (0.4, 0.5):
        x = np.empty((count, dimensions), np.float32)
        for start in range(0, count, 1000):  # no second array of this size
            part = generator.standard_normal((min(1000, count - start), dimensions))
            x[start : start + 1000] = np.maximum(part @ mixing + shift, 0)
        sets.append(x)
    # What needs more than there is fails here, and nothing else is killed for it.
    limit = _kilobytes("/proc/self/status", "VmSize") + _kilobytes(
        "/proc/meminfo", "MemAvailable"
    )
    resource.setrlimit(resource.RLIMIT_AS, (limit * 1024, limit * 1024))
    before, processor, wall = _peak(), time.process_time(), time.perf_counter()
    try:
        value = f"{float(function(*sets)):.9g}"
    except MemoryError as error:
        value = f"does not fit ({error})"
    writer.send(
        f"{value}; processor {time.process_time() - processor:.1f} s, wall "
        f"{time.perf_counter() - wall:.1f} s; largest memory {_peak()} MiB, {before} "
        "MiB of it before"
    )


def _kilobytes(path, name):
    with open(path) as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


def _their_frechet(real, fake):
    operators = torchvision_operators()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cleanfid.fid import fid_from_feats

        value = fid_from_feats(real, fake)
    del operators
    return value


def _their_kernel(real, fake):
    import torch

    operators = torchvision_operators()
    from torch_fidelity.metric_kid import kid_features_to_metric

    found = kid_features_to_metric(*map(torch.from_numpy, (fake, real)), verbose=False)
    del operators
    return found["kernel_inception_distance_mean"]


def _their_neighbours(real, fake):
    from prdc import compute_prdc

    with contextlib.redirect_stdout(io.StringIO()):
        return compute_prdc(real, fake, 5)["recall"]


def _their_mind(real, fake):
    """The formula with PyTorch, all projections at once, as torch-fidelity has it."""
    import torch

    u = torch.randn(1000, real.shape[1], generator=torch.Generator().manual_seed(0))
    u /= u.norm(dim=1, keepdim=True)
    a, b = ((torch.from_numpy(x) @ u.T).sort(dim=0)[0] for x in (real, fake))
    return 3 * real.shape[1] * ((a - b) ** 2).mean()


def _their_vendi(real, fake):
    from sklearn.preprocessing import normalize
    from vendi_score.vendi import score_dual

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return score_dual(normalize(fake))


_LARGE = {
    "fid": (frechet_distance, _their_frechet),
    "kid": (lambda *sets: kernel_distance(*sets).mean, _their_kernel),
    "mind": (monge_distance, _their_mind),
    "vendi": (lambda real, fake: vendi_score(fake), _their_vendi),
    "prdc": (
        lambda *sets: precision_recall_density_coverage(*sets)["recall"],
        _their_neighbours,
    ),
    "rbf": (rbf_distance, None),  # scikit-learn's makes the whole matrix
}


class _Times:
    """Wall and processor time of every call, and the last result."""

    def __init__(self):
        self.wall, self.processor, self.result = [], [], None

    def call(self, function):
        wall, processor = time.perf_counter(), time.process_time()
        self.result = function()
        self.wall.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)


def _take_turns(functions, rounds):
    times = {name: _Times() for name in functions}
    if rounds > 1:
        for function in functions.values():
            function()  # warm: traced, compiled, allocated
    for _ in range(rounds):
        for name, function in functions.items():
            times[name].call(function)
    return times


def _report(what, times, amount=1, unit="run"):
    print(f"{what} ({len(next(iter(times.values())).wall)} turns)")
    for name, found in times.items():
        wall, cpu = (statistics.median(x) for x in (found.wall, found.processor))
        rate = f"; {amount / wall:.2f} {unit}/s" if amount > 1 else ""
        print(f"  {name}: {wall:.2f} s, processor {cpu:.2f} s{rate}")
    ours, theirs = times.values()
    for kind in ("wall", "processor"):
        a, b = (statistics.median(getattr(x, kind)) for x in (theirs, ours))
        print(f"  ratio ({kind}): {a / b:.2f}")


def _torch_network():
    """torch-fidelity's network with its random initial weights."""
    operators = torchvision_operators()
    from torch_fidelity import feature_extractor_inceptionv3 as module

    module.load_state_dict_from_url = lambda *args, **kwargs: {}
    network = module.FeatureExtractorInceptionV3
    load, network.load_state_dict = network.load_state_dict, lambda self, state: None
    made = network("random", ["2048"])
    network.load_state_dict = load
    made.operators = operators
    return made


def torchvision_operators():
    """Makes torchvision importable where its binary part does not fit a CPU torch.

    Returns what must be kept alive: declarations end with their library.
    """
    try:
        importlib.import_module("torchvision")
        return None
    except RuntimeError:  # operator torchvision::nms does not exist
        for name in [x for x in sys.modules if x.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
    from torch import library as torch_library

    operators = torch_library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        operators.define(
            f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        )
    return operators


def _peak():
    """Largest memory of the process so far in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", choices=(*_EACH, []))
    parser.add_argument(
        "--only", nargs="*", choices=_LARGE, help="of large: some of the scores"
    )
    parser.add_argument("--count", type=int, default=50000, metavar="IMAGES")
    parser.add_argument("--dimensions", type=int, default=2048)
    parser.add_argument("--images", type=int, default=160)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
