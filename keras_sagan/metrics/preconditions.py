"""What each metric needs, checked before anything long is begun."""

from keras_sagan.metrics.moments import Moments


def check_possible(real, fake, extractor, metrics, held_out):
    """Raises `ValueError` where a metric lacks what it needs.

    Args:
        real: see `evaluation.evaluate`.
        fake: likewise.
        extractor: likewise.
        metrics: tuple of str.
        held_out: see `evaluation.evaluate`.
    """
    wanted = set(metrics)
    alone = {"fid", "is", "agreement"}
    if isinstance(real, Moments) and wanted - alone:
        raise ValueError(
            "Moments of a file (--reference-stats) allow fid, is and agreement only. "
            f"Received: metrics={','.join(metrics)}."
        )
    if isinstance(real, Moments) and real.protocol is not None:
        known = real.protocol.get("extractor")
        if known != extractor.describe():
            raise ValueError(
                "The reference statistics are of another extractor. Received: "
                f"{known} and {extractor.describe()}."
            )
    both = {"real": real, "fake": fake}
    for metric, sets in (("intra_fid", both), ("agreement", {"fake": fake})):
        for name, images in sets.items():
            if metric in wanted and getattr(images, "labels", None) is None:
                raise ValueError(
                    f"Metric {metric!r} needs labels of the {name} images. "
                    "Received: none."
                )
    if "memorization" in wanted and held_out is None:
        raise ValueError(
            "Metric 'memorization' needs `held_out` images (--held-out SPLIT). "
            "Received: none."
        )
    if "agreement" in wanted and extractor.name != "classifier":
        raise ValueError(
            "Metric 'agreement' needs the extractor 'classifier', whose classes are "
            f"the data's. Received: {extractor.name!r}."
        )
    if extractor.name not in ("classifier", "inception", "inception_unverified"):
        if "is" in wanted:
            raise ValueError(
                "Metric 'is' needs an extractor with class probabilities: inception "
                f"or classifier. Received: {extractor.name!r}."
            )
