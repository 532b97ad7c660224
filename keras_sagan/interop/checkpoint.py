"""The named arrays of one checkpoint, each taken once."""

from keras_sagan.files import paths, torch_files


class Checkpoint:
    """Named arrays of which every one must be wanted, and every wanted one be there.

    Args:
        arrays: dict from str to array.
        origin: str. What messages call the file.
    """

    def __init__(self, arrays, origin):
        self.origin = origin
        self._arrays = dict(arrays)
        self._taken = set()

    def __contains__(self, key):
        return key in self._arrays

    def has_prefix(self, prefix):
        """Whether any key starts with `prefix`."""
        return any(key.startswith(prefix) for key in self._arrays)

    def shape(self, key, expected):
        """Shape of an array that the architecture is read from.

        Args:
            key: str.
            expected: tuple of ints and of names of the free axes.

        Raises:
            ValueError: if the array is missing or has another rank or fixed size.
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
        """The array called `key`.

        Raises:
            ValueError: if it is missing or has another shape than `shape`.
        """
        shape = tuple(shape)
        self._check_present(key, shape)
        if self._arrays[key].shape != shape:
            raise self.shape_error(key, shape)
        self._taken.add(key)
        return self._arrays[key]

    def skip(self, key):
        """Mark `key`, if it is there, as one that nobody needs."""
        self._taken.add(key)

    def shape_error(self, key, expected):
        """The `ValueError` for an array whose shape is not `expected`."""
        return ValueError(
            f"{self.origin}: {key!r} must have shape {_format(expected)}. "
            f"Received: shape {self._arrays[key].shape}."
        )

    def finish(self):
        """Raises a `ValueError` for the first array that was not taken."""
        for key, array in self._arrays.items():
            if key not in self._taken:
                raise ValueError(
                    f"{self.origin} holds {key!r} of shape {array.shape}, which the "
                    "architecture that its other keys describe does not have."
                )

    def part(self, prefix):
        """The arrays whose keys start with `prefix`, without it.

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
    """The `state_dict` of a PyTorch checkpoint, without running code from the file.

    Args:
        path: str or path of a `.pth` file: a dict with the entry `state_dict`.

    Returns: `Checkpoint` of float32 (float64) and integer arrays.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a file, or would run code.
    """
    path = paths.local(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    return Checkpoint(torch_files.read(path, "state_dict"), repr(str(path)))


def _format(expected):
    inner = ", ".join(map(str, expected))
    return f"({inner},)" if len(expected) == 1 else f"({inner})"
