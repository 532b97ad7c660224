"""Names of extractors: mistakes are known before anything is loaded."""

import pytest

from keras_sagan.metrics.extractors import naming


def test_parts(tmp_path):
    (tmp_path / "c.keras").touch()
    assert naming.parse("inception") == ("inception", "")
    assert naming.parse("classifier") == ("classifier", "")
    assert naming.parse("classifier:new.keras") == ("classifier", "new.keras")
    assert naming.parse("applications:ResNet50") == ("applications", "ResNet50")
    assert naming.parse(f"saved_model:{tmp_path}") == ("saved_model", str(tmp_path))
    name = f"keras:{tmp_path / 'c.keras'}"
    assert naming.parse(name) == ("keras", str(tmp_path / "c.keras"))


def test_a_file_in_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    home = ("classifier", str(tmp_path / "c.keras"))
    assert naming.parse("classifier:~/c.keras") == home


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("classifier:gs://bucket/c.keras", "not a path on this machine"),
        ("fid", "must be inception, dinov2"),
        ("inception:", "must be inception, dinov2"),
        ("keras:", "must be inception, dinov2"),
        ("applications:resnet", "name of a network in keras.applications"),
        ("classifier:foo", "must name a file that ends in .keras"),
        ("keras:foo.h5", "must name a file that ends in .keras"),
    ],
)
def test_wrong_forms(name, message):
    with pytest.raises(ValueError, match=message):
        naming.parse(name)


@pytest.mark.parametrize("name", ["keras:gone.keras", "saved_model:gone"])
def test_files_that_have_to_be_there(name):
    with pytest.raises(FileNotFoundError, match="there is no 'gone"):
        naming.parse(name)
