"""The small classifier as an extractor."""

import keras
import numpy as np
import pytest

from keras_sagan.files import keras_files
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
    assert "layer" not in extractor.describe()


@pytest.mark.parametrize("class_names", [("dark", "bright"), None])
def test_it_is_kept_in_a_file(pictures, tmp_path, class_names):
    calls = []

    def source():
        calls.append(1)
        return *pictures, class_names

    path = tmp_path / "new" / "c.keras"
    first, names = classifier.load_or_train(path, source, epochs=1)
    second, names_of_file = classifier.load_or_train(path, source, epochs=1)
    assert len(calls) == 1
    assert names == names_of_file == class_names
    made = [classifier.classifier_extractor(x, names) for x in (first, second)]
    assert made[0].sha256 == made[1].sha256
    assert (made[0].class_names, made[0].dimensions) == (class_names, 128)
    assert classifier.load_or_train(None, source, epochs=1)[1] == class_names
    assert len(calls) == 2


def test_keras_itself_reads_the_file(trained, pictures, tmp_path):
    classifier.write(tmp_path / "c.keras", trained, ("dark", "bright"))
    model = keras.saving.load_model(tmp_path / "c.keras")
    images = pictures.images[:4]
    np.testing.assert_array_equal(
        model.predict(images, verbose=0), trained.predict(images, verbose=0)
    )


@pytest.mark.parametrize("content", ["no", '{"names": 3}', '{"names": [3]}'])
def test_names_that_are_none(trained, tmp_path, content):
    trained.save(tmp_path / "c.keras")
    keras_files.add_asset(tmp_path / "c.keras", "assets/class_names.json", content)
    with pytest.raises(ValueError, match=r"assets/class_names\.json in .*c\.keras"):
        classifier.read_class_names(tmp_path / "c.keras")


@pytest.mark.parametrize("labels", [None, np.zeros(80, int)])
def test_one_class_only(pictures, labels):
    with pytest.raises(ValueError, match="`labels` must hold at least two classes"):
        train_classifier(pictures.images, labels)
