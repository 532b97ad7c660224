"""Scores by class."""

import numpy as np
import pytest

from keras_sagan.metrics import (
    class_table,
    classifier_agreement,
    frechet_distance,
    intra_class_distance,
)


def labelled(seed):
    generator = np.random.default_rng(seed)
    labels = np.arange(200) % 2
    return generator.normal(size=(200, 3)) + 10 * labels[:, None], labels


def test_distances_within_classes():
    (real, y), (fake, t) = labelled(0), labelled(1)
    found = intra_class_distance(real, y, fake, t)
    assert found[1] == frechet_distance(real[y == 1], fake[t == 1])
    # Exchanged classes: the whole set is as good as before, no class is.
    exchanged = intra_class_distance(real, y, fake, 1 - t)
    assert frechet_distance(real, fake) < 1
    assert min(exchanged.values()) > 100


def test_wrong_labels():
    (real, y), (fake, t) = labelled(0), labelled(1)
    with pytest.raises(ValueError, match=r"same classes. Received: \[0, 1\] and \[0\]"):
        intra_class_distance(real, y, fake, 0 * t)
    with pytest.raises(ValueError, match=r"Class 1: `fake` must have more.*allow_few"):
        intra_class_distance(real, y, fake, 1 * (np.arange(200) < 3))
    with pytest.raises(ValueError, match="`real_labels` must be 200 integers"):
        intra_class_distance(real, y[:5], fake, t)


def test_agreement():
    scores = np.eye(3)[[0, 0, 1, 2]]
    share, each = classifier_agreement(scores, np.array([0, 1, 1, 2]))
    assert (share, each) == (0.75, {0: 1.0, 1: 0.5, 2: 1.0})
    with pytest.raises(ValueError, match=r"`labels` must be in \[0, 3\).*0 to 3"):
        classifier_agreement(scores, np.array([0, 1, 2, 3]))


def test_the_table():
    columns = {"fid": {0: 1.0, 2: 12.5}, "images": {0: 5, 1: 7, 2: 9}}
    assert class_table(columns, ["cat", "a", "b"]).splitlines() == [
        "class      fid  images",
        "cat     1.0000       5",
        "a            -       7",
        "b      12.5000       9",
    ]
    assert class_table({"x": {3: 1.0}}).splitlines()[1].startswith("3 ")
