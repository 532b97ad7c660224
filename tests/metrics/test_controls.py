"""Controls: each has the fault that it says, and no other."""

import numpy as np
import pytest

from keras_sagan.metrics import controls, registry


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (40, 9, 8, 3), dtype=np.uint8)


def test_blur_is_a_convolution_at_its_middle():
    image = np.zeros((1, 15, 15, 1), np.uint8)
    image[0, 7, 7] = 255
    row = np.array([1.0])
    for _ in range(4):
        row = np.convolve(row, [0.25, 0.5, 0.25])
    expected = np.zeros((15, 15))
    expected[3:12, 3:12] = 255 * np.outer(row, row)
    np.testing.assert_allclose(controls.blurred(image)[0, ..., 0], expected, atol=0.51)
    flat = np.full((2, 5, 4, 3), 77, np.uint8)
    np.testing.assert_array_equal(controls.blurred(flat), flat)  # borders too


def test_components_are_of_each_class(images):
    labels = np.arange(40) % 2
    made = controls.principal_components(images, labels)
    assert made.dtype == np.uint8 and made.shape == images.shape
    for label in (0, 1):
        rows = labels == label
        x, y = (z[rows].reshape(rows.sum(), -1).astype(float) for z in (images, made))
        assert np.linalg.matrix_rank(y - y.mean(axis=0), tol=60) <= 8
        np.testing.assert_allclose(y.mean(axis=0), x.mean(axis=0), atol=8)
    few = controls.principal_components(images[:8], None)  # all their components
    assert np.abs(few.astype(int) - images[:8]).max() <= 1


def test_rows_and_labels(images):
    labels = np.array([0, 0, 0, 1, 1, 2])
    assert controls.without_largest_class(labels).tolist() == [3, 4, 5]
    rows = controls.few_repeated(100, seed=1)
    assert len(rows) == 100 and len(set(rows.tolist())) == 10
    mixed = controls.shuffled(labels, seed=1)
    assert sorted(mixed) == sorted(labels) and (mixed != labels).any()
    made = controls.noise(images, seed=1)
    assert made.shape == images.shape and abs(made.mean() - 127.5) < 3


def test_rows_of_metrics_name_controls_that_there_are():
    for metric in registry.METRICS.values():
        for score in metric.scores:
            assert score.sees <= set(controls.CONTROLS)
        assert metric.scores[0].sees, "a score that must see nothing proves nothing"
