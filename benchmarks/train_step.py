"""How fast is a training step, against other implementations and against the machine?

    python benchmarks/train_step.py                           # float32 and bfloat16
    python benchmarks/train_step.py --studiogan CHECKOUT --check
    python benchmarks/train_step.py --image-size 128 --batch 8 --studiogan CHECKOUT

One step is one update of D and one of G on `--batch` images, with spectral norm,
conditional batch norm, attention, two Adams and the moving average of G. The
contenders are processes of their own that take turns; the table has the median of
their turns. "Of the roofline" is the share of the rate of the best 3x3 convolution or
matrix product, measured in the same turns and type, that the operations of the model
(`contenders/flops.py`) make. `--studiogan` takes a checkout of PyTorch-StudioGAN.
Where the processor has no bfloat16 of its own, nobody competes in it.
Prints Markdown; `--append` adds it to docs/results/; `--check` exits with 1 when a
target is missed.
"""

import argparse
import sys

from contenders.results import add_arguments, conclude, peer_name
from contenders.turns import measure

from keras_sagan.config.presets import computes_in_bfloat16

OURS = {"float32": "keras_sagan, float32", "bfloat16": "keras_sagan, mixed_bfloat16"}
RATES = {"float32": "roofline, float32", "bfloat16": "roofline, bfloat16"}
NAIVE = "naive Keras, float32"
PEER_MODES = ("eager", "channels_last", "bfloat16", "channels_last+bfloat16")
SECONDS = 6  # of a turn


def main():
    """Measure, print, check."""
    options = parse()
    half = computes_in_bfloat16()
    contenders = measure(wanted(options, half), options, SECONDS)
    return conclude(table(contenders, options), targets(contenders, options), options)


def parse():
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image-size", type=int, default=32, choices=(32, 64, 128))
    parser.add_argument("--base-filters", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--studiogan", metavar="CHECKOUT")
    parser.add_argument("--compile", action="store_true", help="torch.compile too")
    parser.add_argument("--no-naive", action="store_true")
    parser.add_argument("--check", action="store_true")
    return add_arguments(parser).parse_args()


def wanted(options, half):
    """Dict from name to program and arguments; bfloat16 with `half` alone."""
    shared = ["--image-size", options.image_size, "--batch", options.batch]
    shared += ["--base-filters", options.base_filters]
    found = {
        OURS["float32"]: ("ours.py", shared),
        OURS["bfloat16"]: ("ours.py", [*shared, "--dtype", "mixed_bfloat16"]),
        RATES["float32"]: ("rates.py", []),
        RATES["bfloat16"]: ("rates.py", ["--dtype", "bfloat16"]),
    }
    if options.image_size == 32 and not options.no_naive:
        found[NAIVE] = ("naive.py", shared)
    if options.studiogan:
        modes = PEER_MODES + (("compile", "compile+bfloat16") * options.compile)
        for mode in modes:
            peer = [*shared, "--source", options.studiogan, "--mode", mode]
            found[peer_name(mode)] = ("studiogan.py", peer)
    return {name: found[name] for name in found if half or "bfloat16" not in name}


def table(contenders, options):
    """Markdown: a row a contender."""
    baseline = contenders[OURS["float32"]].median
    lines = [
        f"{options.image_size} px, {options.base_filters} base filters, batch "
        f"{options.batch}, {options.threads} threads, {options.rounds} turns",
        "",
        "| step | images/s | smallest, largest | of ours, float32 | GFLOP/s | "
        "of the roofline | peak memory, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, contender in contenders.items():
        if name not in RATES.values():
            rates = sorted(options.batch / s for s in contender.seconds)
            spread = f"{rates[0]:.1f}, {rates[-1]:.1f}"
            median = options.batch / contender.median
            lines.append(
                f"| {name} | {median:.1f} | {spread} "
                f"| {baseline / contender.median:.2f} "
                f"| {share_cells(name, contenders)} | {contender.memory_mib:,.0f} |"
            )
    for dtype, name in RATES.items():
        if name not in contenders:
            lines.append(f"\nNo {dtype}: this processor would emulate it")
            continue
        facts = contenders[name].facts
        rate = facts["gflops"] / contenders[name].median
        lines.append(f"\nRoofline, {dtype}: {rate:.0f} GFLOP/s ({facts['name']})")
    return "\n".join(lines)


def share_cells(name, contenders):
    """GFLOP/s of a contender of ours and its share of the roofline."""
    for dtype, ours in OURS.items():
        if name == ours:
            rate = contenders[name].facts["gflops"] / contenders[name].median
            return f"{rate:.0f} | {roofline_share(dtype, contenders):.1%}"
    return "|"


def roofline_share(dtype, contenders):
    """Model operations a second of ours, over the best rate of the machine."""
    ours, best = contenders[OURS[dtype]], contenders[RATES[dtype]]
    rate = ours.facts["gflops"] / ours.median
    return rate / (best.facts["gflops"] / best.median)


def targets(contenders, options):
    """Dict from name to what was found and the least that it should be.

    Those of 32 px hold at 64 base filters. Memory is that of float32 on both sides.
    """
    seconds = {name: contender.median for name, contender in contenders.items()}
    at_32_px, full = options.image_size == 32, options.base_filters >= 64
    goals = {}
    if options.studiogan:
        peers = {peer_name(mode): "bfloat16" in mode for mode in PEER_MODES}
        best = min(seconds[name] for name in peers if name in seconds)
        ours = min(seconds[name] for name in OURS.values() if name in seconds)
        if at_32_px and full:
            goals |= _full_width_goals(seconds)
        else:
            goals["best against best"] = (best / ours, 3.0 if at_32_px else 2.0)
        least = min(contenders[n].memory_mib for n, half in peers.items() if not half)
        memory = contenders[OURS["float32"]].memory_mib
        goals["float32 memory of the peer over ours"] = (least / memory, 1.0)
    if at_32_px and full:
        share = roofline_share("float32", contenders)
        goals["share of the float32 roofline"] = (share, 0.75)
    return goals


def _full_width_goals(seconds):
    """Of 32 px at 64 base filters: what was found and the least that it should be."""
    eager, wide, autocast, both = (seconds.get(peer_name(m)) for m in PEER_MODES)
    ours, half = (seconds.get(name) for name in OURS.values())
    goals = {
        "float32 against eager": (eager / ours, 2.9),
        "float32 against the best float32": (min(eager, wide) / ours, 2.0),
    }
    if half:
        goals["bfloat16 against its autocast"] = (autocast / half, 2.6)
        goals["bfloat16 against its best bfloat16"] = (min(autocast, both) / half, 1.0)
    return goals


if __name__ == "__main__":
    sys.exit(main())
