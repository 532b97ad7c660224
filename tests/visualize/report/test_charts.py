import html.parser
import re

import numpy as np
import pytest

from keras_sagan.visualize.report import charts
from keras_sagan.visualize.report.charts import Series


def places(svg, kind="polyline"):
    """Points of every line of a chart: list of arrays `(n, 2)`."""
    found = re.findall(rf'<{kind} [^>]*points="([^"]*)"', svg)
    return [np.array([p.split(",") for p in x.split()], float) for x in found]


def test_lines_go_where_the_numbers_do():
    chart = charts.line_chart(
        [Series("up", [0, 50, 100], [0, 1, 2]), Series("down", [0, 100], [2, 0])],
        "Title",
        "y",
    )
    up, down = places(chart)
    np.testing.assert_allclose(np.diff(up[:, 0]), (up[2, 0] - up[0, 0]) / 2, atol=0.1)
    np.testing.assert_allclose(np.diff(up[:, 1]), (up[2, 1] - up[0, 1]) / 2, atol=0.1)
    assert up[0, 1] > up[2, 1]  # upwards
    np.testing.assert_allclose(down[0], [up[0, 0], up[2, 1]])
    np.testing.assert_allclose(down[1], [up[2, 0], up[0, 1]])


def test_a_band_lies_around_its_line():
    series = Series("fid", [0, 10], [5, 3], [4, 2], [6, 5])
    chart = charts.line_chart([series], "FID", "FID")
    [line], [band] = places(chart), places(chart, "polygon")
    upper, lower = band[:2], band[2:][::-1]
    assert (upper[:, 1] < line[:, 1]).all() and (line[:, 1] < lower[:, 1]).all()
    table = charts.data_table([series], "FID")
    assert '<th scope="col">fid, low</th>' in table
    assert "<td>3</td><td>2</td><td>5</td>" in table


def test_many_rows_are_thinned_without_moving_the_mean():
    steps = np.arange(10_000)
    series = Series("x", steps, np.sin(steps / 500))
    [line] = places(charts.line_chart([series], "t", "y"))
    assert len(line) == charts.MOST_POINTS
    table = charts.data_table([series], "t")
    assert table.count("<tr>") == charts.MOST_ROWS + 1
    assert "(40 of 10000 rows)" in table
    assert ">0</th>" in table and ">9,999</th>" in table


def test_what_is_not_finite_is_left_out():
    series = Series("x", [0, 1, 2], [1.0, float("nan"), 3.0])
    [line] = places(charts.line_chart([series], "t", "y"))
    assert len(line) == 2


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0, 2.0], [0.0, 0.0], [-1e9, 1e9]])
def test_single_points_and_flat_lines(values):
    series = Series("x", range(len(values)), values)
    chart = charts.line_chart([series], "t", "y")
    assert "nan" not in chart and "inf" not in chart
    assert ("<circle" in chart) == (len(values) == 1)


def test_a_chart_says_what_it_shows_in_words():
    series = [Series("<loss>", [0, 100], [2.5, 0.5])]
    words = "&lt;loss&gt;: from 2.5 at step 0 to 0.5 at step 100, lowest 0.5"
    chart = charts.line_chart(series, "Losses", "y")
    assert f'role="img" aria-label="Losses. {words}' in chart
    assert "<li>" in charts.legend(series) and "&lt;loss&gt;" in charts.legend(series)


def test_table_cells_and_escapes():
    class Cells(html.parser.HTMLParser):
        def __init__(self):
            super().__init__()
            self.texts = []

        def handle_data(self, data):
            self.texts.append(data)

    parser = Cells()
    parser.feed(charts.table(["a", "b"], [("x<y", "1 & 2")], 'The "caption"'))
    assert parser.texts == ['The "caption"', "a", "b", "x<y", "1 & 2"]


def test_series_of_different_steps_share_a_table():
    table = charts.data_table(
        [Series("a", [0, 1], [1, 2]), Series("b", [1, 2], [3, 4])], "t"
    )
    assert "<td>1</td><td>-</td>" in table
    assert "<td>2</td><td>3</td>" in table
    assert "<td>-</td><td>4</td>" in table


def test_steps_are_whole_numbers():
    svg = charts.line_chart([Series("x", [40], [1.0])], "One row", "loss")
    labels = re.findall(r'text-anchor="(?:middle|end)">([0-9,]+)</text>', svg)
    assert labels.count("40") == 1 and labels.count("41") == 1
