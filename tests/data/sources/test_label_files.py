import unicodedata

import numpy as np
import pytest
from PIL import Image

from keras_sagan.data import load
from keras_sagan.data.sources import folder, label_files

# What is refused is in test_bad_inputs.


def pictures(root, names):
    for i, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 10 * i).save(root / name)


def test_csv(tmp_path):
    pictures(tmp_path, ["b.png", "a.png", "deep/er/c.png"])
    text = '\ufeffFile, Label\r\nb.png,cat\r\n\r\ndeep/er/c.png,an "owl"\na.png, cat\n'
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8", newline="")
    source = load(f"folder:{tmp_path}", 8, 1)
    assert source.class_names == ('an "owl"', "cat")
    images, labels = source.arrays()
    np.testing.assert_array_equal(labels, [1, 1, 0])  # a, b, c
    np.testing.assert_array_equal(images[:, 0, 0, 0], [10, 0, 20])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["10", "9"], ("9", "10")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["10", "-1", "9", "-2", "08"], ("-2", "-1", "08", "9", "10")),
    ],
)
def test_classes_are_sorted_by_number_where_all_are(tmp_path, names, expected):
    pictures(tmp_path, [f"{name}.png" for name in names])
    rows = "".join(f"{name}.png,{name}\n" for name in names)
    (tmp_path / "labels.csv").write_text("file,label\n" + rows)
    assert folder.list_pictures(tmp_path).class_names == expected


def test_json(tmp_path):
    pictures(tmp_path, ["00000/img0.png", "00000/img1.png", "00001/img2.png"])
    (tmp_path / "dataset.json").write_text(
        '{"labels": [["00001/img2.png", 0], ["00000/img0.png", 2],'
        ' ["00000/img1.png", 0]]}'
    )
    listing = folder.list_pictures(tmp_path)
    assert listing.class_names == ("0", "1", "2")
    assert listing.labels == (2, 0, 0)


def test_json_without_labels(tmp_path):
    pictures(tmp_path, ["00000/img0.png", "00000/img1.png"])
    (tmp_path / "dataset.json").write_text('{"labels": null}')
    source = load(f"folder:{tmp_path}", 8, 2)
    assert source.class_names is None
    assert source.num_examples == 2


def test_hidden_files_and_links_to_folders_are_left_out(tmp_path):
    pictures(tmp_path, ["1.png", ".git/2.png"])
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "labels.csv").write_text("file,label\n1.png,x\n")
    listing = folder.list_pictures(tmp_path)
    assert [file.name for file in listing.files] == ["1.png"]
    assert listing.problems == ()
    assert listing.notes == (f"{tmp_path}/again: a link, not followed",)


def test_as_other_programs_write_it(tmp_path):
    """Cells that fill a row up, "./" before a path, names composed or decomposed."""
    composed, decomposed = (
        unicodedata.normalize(x, "\xe9.png") for x in ("NFC", "NFD")
    )
    pictures(tmp_path, ["1.png", decomposed])
    rows = f"file,label,\n./1.png,x,,\n{composed},y\n,,\n"
    (tmp_path / "labels.csv").write_text(rows)
    listing = folder.list_pictures(tmp_path)
    assert listing.problems == ()
    assert [file.name for file in listing.files] == ["1.png", decomposed]
    assert listing.labels == (0, 1)


def test_two_pictures_whose_names_look_the_same(tmp_path):
    names = [unicodedata.normalize(form, "\xe9.png") for form in ("NFC", "NFD")]
    pictures(tmp_path, names)
    (tmp_path / "labels.csv").write_text(f"file,label\n{names[0]},x\n")
    (problem,) = folder.list_pictures(tmp_path).problems
    assert f"two pictures called {names[0]!r}" in problem


def test_find(tmp_path):
    assert label_files.find(tmp_path) == []
    (tmp_path / "labels.csv").mkdir()
    assert label_files.find(tmp_path) == []


@pytest.mark.parametrize(
    "written",
    ["cats\\Tom.png", "cats/Tom", "/old/cats/Tom.png", "Cats/tom.PNG", "Tom.png"],
)
def test_names_that_nearly_match(tmp_path, written):
    pictures(tmp_path, ["cats/Tom.png", "cats/Al.png"])
    (tmp_path / "labels.csv").write_text(f"file,label\n{written},1\ncats/Al.png,0\n")
    (problem, _) = folder.list_pictures(tmp_path).problems
    assert "not in the folder; it has 'cats/Tom.png', which is not " in problem


def test_a_name_that_matches_nothing(tmp_path):
    pictures(tmp_path, ["cats/Tom.png"])
    (tmp_path / "labels.csv").write_text("file,label\nm.png,1\ncats/Tom.png,0\n")
    (problem,) = folder.list_pictures(tmp_path).problems
    assert problem.endswith("lists 'm.png', which is not in the folder")
