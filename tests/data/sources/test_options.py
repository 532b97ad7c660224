import pytest

from keras_sagan.data.sources import options

USAGE = "written so."


def parse(text):
    return options.parse("x", text, ("image", "label"), USAGE)


def test_paths_and_options(tmp_path):
    assert parse("a/b") == ("a/b", {})
    assert parse("a:b") == ("a:b", {})
    assert parse("a:b:image=c/d") == ("a:b", {"image": "c/d"})
    assert parse("a:label=x,image=y") == ("a", {"image": "y", "label": "x"})


def test_a_file_may_be_called_so(tmp_path):
    path = tmp_path / "a:image=b"
    path.touch()
    assert parse(str(path)) == (str(path), {})


@pytest.mark.parametrize(
    "text", ["a:images=b", "a:image=", "a:image=b,c", "a:image=b,image=c"]
)
def test_what_is_no_option(text):
    with pytest.raises(ValueError, match=rf"`name`: {USAGE} Received: 'x:{text}'"):
        parse(text)
