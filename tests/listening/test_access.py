"""The rule; the tests of the REST server and the explorer ask servers that keep it."""

import socket

import pytest

from keras_sagan.listening.access import Access, bearer, check_token, is_loopback

TOKEN = "0123456789abcdef"


def status(access, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    refusal = access.refusal(headers)
    return refusal and refusal.status


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:8501",
        "localhost.:8501",
        "glyphs.localhost:8501",
        "127.0.0.1:8501",
        "[::1]:8501",
        "10.0.0.7",
        "[fe80::1]:8501",
        "models.example",
        "models.example:443",
        "MODELS.example.",
    ],
)
@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0"])
def test_hosts_that_are_answered(bound, host):
    assert status(Access(bound, ["models.example"]), Host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8501",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "xlocalhost",
        "sub.models.example",
        "evil.example@localhost.evil.example",
        "127.1.evil.example",
        "",
        ":8501",
        "[::1",
        "localhost evil",
    ],
)
@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0", ""])
def test_hosts_that_are_not(bound, host):
    refusal = Access(bound, ["models.example"]).refusal({"Host": host})
    assert refusal.status == 403
    assert "--allowed-host" in refusal.message and repr(host) in refusal.message


def test_the_name_of_the_machine_where_others_can_reach_it():
    name = socket.gethostname()
    assert status(Access("0.0.0.0"), Host=f"{name}:1") is None
    assert status(Access("0.0.0.0"), Host=f"{name}.evil.example:1") == 403
    assert status(Access("gpu-box"), Host="gpu-box:1") is None


@pytest.mark.parametrize(
    ("headers", "answered"),
    [
        ({"Origin": "http://localhost:8501"}, True),
        ({"Origin": "http://localhost:3000"}, False),  # another program's page
        ({"Origin": "http://localhost"}, False),
        ({"Origin": "https://localhost:8501"}, True),  # encrypted up to a proxy
        ({"Origin": "https://models.example"}, True),
        ({"Origin": "https://models.example:444"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://models.example.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, False),
        (  # a link in another page
            {
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "document",
            },
            True,
        ),
        (
            {
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "iframe",
            },
            False,
        ),
        ({"Origin": "https://models.example", "Sec-Fetch-Site": "cross-site"}, True),
    ],
)
def test_origins(headers, answered):
    access = Access("127.0.0.1", ["models.example"])
    refusal = access.refusal({"Host": "localhost:8501", **headers})
    assert (refusal is None) == answered
    if refusal:
        assert refusal.status == 403 and "other sites" in refusal.message


def test_without_a_host():
    assert status(Access("127.0.0.1")) is None
    assert status(Access("127.0.0.1"), Origin="http://evil.example") == 403


def test_a_token_is_all_that_is_looked_at():
    access = Access("0.0.0.0", token=TOKEN)
    right = bearer(TOKEN)
    assert status(access, Host="any.example", Authorization=right) is None
    wrong = [None, "", TOKEN, f"bearer {TOKEN}", f"{right} ", "Bearer é", right[1:]]
    for header in wrong:
        headers = {"Host": "localhost"} | ({"Authorization": header} if header else {})
        refusal = access.refusal(headers)
        assert refusal.status == 401
        assert TOKEN not in refusal.message
        assert not access.token_fits(header)
    assert Access("0.0.0.0").token_fits(None)


@pytest.mark.parametrize("token", ["", "a b", "é" * 20, "a\nb", "a=b", "=", None, 7])
def test_what_is_no_token(token):
    with pytest.raises(ValueError, match="`token` must consist of letters"):
        check_token(token)


def test_a_token_is_not_shown():
    with pytest.raises(ValueError, match="`token` must") as error:
        check_token("almost secret")
    assert "secret" not in str(error.value)


def test_a_token_that_could_be_guessed():
    with pytest.raises(ValueError, match=r"at least 16 characters. Received: 15"):
        Access("127.0.0.1", token=TOKEN[1:])


@pytest.mark.parametrize("name", ["", "http://x", "x:80", "x/y", "*:1", "[", "a@b"])
def test_what_is_no_name(name):
    with pytest.raises(ValueError, match="`allowed_hosts` must be names without"):
        Access("127.0.0.1", [name])


def test_loopback():
    assert all(map(is_loopback, ["127.0.0.1", "127.9.9.9", "::1", "localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "gpu-box", ""]))
