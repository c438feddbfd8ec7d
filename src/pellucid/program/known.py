"""What is known of a value while a program is written: how it is written, and perhaps what it is.

A rule such as `d / len(x) if reduction == "mean" else d` is written for one case, in which the setting and
the shapes are known. Some values will be the same in every run: they are *static*, and settle what is
written. The others are arrays that only the program will have; of them we know how they are written, and
can look at the ones that were recorded, at their shapes and types.
"""

from __future__ import annotations

import ast
import math
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Style = Literal["readable", "fast", "loops"]
"""Whom a text is for: people; NumPy, which is to be quick; loops, which know every shape beforehand."""

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "missing"})()


@dataclass
class Known:
    """One value.

    Attributes:
        code: how it is written; None for a static value that needs no name (its literal is written).
        value: what it was when recorded, or MISSING.
        static: whether it is the same in every run.
        parts: of a tuple, list or named tuple, its parts; None for everything else.
        kind: the class of a value with parts.
        fill: of an array full of one number, that number as it is written, and as it is.
        room: of a result in an optimiser's room, which one: the next result takes its place.
    """

    code: ast.expr | None = None
    value: Any = MISSING
    static: bool = False
    parts: list[Known] | None = None
    kind: type = tuple
    fill: tuple[ast.expr, Any] | None = None
    room: str = ""

    @property
    def plain(self) -> bool:
        """Whether it is static through and through, with no name of its own."""
        if self.parts is not None:
            return all(part.plain for part in self.parts)
        symbol = self.code is not None and (_is_number(self.value) or isinstance(self.value, dict))
        return self.static and not symbol

    @property
    def is_short(self) -> bool:
        """Whether writing it twice costs nothing: a name, or a literal."""
        return self.code is None or isinstance(self.code, (ast.Name, ast.Constant))


def static(value: Any, code: ast.expr | None = None) -> Known:
    """A value that is the same in every run."""
    return Known(code, value, True)


def several(parts: Sequence[Known], kind: type = tuple) -> Known:
    """A tuple, list or named tuple of values."""
    return Known(parts=list(parts), kind=kind)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.generic)) and not isinstance(value, bool)


def can_be_static(value: Any) -> bool:
    """Whether a value of this kind may be settled once and for all: no arrays, nothing that changes."""
    if value is None or value is Ellipsis or isinstance(
        value,
        (bool, int, float, str, bytes, range, slice, np.dtype, np.generic, type, np.ufunc,
         types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.MethodType),
    ):  # fmt: skip
        return True
    if isinstance(value, (tuple, list, set, frozenset)):
        return all(can_be_static(part) for part in value)
    if isinstance(value, dict):
        return all(can_be_static(part) for part in value.values())
    return type(value).__name__ in ("flagsobj", "Op") or hasattr(value, "forward")


# ------------------------------------------------------------------------------------ how it is written


def name(text: str) -> ast.expr:
    """A name, or several with dots between."""
    first, *rest = text.split(".")
    code: ast.expr = ast.Name(first, ast.Load())
    for part in rest:
        code = ast.Attribute(code, part, ast.Load())
    return code


def call(function: ast.expr | str, *arguments: ast.expr, **named: ast.expr) -> ast.expr:
    """A call."""
    code = name(function) if isinstance(function, str) else function
    keywords = [ast.keyword(key, value) for key, value in named.items()]
    return ast.Call(code, list(arguments), keywords)


def method(owner: ast.expr, attribute: str, *arguments: ast.expr, **named: ast.expr) -> ast.expr:
    """A call of a method."""
    return call(ast.Attribute(owner, attribute, ast.Load()), *arguments, **named)


def literal(value: Any) -> ast.expr:
    """A static value as it is written in a program.

    Raises:
        TypeError: it cannot be written.
    """
    if isinstance(value, (np.bool_, bool)) or value is None or value is Ellipsis:
        return ast.Constant(bool(value) if isinstance(value, np.bool_) else value)
    if isinstance(value, np.floating):
        return call(f"np.{value.dtype.name}", literal(shortest(value)))
    if isinstance(value, np.generic):
        return call(f"np.{value.dtype.name}", literal(value.item()))
    if isinstance(value, float) and not math.isfinite(value):
        text = "nan" if math.isnan(value) else "inf"
        code = name(f"np.{text}")
        return ast.UnaryOp(ast.USub(), code) if value < 0 else code
    if isinstance(value, (int, float)) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    if isinstance(value, (int, float, str)):
        return ast.Constant(value)
    if isinstance(value, np.dtype):
        return name("np.bool_" if value.kind == "b" else f"np.{value.name}")
    if isinstance(value, type) and issubclass(value, np.generic):
        return name(f"np.{value.__name__}")
    if isinstance(value, type) and value in (bool, int, float, range, tuple, list):
        return name(value.__name__)
    if isinstance(value, slice):
        given = [literal(part) for part in (value.start, value.stop, value.step)]
        return call("slice", *(given if value.step is not None else given[:2]))
    if isinstance(value, range):
        ends = [value.start, value.stop, value.step]
        shown = ends[1:2] if ends[0] == 0 and ends[2] == 1 else ends[: 2 + (ends[2] != 1)]
        return call("range", *map(literal, shown))
    if isinstance(value, tuple):
        return ast.Tuple([literal(part) for part in value], ast.Load())
    if isinstance(value, list):
        return ast.List([literal(part) for part in value], ast.Load())
    title: str = getattr(value, "__name__", "")
    if isinstance(value, types.BuiltinFunctionType) and value.__module__ in ("math", "builtins"):
        return name(title if value.__module__ == "builtins" else f"math.{title}")
    if callable(value) and getattr(np, title, None) is value:
        return name(f"np.{title}")
    raise TypeError(f"{value!r} cannot be written")


def shortest(value: Any) -> float:
    """The float with the fewest digits that is this number once more in the number's own type."""
    brief = float(str(value))
    return brief if value.dtype.type(brief) == value else float(value)


def written(known: Known) -> ast.expr:
    """How a value is written."""
    if known.code is not None:
        return known.code
    if known.parts is not None:
        parts = [written(part) for part in known.parts]
        if known.kind is list:
            return ast.List(parts, ast.Load())
        return ast.Tuple(parts, ast.Load())
    if known.fill is not None:
        return _filled(known)
    return literal(known.value)


def _filled(known: Known) -> ast.expr:
    assert known.fill is not None
    number, value = known.fill
    kind = name(f"np.{value.dtype.name}")
    one = call(kind, number)
    shape = known.value.shape
    return call("np.broadcast_to", one, literal(shape)) if shape else one


def names_in(code: ast.AST | Sequence[ast.AST]) -> set[str]:
    """Every name that is read or written somewhere in it."""
    nodes = [code] if isinstance(code, ast.AST) else code
    return {n.id for top in nodes for n in ast.walk(top) if isinstance(n, ast.Name)}


class Renamed(ast.NodeTransformer):
    """A copy of code in which names are replaced by other names or by expressions."""

    def __init__(self, by: dict[str, ast.expr]) -> None:
        self.by = by

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """One name."""
        found = self.by.get(node.id)
        if found is None:
            return node
        if isinstance(found, ast.Name):
            return ast.Name(found.id, node.ctx)
        new: ast.expr = copied(found)
        return new


def renamed(code: Any, by: dict[str, ast.expr]) -> Any:
    """The code with other names."""
    return Renamed(by).visit(copied(code))


def copied(code: Any) -> Any:
    """The same code in nodes of its own."""
    if isinstance(code, list):
        return [copied(part) for part in code]
    if not isinstance(code, ast.AST):
        return code
    return type(code)(**{field: copied(value) for field, value in ast.iter_fields(code)})


def alike(a: ast.AST, b: ast.AST) -> bool:
    """Whether two pieces of code are the same."""
    return ast.dump(a) == ast.dump(b)


Rule = Callable[..., Any]
