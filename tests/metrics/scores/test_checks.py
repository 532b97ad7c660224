"""Checks of feature arrays."""

import numpy as np
import pytest

from keras_sagan.metrics.scores import checks


def test_kinds_of_numbers():
    assert checks.check_features("x", np.ones((2, 3), "f4")).dtype == np.float32
    for other in (np.ones((2, 3), "f2"), [[1, 2]]):
        assert checks.check_features("x", other).dtype == np.float64


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.ones(3), r"`x` must have shape \(images, dimensions\).*\(3,\)"),
        (np.ones((3, 0)), r"\(3, 0\)"),
        (np.ones((1, 3)), "`x` must have at least 2 rows.*Received: 1"),
        ([[1, 2], [3, np.inf]], "in 1 of 2 rows, the first of them row 1"),
    ],
)
def test_refused(features, message):
    with pytest.raises(ValueError, match=message):
        checks.check_features("x", features, at_least=2)
