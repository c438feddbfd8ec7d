"""New tensors: PyTorch's names and defaults, NumPy's numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor
from pellucid.errors import ArgumentError, DTypeError, ShapeError


def same(found: Any, expected: Any) -> None:
    expected = np.asarray(expected)
    assert isinstance(found, Tensor)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(found.numpy(), expected)


# ------------------------------------------------------------------------------------- from numbers


def test_tensor_copies_and_as_tensor_shares() -> None:
    array = np.arange(3.0)
    assert not np.shares_memory(pellucid.tensor(array).numpy(), array)
    assert np.shares_memory(pellucid.as_tensor(array).numpy(), array)
    assert np.shares_memory(pellucid.from_numpy(array).numpy(), array)
    x = pellucid.tensor(array, requires_grad=True)
    assert pellucid.as_tensor(x) is x
    assert pellucid.as_tensor(x, dtype="float32").requires_grad
    assert not pellucid.tensor(x * 2).requires_grad
    assert not pellucid.as_tensor(array, dtype=np.float32).requires_grad


def test_from_numpy_takes_arrays_only() -> None:
    with pytest.raises(DTypeError, match=r"takes an array, not list; use tensor\(\.\.\.\)"):
        pellucid.from_numpy([1, 2])
    with pytest.raises(DTypeError, match="not complex128"):
        pellucid.from_numpy(np.ones(2) * 1j)


def test_numbers_keep_or_take_a_type() -> None:
    same(pellucid.tensor([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]]))
    same(pellucid.tensor([1, 2], dtype="float32"), np.array([1, 2], np.float32))
    same(pellucid.tensor([1.9, -1.9], dtype=pellucid.int64), np.array([1, -1]))
    assert pellucid.tensor([1.0], requires_grad=True).requires_grad
    with pytest.raises(DTypeError, match="int64"):
        pellucid.tensor([1], requires_grad=True)


# --------------------------------------------------------------------------- filled with one number


@pytest.mark.parametrize("name", ["zeros", "ones", "empty", "rand", "randn"])
def test_sizes_may_be_numbers_a_tuple_a_list_or_a_shape(name: str) -> None:
    make = getattr(pellucid, name)
    for size in ((2, 3), ((2, 3),), ([2, 3],), (pellucid.ones(2, 3).shape,)):
        assert make(*size).shape == (2, 3)
    assert make(4).shape == (4,)
    assert make(()).shape == ()
    assert make(0, 3).shape == (0, 3)
    assert make(np.int64(2), pellucid.tensor(3)).shape == (2, 3)
    assert make(2).dtype == np.float32
    assert make(2, dtype="float64").dtype == np.float64
    assert make(2, requires_grad=True).requires_grad
    assert make(2, device="cpu").shape == (2,)
    for wrong, words in (
        ((-1,), "no negative sizes"),
        ((2.5,), "whole numbers"),
        (("a",), "whole"),
    ):
        with pytest.raises(ArgumentError, match=words):
            make(*wrong)
    with pytest.raises(ArgumentError, match="no device 'cuda'"):
        make(2, device="cuda")


def test_filled() -> None:
    same(pellucid.zeros(2, dtype="int64"), np.zeros(2, np.int64))
    same(pellucid.ones(2, 1), np.ones((2, 1), np.float32))
    same(pellucid.full((2,), 7), np.array([7, 7]))
    same(pellucid.full((2,), 7.5), np.array([7.5, 7.5], np.float32))
    same(pellucid.full((), True), np.array(True))
    same(pellucid.full((1,), 7, dtype="float64"), np.array([7.0]))
    same(pellucid.eye(2, 3), np.eye(2, 3, dtype=np.float32))
    same(pellucid.eye(2, dtype="int32"), np.eye(2, dtype=np.int32))


def test_like_another() -> None:
    x = pellucid.ones(2, 3, dtype="float64", requires_grad=True)
    same(pellucid.zeros_like(x), np.zeros((2, 3)))
    same(pellucid.ones_like(x, dtype="int64"), np.ones((2, 3), np.int64))
    same(pellucid.full_like(x, 2.5), np.full((2, 3), 2.5))
    assert pellucid.empty_like(x).shape == (2, 3)
    for name in ("rand_like", "randn_like"):
        found = getattr(pellucid, name)(x)
        assert (found.shape, found.dtype, found.requires_grad) == ((2, 3), np.float64, False)
    found = pellucid.randint_like(x, 3, 5)
    assert found.dtype == np.float64
    assert set(found.numpy().ravel()) <= {3.0, 4.0}


# ------------------------------------------------------------------------------------------ counted

RANGES: list[tuple[tuple[Any, ...], list[float], str]] = [
    ((4,), [0, 1, 2, 3], "int64"),
    ((2, 10, 3), [2, 5, 8], "int64"),
    ((3, 0, -1), [3, 2, 1], "int64"),
    ((0,), [], "int64"),
    ((1.0, 2.0, 0.25), [1.0, 1.25, 1.5, 1.75], "float32"),
    ((0, 1, 0.3), [0, 0.3, 0.6, 0.9], "float32"),
    ((2.5,), [0.0, 1.0, 2.0], "float32"),
    ((1, 0, -0.5), [1.0, 0.5], "float32"),
]


@pytest.mark.parametrize(("arguments", "expected", "kind"), RANGES)
def test_arange(arguments: tuple[Any, ...], expected: list[float], kind: str) -> None:
    found = pellucid.arange(*arguments)
    assert found.dtype == kind
    np.testing.assert_allclose(found.numpy(), np.array(expected, kind))


def test_arange_takes_tensors_and_a_type_and_refuses_to_run_away() -> None:
    same(pellucid.arange(pellucid.tensor(3)), np.arange(3))
    same(pellucid.arange(3, dtype="float64"), np.arange(3.0))
    for arguments in ((0, 5, 0), (0, 5, -1), (5, 0)):
        with pytest.raises(ArgumentError, match="never gets from"):
            pellucid.arange(*arguments)


def test_linspace_and_logspace() -> None:
    np.testing.assert_allclose(pellucid.linspace(0, 1, 5).numpy(), [0, 0.25, 0.5, 0.75, 1])
    same(pellucid.linspace(3, 3, 1), np.array([3], np.float32))
    assert pellucid.linspace(0, 1, 0).shape == (0,)
    np.testing.assert_allclose(pellucid.logspace(0, 3, 4).numpy(), [1, 10, 100, 1000], rtol=1e-6)
    np.testing.assert_allclose(pellucid.logspace(0, 3, 4, base=2).numpy(), [1, 2, 4, 8])
    with pytest.raises(ArgumentError, match="steps counts something: not -1"):
        pellucid.linspace(0, 1, -1)


def test_grids_and_triangles() -> None:
    a, b = pellucid.arange(2), pellucid.arange(3)
    for indexing in ("ij", "xy"):
        found = pellucid.meshgrid(a, b, indexing=indexing)
        for part, expected in zip(
            found, np.meshgrid(np.arange(2), np.arange(3), indexing=indexing), strict=True
        ):
            same(part, expected)
    assert pellucid.meshgrid([a, b])[0].shape == (2, 3)
    with pytest.raises(ArgumentError, match="'ij' or 'xy', not 'yx'"):
        pellucid.meshgrid(a, b, indexing="yx")
    same(pellucid.tril_indices(3, 4), np.stack(np.tril_indices(3, 0, 4)))
    same(pellucid.triu_indices(3, 3, 1), np.stack(np.triu_indices(3, 1, 3)))


# ---------------------------------------------------------------------------------- drawn by chance


def test_one_seed_repeats_everything() -> None:
    def draw() -> list[Any]:
        made = [
            pellucid.rand(3), pellucid.randn(3), pellucid.randint(10, (3,)), pellucid.randperm(5),
            pellucid.bernoulli(pellucid.full((8,), 0.5)), pellucid.normal(1.0, 2.0, (2,)),
            pellucid.multinomial(pellucid.tensor([1.0, 2.0, 3.0]), 2),
            pellucid.dropout(pellucid.ones(16)), pellucid.zeros(3).uniform_(),
        ]  # fmt: skip
        return [x.tolist() for x in made]

    pellucid.manual_seed(5)
    first = draw()
    state = pellucid.get_rng_state()
    second = draw()
    assert second != first
    pellucid.manual_seed(5)
    assert draw() == first
    pellucid.manual_seed(None)
    pellucid.set_rng_state(state)
    assert draw() == second


def test_a_generator_of_ones_own() -> None:
    pellucid.manual_seed(0)
    expected = pellucid.rand(3).tolist()
    pellucid.manual_seed(0)
    a = pellucid.rand(4, generator=np.random.default_rng(1))
    b = pellucid.rand(4, generator=np.random.default_rng(1))
    assert a.tolist() == b.tolist()
    assert pellucid.rand(3).tolist() == expected, "the common one was left alone"


def within(found: float, expected: float, spread: float, n: int) -> None:
    """A mean over n draws lies where it should: five standard errors at most away."""
    assert abs(found - expected) < 5 * spread / math.sqrt(n)


def test_distributions() -> None:
    pellucid.manual_seed(1)
    n = 40_000
    u = pellucid.rand(n).numpy()
    assert u.min() >= 0
    assert u.max() < 1
    within(u.mean(), 0.5, math.sqrt(1 / 12), n)
    g = pellucid.randn(n).numpy()
    within(g.mean(), 0, 1, n)
    within((g**2).mean(), 1, math.sqrt(2), n)
    within((g**4).mean(), 3, math.sqrt(96), n)
    k = pellucid.randint(2, 6, (n,)).numpy()
    assert set(k) == {2, 3, 4, 5}
    for value in range(2, 6):
        within((k == value).mean(), 0.25, math.sqrt(3) / 4, n)
    p = pellucid.bernoulli(pellucid.full((n,), 0.3)).numpy()
    assert set(p) == {0.0, 1.0}
    within(p.mean(), 0.3, math.sqrt(0.21), n)
    z = pellucid.normal(pellucid.tensor([10.0, -10.0]), 2.0, (n, 2)).numpy()
    within(z[:, 0].mean(), 10, 2, n)
    within(z[:, 1].mean(), -10, 2, n)
    within(((z[:, 0] - 10) ** 2).mean(), 4, 4 * math.sqrt(2), n)


def test_randint_is_called_as_in_pytorch() -> None:
    assert pellucid.randint(5, (2, 3)).shape == (2, 3)
    assert pellucid.randint(2, 5, (4,)).dtype == np.int64
    assert pellucid.randint(2, 3, (4,)).tolist() == [2, 2, 2, 2]
    assert pellucid.randint(high=3, low=0, size=(1,)).shape == (1,)
    with pytest.raises(ArgumentError, match="from 5 up to but without 5"):
        pellucid.randint(5, 5, (1,))


def test_randperm() -> None:
    pellucid.manual_seed(2)
    found = pellucid.randperm(100)
    assert sorted(found.tolist()) == list(range(100))
    assert found.tolist() != list(range(100))
    assert pellucid.randperm(0).shape == (0,)
    with pytest.raises(ArgumentError, match="n counts something"):
        pellucid.randperm(-1)


def test_multinomial() -> None:
    pellucid.manual_seed(3)
    weights = pellucid.tensor([0.0, 1.0, 3.0])
    found = pellucid.multinomial(weights, 40_000, replacement=True).numpy()
    within((found == 2).mean(), 0.75, math.sqrt(3) / 4, 40_000)
    assert 0 not in found
    rows = pellucid.multinomial(pellucid.ones(500, 4), 4)
    assert (np.sort(rows.numpy(), 1) == np.arange(4)).all()
    within((rows.numpy()[:, 0] == 0).mean(), 0.25, math.sqrt(3) / 4, 500)
    first = [pellucid.multinomial(weights, 2).tolist()[0] for _ in range(4_000)]
    within(np.mean(np.array(first) == 2), 0.75, math.sqrt(3) / 4, 4_000)
    with pytest.raises(ArgumentError, match="cannot draw 3 different positions"):
        pellucid.multinomial(weights, 3)
    with pytest.raises(ArgumentError, match="not negative and not all zero"):
        pellucid.multinomial(pellucid.tensor([-1.0, 1.0]), 1)
    with pytest.raises(ShapeError, match=r"not \(1, 1, 1\)"):
        pellucid.multinomial(pellucid.ones(1, 1, 1), 1)


def test_chances_are_checked() -> None:
    with pytest.raises(ArgumentError, match="numbers from 0 to 1"):
        pellucid.bernoulli(pellucid.tensor([1.5]))
    with pytest.raises(DTypeError, match="not int64"):
        pellucid.bernoulli(pellucid.tensor([1]))
    with pytest.raises(ArgumentError, match="not negative"):
        pellucid.normal(0.0, -1.0, (2,))
    with pytest.raises(DTypeError, match="float32 or float64, not int64"):
        pellucid.rand(2, dtype="int64")


def test_random_gradients_can_be_asked_for() -> None:
    for x in (pellucid.rand(2, requires_grad=True), pellucid.randn(2, requires_grad=True)):
        (x * x).sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), 2 * x.numpy())
