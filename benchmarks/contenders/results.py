"""Where the tables of a benchmark go: to the screen, and into RESULTS.md."""

import datetime
import importlib.metadata
import pathlib
import shlex
import sys

FILE = pathlib.Path(__file__).parents[1] / "RESULTS.md"
_PACKAGES = ("tensorflow", "keras", "torch")


def add_arguments(parser):
    """`parser` with the arguments that every benchmark of contenders has."""
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--append", action="store_true", help="add the table to RESULTS.md"
    )
    return parser


def peer_name(mode):
    """How a mode of StudioGAN is called in the tables."""
    return f"StudioGAN, {mode.replace('+', ', ')}"


def publish(text, options, file=FILE):
    """Prints Markdown; with `options.append` adds it to `file` too."""
    print(text)
    if options.append:
        with pathlib.Path(file).open("a", encoding="utf-8") as results:
            results.write(section(text, sys.argv))


def conclude(text, goals, options, file=FILE):
    """Publishes a table and its targets. Returns the exit status.

    Args:
        text: str. Markdown.
        goals: dict from name to what was found and the least that it should be.
        options: of the command line; with `check` a missed target makes the status 1.
        file: see `publish`.
    """
    lines = [f"- {name}: {x:.2f} (target {goal})" for name, (x, goal) in goals.items()]
    publish("\n".join([text, "", *lines]), options, file)
    missed = [name for name, (found, goal) in goals.items() if found < goal]
    for name in missed:
        print(f"MISSED: {name}")
    return int(options.check and bool(missed))


def section(text, arguments):
    """A section of RESULTS.md: what was asked, when, with what and how to ask again.

    Args:
        text: str. Markdown.
        arguments: list of str. The command line.
    """
    script = pathlib.Path(arguments[0])
    question = sys.modules["__main__"].__doc__.splitlines()[0]
    command = shlex.join(["python", f"benchmarks/{script.name}", *arguments[1:]])
    today = datetime.date.today().isoformat()
    return f"\n## {question}\n\n{today}, {versions()}.\n\n    {command}\n\n{text}\n"


def versions():
    """Versions of the packages that are installed: str."""
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)
