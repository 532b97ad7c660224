import unicodedata

import numpy as np
import pytest
from PIL import Image

from keras_sagan.data import check, load, prepare
from keras_sagan.data.sources import folder


def read(root, channels=3, image_size=8):
    return load(f"folder:{root}", image_size, 1, channels=channels).examples


def test_classes_are_sorted_and_files_too(make_folder):
    names = ["b/2.png", "b/10.png", "a/x.png", "C/y.png"]
    root = make_folder({name: ((8, 8), 20 * i) for i, name in enumerate(names)})
    examples = read(root)
    assert examples.class_names == ("C", "a", "b")
    np.testing.assert_array_equal(examples.labels, [0, 1, 2, 2])
    assert examples.labels.dtype == np.int32
    assert examples.images.dtype == np.uint8
    np.testing.assert_array_equal(examples.images[:, 0, 0, 0], [60, 40, 20, 0])


def test_classes_are_sorted_by_number_where_all_are(make_folder):
    root = make_folder({f"{i}/x.png": ((8, 8), 10 * i) for i in (10, 9, 2)})
    examples = read(root)
    assert examples.class_names == ("2", "9", "10")
    np.testing.assert_array_equal(examples.images[:, 0, 0, 0], [20, 90, 100])
    assert (
        "classes   3, labels 0 to 2 in this order" in check(f"folder:{root}").format()
    )


def test_pictures_without_classes(make_folder):
    root = make_folder({"2.png": ((8, 8), 5), "1.png": ((8, 8), 4)})
    examples = read(root)
    assert examples.labels is None
    assert examples.class_names is None
    np.testing.assert_array_equal(examples.images[:, 0, 0, 0], [4, 5])


def test_a_single_class(make_folder):
    source = load(f"folder:{make_folder({'a/1.png': ((8, 8), 5)})}", 8, 1)
    assert source.num_classes == 1
    assert source.class_names == ("a",)


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("1.png", 0),
        ("1.PNG", 0),
        ("1.jpg", 3),
        ("1.jpeg", 3),
        ("1.webp", 3),
        ("1.bmp", 0),
        ("1.gif", 0),
        ("1.avif", 3),
        ("1.tif", 0),
        ("1.TIFF", 0),
    ],
)
def test_formats(make_folder, name, tolerance):
    root = make_folder({name: ((8, 8), (10, 200, 30))})
    pixel = read(root).images[0, 4, 4].astype(int)
    assert np.abs(pixel - (10, 200, 30)).max() <= tolerance


@pytest.mark.parametrize("ending", ["png", "avif", "tif"])
@pytest.mark.parametrize("name", ["1.jpg", "1", "1.data"])
def test_the_content_decides_the_format(make_folder, ending, name):
    root = make_folder({f"1.{ending}": ((8, 8), (10, 200, 30))})
    (root / f"1.{ending}").rename(root / name)
    if ending == "tif" and name != "1.jpg":  # what the raw files of cameras begin like
        make_folder({"2.png": ((8, 8), (10, 200, 30))})
        with pytest.warns(UserWarning, match="left out: 1 files by their content"):
            assert len(read(root).images) == 1
        return
    assert np.abs(read(root).images[0, 4, 4].astype(int) - (10, 200, 30)).max() <= 3


def test_slices(make_folder):
    root = make_folder({f"{i:02}.png": ((8, 8), i) for i in range(20)})
    images = load(f"folder:{root}", 8, 1, split="train[:10%]+train[-3:]").arrays()[0]
    np.testing.assert_array_equal(images[:, 0, 0, 0], [0, 1, 17, 18, 19])


def test_sixteen_bits_and_palette_files(tmp_path):
    values = np.full((8, 8), 257 * 70, np.uint16)
    Image.fromarray(values).save(tmp_path / "1.png")
    Image.new("RGB", (8, 8), (10, 200, 30)).quantize().save(tmp_path / "2.png")
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "3.png")
    images = read(tmp_path).images
    np.testing.assert_array_equal(
        images[:, 0, 0], [(70, 70, 70), (10, 200, 30), (255, 255, 255)]
    )


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("L", (8, 8), value) for value in (50, 100, 150)]
    frames[0].save(tmp_path / "1.gif", save_all=True, append_images=frames[1:])
    assert read(tmp_path).images[0, 0, 0, 0] == 50


def test_exif_orientation(tmp_path):
    values = np.zeros((8, 8), np.uint8)
    values[:, 4:] = 255  # bright right half; orientation 6 turns it to the bottom
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(values).save(tmp_path / "1.jpg", exif=exif, quality=95)
    image = read(tmp_path, channels=1).images[0, :, :, 0]
    assert image[:3].max() < 40
    assert image[-3:].min() > 215


def test_large_jpegs_are_as_sharp_as_other_files(tmp_path):
    values = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    Image.fromarray(values).save(tmp_path / "1.jpg", quality=95)
    Image.fromarray(values).save(tmp_path / "2.png")
    jpeg, png = read(tmp_path, channels=1).images.astype(int)
    assert np.abs(jpeg - png).max() <= 3


def test_names_outside_ascii(make_folder):
    decomposed = unicodedata.normalize("NFD", "été")
    root = make_folder(
        {f"{decomposed}/ñ 图.png": ((8, 8), 1), "猫/🐈.png": ((8, 8), 2)}
    )
    examples = read(root)
    assert examples.class_names == ("été", "猫")
    assert len(examples.images) == 2


def test_other_files_are_left_out(make_folder):
    root = make_folder({"a/1.png": ((8, 8), 1), "b/1.png": ((8, 8), 2)})
    (root / "README.txt").write_text("x")
    (root / "a" / "Thumbs.db").write_text("x")
    (root / "a" / "._1.png").write_text("x")
    (root / ".ipynb_checkpoints").mkdir()
    (root / "b" / ".hidden").mkdir()
    with pytest.warns(UserWarning, match=r"left out: 2 files .*\.txt 1, \.db 1"):
        assert read(root).labels.tolist() == [0, 1]


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("name", ["1.jfif", "1.JPE", "1.dib", "1.txt", "1", "1.tif"])
def test_the_content_decides_whether_it_is_a_picture(make_folder, name, labels):
    kind = "bmp" if name == "1.dib" else "jpeg"
    root = make_folder({f"1.{kind}": ((8, 8), 90), "2.png": ((8, 8), 9)})
    (root / f"1.{kind}").rename(root / name)
    if labels:
        (root / "labels.csv").write_text(f"file,label\n{name},a\n2.png,b\n")
    images = read(root).images[:, 0, 0, 0]  # a warning would be an error
    assert len(images) == 2
    assert abs(int(images[0]) - 90) <= 3


@pytest.mark.parametrize("ending", ["pdf", "ppm"])
def test_pictures_of_other_formats_are_not_lost_in_silence(make_folder, ending):
    root = make_folder({"1.png": ((8, 8), 1), f"2.{ending}": ((8, 8), 2)})
    words = rf"folder:{root}: left out: 1 files .*\(\.{ending} 1\): pictures are AVIF"
    with pytest.warns(UserWarning, match=words):
        assert len(read(root).images) == 1
    with pytest.warns(UserWarning, match=words):
        prepare(f"folder:{root}", root.parent / "prepared", image_size=8)


def test_links_are_followed(make_folder, tmp_path):
    root = make_folder({"a/1.png": ((8, 8), 1)})
    other = tmp_path / "other"
    other.mkdir()
    (other / "b").symlink_to(root / "a")
    (other / "c").mkdir()
    (other / "c" / "2.png").symlink_to(root / "a" / "1.png")
    assert read(other).class_names == ("b", "c")


def test_the_home_directory(make_folder, monkeypatch):
    root = make_folder({"1.png": ((8, 8), 1)})
    monkeypatch.setenv("HOME", str(root.parent))
    assert len(read("~/pictures").images) == 1


def test_no_such_folder(tmp_path, make_folder):
    with pytest.raises(FileNotFoundError, match=f"no folder {tmp_path}/nowhere"):
        read(tmp_path / "nowhere")
    root = make_folder({"1.png": ((8, 8), 1)})
    with pytest.raises(NotADirectoryError, match="is a file, not a folder"):
        read(root / "1.png")


def test_an_empty_folder(tmp_path):
    with pytest.raises(ValueError, match=r"has no pictures \(AVIF, .*, WEBP\)"):
        read(tmp_path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(ValueError, match="has no pictures"):
        read(tmp_path)


def test_an_empty_class(make_folder):
    root = make_folder({"a/1.png": ((8, 8), 1)})
    (root / "b").mkdir()
    with pytest.raises(ValueError, match=r"class folder .*/b has no pictures"):
        read(root)


def test_pictures_beside_class_folders(make_folder):
    root = make_folder({"a/1.png": ((8, 8), 1), "2.png": ((8, 8), 1)})
    with pytest.raises(ValueError, match=r"both pictures \('2.png', 1 in all\) and"):
        read(root)


def test_the_wrong_depth(make_folder):
    root = make_folder({"a/1.png": ((8, 8), 1), "b/1.png": ((8, 8), 1)})
    with pytest.raises(ValueError, match=f"use 'folder:{root}'"):
        read(root.parent)


def test_classes_whose_names_look_the_same(make_folder):
    names = [unicodedata.normalize(form, "é") for form in ("NFC", "NFD")]
    root = make_folder({f"{name}/1.png": ((8, 8), 1) for name in names})
    with pytest.raises(ValueError, match="names look the same"):
        read(root)


@pytest.mark.parametrize("content", [b"", b"no picture", "truncated", "pdf"])
def test_a_broken_picture_is_named(make_folder, content):
    root = make_folder({f"a/{i}.png": ((64, 64), i) for i in range(4)})
    broken = root / "a" / "2.png"
    if content == "truncated":
        content = broken.read_bytes()[:60]
    elif content == "pdf":
        Image.new("RGB", (8, 8)).save(broken, "PDF")
        content = broken.read_bytes()
    broken.write_bytes(content)
    with pytest.raises(ValueError, match=f"cannot read picture {broken}: "):
        read(root)


def test_the_limit_against_decompression_bombs_is_on(make_folder):
    root = make_folder({"1.png": ((14_000, 14_000), 0)}, mode="1")
    with pytest.raises(ValueError, match=r"1\.png: DecompressionBombError"):
        read(root)


def test_files_of_other_kinds_are_noted(make_folder):
    root = make_folder({"a/1.png": ((8, 8), 1), "b/1.png": ((8, 8), 2)})
    for name in ("a/2.svg", "a/3.svg", "b/x", "readme.TXT", ".hidden.txt"):
        (root / name).write_text("")
    (note,) = folder.list_pictures(root).notes
    assert note.startswith("4 files by their content (.svg 2, .txt 1, none 1): ")
    assert folder.list_pictures(root / "a").notes[0].startswith("2 files by their con")
    (root / "labels.csv").write_text("file,label\na/1.png,x\nb/1.png,y\n")
    assert folder.list_pictures(root).notes == (note,)
    assert note in check(f"folder:{root}", 8).format()


def test_a_folder_is_one_split(make_folder):
    root = make_folder({"1.png": ((8, 8), 1)})
    with pytest.raises(
        ValueError, match=r"one of \['train'\] or a slice.*split='test'"
    ):
        load(f"folder:{root}", 8, 1, split="test")


def test_progress_for_many_pictures_only(make_folder, capsys, monkeypatch):
    monkeypatch.setattr("keras_sagan.progress.LINE_SECONDS", 0.0)
    root = make_folder({f"{i}.bmp": ((8, 8), 1) for i in range(1000)})
    read(root)
    output, errors = capsys.readouterr()
    assert output == ""
    assert "1000/1000" in errors
    (root / "0.bmp").unlink()
    read(root)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_order_does_not_depend_on_how_names_are_composed(make_folder, form):
    names = ["zebra/1.png", "\u00e9t\u00e9/1.png", "zebra/\u00e9.png", "zebra/z.png"]
    names = [unicodedata.normalize(form, name) for name in names]
    root = make_folder({name: ((8, 8), i) for i, name in enumerate(names)})
    examples = read(root)
    assert examples.class_names == ("zebra", "\u00e9t\u00e9")
    assert examples.images[:, 0, 0, 0].tolist() == [0, 3, 2, 1]
