import numpy as np
import pytest

from keras_sagan.visualize import nearest


def pictures(count, seed):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (count, 6, 6, 3)).astype(np.uint8)


def test_equals_explicit_differences(monkeypatch):
    monkeypatch.setattr(nearest, "_BLOCK", 7)  # blocks that do not divide
    images, training = pictures(5, 0), pictures(40, 1)
    training[13] = images[2]
    order, distances = nearest.nearest_pictures(images, training, 4)
    difference = images[:, None].astype(float) - training[None]
    expected = np.sqrt((difference**2).mean(axis=(2, 3, 4)))
    np.testing.assert_array_equal(order, expected.argsort(axis=1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :4], rtol=1e-12)
    assert order[2, 0] == 13 and distances[2, 0] == 0


def test_the_first_of_equal_ones():
    image = pictures(1, 0)
    order, _ = nearest.nearest_pictures(image, np.repeat(image, 3, axis=0), 3)
    assert order.tolist() == [[0, 1, 2]]


def test_wrong_arguments():
    with pytest.raises(ValueError, match="same size and channels"):
        nearest.nearest_pictures(pictures(1, 0), pictures(2, 0)[:, :5], 1)
    for count in (0, 3):
        with pytest.raises(ValueError, match=r"in \[1, 2\]. Received: count="):
            nearest.nearest_pictures(pictures(1, 0), pictures(2, 0), count)
