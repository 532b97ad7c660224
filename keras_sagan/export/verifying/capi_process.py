"""The process in which `verify` loads an export with TensorFlow's C library.

    python -m keras_sagan.export.verifying.capi_process EXPORT REFERENCE.npz

It prints its findings as JSON, and imports neither TensorFlow nor Keras.
"""

import io
import json
import sys
import time

import numpy as np
from PIL import Image

from keras_sagan.export.verifying import capi, graph
from keras_sagan.export.verifying.verification import (
    BATCH_SIZES,
    IMAGE_TOLERANCE,
    LEVEL_SHARE,
    MAP_TOLERANCE,
)

_INVALID_ARGUMENT = 3


def run_export(directory, reference):
    """Runs every signature and compares the outputs with a reference.

    Args:
        directory: str or path of the SavedModel.
        reference: dict of arrays, as returned by `verification.reference`.

    Returns: dict with `problems` (list of str, empty if there are none), `warnings`,
        `differences` (dict from `"SIGNATURE/OUTPUT"` to the largest difference at any
        batch size), `operations` (number of operations of each signature),
        `load_seconds`, `total_seconds`, `tensorflow` (version that ran it) and
        `exported_with` (version that wrote it).
    """
    begin = time.perf_counter()
    library = capi.load_library()
    meta_graph = graph.read_meta_graph(directory)
    opened = time.perf_counter()
    session = capi.Session(directory, library)
    load_seconds = time.perf_counter() - opened
    operations = graph.served_operations(meta_graph)
    forbidden = graph.forbidden_operations(
        set().union(*operations.values()), capi.registered_operations(library)
    )
    differences, problems = _compare_outputs(session, reference)
    problems += [f"a server must not run {name}" for name in forbidden]
    problems += _accepted(session, reference)
    problems += [
        f"{x} was imported" for x in ("tensorflow", "keras") if x in sys.modules
    ]
    session.close()
    exporter = graph.tensorflow_version(meta_graph)
    warning = graph.version_warning(exporter)
    return {
        "problems": problems,
        "warnings": [] if warning is None else [warning],
        "differences": differences,
        "operations": {name: sum(found.values()) for name, found in operations.items()},
        "load_seconds": round(load_seconds, 3),
        "total_seconds": round(time.perf_counter() - begin, 3),
        "tensorflow": library.TF_Version().decode(),
        "exported_with": exporter,
    }


def _compare_outputs(session, reference):
    differences, problems = {}, []
    expected = {}
    for key, value in reference.items():
        signature, slash, output = key.partition("/")
        if slash and signature != "input":
            expected.setdefault(signature, {})[output] = value
    if sorted(expected) != sorted(session.signatures):
        problems.append(f"signatures are {sorted(session.signatures)}")
    for signature in expected.keys() & session.signatures.keys():
        found, problem = _compare_signature(
            session, signature, expected[signature], reference
        )
        differences.update(found)
        problems += problem
    return differences, problems


def _compare_signature(session, signature, expected, reference):
    """Returns the largest difference of each output, and a list of problems."""
    differences = {name: [] for name in expected}
    most = min(len(wanted) for wanted in expected.values())
    for size in (x for x in BATCH_SIZES if x <= most):
        outputs = session.run(signature, _rows(session, signature, reference, size))
        if sorted(outputs) != sorted(expected):
            return {}, [f"{signature} returns {sorted(outputs)}"]
        for name, wanted in expected.items():
            actual = outputs[name]
            if isinstance(actual, list):
                actual = np.stack(
                    [_decoded_tensor(x, wanted.shape[-1]) for x in actual]
                )
            shape = (size, *wanted.shape[1:])
            if (actual.shape, actual.dtype) != (shape, wanted.dtype):
                what = f"{actual.dtype} {actual.shape} at batch size {size}"
                return {}, [f"{signature}/{name}: {what}"]
            difference = np.abs(actual.astype(np.float64) - wanted[:size])
            differences[name].append(difference.ravel())
    found, problems = {}, []
    for name, parts in differences.items():
        difference, levels = np.concatenate(parts), expected[name].dtype == np.uint8
        found[f"{signature}/{name}"] = float(difference.max())
        problem = _problem(difference, name, levels)
        problems += [f"{signature}/{name}: {problem}"] if problem else []
    return found, problems


def _problem(difference, name, levels):
    """Returns what is wrong with the differences of an output, or None."""
    largest = float(difference.max())
    if levels:
        share = float((difference > 0).mean())
        if largest <= 1 and share <= LEVEL_SHARE:
            return None
        return f"{share:.3%} of values differ, by at most {largest:.0f}"
    tolerance = IMAGE_TOLERANCE if name == "images" else MAP_TOLERANCE
    return None if largest <= tolerance else f"differs by {largest:.2g}"


def _rows(session, signature, reference, size):
    names = session.signatures[signature].inputs
    return {name: reference[f"input/{name}"][:size] for name in names}


def _decoded_tensor(png, channels):
    image = np.asarray(Image.open(io.BytesIO(png), formats=("PNG",)))
    return image.reshape(*image.shape[:2], channels)


def _accepted(session, reference):
    """Returns the requests that an export answers although it must refuse them."""
    bad = {"truncation": [-1.0, np.nan], "latent": [np.nan, np.inf]}
    if "classes" in reference:
        bad["label"] = [-1, int(reference["classes"])]
    problems = []
    for signature, definition in session.signatures.items():
        fine = _rows(session, signature, reference, 2)
        requests = [
            (f"{name} {value}", {**fine, name: _with_first(fine[name], value)})
            for name in definition.inputs
            for value in bad.get(name, ())
        ]
        if len(fine) > 1:
            requests += [
                (f"too few of {name}", {**fine, name: fine[name][:1]}) for name in fine
            ]
        for what, request in requests:
            if not _refused(session, signature, request):
                problems.append(f"{signature} accepts {what}")
    return problems


def _with_first(rows, value):
    rows = rows.copy()
    rows[0] = value
    return rows


def _refused(session, signature, request):
    try:
        session.run(signature, request)
    except capi.TensorFlowError as error:
        return error.code == _INVALID_ARGUMENT
    return False


if __name__ == "__main__":
    with np.load(sys.argv[2]) as stored:
        print(json.dumps(run_export(sys.argv[1], dict(stored))))
