import numpy as np
import pytest

from keras_sagan.visualize import image_grid
from keras_sagan.visualize.report import diagnosis

GOOD = {
    "d_loss": 1.2,
    "g_loss": 0.5,
    "d_real": 0.8,
    "d_fake": -0.7,
    "g_gamma_16": 0.3,
    "d_gamma_16": -0.1,
    "images_per_second": 200.0,
}

LOOK = {  # what `callbacks.CollapseSigns` adds, of a good run
    "class_coverage": 0.7,
    "class_precision": 0.9,
    "lowest_class": 2.0,
    "class_recall": 0.8,
    "class_distinct": 0.9,
    "copied": 0.01,
    "d_largest_sigma": 20.0,
}


def rows(count=20, **values):
    """Rows of a good run, the last five with other values."""
    made = [{"step": 100 * (i + 1), **GOOD} for i in range(count)]
    for row in made[-5:]:
        row.update(values)
    return made


def findings(rows, *args, **kwargs):
    return diagnosis.findings(diagnosis.Evidence(rows, *args, **kwargs))


def unchecked(*args):
    return diagnosis.unchecked(diagnosis.Evidence(*args))


def names(found):
    return [x.name for x in found]


def test_a_good_run():
    found = findings(rows(), samples=50.0, real_diversity=60.0, mismatch=0.02)
    assert found == []


def test_a_run_that_has_written_nothing_yet():
    assert findings([]) == []


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"d_loss": 0.001}, "The discriminator has won"),
        ({"d_real": 0.1, "d_fake": 0.08}, "The discriminator cannot tell"),
        ({"g_gamma_16": 0.002}, "Attention in the generator is not used"),
        ({"d_gamma_16": -0.002}, "Attention in the discriminator is not used"),
        ({"images_per_second": 80.0}, "Training has become slower"),
        ({"g_loss": float("nan")}, "Training diverged"),
        ({"d_loss": float("inf")}, "Training diverged"),
    ],
)
def test_each_sign(values, name):
    assert names(findings(rows(**values))) == [name]


@pytest.mark.parametrize(
    ("values", "name", "words"),
    [
        (
            {"class_coverage": 0.4},
            "Kinds of images are missing",
            "Only 40% of the real images of class red",
        ),
        ({"class_distinct": 0.2}, "Images repeat each other", "20%"),
        ({"copied": 0.6}, "Training images are copied", "60%"),
        ({"d_largest_sigma": 90.0}, "The discriminator's weights jump", "20 to 90"),
    ],
)
def test_signs_of_collapse(values, name, words):
    made = rows(15, **LOOK) + rows(5, **{**LOOK, **values})[-1:]
    [found] = findings(made, class_names=("a", "b", "red"))
    assert found.name == name and words in found.text
    poor = {"class_coverage": 0.05, "class_precision": 0.1}  # as before training
    assert findings(rows(**LOOK)) == findings(rows(**{**LOOK, **poor})) == []


@pytest.mark.parametrize(
    ("coverages", "missing"),
    [
        ((0.4,), False),
        ((0.4, 0.42), True),
        ((0.3, 0.4, 0.45, 0.5), False),
        ((0.3, 0.5, 0.5, 0.5, 0.5, 0.5), True),
        ((0.8, 0.8, 0.8, 0.5), True),
    ],
)
def test_kinds_that_are_still_being_learned_are_not_missing(coverages, missing):
    looks = [
        {**row, **LOOK, "class_coverage": coverage}
        for row, coverage in zip(rows(), coverages, strict=False)
    ]
    assert names(findings(looks)) == missing * ["Kinds of images are missing"]


@pytest.mark.parametrize(
    ("d_loss", "d_real", "d_fake"),
    [(0.089, 23.3, 15.9), (0.25, 9.0, 6.9), (0.5, 4.7, 4)],
)
def test_a_good_run_with_the_relativistic_loss(d_loss, d_real, d_fake):
    """As measured on the digits, after 25, 200 and 1,000 steps: only pairs count."""
    made = rows(d_loss=d_loss, d_real=d_real, d_fake=d_fake)
    assert findings(made, "relativistic") == []


def test_one_bad_row_is_not_the_end():
    made = rows(d_loss=0.001, d_real=0.0, d_fake=0.0)
    made[-3].update(GOOD)
    assert findings(made) == []


def test_no_level_of_a_wasserstein_loss_means_anything():
    made = rows(d_loss=-40.0, d_real=0.0, d_fake=0.0)
    assert findings(made, "wasserstein") == []


def test_a_gate_may_be_small_at_first():
    assert findings(rows(9, g_gamma_16=0.0)) == []
    assert names(findings(rows(10, g_gamma_16=0.0)))


def test_the_step_and_name_of_what_diverged():
    [found] = diagnosis.not_finite(rows(g_loss=float("nan")))
    assert "At step 1,600, g_loss was not finite" in found.text


def test_collapse_and_mismatch():
    found = findings(rows(), samples=4.0, real_diversity=60.0, mismatch=0.5)
    assert names(found) == ["The samples have collapsed", "Batch statistics do not fit"]
    assert "4.0 grey levels, real ones by 60.0" in found[0].text
    assert "50% of their spread" in found[1].text
    assert findings(rows(), samples=4.0) == []  # real ones not known


def test_mismatch_is_relative_to_the_spread():
    images = np.random.default_rng(0).normal(0, 0.5, (4, 8, 8, 3))
    assert diagnosis.statistics_mismatch(images, images) == 0
    found = diagnosis.statistics_mismatch(images + 0.1, images)
    assert found == pytest.approx(0.2, rel=0.05)


def test_a_label_that_is_ignored():
    rng = np.random.default_rng(0)
    latents, labels = (
        rng.normal(size=(1, 50, 4, 4, 3)),
        rng.normal(size=(50, 1, 4, 4, 3)),
    )
    effect = diagnosis.label_effect(latents + 2 * labels)
    assert effect == pytest.approx(4 / 5, abs=0.05)
    same = diagnosis.label_effect(np.repeat(latents, 10, axis=0))
    assert same == pytest.approx(0, abs=1e-12)
    assert findings(rows(), label_effect=effect) == []
    [finding] = findings(rows(), label_effect=0.01)
    assert finding.name == "The label is ignored"
    assert "the class accounts for 1% of the variance" in finding.text


def test_attention_that_looks_at_one_place():
    """Planted: in each of two images every query looks at one key, not at the same."""
    planted = np.full((2, 16, 4), 0.01)
    planted[0, :, 3] = planted[1, :, 1] = 0.97
    found = diagnosis.of_all_positions(planted)
    np.testing.assert_allclose(found, (0.97, 0), atol=1e-12)
    [finding] = findings(
        rows(), attention={"generator/attention_16": found, "discriminator/x": (0, 0)}
    )
    assert finding.name == (
        "Attention in the generator looks at one place from every position"
    )
    assert "In attention_16, 97% of the attention" in finding.text
    assert "only 0% depends on the position" in finding.text


def test_attention_that_is_healthy():
    """Each query at a key of its own, all everywhere alike, half of each at a sink."""
    own = np.eye(4)[np.repeat(np.arange(4), 4)][None]
    everywhere = np.full((2, 16, 4), 0.25)
    sink = 0.5 * own + 0.5 * np.eye(4)[0]
    for maps, expected in [
        (own, (0.25, 0.75)),
        (everywhere, (0.25, 0)),
        (sink, (0.625, 0.375)),
    ]:
        found = diagnosis.of_all_positions(maps)
        np.testing.assert_allclose(found, expected)
        assert findings(rows(), attention={"generator/attention_16": found}) == []


def test_diversity_of_a_grid():
    """Rows of equal images, but for one pixel row of the second class."""
    images = np.zeros((8, 4, 4, 3), np.uint8)
    images[4:] = 100
    images[4:6, 0] = 140  # half of them: deviation 20 in a quarter of the pixels
    grid = image_grid(images, columns=4)
    assert diagnosis.grid_diversity(grid, 4, True) == pytest.approx(20 / 4 / 2)
    assert diagnosis.grid_diversity(grid, 4, False) > 40
    assert diagnosis.grid_diversity(grid, 5, True) is None
    alone = image_grid(images[:2], columns=1)
    assert diagnosis.grid_diversity(alone, 4, True) is None


def test_what_could_not_be_looked_for():
    assert unchecked(rows(**LOOK), "hinge", 30.0, 40.0, 0.1, 0.5, {}) == []
    missing = " / ".join(unchecked(rows()[:2]))
    for words in (
        "fewer than 5 rows",
        "fewer than 1,000 steps",
        "collapse",
        "missing, repeated and copied images",
        "no model",
        "where attention looks",
    ):
        assert words in missing
    made = rows(**LOOK)
    assert "its loss" in unchecked(made, "wasserstein", 30.0, 40.0, 0.1, 0.5, {})[0]
