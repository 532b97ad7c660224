"""Builds the figures of a report and their tables as HTML."""

import html
import re

from keras_sagan.visualize import embedded_pictures, positions
from keras_sagan.visualize.attention import draw_view
from keras_sagan.visualize.report import charts

_MOST_SAMPLES = 24
_SAMPLE_BYTES = 2_500_000
SIGNS = [
    "class_coverage",
    "class_precision",
    "class_recall",
    "class_distinct",
    "copied",
]


def samples(run):
    """Returns title and content of the section with grids of samples and a slider."""
    name = "Samples over time"
    urls = embedded_pictures.sample_urls(run.samples, _MOST_SAMPLES, _SAMPLE_BYTES)
    if not urls:
        return name, "<p>The run has written no samples.</p>"
    images = "".join(
        f'<img src="{url}" alt="Grid of samples at step {step:,}, with the same latent '
        f'vectors at every step and a class in each row." data-step="{step:,}"'
        f"{'' if step == urls[-1][0] else ' hidden'}>"
        for step, url in urls
    )
    last = len(urls) - 1
    shown = {step for step, _ in urls}
    rows = [
        (f"{step:,}", path.name, "yes" if step in shown else "no")
        for step, path in run.samples
    ]
    listed = charts.table(["step", "file", "shown here"], rows, "Grids of samples")
    return name, (
        f'<figure class="slides">{images}<figcaption><label>step '
        f'<output>{urls[-1][0]:,}</output><input type="range" min="0" max="{last}" '
        f'value="{last}" step="1" aria-label="Step of the samples"></label> '
        f"Averaged generator, the same latent vectors at every step.</figcaption>"
        f"</figure>{charts.details(listed)}"
    )


def curves(rows):
    """Yields titles and contents of the sections with logged values against steps."""
    sigma = "The largest singular value of each kernel, by which it is divided."
    groups = [
        ("Losses", "loss", ["d_loss", "g_loss"], "Means over a logging interval."),
        (
            "What the discriminator says",
            "mean logit",
            ["d_real", "d_fake"],
            "D(real) and D(fake). They approach each other as images become better. If "
            "they are far apart, the discriminator wins.",
        ),
        (
            "Gates of attention",
            "gamma",
            gates(rows),
            "gamma starts at 0, at which the layer has no effect.",
        ),
        ("Sigma, generator", "sigma", sigmas(rows, "g"), sigma),
        ("Sigma, discriminator", "sigma", sigmas(rows, "d"), sigma),
        ("Speed", "images/s", ["images_per_second"], "Real images, in steps only."),
    ]
    if any("augmentation_probability" in row for row in rows):
        note = "How often an operation is applied."
        groups.append(
            ("Augmentation", "probability", ["augmentation_probability"], note)
        )
    penalties = ["r1_penalty", "r2_penalty"]
    if any(name in row for row in rows for name in penalties):
        note = "Mean squared gradient of D at real (r1) and generated (r2) images."
        groups.append(("Gradient penalties", "without gamma", penalties, note))
    if any("class_distinct" in row for row in rows):
        note = "1,000 images; all values except copied are those of the worst class."
        groups.append(("Signs of collapse", "share", SIGNS, note))
        note = "The largest one of all kernels. A jump is a sign of collapse."
        sigma = ["d_largest_sigma"]
        groups.append(("Largest sigma, discriminator", "sigma", sigma, note))
    for title, y_name, names, note in groups:
        yield title, _chart(_series(rows, names), title, y_name, note)


def _series(rows, names):
    lines = []
    for name in names:
        own = [row for row in rows if name in row]
        shown = name.partition("_sigma/")[2] or name
        line = charts.Series(shown, [x["step"] for x in own], [x[name] for x in own])
        if len(line.columns()):
            lines.append(line)
    return lines


def _chart(series, title, y_name, note):
    if not series:
        return "<p>The run has not logged this.</p>"
    return (
        f"<figure>{charts.line_chart(series, title, y_name)}<figcaption>"
        f"{charts.legend(series)}{html.escape(note)}</figcaption></figure>"
        f"{charts.details(charts.data_table(series, title))}"
    )


def scores(rows, results):
    """Returns title and content of the section with logged scores and `results`."""
    parts, spreads = [], _spreads(rows)
    for name in _score_names(rows):
        own = [row for row in rows if name in row]
        steps, values = [x["step"] for x in own], [x[name] for x in own]
        line, note = charts.Series(name, steps, values), "Without an interval."
        if name in spreads:
            wide = [2 * row.get(spreads[name], 0.0) for row in own]
            low = [value - more for value, more in zip(values, wide, strict=True)]
            high = [value + more for value, more in zip(values, wide, strict=True)]
            line = charts.Series(name, steps, values, low, high)
            note = "Band: two standard deviations over the subsets of the images."
        if len(line.columns()):
            parts.append(f"<h3>{html.escape(name)}</h3>")
            parts.append(_chart([line], name, name, note))
    for source, result in results:
        rows = [
            (name, charts.number(value), *_interval(result, name))
            for name, value in result["scores"].items()
        ]
        parts.append(charts.table(["score", "value", "interval"], rows, source))
        for sentence in result.get("conclusions") or ():
            parts.append(f"<p>{html.escape(sentence)}</p>")
    return "Scores", "".join(parts) or (
        "<p>The run has no scores. Evaluate it, and pass the file of "
        "<code>keras-sagan evaluate --json</code> with <code>--scores</code>.</p>"
    )


def _score_names(rows):
    names = {name: None for row in rows for name in row}
    return [x for x in names if x not in ("step", "seconds") and "_deviation" not in x]


def _spreads(rows):
    """Returns a dict from the name of a score to that of its standard deviation."""
    pairs = [("kid", "kid"), ("kernel_distance", "kid")]
    pairs += [("inception_score", "is"), ("class_score", "is")]
    names = {name: None for row in rows for name in row}
    return {
        name: deviation
        for name in names
        for score, short in pairs
        if name.startswith(score)
        and (deviation := f"{short}_deviation{name.removeprefix(score)}") in names
    }


def _interval(result, name):
    limits = (result.get("intervals") or {}).get(name)
    return (f"{limits[0]:.4g} to {limits[1]:.4g}" if limits else "-",)


def attention(views, no_views):
    """Returns title and content of the section with `views`, or why it is empty."""
    if not views:
        return "Attention", f"<p>{html.escape(no_views)}</p>"
    parts = []
    for caption, shown, points in views:
        url = embedded_pictures.png_url(draw_view(shown, points))
        rows = [
            (f"{layer}, {x},{y}", *_looks_at(shown, layer, (x, y)))
            for layer in shown.maps
            for x, y in points
        ]
        heads = ["layer, point", "looks most at", "with", "mean distance"]
        words = "; ".join(f"{row[0]} looks most at {row[1]} ({row[2]})" for row in rows)
        parts.append(
            f'<figure><div class="wide" tabindex="0" role="region" aria-label="Figure: '
            f'{html.escape(caption, quote=True)}"><img src="{url}" alt="Attention of '
            f'{html.escape(f"{caption}: {words}", quote=True)}."></div><figcaption>'
            f"{html.escape(caption)}. The points have the most non-local maps of the "
            "generator. Brightness is relative to the largest attention, which is the "
            "number in the corner.</figcaption></figure>"
            + charts.details(charts.table(heads, rows, caption))
        )
    return "Attention", "".join(parts)


def _looks_at(shown, layer, point):
    """Returns the most attended pixel, its share and the mean distance, as texts."""
    weights = shown.weights(layer, point)
    queries, keys = map(positions.grid_side, shown.maps[layer].shape)
    row, column = divmod(int(weights.argmax()), keys)
    block = shown.size / keys
    index = positions.query_index(*point, shown.size, queries)
    far = float(weights @ positions.distances(queries, keys)[index])
    place = f"{int((column + 0.5) * block)},{int((row + 0.5) * block)}"
    return place, f"{weights.max():.1%}", f"{far:.2f} of the side"


def gates(rows):
    """Returns the names of the columns of `gamma`, in order."""
    return _columns_like(rows, r"[gd]_gamma_\d+")


def sigmas(rows, network):
    """Returns the columns of `sigma` of a network, `"g"` or `"d"`, in order."""
    return _columns_like(rows, rf"{network}_sigma/.+")


def _columns_like(rows, pattern):
    names = {name: None for row in rows for name in row}
    return [name for name in names if re.fullmatch(pattern, name)]
