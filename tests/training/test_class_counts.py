"""Labels of one class only, and classes without labels."""

import numpy as np
import pytest

from keras_sagan.training import batch_checks


def test_counts_leave_out_what_is_no_label():
    counts = batch_checks.of_labels([0, 2, 2, 5, -1], 4)
    np.testing.assert_array_equal(counts, [1, 0, 2, 0])


@pytest.mark.parametrize("counts", [[31, 0], [32, 1], [500], []])
def test_sound_counts(counts):
    batch_checks.check_several(np.array(counts, int), least=32)


def test_one_class_only():
    with pytest.raises(ValueError, match="32 labels 1 and no other, num_classes=2"):
        batch_checks.check_several(np.array([0, 32]), least=32)


def test_classes_without_labels_have_their_names():
    with pytest.warns(UserWarning, match=r"no pictures of class b \(num_classes=3"):
        assert batch_checks.warn_of_missing([40, 0, 1], ["a", "b", "c"])
    with pytest.warns(UserWarning, match=r"class 1, 2, .*, 10 and 2 more \("):
        assert batch_checks.warn_of_missing([50] + 12 * [0])


@pytest.mark.parametrize("counts", [[20, 0], [20, 20], []])
def test_no_warning(counts):
    assert not batch_checks.warn_of_missing(counts)


def test_streams_wait_for_a_hundred_labels_a_class():
    assert not batch_checks.warn_when_due([299, 0, 0])
    with pytest.warns(UserWarning, match="class 1, 2"):
        assert batch_checks.warn_when_due([300, 0, 0])
