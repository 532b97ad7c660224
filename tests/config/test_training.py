import pytest

from keras_sagan.config.training import (
    LoggingConfig,
    OptimizerConfig,
    StepConfig,
    TrainingConfig,
)
from tests.config.sections import TRAINING


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("g_learning_rate", 0.0),
        ("d_learning_rate", float("nan")),
        ("decay_steps", 0),
        ("decay_to", 1.5),
        ("beta_1", -0.1),
        ("beta_2", 1.0),
        ("epsilon", "1e-8"),
    ],
)
def test_optimizer_errors_name_argument_and_value(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` of OptimizerConfig.*Received: "):
        OptimizerConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 0),
        ("steps", None),
        ("minutes", 0),
        ("loss", "mse"),
        ("r1_gamma", -0.1),
        ("r2_gamma", float("inf")),
        ("discriminator_steps", 0),
        ("ema_decay", 1.0),
        ("ema_start", -1),
        ("gradient_accumulation_steps", 0),
        ("seed", -1),
        ("dtype_policy", "mixed_float16"),
        ("seed", 2**32),
        ("steps", "many"),
    ],
)
def test_training_errors_name_argument_and_value(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` of TrainingConfig.*Received: "):
        TrainingConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("log_every", 0),
        ("sample_every", 0),
        ("checkpoint_every", 1.5),
        ("keep_checkpoints", 0),
    ],
)
def test_logging_errors_name_argument_and_value(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` of LoggingConfig.*Received: "):
        LoggingConfig(**{name: value})


def test_an_int_serves_as_float():
    assert type(TrainingConfig(minutes=3).minutes) is float


def test_examples_per_step():
    assert TrainingConfig(**TRAINING).examples_per_step == 3 * 4 * 2


def test_the_step_is_part_of_training():
    """In the order that `config.json` has had since 0.1.0."""
    assert list(TrainingConfig().to_dict()) == list(TRAINING)
    assert StepConfig().to_dict().items() <= TrainingConfig().to_dict().items()
