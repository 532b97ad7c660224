"""The Vendi score: equal to the package vendi-score, and exact where it is known."""

import warnings

import numpy as np
import pytest
from sklearn import preprocessing

from keras_sagan.metrics import vendi_score

# Of the package vendi-score: what it calls will go with SciPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")


@pytest.fixture(scope="module")
def vendi():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports what SciPy 2 will not have
        from vendi_score import vendi
    return vendi


def theirs(vendi, x):
    unit = preprocessing.normalize(x.astype("f8"), axis=1)
    return vendi.score_K(unit @ unit.T)


@pytest.mark.parametrize("count", [600, 30])  # more and fewer images than dimensions
def test_equal_to_the_package(vendi, feature_sets, count):
    x = feature_sets[0][:count]
    assert vendi_score(x) == pytest.approx(theirs(vendi, x), rel=1e-9)
    unit = preprocessing.normalize(x.astype("f8"), axis=1)
    assert vendi_score(x) == pytest.approx(vendi.score_dual(unit), rel=1e-9)


def test_what_is_known_exactly():
    assert vendi_score(np.eye(7)) == pytest.approx(7)
    assert vendi_score(np.repeat(np.eye(7), 5, axis=0)) == pytest.approx(7)
    assert vendi_score(np.ones((20, 3))) == pytest.approx(1)
    shares = np.array([5, 3, 2]) / 10  # of three images at right angles
    x = np.repeat(np.eye(3), [5, 3, 2], axis=0) * np.arange(1, 11)[:, None]
    assert vendi_score(x) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


def test_a_vector_of_zeros_is_that_of_scikit_learn(vendi, feature_sets):
    x = np.vstack([feature_sets[0][:60], np.zeros((1, 48), "f4")])
    assert vendi_score(x) == pytest.approx(theirs(vendi, x), rel=1e-9)


def test_impossible_features():
    with pytest.raises(ValueError, match="`features` must be finite"):
        vendi_score(np.full((5, 2), np.nan))
