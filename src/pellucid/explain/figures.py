"""Arrays as a page shows them: small ones whole, of large ones the corners, a picture, and what is true of all.

Numbers are written so that reading them gives back the array's own: the shortest text that does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
WHOLE = 12  # rows and columns of a matrix that is shown whole
EDGE = 5  # of a larger one, shown at the beginning; two more at the end
TILES = 16  # small pictures side by side
FINEST = 48  # pixels a side
LEVELS = 100  # of colour, above and below 0


def figure(
    array: Array, squares: frozenset[int] = frozenset(), weight: bool = False
) -> dict[str, Any]:
    """An array for a page.

    Args:
        array: any numbers.
        squares: lengths of rows that are square images, laid out as one row.
        weight: of a weight of four axes every kernel is drawn, of other arrays the first example.

    Returns:
        "shape", "dtype"; "rows" and "columns": which are shown; "numbers": the matrix of these; "at": of
        an array of more axes, which matrix; "range", "mean", "std", "zeros" (a share), "bad" (how many
        are NaN or infinite); and "tiles": pictures, as colours from -100 to 100.

    >>> figure(np.array([[1.5, -2.0]]))["numbers"]
    [[1.5, -2.0]]
    """
    array = np.asarray(array)
    leading = array.shape[:-2] if array.ndim > 2 else ()
    empty = not array.size
    matrix = array[(0,) * len(leading)] if not empty else array.reshape(0, 0)
    matrix = np.atleast_2d(matrix)
    rows, columns = _kept(matrix.shape[0]), _kept(matrix.shape[1])
    found: dict[str, Any] = {
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "rows": rows,
        "columns": columns,
        "numbers": [[plain(matrix[i, j]) for j in columns] for i in rows],
        **{k: plain(v) for k, v in summary(array).items()},
    }
    if leading:
        found["at"] = [0] * len(leading)
    tiles = [] if empty else _tiles(array, squares, weight)
    if tiles:
        found["tiles"] = tiles
    return found


def summary(array: Array) -> dict[str, Any]:
    """What is true of all numbers: range, mean, std, the share of zeros, how many are no numbers."""
    numbers = np.asarray(array, np.float64).reshape(-1)
    fine = numbers[np.isfinite(numbers)]
    found: dict[str, Any] = {"bad": int(numbers.size - fine.size)}
    if fine.size:
        found |= {
            "low": float(fine.min()),
            "high": float(fine.max()),
            "mean": float(fine.mean()),
            "std": float(fine.std()),
            "zeros": float(np.mean(fine == 0)),
        }
    return found


def plain(number: Any) -> Any:
    """A number as JSON can hold it, without losing a digit; NaN and infinity as words.

    >>> plain(np.float32(0.1)), plain(np.int64(3)), plain(np.nan)
    (0.1, 3, 'NaN')
    """
    if isinstance(number, (np.bool_, bool)):
        return int(number)
    if isinstance(number, (np.integer, int)):
        return int(number)
    if np.isnan(number):
        return "NaN"
    if np.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return float(str(number))


def _kept(length: int) -> list[int]:
    """Which places of an axis are shown."""
    if length <= WHOLE:
        return list(range(length))
    return [*range(EDGE), length - 2, length - 1]


def _tiles(array: Array, squares: frozenset[int], weight: bool) -> list[dict[str, Any]]:
    """Pictures of an array that is too large for a table."""
    if array.dtype.kind != "f" or array.ndim == 0:
        return []
    if array.ndim >= 4:
        pictures = list(array[:, 0] if weight else array[0])
        pictures = [p.reshape(-1, p.shape[-1]) for p in pictures]
    elif array.ndim == 2 and array.shape[1] in squares:
        side = round(array.shape[1] ** 0.5)
        pictures = [row.reshape(side, side) for row in array[:TILES]]
    else:
        whole = np.atleast_2d(array.reshape(-1, array.shape[-1]))
        if max(whole.shape) <= WHOLE:
            return []
        pictures = [whole]
    largest = float(np.abs(np.where(np.isfinite(array), array, 0)).max()) or 1.0
    return [_tile(p, largest) for p in pictures[:TILES]]


def _tile(picture: Array, largest: float) -> dict[str, Any]:
    numbers = np.where(np.isfinite(picture), picture, 0).astype(np.float64)
    for axis, length in enumerate(numbers.shape):
        if length > FINEST:
            numbers = _means(numbers, axis, FINEST)
    height, width = numbers.shape
    levels = np.round(numbers / largest * LEVELS).astype(int)
    return {"height": height, "width": width, "levels": levels.reshape(-1).tolist()}


def _means(numbers: Array, axis: int, count: int) -> Array:
    """So many means of neighbours along an axis, of groups as equal as can be.

    >>> _means(np.array([[1.0, 3.0, 5.0, 6.0, 7.0]]), 1, 2)
    array([[2., 6.]])
    """
    edges = np.arange(count + 1) * numbers.shape[axis] // count
    sizes = np.diff(edges).reshape(-1, *(1,) * (numbers.ndim - 1 - axis))
    means: Array = np.add.reduceat(numbers, edges[:-1], axis) / sizes
    return means
