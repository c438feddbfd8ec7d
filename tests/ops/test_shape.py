"""The same numbers, arranged otherwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pellucid
from pellucid import Tensor
from pellucid.errors import ArgumentError, ShapeError

R = np.random.default_rng(0)
CUBE = R.normal(size=(2, 3, 4))
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def counted(*shape: int) -> Any:
    return np.arange(math.prod(shape), dtype=np.float64).reshape(shape)


# ----------------------------------------------------------------------------------- other shapes


def test_reshape_keeps_order_and_works_out_one_size() -> None:
    x = Tensor(counted(2, 6))
    assert x.reshape(3, -1).tolist() == counted(3, 4).tolist()
    assert x.reshape((4, 3)).shape == (4, 3)
    assert x.reshape(-1).shape == (12,)
    assert pellucid.reshape(x, (3, 4)).shape == (3, 4)
    assert x.reshape_as(Tensor(counted(4, 3))).shape == (4, 3)


def test_reshape_that_does_not_fit_says_so() -> None:
    with pytest.raises(
        ShapeError, match=r"reshape cannot work on x \(2, 6\): cannot reshape array"
    ):
        Tensor(counted(2, 6)).reshape(5, 2)


def test_view_shares_memory_and_refuses_to_copy() -> None:
    x = Tensor(counted(2, 3))
    y = x.view(3, 2)
    y[0, 0] = 9.0
    assert x[0, 0].item() == 9.0
    assert x.view(-1).shape == x.view_as(Tensor(counted(6))).shape == (6,)
    with pytest.raises(ShapeError, match="Use reshape, which copies where it must"):
        x.t().view(6)
    with pytest.raises(ArgumentError, match=r"x.to\(dtype\)"):
        pellucid.view(x, np.float32)


def test_views_share_memory_where_numpy_does() -> None:
    x = Tensor(counted(2, 3, 4))
    for y in (
        x.reshape(6, 4), x.flatten(), x.permute(2, 0, 1), x.transpose(0, 1), x.T, x.mT, x.swapaxes(0, 2),
        x.unsqueeze(0), x[None].squeeze(0), x.expand(5, 2, 3, 4), x[1], x[:, ::-1], x.flip(0), x.movedim(0, 2),
        x.split(2, 1)[0], x.unbind(2)[0], x.diagonal(), x.narrow(1, 0, 2), x.select(0, 1), x.detach(),
    ):  # fmt: skip
        assert np.shares_memory(x.numpy(), y.numpy())
    for y in (x.clone(), x.repeat(1, 1, 1), x.roll(1), x.tril(), x[[0, 1]], x[x > 1]):
        assert not np.shares_memory(x.numpy(), y.numpy())


def test_flatten_joins_axes() -> None:
    x = Tensor(CUBE)
    assert x.flatten().shape == (24,)
    assert x.flatten(1).shape == (2, 12)
    assert x.flatten(0, 1).shape == x.flatten(-3, -2).shape == (6, 4)
    assert x.flatten(1, 1).shape == (2, 3, 4)
    assert Tensor(3.0).flatten().shape == (1,)
    with pytest.raises(ShapeError, match="from an axis to a later one"):
        x.flatten(2, 1)
    with pytest.raises(ShapeError, match=r"axis 3, but x has 3 axes \(-3 to 2\)"):
        x.flatten(3)


def test_unflatten_undoes_flatten() -> None:
    x = Tensor(CUBE)
    assert np.array_equal(x.flatten(1).unflatten(1, (3, 4)), x)
    assert x.unflatten(-1, (2, -1)).shape == (2, 3, 2, 2)
    for wrong in ((3, 2), (3, -1)):
        with pytest.raises(ShapeError, match=r"unflatten cannot split axis 2 of \(2, 3, 4\)"):
            x.unflatten(2, wrong)


def test_squeeze_drops_only_axes_of_size_one() -> None:
    x = Tensor(np.zeros((1, 3, 1, 2)))
    assert x.squeeze().shape == (3, 2)
    assert x.squeeze(0).shape == (3, 1, 2)
    assert x.squeeze(1).shape == (1, 3, 1, 2)
    assert x.squeeze((0, 2)).shape == x.squeeze(dim=(0, 1, -2)).shape == (3, 2)
    assert Tensor(1.0).squeeze().shape == Tensor(1.0).squeeze(0).shape == ()
    with pytest.raises(ShapeError, match="squeeze was asked for axis 4"):
        x.squeeze(4)
    with pytest.raises(ShapeError, match="name an axis twice"):
        x.squeeze((0, -4))


def test_unsqueeze_counts_from_both_ends() -> None:
    x = Tensor(counted(2, 3))
    assert [x.unsqueeze(i).shape for i in (0, 1, 2, -1, -3)] == [
        (1, 2, 3), (2, 1, 3), (2, 3, 1), (2, 3, 1), (1, 2, 3),
    ]  # fmt: skip
    with pytest.raises(ShapeError, match=r"unsqueeze cannot work on x \(2, 3\)"):
        x.unsqueeze(3)


def test_expand_repeats_without_copying() -> None:
    x = Tensor(counted(3, 1))
    y = x.expand(2, -1, 4)
    assert y.shape == (2, 3, 4)
    assert y[1, 2].tolist() == [2.0] * 4
    assert x.expand_as(y).shape == x.broadcast_to((2, 3, 4)).shape == (2, 3, 4)
    assert Tensor(1.0).expand(2, 2).sum().item() == 4.0
    with pytest.raises(ShapeError, match="only axes of size 1 can grow"):
        x.expand(2, 2)
    with pytest.raises(ShapeError, match="only axes of size 1 can grow"):
        x.expand(3)


def test_an_expanded_tensor_is_not_written_to() -> None:
    y = Tensor(counted(3, 1)).expand(3, 4)
    with pytest.raises(
        ArgumentError, match=r"reads the same memory several times .*\n.*x.clone\(\)"
    ):
        y[0, 0] = 1.0
    with pytest.raises(ArgumentError, match="cannot be written to"):
        y.add_(1.0)


def test_broadcast_tensors() -> None:
    a, b = pellucid.broadcast_tensors(counted(3, 1), counted(1, 2))
    assert a.shape == b.shape == (3, 2)
    with pytest.raises(ShapeError, match=r"\(2,\), \(3,\) do not fit together"):
        pellucid.broadcast_tensors(counted(2), counted(3))


def test_atleast() -> None:
    assert pellucid.atleast_1d(Tensor(2.0)).shape == (1,)
    assert pellucid.atleast_2d(counted(3)).shape == (1, 3)
    assert pellucid.atleast_2d(CUBE).shape == (2, 3, 4)


# ----------------------------------------------------------------------------------- other orders


def test_permute_moves_axes() -> None:
    x = Tensor(CUBE)
    assert np.array_equal(x.permute(2, 0, 1).numpy(), CUBE.transpose(2, 0, 1))
    assert x.permute((-1, 0, 1)).shape == (4, 2, 3)
    for wrong, words in (((0, 1), "every axis"), ((0, 1, 1), "twice"), ((0, 1, 3), "axis 3")):
        with pytest.raises(ShapeError, match=words):
            x.permute(wrong)


def test_transpose_speaks_pytorch_and_numpy() -> None:
    x = Tensor(CUBE)
    assert x.transpose(0, 2).shape == x.transpose(dim0=0, dim1=2).shape == (4, 3, 2)
    assert (
        x.transpose(0, dim1=-1).shape
        == x.swapaxes(0, 2).shape
        == x.swapdims(0, 2).shape
        == (4, 3, 2)
    )
    assert x.transpose().shape == x.T.shape == (4, 3, 2)
    assert x.transpose(2, 0, 1).shape == x.transpose((2, 0, 1)).shape == (4, 2, 3)
    assert pellucid.transpose(x, 0, 1).shape == pellucid.swapaxes(x, 0, 1).shape == (3, 2, 4)


def test_matrices_on_their_side() -> None:
    x = Tensor(counted(2, 3))
    assert x.t().tolist() == x.T.tolist() == x.mT.tolist() == counted(2, 3).T.tolist()
    assert Tensor(counted(3)).t().shape == (3,)
    assert Tensor(1.0).t().shape == ()
    assert Tensor(CUBE).mT.shape == (2, 4, 3)
    with pytest.raises(ShapeError, match="t is for matrices"):
        Tensor(CUBE).t()
    with pytest.raises(ShapeError, match="a matrix has two axes"):
        _ = Tensor(counted(3)).mT


def test_movedim_keeps_the_order_of_the_rest() -> None:
    x = Tensor(np.zeros((2, 3, 4, 5)))
    assert x.movedim(0, -1).shape == (3, 4, 5, 2)
    assert x.movedim((0, 1), (-1, -2)).shape == x.moveaxis((1, 0), (2, 3)).shape == (4, 5, 3, 2)
    with pytest.raises(ShapeError, match="2 axes and 1 places"):
        x.movedim((0, 1), 0)


@given(hnp.array_shapes(min_dims=1, max_dims=4, max_side=3), st.data())
def test_movedim_is_numpys_moveaxis(shape: tuple[int, ...], data: st.DataObject) -> None:
    x = counted(*shape)
    axes = st.lists(st.integers(0, x.ndim - 1), min_size=1, max_size=x.ndim, unique=True)
    here = data.draw(axes)
    there = data.draw(st.permutations(range(x.ndim)))[: len(here)]
    ours = pellucid.movedim(x, tuple(here), tuple(there))
    assert np.array_equal(ours.numpy(), np.moveaxis(x, here, there))


def test_flip_and_roll() -> None:
    x = Tensor(counted(2, 3))
    assert x.flip(1).tolist() == x.fliplr().tolist() == [[2, 1, 0], [5, 4, 3]]
    assert x.flip(0).tolist() == x.flipud().tolist() == [[3, 4, 5], [0, 1, 2]]
    assert x.flip((0, -1)).tolist() == x.flip(0, 1).tolist() == [[5, 4, 3], [2, 1, 0]]
    assert x.roll(1).tolist() == [[5, 0, 1], [2, 3, 4]]
    assert x.roll(-1, 1).tolist() == x.roll(2, dims=1).tolist() == [[1, 2, 0], [4, 5, 3]]
    assert x.roll((1, 1), (0, 1)).tolist() == [[5, 3, 4], [2, 0, 1]]
    with pytest.raises(ShapeError, match="flip was asked for axis 2"):
        x.flip(2)


def test_repeat_and_tile() -> None:
    x = Tensor(counted(2))
    assert x.repeat(2, 2).tolist() == [[0, 1, 0, 1]] * 2
    assert x.repeat((3, 1)).shape == (3, 2)
    assert Tensor(counted(2, 2)).tile(2).tolist() == [[0, 1, 0, 1], [2, 3, 2, 3]]
    assert x.repeat(0).shape == (0,)
    with pytest.raises(ShapeError, match="a number for each of 2 axes"):
        Tensor(counted(2, 2)).repeat(2)


# ---------------------------------------------------------------------------------------- slopes


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.reshape(4, 6), lambda x: x.view(-1), lambda x: x.flatten(1), lambda x: x.unflatten(2, (2, 2)),
        lambda x: x.permute(2, 0, 1), lambda x: x.permute(-1, -3, 1), lambda x: x.transpose(0, -1), lambda x: x.T,
        lambda x: x.mT, lambda x: x.movedim((0, 2), (1, 0)), lambda x: x.unsqueeze(1), lambda x: x[:1].squeeze(0),
        lambda x: x.unsqueeze(0).expand(5, -1, -1, -1), lambda x: x[:, :1].expand(3, 2, 3, 4),
        lambda x: x.flip(0, 2), lambda x: x.roll(5), lambda x: x.roll((1, 2), (0, -1)),
        lambda x: x.repeat(2, 1, 2, 1), lambda x: x.tile(2), lambda x: x[0, 0, 0].expand(3),
    ],
)  # fmt: skip
def test_slopes(change: Any, slopes_agree: Any) -> None:
    slopes_agree(change, CUBE)


def test_views_are_light_and_can_be_walked_twice() -> None:
    x = Tensor(CUBE, requires_grad=True)
    y = x.reshape(6, 4).t().unsqueeze(0).permute(1, 2, 0).flatten().expand(2, -1)[1, ::2].sum()
    y.backward()
    y.backward()
    assert x.grad.sum().item() == 24.0


@given(hnp.arrays(np.float64, SHAPES, elements=st.floats(-9, 9)))
def test_there_and_back_is_nothing_done(x: Any) -> None:
    t = Tensor(x)
    dims = list(range(t.ndim))
    for there_and_back in (
        t.reshape(-1).reshape(x.shape),
        t.permute(dims[::-1]).permute(dims[::-1]),
        t.unsqueeze(-1).squeeze(-1),
        t.flip(dims).flip(dims),
        t.roll(3).roll(-3),
        t.T.T,
    ):
        assert np.array_equal(there_and_back.numpy(), x)


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3))
def test_broadcasting_sums_gradients_back(shapes: Any) -> None:
    a, b = (np.random.default_rng(1).normal(size=s) for s in shapes.input_shapes)
    x, y = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
    result = x * y
    assert result.shape == shapes.result_shape
    result.sum().backward()
    assert x.grad.shape == x.shape
    ones = np.ones(shapes.result_shape)
    extra = len(shapes.result_shape) - a.ndim
    stretched = tuple(range(extra)) + tuple(
        extra + i for i, n in enumerate(a.shape) if n == 1 and shapes.result_shape[extra + i] != 1
    )
    expected = (ones * b).sum(axis=stretched, keepdims=True).reshape(a.shape)
    assert np.allclose(x.grad.numpy(), expected)


def test_empty_tensors_keep_their_shapes() -> None:
    x = Tensor(np.zeros((0, 3)), requires_grad=True)
    y = pellucid.cat([x.flip(0), x.repeat(2, 1), x.roll(1), x.t().reshape(0, 3), x.expand(0, 3)])
    assert y.shape == (0, 3)
    y.sum().backward()
    assert x.grad.shape == (0, 3)
