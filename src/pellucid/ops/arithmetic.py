# ruff: noqa: A001 - the operations carry the names people know, some of them Python's own
"""Adding, multiplying, powers and roots, exponentials and logarithms.

Element by element throughout; inputs broadcast as in NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError
from .base import Array, Example, op

LN_2 = 0.6931471805599453  # the logarithm of 2
LN_10 = 2.302585092994046  # the logarithm of 10


def no_fractions(x: Any) -> bool:
    """Whether these are integers or booleans: an array's, or Python's own."""
    return isinstance(x, int) or getattr(getattr(x, "dtype", None), "kind", "f") in "iub"


def no_zeros(b: Array, name: str) -> None:
    """Refuse to divide integers by 0: they have no infinity to answer with.

    Raises:
        ArgumentError: there is a 0.
    """
    if not np.all(b):
        raise ArgumentError(
            f"{name} would divide integers by 0, and integers have no infinity.\n"
            "Make them float first: x.float()"
        )


# ----------------------------------------------------------------------------------------- the four


@op
def add(a: Array, b: Array, *, alpha: float = 1) -> Array:
    """The sum of `a` and `alpha` times `b`."""
    return a + b if alpha == 1 else a + alpha * b


@add.slope("a")
def _(d: Array) -> Array:
    return d


@add.slope("b")
def _(d: Array, alpha: float) -> Array:
    return d if alpha == 1 else d * alpha


@add.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3)), r.normal(size=3)), {}
    yield (r.normal(size=(2, 3)), r.normal(size=(2, 1))), {"alpha": -0.5}


@op
def sub(a: Array, b: Array, *, alpha: float = 1) -> Array:
    """What is left of `a` when `alpha` times `b` is taken away."""
    return np.subtract(a, b) if alpha == 1 else a - alpha * b


@sub.slope("a")
def _(d: Array) -> Array:
    return d


@sub.slope("b")
def _(d: Array, alpha: float) -> Array:
    return -d if alpha == 1 else d * -alpha


@sub.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3)), r.normal(size=3)), {}
    yield (r.normal(size=(2, 3)), r.normal(size=(2, 1))), {"alpha": -0.5}


@op
def mul(a: Array, b: Array) -> Array:
    """`a` times `b`: how much one changes the result is the size of the other."""
    return a * b


@mul.slope("a")
def _(d: Array, b: Array) -> Array:
    return d * b


@mul.slope("b")
def _(d: Array, a: Array) -> Array:
    return d * a


@op
def div(a: Array, b: Array, *, rounding_mode: str | None = None) -> Array:
    """`a` divided by `b`; with `rounding_mode` "trunc" or "floor" rounded towards 0 or down."""
    if rounding_mode is None:
        return np.true_divide(a, b)
    if rounding_mode not in ("trunc", "floor"):
        raise ArgumentError(f'div rounds by "trunc" or "floor", or None: not by {rounding_mode!r}')
    whole = no_fractions(a) and no_fractions(b)
    if whole:
        no_zeros(b, "div")
    down = np.floor_divide(a, b)
    if rounding_mode == "floor":
        return down
    if whole:  # rounding down went one too far where the result is negative and not exact
        return down + ((down < 0) & (down * b != a))
    return np.trunc(np.true_divide(a, b))


@div.slope("a")
def _(d: Array, b: Array, rounding_mode: str | None) -> Array:
    return d / b if rounding_mode is None else np.zeros_like(d)


@div.slope("b")
def _(d: Array, y: Array, b: Array, rounding_mode: str | None) -> Array:
    return -d * y / b if rounding_mode is None else np.zeros_like(d)


@div.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    a, b = r.normal(size=(2, 3)), r.uniform(0.5, 2, size=3)
    yield (a, b), {}
    yield (a, -b), {}
    yield (a, b), {"rounding_mode": "trunc"}
    yield (a, b), {"rounding_mode": "floor"}


@op
def neg(x: Array) -> Array:
    """The opposite of `x`."""
    return -x


@neg.slope("x")
def _(d: Array) -> Array:
    return -d


def positive(input: Any) -> Any:
    """`input` as it is: what a plus sign in front does."""
    return input


@op(domain=(0.3, 2.0))
def reciprocal(x: Array) -> Array:
    """1 divided by `x`."""
    return np.true_divide(1, x)


@reciprocal.slope("x")
def _(d: Array, y: Array) -> Array:
    return -d * y * y


@op
def addcmul(x: Array, tensor1: Array, tensor2: Array, *, value: float = 1) -> Array:
    """`x` plus `value` times `tensor1` times `tensor2`."""
    return x + value * tensor1 * tensor2


@addcmul.slope("x")
def _(d: Array) -> Array:
    return d


@addcmul.slope("tensor1")
def _(d: Array, tensor2: Array, value: float) -> Array:
    return d * (value * tensor2)


@addcmul.slope("tensor2")
def _(d: Array, tensor1: Array, value: float) -> Array:
    return d * (value * tensor1)


@op(domain=(0.3, 2.0))
def addcdiv(x: Array, tensor1: Array, tensor2: Array, *, value: float = 1) -> Array:
    """`x` plus `value` times `tensor1` divided by `tensor2`."""
    return x + value * np.true_divide(tensor1, tensor2)


@addcdiv.slope("x")
def _(d: Array) -> Array:
    return d


@addcdiv.slope("tensor1")
def _(d: Array, tensor2: Array, value: float) -> Array:
    return d * value / tensor2


@addcdiv.slope("tensor2")
def _(d: Array, tensor1: Array, tensor2: Array, value: float) -> Array:
    return d * (-value * tensor1 / (tensor2 * tensor2))


@op
def lerp(start: Array, end: Array, weight: Array) -> Array:
    """On the straight line from `start` to `end`, the point a share `weight` of the way along."""
    return start + weight * (end - start)


@lerp.slope("start")
def _(d: Array, weight: Array) -> Array:
    return d * (1 - weight)


@lerp.slope("end")
def _(d: Array, weight: Array) -> Array:
    return d * weight


@lerp.slope("weight")
def _(d: Array, start: Array, end: Array) -> Array:
    return d * (end - start)


# --------------------------------------------------------------------------------- powers and roots


@op(domain=(0.2, 3.0))
def pow(base: Array, exponent: Array) -> Array:
    """`base` to the power of `exponent`."""
    if exponent.__class__ is int:
        if exponent == 3:
            return base * base * base
        if exponent < 0 and no_fractions(base):
            raise DTypeError(
                f"pow cannot raise integers to the power {exponent}: the results have fractions.\n"
                "Make them float first: x.float()"
            )
    return base**exponent


@pow.slope("base")
def _(d: Array, base: Array, exponent: Array) -> Array:
    if isinstance(exponent, (int, float)):
        return d * (exponent * base ** (exponent - 1)) if exponent else np.zeros_like(d)
    # where the exponent is 0 the result is 1 whatever the base: no slope, not 0 * infinity
    nought = exponent == 0
    return d * np.where(nought, 0.0, exponent * base ** np.where(nought, 1.0, exponent - 1.0))


@pow.slope("exponent")
def _(d: Array, y: Array, base: Array, exponent: Array) -> Array:
    if isinstance(base, (int, float)):
        return d * y * (math.log(base) if base > 0 else math.nan if base < 0 else 0.0)
    # 0 stays 0 whatever the (positive) exponent
    still = np.logical_and(base == 0, exponent >= 0)
    return d * np.where(still, 0.0, y * np.log(np.where(still, 1.0, base)))


@pow.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    base = r.uniform(0.5, 2, size=(2, 3))
    yield (base, r.normal(size=3)), {}
    yield (base, r.normal(size=())), {}
    yield (-base, 3), {}
    yield (-base, -2), {}
    yield (base, 0.5), {}
    yield (2.0, r.normal(size=(2, 3))), {}


@op
def square(x: Array) -> Array:
    """`x` times itself."""
    return x * x


@square.slope("x")
def _(d: Array, x: Array) -> Array:
    return d * (2 * x)


@op(domain=(0.2, 3.0))
def sqrt(x: Array) -> Array:
    """The number whose square is `x`."""
    return np.sqrt(x)


@sqrt.slope("x")
def _(d: Array, y: Array) -> Array:
    return d / (2 * y)


@op(domain=(0.2, 3.0))
def rsqrt(x: Array) -> Array:
    """1 divided by the square root of `x`."""
    return 1 / np.sqrt(x)


@rsqrt.slope("x")
def _(d: Array, y: Array) -> Array:
    return d * (-0.5 * y * y * y)


# ---------------------------------------------------------------------- exponentials and logarithms


@op
def exp(x: Array) -> Array:
    """e = 2.718... to the power of `x`: the function that is its own slope."""
    return np.exp(x)


@exp.slope("x")
def _(d: Array, y: Array) -> Array:
    return d * y


@op
def exp2(x: Array) -> Array:
    """2 to the power of `x`."""
    return np.exp2(x)


@exp2.slope("x")
def _(d: Array, y: Array) -> Array:
    return d * (y * LN_2)


@op
def expm1(x: Array) -> Array:
    """exp(x) - 1, exact where `x` is tiny."""
    return np.expm1(x)


@expm1.slope("x")
def _(d: Array, y: Array) -> Array:
    return d * (y + 1)


@op(domain=(0.2, 3.0))
def log(x: Array) -> Array:
    """The power of e that is `x`."""
    return np.log(x)


@log.slope("x")
def _(d: Array, x: Array) -> Array:
    return d / x


@op(domain=(0.2, 3.0))
def log2(x: Array) -> Array:
    """The power of 2 that is `x`."""
    return np.log2(x)


@log2.slope("x")
def _(d: Array, x: Array) -> Array:
    return d / (x * LN_2)


@op(domain=(0.2, 3.0))
def log10(x: Array) -> Array:
    """The power of 10 that is `x`."""
    return np.log10(x)


@log10.slope("x")
def _(d: Array, x: Array) -> Array:
    return d / (x * LN_10)


@op(domain=(-0.8, 2.0))
def log1p(x: Array) -> Array:
    """log(1 + x), exact where `x` is tiny."""
    return np.log1p(x)


@log1p.slope("x")
def _(d: Array, x: Array) -> Array:
    return d / (1 + x)


@op
def logaddexp(a: Array, b: Array) -> Array:
    """log(exp(a) + exp(b)), without ever holding exp(a): a sum of numbers known by their logs."""
    return np.logaddexp(a, b)


@logaddexp.slope("a")
def _(d: Array, a: Array, b: Array) -> Array:
    return d / (1 + np.exp(b - a))


@logaddexp.slope("b")
def _(d: Array, a: Array, b: Array) -> Array:
    return d / (1 + np.exp(a - b))


@op
def logaddexp2(a: Array, b: Array) -> Array:
    """log2(2^a + 2^b), as `logaddexp` with powers of 2."""
    return np.logaddexp2(a, b)


@logaddexp2.slope("a")
def _(d: Array, a: Array, b: Array) -> Array:
    return d / (1 + np.exp2(b - a))


@logaddexp2.slope("b")
def _(d: Array, a: Array, b: Array) -> Array:
    return d / (1 + np.exp2(a - b))


# -------------------------------------------------------------------------------------- other types


@op(remembers=True)
def cast(x: Array, *, dtype: Any) -> Array:
    """The numbers in another type; towards integers, fractions are cut off."""
    return np.asarray(x).astype(dtype), np.asarray(x).dtype


@cast.slope("x")
def _(d: Array, memory: Any) -> Array:
    return d.astype(memory)


@cast.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(2, 3)),), {"dtype": np.float64}


@op
def clone(x: Array) -> Array:
    """A copy with memory of its own, its elements in order; gradients pass through."""
    return np.array(x, order="C")


@clone.slope("x")
def _(d: Array) -> Array:
    return d


# ------------------------------------------------------------------------- the same, by other names

subtract = sub
multiply = mul
divide = true_divide = div
negative = neg


def rsub(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """What is left of `other` when `alpha` times `input` is taken away: `sub` turned round."""
    return sub(other, input, alpha=alpha)
