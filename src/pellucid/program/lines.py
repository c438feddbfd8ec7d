"""Lines of a program, put in order: what nobody needs is left out, what is used once stands where it is used."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .known import copied, names_in, renamed
from .layout import text

MOST_IN_A_LINE = 8  # operators and calls
WIDEST = 84  # characters


def roots(code: ast.expr) -> str:
    """The name whose array something in brackets is part of."""
    while isinstance(code, (ast.Subscript, ast.Attribute, ast.Call)):
        code = code.func if isinstance(code, ast.Call) else code.value
    return code.id if isinstance(code, ast.Name) else ""


def changed_by(line: ast.stmt) -> set[str]:
    """The names of arrays that a line changes in place, and of the generator it draws from."""
    found: set[str] = set()
    for node in ast.walk(line):
        if isinstance(node, ast.AugAssign):
            found.add(roots(node.target))
        elif isinstance(node, ast.Assign):
            found |= {roots(t) for t in node.targets if not isinstance(t, (ast.Name, ast.Tuple))}
        elif isinstance(node, ast.Call):
            found |= {roots(k.value) for k in node.keywords if k.arg == "out"}
            if isinstance(node.func, ast.Attribute) and node.func.attr == "at":
                found.add(roots(node.args[0]))
        elif isinstance(node, ast.Name) and node.id == "rng":
            found.add("rng")
    if isinstance(line, ast.Expr) and isinstance(line.value, ast.Call):
        name = text(line.value.func)
        if name in ("np.put_along_axis", "np.copyto", "np.fill_diagonal"):
            found.add(roots(line.value.args[0]))
    return found - {""}


def assigned_by(line: ast.stmt) -> set[str]:
    """The names that a line gives a value."""
    return {
        n.id for n in ast.walk(line) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    } - changed_only(line)


def changed_only(line: ast.stmt) -> set[str]:
    """The name that `a += b` changes, which it does not make."""
    if isinstance(line, ast.AugAssign) and isinstance(line.target, ast.Name):
        return {line.target.id}
    return set()


def read_by(line: ast.AST) -> set[str]:
    """The names that a line reads."""
    found = {
        n.id for n in ast.walk(line) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }
    for node in ast.walk(line):
        if isinstance(node, ast.AugAssign):
            found |= names_in(node.target)
    return found


def needed(
    lines: Sequence[ast.stmt], wanted: Iterable[str], space: dict[str, Any], lasting: set[str]
) -> list[ast.stmt]:
    """The lines without which what is wanted would be something else.

    Args:
        lines: one after the other.
        wanted: names that are read afterwards.
        space: the recorded arrays by name, which say which of them share memory.
        lasting: names whose arrays are others', so that changes in them last.
    """
    wanted = set(wanted)
    kept: list[ast.stmt] = []
    for line in reversed(lines):
        changed = changed_by(line)
        lasts = bool(changed & (lasting | {"rng"} - {"rng"})) or isinstance(line, ast.Return)
        lasts = lasts or any(_shared(space, c, w) for c in changed for w in wanted)
        if isinstance(line, ast.If) and any(isinstance(n, ast.Return) for n in ast.walk(line)):
            lasts = True
        if not (lasts or assigned_by(line) & wanted):
            continue
        kept.append(line)
        if isinstance(line, ast.Assign) and all(isinstance(t, ast.Name) for t in line.targets):
            wanted -= assigned_by(line)
        wanted |= read_by(line) | (changed - {"rng"})
    return kept[::-1]


def _shared(space: dict[str, Any], a: str, b: str) -> bool:
    if a == b:
        return True
    x, y = space.get(a), space.get(b)
    both = isinstance(x, np.ndarray) and isinstance(y, np.ndarray)
    return both and bool(np.may_share_memory(x, y))


# --------------------------------------------------------------------------- in fewer lines


def shared(lines: Sequence[ast.stmt], *of_lines: dict[int, Any]) -> list[ast.stmt]:
    """What is computed once has a name, and is not computed again: `x - y` becomes that name.

    `of_lines` say something of each line (by its id), and are kept up.
    """
    known: dict[str, str] = {}  # code -> the name that holds it
    found: list[ast.stmt] = []
    for line in lines:
        again = _Again(known)
        new = again.visit(copied(line)) if known and _single(line) else line
        for about in of_lines:
            about[id(new)] = about[id(line)]
        found.append(new)
        touched = changed_by(new) | assigned_by(new)
        known = {c: n for c, n in known.items() if n not in touched and not _mentions(c, touched)}
        target = _single(new)
        if target and isinstance(new, ast.Assign) and _is_difference(new.value):
            known.setdefault(ast.dump(new.value), target)
    return found


class _Again(ast.NodeTransformer):
    """Puts names in the place of what they hold."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """One call."""
        return self.visit_BinOp(node)

    def visit_BinOp(self, node: ast.BinOp | ast.Call) -> ast.expr:
        """One operator."""
        holder = self.known.get(ast.dump(node))
        if holder is not None:
            return ast.Name(holder, ast.Load())
        self.generic_visit(node)
        return node


def _is_difference(code: ast.expr) -> bool:
    if isinstance(code, ast.Call) and isinstance(code.func, ast.Attribute):
        constant = all(isinstance(a, (ast.Constant, ast.UnaryOp)) for a in code.args)
        return code.func.attr == "reshape" and isinstance(code.func.value, ast.Name) and constant
    return isinstance(code, ast.BinOp) and all(
        isinstance(side, (ast.Name, ast.Attribute)) for side in (code.left, code.right)
    )


def _mentions(code: str, names: set[str]) -> bool:
    return any(f"'{n}'" in code for n in names)


def joined(
    lines: Sequence[ast.stmt],
    keep: set[str],
    own: set[str] | None = None,
    lengths: dict[str, ast.expr] | None = None,
) -> list[ast.stmt]:
    """Lines in which what is used once stands where it is used.

    Args:
        lines: one after the other.
        keep: names that are needed afterwards.
        own: names that keep a line of their own all the same.
        lengths: what names will be called later, to see how long a line gets.
    """
    own, lengths = own or set(), lengths or {}
    lines = _without_aliases(list(lines), keep | own)
    i = len(lines) - 1
    while i >= 0:
        line = lines[i]
        if isinstance(line, (ast.For, ast.If)):
            line.body = joined(
                line.body, keep | own | _outside(lines, i) | read_by(line), own, lengths
            )
            if isinstance(line, ast.If):
                around = keep | own | _outside(lines, i) | read_by(line)
                line.orelse = joined(line.orelse, around, own, lengths)
        found = _single(line)
        if found is not None and found not in keep | own:
            _move(lines, i, found, lengths)
        i -= 1
    return [_short_of(line) for line in lines]


def _without_aliases(lines: list[ast.stmt], keep: set[str]) -> list[ast.stmt]:
    """`a = b` left out, with b in the place of a, where both stay what they are."""
    stored = [n for line in lines for n in names_stored(line)]
    i = 0
    while i < len(lines):
        line = lines[i]
        made = _single(line) or ""
        value: Any = line.value if isinstance(line, ast.Assign) else None
        alias = made and made not in keep and isinstance(value, ast.Name)
        if alias and stored.count(made) == 1 and stored.count(roots(value)) <= 1:
            lines[i:] = [renamed(other, {made: value}) for other in lines[i + 1 :]]
        else:
            i += 1
    return lines


def _outside(lines: list[ast.stmt], i: int) -> set[str]:
    return {n for j, line in enumerate(lines) if j != i for n in read_by(line)}


def _single(line: ast.stmt) -> str | None:
    """The name that a line makes, if it makes one and does nothing else."""
    if not isinstance(line, ast.Assign) or len(line.targets) != 1:
        return None
    target = line.targets[0]
    return target.id if isinstance(target, ast.Name) else None


def _move(lines: list[ast.stmt], i: int, found: str, lengths: dict[str, ast.expr]) -> None:
    """Put line i into the line that uses it, if there is just one and nothing forbids it."""
    line = lines[i]
    assert isinstance(line, ast.Assign)
    made_again = sum(found in names_stored(other) for other in lines)
    uses = [j for j in range(i + 1, len(lines)) for _ in range(_count(lines[j], found))]
    if made_again != 1 or len(uses) != 1:
        return
    j = uses[0]
    if not isinstance(lines[j], (ast.Assign, ast.AugAssign, ast.Return, ast.Expr)):
        return
    reads = names_in(line.value)
    if any((changed_by(between) | assigned_by(between)) & reads for between in lines[i + 1 : j]):
        return
    if "rng" in reads and any("rng" in names_in(between) for between in lines[i + 1 : j]):
        return
    target = lines[j]
    if found in changed_by(target) or (changed_by(target) - changed_only(target)) & reads:
        return
    if not _reads_well(line.value, target, found, lengths):
        return
    lines[j] = renamed(target, {found: line.value})
    del lines[i]


def names_stored(line: ast.stmt) -> set[str]:
    """All names that stand where something is stored."""
    return {
        n.id for n in ast.walk(line) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _count(line: ast.stmt, found: str) -> int:
    return sum(
        isinstance(n, ast.Name) and n.id == found and isinstance(n.ctx, ast.Load)
        for n in ast.walk(line)
    )


def _reads_well(
    value: ast.expr, target: ast.stmt, found: str, lengths: dict[str, ast.expr]
) -> bool:
    """Whether the longer line can still be read aloud."""
    if isinstance(value, (ast.Name, ast.Constant)):
        return True
    longer = renamed(target, {found: value})
    fits = len(text(renamed(longer, lengths))) <= WIDEST
    if _is_made(value):
        return fits
    for node in ast.walk(target):
        product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
        if product and _heavy(value) and found in names_in(node):
            return False
        inside = isinstance(node, ast.Subscript) and found in names_in(node.value)
        if inside and isinstance(value, (ast.BinOp, ast.Compare, ast.UnaryOp)):
            return False
    own = isinstance(target, ast.Assign) and isinstance(target.value, ast.Name)
    return own or (_weight(longer) <= MOST_IN_A_LINE and fits)


def _heavy(value: ast.expr) -> bool:
    """Whether something is computed within, and not just looked at in another shape."""
    kinds = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp)
    calls = (n for n in ast.walk(value) if isinstance(n, ast.Call))
    looks = (isinstance(c.func, ast.Attribute) and c.func.attr == "reshape" for c in calls)
    return any(isinstance(n, kinds) for n in ast.walk(value)) or not all(looks)


def _weight(line: ast.AST) -> int:
    kinds = (ast.BinOp, ast.Call, ast.Compare, ast.UnaryOp, ast.IfExp, ast.BoolOp)
    return sum(isinstance(node, kinds) and not _is_made(node) for node in ast.walk(line))


def _is_made(node: ast.AST) -> bool:
    """Whether it only makes an array of ones or the like, which is soon read."""
    return isinstance(node, ast.Call) and all(
        isinstance(a, (ast.Constant, ast.Attribute)) for a in node.args
    )


_NAMED = (ast.Add, ast.Sub, ast.Mult, ast.Div)


def _short_of(line: ast.stmt) -> ast.stmt:
    """`w[...] = w - x` as `w -= x`."""
    if not (isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Subscript)):
        return line
    target = line.targets[0]
    whole = isinstance(target.slice, ast.Constant) and target.slice.value is ...
    value: Any = line.value
    simple = isinstance(value, ast.BinOp) and isinstance(value.op, _NAMED)
    if whole and simple and text(value.left) == text(target.value):
        owner = copied(target.value)
        owner.ctx = ast.Store()
        return ast.AugAssign(owner, value.op, value.right)
    return line
