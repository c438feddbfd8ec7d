"""Expressions of numbers, as they stand within a loop: `lr * d_layer_1[0, j]`.

A `Code` is a value: two that say the same are equal. That is what tells whether two loops read the same
element, and what need not be computed anew in each round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Code:
    """An expression.

    Attributes:
        op: "var", "whole" (a whole number), "number", "load" (an element of an array), "cast", or
            the name of an operation in `TEXTS`.
        args: of a variable or an array its name first, of numbers the number; else expressions.
        dtype: the type of the number that comes out; None for indices.
    """

    op: str
    args: tuple[Any, ...]
    dtype: Any = None

    def parts(self) -> Iterator[Code]:
        """The expressions within, one level down."""
        yield from (a for a in self.args if isinstance(a, Code))

    def walk(self) -> Iterator[Code]:
        """All expressions within, and this one."""
        yield self
        for part in self.parts():
            yield from part.walk()

    def mapped(self, change: Callable[[Code], Code]) -> Code:
        """The same of other parts."""
        args = tuple(change(a) if isinstance(a, Code) else a for a in self.args)
        return self if args == self.args else Code(self.op, args, self.dtype)

    def variables(self) -> set[str]:
        """The variables in it."""
        return {c.args[0] for c in self.walk() if c.op == "var"}

    def loads(self) -> list[Code]:
        """The elements that it reads."""
        return [c for c in self.walk() if c.op == "load"]


Index = tuple[Code, ...]


def variable(name: str, dtype: Any = None) -> Code:
    """A loop's variable, or a number that has a name."""
    return Code("var", (name,), dtype)


def whole(number: int) -> Code:
    """A whole number, in an index."""
    return Code("whole", (int(number),))


def number(value: Any, dtype: Any) -> Code:
    """A number of a type."""
    return Code("number", (np.dtype(dtype).type(value).item(),), np.dtype(dtype))


def load(array: str, index: Index, dtype: Any) -> Code:
    """An element of an array."""
    return Code("load", (array, *index), np.dtype(dtype))


def cast(code: Code, dtype: Any) -> Code:
    """The same number in another type."""
    dtype = np.dtype(dtype)
    if code.dtype == dtype:
        return code
    if code.op == "number":
        return number(code.args[0], dtype)
    return Code("cast", (code,), dtype)


def plus(a: Code, b: int) -> Code:
    """An index further on."""
    if not b:
        return a
    if a.op == "whole":
        return whole(a.args[0] + b)
    if a.op == "plus":
        return plus(a.args[0], a.args[1] + b)
    return Code("plus", (a, b))


def times(a: Code, b: int) -> Code:
    """Every b-th index."""
    if b == 1:
        return a
    return whole(a.args[0] * b) if a.op == "whole" else Code("times", (a, b))


def summed(a: Code, b: Code) -> Code:
    """An index further on by another."""
    if b.op == "whole":
        return plus(a, b.args[0])
    return plus(b, a.args[0]) if a.op == "whole" else Code("index_sum", (a, b))


def over(a: Code, b: int) -> Code:
    """How often b goes into an index."""
    return whole(a.args[0] // b) if a.op == "whole" else Code("over", (a, b))


def rest(a: Code, b: int) -> Code:
    """And what is left."""
    return whole(a.args[0] % b) if a.op == "whole" else Code("rest", (a, b))


def guarded(code: Code) -> tuple[Code, Code | None]:
    """A number that is 0 but on a condition, `where(c, x, 0)`, also times others: x, and c."""
    if code.op == "where" and code.args[2].op == "number" and code.args[2].args[0] == 0:
        return code.args[1], code.args[0]
    if code.op in ("multiply", "negative", "cast"):
        for n, part in enumerate(code.args):
            inner, only = guarded(part)
            if only is not None:
                args = (*code.args[:n], inner, *code.args[n + 1 :])
                return Code(code.op, args, code.dtype), only
    return code, None


# ------------------------------------------------------------------------------------------ as text

LOOSEST, TIGHTEST = 0, 9  # how tightly an operator holds its sides

_INFIX = {
    "or": ("|", 2), "xor": ("^", 3), "and": ("&", 4),
    "add": ("+", 6), "subtract": ("-", 6), "multiply": ("*", 7), "divide": ("/", 7),
    "equal": ("==", 1), "not_equal": ("!=", 1), "less": ("<", 1), "less_equal": ("<=", 1),
    "greater": (">", 1), "greater_equal": (">=", 1),
}  # fmt: skip

TYPES = {
    "float32": "f32", "float64": "f64", "bool": "bool", "int64": "i64", "int32": "i32",
    "int16": "i16", "int8": "i8", "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
}  # fmt: skip


def text(code: Code) -> str:
    """As Python."""
    return _text(code)[0]


def _within(code: Code, rank: int) -> str:
    said, own = _text(code)
    return f"({said})" if own < rank else said


def _text(code: Code) -> tuple[str, int]:
    op, args = code.op, code.args
    if op in ("var", "whole"):
        return str(args[0]), TIGHTEST
    if op == "number":
        return _number(args[0], code.dtype), TIGHTEST
    if op == "load":
        index = ", ".join(text(a) for a in args[1:]) or "()"
        return f"{args[0]}[{index}]", TIGHTEST
    if op == "cast":
        return f"{TYPES[code.dtype.name]}({text(args[0])})", TIGHTEST
    if op == "plus":
        sign = "+" if args[1] > 0 else "-"
        return f"{_within(args[0], 6)} {sign} {abs(args[1])}", 6
    if op == "times":
        return (f"{args[1]} * {_within(args[0], 8)}" if args[1] >= 0
                else f"-({-args[1]} * {_within(args[0], 8)})"), 7  # fmt: skip
    if op == "index_sum":
        return f"{_within(args[0], 6)} + {_within(args[1], 6)}", 6
    if op in ("over", "rest"):
        return f"{_within(args[0], 7)} {'//' if op == 'over' else '%'} {args[1]}", 7
    if op == "negative":
        return f"-{_within(args[0], 8)}", 8
    if op == "not":
        return f"not {_within(args[0], 1)}", LOOSEST
    if op in _INFIX:
        sign, rank = _INFIX[op]
        tight = rank + (op in ("subtract", "divide") or rank == 1)
        return f"{_within(args[0], rank + (rank == 1))} {sign} {_within(args[1], tight)}", rank
    return f"{op}({', '.join(text(a) for a in args)})", TIGHTEST


def _number(value: Any, dtype: Any) -> str:
    kind = TYPES[dtype.name]
    if isinstance(value, float) and not np.isfinite(value):
        return f"{kind}({_beyond(value)})"
    if kind == "bool":
        return str(value)
    if isinstance(value, float) and dtype == np.float32:
        value = float(str(np.float32(value)))
    brief = int(value) if float(value).is_integer() and abs(value) < 1e15 else value
    return f"{kind}({brief})"


def _beyond(value: float) -> str:
    return "np.nan" if value != value else "np.inf" if value > 0 else "-np.inf"
