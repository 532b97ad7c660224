"""The check of a number of things."""

import numpy as np
import pytest

from keras_sagan.metrics.counts import check_count


@pytest.mark.parametrize("value", [0, 6, 2.0, True, None])
def test_counts(value):
    with pytest.raises(ValueError, match=rf"`n` .*at most 5 \(why\).*n={value!r}"):
        check_count("n", value, 1, 5, " (why)")
    check_count("n", np.int64(5), 1, 5)
