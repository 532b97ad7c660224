import dataclasses
import json

import pytest

from keras_sagan.config.run import (
    SETTINGS,
    AugmentationConfig,
    DataConfig,
    EvaluationConfig,
    LoggingConfig,
    ModelConfig,
    OptimizerConfig,
    RunConfig,
    TrainingConfig,
)

# Every field at a value that is not its default.
MODEL = {
    "image_size": 64,
    "num_classes": None,
    "latent_dim": 7,
    "base_filters": 8,
    "channels": 4,
    "attention_resolutions": (8, 32),
    "attention": "paper",
    "batch_norm_momentum": 0.9,
    "batch_norm_epsilon": 1e-4,
    "kernel_initializer": "orthogonal",
    "activated_shortcut": True,
}
OPTIMIZER = {
    "g_learning_rate": 1e-3,
    "d_learning_rate": 2e-3,
    "beta_1": 0.5,
    "beta_2": 0.9,
    "epsilon": 1e-6,
}
TRAINING = {
    "batch_size": 3,
    "steps": 5,
    "minutes": 1.5,
    "loss": "wasserstein",
    "discriminator_steps": 4,
    "ema_decay": 0.5,
    "ema_start": 6,
    "gradient_accumulation_steps": 2,
    "seed": 9,
    "dtype_policy": "float64",
}
DATA = {
    "dataset": "folder:cats",
    "split": "test",
    "cache_dir": "cache",
    "fit": "pad",
    "real_labels": "balanced",
    "fake_labels": "natural",
}
AUGMENTATION = {
    "policy": "ada",
    "operations": "color,blit",
    "mirror": True,
    "ada_target": 0.5,
    "ada_images": 1000,
}
LOGGING = {
    "log_every": 10,
    "sample_every": 20,
    "checkpoint_every": 30,
    "keep_checkpoints": 4,
}
EVALUATION = {
    "every": 100,
    "metrics": "prdc, is",
    "extractor": "classifier",
    "inception": "weights.pth",
    "split": "test",
    "num_real": 500,
    "num_images": 600,
    "monitor": "recall",
    "mode": "max",
    "keep_best": False,
    "patience": 3,
    "share": 0.5,
    "seed": 4,
}
SECTIONS = [
    (ModelConfig, MODEL),
    (OptimizerConfig, OPTIMIZER),
    (TrainingConfig, TRAINING),
    (DataConfig, DATA),
    (LoggingConfig, LOGGING),
    (AugmentationConfig, AUGMENTATION),
    (EvaluationConfig, EVALUATION),
]


def run_config():
    return RunConfig("mine", *(cls(**kwargs) for cls, kwargs in SECTIONS))


@pytest.mark.parametrize(("cls", "values"), SECTIONS)
def test_table_covers_every_field_at_another_value(cls, values):
    default = cls()
    assert {field.name for field in dataclasses.fields(cls)} == set(values)
    for name, value in values.items():
        assert getattr(default, name) != value
        assert getattr(cls(**values), name) == value


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


@pytest.mark.parametrize("change", ["drop", "add"])
def test_from_dict_names_missing_and_unknown_keys(change):
    values = run_config().to_dict()
    if change == "drop":
        del values["model"]["latent_dim"]
        message = r"ModelConfig.*Unknown: \[\]; missing: \['latent_dim'\]"
    else:
        values["training"]["stepz"] = 3
        message = r"TrainingConfig.*Unknown: \['stepz'\]; missing: \[\]"
    with pytest.raises(ValueError, match=message):
        RunConfig.from_dict(values)


def test_from_dict_refuses_what_is_no_dictionary():
    with pytest.raises(ValueError, match=r"ModelConfig must be given as a dictionary"):
        ModelConfig.from_dict([1])


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        (ModelConfig, "image_size", 33),
        (ModelConfig, "image_size", 32.0),
        (ModelConfig, "num_classes", 0),
        (ModelConfig, "latent_dim", 0),
        (ModelConfig, "base_filters", True),
        (ModelConfig, "channels", 2),
        (ModelConfig, "attention_resolutions", (16, 16)),
        (ModelConfig, "attention_resolutions", (64,)),
        (ModelConfig, "attention_resolutions", 16),
        (ModelConfig, "attention", "none"),
        (ModelConfig, "batch_norm_momentum", 1),
        (ModelConfig, "batch_norm_epsilon", 0),
        (ModelConfig, "kernel_initializer", "zeros"),
        (ModelConfig, "activated_shortcut", 1),
        (OptimizerConfig, "g_learning_rate", 0.0),
        (OptimizerConfig, "d_learning_rate", float("nan")),
        (OptimizerConfig, "beta_1", -0.1),
        (OptimizerConfig, "beta_2", 1.0),
        (OptimizerConfig, "epsilon", "1e-8"),
        (TrainingConfig, "batch_size", 0),
        (TrainingConfig, "steps", None),
        (TrainingConfig, "minutes", 0),
        (TrainingConfig, "loss", "mse"),
        (TrainingConfig, "discriminator_steps", 0),
        (TrainingConfig, "ema_decay", 1.0),
        (TrainingConfig, "ema_start", -1),
        (TrainingConfig, "gradient_accumulation_steps", 0),
        (TrainingConfig, "seed", -1),
        (TrainingConfig, "dtype_policy", "mixed_float16"),
        (DataConfig, "dataset", ""),
        (DataConfig, "split", ""),
        (LoggingConfig, "log_every", 0),
        (LoggingConfig, "sample_every", 0),
        (EvaluationConfig, "every", 0),
        (EvaluationConfig, "metrics", " , "),
        (EvaluationConfig, "num_real", 0),
        (EvaluationConfig, "num_images", 0),
        (EvaluationConfig, "mode", "best"),
        (EvaluationConfig, "patience", 0),
        (EvaluationConfig, "share", 0.0),
        (EvaluationConfig, "share", 1.5),
        (EvaluationConfig, "seed", -1),
    ],
)
def test_errors_name_argument_and_value(cls, name, value):
    with pytest.raises(ValueError, match=rf"`{name}` of {cls.__name__}.*Received: "):
        cls(**{name: value})


def test_an_int_serves_as_float():
    assert type(TrainingConfig(minutes=3).minutes) is float


def test_model_kwargs_are_what_the_networks_take():
    from keras_sagan.models import Discriminator, Generator

    config = dataclasses.replace(
        ModelConfig(**MODEL), num_classes=3, attention_resolutions=(32,)
    )
    for network, kwargs in [
        (Generator, config.generator_kwargs()),
        (Discriminator, config.discriminator_kwargs()),
    ]:
        built = network(**kwargs)
        for name, value in kwargs.items():
            assert getattr(built, name) == value


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


def test_examples_per_step():
    assert TrainingConfig(**TRAINING).examples_per_step == 3 * 4 * 2


def test_sections_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelConfig().image_size = 64
