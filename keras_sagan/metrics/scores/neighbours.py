"""Finds exact nearest neighbours among many features, in bounded memory.

Distances are computed from float32 matrix products, whose error has a known bound. What
this bound does not decide, such as distances close to a threshold or the order of
almost equal neighbours, is computed again in float64 from the differences. The results
are those of float64 at the cost of float32.
"""

import numpy as np

from keras_sagan import progress

_BLOCK = 1 << 24  # entries in a block of the distance matrix (64 MiB)
_PAIRS = 1 << 22  # coordinates of pairs that are computed again at once (32 MiB)


class Cloud:
    """Features prepared for `squared_distances`.

    Args:
        points: float array `(n, dimensions)`.
        origin: float64 array `(dimensions,)` of a point that is the same for both
            clouds. The nearer it is to all points, the smaller is the error bound.
    """

    def __init__(self, points, origin):
        self.points = points
        self.centred = (points - origin).astype(np.float32)
        self.squares = np.einsum(
            "nd,nd->n", self.centred, self.centred, dtype=np.float64
        )

    def __len__(self):
        return len(self.points)

    def row_blocks(self, columns):
        """Splits the rows so that distances to `columns` points fit the block size."""
        rows = max(1, _BLOCK // columns)
        return [slice(i, min(i + rows, len(self))) for i in range(0, len(self), rows)]

    def track_blocks(self, columns):
        """Yields `row_blocks` and shows the progress."""
        return progress.track(
            self.row_blocks(columns),
            len(self),
            "nearest neighbours",
            size=lambda part: part.stop - part.start,
        )


def clouds(*arrays):
    """Creates a `Cloud` of each array, with the mean of the first as their origin."""
    origin = arrays[0].mean(axis=0, dtype=np.float64)
    return [Cloud(array, origin) for array in arrays]


def squared_distances(a, b, rows):
    """Computes approximate squared distances of `a[rows]` to all of `b`.

    Returns: float32 array `(rows, len(b))`, and a float32 array `(rows, 1)` of bounds
        for the error of the entries in each row.
    """
    products = a.centred[rows] @ b.centred.T
    products *= -2
    products += a.squares[rows, None].astype(np.float32)
    products += b.squares.astype(np.float32)
    np.maximum(products, 0, out=products)
    # The worst case of rounding in the dot product and in the other operations.
    unit = np.finfo(np.float32).eps / 2
    length = np.sqrt(a.squares[rows, None]) + np.sqrt(b.squares.max())
    bound = (a.centred.shape[1] + 16) * unit * length * length
    return products, bound.astype(np.float32)


def exact_squared_distances(a, b, i, j):
    """Computes the squared distances of the pairs `a[i]`, `b[j]` in float64."""
    result = np.empty(len(i))
    size = max(1, _PAIRS // a.points.shape[1])
    for start in range(0, len(i), size):
        part = slice(start, start + size)
        difference = a.points[i[part]].astype(np.float64) - b.points[j[part]]
        result[part] = np.einsum("nd,nd->n", difference, difference)
    return result


def squared_radii(cloud, k):
    """Computes squared distances to the k-th nearest other points: float64 `(n,)`."""
    result = np.empty(len(cloud))
    for rows in cloud.track_blocks(len(cloud)):
        distances, bound = squared_distances(cloud, cloud, rows)
        own = np.arange(rows.start, rows.stop)
        distances[own - rows.start, own] = np.inf
        limit = np.partition(distances, k - 1, axis=1)[:, k - 1 : k] + 2 * bound
        i, _, exact = _candidates(cloud, cloud, rows, distances <= limit)
        order = np.lexsort((exact, i))
        first = np.searchsorted(i[order], np.arange(rows.stop - rows.start))
        result[rows] = exact[order][first + k - 1]
    return result


def nearest(a, b):
    """Finds the nearest point of `b` to each point of `a`.

    Returns: int64 array `(n,)` of the indices, the lowest ones in case of ties, and
        float64 array `(n,)` of the distances.
    """
    indices, distances = np.empty(len(a), np.int64), np.empty(len(a))
    for rows in a.track_blocks(len(b)):
        approximate, bound = squared_distances(a, b, rows)
        limit = approximate.min(axis=1, keepdims=True) + 2 * bound
        i, j, exact = _candidates(a, b, rows, approximate <= limit)
        order = np.lexsort((j, exact, i))
        first = np.searchsorted(i[order], np.arange(rows.stop - rows.start))
        indices[rows] = j[order][first]
        distances[rows] = np.sqrt(exact[order][first])
    return indices, distances


def _candidates(a, b, rows, mask):
    i, j = np.nonzero(mask)
    return i, j, exact_squared_distances(a, b, i + rows.start, j)
