"""Does an export do in a server what the model does in Python?

The reference is computed here; the export runs through TensorFlow's C API in a
process of its own that imports neither TensorFlow nor Keras.
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
TRUNCATION = 0.7  # of every other row
IMAGE_TOLERANCE = 1e-5
MAP_TOLERANCE = 1e-4  # the softmax multiplies rounding by the size of the scores
LEVEL_SHARE = 1e-4  # of all uint8 values: as many may be one level off


class VerificationError(RuntimeError):
    """An export does not do what its model does."""


def verify(gan: typing.Any, directory: str | os.PathLike) -> dict:
    """Compare an export with its model, signature by signature.

    Every signature runs at the batch sizes 1, 7 and 64, `attention`, whose maps are
    large, at 1 and 7; requests that must be refused are sent too, and the operations
    are checked.

    Args:
        gan: `SAGAN` that was exported.
        directory: str or path of the SavedModel.

    Returns: dict with `differences` (by signature and output: the largest one),
        `warnings` and what else `run_export` returns.

    Raises:
        VerificationError: naming what is wrong.
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
    """Inputs of the largest batch, and the outputs that belong to them.

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
    # A float64 model is exported in float32.
    floats = gan.predict(inputs, verbose=0).astype(np.float32)
    found["generate/images"] = found["generate_png/image_bytes"] = drawn
    found["serving_default/images"] = found["attention/images"] = floats
    # Maps are large: compared in the smallest two batches.
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
    """Where the process finds this package, installed or not."""
    paths = [str(pathlib.Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
