"""The sweep along the truncation."""

import numpy as np
import pytest

from keras_sagan.metrics import array_images, truncation_sweep


def test_less_variety_is_less_recall(mean_extractor):
    generator = np.random.default_rng(0)
    colours = generator.normal(128, 30, (300, 1, 1, 3))

    def images_at(threshold):
        spread = colours if threshold is None else 128 + threshold * (colours - 128)
        noise = generator.normal(0, 8, (300, 8, 8, 3))
        return array_images(np.clip(spread + noise, 0, 255).astype(np.uint8))

    sweep = truncation_sweep(
        images_at, [0.1, 0.5, None], images_at(None), mean_extractor
    )
    points = sweep.curve("recall", "frechet")
    assert [text for _, _, text in points] == ["0.1", "0.5", "none"]
    recalls, distances, _ = zip(*points, strict=True)
    assert recalls[0] < recalls[1] < recalls[2]
    assert distances[0] > distances[1] > distances[2]
    with pytest.raises(ValueError, match="no score that begins with 'beauty'"):
        sweep.curve("beauty", "recall")
