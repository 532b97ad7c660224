"""An ONNX model with the signature `generate`, as the model servers here run it.

It needs ONNX Runtime and NumPy, and checks what the model itself would not refuse, or
not with a sentence.
"""

import json

import numpy as np
import onnxruntime

MAX_ROWS = 64  # pictures of a request
_DATATYPES = {  # of the Open Inference Protocol
    "tensor(float)": "FP32",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(uint8)": "UINT8",
}
_DTYPES = {"FP32": np.float32, "INT32": np.int32, "INT64": np.int64}


class Generator:
    """Generates pictures from seeds.

    Args:
        path: str. The file that `keras-sagan export --format onnx --signature generate`
            wrote.

    Attributes:
        inputs, outputs: lists of dicts with `name`, `datatype` and `shape`: the
            metadata of the model in the Open Inference Protocol.

    Raises:
        ValueError: if the model has another signature.
    """

    def __init__(self, path):
        self._session = onnxruntime.InferenceSession(
            path, providers=["CPUExecutionProvider"]
        )
        self.inputs = [_described(value) for value in self._session.get_inputs()]
        self.outputs = [_described(value) for value in self._session.get_outputs()]
        names = [tensor["name"] for tensor in self.inputs]
        if "seed" not in names:
            raise ValueError(
                f"{path!r} must be exported with `--signature generate`. Received a "
                f"model of {', '.join(names)}."
            )
        card = self._session.get_modelmeta().custom_metadata_map["model_card"]
        self._num_classes = json.loads(card)["generator"]["num_classes"]

    def run(self, columns):
        """Returns uint8 images `(n, height, width, channels)`.

        Args:
            columns: dict from the name of each input to an array or a list of n values.

        Raises:
            ValueError: if something is missing, too much or out of range.
        """
        wanted = {tensor["name"]: _DTYPES[tensor["datatype"]] for tensor in self.inputs}
        if not isinstance(columns, dict) or set(columns) != set(wanted):
            raise ValueError(
                f"The inputs must be {', '.join(wanted)}. "
                f"Received: {', '.join(map(str, columns)) or 'none':.80}."
            )
        rows = {name: _column(name, columns[name], wanted[name]) for name in wanted}
        counts = {name: len(column) for name, column in rows.items()}
        count = counts["seed"]
        if len(set(counts.values())) > 1 or not 1 <= count <= MAX_ROWS:
            raise ValueError(
                f"All inputs must have the same number of rows, from 1 to {MAX_ROWS}. "
                f"Received: {counts}."
            )
        self._check_ranges(**rows)
        return self._session.run(["images"], rows)[0]

    def _check_ranges(self, seed, truncation, label=None):
        if not (np.isfinite(truncation) & (truncation >= 0)).all():
            raise ValueError(
                "`truncation` must be a number of at least 0, where 0 is none. "
                f"Received: {truncation.tolist()}."
            )
        if label is not None and not np.isin(label, range(self._num_classes)).all():
            raise ValueError(
                f"`label` must be in [0, {self._num_classes}). "
                f"Received: {label.tolist()}."
            )


def _described(value):
    shape = [-1 if isinstance(size, str) else size for size in value.shape]
    return {"name": value.name, "datatype": _DATATYPES[value.type], "shape": shape}


def _column(name, values, dtype):
    array = np.asarray(values)
    integers = np.issubdtype(dtype, np.integer)
    fits = array.ndim == 1 and array.dtype.kind in ("iu" if integers else "iuf")
    if not fits or (integers and (array.astype(dtype) != array).any()):
        bits = 8 * np.dtype(dtype).itemsize
        raise ValueError(
            f"`{name}` must be a list of "
            f"{f'integers of {bits} bits' if integers else 'numbers'}. "
            f"Received: {values!r:.80}."
        )
    return array.astype(dtype)
