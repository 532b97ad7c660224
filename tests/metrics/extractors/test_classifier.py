"""The small classifier as an extractor."""

import numpy as np
import pytest

from keras_sagan.metrics import extract, train_classifier
from keras_sagan.metrics.extractors import classifier


@pytest.fixture(scope="module")
def trained(pictures):
    return train_classifier(*pictures, epochs=8)


def test_it_learns_and_gives_features(trained, pictures):
    extractor = classifier.classifier_extractor(trained)
    features, logits = extract(pictures.images, extractor)
    assert features.shape == (80, 128) and logits.shape == (80, 2)
    assert (logits.argmax(1) == pictures.labels).mean() > 0.95
    np.testing.assert_allclose(
        logits, trained.predict(pictures.images, verbose=0), rtol=1e-4, atol=1e-4
    )
    assert (extractor.name, extractor.channels) == ("classifier", 3)


def test_it_is_kept_in_a_file(pictures, tmp_path):
    calls = []

    def source():
        calls.append(1)
        return pictures

    path = tmp_path / "new" / "c.keras"
    first = classifier.load_or_train(path, source, epochs=1)
    second = classifier.load_or_train(path, source, epochs=1)
    assert len(calls) == 1
    assert (
        classifier.classifier_extractor(first).sha256
        == classifier.classifier_extractor(second).sha256
    )
    assert classifier.load_or_train(None, source, epochs=1) is not None
    assert len(calls) == 2


@pytest.mark.parametrize("labels", [None, np.zeros(80, int)])
def test_one_class_only(pictures, labels):
    with pytest.raises(ValueError, match="`labels` must hold at least two classes"):
        train_classifier(pictures.images, labels)
