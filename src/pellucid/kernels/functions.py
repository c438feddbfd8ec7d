"""tanh, the sigmoid and exp in a form that a processor computes for sixteen numbers at once.

The C library's tanh takes one number at a time. In float32 a quotient of two polynomials is as good
(3e-7, relative); its coefficients were fitted to tanh between -8 and 8, behind which tanh is 1 in
float32. exp is a polynomial between two powers of 2. In float64 the C library's are used.
"""

from __future__ import annotations

import math
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

Array = Any

END = np.float32(8)
ABOVE = tuple(
    np.float32(c)
    for c in (
        0.9999999935852402, 0.13444518645885883, 0.0035716224480120138, 2.1895059657218337e-05,
        1.5230962119011703e-08,
    )
)  # fmt: skip
BELOW = tuple(
    np.float32(c)
    for c in (
        1, 0.46777845976745575, 0.026164536158691194, 0.0003411331769909233, 8.522670786580933e-07
    )
)  # fmt: skip
ONE, HALF, NONE = np.float32(1), np.float32(0.5), np.float32(0)
PER_POWER, LOWEST = np.float32(1 / math.log(2)), np.float32(-87)
LOG_2 = np.float32(0.693359375)  # nine bits, so that n * LOG_2 is exact; and what is left
LOG_2_REST = np.float32(math.log(2) - 0.693359375)
SERIES = tuple(np.float32(1 / math.factorial(n)) for n in range(2, 7))


def tanh(x: Array) -> Array:
    """Of one number."""
    return np.tanh(x)


def sigmoid(x: Array) -> Array:
    """Of one number; by tanh, which never overflows."""
    half = x.dtype.type(0.5)
    return half * tanh(half * x) + half


def exp(x: Array) -> Array:
    """Of one number that is not above 80."""
    return np.exp(x)


def polynomial(x: Array) -> Array:
    """exp of a float32: 2**n times exp of what is left, which is at most half of log 2."""
    z = LOWEST if x < LOWEST else x
    n = np.floor(z * PER_POWER + HALF)
    r = (z - n * LOG_2) - n * LOG_2_REST
    y = SERIES[0] + r * (SERIES[1] + r * (SERIES[2] + r * (SERIES[3] + r * SERIES[4])))
    y = ONE + r + r * r * y
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return NONE if x < LOWEST else y * power


def quotient(x: Array) -> Array:
    """tanh of a float32; NaN stays NaN."""
    x = END if x > END else x
    x = -END if x < -END else x
    u = x * x
    above = ABOVE[0] + u * (ABOVE[1] + u * (ABOVE[2] + u * (ABOVE[3] + u * ABOVE[4])))
    below = BELOW[0] + u * (BELOW[1] + u * (BELOW[2] + u * (BELOW[3] + u * BELOW[4])))
    return x * above / below


@cache
def in_loops() -> None:
    """Let compiled loops call tanh, sigmoid and exp."""
    extending: Any = import_module("numba.extending")
    types: Any = import_module("numba").types
    for function in (quotient, polynomial):
        extending.register_jitable(error_model="numpy")(function)

    def of(x: Any) -> Any:
        return (lambda x: quotient(x)) if x == types.float32 else (lambda x: np.tanh(x))

    def opened(x: Any) -> Any:
        half = np.float32(0.5) if x == types.float32 else 0.5
        return lambda x: half * tanh(half * x) + half

    def raised(x: Any) -> Any:
        return (lambda x: polynomial(x)) if x == types.float32 else (lambda x: np.exp(x))

    extending.overload(exp, strict=False)(raised)
    extending.overload(tanh, strict=False)(of)
    extending.overload(sigmoid, strict=False)(opened)
