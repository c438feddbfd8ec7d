"""Picking elements, and gradients that return to their places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pellucid
from pellucid import Tensor, grad
from pellucid.errors import (
    ArgumentError,
    DTypeError,
    GraphError,
    LabelError,
    RangeError,
    ShapeError,
)

R = np.random.default_rng(0)
X = R.normal(size=(4, 3, 2))

INDICES = [
    0, -1, slice(1, 3), slice(None, None, -2), ..., None, (..., 0), (slice(None), None, 1), (1, 2, 1),
    [0, 2, 2], np.array([[0, 1], [3, -1]]), ([0, 1], [2, 2]), ([0, 1], slice(None), [1, 0]),
    (slice(1), [2, 0, 2]), (None, [1, 1], ..., slice(None, None, -1)), X > 0, X[:, 0, 0] > 0,
    (slice(None), np.array([True, False, True])), (X[:, 0, 0] > 0, 1), np.int64(2), (np.array(1), [0, 0]),
    [], (np.array([[0], [1]]), np.array([[0, 2]])), True, np.array([1, 2], np.uint8), (([0, 1]), -1),
]  # fmt: skip


# -------------------------------------------------------------------------------- square brackets


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_reading_is_numpys(index: Any) -> None:
    expected = X[[] if isinstance(index, list) and not index else index]
    assert np.array_equal(Tensor(X)[index], expected)


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_slopes_of_reading(index: Any, slopes_agree: Any) -> None:
    slopes_agree(lambda x: x[index], X)


@given(st.data())
def test_any_index_of_numpys(data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    index = data.draw(
        hnp.basic_indices(shape, allow_newaxis=True) | hnp.integer_array_indices(shape)
    )
    x = np.random.default_rng(2).normal(size=shape)
    t = Tensor(x, requires_grad=True)
    y = t[index]
    assert np.array_equal(y, x[index])
    weights = np.arange(1.0, y.numel() + 1).reshape(y.shape)
    (slope,) = grad((y * weights).sum(), t)
    expected = np.zeros(shape)
    np.add.at(expected, index, weights)
    assert np.array_equal(slope, expected)


def test_tensors_are_indices_too() -> None:
    x, at = Tensor(X), pellucid.tensor([2, 0])
    assert np.array_equal(x[at], X[[2, 0]])
    assert np.array_equal(x[:, at, pellucid.tensor(1)], X[:, [2, 0], 1])
    assert np.array_equal(x[x > 0], X[X > 0])
    assert np.array_equal(x[[pellucid.tensor(1), 2]], X[[1, 2]])


def test_repeated_positions_add_up() -> None:
    x = pellucid.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (x[[0, 0, 2, 0]] * pellucid.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert x.grad.tolist() == [7.0, 0.0, 3.0]


def test_an_index_changed_later_does_no_harm() -> None:
    x, at = pellucid.tensor([1.0, 2.0, 3.0], requires_grad=True), np.array([0, 0])
    y = x[at]
    at[:] = 2
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (4, r"x \(4, 3\) .* no position 4 along axis 0, which has size 4: so positions run from -4 to 3"),
        ((0, -4), "no position -4 along axis 1, which has size 3"),
        ([0, 7], "no position 7 along axis 0"),
        ((slice(None), [[0], [3]]), "no position 3 along axis 1"),
        ((0, 0, 0), "too many indices"),
        (1.5, "1.5 is no index; whole numbers"),
        (np.array([0.5]), "integer"),
        (np.array([True, False]), "boolean index did not match .* axis 0; size of axis is 4"),
        (([0, 1], [0, 1, 2]), "could not be broadcast"),
        ("first", "'first' is no index"),
    ],
)  # fmt: skip
def test_an_index_out_of_range_says_where(index: Any, words: str) -> None:
    x = Tensor(X[..., 0])
    with pytest.raises(RangeError, match=words) as caught:
        x[index]
    assert isinstance(caught.value, IndexError)
    with pytest.raises(RangeError, match=words):
        x[index] = 0.0


# ------------------------------------------------------------------------------------- assigning


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_assigning_is_numpys(index: Any) -> None:
    x = Tensor(X.copy())
    expected = X.copy()
    expected[[] if isinstance(index, list) and not index else index] = 5.0
    x[index] = 5.0
    assert np.array_equal(x, expected)


def test_assigning_keeps_the_type_and_takes_tensors() -> None:
    x = pellucid.zeros(2, 2)
    x[pellucid.tensor([0, 1]), 1] = pellucid.tensor([1.5, 2.5], dtype=np.float64)
    x[x == 0] = pellucid.tensor(9)
    assert x.dtype == np.float32
    assert x.tolist() == [[9.0, 1.5], [9.0, 2.5]]


def test_assigning_what_does_not_fit() -> None:
    x = pellucid.zeros(2, 3)
    with pytest.raises(ShapeError, match=r"\(2,\) cannot be written into a tensor \(2, 3\)"):
        x[0] = pellucid.ones(2)
    with pytest.raises(ShapeError, match="cannot be written"):
        x[0, 0] = "many"


def test_assigning_into_a_recorded_history_is_refused() -> None:
    w = pellucid.ones(3, requires_grad=True)
    with pytest.raises(GraphError, match="a leaf that requires gradients"):
        w[0] = 1.0
    with pytest.raises(GraphError, match="a recorded history"):
        (w * 2)[0] = 1.0
    with pytest.raises(GraphError, match="the tape records no changes in place"):
        pellucid.zeros(3)[0] = w[0]
    with pellucid.no_grad():
        w[0] = 5.0
    assert w.tolist() == [5.0, 1.0, 1.0]


# --------------------------------------------------------------------------- by lists of positions


def test_index_select() -> None:
    x = Tensor(X)
    assert np.array_equal(x.index_select(1, pellucid.tensor([2, 0, 2])), X[:, [2, 0, 2]])
    assert np.array_equal(pellucid.index_select(x, -1, [1]), X[..., [1]])
    assert pellucid.index_select(x, dim=0, index=[]).shape == (0, 3, 2)
    with pytest.raises(
        RangeError, match=r"position 3 along axis 1, which has size 3 \(0 to 2\); .* \(1,\)"
    ):
        x.index_select(1, [0, 3])
    with pytest.raises(RangeError, match="position -1"):
        x.index_select(1, [-1])
    with pytest.raises(DTypeError, match="whole numbers, not of float64"):
        x.index_select(1, np.array([0.0]))
    with pytest.raises(ShapeError, match="one list of positions"):
        x.index_select(1, [[0]])
    with pytest.raises(ShapeError, match="axis 0, but x has none: it is a single number"):
        Tensor(1.0).index_select(0, [0])


def test_index_add_copy_fill() -> None:
    x = Tensor(np.ones((3, 2)))
    assert x.index_add(0, [2, 2], np.ones((2, 2)), alpha=2).tolist() == [[1, 1], [1, 1], [5, 5]]
    assert x.index_add(1, [1], np.ones((3, 1))).tolist() == [[1, 2]] * 3
    assert x.index_copy(0, [0], np.zeros((1, 2))).tolist() == [[0, 0], [1, 1], [1, 1]]
    assert x.index_fill(1, [0], 7).tolist() == [[7, 1]] * 3
    assert x.sum().item() == 6.0  # copies: x itself stays
    with pytest.raises(ShapeError, match=r"needs a source \(1, 2\), not \(2, 2\)"):
        x.index_add(0, [0], np.ones((2, 2)))


def test_gather_and_scatter() -> None:
    x = Tensor(np.arange(6.0).reshape(2, 3))
    at = pellucid.tensor([[2, 0], [1, 1]])
    assert x.gather(1, at).tolist() == [[2.0, 0.0], [4.0, 4.0]]
    assert pellucid.gather(x, 0, [[1, 0]]).tolist() == [[3.0, 1.0]]
    zeros = pellucid.zeros(2, 3)
    assert zeros.scatter(1, at, 5.0).tolist() == [[5, 0, 5], [0, 5, 0]]
    assert zeros.scatter(1, at, pellucid.ones(2, 3)).tolist() == [[1, 0, 1], [0, 1, 0]]
    assert zeros.scatter_add(1, at, pellucid.ones(2, 2)).tolist() == [[1, 0, 1], [0, 2, 0]]
    assert pellucid.gather(x, 1, np.zeros((2, 0), int)).shape == (2, 0)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: x.gather(1, [[3]]), RangeError, r"gather .* position 3 along axis 1, .*size 3 .*\(0, 0\)"),
        (lambda x: x.gather(1, [[-1]]), RangeError, "position -1"),
        (lambda x: x.gather(1, [0]), ShapeError, "as many axes everywhere"),
        (lambda x: x.gather(1, [[0]] * 3), ShapeError, r"index \(3, 1\) is larger than x \(2, 3\) along axis 0"),
        (lambda x: x.gather(2, [[0]]), ShapeError, "gather was asked for axis 2"),
        (lambda x: x.gather(1, [[0.5]]), DTypeError, "whole numbers"),
        (lambda x: x.scatter_add(1, [[0, 1]], x[:, :1]), ShapeError, r"larger than src \(2, 1\) along axis 1"),
    ],
)  # fmt: skip
def test_what_gather_and_scatter_refuse(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call(Tensor(np.ones((2, 3))))


def test_take_along_dim_broadcasts() -> None:
    x = Tensor(X)
    order = np.argsort(X, axis=1)
    assert np.array_equal(pellucid.take_along_dim(x, order, 1), np.sort(X, axis=1))
    assert np.array_equal(x.take_along_dim([[[-1]]], 0), X[-1:])
    assert np.array_equal(x.take_along_dim(np.array([5, 0])), X.reshape(-1)[[5, 0]])
    assert np.array_equal(x.take([[5, 0]]), X.reshape(-1)[[[5, 0]]])
    with pytest.raises(ShapeError, match="as many axes in both"):
        x.take_along_dim([0], 0)


def test_masked_select() -> None:
    x = Tensor(X)
    assert np.array_equal(x.masked_select(x > 0), X[X > 0])
    assert np.array_equal(x.masked_select([[True], [False], [True]]), X[:, [0, 2]].reshape(-1))
    with pytest.raises(DTypeError, match="a mask is made of booleans"):
        x.masked_select(np.ones(2))
    with pytest.raises(ShapeError, match=r"mask \(5,\) does not fit \(4, 3, 2\)"):
        x.masked_select(np.ones(5, bool))


def test_index_put() -> None:
    x = pellucid.zeros(3)
    assert x.index_put(([0, 0],), pellucid.tensor([1.0, 2.0])).tolist() == [2.0, 0.0, 0.0]
    assert x.index_put(([0, 0],), 1.0, accumulate=True).tolist() == [2.0, 0.0, 0.0]
    with pytest.raises(RangeError, match="no position 3"):
        x.index_put(([3],), 1.0)


def test_repeat_interleave() -> None:
    x = pellucid.tensor([[1, 2], [3, 4]])
    assert x.repeat_interleave(2).tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert x.repeat_interleave(2, dim=1).tolist() == [[1, 1, 2, 2], [3, 3, 4, 4]]
    assert x.repeat_interleave(pellucid.tensor([0, 2]), 0).tolist() == [[3, 4], [3, 4]]
    with pytest.raises(ShapeError, match="axis 0 has 2 positions"):
        x.repeat_interleave([1, 2, 3], 0)
    with pytest.raises(ArgumentError, match="from 0 up"):
        x.repeat_interleave(-1)


AT = np.array([[2, 0], [1, 1]])


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.index_select(1, [2, 0, 2]), lambda x: x.gather(1, AT), lambda x: x.gather(0, [[1, 0, 0]]),
        lambda x: x.take_along_dim([[2], [0]], 1), lambda x: x.take_along_dim([5, 0, 0]),
        lambda x: x.take([[5], [5]]), lambda x: x.masked_select([[True, False, True], [True, True, False]]),
        lambda x: x.repeat_interleave(2, 1), lambda x: x.repeat_interleave([2, 0, 3], 1),
    ],
)  # fmt: skip
def test_slopes_of_picking(change: Any, slopes_agree: Any) -> None:
    slopes_agree(change, X[:2, :, 0])


@pytest.mark.parametrize(
    "change",
    [
        lambda x, s: x.index_add(0, [1, 1], s[:, :1].expand(2, 3)),
        lambda x, s: x.index_add(-1, [2, 0], s.t()[:, :1].expand(2, 2), alpha=-2.0),
        lambda x, s: x.index_copy(0, [1], s[:1, :1].expand(1, 3)), lambda x, s: x.index_fill(1, [0, 2], s[0, 0]),
        lambda x, s: x.scatter(1, [[2, 0]], s), lambda x, s: x.scatter(1, AT[:, :1], s[0, 0]),
        lambda x, s: x.scatter_add(1, AT, s), lambda x, s: x.scatter_add(0, AT[1:], s),
        lambda x, s: x.index_put(([0, 1], [2, 2]), s[0]), lambda x, s: x.index_put((0,), s[0, 1]),
        lambda x, s: x.index_put(([0, 0], [2, 2]), s[0], accumulate=True),
    ],
)  # fmt: skip
def test_slopes_of_putting(change: Any, slopes_agree: Any) -> None:
    slopes_agree(change, X[:2, :, 0], X[:2, :2, 1])


# -------------------------------------------------------------------------- positions and classes


def test_nonzero() -> None:
    x = pellucid.tensor([[0, 3], [5, 0]])
    assert x.nonzero().tolist() == x.argwhere().tolist() == [[0, 1], [1, 0]]
    assert [t.tolist() for t in pellucid.nonzero(x, as_tuple=True)] == [[0, 1], [1, 0]]
    assert pellucid.nonzero(pellucid.tensor(3)).shape == (1, 0)
    assert x[x.nonzero(as_tuple=True)].tolist() == [3, 5]


def test_one_hot() -> None:
    y = pellucid.one_hot(pellucid.tensor([[0], [2]]))
    assert y.tolist() == [[[1, 0, 0]], [[0, 0, 1]]]
    assert y.dtype == np.int64
    assert pellucid.one_hot(pellucid.tensor(1), num_classes=4).tolist() == [0, 1, 0, 0]
    with pytest.raises(LabelError, match=r"the label 5 at \(1,\) is none of 3 classes \(0 to 2\)"):
        pellucid.one_hot(pellucid.tensor([0, 5]), 3)
    with pytest.raises(LabelError, match="label -1"):
        pellucid.one_hot(pellucid.tensor([-1]), 3)
    with pytest.raises(DTypeError, match="whole numbers"):
        pellucid.one_hot(pellucid.tensor([0.5]), 3)
    with pytest.raises(ArgumentError, match="give num_classes"):
        pellucid.one_hot(pellucid.zeros(0, dtype=int))


def test_searchsorted_and_bucketize() -> None:
    line = pellucid.tensor([1, 3, 5])
    assert pellucid.searchsorted(line, pellucid.tensor([[3, 0], [9, 4]])).tolist() == [
        [1, 0],
        [3, 2],
    ]
    assert pellucid.searchsorted(line, 3, right=True).item() == 2
    assert pellucid.searchsorted(line, 3, side="right").item() == 2
    assert pellucid.bucketize(pellucid.tensor([3, 6]), line).tolist() == [1, 3]
    both = pellucid.searchsorted(pellucid.tensor([[1, 2], [5, 6]]), pellucid.tensor([[2], [2]]))
    assert both.tolist() == [[1], [0]]
    with pytest.raises(ShapeError, match="differ before the last axis"):
        pellucid.searchsorted(pellucid.ones(2, 2), pellucid.ones(3, 1))
