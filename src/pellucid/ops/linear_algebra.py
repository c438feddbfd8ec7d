"""Rows meeting columns: products of vectors and matrices.

`np.dot` rather than `@` wherever both sides are matrices: with an inner size of 1 (an outer
product, which is what a weight's gradient is when one example is learned at a time) `@` is six
times slower.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError
from .arithmetic import add, mul
from .base import Array, Example, op, raw, sum_to, within
from .edges import diagonal
from .index import place
from .reduce import sum as total
from .shape import axes_of, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor


@op(
    "(..., n, k), (..., k, m) -> (..., n, m) | (k), (k) -> () | (k), (..., k, m) -> (..., m)"
    " | (..., n, k), (k) -> (..., n)"
)
def matmul(a: Array, b: Array) -> Array:
    """Each row of `a` meets each column of `b`: products of their elements, summed."""
    return np.dot(a, b) if a.ndim == b.ndim == 2 else np.matmul(a, b)


@matmul.slope("a")
def _(d: Array, a: Array, b: Array) -> Array:
    if b.ndim == 1:  # one column: every row of a was multiplied by it
        return d[..., None] * b
    if a.ndim == 1:
        return (d[..., None, :] @ b.mT)[..., 0, :]
    return np.dot(d, b.T) if a.ndim == b.ndim == 2 else d @ b.mT


@matmul.slope("b")
def _(d: Array, a: Array, b: Array) -> Array:
    if a.ndim == 1:  # one row: it was multiplied into every column of b
        return d[..., None, :] * a[:, None] if b.ndim > 1 else d * a
    if b.ndim == 1:
        return (a.mT @ d[..., None])[..., 0]
    return np.dot(a.T, d) if a.ndim == b.ndim == 2 else a.mT @ d


@op("(..., i), (o, i), (o)? -> (..., o)")
def linear(x: Array, weight: Array, bias: Array = None) -> Array:
    """Every output is a weighted sum of all inputs, plus its bias."""
    y = x.dot(weight.T) if x.ndim <= 2 else rows(x).dot(weight.T)
    if bias is not None:
        only = y[0] if y.ndim == 2 and len(y) == 1 else y
        only += bias  # a single row is added to without broadcasting: in half the time
    return y if x.ndim <= 2 else y.reshape(*x.shape[:-1], weight.shape[0])


@linear.slope("x")
def _(d: Array, x_shape: tuple[int, ...], weight: Array) -> Array:
    if len(x_shape) <= 2:
        return np.dot(d, weight)
    return np.reshape(np.dot(rows(d), weight), x_shape)


@linear.slope("weight")
def _(d: Array, x: Array) -> Array:
    return np.dot(d.T, x) if x.ndim == 2 else np.dot(rows(d).T, rows(x))


@linear.slope("bias")
def _(d: Array) -> Array:
    each = rows(d)
    return each[0] if len(each) == 1 else np.dot(ones(len(each), d.dtype), each)


@lru_cache(maxsize=64)
def ones(n: int, dtype: Any) -> Array:
    """A row of ones: a sum over rows as a product with it takes a third of the time."""
    row = np.ones(n, dtype)
    row.setflags(write=False)
    return row


def rows(x: Array) -> Array:
    """All axes but the last laid out as one."""
    return x if x.ndim == 2 else np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


@op("(...) -> ?", order="equation")
def einsum(*operands: Array, equation: str) -> Array:
    """Products of elements with the same letters, summed over letters the result does not name.

    `"ij,jk->ik"` is the product of two matrices, `"ii->i"` a diagonal, `"...i->..."` a sum along
    the last axis. (Einstein, 1916, left the sum signs out of such formulas.)
    """
    inputs, output = letters(equation, [np.shape(x) for x in operands])
    return np.einsum(f"{','.join(inputs)}->{output}", *operands, optimize=len(operands) > 1)


@einsum.all_slopes
def _(d: Array, operands: Sequence[Array], equation: str, needs: tuple[bool, ...]) -> Any:
    inputs, output = letters(equation, [x.shape for x in operands])
    return tuple(
        _slope_of_operand(i, d, operands, inputs, output) if needed else None
        for i, needed in enumerate(needs)
    )


@einsum.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    a, b, c = r.normal(size=(2, 3)), r.normal(size=(3, 4)), r.normal(size=(3, 3))
    yield (a, b), {"equation": "ij,jk->ik"}
    yield (a, b, c), {"equation": "ij,jk,jj->k"}
    yield (c,), {"equation": "ii"}
    yield (r.normal(size=(2, 2, 3)), b), {"equation": "...j,jk->...k"}


def _slope_of_operand(
    i: int, d: Array, operands: Sequence[Array], inputs: Sequence[str], output: str
) -> Array:
    """The gradient of one operand: the result's gradient takes its place in the same sum."""
    mine, shape = inputs[i], operands[i].shape
    others = [j for j in range(len(operands)) if j != i]
    terms = [output, *(inputs[j] for j in others)]
    once = "".join(dict.fromkeys(mine))
    found = "".join(letter for letter in once if any(letter in term for term in terms))
    equation = f"{','.join(terms)}->{found}"
    g = within(einsum, d, *(operands[j] for j in others), equation=equation)
    # a letter that only this operand has was summed away: its elements all get the same
    g = np.reshape(g, tuple(g.shape[found.index(n)] if n in found else 1 for n in once))
    sizes = tuple(shape[mine.index(n)] for n in once)
    g = np.broadcast_to(
        sum_to(g, tuple(min(n, m) for n, m in zip(sizes, g.shape, strict=True))), sizes
    )
    if once == mine:
        return g
    at = np.ix_(*(range(n) for n in sizes))  # a letter that stands twice reads a diagonal
    return within(place, g, index=tuple(at[once.index(n)] for n in mine), shape=shape)


def letters(equation: str, shapes: Sequence[tuple[int, ...]]) -> tuple[list[str], str]:
    """An equation with one letter per axis: `...` spelt out, the result named.

    >>> letters("...i,ij", [(5, 3), (3, 4)])
    (['Ai', 'ij'], 'Aj')

    Raises:
        ShapeError: the equation does not fit the operands.
    """
    left, arrow, output = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise ShapeError(
            f"einsum {equation!r} names {len(terms)} operands, but {len(shapes)} were given"
        )
    free = [n for n in string.ascii_uppercase + string.ascii_lowercase if n not in equation]
    most = max(
        len(shape) - len(term.replace("...", "")) for term, shape in zip(terms, shapes, strict=True)
    )
    dots = "".join(free[: max(most, 0)])
    spelt = []
    for term, shape in zip(terms, shapes, strict=True):
        named = term.replace("...", "")
        more = len(shape) - len(named)
        if more < 0 or (more and "..." not in term) or not (named.isalpha() or not named):
            raise ShapeError(f"einsum {equation!r}: {term!r} does not name the axes of {shape}")
        spelt.append(term.replace("...", dots[len(dots) - more :]))
    if not arrow:
        every = "".join(spelt)
        output = "..." + "".join(sorted(n for n in set(every) - set(dots) if every.count(n) == 1))
    output = output.replace("...", dots)
    if len(set(output)) < len(output) or not set(output) <= set("".join(spelt)):
        raise ShapeError(
            f"einsum {equation!r}: each letter of the result comes from an operand, once"
        )
    _check_sizes(equation, spelt, shapes)
    return spelt, output


def _check_sizes(equation: str, terms: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> None:
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            before = sizes.get(letter, 1)
            if n not in (1, before) and before != 1:
                raise ShapeError(
                    f"einsum {equation!r}: the axis {letter!r} has size {before} and size {n}"
                )
            sizes[letter] = max(n, before) if n else 0


@op("(...), (...) -> ?")
def cosine_similarity(a: Array, b: Array, *, dim: int = 1, eps: float = 1e-8) -> Array:
    """How far two vectors point the same way: 1 same, 0 at right angles, -1 opposite."""
    return np.sum(a * b, axis=dim) / (length(a, dim, eps) * length(b, dim, eps)).squeeze(dim)


@cosine_similarity.slope("a")
def _(d: Array, y: Array, a: Array, b: Array, dim: int, eps: float) -> Array:
    return _turn(d, y, a, b, dim, eps)


@cosine_similarity.slope("b")
def _(d: Array, y: Array, a: Array, b: Array, dim: int, eps: float) -> Array:
    return _turn(d, y, b, a, dim, eps)


@cosine_similarity.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3)), r.normal(size=(2, 3))), {}
    yield (r.normal(size=(4, 1, 3)), r.normal(size=(2, 3))), {"dim": -1}


def length(x: Array, dim: int, eps: float) -> Array:
    """How long the vectors along an axis are, at least `eps`; the axis stays, with size 1."""
    square = np.sum(x * x, axis=dim, keepdims=True)
    return np.sqrt(np.where(square > eps * eps, square, eps * eps))


def _turn(d: Array, y: Array, a: Array, b: Array, dim: int, eps: float) -> Array:
    """Towards `b`, but not further along `a`: only the direction of `a` counts, not its length."""
    d, y = np.expand_dims(d, dim), np.expand_dims(y, dim)
    of_a, of_b = length(a, dim, eps), length(b, dim, eps)
    along = np.where(of_a > eps, y / of_a, 0.0)
    return d / of_a * (b / of_b - along * a)


@op("(..., n, k), (..., m, k) -> (..., n, m)")
def cdist(a: Array, b: Array) -> Array:
    """The distance of each row of `a` from each row of `b`."""
    apart = np.expand_dims(a, -2) - np.expand_dims(b, -3)
    return np.sqrt(np.sum(apart * apart, axis=-1))


@cdist.slope("a")
def _(d: Array, y: Array, a: Array, b: Array) -> Array:
    pull = np.where(y > 0, d / np.where(y > 0, y, 1.0), 0.0)
    return np.expand_dims(np.sum(pull, axis=-1), -1) * a - np.matmul(pull, b)


@cdist.slope("b")
def _(d: Array, y: Array, a: Array, b: Array) -> Array:
    pull = np.where(y > 0, d / np.where(y > 0, y, 1.0), 0.0)
    return np.expand_dims(np.sum(pull, axis=-2), -1) * b - np.matmul(np.swapaxes(pull, -1, -2), a)


# --------------------------------------------------------------------- made of the operations above


def mm(input: Any, mat2: Any) -> Tensor:
    """The product of two matrices: `matmul` for matrices only."""
    _with_axes("mm", input, 2, mat2, 2)
    return matmul(input, mat2)


def mv(input: Any, vec: Any) -> Tensor:
    """A matrix times a vector."""
    _with_axes("mv", input, 2, vec, 1)
    return matmul(input, vec)


def bmm(input: Any, mat2: Any) -> Tensor:
    """The products of two stacks of matrices, pair by pair: (b, n, k), (b, k, m) -> (b, n, m)."""
    _with_axes("bmm", input, 3, mat2, 3)
    ours, theirs = np.shape(raw(input)), np.shape(raw(mat2))
    if ours[0] != theirs[0]:
        raise ShapeError(
            f"bmm needs stacks of equal height, not {ours} and {theirs}; matmul broadcasts them"
        )
    return matmul(input, mat2)


def dot(input: Any, tensor: Any) -> Tensor:
    """The weighted sum of two vectors: their elements multiplied in pairs and added up."""
    _with_axes("dot", input, 1, tensor, 1)
    return matmul(input, tensor)


def outer(input: Any, vec2: Any) -> Tensor:
    """Each element of one vector times each of the other: (n), (m) -> (n, m)."""
    _with_axes("outer", input, 1, vec2, 1)
    return mul(unsqueeze(input, dim=1), vec2)


def inner(input: Any, other: Any) -> Tensor:
    """Sums of products along the last axis of both."""
    if not np.ndim(raw(input)) or not np.ndim(raw(other)):
        return mul(input, other)
    return tensordot(input, other, ([-1], [-1]))


def tensordot(a: Any, b: Any, dims: Any = 2) -> Tensor:
    """Sums of products along pairs of axes.

    Args:
        a, b: the tensors.
        dims: how many of the last axes of `a` meet the first of `b`; or two lists of axes.
    """
    n, m = np.ndim(raw(a)), np.ndim(raw(b))
    if isinstance(dims, (int, np.integer)):
        dims = list(range(n - int(dims), n)), list(range(int(dims)))
    mine, theirs = axes_of(dims[0], n, "tensordot"), axes_of(dims[1], m, "tensordot")
    if len(mine) != len(theirs):
        raise ShapeError(f"tensordot pairs axes, but was given {len(mine)} and {len(theirs)}")
    names = string.ascii_letters
    left, right = list(names[:n]), list(names[n : n + m])
    for i, j in zip(mine, theirs, strict=True):
        right[j] = left[i]
    kept = [name for name in left + right if (left + right).count(name) == 1]
    return einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", a, b)


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """`beta * input + alpha * (mat1 @ mat2)`."""
    return add(input if beta == 1 else mul(input, beta), mm(mat1, mat2), alpha=alpha)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Tensor:
    """Every output weighs all pairs of elements: (..., i), (..., j), (o, i, j) -> (..., o)."""
    y = einsum("...i,oij,...j->...o", input1, weight, input2)
    return y if bias is None else add(y, bias)


def trace(input: Any) -> Tensor:
    """The sum of a matrix's diagonal."""
    if np.ndim(raw(input)) != 2:
        raise ShapeError(f"trace is for a matrix, not for {np.shape(raw(input))}")
    return total(diagonal(input))


def _with_axes(op: str, a: Any, n: int, b: Any, m: int) -> None:
    ours, theirs = np.shape(raw(a)), np.shape(raw(b))
    if (len(ours), len(theirs)) != (n, m):
        kinds = {1: "a vector", 2: "a matrix", 3: "a stack of matrices"}
        raise ShapeError(
            f"{op} needs {kinds[n]} and {kinds[m]}, not {ours} and {theirs}; "
            "matmul takes all of them"
        )
