"""Functions of one number, for loops: in float32 as polynomials, which a processor works out 16 at a time.

The library that comes with a C compiler computes one number after the other. Here `exp` and `tanh` are
polynomials and quotients of polynomials, fitted to what they stand for with weighted least squares (C. L.
Lawson 1961), exact to 4.2e-7 of the value. In float64 a loop program calls the library's own (`np.exp`); what it
imports from here is compiled when it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

_numba: Any = import_module("numba")

# sums may be added up in another order: eight or sixteen numbers at a time
FAST = {"reassoc", "contract", "nsz"}

loops: Any = _numba.njit(error_model="numpy", fastmath=FAST, cache=True, nogil=True)
"""The decorator of a loop program."""


def short_rows(function: Any) -> Any:
    """The decorator for loops along short rows: has LLVM compute such a row as a whole.

    Numba does not ask for that by itself, and with reason: along long rows it is in the way.
    """
    made, config = loops(function), import_module("numba").config
    as_ever = made.compile

    def compile_it(signature: Any) -> Any:
        before, config.SLP_VECTORIZE = config.SLP_VECTORIZE, 1
        try:
            return as_ever(signature)
        finally:
            config.SLP_VECTORIZE = before

    made.compile = compile_it
    return made


inlined: Callable[[F], F] = import_module("numba.extending").register_jitable(
    error_model="numpy", fastmath={"contract", "nsz"}
)
"""The decorator of what stands for one number."""


def row(size: int, kind: Any) -> Any:
    """A row of numbers that nobody else can see.

    Compiled, it lies where the processor keeps a function's own variables, so that writing into it
    cannot change an array, and a short one is kept in registers.
    """
    return np.empty(size, kind)


def _overloaded(extending: Any, ir: Any) -> None:
    cgutils: Any = import_module("numba.core.cgutils")
    arrays: Any = import_module("numba.np.arrayobj")

    def rows(size: Any, kind: Any) -> Any:
        count, element = size.literal_value, kind.dtype

        def of_type(typing: Any) -> Any:
            array = _numba.types.Array(element, 1, "C")

            def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
                number, whole = (
                    context.get_data_type(element),
                    context.get_value_type(_numba.types.intp),
                )
                place = cgutils.alloca_once(builder, number, size=ir.Constant(whole, count))
                made = arrays.make_array(array)(context, builder)
                bytes_ = context.get_abi_sizeof(number)
                arrays.populate_array(
                    made, data=place, shape=[ir.Constant(whole, count)],
                    strides=[ir.Constant(whole, bytes_)], itemsize=ir.Constant(whole, bytes_),
                    meminfo=None,
                )  # fmt: skip
                return made._getvalue()

            return array(), generate

        here = extending.intrinsic(of_type)
        return lambda size, kind: here()

    extending.overload(row, prefer_literal=True)(_bare(rows))


def _bare(function: Any) -> Any:
    """Without annotations: Numba wants those of a function and its overload to be the same."""
    function.__annotations__ = {}
    return function


_overloaded(import_module("numba.extending"), import_module("llvmlite.ir"))

# tanh(x) = x * P(x * x) / Q(x * x) for x from -9 to 9; beyond, float32 knows no number nearer to 1
_P = tuple(map(np.float32, (0.999999980, 0.133809811, 3.49553449e-3, 2.06081841e-5, 1.33534121e-8)))
_Q = tuple(map(np.float32, (1.0, 0.467142968, 2.58767799e-2, 3.28554625e-4, 7.77604676e-7)))
_P0, _P1, _P2, _P3, _P4 = _P
_Q0, _Q1, _Q2, _Q3, _Q4 = _Q
_ONE, _NINE = np.float32(1), np.float32(9)


@inlined
def tanh(x: Any) -> Any:
    """(e**x - e**-x) / (e**x + e**-x), in float32."""
    z = min(max(x, -_NINE), _NINE)
    u = z * z
    over = z * ((((_P4 * u + _P3) * u + _P2) * u + _P1) * u + _P0)
    under = (((_Q4 * u + _Q3) * u + _Q2) * u + _Q1) * u + _Q0
    y = min(max(over / under, -_ONE), _ONE)
    return y if x == x else x


# exp(x) = 2**n * exp(rest), n whole and rest between -0.35 and 0.35; ln 2 in two parts, so that
# n * ln 2 is taken away without rounding (W. J. Cody and W. Waite 1980)
_PER_2 = np.float32(1.44269504)
_LN_2, _LN_2_REST = np.float32(0.693359375), np.float32(-2.12194440e-4)
_E2, _E3, _E4, _E5, _E6 = (np.float32(1 / math.factorial(n)) for n in range(2, 7))
_LOWEST, _HIGHEST = np.float32(-87.33), np.float32(88.72)  # beyond, 0 and infinity
_INF, _ZERO = np.float32(np.inf), np.float32(0)
_HALF, _BIAS, _PLACES = np.float32(0.5), np.int32(127), np.int32(23)


@inlined
def exp(x: Any) -> Any:
    """e**x, in float32."""
    z = min(max(x, _LOWEST), _HIGHEST)
    n = np.float32(np.floor(z * _PER_2 + _HALF))
    r = (z - n * _LN_2) - n * _LN_2_REST
    y = (((_E6 * r + _E5) * r + _E4) * r + _E3) * r + _E2
    y = y * r * r + r + _ONE
    half = np.int32(n) >> np.int32(1)  # in two steps, for 2**128 is no float32
    rest = np.int32(n) - half
    first = np.int32((half + _BIAS) << _PLACES).view(np.float32)
    second = np.int32((rest + _BIAS) << _PLACES).view(np.float32)
    y = y * first * second
    y = _ZERO if x < _LOWEST else y
    y = _INF if x > _HIGHEST else y
    return y if x == x else x


@inlined
def largest(a: Any, b: Any) -> Any:
    """The larger one; no number at all (NaN) wins, as in `np.maximum`."""
    return a if a > b or a != a else b


@inlined
def smallest(a: Any, b: Any) -> Any:
    """The smaller one; no number at all (NaN) wins, as in `np.minimum`."""
    return a if a < b or a != a else b


@inlined
def where(which: Any, a: Any, b: Any) -> Any:
    """`a` where it is so, else `b`; both have been computed, so that nothing waits for the answer."""
    return a if which else b


@inlined
def sign(x: Any) -> Any:
    """-1, 0 or 1, or x itself if it is no number."""
    return x if x != x or x == 0 else (x / abs(x))
