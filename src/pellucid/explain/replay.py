"""A program run line by line: what each line reads and makes, with the numbers as they are after it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..program.lines import assigned_by, changed_by, read_by

if TYPE_CHECKING:
    from ..program.program import Program

Array = Any
PARTS = ("predict", "compare", "learn")
ANSWER = "answer"  # what a program returns, where it has no name of its own


@dataclass(eq=False)
class Statement:
    """One statement of the program, as it ran.

    Attributes:
        part: "predict", "compare" or "learn".
        text: its source, without the indentation of the function.
        first, last: its lines in the program's source, counted from 1.
        reads: the names of arrays that it reads.
        makes: the names that it gives a value, or whose arrays it changes; the foremost first.
        before: the numbers of what it changes, as they were.
        after: the numbers of what it makes.
    """

    part: str
    text: str
    first: int
    last: int
    reads: list[str]
    makes: list[str]
    before: dict[str, Array] = field(default_factory=dict)
    after: dict[str, Array] = field(default_factory=dict)


def replay(program: Program, inputs: dict[str, Array], random: dict[str, Any]) -> list[Statement]:
    """Run a program once, line by line, on copies; the program itself stays as it is.

    Args:
        program: what to run.
        inputs: arrays by the names of its inputs.
        random: where the random numbers start (`pellucid.get_rng_state`).
    """
    given = {n: a.copy() for n, a in {**inputs, **program.weights}.items()}
    space = {**program.namespace, **given, "t": program.steps + 1}
    program.seeded(random)
    found = statements(program.source, program.title)
    for node, statement in found:
        held = {n: space[n] for n in statement.reads if isinstance(space.get(n), np.ndarray)}
        lasting = _may_change(node, held, set(program.weights), program.namespace)
        certain = set(lasting) if isinstance(node, ast.Expr) else changed_by(node)
        copies = {n: a.copy() for n, a in held.items() if n in lasting}
        with np.errstate(all="ignore"):
            exec(compile(ast.Module([node], []), "<line of the program>", "exec"), space)
        lasting = [n for n in lasting if n in certain or _differ(copies[n], space[n])]
        statement.reads = [n for n in statement.reads if n in held or _is_number(space.get(n))]
        statement.makes = [*dict.fromkeys([*_targets(node), *lasting])]
        statement.before = {n: copies[n] for n in lasting}
        statement.after = {n: np.array(space[n]) for n in statement.makes}
    program.seeded(random)
    return [statement for _, statement in found]


def statements(source: str, title: str) -> list[tuple[ast.stmt, Statement]]:
    """The statements of a program's function up to its `return`."""
    lines = source.splitlines()
    function = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == title
    )
    part = PARTS[0]
    found: list[tuple[ast.stmt, Statement]] = []
    seen = function.lineno
    for node in function.body:
        for line in lines[seen : node.lineno - 1]:
            said = line.strip().removeprefix("# ")
            part = said if said in PARTS else part
        seen = node.end_lineno or node.lineno
        answer = _computed(node) if isinstance(node, ast.Return) else None
        if answer is not None:
            node = ast.copy_location(ast.Assign([_called(ANSWER, node)], answer), node)
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)):
            text = "\n".join(line[4:] for line in lines[node.lineno - 1 : seen])
            reads = [n for n in _in_order(node) if n in read_by(node)]
            found.append((node, Statement(part, text, node.lineno, seen, reads, [])))
    return found


def _computed(node: ast.Return) -> ast.expr | None:
    """What a `return` itself computes; None where it only hands out what has a name."""
    value = node.value.elts[0] if isinstance(node.value, ast.Tuple) else node.value
    handed = isinstance(value, (ast.Name, ast.Constant, ast.Tuple, ast.List, ast.Dict, type(None)))
    taken_out = isinstance(value, ast.Call) and ast.unparse(value.func).endswith(".item")
    return None if handed or taken_out else value


def _called(name: str, node: ast.stmt) -> ast.expr:
    return ast.copy_location(ast.Name(name, ast.Store()), node)


def _in_order(node: ast.stmt) -> list[str]:
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    names.sort(key=lambda n: (n.lineno, n.col_offset))
    return [*dict.fromkeys(n.id for n in names)]


def _targets(node: ast.stmt) -> list[str]:
    """The names that a statement gives a value, in their order."""
    return [n for n in _in_order(node) if n in assigned_by(node)]


def _may_change(
    node: ast.stmt, held: dict[str, Array], lasting: set[str], space: dict[str, Any]
) -> list[str]:
    """The arrays that a statement may change in place; a rule of the program may change what lasts."""
    changed = [n for n in held if n in changed_by(node)]
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in space:
            names = [a.id for a in call.args if isinstance(a, ast.Name)]
            changed += [n for n in names if n in lasting & set(held) and n not in changed]
    return changed


def _differ(before: Array, after: Array) -> bool:
    return not np.array_equal(before, after, equal_nan=before.dtype.kind == "f")


def _is_number(thing: Any) -> bool:
    return isinstance(thing, (int, float, np.generic)) and not isinstance(thing, bool)
