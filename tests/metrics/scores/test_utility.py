"""Accuracies over trainings and images: their intervals, and the sentence."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score

from keras_sagan.metrics.scores import utility


def crossed(generator, trainings, images):
    """Values with an effect of the row, of the column and of neither; the mean is 0."""
    return (
        generator.normal(0, 0.1, (trainings, 1))
        + generator.normal(0, 1.0, (1, images))
        + generator.normal(0, 0.5, (trainings, images))
    )


def test_the_interval_is_that_of_students_distribution():
    """The same in explicit sums, with the quantile of SciPy."""
    values = crossed(np.random.default_rng(1), 4, 60)
    found = utility.mean_over_trainings(values, level=0.9)
    mean = sum(x for row in values for x in row) / 240
    of_rows = sum((sum(row) / 60 - mean) ** 2 for row in values) / 3 / 4
    columns = [sum(column) / 4 for column in values.T]
    of_columns = sum((x - mean) ** 2 for x in columns) / 59 / 60
    freedom = (of_rows + of_columns) ** 2 / (of_rows**2 / 3 + of_columns**2 / 59)
    half = stats.t.ppf(0.95, freedom) * (of_rows + of_columns) ** 0.5
    assert found == pytest.approx((mean, mean - half, mean + half), rel=1e-3)


def test_the_interval_is_that_of_a_bootstrap_of_trainings_and_images():
    generator = np.random.default_rng(2)
    values = crossed(generator, 40, 300)
    means = [
        values[generator.integers(0, 40, 40)][:, generator.integers(0, 300, 300)].mean()
        for _ in range(1000)
    ]
    found = utility.mean_over_trainings(values)
    low, high = np.quantile(means, [0.025, 0.975])
    assert found.high - found.low == pytest.approx(high - low, rel=0.1)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(3)
    found = [utility.mean_over_trainings(crossed(generator, 5, 50)) for _ in range(300)]
    held = np.mean([x.low < 0 < x.high for x in found])
    assert 0.91 < held <= 1  # 95 % or a little more


def test_no_noise_at_all():
    assert utility.mean_over_trainings(np.ones((2, 5))) == (1, 1, 1)


def test_classes_are_scikit_learns_accuracies():
    generator = np.random.default_rng(4)
    labels, guesses = generator.integers(0, 3, 50), generator.integers(0, 3, (2, 50))
    found = utility.mean_by_class(guesses == labels, labels)
    for label in range(3):
        rows = labels == label
        expected = [accuracy_score(labels[rows], guess[rows]) for guess in guesses]
        assert found[label] == pytest.approx(np.mean(expected))


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.001, 0.031, "helps"),
        (-0.003, 0.031, "does not measurably help"),
        (-0.031, -0.001, "does not help but harms"),
    ],
)
def test_the_sentence(low, high, verdict):
    change = utility.Estimate((low + high) / 2, low, high)
    text = utility.conclusion(change, utility.Estimate(0.02, 0.01, 0.03), 0.9)
    assert text.startswith(f"Adding these images {verdict}: the accuracy on held-out ")
    assert f"(90% interval {100 * low:+.2f} to {100 * high:+.2f})" in text
    assert text.endswith("by +2.00 points (90% interval +1.00 to +3.00).")
