"""Does every score see what it must? Scores tried on controls of known faults."""

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
_SPLITS = 5  # of real images against real ones: the noise of a score
_MARGIN = 3.0  # standard deviations of that noise
_KEEPING = ("kid",)  # a metric that keeps all features


@dataclasses.dataclass(frozen=True)
class Audit:
    """What the scores were on every control.

    Args:
        scores: dict from a score's name to a dict from a control to float; the
            control "real" is the mean over splits of real images against real ones.
        spread: dict from a score's name to the standard deviation over those.
        seen: dict from a score's name to a dict from a control to bool, whether the
            score was clearly worse there than for real images, or could not be
            computed. Controls on which it must be are those of `registry.Score.sees`.
        missed: dict from a score's name to the tuple of controls that it must see and
            did not; only scores with such controls.
    """

    scores: dict
    spread: dict
    seen: dict
    missed: dict

    def format(self) -> str:
        """A table: `*` behind a fault that is seen, `!` behind one that is missed."""
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
        end = "* worse than real images by more than their noise; ! should be, is not"
        return "\n".join([*lines, "", *notes, end])

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
    """Scores controls that are made from real images.

    The images are split into three parts at random: the real images of a score, those
    that controls are made of, and held-out ones. What a score is worth is told by five
    such splits without a fault: a fault is seen where the score is worse than in each
    of them, and than their mean by three standard deviations. All sets have equally
    many images.

    Args:
        real: `ImageSet`. Without labels the controls of classes are left out.
        extractor: `Extractor`.
        settings: `Settings`. The kernel distance is one estimate from all images.
        seed: int. Of the splits and the controls.

    Returns: `Audit`.

    Raises:
        ValueError: if a metric is not possible; a third of the images must be enough.
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
            name: not math.isfinite(x[title]) or sign * x[title] > limit
            for name, x in found.items()
        }
        left = tuple(x for x in found if x in score.sees and not seen[title][x])
        if left:
            missed[title] = left
    return Audit(scores, spread, seen, missed)


class _Trial:
    """Features of the real images and of the controls, and the scores of those."""

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
        """The controls that these images allow."""
        several = self.real.labels is not None and len(np.unique(self.real.labels)) > 1
        of_classes = ("dropped", "shuffled")
        return [x for x in controls.CONTROLS if several or x not in of_classes]

    def real_against_real(self, split):
        """The scores of real images: dict from full names to float."""
        return self._computed(self._rows(self.parts[split][1][: self.count]), split)

    def scores(self, name):
        """The scores of a control, likewise."""
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
        """Features of images whose pixels are changed."""
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
        """`Features` of some of the real images."""
        every = self.features
        parts = (every.features, every.logits, every.labels)
        taken = [None if x is None else x[rows] for x in parts]
        moments = Moments.of(taken[0])
        return Features(moments, *taken, every.class_names, every.logit_names)

    def _computed(self, fake, split=None):
        training, _, held_out = (self._rows(x) for x in self.parts[split or 0])
        found = {}
        for metric in self.metrics:
            try:
                values = metric.compute(training, fake, held_out, self.settings).scores
            except ValueError:  # a class has no images: that is seen
                if split is not None:
                    raise
                values = dict.fromkeys((x.name for x in metric.scores), math.nan)
            for score in metric.scores:
                found[score.title(self.extractor)] = values[score.name]
        return found
