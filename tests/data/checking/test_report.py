import json
import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from keras_sagan.data import check


def noise(path, size, mode="RGB"):
    values = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(values).convert(mode).save(path)


@pytest.fixture
def pictures(tmp_path):
    """Two classes of pictures with several sizes and modes."""
    root = tmp_path / "pictures"
    root.mkdir()
    noise(root / "cat" / "1.png", (40, 30))
    noise(root / "cat" / "2.png", (16, 50), "L")
    noise(root / "dog" / "1.png", (33, 32), "P")
    return root


def test_a_sound_folder(pictures):
    report = check(f"folder:{pictures}", image_size=32)
    assert report.problems == ()
    assert report.num_examples == 3
    assert report.class_counts == {"cat": 2, "dog": 1}
    assert report.widths == (16, 33, 40)
    assert report.heights == (30, 32, 50)
    assert report.num_enlarged == 2
    assert report.modes == {"RGB": 1, "L": 1, "P": 1}
    assert report.channels == 3
    assert 0 <= report.value_range[0] < 30
    assert 225 < report.value_range[1] <= 255


def test_as_json_and_as_text(pictures):
    report = check(f"folder:{pictures}", image_size=32)
    loaded = json.loads(json.dumps(report.to_dict()))
    assert loaded["class_counts"] == {"cat": 2, "dog": 1}
    assert loaded["problems"] == []
    text = report.format()
    assert "cat        2  ##############################\n" in text
    assert "dog        1  ###############\n" in text
    assert "problems  none" in text


def test_every_problem_is_listed(pictures):
    (pictures / "cat" / "3.png").write_bytes(b"no picture")
    (pictures / "cat" / "4.png").write_bytes(b"")
    (pictures / "empty").mkdir()
    noise(pictures / "loose.png", (8, 8))
    report = check(f"folder:{pictures}", image_size=8)
    text = "\n".join(report.problems)
    assert f"cannot read picture {pictures}/cat/3.png" in text
    assert f"cannot read picture {pictures}/cat/4.png" in text
    assert "1 classes have no examples: empty" in text
    assert "loose.png" in text
    assert report.num_examples == 3
    assert all(problem in report.format() for problem in report.problems)


def test_the_wrong_depth(pictures):
    report = check(f"folder:{pictures.parent}")
    assert any(f"use 'folder:{pictures}'" in problem for problem in report.problems)
    assert report.num_examples == 0
    assert report.value_range is None
    assert report.format()


def test_a_single_class(pictures):
    (pictures / "dog" / "1.png").unlink()
    (pictures / "dog").rmdir()
    (problem,) = check(f"folder:{pictures}").problems
    assert "all examples have the same class 'cat'" in problem


def test_unlabelled(pictures):
    report = check(f"folder:{pictures / 'cat'}")
    assert report.problems == ()
    assert report.class_counts is None
    assert "unlabelled" in report.format()


def test_flat_pictures(make_folder):
    root = make_folder({"1.png": ((8, 8), 1), "2.png": ((8, 8), 7)})
    (problem,) = check(f"folder:{root}").problems
    assert "every picture has a single colour" in problem


def test_arguments_are_checked(pictures):
    with pytest.raises(ValueError, match="image_size=0"):
        check(f"folder:{pictures}", image_size=0)
    with pytest.raises(ValueError, match="split='test'"):
        check(f"folder:{pictures}", split="test")
    with pytest.raises(FileNotFoundError):
        check("folder:/nowhere")


def test_glyphs(cache_dir):
    report = check("glyphs", image_size=8, split="test", cache_dir=cache_dir)
    assert report.problems == ()
    assert report.class_counts == {str(digit): 200 for digit in range(10)}
    assert report.modes == {"RGB": 2_000}
    assert report.widths == (8, 8, 8)


def test_labels_of_a_tfds_data_set(make_tfds):
    image = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    features = {
        "image": tfds.features.Image(shape=(None, None, 3)),
        "label": tfds.features.ClassLabel(names=["a", "b", "c"]),
    }
    examples = [{"image": image, "label": label} for label in (0, 2, -1, 2)]
    directory = make_tfds("partly", features, examples)
    report = check("tfds:partly", image_size=8, cache_dir=directory)
    assert report.class_counts == {"a": 1, "b": 0, "c": 2}
    assert report.problems == (
        "1 of 4 labels are not in [0, 3), e.g. -1",
        "1 classes have no examples: b",
    )


def test_many_classes_are_cut_in_the_text(make_folder):
    root = make_folder({f"{i:02}/1.png": ((8, 8), i) for i in range(45)})
    report = check(f"folder:{root}", image_size=8)
    assert len(report.class_counts) == 45
    assert "and 5 more classes" in report.format()


def test_copies_and_advice(pictures):
    shutil.copy(pictures / "cat" / "1.png", pictures / "dog" / "9.png")
    with Image.open(pictures / "cat" / "1.png") as picture:
        picture.save(pictures / "cat" / "9.webp", lossless=True)
    report = check(f"folder:{pictures}", image_size=32)
    names = [f"{pictures}/{name}" for name in ("cat/1.png", "cat/9.webp", "dog/9.png")]
    assert report.copies == (tuple(names),)
    assert (report.extra_copies, report.copies_across_classes) == (2, 1)
    assert "copies    2 exact, 0 alike" in report.format()
    assert "in several classes at once" in "\n".join(report.advice)
    assert report.problems == ()


def test_unreadable_files_are_listed_in_full_as_json_only(make_folder):
    root = make_folder({"1.png": ((8, 8), 1)})
    for i in range(30):
        (root / f"bad{i:02}.png").write_text("x")
    report = check(f"folder:{root}", image_size=8)
    assert len(report.unreadable) == len(report.to_dict()["unreadable"]) == 30
    assert len(report.problems) == 31  # and that all others are flat
    assert "bad19.png" in report.format() and "bad20.png" not in report.format()
    assert "and 10 more (--json lists all)" in report.format()


def test_padding(pictures):
    report = check(f"folder:{pictures / 'cat'}", image_size=8, fit="pad")
    assert report.value_range[0] == 0
    with pytest.raises(ValueError, match="fit='none'"):
        check(f"folder:{pictures}", fit="none")
