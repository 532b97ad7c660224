"""Section of the configuration about scores while a model trains."""

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
        "network that looks at the images: inception, classifier (trained before step "
        "1, kept with the run), or another of 'keras-sagan evaluate --help'",
        "--evaluate-extractor NAME",
    )
    inception: str | None = setting(
        None, "weights file of the FID network", none="a download"
    )
    split: str | None = setting(
        None,
        "split that the real images are taken from",
        "--evaluate-split NAME",
        none="the one that is trained on",
    )
    num_real: int | None = setting(
        10_000, "real images, chosen at random", least=1, none="all"
    )
    num_images: int = setting(
        5000,
        "generated images; their latents are the same every time",
        "--evaluate-images N",
        least=1,
    )
    monitor: str | None = setting(
        None,
        "score that decides which model is best, by the beginning of its name; that "
        "model is kept in evaluation/best",
        "--monitor SCORE",
        none="the first",
    )
    mode: str | None = setting(
        None,
        "whether low or high scores are better",
        choices=("min", "max"),
        none="the score's own",
    )
    keep_best: bool = setting(True, "whether to keep the best model")
    patience: int | None = setting(
        None,
        "evaluations in a row without a better score after which training ends",
        "--patience N",
        least=1,
        none="no such end",
    )
    target: float | None = setting(
        None,
        "value of that score at which training ends",
        "--target SCORE",
        none="no such end",
        added_later=True,
    )
    share: float = setting(
        0.1,
        "largest part of the time that evaluations may take",
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
        """Tuple of str."""
        return tuple(x.strip() for x in self.metrics.split(",") if x.strip())
