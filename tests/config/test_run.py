import json

import pytest

from keras_sagan.config.evaluation import EvaluationConfig
from keras_sagan.config.run import SETTINGS, RunConfig, field_of
from tests.config.sections import SECTIONS, run_config


def test_json_round_trip():
    config = run_config()
    restored = RunConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert restored == config
    assert restored.model.attention_resolutions == (8, 32)
    assert restored.evaluation.selected_metrics == ("prdc", "is")


def test_a_run_of_before_there_was_evaluation():
    values = run_config().to_dict()
    del values["evaluation"]
    assert RunConfig.from_dict(values).evaluation == EvaluationConfig()


def test_a_run_of_before_there_were_gradient_penalties():
    values = run_config().to_dict()
    for section, name in [
        ("training", "r1_gamma"),
        ("training", "r2_gamma"),
        ("model", "d_base_filters"),
        ("model", "g_spectral_norm"),
        ("model", "d_spectral_norm"),
    ]:
        del values[section][name]
    config = RunConfig.from_dict(values)
    assert (config.training.r1_gamma, config.training.r2_gamma) == (0, 0)
    assert config.model.d_base_filters is None
    assert config.model.g_spectral_norm and config.model.d_spectral_norm


def test_from_dict_checks_the_sections():
    values = run_config().to_dict()
    del values["model"]["latent_dim"]
    with pytest.raises(ValueError, match=r"ModelConfig.*missing: \['latent_dim'\]"):
        RunConfig.from_dict(values)


def test_override_changes_several_fields_at_once():
    config = run_config()
    # Either change alone is not allowed: attention at 32 needs an image of 32.
    changed = config.override(
        {"model.image_size": 32, "model.attention_resolutions": [32], "data.split": "a"}
    )
    assert changed.model.image_size == 32
    assert changed.model.attention_resolutions == (32,)
    assert changed.data.split == "a"
    assert changed.training == config.training
    assert config.model.image_size == 64


def test_override_suggests_the_nearest_setting():
    with pytest.raises(ValueError, match=r"Did you mean 'training\.batch_size'"):
        run_config().override({"training.batchsize": 3})


def test_settings_list_every_field():
    assert len(SETTINGS) == sum(len(values) for _, values in SECTIONS)
    assert field_of("training.steps").type is int
