"""NumPy's functions on tensors: NumPy's answer, as a tensor, with its history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor
from pellucid.errors import ArgumentError, GraphError, RangeError, ShapeError
from pellucid.protocols import FUNCTIONS, REDUCED, RUNNING, UFUNCS

Function = Callable[..., Any]

R = np.random.default_rng(3)
M, N = R.uniform(0.2, 0.9, (2, 3)), R.uniform(0.2, 0.9, (2, 3))
SQUARE, V = R.normal(size=(3, 3)), R.normal(size=4)
STACK = R.normal(size=(2, 3, 4))


def recorded(value: Any) -> Any:
    """Arrays as tensors, wherever they stand; those with fractions ask for gradients."""
    if isinstance(value, (tuple, list)):
        return type(value)(recorded(part) for part in value)
    if isinstance(value, np.ndarray):
        return Tensor(value.copy(), requires_grad=value.dtype.kind == "f")
    return value


def leaves(value: Any) -> list[Tensor]:
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in leaves(part)]
    return [value] if isinstance(value, Tensor) else []


def agree(found: Any, expected: Any) -> None:
    """Both are equal, and what is an array in one is a tensor in the other."""
    if isinstance(expected, (tuple, list)):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            agree(a, b)
    elif isinstance(expected, (np.ndarray, np.generic)):
        assert isinstance(found, Tensor)
        assert found.shape == expected.shape
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-14)
    else:
        assert found == expected


# ------------------------------------------------------------------------------------------ ufuncs


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda f: f.__name__)
def test_ufuncs(ufunc: Any) -> None:
    arrays = [M, N][: ufunc.nin]
    if ufunc is np.arccosh:
        arrays = [M + 1]
    if ufunc is np.matmul:
        arrays = [M, N.T]
    if ufunc.__name__ in ("bitwise_and", "bitwise_or", "bitwise_xor", "invert") or (
        ufunc.__name__.endswith("_shift")
    ):
        arrays = [R.integers(0, 6, (2, 3)) for _ in arrays]
    expected = ufunc(*arrays)
    inputs = [recorded(a) for a in arrays]
    found = ufunc(*inputs)
    agree(found, expected)
    if found.requires_grad:
        found.sum().backward()
        assert all(x.grad.shape == x.shape for x in leaves(inputs) if x._grad is not None)
    if ufunc.nin == 2 and ufunc is not np.matmul:
        agree(ufunc(arrays[0], Tensor(arrays[1])), expected)
        agree(ufunc(Tensor(arrays[0]), arrays[1]), expected)
        agree(ufunc(Tensor(arrays[0]), arrays[1][0, 0]), ufunc(arrays[0], arrays[1][0, 0]))


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda f: f.__name__)
def test_ufuncs_with_fractions_in_their_answer_are_recorded(ufunc: Any) -> None:
    arrays = [M + (ufunc is np.arccosh), N][: ufunc.nin]
    if ufunc.__name__.startswith(("bitwise", "invert")) or ufunc.__name__.endswith("_shift"):
        return
    inputs = [recorded(a) for a in arrays]
    found = ufunc(*inputs) if ufunc is not np.matmul else ufunc(inputs[0], inputs[1].T)
    assert found.requires_grad is (found.dtype.kind == "f")


@pytest.mark.parametrize("ufunc", REDUCED, ids=lambda f: f.__name__)
def test_reduce(ufunc: Any) -> None:
    for settings in ({}, {"axis": 1}, {"axis": None}, {"axis": 0, "keepdims": True}):
        agree(ufunc.reduce(recorded(M), **settings), np.asarray(ufunc.reduce(M, **settings))[()])


@pytest.mark.parametrize("ufunc", RUNNING, ids=lambda f: f.__name__)
def test_accumulate(ufunc: Any) -> None:
    for settings in ({}, {"axis": 1}):
        found = ufunc.accumulate(recorded(M), **settings)
        agree(found, ufunc.accumulate(M, **settings))
        assert found.requires_grad


def test_at_changes_in_place() -> None:
    x = Tensor(np.zeros(3))
    np.add.at(x, [0, 0, 2], 1.0)
    assert x.tolist() == [2.0, 0.0, 1.0]
    with pytest.raises(GraphError, match=r"np\.add\.at has no recorded rule"):
        np.add.at(recorded(np.zeros(3)), 0, 1.0)


def test_what_has_no_rule_works_on_numbers_without_history() -> None:
    agree(np.cbrt(Tensor(M)), np.cbrt(M))
    agree(np.modf(Tensor(M)), np.modf(M))
    agree(np.add.outer(Tensor(V), Tensor(V)), np.add.outer(V, V))
    agree(np.tanh(Tensor(M), dtype=np.float32), np.tanh(M, dtype=np.float32, casting="same_kind"))
    with pytest.raises(GraphError, match=r"np\.cbrt has no recorded rule.*\n.*np\.cbrt\(x\.detach"):
        np.cbrt(recorded(M))
    with pytest.raises(GraphError, match=r"np\.add\.outer has no recorded rule"):
        np.add.outer(recorded(V), V)
    with pellucid.no_grad():
        agree(np.cbrt(recorded(M)), np.cbrt(M))


# --------------------------------------------------------------------------------------- functions

CALLS: list[tuple[Function, tuple[Any, ...], dict[str, Any]]] = [
    (np.sum, (M,), {}), (np.sum, (M, 0), {}), (np.sum, (M,), {"axis": (0, 1), "keepdims": True}),
    (np.sum, (M,), {"dtype": np.float32}),
    (np.mean, (M,), {}), (np.mean, (M,), {"axis": -1, "keepdims": True}),
    (np.prod, (M,), {}), (np.prod, (M,), {"axis": 1}),
    (np.var, (M,), {}), (np.var, (M,), {"axis": 0, "ddof": 1}),
    (np.std, (M,), {}), (np.std, (M,), {"axis": 1, "keepdims": True}),
    (np.max, (M,), {}), (np.max, (M,), {"axis": 0}), (np.amax, (M, 1), {}),
    (np.min, (M,), {}), (np.min, (M,), {"axis": 0, "keepdims": True}), (np.amin, (M, 1), {}),
    (np.argmax, (M,), {}), (np.argmax, (M,), {"axis": 1}),
    (np.argmin, (M,), {}), (np.argmin, (M,), {"axis": 0, "keepdims": True}),
    (np.any, (M > 0.5,), {}), (np.any, (M,), {"axis": 0}), (np.all, (M > 0.5,), {"axis": 1}),
    (np.cumsum, (M,), {}), (np.cumsum, (M, 1), {}), (np.cumprod, (M,), {"axis": 0}),
    (np.sort, (M,), {}), (np.sort, (M,), {"axis": 0}), (np.sort, (M,), {"axis": None}),
    (np.argsort, (M,), {}), (np.argsort, (M,), {"axis": None}),
    (np.linalg.norm, (M,), {}), (np.linalg.norm, (V, 1), {}), (np.linalg.norm, (V, np.inf), {}),
    (np.linalg.norm, (M,), {"ord": 3, "axis": 1}), (np.linalg.norm, (M, "fro"), {}),
    (np.where, (M > 0.5, M, N), {}), (np.where, (M > 0.5,), {}),
    (np.where, (np.arange(3), M, 0.0), {}),
    (np.clip, (M, 0.3, 0.6), {}), (np.clip, (M, None, 0.6), {}), (np.clip, (M,), {"min": 0.5}),
    (np.round, (M, 1), {}), (np.around, (M,), {"decimals": 2}),
    (np.nan_to_num, (np.array([1.0, np.nan, np.inf]),), {"nan": 2.0, "posinf": 3.0}),
    (np.sinc, (M,), {}), (np.isclose, (M, M + 1e-9), {}),
    (np.zeros_like, (M,), {}), (np.ones_like, (M,), {"dtype": np.int64}),
    (np.full_like, (M, 3.0), {}), (np.copy, (M,), {}),
    (np.dot, (V, V), {}), (np.dot, (M, N.T), {}), (np.dot, (STACK, R.normal(size=(5, 4, 6))), {}),
    (np.dot, (M, 2.0), {}), (np.dot, (STACK, V), {}),
    (np.outer, (V, V), {}), (np.outer, (M, V), {}), (np.inner, (V, V), {}), (np.inner, (M, N), {}),
    (np.tensordot, (M, N), {"axes": 2}), (np.tensordot, (M, N.T), {"axes": 1}),
    (np.tensordot, (STACK, M), {"axes": ([0, 1], [0, 1])}),
    (np.einsum, ("ij,kj->ik", M, N), {}), (np.einsum, ("ii", SQUARE), {}),
    (np.trace, (SQUARE,), {}),
    (np.reshape, (M, (3, 2)), {}), (np.reshape, (M, -1), {}), (np.ravel, (M,), {}),
    (np.transpose, (STACK,), {}), (np.transpose, (STACK, (1, 2, 0)), {}),
    (np.matrix_transpose, (STACK,), {}), (np.swapaxes, (STACK, 0, -1), {}),
    (np.squeeze, (M[None],), {}), (np.squeeze, (M[None, :, None],), {"axis": (0, 2)}),
    (np.expand_dims, (M, 1), {}), (np.expand_dims, (M, (0, -1)), {}),
    (np.broadcast_to, (M, (4, 2, 3)), {}),
    (np.concatenate, ([M, N],), {}), (np.concatenate, ((M, N),), {"axis": 1}),
    (np.concatenate, ([M, V],), {"axis": None}),
    (np.stack, ([M, N],), {}), (np.stack, ([M, N],), {"axis": -1}),
    (np.hstack, ([M, N],), {}), (np.hstack, ([V, V],), {}), (np.vstack, ([V, V],), {}),
    (np.split, (V, 2), {}), (np.split, (V, [1, 3]), {}), (np.split, (M, 3), {"axis": 1}),
    (np.array_split, (V, 3), {}),
    (np.moveaxis, (STACK, 0, -1), {}), (np.moveaxis, (STACK, [0, 1], [1, 2]), {}),
    (np.flip, (M,), {}), (np.flip, (M, 1), {}), (np.fliplr, (M,), {}), (np.flipud, (M,), {}),
    (np.roll, (M, 1), {}), (np.roll, (M, (1, -1)), {"axis": (0, 1)}),
    (np.tile, (M, 2), {}), (np.tile, (M, (2, 1, 2)), {}),
    (np.repeat, (M, 2), {}), (np.repeat, (M, [1, 0, 2]), {"axis": 1}),
    (np.tril, (SQUARE,), {}), (np.tril, (SQUARE, -1), {}), (np.triu, (SQUARE,), {"k": 1}),
    (np.diag, (V,), {}), (np.diag, (SQUARE, 1), {}),
    (np.diagonal, (STACK,), {"offset": 1, "axis1": 1, "axis2": 2}),
    (np.take, (M, [0, 4]), {}), (np.take, (M, [2, 0]), {"axis": 1}), (np.take, (M, -1), {}),
    (np.take_along_axis, (M, np.argsort(M, 1), 1), {}),
]  # fmt: skip


@pytest.mark.parametrize("case", CALLS, ids=lambda c: c[0].__name__)
def test_functions(case: tuple[Function, tuple[Any, ...], dict[str, Any]]) -> None:
    function, arguments, settings = case
    expected = function(*arguments, **settings)
    inputs = recorded(arguments)
    found = function(*inputs, **settings)
    agree(found, expected)
    if function in (np.zeros_like, np.ones_like, np.full_like):
        return
    asked = [x for x in leaves(inputs) if x.requires_grad]
    for part in leaves([found] if isinstance(found, Tensor) else found):
        assert part.requires_grad is (part.dtype.kind == "f")
        if part.requires_grad:
            grads = pellucid.grad(part.sum(), asked, allow_unused=True, retain_graph=True)
            assert any(g is not None for g in grads)


def test_every_function_with_a_rule_is_called_above() -> None:
    called = {function for function, _, _ in CALLS} | {np.empty_like}
    assert {f.__name__ for f in FUNCTIONS} - {f.__name__ for f in called} == set()


def test_a_tensor_anywhere_in_a_list_is_enough() -> None:
    x = recorded(M)
    for found in (np.concatenate([M, x]), np.stack([x, N]), np.where(M > 0.5, 0.0, x)):
        assert isinstance(found, Tensor)
        assert found.requires_grad


def test_functions_without_a_rule() -> None:
    x = Tensor(M)
    agree(np.median(x), np.median(M))
    agree(np.unique(Tensor([3, 1, 3])), np.array([1, 3]))
    agree(np.count_nonzero(x), np.int64(6))
    agree(np.linalg.inv(Tensor(SQUARE)), np.linalg.inv(SQUARE))
    svd = np.linalg.svd(Tensor(SQUARE))
    assert isinstance(svd.U, Tensor)
    agree(svd.S, np.linalg.svd(SQUARE).S)
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)
    assert np.allclose(x, M)
    assert isinstance(np.fft.fft(x), np.ndarray), "a tensor holds no complex numbers"


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: np.median(x), r"np\.median"),
        (lambda x: np.linalg.inv(x), r"np\.linalg\.inv"),
        (lambda x: np.sum(x, where=SQUARE > 0), r"np\.sum"),
        (lambda x: np.reshape(x, (9,), order="F"), r"np\.reshape"),
        (lambda x: np.add(x, 1, out=np.zeros((3, 3))), r"np\.add into out="),
        (lambda x: np.sum(x, axis=0, out=np.zeros(3)), r"np\.sum into out="),
    ],
)
def test_no_history_is_lost_in_silence(call: Function, name: str) -> None:
    with pytest.raises(GraphError, match=name + r" has no recorded rule.*\n.*x\.detach\(\)"):
        call(recorded(SQUARE))
    call(Tensor(SQUARE))


def test_questions_about_recorded_tensors_are_answered() -> None:
    x = recorded(M)
    assert np.count_nonzero(x).item() == 6
    assert [part.tolist() for part in np.nonzero(x > 0.5)] == [
        p.tolist() for p in np.nonzero(M > 0.5)
    ]
    assert np.array_equal(x, M)
    assert np.isin(x, M).all()


# -------------------------------------------------------------------------------- written elsewhere


def test_out_writes_into_memory_that_is_there() -> None:
    x, out = Tensor(M), Tensor(np.zeros((2, 3)))
    assert np.add(x, 1, out=out) is out
    agree(out, M + 1)
    array = np.zeros(3)
    assert np.sum(x, axis=0, out=array) is array
    np.testing.assert_allclose(array, M.sum(0))


def test_out_counts_as_a_change_in_place() -> None:
    w, factor = recorded(M), Tensor(N.copy())
    y = (w * factor).sum()
    np.multiply(factor, 2, out=factor)
    with pytest.raises(GraphError, match=r"'b' \(2, 3\).*changed in place"):
        y.backward()
    with pytest.raises(GraphError, match="a leaf that requires gradients"):
        np.add(M, 1, out=w)


@pytest.mark.parametrize("writer", [np.copyto, np.put, np.fill_diagonal, np.putmask, np.place])
def test_functions_that_write_are_refused_with_a_way_out(writer: Function) -> None:
    arguments = {np.copyto: (0,), np.put: (0, 1), np.fill_diagonal: (1,)}.get(
        writer, (SQUARE > 0, 1)
    )
    x = Tensor(SQUARE.copy())
    with pytest.raises(ArgumentError, match=r"writes into its argument; write x\[index\] = values"):
        writer(x, *arguments)
    agree(x, SQUARE)


# --------------------------------------------------------------------------------- words for misuse


def test_misuse_is_named_in_words() -> None:
    x = Tensor(V)
    with pytest.raises(ShapeError, match=r"axis 0 of \(4,\) into 3 equal"):
        np.split(x, 3)
    with pytest.raises(RangeError, match="no position 9 along axis 0"):
        np.take(x, [9])
    with pytest.raises(ShapeError, match="matmul cannot combine"):
        np.matmul(x, Tensor(M))
    with pytest.raises(ArgumentError, match="no norm 'nuc'"):
        np.linalg.norm(Tensor(M), "nuc")


def test_numpy_scalars_and_arrays_never_swallow_a_tensor() -> None:
    x = recorded(np.float32([1.0, 2.0]))
    for found in (np.float32(2) * x, np.float64(2) * x, np.int64(2) * x, np.ones(2) * x, 2 * x):
        assert isinstance(found, Tensor)
        assert found.requires_grad
    assert (np.float64(2) * x).dtype == np.float32
    assert (np.ones(2) * x).dtype == np.float64
