import pathlib

import pytest

from keras_sagan.hub import addresses


@pytest.mark.parametrize(
    ("text", "scheme", "handle", "version", "name"),
    [
        ("hf://me/my-cats.v2", "hf", "me/my-cats.v2", None, "my-cats.v2"),
        ("hf://me/cats@v1", "hf", "me/cats", "v1", "cats"),
        ("hf://me/cats@refs/pr/1", "hf", "me/cats", "refs/pr/1", "cats"),
        ("HF://me/cats", "hf", "me/cats", None, "cats"),
        ("kaggle://me/sagan/keras/cats", "kaggle", "me/sagan/keras/cats", None, "cats"),
        (
            "kaggle://me/sagan/keras/cats/3",
            "kaggle",
            "me/sagan/keras/cats",
            "3",
            "cats",
        ),
    ],
)
def test_addresses(text, scheme, handle, version, name):
    assert addresses.is_address(text)
    found = addresses.parse(text)
    assert (found.scheme, found.handle, found.version) == (scheme, handle, version)
    assert found.name == name
    assert str(found) == text.replace("HF", "hf")
    assert addresses.parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("hf://cats", "hf://USER/NAME"),
        ("hf://me/cats/1", "hf://USER/NAME"),
        ("hf://me/../cats", "hf://USER/NAME"),
        ("hf://", "hf://USER/NAME"),
        ("kaggle://me/cats", "kaggle://USER/MODEL/FRAMEWORK/VARIATION"),
        ("kaggle://me/cats/keras/small/newest", "kaggle://USER/MODEL"),
        ("gs://me/cats", "hf://USER/NAME.*kaggle://"),
        ("cats", "hf://USER/NAME.*kaggle://"),
    ],
)
def test_other_forms(text, form):
    with pytest.raises(ValueError, match=rf"must be {form}.*Received: '{text}'"):
        addresses.parse(text)


@pytest.mark.parametrize("name", ["cats", "gs://me/cats", pathlib.Path("hf://me/cats")])
def test_no_address(name):
    assert not addresses.is_address(name)
