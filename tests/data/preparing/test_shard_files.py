import numpy as np
import pytest
from PIL import Image

from keras_sagan.data.pictures import Opened, Picture
from keras_sagan.data.preparing import shard_files


def picture(label, value=7):
    image = Image.new("L", (8, 8), value)
    return Picture(f"number {label}", label, lambda: Opened(image, 8, 8, "L"))


def test_what_a_file_holds(tmp_path):
    encoded = shard_files.encode([picture(1), picture(0), picture(1)], 8, 1, "crop")
    facts = shard_files.write(tmp_path / "x", encoded, 2, ["a", "b"], (8, 8, 1))
    assert (facts["count"], facts["labels"], facts["skipped"]) == (2, [1, 0], [])
    assert facts["size"] == (tmp_path / "x").stat().st_size > facts["bytes"]
    assert next(encoded)[0].label == 1  # no further than it was told to


def test_labels_out_of_range(tmp_path):
    encoded = shard_files.encode([picture(2)], 8, 1, "crop")
    with pytest.raises(shard_files.UnusableError, match=r"\[0, 2\). Received: 2 for"):
        shard_files.write(tmp_path / "x", encoded, 1, ["a", "b"], (8, 8, 1))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_is_without_loss(channels, tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (8, 8, channels), np.uint8)
    (tmp_path / "x.png").write_bytes(shard_files.png(array))
    read = np.asarray(Image.open(tmp_path / "x.png")).reshape(array.shape)
    np.testing.assert_array_equal(read, array)
