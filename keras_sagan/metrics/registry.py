"""The metrics: a row for each, with all that depends on which metric it is.

The command line and its help, the pages of the documentation, the names in results
and tables, their comparison and the audit read these rows.

To add one: its function on arrays in a module of `scores`, what it takes of the sets
in `computing.py`, a row here, and their tests. Modules of metrics are imported when
they are used, since `keras-sagan --help` lists the names and needs no NumPy for that.
"""

import dataclasses
import enum
from collections.abc import Callable

from keras_sagan.metrics import computing


class Need(enum.Enum):
    """What a metric needs; the value says it to the user."""

    FEATURES = "the real images themselves"  # all at once; else features are streamed
    REAL_LABELS = "labels of the real images"
    FAKE_LABELS = "labels of the generated images"
    HELD_OUT = "`held_out` images (--held-out SPLIT)"
    CLASSIFIER = "the extractor 'classifier', whose classes are the data's"
    LOGITS = "an extractor with class probabilities: inception or classifier"


@dataclasses.dataclass(frozen=True)
class Score:
    """One number that a metric gives.

    Args:
        name: str. Its key in `Values.scores`.
        of_fid_network: str, or `None` for `name`. What it is called with the FID
            network.
        of_others: str, or `None` for `name`. What it is called with another
            extractor, whose name follows.
        of_dinov2: str, or `None` for that of others. What it is called with DINOv2.
        higher_is_better: bool, or `None` where neither way is.
        unit: str. What the number counts, with its range.
        sees: frozenset of str out of `controls.CONTROLS`. The faults that must make
            it worse; the audit looks whether they do.
    """

    name: str
    of_fid_network: str | None = None
    of_others: str | None = None
    of_dinov2: str | None = None
    higher_is_better: bool | None = False
    unit: str = "squared features, from 0"
    sees: frozenset = frozenset()

    def title(self, extractor):
        """The score's full name, e.g. "fid" or "frechet_distance_classifier".

        Args:
            extractor: `Extractor`. Only with the FID network a score is called FID.
        """
        if extractor.is_fid_network:
            return self.of_fid_network or self.name
        if extractor.is_dinov2 and self.of_dinov2:
            return f"{self.of_dinov2}_{extractor.name}"
        return f"{self.of_others or self.name}_{extractor.name}"

    @property
    def better(self) -> str:
        """str: "higher", "lower", or "" where neither is better."""
        return {True: "higher", False: "lower", None: ""}[self.higher_is_better]


@dataclasses.dataclass(frozen=True)
class Metric:
    """A row.

    Args:
        name: str. As in `Settings.metrics` and `--metrics`.
        says: str. What it is, for a line of the help.
        scores: tuple of `Score`; the first is the one that counts.
        compute: function from the `Features` of the real, the generated and the
            held-out images (or `None`) and `Settings` to `computing.Values`.
        needs: frozenset of `Need`.
        paper: str. Where it is from: authors, year, arXiv number.
        use: str. What it is good for, and where it misleads; sentences in Markdown.
        check: function from the same sets before their features are known, the
            `Extractor` (or `None` where it is not opened yet) and `Settings`, that
            raises `ValueError` for what `compute` would refuse; or `None`.
        settings: tuple of str. The fields of `Settings` that belong into the protocol.
        interval_needs: frozenset of `Need`. What confidence intervals need beyond.
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
        """frozenset of `Need`, with those of `intervals` if there are to be any."""
        return self.needs | (self.interval_needs if intervals else frozenset())


_ALL_FEATURES = frozenset({Need.FEATURES})
_LABELS = frozenset({Need.REAL_LABELS, Need.FAKE_LABELS})
# Faults, by the names of `controls.CONTROLS`, that a score must see.
_FAULTS = frozenset({"dropped", "repeated", "blurred", "components", "noise"})
_MEMORY = frozenset({"copies"})
_SHARE = "share, 0 to 1"
_DEVIATION = "standard deviation of the score before it"

METRICS = {
    row.name: row
    for row in (
        Metric(
            "fid",
            "Frechet distance of two Gaussians",
            (Score("fid", of_others="frechet_distance", of_dinov2="fd", sees=_FAULTS),),
            computing.frechet,
            needs=frozenset(),
            paper="Heusel et al., 2017, arXiv 1706.08500",
            use="The usual number. Biased: fewer images give a larger value, so "
            "compare equally many. Needs more images than features, because the "
            "covariance of fewer is singular and the distance mostly bias; "
            "`--allow-few` computes it all the same. Sees means and covariances only.",
            check=computing.check_frechet,
            interval_needs=_ALL_FEATURES,
        ),
        Metric(
            "kid",
            "kernel distance, cubic kernel",
            (
                Score(
                    "kid",
                    of_others="kernel_distance",
                    of_dinov2="kd",
                    unit="squared kernel mean, about 0 and up",
                    sees=_FAULTS,
                ),
                Score("kid_deviation", higher_is_better=None, unit=_DEVIATION),
            ),
            computing.kernel_scores,
            needs=_ALL_FEATURES,
            paper="Binkowski et al., 2018, arXiv 1801.01401",
            use="Unbiased, so also for small sets. `--kid-subset-size` is at most the "
            "images of the smaller set; `--kid-subsets 0` makes one estimate from all "
            "images. Sees little more than the third moments.",
            check=computing.check_kernel,
            settings=("subsets", "subset_size"),
        ),
        Metric(
            "rbf",
            "kernel distance, Gaussian kernel",
            (
                Score(
                    "rbf",
                    "kernel_distance_rbf",
                    "kernel_distance_rbf",
                    unit="squared kernel mean, about 0 to 2",
                    sees=_FAULTS,
                ),
            ),
            computing.gaussian_kernel,
            needs=_ALL_FEATURES,
            paper="Gretton et al., 2012, JMLR 13; Jayasumana et al., 2024, arXiv "
            "2401.09603",
            use="Unbiased, and 0 for equal distributions only. The width of the kernel "
            "(`--bandwidth`) is the median distance between real images; compare "
            "values of one width. Takes all pairs: minutes for 50,000 images.",
            settings=("bandwidth",),
        ),
        Metric(
            "mind",
            "Monge Inception distance: transport along random directions",
            (
                Score(
                    "mind",
                    of_others="monge_distance",
                    unit="squared features x 3 dimensions, from 0",
                    sees=_FAULTS,
                ),
            ),
            computing.sliced_transport,
            needs=_ALL_FEATURES,
            paper="Berthet et al., 2026, arXiv 2605.06797",
            use="Takes nothing for Gaussian, needs no more images than features, and "
            "costs little. Biased by the number of images as `fid` is, so compare "
            "equally many.",
            settings=("projections",),
        ),
        Metric(
            "is",
            "Inception score",
            (
                Score(
                    "is",
                    "inception_score",
                    "class_score",
                    higher_is_better=True,
                    unit="classes, from 1",
                    sees=frozenset({"dropped", "noise"}),
                ),
                Score("is_deviation", higher_is_better=None, unit=_DEVIATION),
            ),
            computing.class_score,
            needs=frozenset({Need.LOGITS}),
            paper="Salimans et al., 2016, arXiv 1606.03498",
            use="Quality and variety of classes without real images; blind to variety "
            "within a class. Only with the FID network is it the score of the "
            "literature.",
            check=computing.check_class_score,
            settings=("splits",),
        ),
        Metric(
            "prdc",
            "precision, recall, density and coverage",
            tuple(
                Score(name, higher_is_better=True, unit=unit, sees=sees)
                for name, unit, sees in (
                    ("precision", _SHARE, frozenset({"blurred", "noise"})),
                    ("recall", _SHARE, _FAULTS),
                    (
                        "density",
                        "ratio, 1 for real images",
                        frozenset({"blurred", "noise"}),
                    ),
                    ("coverage", _SHARE, _FAULTS),
                )
            ),
            computing.neighbour_scores,
            needs=_ALL_FEATURES,
            paper="Kynkaanniemi et al., 2019, arXiv 1904.06991; Naeem et al., 2020, "
            "arXiv 2002.09797",
            use="Precision and density say how good images are, recall and coverage "
            "how much of the data is made. Compare equally many images and the same "
            "k. Distances are exact to float64; memory is bounded.",
            check=computing.check_neighbours,
            settings=("nearest_k",),
        ),
        Metric(
            "vendi",
            "Vendi score: how many different images",
            (
                Score(
                    "vendi",
                    higher_is_better=True,
                    unit="images, from 1",
                    sees=frozenset({"dropped", "repeated", "components"}),
                ),
                Score("vendi_of_real", higher_is_better=None, unit="images, from 1"),
            ),
            computing.variety,
            needs=_ALL_FEATURES,
            paper="Friedman and Dieng, 2022, arXiv 2210.02410",
            use="Variety alone, of the cosines of features: noise scores high, so read "
            "it beside `vendi_of_real`, and at equally many images.",
        ),
        Metric(
            "intra_fid",
            "mean Frechet distance within the classes",
            (
                Score(
                    "intra_fid",
                    of_others="intra_class_frechet_distance",
                    sees=_FAULTS - {"dropped"} | {"shuffled"},
                ),
            ),
            computing.within_classes,
            needs=_ALL_FEATURES | _LABELS,
            paper="Miyato and Koyama, 2018, arXiv 1802.05637",
            use="The distance within each class, for conditional models: sees wrong "
            "labels, which `fid` does not. Needs many images of each class. Prints a "
            "table by class.",
            check=computing.check_within_classes,
        ),
        Metric(
            "agreement",
            "how often the classifier sees the class asked for",
            (
                Score(
                    "agreement",
                    higher_is_better=True,
                    unit=_SHARE,
                    sees=frozenset({"shuffled", "noise"}),
                ),
            ),
            computing.agreement,
            needs=frozenset({Need.LOGITS, Need.FAKE_LABELS, Need.CLASSIFIER}),
            paper="Shmelkov et al., 2018, arXiv 1807.09499 (GAN-test)",
            use="A condition, no aim: it rewards typical images, and a model of one "
            "image a class can reach 1. Prints a table by class.",
            check=computing.check_agreement,
        ),
        Metric(
            "memorization",
            "are images nearer to training than to held-out images?",
            (
                Score(
                    "memorization_share",
                    unit="share, 0.5 if nothing is memorised",
                    sees=_MEMORY,
                ),
                Score(
                    "memorization_score", unit="standard errors from 0.5", sees=_MEMORY
                ),
                Score(
                    "memorization_distance_ratio",
                    higher_is_better=None,
                    unit="ratio, 1 for real images",
                ),
                Score("memorization_copies", unit="images", sees=_MEMORY),
            ),
            computing.memorization,
            needs=_ALL_FEATURES | {Need.HELD_OUT},
            paper="Meehan et al., 2020, arXiv 2004.05675 (a simpler test)",
            use="Needs images that were not trained on (`--held-out test`); the real "
            "images are then the training images. Sees copies in the features, hence "
            "also of cropped or mirrored images where the network ignores that.",
        ),
        Metric(
            "gap",
            "Frechet distance to held-out minus that to training images",
            (
                Score(
                    "gap",
                    of_others="frechet_gap",
                    unit="squared features, about 0",
                    sees=_MEMORY,
                ),
                Score(
                    "gap_share",
                    of_others="frechet_gap_share",
                    unit="share of the distance, about 0",
                    sees=_MEMORY,
                ),
            ),
            computing.train_test_gap,
            needs=_ALL_FEATURES | {Need.HELD_OUT},
            paper="Jiralerspong et al., 2023, arXiv 2302.04440",
            use="Memorisation of the whole distribution, where `memorization` looks at "
            "single images: above 0 the images are nearer to what was trained on. "
            "Needs more images than features in each set, and `--held-out`.",
            check=computing.check_frechet,
        ),
    )
}


def higher_is_better(title):
    """bool: whether more is better of a score with this full name.

    Args:
        title: str. What `Score.title` gives, e.g. "recall_classifier".
    """
    score = score_of(title)
    return score is not None and bool(score.higher_is_better)


def verdict(title, value, other):
    """Says whether a value is better than another.

    Args:
        title: str. What `Score.title` gives.
        value: float.
        other: float.

    Returns: "better", "worse", or "" where they are equal or neither way is better.
    """
    score = score_of(title)
    if score is None or score.higher_is_better is None or not value - other:
        return ""
    return "better" if (value > other) == score.higher_is_better else "worse"


def score_of(title):
    """The `Score` with this full name, or `None` if there is none.

    Args:
        title: str. What `Score.title` gives, e.g. "recall_classifier".
    """
    names = {
        name: score
        for metric in METRICS.values()
        for score in metric.scores
        for name in (
            score.name,
            score.of_fid_network,
            score.of_others,
            score.of_dinov2,
        )
        if name and title.startswith(name)
    }
    return names[max(names, key=len)] if names else None
