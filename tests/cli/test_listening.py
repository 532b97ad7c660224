import argparse

import pytest

from keras_sagan.cli import listening

TOKEN = "0123456789abcdef"


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    listening.add_host_options(parser)
    listening.add_token_file(parser, "token")
    return parser.parse_args(arguments)


def test_hosts():
    options = parsed()
    assert (options.host, options.allowed_host) == ("127.0.0.1", [])
    options = parsed("--host", "::", "--allowed-host", "a", "--allowed-host", "b")
    assert (options.host, options.allowed_host) == ("::", ["a", "b"])
    assert listening.in_url("::") == "[::]"
    assert listening.in_url("10.0.0.1") == "10.0.0.1"


def test_tokens(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_SAGAN_TOKEN", raising=False)
    assert listening.read_token(parsed()) is None
    monkeypatch.setenv("KERAS_SAGAN_TOKEN", f"{TOKEN}-environment")
    assert listening.read_token(parsed()) == f"{TOKEN}-environment"
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert listening.read_token(parsed("--token-file", str(file))) == TOKEN


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff" * 20, b"x\ny"])
def test_what_is_no_token(tmp_path, monkeypatch, content):
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"--token-file .*token: `token` must") as no:
        listening.read_token(parsed("--token-file", str(file)))
    assert "words" not in str(no.value)
    monkeypatch.setenv("KERAS_SAGAN_TOKEN", "")  # a variable that was to have one
    with pytest.raises(ValueError, match="variable KERAS_SAGAN_TOKEN: `token` must"):
        listening.read_token(parsed())


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        listening.read_token(parsed("--token-file", str(tmp_path / "missing")))


@pytest.mark.parametrize("text", ["-1", "65536", "70000", "x", "1.5", ""])
def test_what_is_no_port(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"in \[0, 65535\]. Received:"):
        listening.port(text)


def test_ports():
    assert listening.port("0") == 0 and listening.port("65535") == 65535


@pytest.mark.parametrize(
    ("host", "has_token", "text"),
    [
        ("127.0.0.1", False, ""),
        ("localhost", True, ""),
        ("0.0.0.0", False, "whoever can reach 0.0.0.0 can use it"),
        ("0.0.0.0", True, "nothing is encrypted: whoever sees a request knows the"),
    ],
)
def test_warning(host, has_token, text, capsys):
    warned = listening.warn_if_reachable(host, has_token, " (advice)")
    printed = capsys.readouterr().err
    assert warned == bool(text)
    assert text in printed
    assert ("(advice)" in printed) == (warned and not has_token)
