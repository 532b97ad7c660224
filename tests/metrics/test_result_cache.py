"""Results that are kept: which questions are one, and what their files are worth."""

import dataclasses

import numpy as np
import pytest

from keras_sagan.metrics import Moments, Settings, array_images, evaluate, gan_images
from keras_sagan.metrics import result_cache as module
from keras_sagan.metrics.evaluation import Result
from tests import helpers

FEW = Settings(metrics=("kid",), subset_size=8, subsets=3, bootstrap=4)


@pytest.fixture
def sets(pictures):
    """Real, generated and held-out images."""
    images, labels = pictures
    named = {"class_names": ("dark", "bright")}
    real = array_images(images[:40], labels[:40], {"split": "train"}, **named)
    fake = array_images(images[40:], labels[40:], {"model": {"path": "x"}}, **named)
    return real, fake, array_images(images[:20], labels[:20], **named)


def test_what_makes_another_question(sets, mean_extractor, monkeypatch):
    real, fake, held_out = sets
    asked = module.question(real, fake, mean_extractor, FEW, held_out)
    again = dataclasses.replace(fake, description={"model": {"path": "y"}})
    again.description.update({x: fake.description[x] for x in ("count", "choice")})
    again.description["image_size"] = 32
    batch_size = dataclasses.replace(FEW, batch_size=8)
    assert module.question(real, again, mean_extractor, batch_size, held_out) == asked

    changed = real.arrays()
    changed[-1, -1, -1, -1] ^= 1
    others = [
        array_images(changed, real.labels, {"split": "train"}, class_names=("a", "b")),
        dataclasses.replace(real, labels=real.labels[::-1]),
        dataclasses.replace(real, class_names=("bright", "dark")),
        dataclasses.replace(real, description={**real.description, "split": "test"}),
        Moments.of(np.eye(3)),
        Moments.of(2 * np.eye(3)),
    ]
    found = [module.question(x, fake, mean_extractor, FEW, held_out) for x in others]
    found += [
        module.question(real, None, mean_extractor, FEW, held_out),
        module.question(real, fake, mean_extractor, FEW),
        module.question(real, real, mean_extractor, FEW, held_out),
    ]
    for change in (
        {"sha256": "1" * 64},
        {"resize": "clean"},
        {"layer": "pool"},
        {"class_names": ("dark", "bright")},
    ):
        other = dataclasses.replace(mean_extractor, **change)
        found.append(module.question(real, fake, other, FEW, held_out))
    for change in (
        {"metrics": ("kid", "mind")},
        {"subsets": None},
        {"subset_size": 9},
        {"splits": 3},
        {"nearest_k": 3},
        {"bandwidth": 2.0},
        {"projections": 7},
        {"allow_few": True},
        {"bootstrap": 0},
        {"level": 0.5},
    ):
        other = dataclasses.replace(FEW, **change)
        found.append(module.question(real, fake, mean_extractor, other, held_out))
    monkeypatch.setattr(module.protocol, "versions", lambda: {"keras_sagan": "9.9"})
    found.append(module.question(real, fake, mean_extractor, FEW, held_out))
    monkeypatch.undo()
    monkeypatch.setattr(module, "_code", lambda: "changed")
    found.append(module.question(real, fake, mean_extractor, FEW, held_out))
    assert asked not in found
    assert len({str(x) for x in found}) == len(found)


def test_a_changed_generator_is_another_question():
    gan = helpers.tiny_gan(attention=False)
    gan.compile()
    made = [gan_images(gan, 8), gan_images(gan, 8, model="elsewhere")]
    made += [gan_images(gan, 8, seed=1), gan_images(gan, 8, truncation=0.5)]
    weight = gan.ema_generator.weights[0]
    weight.assign_add(weight * 0 + 1e-6)
    made.append(gan_images(gan, 8))
    gan.generator.batch_norm_epsilon *= 2
    made.append(gan_images(gan, 8))
    found = [str(module._of_images(x)) for x in made]
    assert found[0] == found[1] and len(set(found[1:])) == len(found) - 1


def test_an_answer_is_computed_once(sets, mean_extractor, tmp_path):
    real, fake, _ = sets
    result = evaluate(real, fake, mean_extractor, FEW)
    result.by_class["x"] = {0: 1.5, 1: 3}
    asked = module.question(real, fake, mean_extractor, FEW)
    calls = []

    def compute():
        calls.append(1)
        return result

    cache = module.ResultCache(tmp_path / "new")
    assert cache.answer(asked, Result.from_dict, compute) is result
    again = cache.answer(asked, Result.from_dict, compute)
    (file,) = (tmp_path / "new").iterdir()
    assert len(calls) == 1 and again.cached == str(file)
    assert dataclasses.replace(again, cached=None) == result
    assert f"read from {file}" in again.format()
    for content in (b"{", b"{}", file.read_bytes().replace(b'"scores": {', b'"x": {')):
        file.write_bytes(content)
        assert cache.answer(asked, Result.from_dict, compute) is result
        assert cache.answer(asked, Result.from_dict, compute) == again
    assert len(calls) == 4


def test_a_result_that_cannot_be_kept(tmp_path):
    cache = module.ResultCache(tmp_path / "new")
    cache.folder.rmdir()
    result = Result({"x": 1.0}, {}, {}, {})
    with pytest.warns(UserWarning, match="could not be stored.*new"):
        assert cache.answer({}, Result.from_dict, lambda: result) is result


def test_a_classifier_of_other_images_is_another(sets, tmp_path):
    real, fake, _ = sets
    cache = module.ResultCache(tmp_path)
    assert cache.classifier_file(real) == cache.classifier_file(real)
    assert cache.classifier_file(real) != cache.classifier_file(fake)
