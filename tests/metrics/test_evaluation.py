"""`evaluate`: from sets of images to named scores with a protocol."""

import json

import numpy as np
import pytest

from keras_sagan.metrics import (
    Moments,
    array_images,
    evaluate,
    extract,
    frechet_distance,
    kernel_distance,
    memorization_check,
    precision_recall_density_coverage,
    train_classifier,
)
from keras_sagan.metrics.evaluation import Settings, prepare
from keras_sagan.metrics.extractors import classifier


@pytest.fixture
def sets(pictures):
    images, labels = pictures
    real = array_images(images[:50], labels[:50], {"dataset": "x", "split": "train"})
    fake = array_images(
        255 - images[50:], labels[50:], {"model": {"path": "m"}, "seed": 4}
    )
    return real, fake


def test_scores_are_those_of_the_functions(sets, mean_extractor):
    real, fake = sets
    settings = Settings(
        metrics=("fid", "kid", "prdc", "intra_fid"),
        subset_size=20,
        nearest_k=3,
        batch_size=8,
    )
    result = evaluate(real, fake, mean_extractor, settings)
    a, _ = extract(real.arrays(), mean_extractor)
    b, _ = extract(fake.arrays(), mean_extractor)
    scores = result.scores
    assert scores["frechet_distance_quarters"] == pytest.approx(frechet_distance(a, b))
    assert scores["kernel_distance_quarters"] == pytest.approx(
        kernel_distance(a, b, subset_size=20).mean
    )
    for name, value in precision_recall_density_coverage(a, b, 3).items():
        assert scores[f"{name}_quarters"] == pytest.approx(value)
    each = result.by_class["intra_class_frechet_distance_quarters"]
    assert np.mean([*each.values()]) == pytest.approx(
        scores["intra_class_frechet_distance_quarters"]
    )
    assert "fid" not in scores
    assert result.protocol["real"]["split"] == "train"
    assert result.protocol["fake"]["count"] == 30
    assert result.protocol["seed"] == 4
    assert result.protocol["parameters"] == {
        "kid.subsets": 100,
        "kid.subset_size": 20,
        "prdc.nearest_k": 3,
    }
    text = result.format(["dark", "bright"])
    assert "frechet_distance_quarters" in text and "dark" in text
    assert '"split": "train"' in text
    json.dumps(result.to_dict())


def test_prepared_and_stored_references(sets, mean_extractor, tmp_path):
    real, fake = sets
    expected = evaluate(real, fake, mean_extractor).scores
    prepared = prepare(real, mean_extractor, Settings())
    assert prepared.features.features is None  # moments are enough
    assert evaluate(prepared, fake, mean_extractor).scores == expected
    described = {"extractor": mean_extractor.describe(), "real": real.description}
    prepared.features.moments.save(tmp_path / "r.npz", described)
    again = evaluate(Moments.load(tmp_path / "r.npz"), fake, mean_extractor)
    assert again.scores == pytest.approx(expected)
    assert again.protocol["real"] == real.description


def test_with_a_classifier(pictures):
    model = train_classifier(*pictures, epochs=8)
    extractor = classifier.classifier_extractor(model)
    real = array_images(*pictures)
    wrong = array_images(pictures.images, np.where(np.arange(80) < 20, 1, 0))
    settings = Settings(metrics=("is", "agreement"), splits=2, bootstrap=50)
    result = evaluate(real, wrong, extractor, settings)
    truth = (pictures.labels == wrong.labels).mean()
    assert result.scores["agreement_classifier"] == pytest.approx(truth, abs=0.05)
    low, high = result.intervals["agreement_classifier"]
    assert low < result.scores["agreement_classifier"] < high
    assert result.scores["class_score_classifier"] == pytest.approx(2, abs=0.2)


def test_intervals(sets, mean_extractor):
    result = evaluate(*sets, mean_extractor, Settings(bootstrap=10))
    low, high = result.intervals["frechet_distance_quarters"]
    assert low < result.scores["frechet_distance_quarters"] < high
    assert f"[{low:.6g}, {high:.6g}]" in result.format()


def test_memorization(pictures, mean_extractor):
    real = array_images(pictures.images[:40])
    held_out = array_images(pictures.images[40:])
    settings = Settings(metrics=("memorization",))
    copies = array_images(pictures.images[:20])
    result = evaluate(real, copies, mean_extractor, settings, held_out)
    assert result.scores["memorization_copies_quarters"] == 20
    assert result.scores["memorization_share_quarters"] == 1
    features = [
        extract(x.arrays(), mean_extractor)[0] for x in (copies, real, held_out)
    ]
    expected = memorization_check(*features)
    assert result.scores["memorization_score_quarters"] == expected.score


def test_unknown_metrics():
    with pytest.raises(ValueError, match=r"`metrics` must be some of fid.*fdi"):
        Settings(metrics=("fdi",))
    with pytest.raises(ValueError, match=r"`metrics`.*none"):
        Settings(metrics=())
