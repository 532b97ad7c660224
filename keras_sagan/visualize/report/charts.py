"""Draws line charts as SVG, and tables of the same numbers, without scripts."""

import dataclasses
import html
import math

import numpy as np

MOST_POINTS, MOST_ROWS = 300, 40

_WIDTH, _HEIGHT = 640, 280
# Margins, with room for numbers such as -1e+04 in the font size of phones (report.css).
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 16, 32, 48
_STYLES = 6  # number of CSS classes c0, c1, ... of the page
_DASHES = ("", "6 3", "2 3", "8 3 2 3")


@dataclasses.dataclass(frozen=True)
class Series:
    """A line of a chart, with values at steps and optionally a band of uncertainty.

    Args:
        name: str.
        steps: sequence of int.
        values: sequence of float. Values that are not finite are left out.
        low, high: sequences of float with the limits of the band, or `None`.
    """

    name: str
    steps: object
    values: object
    low: object = None
    high: object = None

    def columns(self):
        """Returns the finite steps, values and limits: float64 array `(n, 2 or 4)`."""
        parts = [self.steps, self.values]
        if self.low is not None:
            parts += [self.low, self.high]
        array = np.array(parts, np.float64).T.reshape(-1, len(parts))
        return array[np.isfinite(array).all(axis=1)]


def line_chart(series, title, y_name):
    """Draws lines against steps.

    Args:
        series: list of `Series`, each with at least one finite value.
        title: str. It is part of the text that screen readers read out, together with
            a description of the lines.
        y_name: str. Name of the vertical axis.

    Returns: str. An `<svg>` element.
    """
    data = [_thinned(line.columns(), MOST_POINTS) for line in series]
    low, high = _range(data)
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{html.escape(f"{title}. {describe(series)}", quote=True)}">',
        *_grid(low, high, y_name),
    ]
    for index, points in enumerate(data):
        places = [_place(step, value, low, high) for step, value in points[:, :2]]
        style = f'class="c{index % _STYLES}"'
        dash = _DASHES[index // _STYLES % len(_DASHES)]
        if points.shape[1] == 4:
            upper = [_place(row[0], row[3], low, high) for row in points]
            lower = [_place(row[0], row[2], low, high) for row in points[::-1]]
            parts.append(f'<polygon {style} points="{_join(upper + lower)}"/>')
        if len(places) == 1:
            x, y = places[0]
            parts.append(f'<circle {style} cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<polyline {style}{dashed} points="{_join(places)}"/>')
    return "".join([*parts, "</svg>"])


def legend(series):
    """Returns the names of the lines with a sample of each: a `<ul>` element."""
    items = []
    for index, line in enumerate(series):
        dash = _DASHES[index // _STYLES % len(_DASHES)]
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        items.append(
            '<li><svg viewBox="0 0 24 8" aria-hidden="true"><polyline '
            f'class="c{index % _STYLES}"{dashed} points="0,4 24,4"/></svg>'
            f"{html.escape(line.name)}</li>"
        )
    return f'<ul class="legend">{"".join(items)}</ul>'


def data_table(series, caption):
    """Returns the numbers of a chart at no more than `MOST_ROWS` steps: `<table>`."""
    rows, columns = {}, []
    for line in series:
        array = line.columns()
        columns.append(line.name)
        if array.shape[1] == 4:
            columns += [f"{line.name}, low", f"{line.name}, high"]
        for step, *values in array:
            rows.setdefault(int(step), {}).update(
                zip(columns[-len(values) :], values, strict=True)
            )
    steps = sorted(rows)
    if len(steps) > MOST_ROWS:
        picked = np.linspace(0, len(steps) - 1, MOST_ROWS).round().astype(int)
        caption += f" ({MOST_ROWS} of {len(steps)} rows)"
        steps = [steps[i] for i in picked]
    body = [
        [f"{step:,}", *(number(rows[step].get(name)) for name in columns)]
        for step in steps
    ]
    return table(["step", *columns], body, caption)


def table(heads, rows, caption):
    """Returns a `<table>` element, with escaped texts and headers in column one."""
    head = "".join(f'<th scope="col">{html.escape(str(x))}</th>' for x in heads)
    body = []
    for first, *others in rows:
        cells = "".join(f"<td>{html.escape(str(x))}</td>" for x in others)
        body.append(f'<tr><th scope="row">{html.escape(str(first))}</th>{cells}</tr>')
    return (
        f'<div class="wide" tabindex="0" role="region" '
        f'aria-label="{html.escape(caption, quote=True)}"><table>'
        f"<caption>{html.escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def details(content, name="Data table"):
    """Returns a `<details>` element, which a reader can open."""
    return f"<details><summary>{html.escape(name)}</summary>{content}</details>"


def describe(series):
    """Describes in words where each line begins and ends, and its extremes."""
    texts = []
    for line in series:
        array = line.columns()
        steps, values = array[:, 0], array[:, 1]
        texts.append(
            f"{line.name}: from {number(values[0])} at step {int(steps[0]):,} to "
            f"{number(values[-1])} at step {int(steps[-1]):,}, lowest "
            f"{number(values.min())}, highest {number(values.max())}"
        )
    return "; ".join(texts) + "."


def number(value):
    """Returns a number as a short text, and `"-"` for `None`."""
    return "-" if value is None else f"{value:.4g}"


def _thinned(points, most):
    """Reduces points to at most `most` means over neighbouring points."""
    if len(points) <= most:
        return points
    return np.stack([part.mean(axis=0) for part in np.array_split(points, most)])


def _range(data):
    points = np.concatenate([x[:, :2] for x in data])
    values = np.concatenate([x[:, 1:].ravel() for x in data])
    room = 0.05 * (values.max() - values.min()) or max(abs(values.max()) * 0.05, 0.05)
    first, last = points[:, 0].min(), points[:, 0].max()
    return (first, values.min() - room), (max(last, first + 1), values.max() + room)


def _place(step, value, low, high):
    x = _LEFT + (step - low[0]) / (high[0] - low[0]) * (_WIDTH - _LEFT - _RIGHT)
    share = (value - low[1]) / (high[1] - low[1])
    return x, _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _grid(low, high, y_name):
    parts, bottom = [], _HEIGHT - _BOTTOM
    for value in _ticks(low[1], high[1]):
        y = _place(low[0], value, low, high)[1]
        parts.append(
            f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{number(value)}</text>"
        )
    for value in _ticks(low[0], high[0], least=1):
        x = _place(value, low[1], low, high)[0]
        at_end = x > _WIDTH - _RIGHT - 40  # a centred text would be cut off
        place = _WIDTH - 2 if at_end else x
        parts.append(
            f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>'
            f'<text x="{place:.1f}" y="{bottom + 20}" '
            f'text-anchor="{"end" if at_end else "middle"}">{value:,.0f}</text>'
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return [
        *parts,
        f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">step</text>',
        f'<text x="2" y="20">{html.escape(y_name)}</text>',
    ]


def _ticks(low, high, least=0):
    """Returns about five round numbers in [low, high], at least `least` apart."""
    step = 10 ** math.floor(math.log10((high - low) / 4))
    for factor in (1, 2, 5, 10):
        if (high - low) / (step * factor) <= 6:
            step *= factor
            break
    step = max(step, least)
    first = math.ceil(low / step)
    return [i * step for i in range(first, math.floor(high / step) + 1)]


def _join(places):
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
