"""A log of runs that may be killed: JSON lines that are added and read again."""

import json


def read_rows(path):
    """The dicts of a log; a line that was cut off is left out."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def append_row(path, row):
    """Add a line, also after one that was cut off."""
    before = path.read_text() if path.exists() else ""
    with path.open("a") as file:
        file.write("\n" * (bool(before) and not before.endswith("\n")))
        file.write(json.dumps(row) + "\n")
