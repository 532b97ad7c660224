"""How fast are images drawn: by `generate`, by an export, and by the peer?

    python benchmarks/generate.py
    python benchmarks/generate.py --studiogan CHECKOUT --check --append
    python benchmarks/generate.py --image-size 128 --base-filters 32 --batch 8

Images/s and milliseconds of a call at batch 1 and at `--batch`, of `SAGAN.generate`, of
the exported SavedModel's signature `generate` (through TensorFlow's C API, as Serving
does, and through `tf.saved_model.load`), all from seeds to uint8 pixels, and of
PyTorch-StudioGAN's generator in eval mode, from latents to float images, which is less
work. The contenders are processes of their own that take turns; the table has the
medians of their turns. `--studiogan` takes a checkout of PyTorch-StudioGAN. Weights are
random. Prints Markdown; `--append` adds it to docs/results/; `--check` exits with 1
when a target is missed: twice the images/s of the peer's best float32 mode at
`--batch`, and an export (C API) that is no slower than `generate`, up to 5 % of noise.
"""

import argparse
import sys

from contenders.results import add_arguments, conclude, peer_name
from contenders.turns import measure

GENERATE = "`SAGAN.generate`"
EXPORT = "SavedModel, C API"
FORMS = {
    GENERATE: "generate",
    EXPORT: "capi",
    "SavedModel, `tf.saved_model.load`": "loaded",
}
PEER_MODES = ("eager", "channels_last", "compile", "compile+channels_last")
SECONDS = 2  # of a turn
NOISE = 1.05


def main():
    """Measure, print, check."""
    options = parse()
    contenders = measure(wanted(options), options, SECONDS)
    goals = dict(targets(contenders, options))
    return conclude(table(contenders, options), goals, options)


def parse():
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image-size", type=int, default=32, choices=(32, 64, 128))
    parser.add_argument("--base-filters", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--studiogan", metavar="CHECKOUT")
    parser.add_argument("--no-compile", action="store_true", help="no torch.compile")
    parser.add_argument("--check", action="store_true")
    return add_arguments(parser).parse_args()


def wanted(options):
    """Dict from name and batch size to program and arguments."""
    shared = ["--image-size", options.image_size]
    shared += ["--base-filters", options.base_filters]
    forms = {name: ("generation.py", ["--form", form]) for name, form in FORMS.items()}
    if options.studiogan:
        source = ["--source", options.studiogan]
        for mode in PEER_MODES:
            if not (options.no_compile and "compile" in mode):
                arguments = [*source, "--mode", mode]
                forms[peer_name(mode)] = ("studiogan_generation.py", arguments)
    return {
        (name, batch): (program, [*shared, "--batch", batch, *more])
        for batch in (1, options.batch)
        for name, (program, more) in forms.items()
    }


def table(contenders, options):
    """Markdown: a row a contender."""
    batch = options.batch
    lines = [
        f"{options.image_size} px, {options.base_filters} base filters, "
        f"{options.threads} threads, {options.rounds} turns; smallest and largest in "
        "brackets",
        "",
        f"| float32 | batch 1, ms | images/s | batch {batch}, ms | images/s "
        f"| of `generate`'s images/s at {batch} | peak memory, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(name for name, _ in contenders):
        one, many = contenders[name, 1], contenders[name, batch]
        ratio = contenders[GENERATE, batch].median / many.median
        lines.append(
            f"| {name} | {cells(one, 1)} | {cells(many, batch)} | {ratio:.2f} "
            f"| {many.memory_mib:,.0f} |"
        )
    return "\n".join(lines)


def cells(contender, batch):
    """Milliseconds of a call, and images/s."""
    least, most = min(contender.seconds), max(contender.seconds)
    return (
        f"{1e3 * contender.median:.1f} ({1e3 * least:.1f} to {1e3 * most:.1f}) "
        f"| {batch / contender.median:.1f}"
    )


def targets(contenders, options):
    """Pairs of a name, and what was found and the least that it should be."""
    batch = options.batch
    peers = [c for (name, n), c in contenders.items() if "GAN," in name and n == batch]
    if peers:
        best = min(contender.median for contender in peers)
        ours = contenders[GENERATE, batch].median
        yield f"`generate` over the peer's best mode, batch {batch}", (best / ours, 2.0)
    for count in (1, batch):
        ratio = contenders[GENERATE, count].median / contenders[EXPORT, count].median
        name = f"{EXPORT}, over `generate`, batch {count}"
        yield name, (ratio, round(1 / NOISE, 3))


if __name__ == "__main__":
    sys.exit(main())
