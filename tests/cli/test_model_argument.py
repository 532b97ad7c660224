import pytest

from keras_sagan.cli import model_argument
from keras_sagan.cli.main import main


@pytest.mark.parametrize(
    ("command", "may_be"),
    [
        ("sample", model_argument.ANY),
        ("attention", model_argument.ANY),
        ("explore", model_argument.ANY),
        ("evaluate", model_argument.ANY),
        ("export", model_argument.TRAINED),
        ("serve", model_argument.EXPORTED),
        ("report", model_argument.RUN),
    ],
)
def test_help_says_what_a_model_may_be(command, may_be, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert may_be in " ".join(capsys.readouterr().out.split())
