"""Records how a score was measured; only scores of equal protocols can be compared."""

import importlib.metadata
import os

import keras_sagan
from keras_sagan.files import json_files

# What may differ between two results that are compared: the model, the random numbers,
# and the versions of the programs.
FREE = ("model", "seed", "versions")


def build_protocol(extractor, real, fake, parameters, held_out=None):
    """Builds the protocol of a result.

    Args:
        extractor: dict, as returned by `Extractor.describe`.
        real: dict with data set, split, count and image size.
        fake: dict with model, count, labels, truncation, weights, batch norm and seed.
        parameters: dict of the settings of the metrics.
        held_out: dict like `real`, or `None` if there are no held-out images.

    Returns: dict of JSON values.
    """
    fake = dict(fake)
    return {
        "extractor": dict(extractor),
        "real": dict(real),
        **({} if held_out is None else {"held_out": dict(held_out)}),
        "fake": {name: fake[name] for name in fake if name not in FREE},
        "parameters": dict(parameters),
        "model": fake.get("model"),
        "seed": fake.get("seed"),
        "versions": versions(),
    }


def versions():
    """Returns the versions of the packages that compute scores: dict."""
    names = ("numpy", "keras", "tensorflow")
    return {
        "keras_sagan": keras_sagan.__version__,
        **{name: importlib.metadata.version(name) for name in names},
    }


def differences(first, second):
    """Returns the settings in which two protocols differ, except for those in `FREE`.

    Returns: dict from a dotted name, e.g. "extractor.resize", to both values.
    """
    left, right = (_flat({k: v for k, v in x.items() if k not in FREE})
                   for x in (first, second))  # fmt: skip
    missing = "(not given)"
    return {
        name: (left.get(name, missing), right.get(name, missing))
        for name in sorted({*left, *right})
        if left.get(name, missing) != right.get(name, missing)
    }


def compare_results(
    first: dict, second: dict, force: bool = False
) -> dict[str, tuple[float, float]]:
    """Compares the scores of two results.

    Args:
        first: dict with "scores" and "protocol", e.g. from `Result.to_dict` or from a
            file written by `keras-sagan evaluate --json`.
        second: the same for the second result.
        force: bool. Whether to compare results of different protocols.

    Returns: dict from the name of a score to `(first, second)`.

    Raises:
        ValueError: if the protocols differ and `force` is False. The message lists the
            differences.
    """
    settings = differences(first["protocol"], second["protocol"])
    if settings and not force:
        lines = [f"  {name}: {a!r}, {b!r}" for name, (a, b) in settings.items()]
        raise ValueError(
            "The two results were measured with different protocols, so their scores "
            "cannot be compared (`force`, --ignore-protocol: compare them anyway):\n"
            + "\n".join(lines)
        )
    left, right = first["scores"], second["scores"]
    return {name: (left[name], right[name]) for name in left if name in right}


def read_result(path: str | os.PathLike) -> dict:
    """Reads a result that was written by `keras-sagan evaluate --json`.

    Raises:
        ValueError: if the file is something else.
    """
    try:
        result = json_files.read(path)
        if all(isinstance(result.get(x), dict) for x in ("scores", "protocol")):
            scores = {name: float(x) for name, x in result["scores"].items()}
            given = dict(result.get("intervals") or {})
            limits = {
                name: (float(low), float(high)) for name, (low, high) in given.items()
            }
            sentences = [str(x) for x in result.get("conclusions") or ()]
            checked = {"scores": scores, "intervals": limits, "conclusions": sentences}
            return {**result, **checked}
        reason = "it has no scores and protocol"
    except (ValueError, TypeError, OverflowError) as error:  # something is no number
        reason = str(error)
    raise ValueError(
        f"{str(path)!r} is not a result of `keras-sagan evaluate --json`: {reason}"
    )


def _flat(value, prefix=""):
    if not isinstance(value, dict):
        return {prefix: value}
    result = {}
    for name, inner in value.items():
        result.update(_flat(inner, f"{prefix}.{name}" if prefix else name))
    return result
