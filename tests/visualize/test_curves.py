"""Curves as PNG files."""

import numpy as np
import pytest
from PIL import Image

from keras_sagan.visualize import save_curve

POINTS = [(0.1, 0.9, "a"), (0.5, 0.7, "b"), (0.8, 0.2, "none")]


def blue(path):
    pixels = np.asarray(Image.open(path)).astype(int)
    return (pixels[..., 2] - pixels[..., 0]) > 100


def test_a_falling_curve_falls(tmp_path):
    save_curve(tmp_path / "new" / "x.png", POINTS, "recall", "precision", "title")
    rows, columns = np.nonzero(blue(tmp_path / "new" / "x.png"))
    left, right = rows[columns < 200].mean(), rows[columns > 600].mean()
    assert left < 150 and right > 320
    save_curve(tmp_path / "y.png", [(x, -y, t) for x, y, t in POINTS], "x", "y")
    rows, columns = np.nonzero(blue(tmp_path / "y.png"))
    assert rows[columns < 200].mean() > 320


def test_one_point_and_equal_values(tmp_path):
    for points in (POINTS[:1], [(1.0, 2.0, "a"), (1.0, 2.0, "b")]):
        save_curve(tmp_path / "x.png", points, "x", "y")
        assert blue(tmp_path / "x.png").any()


@pytest.mark.parametrize("points", [[], [(np.nan, 1.0, "a")]])
def test_wrong_points(tmp_path, points):
    with pytest.raises(ValueError, match="`points` must be finite"):
        save_curve(tmp_path / "x.png", points, "x", "y")
    with pytest.raises(ValueError, match=r"must end in \.png"):
        save_curve(tmp_path / "x.jpg", POINTS, "x", "y")
