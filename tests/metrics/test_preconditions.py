"""What is refused before features are extracted."""

import dataclasses

import pytest

from keras_sagan.metrics import Moments, Settings, array_images
from keras_sagan.metrics.preconditions import check_possible


def check(real, fake, extractor, *metrics, **settings):
    check_possible(real, fake, extractor, Settings(metrics=metrics, **settings))


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("intra_fid", "needs labels of the real images"),
        ("agreement", "needs labels of the generated images"),
        ("memorization", "needs `held_out` images"),
        ("utility", "needs labels of the real images"),
        ("is", "needs an extractor with class probabilities"),
    ],
)
def test_what_is_missing(pictures, mean_extractor, metric, message):
    images = array_images(pictures.images)
    with pytest.raises(ValueError, match=message):
        check(images, images, mean_extractor, metric)
    check(images, images, mean_extractor, "fid", "kid", "prdc", subset_size=80)


def test_agreement_needs_the_datas_own_classes(pictures, mean_extractor):
    images = array_images(*pictures)
    with pytest.raises(ValueError, match="needs the extractor 'classifier'"):
        check(images, images, mean_extractor, "agreement")
    known = dataclasses.replace(mean_extractor, name="classifier")
    check(images, images, known, "agreement", "is")


@pytest.mark.parametrize(
    ("metric", "settings", "message"),
    [
        ("fid", {}, "`real` must have more images than the 80 dim.* covariance.*80 im"),
        ("kid", {}, r"`subset_size` .* at most 80 .*subset_size=1000"),
        ("is", {"splits": 81}, "`splits` .* at most 80"),
        ("prdc", {"nearest_k": 80}, "`nearest_k` .* at most 79"),
        ("intra_fid", {}, "Class 0: `real` must have more images than the 80"),
    ],
)
def test_too_few_images(pictures, mean_extractor, metric, settings, message):
    images = array_images(*pictures)
    known = dataclasses.replace(mean_extractor, name="classifier", dimensions=80)
    with pytest.raises(ValueError, match=message):
        check(images, images, known, metric, **settings)
    enough = {"allow_few": True, "subset_size": 80}
    check(images, images, known, metric, **enough)


def test_before_the_extractor_is_opened(pictures):
    images = array_images(pictures.images)
    check(images, images, None, "fid", "is")
    with pytest.raises(ValueError, match="`subset_size`"):
        check(images, images, None, "kid")
    with pytest.raises(ValueError, match="needs labels"):
        check(images, images, None, "agreement")


def test_moments_of_a_file(pictures, mean_extractor):
    images, moments = array_images(*pictures), Moments(3)
    moments.count = 4
    moments.protocol = {"extractor": mean_extractor.describe()}
    check(moments, images, mean_extractor, "fid")
    with pytest.raises(ValueError, match=r"allow only fid, is and agreement.*kid"):
        check(moments, images, mean_extractor, "fid", "kid")
    with pytest.raises(ValueError, match=r"intervals .* need the real images"):
        check(moments, images, mean_extractor, "fid", bootstrap=2)
    other = dataclasses.replace(mean_extractor, resize="clean")
    with pytest.raises(ValueError, match="made with another extractor"):
        check(moments, images, other, "fid")


def test_moments_that_do_not_say_of_which_extractor(pictures, mean_extractor):
    """Any extractor with as many dimensions took them."""
    images, moments = array_images(*pictures), Moments(3)
    moments.count = None
    with pytest.raises(
        ValueError, match=r"do not say with which extractor.* 'quarters'"
    ):
        check(moments, images, mean_extractor, "fid")
    network = dataclasses.replace(mean_extractor, name="inception", dimensions=3)
    check(moments, images, network, "fid")
    wider = dataclasses.replace(network, dimensions=2048)
    with pytest.raises(ValueError, match=r"must have the 2048 dimensions .*: 3"):
        check(moments, images, wider, "fid", allow_few=True)
