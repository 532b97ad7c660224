import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def pictures(tmp_path):
    """Twenty pictures of two classes, of which three cannot be read."""
    random = np.random.default_rng(0)
    for i in range(20):
        path = tmp_path / "in" / "ab"[i % 2] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (30, 40, 3), np.uint8)).save(path)
        if i in (4, 5, 19):
            path.write_text("no picture")
    return tmp_path / "in"
