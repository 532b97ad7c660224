"""Exact nearest neighbours of many features, in bounded memory.

Distances come from float32 matrix products, whose error has a known bound. What that
bound leaves open (a distance next to a threshold, the order of near-equal
neighbours) is computed again in float64 from the differences themselves. Results
are those of float64 at the price of float32.
"""

import numpy as np

from keras_sagan import progress

_BLOCK = 1 << 24  # entries of a block of the distance matrix: 64 MiB
_PAIRS = 1 << 22  # coordinates of the pairs that are computed again at once: 32 MiB


class Cloud:
    """Features prepared for `squared_distances`.

    Args:
        points: float array `(n, dimensions)`.
        origin: float64 array `(dimensions,)` near all points, the same for both
            clouds of a comparison: the nearer, the smaller is the error bound.
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
        """Slices of rows whose distances to `columns` points fit the block size."""
        rows = max(1, _BLOCK // columns)
        return [slice(i, min(i + rows, len(self))) for i in range(0, len(self), rows)]

    def track_blocks(self, columns):
        """Yields `row_blocks`, and shows how far they have come."""
        return progress.track(
            self.row_blocks(columns),
            len(self),
            "nearest neighbours",
            size=lambda part: part.stop - part.start,
        )


def clouds(*arrays):
    """A `Cloud` of each array, about the mean of the first."""
    origin = arrays[0].mean(axis=0, dtype=np.float64)
    return [Cloud(array, origin) for array in arrays]


def squared_distances(a, b, rows):
    """Approximate squared distances of `a[rows]` to all of `b`, and their error.

    Returns: float32 array `(rows, len(b))`, and float32 `(rows, 1)`: how far an
        entry of that row can be off.
    """
    products = a.centred[rows] @ b.centred.T
    products *= -2
    products += a.squares[rows, None].astype(np.float32)
    products += b.squares.astype(np.float32)
    np.maximum(products, 0, out=products)
    # Worst case of the dot product's rounding, and of the other roundings.
    unit = np.finfo(np.float32).eps / 2
    length = np.sqrt(a.squares[rows, None]) + np.sqrt(b.squares.max())
    bound = (a.centred.shape[1] + 16) * unit * length * length
    return products, bound.astype(np.float32)


def exact_squared_distances(a, b, i, j):
    """float64 squared distances of the pairs `a[i]`, `b[j]`."""
    result = np.empty(len(i))
    size = max(1, _PAIRS // a.points.shape[1])
    for start in range(0, len(i), size):
        part = slice(start, start + size)
        difference = a.points[i[part]].astype(np.float64) - b.points[j[part]]
        result[part] = np.einsum("nd,nd->n", difference, difference)
    return result


def squared_radii(cloud, k):
    """Squared distance of every point to its k-th nearest other point: float64 (n,)."""
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
    """Index of the nearest point of `b` to each point of `a`, and its distance.

    Returns: int64 `(n,)` (the lowest of equally near ones) and float64 `(n,)`.
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
