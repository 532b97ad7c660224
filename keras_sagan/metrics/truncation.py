"""The trade of diversity for quality: scores along the truncation of the latents."""

import dataclasses
from collections.abc import Callable, Sequence

from keras_sagan.metrics.evaluation import evaluate, prepare
from keras_sagan.metrics.extractors.extractor import Extractor
from keras_sagan.metrics.image_sets import ImageSet
from keras_sagan.metrics.settings import Settings


@dataclasses.dataclass(frozen=True)
class Sweep:
    """Results along the truncation.

    Args:
        thresholds: tuple of float or `None` (no truncation).
        results: tuple of `Result`, one a threshold.
    """

    thresholds: tuple
    results: tuple

    def curve(self, x: str, y: str) -> list[tuple[float, float, str]]:
        """Two scores along the sweep.

        Args:
            x: str, the beginning of a score's name: "recall", "coverage".
            y: str, likewise: "precision", "fid", "frechet".

        Returns: list of `(x, y, text)`, text being the threshold.
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
        images_at: function from a threshold (float, or `None` for none) to an
            `ImageSet`.
        thresholds: sequence of such thresholds.
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
