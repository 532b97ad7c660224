import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.cli.explored import open_explored
from keras_sagan.runs import load_trained
from tests.helpers import ROOT

GLYPHS = ROOT / "saved_models" / "glyphs"


def test_a_run_shows_both_networks(run_directory):
    explored = open_explored(run_directory)
    gan = load_trained(run_directory)
    assert (explored.name, explored.image_size) == ("tiny", 32)
    assert explored.classes == ["blue", "red"]
    assert explored.layers == ["generator/attention_16", "discriminator/attention_16"]
    latents = explored.latents([7, 8], 0.5)
    assert latents.shape == (2, 128) and abs(latents).max() <= 0.5
    _, maps = explored.view(explored.latents([8], None)[0], 1)
    expected = gan.attention_maps(labels=[1], seed=8)
    assert list(maps) == list(expected) == explored.layers
    for name, attention in maps.items():
        np.testing.assert_array_equal(attention, expected[name][0])


@pytest.mark.parametrize("path", [GLYPHS, GLYPHS / "1"])
def test_an_export_and_its_directory_of_versions(path):
    explored = open_explored(path)
    assert (explored.name, explored.image_size) == ("glyphs/1", 32)
    assert explored.classes == list("0123456789")
    assert explored.layers == ["generator/attention_16"]
    image, maps = explored.view(explored.latents([3], None)[0], 4)
    assert image.shape == (32, 32, 3) and image.dtype == np.uint8
    assert maps["generator/attention_16"].shape == (256, 64)
    np.testing.assert_allclose(maps["generator/attention_16"].sum(axis=1), 1, rtol=1e-5)


def test_an_export_of_unknown_classes(tmp_path):
    shutil.copytree(GLYPHS / "1", tmp_path / "1")
    card = tmp_path / "1" / "assets.extra" / "model.json"
    content = json.loads(card.read_text())
    del content["class_names"]
    for change in (lambda: card.write_text(json.dumps(content)), card.unlink):
        change()
        with pytest.raises(ValueError, match="does not say which classes it has"):
            open_explored(tmp_path)


def test_an_export_of_something_else(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda x: {"y": 2 * x}, [tf.TensorSpec([None], tf.float32)])
    tf.saved_model.save(module, tmp_path / "1", signatures=module.f)
    with pytest.raises(ValueError, match="is no export of `keras-sagan export`"):
        open_explored(tmp_path / "1")


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no trained model"):
        open_explored(tmp_path / "no")
