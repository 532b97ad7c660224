"""The trained models in `saved_models/`, each an export and a preset."""

import json

import numpy as np
import pytest

from keras_sagan.export import card
from keras_sagan.runs import loading
from tests.helpers import ROOT

_WITHOUT_INTERVAL = (
    "kid_deviation",
    "vendi_of_real",
    "memorization_score",
    "memorization_distance_ratio",
    "memorization_copies",
)
_MODELS = [ROOT / "saved_models" / name for name in ("fashion_mnist", "glyphs")]


@pytest.mark.parametrize("folder", _MODELS, ids=lambda folder: folder.name)
def test_both_forms_draw_the_same_pictures(folder):
    trained, exported = loading.load_trained(folder), loading.open_model(folder)
    labels = list(range(10))
    pictures = trained.generate(labels, seed=0)
    difference = np.abs(pictures.astype(int) - exported.generate(labels, seed=0))
    assert difference.max() <= 1
    assert len({picture.tobytes() for picture in pictures}) == 10
    assert trained.compiled


@pytest.mark.parametrize("folder", _MODELS, ids=lambda folder: folder.name)
def test_cards_have_the_scores_and_how_they_were_measured(folder):
    content = json.loads((folder / "1" / "assets.extra" / card.FILE).read_text())
    quality, memorization, *_ = content["metrics"]
    assert quality["scores"]["coverage_classifier"] > 0.7
    assert memorization["scores"]["memorization_copies_classifier"] == 0
    assert content["training"]["settings"]["training"]["seed"] == 0
    for result in content["metrics"]:
        assert result["protocol"]["seed"] == 0
        for name, score in result["scores"].items():
            if not name.startswith(_WITHOUT_INTERVAL):
                low, high = result["intervals"][name]
                assert low <= score <= high
    assert all(low < high for low, high in quality["intervals"].values())


@pytest.mark.parametrize("folder", _MODELS, ids=lambda folder: folder.name)
def test_all_cards_of_a_model_say_the_same(folder):
    extra = folder / "1" / "assets.extra"
    content = json.loads((extra / card.FILE).read_text())
    assert (extra / card.TEXT).read_text() == card.as_text(content)
    size = content["generator"]["image_size"]
    content["name"] = f"SAGAN, {size} x {size}"
    assert (folder / "preset" / card.TEXT).read_text() == card.preset_text(content)


@pytest.mark.parametrize("folder", _MODELS, ids=lambda folder: folder.name)
def test_they_are_small(folder):
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    assert sum(sizes) < 4e6
