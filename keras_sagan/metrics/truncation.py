"""Computes scores at several truncations, which trade diversity for quality."""

import dataclasses
from collections.abc import Callable, Sequence

from keras_sagan.metrics.evaluation import evaluate, prepare
from keras_sagan.metrics.extractors.extractor import Extractor
from keras_sagan.metrics.image_sets import ImageSet
from keras_sagan.metrics.settings import Settings


@dataclasses.dataclass(frozen=True)
class Sweep:
    """The results at several truncations.

    Args:
        thresholds: tuple of float, or of `None` for no truncation.
        results: tuple of `Result`, one for each threshold.
    """

    thresholds: tuple
    results: tuple

    def curve(self, x: str, y: str) -> list[tuple[float, float, str]]:
        """Returns the curve of two scores over the truncations.

        Args:
            x: str. Beginning of the name of a score, e.g. "recall" or "coverage".
            y: str. Beginning of the name of a score, e.g. "precision" or "fid".

        Returns: list of `(x, y, text)`, where text is the threshold.
        """
        return [
            (_score(result, x), _score(result, y), _truncation_text(threshold))
            for threshold, result in zip(self.thresholds, self.results, strict=True)
        ]


def truncation_sweep(
    images_at: Callable[[float | None], ImageSet],
    thresholds: Sequence[float | None],
    real: ImageSet,
    extractor: Extractor,
    settings: Settings | None = None,
) -> Sweep:
    """Evaluates a generator at several truncations.

    Args:
        images_at: function from a threshold to an `ImageSet`.
        thresholds: sequence of float, or of `None` for no truncation.
        real: `ImageSet`.
        extractor: `Extractor`.
        settings: `Settings`. Defaults to the Frechet distance, and precision,
            recall, density and coverage.

    Returns: `Sweep`.
    """
    settings = settings or Settings(metrics=("fid", "prdc"))
    prepared = prepare(real, extractor, settings)
    results = [
        evaluate(prepared, images_at(threshold), extractor, settings)
        for threshold in thresholds
    ]
    return Sweep(tuple(thresholds), tuple(results))


def _score(result, beginning):
    for name, value in result.scores.items():
        if name.startswith(beginning):
            return value
    raise ValueError(
        f"There is no score that begins with {beginning!r}. "
        f"Received: {sorted(result.scores)}."
    )


def _truncation_text(threshold):
    return "none" if threshold is None else f"{threshold:g}"
