"""What does a training step cost with batch, image size, attention and replicas?

    python benchmarks/scaling.py
    python benchmarks/scaling.py --base-filters 64 --rounds 5 --append

Milliseconds and images/s of one update of D and of G, and the peak memory of the
process, while one thing changes: images a step, pixels, the place of attention (at 32
of 32 pixels in G only: no block of D has that size), or replicas of one global batch.
The contenders are processes of their own that take turns; the table has the medians of
their turns, and the cost of an image relative to the first row of each group. Small
networks unless told otherwise: minutes, not hours.

Replicas are logical devices of one processor, which share its threads: the column shows
what splitting a step costs (smaller batches, sums of gradients, one more graph), not
what more devices gain; for that see `benchmarks/distribution.py` (processes) and
`benchmarks/scaling_model.py` (a wire). Prints Markdown; `--append` adds it to
docs/results/.
"""

import argparse
import sys

from contenders.results import add_arguments, publish
from contenders.turns import measure

SECONDS = 1  # of a turn
DEFAULT = {"image_size": 32, "batch": 32, "attention": 16, "replicas": 1}
GROUPS = {
    "batch": (8, 32, 128),
    "image_size": (32, 64, 128),
    "attention": (0, 8, 16, 32),
    "replicas": (1, 2, 4),
}
NAMES = {
    "batch": "images a step",
    "image_size": "pixels",
    "attention": "attention at (0: none)",
    "replicas": "logical replicas",
}


def main():
    """Measure, print."""
    options = parse()
    lines = [
        f"{options.base_filters} base filters, {options.dtype}, {options.threads} "
        f"threads, {options.rounds} turns; {DEFAULT['image_size']} px, batch "
        f"{DEFAULT['batch']} and attention at {DEFAULT['attention']} unless stated",
        "",
        "| what changes | | ms | images/s | cost of an image | peak memory, MiB |",
        "|---|---|---|---|---|---|",
    ]
    for group in options.groups:
        lines += measured(group, options)
    publish("\n".join(lines), options)


def parse():
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-filters", type=int, default=8)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--groups", nargs="+", default=[*GROUPS], choices=GROUPS)
    return add_arguments(parser).parse_args()


def measured(group, options):
    """Markdown rows of one group."""
    wanted = {}
    for value in GROUPS[group]:
        setting = {**DEFAULT, group: value}
        if group == "image_size":
            setting["attention"] = min(32, value // 2)
        arguments = ["--base-filters", options.base_filters, "--dtype", options.dtype]
        for name, number in setting.items():
            arguments += [f"--{name.replace('_', '-')}", number]
        wanted[value] = ("scaled_step.py", arguments)
    contenders = measure(wanted, options, SECONDS)
    rates = {}
    for value, contender in contenders.items():
        batch = value if group == "batch" else DEFAULT["batch"]
        rates[value] = batch / contender.median
    first = rates[GROUPS[group][0]]
    return [
        f"| {NAMES[group]} | {value} | {1e3 * contender.median:.1f} "
        f"| {rates[value]:.1f} | {first / rates[value]:.2f} "
        f"| {contender.memory_mib:,.0f} |"
        for value, contender in contenders.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
