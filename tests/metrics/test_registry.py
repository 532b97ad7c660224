"""The rows of the metrics: names, directions, and no NumPy for the help."""

import dataclasses
import subprocess
import sys

import pytest

from keras_sagan.config.evaluation import EvaluationConfig
from keras_sagan.metrics import Extractor, registry
from keras_sagan.metrics.extractors.inception_weights import SHA256

SCORES = [score for metric in registry.METRICS.values() for score in metric.scores]


def extractor(name, sha256="0" * 64):
    return Extractor(name, sha256, "none", "none", None)


@pytest.mark.parametrize("name", ["inception", "classifier"])
def test_which_way_is_better(name):
    made = extractor(name, SHA256)
    higher = {
        score.name for score in SCORES if registry.higher_is_better(score.title(made))
    }
    shares = {"precision", "recall", "density", "coverage", "agreement"}
    utility = {"utility", "utility_over_augmentation", "gan_train", "gan_test"}
    assert higher == {"is", "vendi", *shares, *utility}
    assert not registry.higher_is_better("x")


def test_rows_are_found_by_their_names():
    for name, metric in registry.METRICS.items():
        assert metric.name == name
        assert metric.scores[0].name.startswith(name) or name in ("prdc",)


def test_which_of_two_values_is_better():
    assert registry.verdict("frechet_distance_classifier", 1.0, 2.0) == "better"
    assert registry.verdict("recall_dinov2", 1.0, 2.0) == "worse"
    assert registry.verdict("kid_deviation", 1.0, 2.0) == ""  # neither way
    assert registry.verdict("fid", 2.0, 2.0) == registry.verdict("x", 1.0, 2.0) == ""


@pytest.mark.parametrize("metric", registry.METRICS.values(), ids=lambda x: x.name)
def test_rows_say_what_the_pages_print(metric):
    assert metric.says and metric.use.endswith(".") and "arXiv" in metric.paper
    for score in metric.scores:
        assert score.unit and registry.score_of(score.name) is score


def test_rows_need_the_standard_library_only():
    code = "import sys; from keras_sagan.metrics import registry, settings; "
    code += "sys.exit(bool({'numpy', 'tensorflow'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_in_the_configuration_of_a_run_are_rows():
    """config/ imports no other part, so its default is typed there."""
    assert set(EvaluationConfig().selected_metrics) <= set(registry.METRICS)
    (field,) = (x for x in dataclasses.fields(EvaluationConfig) if x.name == "metrics")
    possible = [
        name
        for name, x in registry.METRICS.items()
        if registry.Need.HELD_OUT not in x.needs
    ]
    assert ", ".join(possible) in str(field.metadata)
