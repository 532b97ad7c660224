import pytest

from keras_sagan.serving.errors import Code, ServingError
from keras_sagan.serving.server.admission import Admission
from keras_sagan.serving.server.served_model import ServedModel

OLD, NEW = object(), object()
MODEL = ServedModel("m", {1: OLD, 2: NEW}, {"stable": 1}, Admission(1, 1))


def test_the_version_asked_for():
    assert MODEL.find("m") == (2, NEW)
    assert MODEL.find("m", version=1) == (1, OLD)
    assert MODEL.find("m", label="stable") == (1, OLD)


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ({"name": "x"}, Code.NOT_FOUND, r"Latest\(x\)"),
        ({"name": "x", "version": 1}, Code.NOT_FOUND, r"Specific\(x, 1\)"),
        ({"name": "m", "version": 3}, Code.NOT_FOUND, r"Specific\(m, 3\)"),
        ({"name": "m", "label": "x"}, Code.INVALID_ARGUMENT, "version label: x"),
    ],
)
def test_what_is_not_there(asked, code, message):
    with pytest.raises(ServingError, match=message) as refused:
        MODEL.find(**asked)
    assert refused.value.code is code
