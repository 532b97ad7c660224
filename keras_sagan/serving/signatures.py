"""What a signature of a served model takes and gives."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """Type and shape of an input or output.

    Args:
        dtype: NumPy type; `object` for strings of bytes.
        shape: tuple of int, `None` where any size will do; `None` for any shape.
    """

    dtype: np.dtype
    shape: tuple | None

    def fits(self, shape):
        """Whether a tensor of `shape` will do."""
        if self.shape is None:
            return True
        return len(shape) == len(self.shape) and all(
            want is None or want == got
            for want, got in zip(self.shape, shape, strict=True)
        )

    @property
    def text(self):
        """The shape as TensorFlow writes it, e.g. `(?, 128)`."""
        if self.shape is None:
            return "any shape"
        sizes = ["?" if size is None else str(size) for size in self.shape]
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


@dataclasses.dataclass(frozen=True)
class Signature:
    """Inputs and outputs by name: dicts of `TensorSpec`."""

    inputs: dict
    outputs: dict
