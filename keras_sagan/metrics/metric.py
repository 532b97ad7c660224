"""What a metric is: its scores, what it needs, and the function that computes it."""

import dataclasses
import enum
from collections.abc import Callable


class Need(enum.Enum):
    """Something that a metric needs. The values are used in messages."""

    FEATURES = "the real images themselves"  # otherwise, features are streamed
    REAL_LABELS = "labels of the real images"
    FAKE_LABELS = "labels of the generated images"
    HELD_OUT = "`held_out` images (--held-out SPLIT)"
    HELD_OUT_LABELS = "labels of the held-out images"
    PIXELS = "the pixels of all images in memory"
    CLASSIFIER = "the extractor 'classifier', which has the classes of the data"
    LOGITS = "an extractor with class probabilities: inception or classifier"


@dataclasses.dataclass(frozen=True)
class Score:
    """A number that a metric computes.

    Args:
        name: str. Its key in `Values.scores`.
        of_fid_network: str. Its name with the FID network. Defaults to `name`.
        of_others: str. Its name with other extractors, whose own name follows. Defaults
            to `name`.
        of_dinov2: str. Its name with DINOv2. Defaults to that with other extractors.
        higher_is_better: bool, or `None` if neither direction is better.
        unit: str. What the number counts, and its range.
        sees: frozenset of keys of `controls.CONTROLS`. Faults that must make the score
            worse, which is checked by the audit.
        of_extractor: bool. Whether it depends on the extractor, whose name is then
            part of its own.
    """

    name: str
    of_fid_network: str | None = None
    of_others: str | None = None
    of_dinov2: str | None = None
    higher_is_better: bool | None = False
    unit: str = "squared features, from 0"
    sees: frozenset = frozenset()
    of_extractor: bool = True

    def title(self, extractor):
        """Returns its full name, e.g. "fid" or "frechet_distance_classifier".

        Args:
            extractor: `Extractor`. Only with the FID network is a score called FID.
        """
        if not self.of_extractor:
            return self.name
        if extractor.is_fid_network:
            return self.of_fid_network or self.name
        if extractor.is_dinov2 and self.of_dinov2:
            return f"{self.of_dinov2}_{extractor.name}"
        return f"{self.of_others or self.name}_{extractor.name}"

    @property
    def better(self) -> str:
        """str. "higher", "lower", or "" if neither is better."""
        return {True: "higher", False: "lower", None: ""}[self.higher_is_better]


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric, that is, a row of `METRICS`.

    Args:
        name: str. Its name in `Settings.metrics` and `--metrics`.
        says: str. What it is, for a line of the help.
        scores: tuple of `Score`, of which the first is the main one.
        compute: function from the `Features` of the real, the generated and the
            held-out images (or `None`) and `Settings` to `computing.Values`.
        needs: frozenset of `Need`.
        paper: str. Its source: authors, year, arXiv number.
        use: str. What it is good for and where it misleads, as sentences in Markdown.
        check: function of the same sets before their features are known, the
            `Extractor` (or `None` if it is not open yet) and `Settings`, which raises a
            `ValueError` for what `compute` would refuse; or `None`.
        settings: tuple of str. Fields of `Settings` that belong in the protocol.
        interval_needs: frozenset of `Need`. What confidence intervals need in addition.
    """

    name: str
    says: str
    scores: tuple
    compute: Callable
    needs: frozenset
    paper: str
    use: str
    check: Callable | None = None
    settings: tuple = ()
    interval_needs: frozenset = frozenset()

    def all_needs(self, intervals):
        """Returns its needs, including those of `intervals` if they are wanted."""
        return self.needs | (self.interval_needs if intervals else frozenset())
