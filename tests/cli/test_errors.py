import pytest

from keras_sagan.cli.errors import UserError, user_errors


@pytest.mark.parametrize("kind", [ValueError, FileExistsError, RuntimeError])
def test_complaints_become_user_errors(kind):
    with pytest.raises(UserError, match="too small") as caught, user_errors():
        raise kind("too small")
    assert isinstance(caught.value.__cause__, kind)


@pytest.mark.parametrize("kind", [TypeError, KeyboardInterrupt])
def test_other_errors_stay(kind):
    with pytest.raises(kind), user_errors():
        raise kind
