import pytest

from keras_sagan.config.evaluation import EvaluationConfig


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("every", 0),
        ("metrics", " , "),
        ("num_real", 0),
        ("num_images", 0),
        ("mode", "best"),
        ("patience", 0),
        ("share", 0.0),
        ("share", 1.5),
        ("seed", -1),
        ("seed", 2**32),
    ],
)
def test_errors_name_argument_and_value(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` of EvaluationConfig.*Received: "):
        EvaluationConfig(**{name: value})


def test_metrics_are_names():
    assert EvaluationConfig(metrics=" prdc, is,").selected_metrics == ("prdc", "is")
