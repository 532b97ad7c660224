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
