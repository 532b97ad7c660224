"""Names of scores: that of the FID network, and those that say the extractor."""

from keras_sagan.metrics import Extractor, registry
from keras_sagan.metrics.extractors.inception_weights import SHA256

SCORES = [score for metric in registry.METRICS.values() for score in metric.scores]


def extractor(name, sha256="0" * 64):
    return Extractor(name, sha256, "none", "none", None)


def test_names_of_scores():
    fid_network = extractor("inception", SHA256)
    titles = [score.title(fid_network) for score in SCORES]
    assert titles[:4] == ["fid", "kid", "kid_deviation", "kernel_distance_rbf"]
    assert "inception_score" in titles
    assert len(set(titles)) == len(titles)
    assert "utility" in [score.title(extractor("classifier")) for score in SCORES]
    for name in ("classifier", "inception_unverified"):
        others = [x.title(extractor(name)) for x in SCORES if x.of_extractor]
        assert all(title.endswith(f"_{name}") for title in others)
        plain = [title.removesuffix(name) for title in others]
        assert not any("inception" in x or x.startswith("fid") for x in plain)
        assert plain[0] == "frechet_distance_" and "class_score_" in plain
