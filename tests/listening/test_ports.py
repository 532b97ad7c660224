import pytest

from keras_sagan.listening.ports import check_port, is_port, listen


@pytest.mark.parametrize("port", [-1, 65536, 70000, 1.0, "80", True, None])
def test_what_is_no_port(port):
    assert not is_port(port)
    with pytest.raises(ValueError, match=r"`rest_port` must be an integer in \[0, 655"):
        check_port(port, "rest_port")
    with pytest.raises(ValueError, match=r"`port` must be .* Received: "):
        listen(port=port)


def test_ports():
    assert check_port(0) == 0 and check_port(65535) == 65535
    assert not is_port(0, least=1)
    assert is_port(1, least=1)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_in_use(host):
    with listen(host) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"Port {port} of {host} is in use.*--port"):
            listen(host, port)
        with pytest.raises(OSError, match="another --rest-port"):
            listen(host, port, "rest_port")


def test_an_address_that_this_machine_does_not_have():
    with pytest.raises(OSError, match=r"Port 0 of 203.0.113.1 cannot be had"):
        listen("203.0.113.1")
