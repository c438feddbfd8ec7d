"""NumPy's functions of single elements, as they are written within a loop."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .code import Code, cast, number

Make = Callable[..., Code]

PLAIN = {  # NumPy's function: the operator, whose sides have the type of the result
    np.add: "add", np.subtract: "subtract", np.multiply: "multiply", np.true_divide: "divide",
    np.negative: "negative", np.bitwise_and: "and", np.bitwise_or: "or", np.bitwise_xor: "xor",
    np.absolute: "abs", np.maximum: "largest", np.minimum: "smallest", np.sign: "sign",
}  # fmt: skip
COMPARED = {
    np.equal: "equal", np.not_equal: "not_equal", np.less: "less", np.less_equal: "less_equal",
    np.greater: "greater", np.greater_equal: "greater_equal",
}  # fmt: skip
LIBRARY = {  # functions that Numba takes from the library that comes with a C compiler
    np.sqrt, np.exp, np.log, np.log2, np.log10, np.log1p, np.expm1, np.exp2, np.sin, np.cos, np.tan,
    np.arcsin, np.arccos, np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh, np.arccosh, np.arctanh,
    np.floor, np.ceil, np.trunc, np.rint, np.arctan2, np.hypot, np.copysign, np.deg2rad, np.rad2deg,
    np.logaddexp,
}  # fmt: skip
ASKED = {np.isnan: "np.isnan", np.isinf: "np.isinf", np.isfinite: "np.isfinite"}
FASTER = {np.exp: "exp", np.tanh: "tanh"}  # polynomials of our own, for float32
HELPERS = {"exp", "tanh", "largest", "smallest", "sign", "where", "row"}
COSTLY = {"exp", "tanh", "divide", "np.sqrt", "power"} | {f"np.{f.__name__}" for f in LIBRARY}

INFIX: dict[type, Any] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.true_divide,
    ast.Pow: np.power, ast.BitAnd: np.bitwise_and, ast.BitOr: np.bitwise_or,
    ast.BitXor: np.bitwise_xor,
    ast.Eq: np.equal, ast.NotEq: np.not_equal, ast.Lt: np.less, ast.LtE: np.less_equal,
    ast.Gt: np.greater, ast.GtE: np.greater_equal,
    ast.USub: np.negative, ast.Invert: np.invert,
}  # fmt: skip

KNOWN = {
    *PLAIN, *COMPARED, *LIBRARY, *ASKED, np.square, np.power, np.reciprocal, np.invert,
    np.logical_and, np.logical_or, np.logical_not, np.positive,
}  # fmt: skip
ALLOWED = "?bBhHiIlLqQfd"  # the types of numbers that loops know


def knows(function: Any) -> bool:
    """Whether there is a loop form of a function."""
    try:
        return function in KNOWN
    except TypeError:
        return False


def made(function: Any, dtype: Any, kind: Any, args: Sequence[Code]) -> Code:
    """A function of numbers.

    Args:
        function: NumPy's.
        dtype: the type of what comes out.
        kind: the common type of what goes in.
        args: what goes in.
    """
    if function in COMPARED:
        return Code(COMPARED[function], tuple(cast(a, kind) for a in args), np.dtype(bool))
    if function in ASKED:
        return Code(ASKED[function], (cast(args[0], kind),), np.dtype(bool))
    if function in (np.logical_and, np.logical_or):
        name = "and" if function is np.logical_and else "or"
        return Code(name, tuple(truth(a) for a in args), np.dtype(bool))
    if function is np.logical_not or (function is np.invert and dtype.kind == "b"):
        return Code("equal", (truth(args[0]), number(False, bool)), np.dtype(bool))
    args = [cast(a, dtype) for a in args]
    if function is np.positive:
        return args[0]
    if function is np.square:
        return Code("multiply", (args[0], args[0]), dtype)
    if function is np.reciprocal:
        return Code("divide", (number(1, dtype), args[0]), dtype)
    if function is np.power:
        return _power(args[0], args[1], dtype)
    for one, other in ((0, 1), (1, 0)):
        if (
            function in _NEUTRAL
            and args[one].op == "number"
            and args[one].args[0] == _NEUTRAL[function]
        ):
            return args[other]
    if function in PLAIN:
        return Code(PLAIN[function], tuple(args), dtype)
    if function in FASTER and dtype == np.float32:
        return Code(FASTER[function], tuple(args), dtype)
    return Code(f"np.{function.__name__}", tuple(args), dtype)


_NEUTRAL = {np.add: 0, np.multiply: 1}


def truth(code: Code) -> Code:
    """Whether a number is not 0."""
    if code.dtype == bool:
        return code
    return Code("not_equal", (code, number(0, code.dtype)), np.dtype(bool))


def _power(base: Code, exponent: Code, dtype: Any) -> Code:
    if exponent.op == "number":
        if exponent.args[0] == 2:
            return Code("multiply", (base, base), dtype)
        if exponent.args[0] == 1:
            return base
        if exponent.args[0] == 0.5:
            return Code("np.sqrt", (base,), dtype)
    return Code("np.power", (base, exponent), dtype)


def takes(function: Any, result: Any, values: Sequence[Any]) -> bool:
    """Whether the types of numbers that are met have a loop form."""
    kinds = [np.asarray(v).dtype for v in (*values, result)]
    if any(k.char not in ALLOWED for k in kinds):
        return False
    kind = kinds[-1]
    if function in LIBRARY or function in (np.true_divide, np.reciprocal, np.sign):
        return kind.kind == "f"
    if function is np.invert:
        return kind.kind == "b"
    if function is np.power:
        return kind.kind == "f" or isinstance(values[1], int)
    if function in (np.add, np.subtract, np.multiply, np.negative, np.absolute, np.square):
        return kind.kind != "b"
    return True
