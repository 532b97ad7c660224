"""Section of the configuration about scores while a model trains."""

import dataclasses

from keras_sagan.config.section import Section


@dataclasses.dataclass(frozen=True)
class EvaluationConfig(Section):
    """Whether and how the averaged generator is scored while it trains.

    Args:
        every: int, or `None` for no evaluation. Steps between two evaluations.
        metrics: str. Names joined by commas; `keras-sagan evaluate --help` has them.
        extractor: str. What `keras-sagan evaluate --extractor` takes: "inception",
            "classifier" (trained before step 1 and kept in the run's directory),
            "classifier:FILE.keras", ...
        inception: str, or `None` for a download. Weights file of the FID network.
        split: str, or `None` for the split that is trained on. The real images.
        num_real: int, or `None` for all. Real images, chosen at random.
        num_images: int. Generated images; their latents are the same every time.
        monitor: str, or `None` for the first score. Beginning of the name of the
            score that says which model is best.
        mode: str, or `None` for what is right for the score. "min" or "max".
        keep_best: bool. Whether to keep the best model, in `evaluation/best/`.
        patience: int, or `None`. Training ends after so many evaluations in a row
            without a better one.
        share: float in (0, 1]. Largest part of the time that evaluations may take.
        seed: int >= 0. Of the latents, and of the choice of real images.
    """

    every: int | None = None
    metrics: str = "fid,kid"
    extractor: str = "inception"
    inception: str | None = None
    split: str | None = None
    num_real: int | None = 10_000
    num_images: int = 5000
    monitor: str | None = None
    mode: str | None = None
    keep_best: bool = True
    patience: int | None = None
    share: float = 0.1
    seed: int = 0

    def check(self):
        for name in ("every", "num_real", "patience"):
            value = getattr(self, name)
            self.require(value is None or value >= 1, name, "at least 1, or None")
        self.require(self.num_images >= 1, "num_images", "at least 1")
        self.require_choice("mode", (None, "min", "max"))
        self.require(0 < self.share <= 1, "share", "above 0 and at most 1")
        self.require(self.seed >= 0, "seed", "at least 0")
        self.require(self.selected_metrics, "metrics", "names joined by commas")

    @property
    def selected_metrics(self):
        """Tuple of str."""
        return tuple(x.strip() for x in self.metrics.split(",") if x.strip())
