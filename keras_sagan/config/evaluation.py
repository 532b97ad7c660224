"""Section of the configuration about the evaluation of a model while it trains."""

from keras_sagan.config.section import Section, section, setting
from keras_sagan.config.training import LARGEST_SEED


@section
class EvaluationConfig(Section):
    """Whether and how the averaged generator is scored while it trains."""

    every: int | None = setting(
        None,
        "steps between two evaluations",
        "--evaluate-every STEPS",
        least=1,
        none="no evaluation",
    )
    metrics: str = setting(
        "fid,kid",
        "names of scores, joined by commas: fid, kid, rbf, mind, is, prdc, vendi, "
        "intra_fid, agreement",
        "--evaluate-metrics NAMES",
    )
    extractor: str = setting(
        "inception",
        "network whose features are compared: inception, classifier (trained before "
        "step 1 and kept with the run), or another of 'keras-sagan evaluate --help'",
        "--evaluate-extractor NAME",
    )
    inception: str | None = setting(
        None, "file with the weights of the FID network", none="a download"
    )
    split: str | None = setting(
        None,
        "split from which the real images are taken",
        "--evaluate-split NAME",
        none="the training split",
    )
    num_real: int | None = setting(
        10_000, "number of real images, chosen at random", least=1, none="all"
    )
    num_images: int = setting(
        5000,
        "number of generated images; their latents are the same every time",
        "--evaluate-images N",
        least=1,
    )
    monitor: str | None = setting(
        None,
        "score that decides which model is best, or the beginning of its name; the "
        "best model is kept in evaluation/best",
        "--monitor SCORE",
        none="the first score",
    )
    mode: str | None = setting(
        None,
        "whether low or high values of that score are better",
        choices=("min", "max"),
        none="the usual direction of the score",
    )
    keep_best: bool = setting(True, "whether to keep the best model")
    patience: int | None = setting(
        None,
        "number of evaluations in a row without a better score after which training "
        "ends",
        "--patience N",
        least=1,
        none="no early end",
    )
    target: float | None = setting(
        None,
        "value of that score at which training ends",
        "--target SCORE",
        none="no early end",
        added_later=True,
    )
    share: float = setting(
        0.1,
        "largest share of the time that evaluations may take",
        "--evaluate-share FRACTION",
        above=0,
        most=1,
    )
    seed: int = setting(
        0,
        "seed of the latents and of the choice of real images",
        least=0,
        most=LARGEST_SEED,
    )

    def check(self):
        self.require(self.selected_metrics, "metrics", "names joined by commas")

    @property
    def selected_metrics(self):
        """Tuple of str. Names of the scores to compute."""
        return tuple(x.strip() for x in self.metrics.split(",") if x.strip())
