"""Looking up rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid
from pellucid import RowSparse, Tensor
from pellucid.errors import ArgumentError, DTypeError, GraphError, RangeError, ShapeError

TABLE = np.random.default_rng(0).normal(size=(6, 3))
BAGS = {
    "one bag": ([1, 4, 1, 0], None),
    "three bags, one empty": ([1, 4, 1, 0, 2], [0, 3, 3]),
    "a row per bag": ([[1, 4, 1], [0, 0, 5]], None),
    "no ids": ([], [0, 0]),
    "last bag empty": ([2, 3], [0, 2]),
}


def weight(**settings: Any) -> Tensor:
    return pellucid.tensor(TABLE, requires_grad=True, **settings)


def by_hand(
    ids: Any, offsets: Any, mode: str, weights: Any = None, padding: int | None = None
) -> Any:
    """Bag by bag, id by id."""
    ids = np.asarray(ids, int)
    bags = [list(row) for row in ids] if ids.ndim == 2 else np.split(ids, (offsets or [0])[1:])
    amounts = np.ones(ids.shape) if weights is None else np.asarray(weights)
    shares = list(amounts) if ids.ndim == 2 else np.split(amounts, (offsets or [0])[1:])
    rows = []
    for bag, share in zip(bags, shares, strict=True):
        used = [TABLE[i] * a for i, a in zip(bag, share, strict=True) if i != padding]
        total = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode]
        rows.append(total(used, axis=0) if used else np.zeros(3))
    return np.array(rows)


def test_each_id_becomes_its_row() -> None:
    ids = pellucid.tensor([[1, 4], [1, 0]])
    assert np.array_equal(pellucid.embedding(ids, weight()), TABLE[[[1, 4], [1, 0]]])
    assert pellucid.embedding([2], weight()).shape == (1, 3)
    assert pellucid.embedding(np.int32(2), weight()).shape == (3,)
    assert pellucid.embedding(pellucid.zeros(0, dtype=int), weight()).shape == (0, 3)


def test_gradients_of_rows_used_twice_add_up() -> None:
    w = weight()
    pellucid.embedding([[1, 4], [1, 0]], w).sum().backward()
    assert w.grad[:, 0].tolist() == [1, 2, 0, 0, 1, 0]


def test_padding_has_no_gradient() -> None:
    for padding in (1, -5):
        w = weight()
        pellucid.embedding([[1, 4], [1, 0]], w, padding_idx=padding).sum().backward()
        assert w.grad[:, 0].tolist() == [1, 0, 0, 0, 1, 0]


@given(st.lists(st.integers(0, 5), max_size=8), st.none() | st.integers(0, 5))
def test_sparse_gradients_are_the_dense_ones(ids: list[int], padding: int | None) -> None:
    dense, sparse = weight(), weight()
    scale = np.arange(3.0 * len(ids)).reshape(-1, 3)
    for w in (dense, sparse):
        y = pellucid.embedding(np.array(ids, int), w, padding_idx=padding, sparse=w is sparse)
        (y * scale).sum().backward()
    assert isinstance(sparse.grad, RowSparse)
    assert np.allclose(sparse.grad.to_dense(), dense.grad)
    assert np.allclose(sparse.grad.coalesce().to_dense(), dense.grad)


def test_sparse_gradients_accumulate() -> None:
    w = weight()
    for _ in range(2):
        pellucid.embedding([1, 2], w, sparse=True).sum().backward()
    assert isinstance(w.grad, RowSparse)
    assert w.grad.to_dense()[:, 0].tolist() == [0, 2, 2, 0, 0, 0]


@pytest.mark.parametrize("lookup", [pellucid.embedding, pellucid.embedding_bag])
def test_ids_that_are_no_rows(lookup: Any) -> None:
    with pytest.raises(
        RangeError, match=r"the id 6 at \(1, 0\) is no row .* has 6 rows \(0 to 5\)"
    ) as caught:
        lookup([[0, 1], [6, 2]], weight())
    assert isinstance(caught.value, IndexError)
    with pytest.raises(RangeError, match=r"the id -1 at \(1,\)"):
        lookup([0, -1], weight())
    with pytest.raises(DTypeError, match="by whole numbers, and the ids are float64"):
        lookup(np.array([0.0]), weight())
    with pytest.raises(ShapeError, match=r"a table \(rows, columns\), not of \(6,\)"):
        lookup([0], Tensor(TABLE[:, 0]))


def test_second_derivatives_are_refused_clearly() -> None:
    y = pellucid.embedding([0], weight()).sum()
    with pytest.raises(
        GraphError, match="embedding knows its slope but not the slope of its slope"
    ):
        y.backward(create_graph=True)


# ------------------------------------------------------------------------------------------- bags


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding", [None, 1, 0])
@pytest.mark.parametrize("name", BAGS)
def test_bags(name: str, padding: int | None, mode: str, slopes_agree: Any) -> None:
    ids, offsets = BAGS[name]
    ids = np.array(ids, int)

    def bag(w: Tensor) -> Tensor:
        return pellucid.embedding_bag(ids, w, offsets, mode=mode, padding_idx=padding)

    assert np.allclose(bag(Tensor(TABLE)), by_hand(ids, offsets, mode, padding=padding))
    slopes_agree(bag, TABLE, second=False)


@pytest.mark.parametrize("padding", [None, 1])
@pytest.mark.parametrize("name", BAGS)
def test_weighted_bags(name: str, padding: int | None, slopes_agree: Any) -> None:
    ids, offsets = BAGS[name]
    ids = np.array(ids, int)
    amounts = np.random.default_rng(3).normal(size=ids.shape)

    def bag(w: Tensor, a: Tensor) -> Tensor:
        settings = {"mode": "sum", "padding_idx": padding}
        return pellucid.embedding_bag(ids, w, offsets, per_sample_weights=a, **settings)

    expected = by_hand(ids, offsets, "sum", amounts, padding)
    assert np.allclose(bag(Tensor(TABLE), Tensor(amounts)), expected)
    slopes_agree(bag, TABLE, amounts, second=False)


@pytest.mark.parametrize("mode", ["sum", "mean"])
@pytest.mark.parametrize("name", BAGS)
def test_sparse_gradients_of_bags(name: str, mode: str) -> None:
    ids, offsets = BAGS[name]
    dense, sparse = weight(), weight()
    for w in (dense, sparse):
        y = pellucid.embedding_bag(np.array(ids, int), w, offsets, mode=mode, sparse=w is sparse)
        (y * np.arange(y.numel()).reshape(y.shape)).sum().backward()
    assert isinstance(sparse.grad, RowSparse)
    assert np.allclose(sparse.grad.to_dense(), dense.grad)


def test_the_end_of_the_last_bag_may_be_given() -> None:
    y = pellucid.embedding_bag([1, 4, 1], weight(), [0, 2, 3], mode="sum", include_last_offset=True)
    assert np.allclose(y, [TABLE[1] + TABLE[4], TABLE[1]])


@pytest.mark.parametrize(
    ("arguments", "settings", "error", "words"),
    [
        (([0], [0]), {"mode": "median"}, ArgumentError, "knows the modes sum, mean and max"),
        (([0, 1], [1]), {}, ArgumentError, r"ascending from 0 to at most 2, not \[1\]"),
        (([0, 1], [0, 2, 1]), {}, ArgumentError, "ascending"),
        (([0, 1], [0, 3]), {}, ArgumentError, "ascending"),
        (([[0, 1]], [0]), {}, ShapeError, r"not \(1, 2\) with offsets"),
        (([[[0]]],), {}, ShapeError, r"not \(1, 1, 1\)"),
        (([0],), {"per_sample_weights": [1.0]}, ArgumentError, "multiply the rows of a sum"),
        (([0],), {"per_sample_weights": [1.0, 2.0], "mode": "sum"}, ArgumentError, "one per id"),
    ],
)
def test_what_bags_refuse(arguments: Any, settings: Any, error: Any, words: str) -> None:
    ids, *rest = arguments
    with pytest.raises(error, match=words):
        pellucid.embedding_bag(ids, weight(), *rest, **settings)


def test_max_is_not_sparse() -> None:
    w = weight()
    with pytest.raises(ArgumentError, match="sparse"):
        pellucid.embedding_bag([0, 1], w, mode="max", sparse=True)
