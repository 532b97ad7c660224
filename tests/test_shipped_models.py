"""The trained models in `saved_models/`, each an export and a preset."""

import json

import numpy as np
import pytest

from keras_sagan.runs import loading
from tests.helpers import ROOT

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
    card = json.loads((folder / "1" / "assets.extra" / "model.json").read_text())
    [metrics] = card["metrics"]
    assert metrics["scores"]["coverage_classifier"] > 0.7
    assert metrics["protocol"]["seed"] == 0
    assert card["training"]["settings"]["training"]["seed"] == 0
    text = (folder / "preset" / "README.md").read_text()
    for name in metrics["scores"]:
        assert name in text


@pytest.mark.parametrize("folder", _MODELS, ids=lambda folder: folder.name)
def test_they_are_small(folder):
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    assert sum(sizes) < 4e6
