"""One operation on its way into a program: its rule and its slopes, folded for the recorded call."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..ops.base import Op, default_dtype
from ..ops.wiring import _named
from ..tensor import Tensor
from .fold import Folder, UnfoldableError
from .known import Known, Style, literal, method, name, several, static, written
from .spellings import spelled_method

Array = Any


@dataclass
class Folded:
    """What is left of a rule.

    Attributes:
        title: what it is called, if it becomes a function.
        meaning: the operation's one line, for its docstring.
        lines: statements, in terms of the names in `arguments`.
        arguments: for each name that they read what it stands for, and its array.
        results: how the results are written; None for a gradient that nobody needs.
        memory: what the rule set aside for the way back.
        early: whether there is a `return` in the middle.
    """

    title: str
    meaning: str
    lines: list[ast.stmt]
    arguments: dict[str, Any]
    results: list[Known | None]
    memory: Known | None = None
    early: bool = False
    space: dict[str, Any] = field(default_factory=dict)


class Arguments:
    """Names for the arrays that a rule is given."""

    def __init__(self) -> None:
        self.sources: dict[str, Any] = {}  # by name: the value of the program it stands for
        self.space: dict[str, Any] = {}
        self._names: dict[int, str] = {}

    def known(self, hint: str, thing: Any, find: Any) -> Known:
        """A thing that a rule is given; `find(array)` says which value of the program an array is."""
        if isinstance(thing, Known):
            return thing
        if isinstance(thing, Tensor):
            thing = thing._value
        if isinstance(thing, np.ndarray):
            return self.array(hint, thing, find(thing))
        if isinstance(thing, (tuple, list)) and _holds_arrays(thing):
            fields = getattr(thing, "_fields", [f"{hint}_{i + 1}" for i in range(len(thing))])
            parts = [self.known(n, part, find) for n, part in zip(fields, thing, strict=True)]
            return several(parts, type(thing))
        return static(thing)

    def array(self, hint: str, array: Array, source: Any) -> Known:
        """An array, under a name of its own."""
        key = id(source)
        if key not in self._names or self.sources[self._names[key]] is not source:
            text, n = hint, 1
            while text in self.sources:
                n += 1
                text = f"{hint}_{n}"
            self._names[key] = text
            self.sources[text] = source
            self.space[text] = array
        return Known(name(self._names[key]), array)


def _holds_arrays(thing: Any) -> bool:
    if isinstance(thing, (tuple, list)):
        return any(_holds_arrays(part) for part in thing)
    return isinstance(thing, (np.ndarray, Tensor))


def fold_forward(
    op: Op,
    inputs: Sequence[Any],
    settings: dict[str, Any],
    result: Array,
    find: Any,
    style: Style = "readable",
) -> Folded:
    """The forward rule for one call.

    Args:
        op: the operation.
        inputs: what it was given: tensors, arrays, numbers.
        settings: by name.
        result: what it made.
        find: which value of the program an array is.
        style: whom the text is for.

    Raises:
        ArgumentError: the rule is written in Python that cannot be folded.
    """
    arguments = Arguments()
    names = (
        list(op.inputs)
        if op.variadic is None
        else [f"{op.variadic}_{i + 1}" for i in range(len(inputs))]
    )
    # the same array given twice is one argument
    knowns = [arguments.known(n, x, find) for n, x in zip(names, inputs, strict=True)]
    given = {n: arguments.known(n, v, find) for n, v in settings.items()}
    f = Folder(_copied(arguments.space), style)
    y = _run(f, op, op.forward, knowns, given)
    memory = None
    if op.remembers:
        y, memory = f.parts(y)
        memory = f.named(memory, "memory")
    if f.returns_early:
        y.value = result
    else:
        y = _settled(f, op, y, knowns, result)
    return Folded(
        op.name, _meaning(op), f.lines, arguments.sources, [y], memory, f.returns_early, f.space
    )


def _run(f: Folder, op: Op, rule: Any, knowns: list[Known], given: dict[str, Known]) -> Known:
    try:
        return f.call(rule, knowns, given)
    except UnfoldableError as error:
        raise ArgumentError(
            f"the operation {op.name} cannot be written down: its rule has {error}, of which only "
            "the program at hand knows what becomes of it"
        ) from None


def _settled(f: Folder, op: Op, y: Known, knowns: list[Known], result: Array) -> Known:
    """The result in the type that the tape gave it."""
    value = f.look(y)
    kind = getattr(value, "dtype", None)
    if y.static or kind is None:
        return Known(written(y) if not y.static else _array(y, result))
    if kind == result.dtype:
        return y
    if kind == np.float16 and op.name != "cast":
        wide = default_dtype()
        casts = [
            Known(method(written(k), "astype", literal(wide))) if hasattr(k.value, "astype") else k
            for k in knowns
        ]
        y = f.call(op.forward, casts, {})
        if f.look(y).dtype == result.dtype:
            return y
    answer = spelled_method(f, y, "astype", [static(result.dtype)], {})
    return answer or Known(method(written(y), "astype", literal(result.dtype)))


def _array(y: Known, result: Array) -> ast.expr:
    from .known import call

    return call("np.asarray", written(y), dtype=literal(result.dtype))


def fold_slopes(
    op: Op,
    node: Any,
    d: Known | Array,
    sources: dict[str, Any],
    memory: Known | None,
    find: Any,
    style: Style = "readable",
) -> Folded:
    """The slopes of one node.

    Args:
        op: the operation.
        node: as the tape keeps it.
        d: the gradient that arrives, as an array or as what is known of it.
        sources: values of the program by name: "d", "y", and what the memory's names stand for.
        memory: what the forward rule set aside, in those names.
        find: which value of the program an array is.
        style: whom the text is for.
    """
    arguments = Arguments()
    known_d = d if isinstance(d, Known) else arguments.array("d", d, sources["d"])
    read = _read(op)
    knowns: dict[str, Known] = {"d": known_d}
    if "y" in read:
        knowns["y"] = arguments.array("y", node.result, sources["y"])
    if op.variadic is not None:
        shapes = [getattr(v, "shape", v) for v in node.values]
        knowns[f"{op.variadic}_shape"] = static(shapes)
        if op.variadic in read:
            parts = [
                arguments.known(f"{op.variadic}_{i + 1}", v, find)
                for i, v in enumerate(node.values)
            ]
            knowns[op.variadic] = several(parts, list)
    else:
        for n, v in zip(op.inputs, node.values, strict=True):
            shape = getattr(v, "shape", ()) if n in read else v
            knowns[f"{n}_shape"] = static(shape)
            if n in read:
                knowns[n] = arguments.known(n, v, find)
    for n, v in node.settings.items():
        if n in read:
            knowns[n] = arguments.known(n, v, find)
    if memory is not None and "memory" in read:
        knowns["memory"] = _remembered(memory, arguments, sources)
    knowns["needs"] = static(tuple(p is not None for p in node.parents))
    f = Folder(_copied(arguments.space), style)
    results = _gradients(f, op, node, knowns)
    title = f"{op.name}_back"
    return Folded(
        title, f"The slopes of {op.name}.", f.lines, arguments.sources, results, None,
        f.returns_early, f.space,
    )  # fmt: skip


def _read(op: Op) -> set[str]:
    from ..ops.wiring import names_read

    return names_read(op)


def _remembered(memory: Known, arguments: Arguments, sources: dict[str, Any]) -> Known:
    """The memory in the names of the slopes."""
    if memory.parts is not None:
        return several([_remembered(p, arguments, sources) for p in memory.parts], memory.kind)
    if memory.static or memory.code is None:
        return memory
    assert isinstance(memory.code, ast.Name)
    return arguments.array(memory.code.id, memory.value, sources[memory.code.id])


def _gradients(f: Folder, op: Op, node: Any, knowns: dict[str, Known]) -> list[Known | None]:
    results: list[Known | None] = []
    if op.joint is not None:
        answer = _run(f, op, op.joint, [knowns[n] for n in _named(op.joint)], {})
        for parent, gradient in zip(node.parents, f.parts(answer), strict=True):
            nothing = parent is None or (gradient.static and gradient.value is None)
            results.append(None if nothing else gradient)
        return results
    stretches = op.rule is not None and op.rule.partition("->")[0].count("...") > 1
    for i, n in enumerate(op.inputs):
        if node.parents[i] is None or n not in op.slopes:
            results.append(None)
            continue
        slope = op.slopes[n]
        gradient = _run(f, op, slope, [knowns[k] for k in _named(slope)], {})
        if stretches:
            gradient = stretched_back(f, gradient, knowns[f"{n}_shape"].value)
        results.append(gradient)
    if f.returns_early:
        _run_once(f, op, results)
    return results


def _run_once(f: Folder, op: Op, results: list[Known | None]) -> None:
    """Where a rule may return in the middle, its result has to be computed by running all of it."""
    found = [r for r in results if r is not None]
    if len(found) != 1:
        raise ArgumentError(f"the operation {op.name} cannot be written down: its slopes branch")
    names = sorted(f.given)
    given = ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])
    body = [*f.lines, ast.Return(written(found[0]))]
    module = ast.fix_missing_locations(ast.Module([ast.FunctionDef("slope", given, body, [])], []))
    space = dict(f.space)
    exec(compile(module, "<fold>", "exec"), space)
    found[0].value = space["slope"](*(np.array(f.space[n]) for n in names))


def stretched_back(f: Folder, gradient: Known, shape: tuple[int, ...]) -> Known:
    """Summed over the axes along which an input was broadcast, where it was."""
    from ..ops.base import sum_to

    if np.shape(f.look(gradient)) == shape:
        return gradient
    return f.call(sum_to, [gradient, static(shape)])


def _meaning(op: Op) -> str:
    return (op.__doc__ or "").strip().split("\n")[0]


def _copied(space: dict[str, Any]) -> dict[str, Any]:
    """Copies of the recorded arrays: what a rule changes in place is not changed here."""
    return {n: v.copy("K") if isinstance(v, np.ndarray) else v for n, v in space.items()}
