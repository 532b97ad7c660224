"""Where the weights of the FID network come from."""

import hashlib
import http.server
import threading

import pytest

from keras_sagan.metrics.extractors import inception_weights


@pytest.fixture
def server(tmp_path_factory):
    """A local web server and its folder."""
    folder = tmp_path_factory.mktemp("served")
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            requests.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}", folder, requests
        running.shutdown()
        thread.join()


def test_download_is_verified_and_kept(server, tmp_path):
    url, folder, requests = server
    (folder / "w.pth").write_bytes(b"weights" * 1000)
    sha256 = hashlib.sha256(b"weights" * 1000).hexdigest()
    path = inception_weights.download(tmp_path, f"{url}/w.pth", sha256)
    assert path.read_bytes() == b"weights" * 1000
    assert inception_weights.download(tmp_path, f"{url}/w.pth", sha256) == path
    assert len(requests) == 1
    assert [x.name for x in tmp_path.iterdir()] == ["w.pth"]


def test_other_content_is_refused(server, tmp_path):
    url, folder, _ = server
    (folder / "w.pth").write_bytes(b"weights")
    with pytest.raises(RuntimeError, match=r"SHA-256 .*, not 0+\. .*--weights PATH"):
        inception_weights.download(tmp_path, f"{url}/w.pth", "0" * 64)
    assert not list(tmp_path.iterdir())


def test_no_network(tmp_path):
    with pytest.raises(RuntimeError, match=r"could not be downloaded.*classifier"):
        inception_weights.download(tmp_path, "http://127.0.0.1:1/w.pth", "0" * 64)


def test_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    name = inception_weights.URL.rpartition("/")[2]
    assert inception_weights.SHA256[:8] in name
    (tmp_path / "keras_sagan").mkdir()
    (tmp_path / "keras_sagan" / name).write_bytes(b"no weights")
    with pytest.raises(ValueError, match="cannot be read as a PyTorch file"):
        inception_weights.load()


def test_sha256_of_a_file(inception_file, inception_model):
    wanted = hashlib.sha256(inception_file.read_bytes()).hexdigest()
    assert inception_model[1] == wanted
    with pytest.raises(FileNotFoundError):
        inception_weights.load(inception_file.with_name("nothing.pth"))
