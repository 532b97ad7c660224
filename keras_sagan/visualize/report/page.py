"""Builds the report of a run, a single HTML file that needs nothing else."""

import dataclasses
import html
import importlib.resources

from keras_sagan.visualize.report import charts, figures

_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


@dataclasses.dataclass(frozen=True)
class Extras:
    """What a report shows in addition to the files of a run.

    Args:
        findings: list of `diagnosis.Finding`.
        differences: list of `(setting, value in the preset, value in the run)`, or
            `None` if the preset is unknown.
        views: list of `(caption, attention.View, points)`.
        no_views: str. Why there are no `views`.
        results: list of `(name, dict)` with results of `keras-sagan evaluate --json`.
        unchecked: list of str. What could not be checked, and why.
    """

    findings: list
    differences: list | None = None
    views: list = dataclasses.field(default_factory=list)
    no_views: str = ""
    results: list = dataclasses.field(default_factory=list)
    unchecked: list = dataclasses.field(default_factory=list)


def build_report(run, extras):
    """Builds the page of a report.

    Args:
        run: object with the attributes `name`, `config`, `facts`, `rows`, `samples` and
            `scores` of `runs.reading.RunFiles`, that is, what the run has written.
        extras: `Extras`.

    Returns: str. An HTML document that refers to nothing outside itself.
    """
    title = f"{run.name}: {run.config.get('preset', 'run')}"
    sections = [
        _findings(extras.findings, extras.unchecked),
        _summary_section(run),
        figures.samples(run),
        *figures.curves(run.rows),
        figures.scores(run.scores, extras.results),
        figures.attention(extras.views, extras.no_views),
        _settings(run, extras.differences),
        _data_section(run.facts.get("data")),
        _machine(run),
    ]
    names = [name for name, _ in sections]
    links = "".join(f'<li><a href="#{_id(x)}">{html.escape(x)}</a></li>' for x in names)
    body = "".join(
        f'<section id="{_id(name)}"><h2>{html.escape(name)}</h2>{content}</section>'
        for name, content in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{html.escape(title)}</title><style>{_resource('report.css')}</style>"
        f"</head><body><header><h1>{html.escape(title)}</h1></header>"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav><main>{body}</main>'
        f"<script>{_resource('report.js')}</script></body></html>\n"
    )


def _findings(findings, unchecked):
    items = "".join(
        f"<li><strong>{html.escape(x.name)}.</strong> {html.escape(x.text)}</li>"
        for x in findings
    )
    found = "<p>None of the problems that this report checks for.</p>"
    if items:
        found = f'<ul class="findings">{items}</ul>'
    if unchecked:
        found += f"<p>Not checked: {html.escape('; '.join(unchecked))}.</p>"
    return "What looks wrong", found


def _summary_section(run):
    if not run.rows:
        return "Summary", "<p>The run has no rows of metrics yet.</p>"
    last, training = run.rows[-1], run.config["training"]
    speeds = [x["images_per_second"] for x in run.rows if "images_per_second" in x]
    facts = [
        ("steps", f"{last['step']:,} of at most {training.get('steps', 0):,}"),
        ("time", f"{last.get('seconds', 0) / 60:.1f} minutes"),
        ("speed", _speed(speeds)),
        ("loss", training.get("loss", "-")),
        ("data", run.config.get("data", {}).get("dataset", "-")),
    ]
    return "Summary", charts.table(["", "value"], facts, "The run in short")


def _speed(speeds):
    if not speeds:
        return "-"
    return f"{sorted(speeds)[len(speeds) // 2]:.0f} images per second (median)"


def _settings(run, differences):
    parts = []
    if differences is None:
        parts.append("<p>This version does not know the preset.</p>")
    elif not differences:
        parts.append("<p>All settings are those of the preset.</p>")
    else:
        heads = ["setting", "preset", "this run"]
        parts.append(charts.table(heads, differences, "Differences from the preset"))
    rows = [
        (f"{section}.{name}", str(value))
        for section, values in run.config.items()
        if isinstance(values, dict)
        for name, value in values.items()
    ]
    everything = charts.table(["setting", "value"], rows, "All settings")
    return "Configuration", "".join(parts) + charts.details(everything, "All settings")


def _data_section(data):
    if not data:
        return "Data", "<p>Not recorded, because an older version made the run.</p>"
    counts, names = data.get("class_counts"), data.get("class_names")
    rows = [
        (name.replace("_", " "), data[name])
        for name in ("name", "split", "images", "image_size", "channels")
    ]
    diversity = f"{data['diversity']:.1f} grey levels"
    rows.append(("difference between images of a class", diversity))
    parts = [charts.table(["", "value"], rows, "The training data")]
    if counts:
        names = names or range(len(counts))
        rows = [(str(n), f"{c:,}") for n, c in zip(names, counts, strict=True)]
        heads = ["class", "images"]
        parts.append(
            charts.details(charts.table(heads, rows, "Images of each class"), "Classes")
        )
    return "Data", "".join(parts)


def _machine(run):
    machine = run.facts.get("machine") or {}
    rows = [(name, str(value)) for name, value in machine.items()]
    rows += list(run.config.get("versions", {}).items())
    note = "" if machine else "<p>That version did not record the machine.</p>"
    return "Machine", note + charts.table(["", "value"], rows, "Machine and versions")


def _id(name):
    return name.lower().replace(" ", "-").replace(",", "")


def _resource(name):
    return importlib.resources.files(__package__).joinpath(name).read_text("utf-8")
