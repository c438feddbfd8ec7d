"""Rows meeting columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid
from pellucid import Tensor
from pellucid.errors import ShapeError
from pellucid.ops.linear_algebra import letters

R = np.random.default_rng(0)


def made(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape)


# ----------------------------------------------------------------------------------------- matmul

PAIRS = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)),
    ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)),
    ((1, 2, 3), (5, 3, 2)), ((2, 1), (1, 3)), ((0, 3), (3, 2)), ((2, 0), (0, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_matmul_is_numpys_with_slopes(a: Any, b: Any, slopes_agree: Any) -> None:
    assert np.allclose(Tensor(made(*a)) @ Tensor(made(*b)), made(*a) @ made(*b))
    slopes_agree(pellucid.matmul, made(*a), made(*b))


def test_matmul_that_does_not_fit_names_the_rule() -> None:
    with pytest.raises(ShapeError) as caught:
        pellucid.matmul(Tensor(made(32, 784)), Tensor(made(100, 10)))
    assert caught.value.message == (
        "matmul cannot combine a (32, 784) and b (100, 10):  "
        "rule (..., n, k), (..., k, m) -> (..., n, m), but 784 is not 100"
    )
    with pytest.raises(ShapeError, match=r"rule \(k\), \(k\) -> \(\), but 3 is not 4"):
        Tensor(made(3)) @ Tensor(made(4))


@given(st.data())
def test_matmul_broadcasts(data: st.DataObject) -> None:
    lead = data.draw(st.lists(st.integers(1, 3), max_size=2))
    ones = [data.draw(st.sampled_from([n, 1])) for n in lead]
    n, k, m = (data.draw(st.integers(0, 3)) for _ in range(3))
    a, b = made(*lead, n, k), made(*ones, k, m)
    x, y = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
    z = x @ y
    assert np.allclose(z, a @ b)
    z.sum().backward()
    ones_z = np.ones(z.shape)
    assert np.allclose(x.grad, ones_z @ np.swapaxes(b, -1, -2))
    over = tuple(i for i, (p, q) in enumerate(zip(lead, ones, strict=True)) if p != q)
    assert np.allclose(y.grad, (np.swapaxes(a, -1, -2) @ ones_z).sum(over, keepdims=True))


def test_operators_and_numpys_names() -> None:
    a, b = made(2, 3), made(3, 2)
    t = Tensor(a)
    for product in (
        t @ b,
        a @ Tensor(b),
        np.matmul(t, b),
        np.dot(t, b),
        t.matmul(b),
        t.mm(b),
        np.dot(a, Tensor(b)),
    ):
        assert isinstance(product, Tensor)
        assert np.allclose(product, a @ b)


# ----------------------------------------------------------------------------------------- linear


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3), (1, 3), (0, 3), (2, 0, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(shape: Any, bias: bool, slopes_agree: Any) -> None:
    x, w, b = made(*shape), made(2, 3), made(2)
    inputs = (x, w, b) if bias else (x, w)
    assert np.allclose(pellucid.linear(*inputs), x @ w.T + (b if bias else 0))
    slopes_agree(pellucid.linear, *inputs)


def test_linear_that_does_not_fit() -> None:
    with pytest.raises(
        ShapeError, match=r"linear cannot combine x \(2, 5\) and weight \(4, 3\).*5 is not 3"
    ):
        pellucid.linear(Tensor(made(2, 5)), Tensor(made(4, 3)))
    with pytest.raises(ShapeError, match=r"bias \(5\,\)"):
        pellucid.linear(Tensor(made(2, 3)), Tensor(made(4, 3)), Tensor(made(5)))


def test_bilinear(slopes_agree: Any) -> None:
    a, b, w, bias = made(4, 2), made(4, 3), made(5, 2, 3), made(5)
    expected = np.einsum("ni,oij,nj->no", a, w, b) + bias
    assert np.allclose(pellucid.bilinear(a, b, w, bias), expected)
    slopes_agree(pellucid.bilinear, a, b, w, bias)


# --------------------------------------------------------------------------------- by their names


def test_products_by_kind() -> None:
    m, n, v, s = Tensor(made(2, 3)), Tensor(made(3, 2)), Tensor(made(3)), Tensor(made(4, 2, 3))
    assert np.allclose(m.mv(v), made(2, 3) @ made(3))
    assert np.allclose(v.dot(v), made(3) @ made(3))
    assert np.allclose(v.outer(m[0]), np.outer(made(3), made(2, 3)[0]))
    assert np.allclose(s.bmm(s.mT), made(4, 2, 3) @ made(4, 2, 3).swapaxes(1, 2))
    assert np.allclose(s.inner(v), np.inner(made(4, 2, 3), made(3)))
    assert np.allclose(m.inner(2.0), made(2, 3) * 2)
    assert np.allclose(
        pellucid.addmm(v[:2], m, n, beta=2, alpha=3), 2 * made(3)[:2] + 3 * made(2, 3) @ made(3, 2)
    )
    assert np.allclose((m @ n).trace(), np.trace(made(2, 3) @ made(3, 2)))
    for call, words in (
        (lambda: m.mm(v), r"mm needs a matrix and a matrix, not \(2, 3\) and \(3,\)"),
        (lambda: m.dot(v), "dot needs a vector and a vector"),
        (lambda: m.bmm(n), "a stack of matrices and a stack of matrices"),
        (lambda: s.bmm(s.mT[:2]), r"stacks of equal height, not \(4, 2, 3\) and \(2, 3, 2\)"),
        (
            lambda: Tensor(made(2, 2, 2)).trace(),
            "trace is for a matrix",
        ),
    ):
        with pytest.raises(ShapeError, match=words):
            call()


@pytest.mark.parametrize("dims", [0, 1, 2, ([0], [1]), ([1, 2], [1, 0]), ([-1], [0])])
def test_tensordot(dims: Any, slopes_agree: Any) -> None:
    a, b = made(2, 3, 3), made(3, 3, 2)
    if dims == ([0], [1]):
        b = made(4, 2)
    assert np.allclose(pellucid.tensordot(a, b, dims), np.tensordot(a, b, dims))
    slopes_agree(lambda x, y: pellucid.tensordot(x, y, dims), a, b)


# ----------------------------------------------------------------------------------------- einsum

EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ij->ji", (2, 3)), ("ji", (2, 3)), ("ij->", (2, 3)),
    ("ii", (3, 3)), ("ii->i", (3, 3)), ("iij->j", (2, 2, 3)), ("i,i", (3,), (3,)), ("i,j->ij", (2,), (3,)),
    ("bij,bjk->bik", (2, 3, 2), (2, 2, 4)), ("...ij,...jk->...ik", (2, 1, 3, 2), (5, 2, 4)), ("...i->...", (2, 3)),
    ("i...,i...->...", (3, 2), (3, 2)), ("...ij->...ji", (2, 3, 4)), ("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)),
    ("ij,ik,il->i", (2, 3), (2, 2), (2, 4)), ("ij,j,i->", (2, 3), (3,), (2,)), ("i,i,i->i", (2,), (2,), (2,)),
    ("ij,kj->ik", (2, 1), (4, 3)), ("bi,i->b", (2, 3), (1,)), ("ijk,jj->i", (2, 3, 4), (3, 3)),
    (",ij->ji", (), (2, 3)),
    (" a b , b -> a ", (2, 3), (3,)), ("ij,kl->", (2, 3), (1, 2)), ("...,...", (2, 3), (3,)),
    ("aB,Bc", (2, 3), (3, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("equation", "shapes"), [(e, s) for e, *s in EQUATIONS], ids=str)
def test_einsum_is_numpys_with_slopes(equation: str, shapes: Any, slopes_agree: Any) -> None:
    arrays = [made(*s) for s in shapes]
    assert np.allclose(pellucid.einsum(equation, *arrays), np.einsum(equation, *arrays))
    slopes_agree(lambda *xs: pellucid.einsum(equation, *xs), *arrays)


def test_einsum_takes_a_list_too() -> None:
    a, b = made(2, 3), made(3, 4)
    assert np.allclose(pellucid.einsum("ij,jk", [a, b]), a @ b)
    assert np.allclose(np.einsum("ij,jk", Tensor(a), b), a @ b)


@pytest.mark.parametrize(
    ("equation", "words"),
    [
        ("ij,jk,kl", "names 3 operands, but 2 were given"),
        ("ijk,jk", r"'ijk' does not name the axes of \(2, 3\)"),
        ("i,jk", r"'i' does not name the axes of \(2, 3\)"),
        ("ij,jk->iz", "each letter of the result comes from an operand"),
        ("ij,jk->ii", "each letter of the result comes from an operand, once"),
        ("ij,ki", "the axis 'i' has size 2 and size 4"),
        ("i1,jk", "does not name the axes"),
    ],
)
def test_what_einsum_refuses(equation: str, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        pellucid.einsum(equation, made(2, 3), made(3, 4))


def test_letters_follow_pytorch_in_what_they_leave_out() -> None:
    assert letters("...i,ij", [(5, 3), (3, 4)]) == (["Ai", "ij"], "Aj")
    assert letters("ba", [(2, 3)]) == (["ba"], "ab")
    assert letters("...,...b", [(2, 3), (3, 4)])[1] == "ABb"


# --------------------------------------------------------------------------- directions, distances


def test_cosine_similarity(slopes_agree: Any) -> None:
    a, b = made(4, 3), made(4, 3) + 1
    expected = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert np.allclose(pellucid.cosine_similarity(a, b), expected)
    assert np.allclose(pellucid.cosine_similarity(a, b, dim=0).shape, (3,))
    assert np.allclose(pellucid.cosine_similarity(a[:, None], b[None], dim=-1).shape, (4, 4))
    slopes_agree(pellucid.cosine_similarity, a, b)


def test_a_vector_without_length_points_nowhere() -> None:
    x = pellucid.zeros(1, 3, requires_grad=True)
    y = pellucid.cosine_similarity(x, pellucid.ones(1, 3))
    y.backward()
    assert y.item() == 0.0
    assert np.isfinite(x.grad.numpy()).all()


def test_cdist(slopes_agree: Any) -> None:
    a, b = made(2, 4, 3), made(5, 3)
    assert np.allclose(pellucid.cdist(a, b), np.linalg.norm(a[:, :, None] - b[None, None], axis=-1))
    slopes_agree(pellucid.cdist, a, b)
    x = pellucid.tensor(made(2, 3), requires_grad=True)
    pellucid.cdist(x, x).sum().backward()  # zero distances have slope zero
    assert np.isfinite(x.grad.numpy()).all()
