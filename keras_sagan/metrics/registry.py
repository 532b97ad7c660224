"""Describes all metrics, in a table with a row for each.

The command line and its help, the documentation, the names in results and tables, their
comparison and the audit are made from these rows.

To add a metric, write its function on arrays in a module of `scores`, the function that
calls it in `computing.py`, a row here, and tests for all of them. The modules of
metrics are imported when they are used, so that `keras-sagan --help` needs no NumPy.
"""

from keras_sagan.metrics import computing
from keras_sagan.metrics.metric import Metric, Need, Score

_ALL_FEATURES = frozenset({Need.FEATURES})
_LABELS = frozenset({Need.REAL_LABELS, Need.FAKE_LABELS})
# Faults that a score must see, with the names of `controls.CONTROLS`.
_FAULTS = frozenset({"dropped", "repeated", "blurred", "components", "noise"})
_MEMORY = frozenset({"copies"})
_SHARE = "share, 0 to 1"
_DIFFERENCE = "difference of two shares, -1 to 1"
_DEVIATION = "standard deviation of the previous score"

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
            use="The usual number. It is biased: fewer images give a larger value, so "
            "compare equal numbers. It needs more images than features, because the "
            "covariance of fewer is singular and the distance mostly bias; "
            "`--allow-few` computes it anyway. Sees means and covariances only.",
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
            use="Unbiased, and therefore suitable for small sets. `--kid-subset-size` "
            "is at most the size of the smaller set; `--kid-subsets 0` makes a single "
            "estimate from all images. Sees little more than the third moments.",
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
            "(`--bandwidth`) is the median distance between real images; compare only "
            "values of the same width. Uses all pairs: minutes for 50,000 images.",
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
            use="Does not assume Gaussians, can do with fewer images than features, "
            "and costs little. Like `fid`, it is biased by the number of images, so "
            "compare equal numbers.",
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
            use="Measures quality and variety of classes without real images, but not "
            "variety within a class. Only with the FID network is it the score of the "
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
            use="Precision and density say how good the images are, recall and "
            "coverage how much of the data is generated. Compare equal numbers of "
            "images and the same k. Distances are exact to float64, with bounded "
            "memory.",
            check=computing.check_neighbours,
            settings=("nearest_k",),
        ),
        Metric(
            "vendi",
            "Vendi score: effective number of different images",
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
            use="Measures variety only, by the cosines of features. Noise scores high, "
            "so compare it with `vendi_of_real`, at equal numbers of images.",
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
            use="The mean distance within a class, for conditional models. Unlike "
            "`fid`, it sees wrong labels. Needs many images of each class. Prints a "
            "table of the classes.",
            check=computing.check_within_classes,
        ),
        Metric(
            "agreement",
            "how often the classifier recognises the requested class",
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
            use="A necessary condition rather than a goal: it rewards typical images, "
            "and a model that knows one image per class can reach 1. Prints a table of "
            "the classes.",
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
            use="Needs real images that were not used in training (`--held-out test`); "
            "the real images must be the training images then. Sees copies by their "
            "features, and therefore also cropped or mirrored ones if the network "
            "ignores such changes.",
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
            use="Measures memorisation by the whole distribution, while `memorization` "
            "looks at single images. Above 0, the images are nearer to the training "
            "images. Needs more images than features in each set, and `--held-out`.",
            check=computing.check_frechet,
        ),
        Metric(
            "utility",
            "does it help a classifier to add the images to real ones?",
            tuple(
                Score(name, None, None, None, better, unit, sees, of_extractor=False)
                for name, better, unit, sees in (
                    ("utility", True, _DIFFERENCE, frozenset({"shuffled"})),
                    ("utility_of_augmentation", None, _DIFFERENCE, frozenset()),
                    ("utility_over_augmentation", True, _DIFFERENCE, frozenset()),
                    ("accuracy_of_real", None, _SHARE, frozenset()),
                    # A few components of a class may be enough to learn it from.
                    (
                        "gan_train",
                        True,
                        _SHARE,
                        _FAULTS - {"components"} | {"shuffled"},
                    ),
                    ("gan_test", True, _SHARE, frozenset({"shuffled", "noise"})),
                )
            ),
            computing.utility,
            needs=_ALL_FEATURES
            | _LABELS
            | {Need.HELD_OUT, Need.HELD_OUT_LABELS, Need.PIXELS},
            paper="Shmelkov et al., 2018, arXiv 1807.09499",
            use="Trains small classifiers on real, on generated, on both, and on "
            "randomly shifted real images (plain augmentation), for the same number of "
            "steps, and tests them on `--held-out` images. `gan_train` is low where "
            "images are bad or have little variety, `gan_test` (trained on real, "
            "tested on generated) only where they are bad. Ends in a sentence that "
            "says whether the images help, always with intervals, and prints a table "
            "of the classes. No extractor is needed. It takes long: 4 trainings for "
            "each of `--utility-seeds`.",
            check=computing.check_utility,
            settings=("seeds", "steps", "mirror"),
        ),
    )
}


def higher_is_better(title):
    """Returns whether higher values of a score are better.

    Args:
        title: str. Full name of the score, e.g. "recall_classifier".
    """
    score = score_of(title)
    return score is not None and bool(score.higher_is_better)


def verdict(title, value, other):
    """Says whether a value is better than another.

    Args:
        title: str. Full name of the score, e.g. "recall_classifier".
        value: float.
        other: float.

    Returns: "better", "worse", or "" if they are equal or neither direction is better.
    """
    score = score_of(title)
    if score is None or score.higher_is_better is None or not value - other:
        return ""
    return "better" if (value > other) == score.higher_is_better else "worse"


def score_of(title):
    """Returns the `Score` with a full name, or `None` if there is none.

    Args:
        title: str. Full name of the score, e.g. "recall_classifier".
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
