"""Dataset: numbered items. Rows of arrays, parts of a dataset, several joined into one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from ..errors import ArgumentError, RangeError, ShapeError

Array = Any
Indices = Any  # a slice, or an array of integers


class Dataset:
    """Items one can count and number. To make your own, define `__len__` and `__getitem__`.

    >>> from pellucid.data import DataLoader, Dataset
    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, index):
    ...         return index, index**2
    >>> numbers, squares = next(iter(DataLoader(Squares(), batch_size=4)))
    >>> squares.tolist()
    [0, 1, 4, 9]
    """

    def __len__(self) -> int:
        raise ArgumentError(
            f"{type(self).__name__} does not say how many items it has; give it __len__"
        )

    def __getitem__(self, index: int) -> Any:
        raise ArgumentError(f"{type(self).__name__} has no items; give it __getitem__(self, index)")

    def rows(self, indices: Indices) -> Any:
        """Several items as one batch. Override it where there is a faster way than one by one."""
        return collate([self[i] for i in numbers(indices, len(self))])


class ArrayDataset(Dataset):
    """Arrays of the same length; an item is one row of each. PyTorch's name for it: TensorDataset.

    Args:
        arrays: arrays, tensors or nested lists, each with one row per item.

    Raises:
        ArgumentError: no array was given.
        ShapeError: the arrays differ in length.

    >>> from pellucid.data import ArrayDataset
    >>> ArrayDataset([[0, 1], [2, 3]], [7, 8])[1]
    (array([2, 3]), np.int64(8))
    """

    def __init__(self, *arrays: Any) -> None:
        if not arrays:
            raise ArgumentError("ArrayDataset needs at least one array")
        self.arrays: tuple[Array, ...] = tuple(_rectangular(a) for a in arrays)
        if any(a.ndim == 0 for a in self.arrays):
            raise ShapeError("ArrayDataset takes arrays with rows, and a single number has none")
        if len({len(a) for a in self.arrays}) > 1:
            shapes = ", ".join(str(a.shape) for a in self.arrays)
            raise ShapeError(
                f"ArrayDataset: the arrays {shapes} differ in length, and each item is one "
                "row of each.\nWas one of them cut, or is the batch not its first axis?"
            )

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return tuple(a[index] for a in self.arrays)

    def rows(self, indices: Indices) -> tuple[Array, ...]:
        """The rows of each array: a copy, so that a change to a batch leaves the data alone."""
        if isinstance(indices, slice):
            return tuple(a[indices].copy() for a in self.arrays)
        return tuple(a.take(indices, axis=0) for a in self.arrays)


TensorDataset = ArrayDataset


class Subset(Dataset):
    """Some items of a dataset, in an order of their own.

    Args:
        dataset: where the items come from.
        indices: which items, by number; or True and False for each item of the dataset.

    Raises:
        RangeError: the dataset has no item of that number.
        ArgumentError: the indices are no whole numbers.

    >>> from pellucid.data import Subset
    >>> Subset(["a", "b", "c"], [2, 0])[0]
    'c'
    """

    def __init__(self, dataset: Any, indices: Sequence[int] | Array) -> None:
        self.dataset = dataset
        self.indices: Array = checked("Subset", indices, len(dataset))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def rows(self, indices: Indices) -> Any:
        """Several items as one batch."""
        return rows_of(self.dataset, self.indices[indices])


class ConcatDataset(Dataset):
    """Several datasets, one after the other.

    Args:
        datasets: what is joined.
    """

    def __init__(self, datasets: Sequence[Any]) -> None:
        if not datasets:
            raise ArgumentError("ConcatDataset needs at least one dataset")
        self.datasets = list(datasets)
        self.ends = list(accumulate(len(d) for d in self.datasets))

    def __len__(self) -> int:
        return self.ends[-1]

    def __getitem__(self, index: int) -> Any:
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"item {index} of {len(self)}")
        which = bisect_right(self.ends, place)
        return self.datasets[which][place - (self.ends[which - 1] if which else 0)]


def random_split(
    dataset: Any,
    lengths: Sequence[float],
    generator: np.random.Generator | None = None,
    seed: int | None = None,
) -> list[Subset]:
    """Deal the items of a dataset out at random into parts that share none.

    Args:
        dataset: what is dealt out.
        lengths: how many items each part gets, or fractions that sum to 1.
        generator: where the random numbers come from; by default Pellucid's own.
        seed: or a seed, so that the same parts come out every time.

    Raises:
        ArgumentError: the lengths do not sum to the dataset's length.

    >>> from pellucid.data import random_split
    >>> train, test = random_split(range(10), [0.8, 0.2], seed=1)
    >>> len(train), len(test)
    (8, 2)
    """
    total = len(dataset)
    sizes = [int(n) for n in lengths]
    if 0 < sum(lengths) <= 1 + 1e-9 and all(0 <= n <= 1 for n in lengths) and total != sum(lengths):
        if abs(sum(lengths) - 1) > 1e-9:
            raise ArgumentError(f"the fractions {list(lengths)} sum to {sum(lengths):g}, not to 1")
        sizes = [int(total * n) for n in lengths]
        for i in range(total - sum(sizes)):  # what rounding left over goes round
            sizes[i % len(sizes)] += 1
    if sum(sizes) != total or any(n < 0 for n in sizes):
        raise ArgumentError(
            f"the parts {list(lengths)} sum to {sum(sizes)}, but the dataset has {total} items"
        )
    order = dice(generator, seed).permutation(total)
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(sizes)[:-1])]


def dice(generator: np.random.Generator | None, seed: int | None = None) -> np.random.Generator:
    """The generator given, or one from a seed, or Pellucid's own.

    The last is looked up when it is needed: data knows only NumPy otherwise.
    """
    if generator is not None:
        return generator
    if seed is not None:
        return np.random.Generator(np.random.SFC64(seed))
    from ..random import generator as shared

    return shared()


def checked(name: str, indices: Any, length: int) -> Array:
    """Item numbers as int64, of which each is an item.

    Raises:
        RangeError: the first that is none.
        ArgumentError: they are no whole numbers.
    """
    found = np.asarray(indices)
    if found.dtype.kind == "b" and found.shape == (length,):
        return np.flatnonzero(found)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise ArgumentError(
            f"{name} takes the numbers of items, whole numbers in a row (or True and False for each "
            f"of the {length} items), not {found.dtype} of shape {found.shape}"
        )
    wrong = (found < -length) | (found >= length)
    if wrong.any():
        raise RangeError(
            f"{name}: number {found[wrong][0]} is asked for, at place {int(wrong.argmax())}, and "
            f"there are {length} items, counted from 0"
        )
    return np.where(found < 0, found + length, found).astype(np.int64)  # -1 is the last


def _rectangular(rows: Any) -> Array:
    try:
        return np.asarray(rows)
    except ValueError:
        raise ShapeError(
            "ArrayDataset takes arrays, and was given a list of rows that differ in length.\n"
            "Bring them to one length first (pellucid.data.pad)"
        ) from None


# ------------------------------------------------------------------------------ items into a batch


def numbers(indices: Indices, length: int) -> list[int]:
    """The indices as Python's integers."""
    if isinstance(indices, slice):
        return list(range(*indices.indices(length)))
    return [int(i) for i in indices]


def rows_of(dataset: Any, indices: Indices) -> Any:
    """Several items of any kind of dataset as one batch."""
    if hasattr(dataset, "rows"):
        return dataset.rows(indices)
    if isinstance(dataset, np.ndarray):
        return (
            dataset[indices].copy() if isinstance(indices, slice) else dataset.take(indices, axis=0)
        )
    return collate([dataset[i] for i in numbers(indices, len(dataset))])


def collate(items: Sequence[Any]) -> Any:
    """Lay items on top of one another along a new first axis, pairs part by part.

    Args:
        items: numbers, arrays, tensors, strings, or tuples, lists and dicts of these, all alike.

    Returns:
        What one item is, with a batch in each place; strings stay a list.

    Raises:
        ShapeError: the items' arrays differ in shape, or the items in what they consist of.

    >>> from pellucid.data import collate
    >>> collate([(1, [0.5, 0.5]), (2, [0.1, 0.9])])
    (array([1, 2]), [array([0.5, 0.1]), array([0.5, 0.9])])
    """
    if not items:
        raise ArgumentError("collate was given no items, and so cannot know what a batch is")
    first = items[0]
    if isinstance(first, (str, bytes)):
        return list(items)
    if isinstance(first, Mapping):
        _same_keys(items)
        return {key: collate([item[key] for item in items]) for key in first}
    if isinstance(first, (tuple, list)):
        _same_length(items)
        parts = [collate(part) for part in zip(*items, strict=True)]
        if hasattr(first, "_fields"):
            return type(first)(*parts)
        return tuple(parts) if isinstance(first, tuple) else parts
    arrays = [np.asarray(item) for item in items]
    if len({a.shape for a in arrays}) > 1:
        odd = next(i for i, a in enumerate(arrays) if a.shape != arrays[0].shape)
        raise ShapeError(
            f"the items of a batch must have one shape, but item 0 is {arrays[0].shape} and item "
            f"{odd} is {arrays[odd].shape}.\nBring them to one size first (pellucid.data.pad for "
            "sequences), or give the DataLoader a collate_fn"
        )
    return np.stack(arrays)


def _same_length(items: Sequence[Any]) -> None:
    for i, item in enumerate(items):
        if not isinstance(item, (tuple, list)):
            raise ShapeError(
                f"the items of a batch must be alike, but item 0 has {len(items[0])} parts and "
                f"item {i} is of type {type(item).__name__}"
            )
    lengths = {len(item) for item in items}
    if len(lengths) > 1:
        raise ShapeError(
            f"the items of a batch have {sorted(lengths)} parts, and must have equally many.\n"
            "Sequences of different length: bring them to one length with pellucid.data.pad"
        )


def _same_keys(items: Sequence[Any]) -> None:
    first = items[0].keys()
    for i, item in enumerate(items):
        if not isinstance(item, Mapping) or item.keys() != first:
            mapping = isinstance(item, Mapping)
            found = f"has {list(item)}" if mapping else f"is of type {type(item).__name__}"
            raise ShapeError(
                f"the items of a batch must be alike, but item 0 has {list(first)} and item {i} "
                f"{found}"
            )
