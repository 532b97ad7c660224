import numpy as np
from PIL import Image

from keras_sagan.data.checking import inspection
from keras_sagan.data.sources import folder


def noise(path, size, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def inspected(root, fit="crop"):
    return inspection.inspect(folder.open_pictures(root), 16, 3, fit)


def test_facts(tmp_path):
    noise(tmp_path / "a" / "1.png", (40, 30))
    noise(tmp_path / "b" / "1.png", (20, 20), 1)
    (tmp_path / "b" / "2.png").write_text("x")
    found = inspected(tmp_path)
    names = [fact.name for fact in found.facts]
    assert names == [f"{tmp_path}/a/1.png", f"{tmp_path}/b/1.png"]
    first = found.facts[0]
    assert (first.width, first.height, first.mode, first.label) == (40, 30, "RGB", 0)
    assert found.labels.tolist() == [0, 1]
    assert found.unreadable[0].startswith(f"cannot read picture {tmp_path}/b/2.png")


def test_odd_pictures_are_named(tmp_path):
    noise(tmp_path / "narrow.png", (90, 30))
    noise(tmp_path / "sound.png", (30, 30))
    noise(tmp_path / "tiny.png", (7, 9))
    Image.new("RGB", (30, 30), (9, 8, 7)).save(tmp_path / "flat.png")
    sentences = inspection.odd(inspected(tmp_path).facts, 16)
    assert sentences == (
        f"{tmp_path}/flat.png: a single colour and nothing else",
        f"{tmp_path}/narrow.png: narrow (90 x 30 px)",
        f"{tmp_path}/tiny.png: tiny (7 x 9 px)",
    )


def test_samples_are_a_row_a_class(tmp_path):
    for i in range(30):
        gray = Image.new("L", (16, 16), i)
        path = tmp_path / f"{i % 3}" / f"{i:02}.png"
        path.parent.mkdir(exist_ok=True)
        gray.save(path)
    noise(tmp_path / "3" / "1.png", (16, 16))
    samples = inspected(tmp_path).samples
    assert samples.shape == (4 * 8, 16, 16, 3)
    values = samples[:, 0, 0, 0].reshape(4, 8)
    for label in range(3):
        assert values[label].tolist() == [3 * i + label for i in range(8)]
    assert (samples[25:] == 255).all()


def test_samples_of_unlabelled_pictures_are_spread(tmp_path):
    for i in range(200):
        Image.new("L", (16, 16), i).save(tmp_path / f"{i:03}.bmp")
    samples = inspected(tmp_path).samples
    assert samples.shape == (64, 16, 16, 3)
    assert samples[:, 0, 0, 0].tolist() == list(range(0, 192, 3))
