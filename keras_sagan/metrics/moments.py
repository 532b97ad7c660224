"""Computes mean and covariance of features without holding all of them at once."""

import io
import json
import os

import numpy as np

from keras_sagan.files import json_files, npz_files, paths, writing
from keras_sagan.metrics.scores.checks import check_features

_ROWS = 4096  # rows that are gathered before a product is computed


class Moments:
    """Computes mean and covariance in float64, batch by batch, in constant memory.

    Each block of rows is centred on its own mean and merged by the rule of Chan et al.,
    so that there is no cancellation even if features are far from zero. `merge`
    combines the results of several replicas or shards.

    Args:
        dimensions: int. Length of a feature vector.

    Attributes:
        dimensions: int.
        count: int. Number of rows, or `None` if the file read by `load` does not say.
        protocol: dict or `None`. See `keras_sagan.metrics.protocol`.

    Example:
        moments = Moments(2048)
        for batch in batches:
            moments.update(batch)

    Reference: Chan, Golub and LeVeque, 1979, "Updating formulae and a pairwise
        algorithm for computing sample variances", equations 2.1.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = int(dimensions)
        self.count = 0
        self.protocol = None
        self._mean = np.zeros(self.dimensions)
        self._scatter = np.zeros((self.dimensions, self.dimensions))
        self._waiting: list[np.ndarray] = []

    @classmethod
    def of(cls, features: np.ndarray, name: str = "features") -> "Moments":
        """Returns the moments of an array `(n, dimensions)`."""
        features = check_features(name, features)
        return cls(features.shape[1]).update(features)

    def update(self, features: np.ndarray) -> "Moments":
        """Adds the rows of an array `(n, dimensions)` and returns itself.

        Raises:
            ValueError: if it is not such an array, or not finite.
        """
        features = check_features("features", features, at_least=0)
        self._check_dimensions(features.shape[1])
        self._check_counted()
        for start in range(0, len(features), _ROWS):
            rows = features[start : start + _ROWS]
            # Rows that are kept until later are copied, as the caller may change them.
            self._waiting.append(rows if len(rows) == _ROWS else rows.copy())
            self.count += len(rows)
            if sum(map(len, self._waiting)) >= _ROWS:
                self._flush()
        return self

    def merge(self, other: "Moments") -> "Moments":
        """Adds the rows of another `Moments` and returns itself."""
        self._check_dimensions(other.dimensions)
        self._check_counted()
        other._check_counted()
        self._flush()
        other._flush()
        count = self.count
        self.count += other.count
        self._add(count, other.count, other._mean, other._scatter)
        return self

    @property
    def mean(self) -> np.ndarray:
        """float64 `(dimensions,)`."""
        self._flush()
        return self._mean

    @property
    def covariance(self) -> np.ndarray:
        """float64 `(dimensions, dimensions)`, divided by n - 1 as in `numpy.cov`."""
        self._flush()
        return self._divided(self._scatter)

    @property
    def variance(self) -> np.ndarray:
        """float64 `(dimensions,)`. The diagonal of the covariance."""
        self._flush()
        return self._divided(np.diagonal(self._scatter))

    def save(self, path: str | os.PathLike, protocol: dict | None = None) -> None:
        """Writes a `.npz` file that pytorch-fid and clean-fid can read (mu and sigma).

        It also has entries for the count and the protocol, which these programs ignore.
        Folders are created as needed.
        """
        path = paths.local(path)
        entries: dict = {"mu": self.mean, "sigma": self.covariance}
        if self.count is not None:
            entries["count"] = np.array(self.count)
        protocol = protocol or self.protocol
        if protocol is not None:
            entries["protocol"] = np.array(json.dumps(protocol))
        content = io.BytesIO()  # given a path, NumPy would add an extension
        np.savez(content, **entries)
        writing.make_folder(path.parent)
        writing.replace_file(path, content.getbuffer())

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Moments":
        """Reads a `.npz` file with mu and sigma, from this package or another one.

        Raises:
            ValueError: if it is not such a file.
        """
        name, content = repr(str(path)), npz_files.read(path)
        if not {"mu", "sigma"} <= set(content):
            raise ValueError(
                f"{name} must hold arrays mu and sigma, as pytorch-fid and "
                f"clean-fid write. Received: {sorted(content)[:10]}."
            )
        try:
            mean = check_features("mu", np.atleast_2d(_numbers(content, "mu")))[0]
            sigma = check_features("sigma", _numbers(content, "sigma"))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        if sigma.shape != (len(mean), len(mean)):
            raise ValueError(
                f"{name}: sigma must have shape {(len(mean),) * 2}. "
                f"Received shape: {sigma.shape}."
            )
        moments = cls(len(mean))
        moments._mean = mean.astype(np.float64)
        moments._scatter = sigma.astype(np.float64)
        moments.count = _count(content, name)
        if moments.count is not None:
            moments._scatter = moments._scatter * (moments.count - 1)
        if "protocol" in content:
            moments.protocol = json_files.parse(
                str(content["protocol"]), f"The protocol in {name}"
            )
        return moments

    def _divided(self, scatter):
        if self.count is None:
            return scatter
        if self.count < 2:
            raise ValueError(
                "A covariance needs at least 2 images. "
                f"Received: {self.count} features."
            )
        return scatter / (self.count - 1)

    def _flush(self):
        if not self._waiting:
            return
        block = np.concatenate(self._waiting, dtype=np.float64)
        self._waiting = []
        mean = block.mean(axis=0)
        block -= mean
        before = self.count - len(block)
        self._add(before, len(block), mean, block.T @ block)

    def _add(self, count, added, mean, scatter):
        """Merges `added` rows with the `count` rows in the sums."""
        if not added:
            return
        difference = mean - self._mean
        self._mean = self._mean + difference * (added / (count + added))
        self._scatter += scatter
        if count:
            weight = count * added / (count + added)
            self._scatter += np.outer(weight * difference, difference)

    def _check_dimensions(self, received):
        if received != self.dimensions:
            raise ValueError(
                f"`features` must have {self.dimensions} dimensions. "
                f"Received: {received}."
            )

    def _check_counted(self):
        if self.count is None:
            raise ValueError(
                "Nothing can be added to moments from a file that does not say how "
                "many images it was computed from."
            )


def _numbers(content, name):
    array = content[name]
    if array.dtype.kind not in "fiu":
        raise ValueError(f"`{name}` must be numbers. Received: dtype {array.dtype}.")
    return array


def _count(content, name):
    """Returns the number of images given in a file, or `None` if there is none."""
    if "count" not in content:
        return None
    count = content["count"]
    if count.shape or count.dtype.kind not in "iu" or count < 2:
        raise ValueError(
            f"{name}: `count` must be an integer of at least 2. Received: "
            f"{count.dtype} of shape {count.shape}."
        )
    return int(count)
