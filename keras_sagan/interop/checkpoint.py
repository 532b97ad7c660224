"""The named arrays of a checkpoint, with a record of those that have been used.

An import is complete only if every array of the file was used: one that is left over
means that the networks are not those that the file describes.
"""

from keras_sagan.files import paths, torch_files


class Checkpoint:
    """Named arrays, each of which is to be taken.

    Args:
        arrays: dict from str to array.
        origin: str. How error messages refer to the file.
    """

    def __init__(self, arrays, origin):
        self.origin = origin
        self._arrays = dict(arrays)
        self._taken = set()

    def __contains__(self, key):
        return key in self._arrays

    def has_prefix(self, prefix):
        """Returns whether any key starts with `prefix`."""
        return any(key.startswith(prefix) for key in self._arrays)

    def shape(self, key, expected):
        """Returns the shape of an array, from which the architecture is inferred.

        Args:
            key: str.
            expected: tuple with an int for each axis of fixed size and a name (str),
                for messages, for every other axis.

        Raises:
            ValueError: if the array is missing, or if its rank or a fixed size differs.
        """
        self._check_present(key, expected)
        shape = self._arrays[key].shape
        fits = len(shape) == len(expected) and all(
            size == wanted
            for size, wanted in zip(shape, expected, strict=True)
            if isinstance(wanted, int)
        )
        if not fits:
            raise self.shape_error(key, expected)
        return shape

    def take(self, key, shape):
        """Returns the array called `key`, and records that it has been used.

        Raises:
            ValueError: if it is missing, or if its shape is not `shape`.
        """
        shape = tuple(shape)
        self._check_present(key, shape)
        if self._arrays[key].shape != shape:
            raise self.shape_error(key, shape)
        self._taken.add(key)
        return self._arrays[key]

    def skip(self, key):
        """Records that the array called `key`, if there is one, is not needed."""
        self._taken.add(key)

    def shape_error(self, key, expected):
        """Returns the `ValueError` for an array whose shape is not `expected`."""
        return ValueError(
            f"{self.origin}: {key!r} must have shape {_format(expected)}. "
            f"Received: shape {self._arrays[key].shape}."
        )

    def finish(self):
        """Raises a `ValueError` if an array was neither taken nor skipped."""
        for key, array in self._arrays.items():
            if key not in self._taken:
                raise ValueError(
                    f"{self.origin} holds {key!r} of shape {array.shape}, which the "
                    "architecture that its other keys describe does not have."
                )

    def part(self, prefix):
        """Returns a `Checkpoint` of the arrays whose keys start with `prefix`.

        The prefix is removed from their keys.

        Raises:
            ValueError: if there are none.
        """
        arrays = {
            key.removeprefix(prefix): array
            for key, array in self._arrays.items()
            if key.startswith(prefix)
        }
        if not arrays:
            raise ValueError(
                f"{self.origin} holds no key that starts with {prefix!r}. "
                f"Its first keys are {list(self._arrays)[:3]}."
            )
        return Checkpoint(arrays, f"{self.origin}, {prefix.rstrip('.')}")

    def _check_present(self, key, expected):
        if key not in self._arrays:
            raise ValueError(
                f"{self.origin} lacks {key!r}, expected with shape {_format(expected)}."
            )


def read_torch(path):
    """Reads the `state_dict` of a PyTorch checkpoint without running code from it.

    Args:
        path: str or path of a `.pth` file that holds a dict with the entry
            `state_dict`.

    Returns: `Checkpoint` of float32, float64 and integer arrays.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is anything else, or would run code.
    """
    path = paths.local(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    return Checkpoint(torch_files.read(path, "state_dict"), repr(str(path)))


def _format(expected):
    inner = ", ".join(map(str, expected))
    return f"({inner},)" if len(expected) == 1 else f"({inner})"
