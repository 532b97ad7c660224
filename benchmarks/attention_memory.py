"""What does attention cost, whole and in chunks of queries?

    python benchmarks/attention_memory.py
    python benchmarks/attention_memory.py --positions 16384 --check

Forward and backward pass of the attention of N positions over N (no pooling) or N / 4
(pooled, as in the released code) keys, batch 2, 32 channels of queries and keys, 128 of
values, as in a layer of 256 channels. Every row is the median of some calls in a
process of its own, and the most memory that it took beyond its inputs and results.
"Whole" keeps all scores, "auto" is what the layer chooses by itself. Prints Markdown.
"""

import argparse
import sys

from contenders.turns import measure

from keras_sagan.layers.attention import automatic_chunk_size

POSITIONS = (1024, 4096, 16384, 65536)
WHOLE_LIMIT = 2**27  # scores an image that "whole" is tried with: 0.5 GiB
MOST_SCORES = 2**30  # an image: more takes minutes a step
SECONDS = 2


def main():
    """Measure, print, check."""
    options = parse()
    print(f"batch 2, {options.dtype}, {options.threads} threads\n")
    print("| positions | keys | form | ms | of whole | memory, MiB |")
    print("|---|---|---|---|---|---|")
    missed = []
    for positions in options.positions:
        for keys in (positions, positions // 4):
            if positions * keys <= MOST_SCORES:
                missed += row(positions, keys, options)
    for line in missed:
        print(f"MISSED: {line}")
    return int(options.check and bool(missed))


def parse():
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--positions", type=int, nargs="+", default=POSITIONS)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    return parser.parse_args()


def row(positions, keys, options):
    """Measures and prints the forms for one size; yields what misses a target."""
    forms = ["whole", "auto"] if positions * keys <= WHOLE_LIMIT else ["auto"]
    if automatic_chunk_size(positions, keys) is None:
        forms = ["whole"]  # is what "auto" chooses
    size = ["--positions", positions, "--keys", keys, "--dtype", options.dtype]
    wanted = {form: ("attention.py", [*size, "--form", form]) for form in forms}
    contenders = measure(wanted, options, SECONDS)
    for form, contender in contenders.items():
        ratio = contender.median / contenders[forms[0]].median
        cell = f"{ratio:.2f}" if "whole" in forms else ""
        memory = contender.memory_mib - contender.facts["before_mib"]
        print(
            f"| {positions:,} | {keys:,} | {form} | {1e3 * contender.median:.1f} "
            f"| {cell} | {memory:,.0f} |",
            flush=True,
        )
        limit = {16384: 100, 65536: 2048}.get(positions)
        if form == "auto" and keys < positions and limit and memory > limit:
            yield f"{positions} positions: {memory:.0f} MiB > {limit}"
        if form == "auto" and ratio > 1.05:
            yield f"{positions} positions, {keys} keys: {ratio:.2f} of whole > 1.05"


if __name__ == "__main__":
    sys.exit(main())
