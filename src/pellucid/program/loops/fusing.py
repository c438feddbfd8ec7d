"""Loops put together: what goes over the same rows goes over them once.

Two loops may become one if in each round they touch the same slice of every array that one of them changes:
then nobody can tell the difference. What is made and used up within a round needs no array any more, only a
number; what does not change in a round is computed before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .code import Code, Index, guarded, variable
from .nests import (
    Check,
    Let,
    Line,
    Loop,
    Store,
    changed,
    codes,
    reads,
    stores,
    with_variable,
    writes,
)
from .planning import Array


@dataclass
class Nest:
    """A loop, or a line outside of loops.

    Attributes:
        line: the loop.
        makes: what comes about in it.
        why: remarks.
    """

    line: Line
    makes: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)


class Fuser:
    """Puts the loops of one region together.

    Args:
        arrays: all arrays by name.
        root: which memory an array lies in.
    """

    def __init__(self, arrays: dict[str, Array], root: Callable[[str], Any]) -> None:
        self.arrays, self.root = arrays, root
        self.nests: list[Nest] = []

    def add(self, line: Line, makes: str, why: tuple[str, ...], *, early: bool = False) -> None:
        """One more loop: into one that is there, or behind them; `early`, as far ahead as may be."""
        new = Nest(line, [makes] if makes else [], list(why))
        place = len(self.nests)
        while place > 0:
            there = self.nests[place - 1]
            if not early and self.may_join(there.line, line):
                there.line = self.together(there.line, line)
                there.makes += [m for m in new.makes if m not in there.makes]
                there.why += [w for w in new.why if w not in there.why]
                return
            if self.in_conflict(there.line, line):
                break
            place -= 1
        if early:
            self.nests.insert(place, new)
        else:
            self.nests.append(new)

    def touched(self, line: Line) -> tuple[dict[Any, list[tuple[str, Index]]], set[Any]]:
        """The elements that a line touches, by memory; and which memory it changes."""
        found: dict[Any, list[tuple[str, Index]]] = {}
        written = set()
        for name, index in writes(line):
            found.setdefault(self.root(name), []).append((name, index))
            written.add(self.root(name))
        for name, index in reads(line):
            found.setdefault(self.root(name), []).append((name, index))
        return found, written

    def in_conflict(self, a: Line, b: Line) -> bool:
        """Whether two lines may not change places."""
        (ours, mine), (theirs, yours) = self.touched(a), self.touched(b)
        if isinstance(a, Check) or isinstance(b, Check) or _checks(a) or _checks(b):
            return bool(mine or yours)
        return bool((mine & set(theirs)) | (yours & set(ours)))

    def may_join(self, a: Line, b: Line) -> bool:
        """Whether two loops may become one."""
        if not (isinstance(a, Loop) and isinstance(b, Loop)) or a.size != b.size:
            return False
        (ours, mine), (theirs, yours) = self.touched(a), self.touched(b)
        shared = (mine & set(theirs)) | (yours & set(ours))
        if (_checks(a) and yours) or (_checks(b) and mine):
            return False
        for root in shared:
            axes = self.slices(ours[root], a.variable) & self.slices(theirs[root], b.variable)
            if not axes:
                return False
        return True

    def slices(self, touched: list[tuple[str, Index]], name: str) -> set[Any]:
        """The axes along which a variable picks one slice, in all that is touched."""
        common: set[Any] | None = None
        for array, index in touched:
            shape = self.arrays[array].shape
            axes = {
                (shape[: axis + 1]) for axis, code in enumerate(index)
                if code.op == "var" and code.args[0] == name
            }  # fmt: skip
            common = axes if common is None else common & axes
        return common or set()

    def together(self, a: Any, b: Any) -> Loop:
        """Two loops as one; those within are put together where they may."""
        b = with_variable(b, b.variable, a.at)
        made = Loop(a.size, list(a.body), a.variable)
        for line in b.body:
            self.into(made.body, line)
        return made

    def into(self, body: list[Line], line: Line) -> None:
        """One more line in a loop."""
        place = len(body)
        while place > 0:
            if self.may_join(body[place - 1], line):
                body[place - 1] = self.together(body[place - 1], line)
                return
            if self.in_conflict(body[place - 1], line):
                break
            place -= 1
        body.append(line)


def _checks(line: Line) -> bool:
    if isinstance(line, Loop):
        return any(map(_checks, line.body))
    return isinstance(line, Check)


# ------------------------------------------------------------------- numbers in place of arrays


def numbers_for_arrays(
    line: Line, own: set[str], arrays: dict[str, Array]
) -> tuple[Line, set[str]]:
    """Arrays that are made and used up within one round become numbers.

    Args:
        line: a loop.
        own: arrays that nobody else looks at.
        arrays: all arrays.

    Returns:
        The loop, and the arrays that are not needed any more.
    """
    gone: set[str] = set()
    for name in own:
        places = {index for array, index in (*reads(line), *writes(line)) if array == name}
        if len(places) != 1:
            continue
        (index,) = places
        if any(code.op not in ("var", "whole") for code in index):
            continue
        within = _deepest(line, {c.args[0] for c in index if c.op == "var"})
        if within is None:
            continue
        line = as_number(line, name, name, arrays[name].dtype)
        gone.add(name)
    return line, gone


def rows_for_arrays(
    lines: list[Line], own: set[str], arrays: dict[str, Array]
) -> tuple[list[Line], dict[str, tuple[int, Any]]]:
    """Arrays of which only one row at a time is needed become that row.

    Args:
        lines: loops.
        own: arrays that nobody else looks at.
        arrays: all arrays.

    Returns:
        The loops, and per array that is not needed any more the length and type of its row.
    """
    gone: dict[str, tuple[int, Any]] = {}
    for name in sorted(own):
        shape = arrays[name].shape
        places = {
            index for line in lines for a, index in (*reads(line), *writes(line)) if a == name
        }
        if not shape or shape[-1] > LONGEST or not places:
            continue
        ahead = {index[:-1] for index in places}
        (first,) = ahead if len(ahead) == 1 else (None,)
        if first is None or any(code.op not in ("var", "whole") for code in first):
            continue
        variables = {code.args[0] for code in first if code.op == "var"}
        users = [line for line in lines if any(a == name for a, _ in (*reads(line), *writes(line)))]
        if variables and (len(users) != 1 or _deepest(users[0], variables) is None):
            continue
        lines = [_as_row(line, name) for line in lines]
        gone[name] = shape[-1], arrays[name].dtype
    return lines, gone


LONGEST = 1 << 10  # numbers in a row that is kept with a function's own variables


def _as_row(line: Line, name: str) -> Line:
    def change(code: Code) -> Code:
        code = code.mapped(change)
        if code.op == "load" and code.args[0] == name:
            return Code("load", (name, code.args[-1]), code.dtype)
        return code

    def line_by_line(line: Line) -> Line:
        if isinstance(line, Loop):
            return line.of([line_by_line(b) for b in line.body])
        line = changed(line, change)
        if isinstance(line, Store) and line.array == name:
            return Store(name, line.index[-1:], line.code, line.how, line.skips, line.only)
        return line

    return line_by_line(line)


def without_copies(line: Line, rows: set[str]) -> Line:
    """`x[k] = sums[k]` left out, with x in the place of sums, where both are rows."""
    if not isinstance(line, Loop):
        return line
    for copy in _copies(line, rows):
        old, new = copy.code.args[0], copy.array
        if sum(a == new for a, _ in writes(line)) == 1 and old != new:
            made = _renamed(_less(line, copy), old, new)
            assert isinstance(made, Loop)
            line = made
    return line


def _copies(line: Line, rows: set[str]) -> list[Store]:
    return [
        s for s in stores(line)
        if s.array in rows and s.how is None and s.code.op == "load" and s.code.args[0] in rows
        and s.code.args[1:] == s.index
    ]  # fmt: skip


def _less(line: Loop, store: Store) -> Loop:
    body = [_less(b, store) if isinstance(b, Loop) else b for b in line.body if b is not store]
    return line.of([b for b in body if not (isinstance(b, Loop) and not b.body)])


def _renamed(line: Line, old: str, new: str) -> Line:
    def change(code: Code) -> Code:
        code = code.mapped(change)
        if code.op == "load" and code.args[0] == old:
            return Code("load", (new, *code.args[1:]), code.dtype)
        return code

    if isinstance(line, Loop):
        return line.of([_renamed(b, old, new) for b in line.body])
    line = changed(line, change)
    if isinstance(line, Store) and line.array == old:
        line.array = new
    return line


def _deepest(line: Line, variables: set[str]) -> Line | None:
    """Whether the loops of these variables are around all of a loop's stores that follow."""
    found = line
    while variables:
        if not isinstance(found, Loop) or found.variable not in variables:
            return None
        variables = variables - {found.variable}
        if variables:
            inner = [b for b in found.body if isinstance(b, Loop) and b.variable in variables]
            if len(inner) != 1:
                return None
            found = inner[0]
    return found


def as_number(line: Line, name: str, called: str, dtype: Any) -> Line:
    """A line with a number in place of an array."""
    found = variable(called, dtype)

    def change(code: Code) -> Code:
        if code.op == "load" and code.args[0] == name:
            return found
        return code.mapped(change)

    def line_by_line(line: Line) -> Line:
        if isinstance(line, Loop):
            return line.of([line_by_line(b) for b in line.body])
        if isinstance(line, Store) and line.array == name:
            code = combined(line.how, found, change(line.code), dtype)
            if line.only is not None:
                code = Code("where", (change(line.only), code, found), dtype)
            return Let(called, code)
        return changed(line, change)

    return line_by_line(line)


def combined(how: str | None, old: Code, new: Code, dtype: Any) -> Code:
    """`old += new` and the like as an expression."""
    if how is None:
        return new
    if how == "add" and new.op == "negative":
        return Code("subtract", (old, new.args[0]), dtype)
    if how in ("largest", "smallest") and dtype.kind == "b":
        return Code("or" if how == "largest" else "and", (old, new), dtype)
    return Code(how, (old, new), dtype)


# ------------------------------------------------------------------- short rows, in one go


def apart(line: Line, rows: dict[str, tuple[int, Any]], arrays: dict[str, Array]) -> list[Line]:
    """A short loop that goes along several arrays fills a row of its own, which is copied afterwards.

    A processor computes the whole row at once, if it knows that writing into it changes nothing that
    is still to be read.
    """
    if not isinstance(line, Loop):
        return [line]
    if any(isinstance(b, Loop) for b in line.body):
        return [line.of([c for b in line.body for c in apart(b, rows, arrays)])]
    seen = {a for a, _ in (*reads(line), *writes(line))} - set(rows)
    if any(s.skips or s.only is not None for s in stores(line)) or all(
        _is_simple(c) or c.op == "load" for c in codes(line)
    ):
        return [line]
    if line.size > SHORT or len(seen) < 2 or not {a for a, _ in writes(line)} - set(rows):
        return [line]
    if any(
        len({i for b, i in (*reads(line), *writes(line)) if b == a}) > 1 for a, _ in writes(line)
    ):
        return [line]  # a place that is filled here may be read under another index
    first, second = line.of([]), Loop(line.size, [])
    moved: dict[Code, Code] = {}

    def change(code: Code) -> Code:
        return moved.get(code) or code.mapped(change)

    for inner in line.body:
        inner = changed(inner, change)
        if isinstance(inner, Store) and inner.array not in rows and line.at in inner.index:
            dtype = arrays[inner.array].dtype
            old = Code("load", (inner.array, *inner.index), dtype)
            before = change(old)
            if before is old:
                names = (f"{inner.array}_now{'_' * k}" for k in range(99))
                name = next(n for n in names if n not in rows and n not in arrays)
                rows[name] = line.size, dtype
                now = moved[old] = Code("load", (name, line.at), dtype)
                copy = Store(inner.array, inner.index, now)
                second.body.append(with_variable(copy, line.variable, second.at))
            code = combined(inner.how, before, inner.code, dtype)
            first.body.append(Store(moved[old].args[0], (line.at,), code))
        else:
            first.body.append(inner)
    return [first, second] if second.body else [line]


SHORT = 64  # rounds

# ------------------------------------------------------------------- what does not change in a round


class Hoister:
    """Puts what does not depend on a loop's variable before the loop.

    Attributes:
        constants: what depends on settings alone, and its name.
    """

    def __init__(self, root: Callable[[str], Any], settings: set[str], taken: set[str]) -> None:
        self.root, self.settings, self.taken = root, settings, taken
        self.count = 0
        self.constants: dict[Code, str] = {}

    def once(self, code: Code) -> Code:
        """What does not change within a step."""
        name = self.constants.get(code)
        if name is None:
            stem = "_".join(sorted(code.variables()))
            names = self.constants.values()
            name = next(n for n in (f"{stem}{'_' * k}" for k in range(1, 99)) if n not in names)
            self.constants[code] = name
        return variable(name, code.dtype)

    def fresh(self) -> str:
        """A name for a number."""
        self.count += 1
        name = "each" if self.count == 1 else f"each_{self.count}"
        return self.fresh() if name in self.taken else name

    def through(self, line: Line) -> list[Line]:
        """A line, and ahead of it what its rounds have in common."""
        if not isinstance(line, Loop):
            return [line]
        made = line.of([])
        for inner in line.body:
            made.body += self.through(inner)
        inside = {line.variable} | {b.name for b in made.body if isinstance(b, Let)}
        inside |= {x.variable for x in _loops(made)} | _lets(made)
        changing = {self.root(s.array) for s in stores(made)}
        common: dict[Code, str] = {}

        def lift(code: Code) -> Code:
            if self.stays(code, inside, changing):
                if _is_simple(code):
                    return code
                if not code.loads() and code.variables() <= self.settings:
                    return self.once(code)
                name = common.setdefault(code, "") or self.fresh()
                common[code] = name
                return variable(name, code.dtype)
            if code.op == "multiply":
                return self.sorted_factors(code, inside, changing, lift)
            return code.mapped(lift)

        body = [b if isinstance(b, Loop) else changed(b, lift) for b in made.body]
        made.body = _without_second_names(body)
        ahead: list[Line] = [Let(name, code) for code, name in common.items()]
        skips = _skipped(made)
        if skips is not None and skips.op == "var" and not (skips.variables() & inside):
            made.factor = skips
        else:
            self.ask_once(made, inside)
        return [*ahead, made]

    def ask_once(self, loop: Loop, inside: set[str]) -> None:
        """A condition that is the same in all rounds is looked at before the loop."""
        if len(loop.body) != 1 or not isinstance(loop.body[0], Store):
            return
        store = loop.body[0]
        if store.how != "add":
            return
        code, only = (store.code, store.only) if store.only is not None else guarded(store.code)
        if only is not None and only.op == "var" and not (only.variables() & inside):
            loop.factor = only
            loop.body = [Store(store.array, store.index, code, "add")]

    def stays(self, code: Code, inside: set[str], changing: set[Any]) -> bool:
        """Whether a number is the same in all rounds."""
        if code.variables() & inside:
            return False
        return not any(self.root(c.args[0]) in changing for c in code.loads())

    def sorted_factors(
        self, code: Code, inside: set[str], changing: set[Any], lift: Callable[[Code], Code]
    ) -> Code:
        """A product with the factors that stay the same taken together."""
        flat = _flat(code)
        same = [f for f in flat if self.stays(f, inside, changing)]
        other = [lift(f) for f in flat if not self.stays(f, inside, changing)]
        if len(same) > 1:
            first = same[0]
            for f in same[1:]:
                first = Code("multiply", (first, f), code.dtype)
            same = [first]
        parts = [*map(lift, same), *other]
        made = parts[0]
        for p in parts[1:]:
            made = Code("multiply", (made, p), code.dtype)
        return made


def _without_second_names(body: list[Line]) -> list[Line]:
    """`each_2 = each` left out, with each in the place of each_2."""
    found: list[Line] = []
    known: dict[str, Code] = {}
    for line in body:
        for old, new in known.items():
            line = with_variable(line, old, new)
        if isinstance(line, Let) and _is_each(line.name) and _is_each(str(line.code.args[0])):
            known[line.name] = line.code
        else:
            found.append(line)
    return found


def _is_each(name: str) -> bool:
    return name == "each" or name.startswith("each_")


def _flat(code: Code) -> list[Code]:
    if code.op == "multiply":
        return [f for part in code.args for f in _flat(part)]
    return [code]


def _is_simple(code: Code) -> bool:
    return code.op in ("var", "whole", "number") or code.dtype is None


def _loops(line: Line) -> list[Loop]:
    if not isinstance(line, Loop):
        return []
    return [line, *(x for b in line.body for x in _loops(b))]


def _lets(line: Line) -> set[str]:
    if isinstance(line, Let):
        return {line.name}
    return {n for b in line.body for n in _lets(b)} if isinstance(line, Loop) else set()


def _skipped(loop: Loop) -> Code | None:
    """The factor without which a loop changes nothing, if its only line has one."""
    if len(loop.body) != 1 or not isinstance(loop.body[0], Store):
        return None
    store = loop.body[0]
    if not store.skips or store.how != "add":
        return None
    code = store.code.args[0] if store.code.op == "negative" else store.code
    return next((f for f in _flat(code) if f.op == "var" and f.args[0].startswith("each")), None)
