"""`evaluate`: from sets of images to named scores with a protocol."""

import dataclasses
import json

import numpy as np
import pytest

from keras_sagan.metrics import (
    Extractor,
    Moments,
    Settings,
    array_images,
    evaluate,
    extract,
    frechet_distance,
    kernel_distance,
    memorization_check,
    precision_recall_density_coverage,
    train_classifier,
)
from keras_sagan.metrics.evaluation import prepare
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
    text = dataclasses.replace(result, class_names=("dark", "bright")).format()
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


def test_classes_in_another_order(sets, mean_extractor):
    real, fake = sets
    settings = Settings(metrics=("intra_fid",))
    real = dataclasses.replace(real, class_names=("dark", "bright"))
    fake = dataclasses.replace(fake, class_names=("bright", "dark"))
    same = dataclasses.replace(
        fake, labels=1 - fake.labels, class_names=("dark", "bright")
    )
    exchanged = evaluate(real, fake, mean_extractor, settings)
    expected = evaluate(real, same, mean_extractor, settings)
    assert exchanged.scores == expected.scores
    (columns,), (columns_of_same,) = (
        list(x.by_class.values()) for x in (exchanged, expected)
    )
    assert columns == {0: columns_of_same[1], 1: columns_of_same[0]}
    assert exchanged.class_names == ("bright", "dark")  # of the generated images
    table = exchanged.format()
    assert table.index("bright") < table.index("dark")


def test_agreement_with_a_classifier_of_another_order(pictures):
    model = train_classifier(*pictures, epochs=8)
    extractor = classifier.classifier_extractor(model, ("dark", "bright"))
    fake = array_images(
        pictures.images, 1 - pictures.labels, class_names=("bright", "dark")
    )
    settings = Settings(metrics=("agreement",), bootstrap=10)
    result = evaluate(array_images(*pictures), fake, extractor, settings)
    assert result.scores["agreement_classifier"] > 0.95
    low, high = result.intervals["agreement_classifier"]
    assert 0.9 < low <= high <= 1
    (by_class,) = result.by_class.values()
    assert set(by_class) == {0, 1}


@pytest.mark.parametrize("metric", ["intra_fid", "agreement"])
def test_classes_that_do_not_match(pictures, metric):
    """Real pictures of classes "1" and "2" against the glyphs 0 to 9 scored 0."""

    def never(images):
        raise AssertionError("features of classes that do not match")

    digits = tuple("0123456789")
    extractor = Extractor("classifier", "0" * 64, "none", "none", never)
    extractor = dataclasses.replace(extractor, class_names=digits)
    real = array_images(*pictures, class_names=digits)
    fake = array_images(*pictures, class_names=("1", "ten"))
    settings = Settings(metrics=(metric,), allow_few=True)
    with pytest.raises(ValueError, match="matched by their names") as error:
        evaluate(real, fake, extractor, settings)
    assert "classes 0, 1, 2, 3" in str(error.value)
    assert "classes 1, ten" in str(error.value)
