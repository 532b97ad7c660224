"""Where the tables of a benchmark go: to the screen, and into its page of results."""

import datetime
import importlib.metadata
import pathlib
import shlex
import sys

FOLDER = pathlib.Path(__file__).parents[2] / "docs" / "results"
_PACKAGES = ("tensorflow", "keras", "torch")


def add_arguments(parser):
    """`parser` with the arguments that every benchmark of contenders has."""
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--append", action="store_true", help="add the table to docs/results/"
    )
    return parser


def peer_name(mode):
    """How a mode of StudioGAN is called in the tables."""
    return f"StudioGAN, {mode.replace('+', ', ')}"


def publish(text, options, file=None):
    """Prints Markdown; with `options.append` puts it on top of a page of results too.

    Args:
        text: str. Markdown.
        options: of the command line.
        file: path. The page; that of the program that runs where it is None.
    """
    print(text)
    if options.append:
        file = file or FOLDER / f"{pathlib.Path(sys.argv[0]).stem}.md"
        page = file.read_text(encoding="utf-8")
        introduction, mark, earlier = page.partition("\n## ")
        latest = section(text, sys.argv)
        file.write_text(f"{introduction}{latest}{mark}{earlier}", encoding="utf-8")


def conclude(text, goals, options, file=None):
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
    """A section of a page of results: when, with what and how to ask again.

    Args:
        text: str. Markdown.
        arguments: list of str. The command line.
    """
    script = pathlib.Path(arguments[0])
    command = shlex.join(["python", f"benchmarks/{script.name}", *arguments[1:]])
    today = datetime.date.today().isoformat()
    return f"\n## {today}\n\n{versions()}.\n\n    {command}\n\n{text}\n"


def versions():
    """Versions of the packages that are installed: str."""
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)
