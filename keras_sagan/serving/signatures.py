"""Describes the inputs and outputs of a served model's signatures."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """Type and shape of an input or output.

    Args:
        dtype: NumPy dtype; `object` for byte strings.
        shape: tuple of int, with `None` for a dimension of any size; `None` for any
            shape.
    """

    dtype: np.dtype
    shape: tuple | None

    def fits(self, shape):
        """Returns whether a tensor of this shape is acceptable."""
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
    """Inputs and outputs of a signature, as dicts from names to `TensorSpec`."""

    inputs: dict
    outputs: dict
