"""The error function and its relatives: areas under the bell curve.

NumPy has none of them, so they are computed here from published approximations, on whole arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .base import FLOAT32, Array, Example, op

SLOPE_AT_0 = 1.1283791670955126  # 2 divided by the square root of pi


def polynomial(coefficients: Sequence[float], x: Any) -> Any:
    """c0 x^n + c1 x^(n-1) + ... + cn, by Horner's rule, without temporaries."""
    y = coefficients[0] * x
    for c in coefficients[1:-1]:
        y += c
        y *= x
    y += coefficients[-1]
    return y


def in_pieces(function: Callable[[Any], Any], x: Any) -> Any:
    """`function` of an array, a piece at a time: the many temporaries then stay in the cache.

    Three to five times faster for a million elements. Integers are taken as float64.
    """
    x = np.asarray(x)
    flat = x.reshape(-1) if x.dtype.kind == "f" else x.reshape(-1).astype(np.float64)
    y = np.empty_like(flat)
    for i in range(0, flat.size, 16384):
        y[i : i + 16384] = function(flat[i : i + 16384])
    return y.reshape(x.shape)


# ----------------------------------------------------------------------------------- error function
#
# W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation
# 23 (1969): three quotients of polynomials, exact to the end of float64. Highest power first.

NEAR = 0.46875  # up to here erf itself is approximated, beyond it 1 - erf
NEAR_TOP = (
    1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2,
    3.77485237685302021e2, 3.20937758913846947e3,
)  # fmt: skip
NEAR_BOTTOM = (
    1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3,
)  # fmt: skip
MIDDLE_TOP = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
    2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
    1.23033935479799725e3,
)  # fmt: skip
MIDDLE_BOTTOM = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)  # fmt: skip
FAR = 4.0
FAR_TOP = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
FAR_BOTTOM = (
    1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1,
    6.05183413124413191e-2, 2.33520497626869185e-3,
)  # fmt: skip

# One quotient for all of float32: erf(x) = x P(x^2) / Q(x^2) up to 3.92, where it has reached 1.
# Our own fit (least squares, reweighted until the greatest error is smallest), to 2e-8.
SINGLE_TOP = (
    2.05073192e-06, 0.000284889927, 0.00376454485, 0.0527455477, 0.190377357, 1.12837915,
)  # fmt: skip
SINGLE_BOTTOM = (
    3.80987418e-05, 0.00116233311, 0.0149670545, 0.114097691, 0.502050282, 1.0,
)  # fmt: skip
SINGLE_END = 4.0


def near(x: Any) -> Any:
    """erf(x) for sizes up to NEAR."""
    u = x * x
    return x * polynomial(NEAR_TOP, u) / polynomial(NEAR_BOTTOM, u)


def tail(size: Any) -> Any:
    """1 - erf(size) for sizes from NEAR up, to full relative precision however small it gets."""
    a = np.minimum(size, FAR)
    middle = polynomial(MIDDLE_TOP, a) / polynomial(MIDDLE_BOTTOM, a)
    a = np.minimum(np.maximum(size, FAR), 1e100)
    u = 1 / (a * a)
    far = (SLOPE_AT_0 / 2 - u * polynomial(FAR_TOP, u) / polynomial(FAR_BOTTOM, u)) / a
    # exp(-size^2) in two factors: the square of a number with few digits is exact
    size = np.minimum(size, 30.0)
    short = np.floor(size * 16) / 16
    bell = np.exp(-short * short) * np.exp((short - size) * (short + size))
    return bell * np.where(size <= FAR, middle, far)


def single_erf(x: Any) -> Any:
    """erf(x) in float32, to about 3e-7."""
    x = np.minimum(np.maximum(x, -SINGLE_END), SINGLE_END)
    u = x * x
    y = x * polynomial(SINGLE_TOP, u) / polynomial(SINGLE_BOTTOM, u)
    return np.minimum(np.maximum(y, -1.0), 1.0)


def wide_erf(x: Any) -> Any:
    """erf(x) in float64, to full precision."""
    if x.dtype == FLOAT32:
        return single_erf(x)
    size = np.abs(x)
    inside = near(np.minimum(np.maximum(x, -NEAR), NEAR))
    return np.where(size <= NEAR, inside, np.copysign(1 - tail(np.maximum(size, NEAR)), x))


def wide_erfc(x: Any) -> Any:
    """1 - erf(x) in float64, to full relative precision."""
    x = x.astype(np.float64)
    size = np.abs(x)
    rest = tail(np.maximum(size, NEAR))
    inside = 1 - near(np.minimum(np.maximum(x, -NEAR), NEAR))
    return np.where(size <= NEAR, inside, np.where(x < 0, 2 - rest, rest))


@op
def erf(x: Array) -> Array:
    """The share of the bell curve exp(-t^2) that lies between -x and x."""
    return in_pieces(wide_erf, x)


@erf.slope("x")
def _(d: Array, x: Array) -> Array:
    return d * (SLOPE_AT_0 * np.exp(-x * x))


@op
def erfc(x: Array) -> Array:
    """1 - erf(x), to full precision where it is tiny."""
    return in_pieces(wide_erfc, x)


@erfc.slope("x")
def _(d: Array, x: Array) -> Array:
    return d * (-SLOPE_AT_0 * np.exp(-x * x))


# M. Giles, "Approximating the erfinv function", GPU Computing Gems Jade edition (2011): the start.
CENTRAL = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
    -0.00417768164, 0.246640727, 1.50140941,
)  # fmt: skip
OUTER = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
    0.00943887047, 1.00167406, 2.83297682,
)  # fmt: skip


def erfinv_start(size: Any) -> Any:
    """The number, 0 or more, whose erf is about `size`."""
    w = -np.log(np.maximum((1 - size) * (1 + size), 1e-300))
    inner = size * polynomial(CENTRAL, w - 2.5)
    outer = size * polynomial(OUTER, np.sqrt(w) - 3)
    # far out erfc(y) is about exp(-y^2) / (y sqrt(pi)), which is turned round here
    far = -np.log(np.maximum(1 - size, 1e-300))
    last = np.sqrt(np.maximum(far - 0.5 * np.log(np.pi * np.maximum(far, 1.0)), 0.0))
    return np.where(w < 5, inner, np.where(w < 14, outer, last))


def wide_erfinv(x: Any) -> Any:
    """The inverse of erf in float64."""
    x = x.astype(np.float64)
    size = np.abs(x)
    y = erfinv_start(size)
    for _ in range(2):  # Halley's method: each step triples the digits that are right
        error = np.where(size < 0.5, wide_erf(y) - size, (1 - size) - wide_erfc(y))
        step = error / (SLOPE_AT_0 * np.exp(-y * y))
        y = y - step / (1 + y * step)
    y = np.where(size < 1, y, np.where(size == 1, np.inf, np.nan))
    return np.copysign(y, x)


@op(domain=(-0.9, 0.9))
def erfinv(x: Array) -> Array:
    """The number whose erf is `x`: infinite at -1 and 1, no number beyond."""
    return in_pieces(wide_erfinv, x)


@erfinv.slope("x")
def _(d: Array, y: Array) -> Array:
    return d * (np.exp(y * y) / SLOPE_AT_0)


# ----------------------------------------------------------------------- with logarithms, safe at 0


@op(domain=(0.2, 3.0))
def xlogy(a: Array, b: Array) -> Array:
    """`a` times log(b), and 0 wherever `a` is 0 (an event that never happens costs nothing)."""
    still = (a == 0) & (b == b)  # NaN, which differs from itself, stays NaN
    return np.where(still, 0.0, a * np.log(np.where(still, 1.0, b)))


@xlogy.slope("a")
def _(d: Array, a: Array, b: Array) -> Array:
    still = (a == 0) & (b <= 0)
    return d * np.where(still, 0.0, np.log(np.where(still, 1.0, b)))


@xlogy.slope("b")
def _(d: Array, a: Array, b: Array) -> Array:
    return d * a / b


@op(domain=(0.1, 0.9))
def logit(x: Array, *, eps: float | None = None) -> Array:
    """log(x / (1 - x)): the number whose sigmoid is `x`, first kept in [eps, 1 - eps] if asked."""
    if eps is not None:
        x = np.minimum(np.maximum(x, eps), 1 - eps)
    return np.log(x) - np.log1p(-x)


@logit.slope("x")
def _(d: Array, x: Array, eps: float | None) -> Array:
    inside = (x >= (eps or 0.0)) & (x <= 1 - (eps or 0.0))
    return np.where(inside, d / (x * (1 - x)), np.nan if eps is None else 0.0)


@logit.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.uniform(0.1, 0.9, (2, 3)),), {}
    yield (np.array([0.05, 0.3, 0.99]),), {"eps": 0.1}
