"""Checks whether scores notice the faults that they should notice."""

import dataclasses
import math

import numpy as np

from keras_sagan import progress
from keras_sagan.metrics import controls
from keras_sagan.metrics.evaluation import Features, collect
from keras_sagan.metrics.extractors.extractor import Extractor
from keras_sagan.metrics.image_sets import ImageSet, array_images
from keras_sagan.metrics.moments import Moments
from keras_sagan.metrics.registry import score_of
from keras_sagan.metrics.settings import Settings

REAL = "real"  # the control without a fault
_SPLITS = 5  # comparisons of real images with real ones, for the noise of a score
_MARGIN = 3.0  # standard deviations of this noise
_KEEPING = ("kid",)  # a metric that keeps all features


@dataclasses.dataclass(frozen=True)
class Audit:
    """The values of the scores on all controls.

    Args:
        scores: dict from the name of a score to a dict from control to float. The
            control "real" is the mean over several splits of real images.
        spread: dict from the name of a score to the standard deviation over the splits.
        seen: dict from the name of a score to a dict from control to bool. It is True
            if the score was clearly worse than for real images, or could not be
            computed. `registry.Score.sees` lists the controls for which it must be.
        missed: dict from the name of a score to a tuple of the controls that it must
            see but did not. Scores without such controls are left out.
        cached: str, or `None`. See `evaluation.Result`.
    """

    scores: dict
    spread: dict
    seen: dict
    missed: dict
    cached: str | None = None

    @classmethod
    def from_dict(cls, content: dict, cached: str | None = None) -> "Audit":
        """Creates an audit from a dict of `to_dict`, which may come from JSON.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: if it is another dict.
        """
        scores, spread, seen = (dict(content[x]) for x in ("scores", "spread", "seen"))
        missed = {name: tuple(x) for name, x in content["missed"].items()}
        return cls(scores, spread, seen, missed, cached)

    def to_dict(self) -> dict:
        """Returns the audit as a dict of JSON values."""
        return dataclasses.asdict(self)

    def format(self) -> str:
        """Returns a table with `*` after faults that were seen, and `!` if missed."""
        names = list(next(iter(self.scores.values())))
        rows = [["", *names]]
        for score, values in self.scores.items():
            rows.append([score, *(self._cell(score, x, values[x]) for x in names)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(x.ljust(n) for x, n in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        notes = [
            f"{x}: {controls.CONTROLS[x]}" for x in names if x in controls.CONTROLS
        ]
        end = "* worse than real images by more than noise; ! should be, but is not"
        again = [f"not computed again: read from {self.cached}"] if self.cached else []
        return "\n".join([*lines, "", *notes, end, *again])

    def _cell(self, score, control, value):
        if control == REAL:
            return f"{value:.4g} ± {self.spread[score]:.2g}"
        if control in self.missed.get(score, ()):
            return f"{value:.4g} !"
        return f"{value:.4g} *" if self.seen[score][control] else f"{value:.4g}"


def audit(
    real: ImageSet,
    extractor: Extractor,
    settings: Settings | None = None,
    seed: int = 0,
) -> Audit:
    """Tests whether scores notice known faults in images that are made from real ones.

    The images are split at random into three parts: the real images of the scores,
    those from which the controls are made, and held-out ones. Five such splits without
    a fault show the noise of each score. A fault is seen if the score is worse than in
    all five of them, and worse than their mean by three standard deviations. All sets
    have the same number of images.

    Args:
        real: `ImageSet`. Without labels, the controls about classes are left out.
        extractor: `Extractor`.
        settings: `Settings`. The kernel distance is always estimated once, from all
            images.
        seed: int. Seed of the splits and the controls.

    Returns: `Audit`.

    Raises:
        ValueError: if a metric is not possible with a third of the images.
    """
    settings = dataclasses.replace(settings or Settings(), bootstrap=0, subsets=None)
    trial = _Trial(real, extractor, settings, seed)
    names = trial.possible()
    total = _SPLITS + len(names)
    found: dict = {}
    with progress.Counter(total, "audit", "controls") as counter:
        without_fault = []
        for split in range(_SPLITS):
            without_fault.append(trial.real_against_real(split))
            counter.add()
        for name in names:
            found[name] = trial.scores(name)
            counter.add()
    return _judged(without_fault, found)


def _judged(without_fault, found):
    scores, spread, seen, missed = {}, {}, {}, {}
    for title in without_fault[0]:
        score = score_of(title)
        if score is None or score.higher_is_better is None:
            continue
        values = np.array([x[title] for x in without_fault])
        scores[title] = {REAL: float(values.mean())}
        spread[title] = float(values.std(ddof=1))
        sign = -1 if score.higher_is_better else 1
        limit = max(
            (sign * values).max(), sign * values.mean() + _MARGIN * spread[title]
        )
        scores[title] |= {name: float(x[title]) for name, x in found.items()}
        seen[title] = {
            name: bool(not math.isfinite(x[title]) or sign * x[title] > limit)
            for name, x in found.items()
        }
        left = tuple(x for x in found if x in score.sees and not seen[title][x])
        if left:
            missed[title] = left
    return Audit(scores, spread, seen, missed)


class _Trial:
    """Computes features of the real images and of the controls, and their scores."""

    def __init__(self, real, extractor, settings, seed):
        self.settings = dataclasses.replace(
            settings, metrics=(*settings.metrics, *_KEEPING)
        )
        self.metrics = settings.rows
        self.real, self.extractor, self.seed = real, extractor, seed
        self.images = real.arrays()
        self.features = collect(real, extractor, self.settings, "real images")
        third = real.count // 3
        self.parts = [self._parts(split, third) for split in range(_SPLITS)]
        labels = real.labels
        self.count = third
        if labels is not None:
            kept = controls.without_largest_class(labels[self.parts[0][1]])
            self.count = len(kept) or third

    def _parts(self, split, size):
        generator = np.random.default_rng((self.seed, split))
        order = generator.permutation(self.real.count)
        return [np.sort(order[i * size : (i + 1) * size]) for i in range(3)]

    def possible(self):
        """Returns the controls that can be made from these images."""
        several = self.real.labels is not None and len(np.unique(self.real.labels)) > 1
        of_classes = ("dropped", "shuffled")
        return [x for x in controls.CONTROLS if several or x not in of_classes]

    def real_against_real(self, split):
        """Returns the scores of real images: dict from full name to float."""
        return self._computed(self._rows(self.parts[split][1][: self.count]), split)

    def scores(self, name):
        """Returns the scores of a control: dict from full name to float."""
        training, rows, _ = self.parts[0]
        if name == "dropped":
            kept = controls.without_largest_class(self.real.labels[rows])
            return self._computed(self._rows(rows[kept]))
        rows = rows[: self.count]
        if name == "repeated":
            chosen = controls.few_repeated(len(rows), self.seed)
            return self._computed(self._rows(rows[chosen]))
        if name == "copies":
            return self._computed(self._rows(training[: self.count]))
        if name == "shuffled":
            fake = self._rows(rows)
            labels = controls.shuffled(fake.labels, self.seed)
            return self._computed(dataclasses.replace(fake, labels=labels))
        return self._computed(self._changed(name, rows))

    def _changed(self, name, rows):
        """Returns `Features` of images with changed pixels."""
        images = self.images[rows]
        labels = None if self.real.labels is None else self.real.labels[rows]
        changed = {
            "blurred": lambda: controls.blurred(images),
            "components": lambda: controls.principal_components(images, labels),
            "noise": lambda: controls.noise(images, self.seed),
        }[name]()
        made = array_images(changed, labels, class_names=self.real.class_names)
        return collect(made, self.extractor, self.settings, name)

    def _rows(self, rows):
        """Returns `Features` of some of the real images."""
        every = self.features
        parts = (every.features, every.logits, every.labels, every.images)
        *taken, images = (None if x is None else x[rows] for x in parts)
        moments = Moments.of(taken[0])
        return Features(moments, *taken, every.class_names, every.logit_names, images)

    def _computed(self, fake, split=None):
        training, _, held_out = (self._rows(x) for x in self.parts[split or 0])
        found = {}
        for metric in self.metrics:
            try:
                values = metric.compute(training, fake, held_out, self.settings).scores
            except ValueError:  # a class has no images, so the fault is seen
                if split is not None:
                    raise
                values = dict.fromkeys((x.name for x in metric.scores), math.nan)
            for score in metric.scores:
                found[score.title(self.extractor)] = values[score.name]
        return found
