"""Several tensors made one, and one cut into several."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid
from pellucid import Tensor
from pellucid.errors import ArgumentError, ShapeError

R = np.random.default_rng(0)
A, B = R.normal(size=(2, 3)), R.normal(size=(2, 3))


def test_cat_joins_along_an_axis_they_have() -> None:
    a, b = Tensor(A), Tensor(B)
    assert np.array_equal(pellucid.cat([a, b]), np.concatenate([A, B]))
    assert np.array_equal(pellucid.cat((a, b), 1), np.concatenate([A, B], 1))
    assert np.array_equal(pellucid.cat([a, b], dim=-1), np.concatenate([A, B], 1))
    assert np.array_equal(pellucid.concat(tensors=[a, b], axis=1), np.concatenate([A, B], 1))
    assert pellucid.cat([a, Tensor(np.zeros(0)), b]).shape == (4, 3)  # as PyTorch, forgiving
    assert pellucid.cat([a]).shape == (2, 3)


def test_cat_promotes_types() -> None:
    whole, half = pellucid.tensor([1, 2]), pellucid.tensor([0.5])
    assert pellucid.cat([whole, half]).dtype == np.float32


@pytest.mark.parametrize(
    ("tensors", "dim", "error", "words"),
    [
        ([], 0, ArgumentError, "at least one tensor"),
        ([A, B.T], 0, ShapeError, r"tensors\[0\] \(2, 3\) and tensors\[1\] \(3, 2\) differ in another axis"),
        ([A, B[0]], 0, ShapeError, "differ in another axis"),
        ([A, B], 2, ShapeError, "cat was asked for axis 2, but x has 2 axes"),
        ([np.float64(1), np.float64(2)], 0, ShapeError, "use stack"),
    ],
)  # fmt: skip
def test_what_cat_refuses(tensors: Any, dim: int, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        pellucid.cat([Tensor(t) for t in tensors], dim)


def test_stack_makes_a_new_axis() -> None:
    a, b = Tensor(A), Tensor(B)
    assert pellucid.stack([a, b]).shape == (2, 2, 3)
    assert np.array_equal(pellucid.stack([a, b], -1), np.stack([A, B], -1))
    assert pellucid.stack([Tensor(1.0), Tensor(2.0)]).tolist() == [1.0, 2.0]
    with pytest.raises(ShapeError, match=r"tensors\[1\] is \(3, 2\).*\n.*use cat"):
        pellucid.stack([a, b.t()])
    with pytest.raises(ArgumentError, match="at least one"):
        pellucid.stack([])
    with pytest.raises(ShapeError, match="stack"):
        pellucid.stack([a, b], 3)


def test_hstack_and_vstack() -> None:
    assert np.array_equal(pellucid.hstack([A, B]), np.hstack([A, B]))
    assert np.array_equal(pellucid.hstack([A[0], B[0]]), np.hstack([A[0], B[0]]))
    assert np.array_equal(pellucid.vstack([A[0], B]), np.vstack([A[0], B]))


def test_split_by_size_and_by_list() -> None:
    x = Tensor(np.arange(10.0))
    assert [len(p) for p in x.split(4)] == [4, 4, 2]
    assert [p.tolist() for p in x[:4].split([1, 0, 3])] == [[0.0], [], [1.0, 2.0, 3.0]]
    assert [p.shape for p in Tensor(A).split(2, dim=1)] == [(2, 2), (2, 1)]
    assert [p.shape for p in pellucid.split(Tensor(np.zeros((0, 2))), 3)] == [(0, 2)]
    with pytest.raises(ShapeError, match=r"sections \[3, 3\] do not add up to 10"):
        x.split([3, 3])
    with pytest.raises(ArgumentError, match="pieces of 0"):
        x.split(0)
    with pytest.raises(ShapeError, match="a single number has none"):
        Tensor(1.0).split(1)


def test_chunk_and_tensor_split() -> None:
    x = Tensor(np.arange(5.0))
    assert [len(p) for p in x.chunk(2)] == [3, 2]
    assert [len(p) for p in x.chunk(4)] == [2, 2, 1]  # as PyTorch: sometimes fewer than asked
    assert [len(p) for p in x.tensor_split(4)] == [2, 1, 1, 1]
    assert [p.tolist() for p in x.tensor_split([1, 3])] == [[0.0], [1.0, 2.0], [3.0, 4.0]]
    assert [len(p) for p in Tensor(np.zeros(0)).chunk(3)] == [0, 0, 0]
    with pytest.raises(ArgumentError, match="at least 1 piece"):
        x.chunk(0)


def test_unbind_narrow_select() -> None:
    x = Tensor(A)
    assert [p.shape for p in x.unbind()] == [(3,), (3,)]
    assert [p.shape for p in x.unbind(-1)] == [(2,)] * 3
    assert np.array_equal(x.narrow(1, 1, 2), A[:, 1:3])
    assert np.array_equal(x.narrow(1, -1, 1), A[:, 2:])
    assert np.array_equal(x.select(-1, 0), A[:, 0])
    with pytest.raises(ShapeError, match=r"narrow cannot take 3 positions from 1 on along axis 1"):
        x.narrow(1, 1, 3)
    with pytest.raises(ShapeError, match="a single number has none"):
        Tensor(1.0).unbind()


@pytest.mark.parametrize(
    "change",
    [
        lambda a, b: pellucid.cat([a, b, a], 1), lambda a, b: pellucid.stack([a, b, a], 1),
        lambda a, b: pellucid.hstack([a, b]), lambda a, b: pellucid.vstack([a[0], b]),
        lambda a, b: a.split(2, 1)[1] * b[:, :1], lambda a, b: a.chunk(3, 1)[0] * b.unbind(1)[1][:, None],
        lambda a, b: a.narrow(1, 1, 2) * b.select(1, 0)[:, None],
    ],
)  # fmt: skip
def test_slopes(change: Any, slopes_agree: Any) -> None:
    slopes_agree(change, A, B)


def test_cat_gives_only_those_a_gradient_who_need_one() -> None:
    a, b = Tensor(A, requires_grad=True), Tensor(B)
    pellucid.cat([b, a, b], 1).sum().backward()
    assert a.grad.tolist() == np.ones((2, 3)).tolist()
    assert b.grad is None


@given(st.integers(0, 9), st.data())
def test_pieces_joined_are_the_whole(n: int, data: st.DataObject) -> None:
    x = np.arange(2.0 * n).reshape(2, n)
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=4)))
    sections = [b - a for a, b in zip([0, *cuts], [*cuts, n], strict=True)]
    for pieces in (
        pellucid.split(Tensor(x), sections, 1),
        Tensor(x).split(data.draw(st.integers(1, 4)), 1),
        Tensor(x).chunk(data.draw(st.integers(1, 4)), 1),
        Tensor(x).tensor_split(data.draw(st.integers(1, 4)), 1),
        Tensor(x).tensor_split(cuts, 1),
    ):
        assert np.array_equal(pellucid.cat(pieces, 1), x)
