import io
import zipfile

import keras
import numpy as np
import pytest

from keras_sagan.files import keras_files
from tests.fuzz import mutations


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The bytes of a small `.keras` file."""
    path = tmp_path_factory.mktemp("keras") / "x.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).save(path)
    return path.read_bytes()


def changed(content, name, change):
    """The archive with one entry changed."""

    def edit(entry, data):
        return entry, change(data) if entry == name else data, zipfile.ZIP_STORED

    return mutations.repacked(content, edit)


def with_entry(content, name):
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(name, b"x")
    return file.getvalue()


def test_a_model_of_ones_own(content, tmp_path):
    (tmp_path / "x.keras").write_bytes(content)
    model = keras_files.load(tmp_path / "x.keras")
    assert model(np.zeros((1, 2))).shape == (1, 3)


LAMBDA = b"""{"module": "keras.layers", "class_name": "Lambda", "config": {"name": "x",
"function": {"class_name": "__lambda__", "config": {"code": "4wAA"}}}}"""
SYSTEM = b'{"module": "os", "class_name": "function", "config": "system"}'
ELSEWHERE = b"""{"class_name": "Sequential", "module": "keras", "config": {"layers": [{
"class_name": "TFSMLayer", "module": "keras.layers", "config": {"filepath": "/x"}}]}}"""
RENAMED = ELSEWHERE.replace(b"TFSM", b"layers.TFSM").replace(b"keras.layers", b"keras")
DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: with_entry(x, "../../evil.txt"), "entry '../../evil.txt'"),
        (lambda x: with_entry(x, "assets/../../evil"), "entry 'assets/../../evil'"),
        (lambda x: with_entry(x, "/etc/evil"), "entry '/etc/evil'"),
        (lambda x: changed(x, "model.weights.h5", lambda _: b"x"), "file of weights"),
        (lambda x: changed(x, "config.json", lambda _: DEEP), "not JSON"),
        (lambda x: changed(x, "config.json", lambda _: ELSEWHERE), "has a TFSMLayer"),
        (lambda x: changed(x, "config.json", lambda _: RENAMED), "has a TFSMLayer"),
        (
            lambda x: changed(x, "config.json", lambda _: LAMBDA),
            "cannot be built",
        ),
        (
            lambda x: changed(x, "config.json", lambda _: SYSTEM),
            "cannot be built",
        ),
        (lambda x: x[:-30], "cannot be read"),
    ],
)
def test_crafted_files_are_refused(content, tmp_path, change, message):
    path = tmp_path / "x.keras"
    path.write_bytes(change(content))
    with pytest.raises(ValueError, match=rf"(?s)x\.keras' .*{message}"):
        keras_files.load(path)
    assert sorted(x.name for x in tmp_path.iterdir()) == ["x.keras"]


def test_assets(tmp_path):
    path = tmp_path / "m.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    assert keras_files.read_asset(path, "assets/a.json") is None
    keras_files.add_asset(path, "assets/a.json", "{}")
    assert keras_files.read_asset(path, "assets/a.json") == b"{}"
    assert keras_files.load(path).count_params() == 3
    keras_files.add_asset(path, "assets/large", " " * (1 << 20) + " ")
    with pytest.raises(ValueError, match="assets/large must have at most 1048576"):
        keras_files.read_asset(path, "assets/large")
