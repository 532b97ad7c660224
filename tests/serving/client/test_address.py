import pytest

from keras_sagan.serving.client.address import Address, parse_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("grpc://localhost/m", Address("grpc", "localhost", 8500, "m")),
        ("grpcs://h:1/m/versions/3", Address("grpcs", "h", 1, "m", 3)),
        ("http://h/v1/models/m", Address("http", "h", 8501, "m")),
        ("https://h/v1/models/m/labels/a", Address("https", "h", 443, "m", None, "a")),
        ("http://h:8080/v2/models/m", Address("http", "h", 8080, "m", protocol="v2")),
        (
            "https://h/v2/models/m/versions/3",
            Address("https", "h", 443, "m", 3, protocol="v2"),
        ),
        ("grpc://[::1]:9/a%20b", Address("grpc", "::1", 9, "a b")),
    ],
)
def test_parts(url, address):
    assert parse_address(url) == address


def test_target_and_path():
    address = parse_address("http://[::1]:9/v1/models/a%20b/versions/2")
    assert address.target == "[::1]:9"
    assert address.rest_path == "/v1/models/a%20b/versions/2"
    second = parse_address("https://h/v2/models/a%20b/versions/2")
    assert second.rest_path == "/v2/models/a%20b/versions/2"
    labelled = parse_address("grpc://h/m/labels/x%2Fy")
    assert labelled.label == "x/y"
    assert labelled.rest_path == "/v1/models/m/labels/x%2Fy"


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8500/m",
        "ftp://h/m",
        "grpc://h",
        "grpc://h/",
        "grpc:///m",
        "grpc://h:port/m",
        "grpc://h:70000/m",
        "http://h/v1/models/m:predict",
        "http://h/v1/models/m/versions/two",
        "http://h/v1/models/m?x=1",
        "http://h/v2/models/m",
        "http://h:8080/v2/models/m/labels/a",
        "http://h:8080/v2/models/m/infer",
        "grpc://h:8001/v2/models/m",
        "http://h/v3/models/m",
        "http://user:password@h/m",
    ],
)
def test_other_urls_are_refused(url):
    with pytest.raises(ValueError, match=r"`url` must be like .* Received: "):
        parse_address(url)
