"""The settings of the metrics, which are checked before NumPy and TensorFlow load."""

import dataclasses

from keras_sagan.metrics.counts import check_count
from keras_sagan.metrics.registry import METRICS, Metric, Need


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of the metrics.

    Args:
        metrics: tuple of str. Names of metrics in `registry.METRICS`.
        subsets: int or `None`. See `kernel_distance`.
        subset_size: int. See `kernel_distance`.
        splits: int. See `inception_score`.
        bandwidth: float or `None`. See `rbf_distance`.
        projections: int. See `monge_distance`.
        nearest_k: int. See `precision_recall_density_coverage`.
        seeds: int. See `utility_check`, like `steps` and `mirror`.
        steps: int or `None`.
        mirror: bool.
        allow_few: bool. See `frechet_distance`.
        bootstrap: int. Number of resamples for confidence intervals; 0 for none.
        level: float. Level of the confidence intervals.
        batch_size: int. Number of images that are processed at once. It is not part of
            the protocol.

    Raises:
        ValueError: if a setting is out of range, or if a metric is unknown.
    """

    metrics: tuple = ("fid",)
    subsets: int | None = 100
    subset_size: int = 1000
    splits: int = 10
    nearest_k: int = 5
    bandwidth: float | None = None
    projections: int = 1000
    seeds: int = 5
    steps: int | None = None
    mirror: bool = False
    allow_few: bool = False
    bootstrap: int = 0
    level: float = 0.95
    batch_size: int = 64

    def __post_init__(self):
        unknown = sorted(set(self.metrics) - set(METRICS))
        if unknown or not self.metrics:
            raise ValueError(
                f"`metrics` must be some of {', '.join(METRICS)}. "
                f"Received: {', '.join(unknown) or 'none'}."
            )
        if self.subsets is not None:
            check_count("subsets", self.subsets, 1)
        if self.steps is not None:
            check_count("steps", self.steps, 1)
        check_count("subset_size", self.subset_size, 2)
        check_count("seeds", self.seeds, 2)
        for name in ("splits", "nearest_k", "projections", "batch_size"):
            check_count(name, getattr(self, name), 1)
        if self.bootstrap != 0:
            check_count("bootstrap", self.bootstrap, 2, why=", or 0 for no intervals")
        if self.bandwidth is not None and not self.bandwidth > 0:
            raise ValueError(
                "`bandwidth` must be above 0, or None for the median distance of real "
                f"images. Received: bandwidth={self.bandwidth!r}."
            )
        if not 0 < self.level < 1:
            raise ValueError(
                f"`level` must be in (0, 1). Received: level={self.level!r}."
            )

    @property
    def rows(self) -> tuple[Metric, ...]:
        """Tuple of `Metric`. The rows of the selected metrics."""
        return tuple(METRICS[name] for name in self.metrics)

    @property
    def needs(self) -> frozenset[Need]:
        """frozenset of `Need`. Everything that a selected metric needs."""
        return frozenset().union(*(x.all_needs(self.bootstrap) for x in self.rows))

    @property
    def uses_extractor(self) -> bool:
        """bool. Whether a selected metric depends on the extractor."""
        return any(score.of_extractor for row in self.rows for score in row.scores)

    @property
    def keeps_features(self) -> bool:
        """bool. Whether all features of a set are needed at once."""
        return Need.FEATURES in self.needs

    def describe(self) -> dict:
        """Returns the settings of the selected metrics, for the protocol: dict."""
        return {
            f"{row.name}.{name}": getattr(self, name)
            for row in self.rows
            for name in row.settings
        }
