import numpy as np
import pytest
from PIL import Image

from keras_sagan.visualize import save_animation, save_picture


def flat(value, channels=3):
    return np.full((4, 6, channels), value, np.uint8)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_picture(tmp_path, channels, mode):
    save_picture(tmp_path / "new" / "x.png", flat(7, channels))
    with Image.open(tmp_path / "new" / "x.png") as image:
        assert (image.mode, image.size) == (mode, (6, 4))
        assert np.asarray(image).min() == np.asarray(image).max() == 7
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.png"]


def test_animation_keeps_order_colours_and_times(tmp_path):
    values = [0, 100, 255]
    save_animation(tmp_path / "x.gif", [flat(v) for v in values], milliseconds=200)
    found = []
    with Image.open(tmp_path / "x.gif") as image:
        assert image.info["loop"] == 0
        for index in range(image.n_frames):
            image.seek(index)
            found.append(int(np.asarray(image.convert("RGB")).mean()))
    assert found == values
    with Image.open(tmp_path / "x.gif") as image:
        times = []
        for index in range(3):
            image.seek(index)
            times.append(image.info["duration"])
    assert times == [200, 200, 600]


def test_wrong_names_and_no_frames(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.png"):
        save_picture(tmp_path / "x.gif", flat(0))
    with pytest.raises(ValueError, match=r"must end in \.gif"):
        save_animation(tmp_path / "x.png", [flat(0)])
    with pytest.raises(ValueError, match="at least one picture"):
        save_animation(tmp_path / "x.gif", [])
    assert not list(tmp_path.iterdir())
