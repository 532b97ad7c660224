"""Classes of two sets are matched by their names."""

import numpy as np
import pytest

from keras_sagan.metrics import classes


def test_another_order():
    labels = np.array([0, 2, 2, 1])
    mapped = classes.relabel(
        labels, ("cat", "dog", "owl"), ["owl", "cat", "ape", "dog"]
    )
    assert mapped.tolist() == [1, 0, 0, 3]


def test_by_index_where_there_are_no_names():
    labels = np.array([0, 1])
    assert classes.relabel(labels, None, ("a", "b")) is labels
    assert classes.relabel(labels, ("a", "b"), None) is labels
    assert classes.relabel(labels, ("a", "b"), ("a", "b")) is labels


def test_only_classes_with_images_have_to_match():
    mapped = classes.relabel(np.array([1, 1]), ("cat", "dog"), ("dog",))
    assert mapped.tolist() == [0, 0]


def test_the_message_names_both_lists():
    message = r"lacks cat, owl. .* classes cat, dog, owl and the classes 0, 1, dog\."
    with pytest.raises(ValueError, match=message):
        classes.relabel(np.arange(3), ("cat", "dog", "owl"), ("0", "1", "dog"))


@pytest.mark.parametrize("label", [-1, 2])
def test_labels_without_a_name(label):
    with pytest.raises(ValueError, match=rf"in \[0, 2\).* Received: {label} to"):
        classes.relabel(np.array([label]), ("cat", "dog"), ("dog", "cat"))


def test_equal_classes_take_turns():
    for count in (1, 7, 9, 100):
        labels = classes.spread_labels(count, [5] * 3)
        np.testing.assert_array_equal(labels, np.arange(count) % 3)
        assert labels.dtype == np.int32


@pytest.mark.parametrize(
    ("count", "weights", "counts"),
    [
        (100, (5, 3, 2), [50, 30, 20]),
        (10, (1, 1, 1), [4, 3, 3]),
        (3, (1, 5, 6), [0, 1, 2]),  # quotas 0.25, 1.25 and 1.5
        (1, (2, 2, 3), [0, 0, 1]),
        (4, (0, 1e-3, 0, 2e-3), [0, 1, 0, 3]),
        (5, (10**15, 10**15 + 1), [2, 3]),  # in float64 both are 2.5
        (1000, (3, 0, 2_997), [1, 0, 999]),
    ],
)
def test_counts_by_largest_remainders(count, weights, counts):
    labels = classes.spread_labels(count, weights)
    assert np.bincount(labels, minlength=len(weights)).tolist() == counts


def test_classes_are_spread_over_the_set():
    """So that parts of a set, as of the Inception score, have the same classes."""
    labels = classes.spread_labels(1000, (700, 200, 100))
    for part in labels.reshape(10, 100):
        difference = np.bincount(part, minlength=3) - [70, 20, 10]
        assert np.abs(difference).max() <= 1
