import numpy as np
import pytest

from keras_sagan.visualize import View
from keras_sagan.visualize.report import figures


def test_scores_with_the_band_of_their_deviation():
    rows = [
        {"step": s, "seconds": 1.0, "fid": 40.0 - s, "kid": 0.5, "kid_deviation": 0.1}
        for s in (10, 20)
    ]
    _, content = figures.scores(rows, [])
    assert content.count("<polygon") == 1
    assert '<th scope="col">kid, low</th>' in content
    assert "<td>0.5</td><td>0.3</td><td>0.7</td>" in content
    assert "<h3>fid</h3>" in content and "kid_deviation" not in content


@pytest.mark.parametrize("extractor", ["quarters", "classifier_glyphs"])
def test_scores_of_other_extractors_find_their_deviation(extractor):
    row = {"step": 1, f"class_score_{extractor}": 2.0, f"is_deviation_{extractor}": 1.0}
    _, content = figures.scores([row], [])
    assert "<td>2</td><td>0</td><td>4</td>" in content


def test_results_of_evaluate_with_their_intervals():
    result = {"scores": {"fid": 12.5, "kid": 0.1}, "intervals": {"fid": [11.0, 13.75]}}
    result["conclusions"] = ["It <helps>."]
    _, content = figures.scores([], [("late.json", result)])
    assert "<caption>late.json</caption>" in content
    assert "<td>12.5</td><td>11 to 13.75</td>" in content
    assert "<td>0.1</td><td>-</td>" in content
    assert "<p>It &lt;helps&gt;.</p>" in content


def test_curves_of_what_is_there():
    rows = [{"step": 1, "d_loss": 1.0, "g_loss": 2.0, "g_sigma/dense": 1.5}]
    contents = dict(figures.curves(rows))
    assert ">dense</li>" in contents["Sigma, generator"]
    assert contents["Sigma, discriminator"] == "<p>The run has not logged this.</p>"
    assert "Augmentation" not in contents
    rows[0]["augmentation_probability"] = 0.2
    assert "Augmentation" in dict(figures.curves(rows))
    assert "Gradient penalties" not in contents
    rows[0]["r2_penalty"] = 0.3
    assert ">r2_penalty</li>" in dict(figures.curves(rows))["Gradient penalties"]


def test_attention_in_words_and_numbers():
    maps = {"generator/attention_4": np.eye(16)[::-1]}
    shown = View(np.zeros((32, 32, 3), np.uint8), maps)
    _, content = figures.attention([("seed 7", shown, [(2, 2)])], "")
    assert "generator/attention_4, 2,2 looks most at 28,28 (100.0%)" in content
    far = np.hypot(24, 24) / 32
    assert f"<td>28,28</td><td>100.0%</td><td>{far:.2f} of the side</td>" in content
    assert figures.attention([], "No & none")[1] == "<p>No &amp; none</p>"
