"""Checks what the metrics need before features are extracted."""

from keras_sagan.metrics.moments import Moments
from keras_sagan.metrics.registry import METRICS, Need


def check_possible(real, fake, extractor, settings, held_out=None):
    """Raises a `ValueError` if a metric lacks what it needs.

    Args:
        real: see `evaluation.evaluate`.
        fake: see `evaluation.evaluate`.
        extractor: `Extractor`, or `None` if it is not open yet. What depends on it is
            not checked then.
        settings: `Settings`.
        held_out: see `evaluation.evaluate`.
    """
    if isinstance(real, Moments):
        _check_moments(real, settings)
        if extractor is not None:
            _check_of_extractor(real, extractor)
    there = {
        Need.REAL_LABELS: getattr(real, "labels", None) is not None,
        Need.FAKE_LABELS: fake.labels is not None,
        Need.HELD_OUT: held_out is not None,
        Need.HELD_OUT_LABELS: getattr(held_out, "labels", None) is not None,
    }
    if extractor is not None:
        there[Need.CLASSIFIER] = extractor.name == "classifier"
        there[Need.LOGITS] = extractor.has_classes
    for metric in settings.rows:
        for need in Need:  # in this order, so that the message is always the same
            if need in metric.needs and not there.get(need, True):
                of_extractor = need in (Need.CLASSIFIER, Need.LOGITS)
                received = repr(extractor.name) if of_extractor else "none"
                raise ValueError(
                    f"Metric {metric.name!r} needs {need.value}. Received: {received}."
                )
        if metric.check is not None:
            metric.check(real, fake, extractor, settings)


def _check_moments(moments, settings):
    """Raises a `ValueError` if metrics or intervals need the images themselves."""
    if not settings.keeps_features:
        return
    without = [x.name for x in METRICS.values() if Need.FEATURES not in x.needs]
    names = f"{', '.join(without[:-1])} and {without[-1]}"
    if set(settings.metrics) <= set(without):
        raise ValueError(
            "Confidence intervals of a Frechet distance need the real images "
            "themselves, but moments from a file (--reference-stats) were given. "
            f"Received: bootstrap={settings.bootstrap}."
        )
    raise ValueError(
        f"Moments from a file (--reference-stats) allow only {names}. "
        f"Received: metrics={','.join(settings.metrics)}."
    )


def _check_of_extractor(moments, extractor):
    if moments.protocol is not None:
        known = moments.protocol.get("extractor")
        if known != extractor.describe():
            raise ValueError(
                "The reference statistics were made with another extractor. Received: "
                f"{known} and {extractor.describe()}."
            )
    elif not extractor.is_inception:
        raise ValueError(
            "The reference statistics do not say with which extractor they were made. "
            "Such files of other programs are assumed to be of the FID network. For "
            "another extractor, let this program write them (--reference-stats) or set "
            f"`protocol` of the `Moments`. Received: extractor {extractor.name!r}."
        )
    if extractor.dimensions not in (None, moments.dimensions):
        raise ValueError(
            f"The reference statistics must have the {extractor.dimensions} dimensions "
            f"of the extractor. Received: {moments.dimensions}."
        )
