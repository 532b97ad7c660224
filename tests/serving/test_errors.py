import grpc

from keras_sagan.serving.errors import (
    HTTP_STATUS,
    Code,
    ServingError,
    code_of_http,
    invalid,
)


def test_codes_are_those_of_grpc():
    assert {code.value[0]: code.name for code in grpc.StatusCode} == {
        int(code): code.name for code in Code
    }
    assert set(HTTP_STATUS) == set(Code)


def test_http_statuses_that_mean_one_code_come_back():
    for code in (Code.NOT_FOUND, Code.UNAVAILABLE, Code.INVALID_ARGUMENT):
        assert code_of_http(HTTP_STATUS[code]) is code
    assert code_of_http(422) is Code.INVALID_ARGUMENT  # FastAPI, of a body
    assert code_of_http(418) is Code.UNKNOWN


def test_message_names_the_code():
    error = invalid("no")
    assert isinstance(error, ServingError)
    assert str(error) == "INVALID_ARGUMENT: no"
