"""What is refused before anything long is begun."""

import dataclasses

import pytest

from keras_sagan.metrics import Moments, array_images
from keras_sagan.metrics.preconditions import check_possible


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ("intra_fid", "needs labels of the real images"),
        ("agreement", "needs labels of the fake images"),
        ("memorization", "needs `held_out` images"),
        ("is", "needs an extractor with class probabilities"),
    ],
)
def test_what_is_missing(pictures, mean_extractor, metrics, message):
    images = array_images(pictures.images)
    with pytest.raises(ValueError, match=message):
        check_possible(images, images, mean_extractor, (metrics,), None)
    check_possible(images, images, mean_extractor, ("fid", "kid", "prdc"), None)


def test_agreement_needs_the_datas_own_classes(pictures, mean_extractor):
    images = array_images(*pictures)
    with pytest.raises(ValueError, match="needs the extractor 'classifier'"):
        check_possible(images, images, mean_extractor, ("agreement",), None)
    known = dataclasses.replace(mean_extractor, name="classifier")
    check_possible(images, images, known, ("agreement", "is"), None)


def test_moments_of_a_file(pictures, mean_extractor):
    images, moments = array_images(*pictures), Moments(3)
    check_possible(moments, images, mean_extractor, ("fid",), None)
    with pytest.raises(ValueError, match=r"allow fid, is and agreement only.*kid"):
        check_possible(moments, images, mean_extractor, ("fid", "kid"), None)
    moments.protocol = {"extractor": mean_extractor.describe()}
    check_possible(moments, images, mean_extractor, ("fid",), None)
    other = dataclasses.replace(mean_extractor, resize="clean")
    with pytest.raises(ValueError, match="are of another extractor"):
        check_possible(moments, images, other, ("fid",), None)
