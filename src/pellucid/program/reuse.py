"""The same program with its results put where the last step put them.

    layer_1 = np.tanh(sums)      becomes      layer_1 = np.tanh(sums, out=room[0])

A step after the first asks the system for no memory for these. The numbers are the same, bit for bit. Only
what the step keeps to itself is put into such a room, never what it returns.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from .known import copied
from .layout import laid_out

Array = Any

_FUNCTIONS = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "true_divide",
    ast.MatMult: "matmul",
}  # fmt: skip
SMALL = 512  # numbers: for fewer, asking for memory costs less than naming the room


class Reused:
    """A program whose large results lie in rooms of their own.

    Args:
        source: the text of the program.
        title: its function.
        namespace: where it runs.
        given: arguments to try it with; they are changed.

    Attributes:
        text: the function, with `out=`.
        room: the arrays, in the order of the text.
        function: what to call.
    """

    def __init__(
        self, source: str, title: str, namespace: dict[str, Any], given: dict[str, Any]
    ) -> None:
        tree = ast.parse(source)
        main = next(f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name == title)
        self.room: list[Array] = []
        found = _watched(main, namespace, given)
        body = [self.line(line, found.get(i)) for i, line in enumerate(main.body)]
        made = ast.FunctionDef(title, main.args, body, [])
        head = f"def {title}({', '.join(a.arg for a in main.args.args)}):"
        self.text = "\n".join([head, *laid_out(made.body, 4), ""])
        module = ast.fix_missing_locations(ast.Module([copied(made)], []))
        self.space = {**namespace, "room": self.room}
        exec(compile(module, f"<program {title}>", "exec"), self.space)
        self.function = self.space[title]

    def line(self, line: ast.stmt, value: Array | None) -> ast.stmt:
        """One line, its result put into a room if there may be one."""
        if value is None:
            return line
        assert isinstance(line, ast.Assign)
        call = _as_call(line.value)
        if call is None:
            return line
        place = ast.Subscript(
            ast.Name("room", ast.Load()), ast.Constant(len(self.room)), ast.Load()
        )
        self.room.append(np.empty_like(value))
        call.keywords = [*call.keywords, ast.keyword("out", place)]
        return ast.Assign(line.targets, call)


def _as_call(code: ast.expr) -> ast.Call | None:
    """An expression as a call that takes `out=`."""
    numpy = ast.Name("np", ast.Load())
    if isinstance(code, ast.BinOp) and type(code.op) in _FUNCTIONS:
        function = ast.Attribute(numpy, _FUNCTIONS[type(code.op)], ast.Load())
        return ast.Call(function, [code.left, code.right], [])
    if isinstance(code, ast.Call) and isinstance(code.func, ast.Attribute) and not code.keywords:
        owner = code.func.value
        function_ = getattr(np, code.func.attr, None)
        known = isinstance(function_, np.ufunc) or function_ is np.dot
        if isinstance(owner, ast.Name) and owner.id == "np" and known:
            return ast.Call(code.func, code.args, [])
    return None


def _watched(
    main: ast.FunctionDef, namespace: dict[str, Any], given: dict[str, Any]
) -> dict[int, Array]:
    """The lines that make a large array of their own, and what they made when tried."""
    space = {**namespace, **given}
    made: dict[int, Array] = {}
    answer: list[Any] = []
    with np.errstate(all="ignore"):
        for i, line in enumerate(main.body):
            if isinstance(line, ast.Return):
                code = ast.Expression(copied(line.value)) if line.value else None
                if code is not None:
                    program = compile(ast.fix_missing_locations(code), "<returned>", "eval")
                    answer.append(eval(program, space))
                continue
            module = ast.fix_missing_locations(ast.Module([copied(line)], []))
            exec(compile(module, "<line>", "exec"), space)
            if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
                value = space[line.targets[0].id]
                fits = isinstance(value, np.ndarray) and value.size >= SMALL
                if fits and value.flags.c_contiguous and value.base is None:
                    made[i] = value
    kept = [a for a in _leaves(answer) if isinstance(a, np.ndarray)]
    return {i: v for i, v in made.items() if not any(np.may_share_memory(v, a) for a in kept)}


def _leaves(nest: Any) -> list[Any]:
    if isinstance(nest, (tuple, list)):
        return [leaf for part in nest for leaf in _leaves(part)]
    return _leaves(list(nest.values())) if isinstance(nest, dict) else [nest]
