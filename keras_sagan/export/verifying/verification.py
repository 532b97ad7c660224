"""Verifies that an export does the same in a server as the model does in Python.

The reference is computed here. The export runs through TensorFlow's C API in a process
of its own, which imports neither TensorFlow nor Keras.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing

import numpy as np

BATCH_SIZES = (1, 7, 64)
TRUNCATION = 0.7  # in every other row
IMAGE_TOLERANCE = 1e-5
MAP_TOLERANCE = 1e-4  # the softmax amplifies rounding by the size of the scores
LEVEL_SHARE = 1e-4  # share of the uint8 values that may be off by one level


class VerificationError(RuntimeError):
    """Raised if an export does not do what its model does."""


def verify(gan: typing.Any, directory: str | os.PathLike) -> dict:
    """Compares an export with its model, for every signature.

    The signatures run at batch sizes 1, 7 and 64, except that `attention` runs at 1 and
    7 only, as its maps are large. Requests that must be refused are sent as well, and
    the operations of the graph are checked.

    Args:
        gan: `SAGAN` that was exported.
        directory: str or path of the SavedModel.

    Returns: dict with `differences` (from `"SIGNATURE/OUTPUT"` to the largest
        difference), `warnings` and the other results of `run_export`.

    Raises:
        VerificationError: if they differ, or if the export cannot be run. The message
            says what is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "reference.npz")
        np.savez(path, **reference(gan))
        program = [sys.executable, "-m", "keras_sagan.export.verifying.capi_process"]
        done = subprocess.run(
            [*program, str(directory), str(path)],
            check=False,
            capture_output=True,
            text=True,
            env=_environment(),
        )
    if done.returncode:
        raise VerificationError(f"The export cannot be run: {done.stderr.strip()}")
    report = json.loads(done.stdout.splitlines()[-1])
    if report["problems"]:
        raise VerificationError(
            "The export does not do what its model does: "
            f"{'; '.join(report['problems'])}."
        )
    return report


def reference(gan):
    """Computes the inputs of the largest batch and the expected outputs.

    Returns: dict from `"input/NAME"` and `"SIGNATURE/OUTPUT"` to arrays.
    """
    from keras_sagan import sampling

    count = max(BATCH_SIZES)
    classes = gan.generator.num_classes
    seeds = np.arange(count, dtype=np.int64)
    limits = np.where(seeds % 2, TRUNCATION, 0).astype(np.float32)
    latents = sampling.row_latents(seeds, gan.generator.latent_dim, 0 * limits).numpy()
    found = {"input/seed": seeds, "input/truncation": limits, "input/latent": latents}
    labels, rows = None, {"num_images": count}
    if classes is not None:
        labels = (seeds % classes).astype(np.int32)
        found["input/label"] = labels
        found["classes"] = np.array(classes)
        rows = {"labels": labels}
    plain = gan.generate(**rows, seed=seeds)
    truncated = gan.generate(**rows, seed=seeds, truncation=TRUNCATION)
    drawn = np.where(limits[:, None, None, None] > 0, truncated, plain)
    inputs = latents if labels is None else [latents, labels]
    # Exports are in float32, also those of a float64 model.
    floats = gan.predict(inputs, verbose=0).astype(np.float32)
    found["generate/images"] = found["generate_png/image_bytes"] = drawn
    found["serving_default/images"] = found["attention/images"] = floats
    # Maps are large, so they are compared in the two smallest batches only.
    few = sorted(BATCH_SIZES)[-2]
    few_rows = {"num_images": few} if labels is None else {"labels": labels[:few]}
    maps = gan.attention_maps(**few_rows, seed=seeds[:few])
    for name, scores in maps.items():
        network, _, layer = name.partition("/")
        if network == "generator":
            found[f"attention/{layer}"] = scores.astype(np.float32)
    if not any(x.startswith("attention/attention") for x in found):
        del found["attention/images"]
    return found


def _environment():
    """Returns an environment in which a process finds this package: dict."""
    paths = [str(pathlib.Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
