"""A loop program as text: a Python module whose functions Numba compiles."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..known import renamed
from ..layout import laid_out
from ..layout import text as laid
from . import operations
from .code import TYPES, Code, text, variable
from .fusing import (
    SHORT,
    Fuser,
    Hoister,
    Nest,
    apart,
    as_number,
    combined,
    numbers_for_arrays,
    rows_for_arrays,
    without_copies,
)
from .nests import Check, Let, Line, Loop, Store, codes, reads, stores, writes
from .planning import Array, Job, Plan
from .reading import Reader
from .terms import Leaf, Term, View, memory

VARIABLES = "ijklmn"
OUT_OF_RANGE = "out of range"  # what loops say of a whole number that names no place


@dataclass(frozen=True)
class Fused:
    """A line of the table of what was fused.

    Attributes:
        where: "loop over 40", "NumPy", or "a kernel".
        makes: the values that come about there.
        why: remarks on how.
    """

    where: str
    makes: tuple[str, ...]
    why: tuple[str, ...]


@dataclass
class Region:
    """Loops without a call between them: one compiled function."""

    nests: list[Nest]
    name: str = ""
    arguments: tuple[str, ...] = ()
    constants: list[Let] = field(default_factory=list)
    rows: dict[str, tuple[int, Any]] = field(default_factory=dict)


class Written:
    """The text of a loop program.

    Attributes:
        source: the module.
        title: the function that does a step.
        arguments: the names of what it is given, in order: first what the program is given, then
            arrays of its own.
        own: the arrays of its own: name, shape, type; and whether they leave with the result.
        whole: whether it is one compiled function, without calls of NumPy's.
        repeats: whether there is a second one, `epoch`, that goes through many batches.
        fused: the table.
    """

    def __init__(self, reader: Reader, title: str, inputs: list[str]) -> None:
        self.reader, self.title, self.inputs = reader, title, inputs
        self.plan = Plan(reader)
        self.arrays = self.plan.arrays
        self.fused: list[Fused] = []
        parts = self.regions()
        self.used = self.names_used(parts)
        self.returned = self.returning()
        self.leaving = self.names_leaving()
        gone: set[str] = set()
        for part in parts:
            if isinstance(part, Region):
                gone |= self.shorten(part)
        self.gone = gone
        names = [n for n in self.order() if n not in gone]
        self.arguments = tuple(names)
        self.whole = len(parts) == 1 and isinstance(parts[0], Region) and not reader.used
        self.repeats = False
        words = f"{title} in explicit loops, as Pellucid wrote them down."
        self.source = self.module(parts, words)

    # ------------------------------------------------------------------------------- regions

    def root(self, name: str) -> Any:
        """Which memory an array lies in."""
        return id(memory(self.arrays[name].term)) if name in self.arrays else name

    def regions(self) -> list[Region | Job]:
        """The jobs, with loops between calls put together."""
        parts: list[Region | Job] = []
        fuser: Fuser | None = None
        for job in self.plan.jobs:
            if job.call is not None and fuser is not None and self.may_go_ahead(job, fuser):
                parts.insert(len(parts) - 1, job)
                continue
            if job.call is not None:
                parts.append(job)
                fuser = None
                continue
            if fuser is None:
                fuser = Fuser(self.arrays, self.root)
                parts.append(Region(fuser.nests))
            for n, line in enumerate(job.lines):
                why = job.why if n >= job.first else ("where the sums begin",)
                fuser.add(line, job.makes, why, early=n < job.first)
        return parts

    def may_go_ahead(self, job: Job, fuser: Fuser) -> bool:
        """Whether a call does not wait for the loops before it, so that they meet those behind it."""
        made = {self.root(s.array) for nest in fuser.nests for s in stores(nest.line)}
        read = {self.root(n) for n in re.findall(r"\w+", self.call_text(job))}
        return job.moves and not read & made

    def names_used(self, parts: list[Region | Job]) -> dict[str, set[int]]:
        """In which parts an array is used."""
        found: dict[str, set[int]] = {}
        for n, part in enumerate(parts):
            if isinstance(part, Region):
                for nest in part.nests:
                    for name in _names(nest.line):
                        found.setdefault(name, set()).add(n)
            else:
                for name in re.findall(r"\w+", self.call_text(part)):
                    found.setdefault(name, set()).add(n)
        return found

    def returning(self) -> str:
        """The expression that is returned."""
        by: dict[str, ast.expr] = {}
        for name, term in self.reader.given.items():
            by[name] = ast.parse(self.plan.spelled(term), mode="eval").body
        return laid(renamed(self.reader.returned, by))

    def names_leaving(self) -> set[str]:
        """The arrays that leave with the result, so that each step needs new ones."""
        roots = {id(memory(t)) for t in self.reader.given.values()}
        for a in self.arrays.values():
            if isinstance(a.term, Leaf) and a.name in re.findall(r"\w+", self.returned):
                roots.add(id(memory(a.term)))
        return {n for n, a in self.arrays.items() if a.origin == "own" and id(a.term) in roots}

    def shorten(self, region: Region) -> set[str]:
        """Numbers in place of arrays, and what rounds have in common ahead of them."""
        gone: set[str] = set()
        counts: dict[str, int] = {}
        for nest in region.nests:
            for name in _names(nest.line):
                counts[name] = counts.get(name, 0) + 1
        faces = {self.root(n) for n, a in self.arrays.items() if a.origin == "face"}
        settings = {n for n, a in self.arrays.items() if not isinstance(a.term.value, np.ndarray)}
        hoister = Hoister(self.root, settings, set(self.arrays))
        lines: list[tuple[Nest, list[Line]]] = []

        def is_own(n: str) -> bool:
            return (
                n in self.arrays and len(self.used[n]) == 1 and self.arrays[n].origin == "own"
                and n not in self.leaving and self.root(n) not in faces
            )  # fmt: skip

        for nest in region.nests:
            own = {n for n in _names(nest.line) if counts[n] == 1 and is_own(n)}
            nest.line, less = numbers_for_arrays(nest.line, own, self.arrays)
            gone |= less
        own = {n for n in counts if is_own(n)} - gone
        found, region.rows = rows_for_arrays([n.line for n in region.nests], own, self.arrays)
        gone |= set(region.rows)
        for nest, line in zip(region.nests, found, strict=True):
            alone = {n for n in region.rows if counts.get(n) == 1}
            nest.line = without_copies(line, alone)
            block = apart(nest.line, region.rows, self.arrays)
            lines.append((nest, [h for b in block for h in hoister.through(b)]))
        for name in sorted({n for n, uses in counts.items() if self.is_number(n)} - gone):
            called = f"{name}_so_far" if name in self.leaving else name
            for _, block in lines:
                block[:] = [as_number(b, name, called, self.arrays[name].dtype) for b in block]
            if name in self.leaving:
                last = Store(name, (), variable(called, self.arrays[name].dtype))
                lines.append((Nest(last), [last]))
            else:
                gone.add(name)
        region.constants = [Let(name, code) for code, name in hoister.constants.items()]
        region.nests = [Nest(Block(block), nest.makes, nest.why) for nest, block in lines]  # type: ignore[arg-type]
        return gone

    def is_number(self, name: str) -> bool:
        """Whether an array is a single number that only one region looks at."""
        a = self.arrays.get(name)
        return a is not None and a.origin == "own" and a.shape == () and len(self.used[name]) == 1

    # ---------------------------------------------------------------------------------- text

    def order(self) -> list[str]:
        """The arguments in order: what the program is given, then what is its own."""
        mentioned = set(self.used) | set(re.findall(r"\w+", self.returned))
        given = [n for n, a in self.arrays.items() if a.origin == "given" and n in mentioned]
        faces = [self.faced(n) for n in self.arrays if self.is_face(n)]
        given += [n for n in faces if n not in given and self.arrays[n].origin == "given"]
        own = [
            n
            for n, a in self.arrays.items()
            if a.origin == "own" and (n in mentioned or n in faces)
        ]
        return [*given, *own]

    def is_face(self, name: str) -> bool:
        """Whether it is another array with other axes."""
        return name in self.arrays and self.arrays[name].origin == "face"

    def faced(self, name: str) -> str:
        """Which one."""
        term = self.arrays[name].term
        assert isinstance(term, View)
        return self.plan.names[id(term.of)]

    def own(self) -> list[tuple[str, tuple[int, ...], Any, bool]]:
        """Arrays of its own: name, shape, type, and whether each step needs a new one."""
        found = []
        for n in self.arguments:
            a = self.arrays[n]
            if a.origin == "own":
                found.append((n, a.shape, a.dtype, n in self.leaving))
        return found

    def module(self, parts: list[Region | Job], words: str) -> str:
        """The whole text."""
        functions: list[str] = []
        calls: list[str] = []
        for part in parts:
            if isinstance(part, Job):
                calls.append(self.call_text(part))
                self.fused.append(Fused(part.where, (part.makes,) if part.makes else (), part.why))
                continue
            part.arguments = self.needed_by(part)
            part.name = self.title if self.whole else f"loops_{len(functions) + 1}"
            functions.append(self.function(part))
            calls.append(f"{part.name}({', '.join(part.arguments)})")
        if self.whole:
            part = parts[0]
            assert isinstance(part, Region)
            self.arguments = part.arguments
            self.repeats = self.may_repeat()
            if self.repeats:
                functions.append(self.epoch())
        driver = "" if self.whole else self.driver(calls)
        kept = "\n\n\n".join(
            _unparsed(self.reader.functions[n])
            for n in self.reader.functions
            if n in self.reader.used
        )
        body = "\n\n\n".join([*([kept] if kept else []), *functions, *([driver] if driver else [])])
        return f"{_head(words, body)}\n\n\n{body}\n"

    def may_repeat(self) -> bool:
        """Whether many steps can be made in one call: each result is an array of the step's own."""
        parts = self.reader.returned
        names = parts.elts if isinstance(parts, ast.Tuple) else [parts]
        results = [self.reader.given.get(n.id) for n in names if isinstance(n, ast.Name)]
        own = {self.plan.names.get(id(t)) for t in results}
        batched = [n for n in self.arguments if n in self.inputs]
        return (
            self.title != "epoch" and bool(batched) and len(results) == len(names)
            and own <= self.leaving and None not in own
        )  # fmt: skip

    def epoch(self) -> str:
        """The function that makes a step for each of many batches."""
        given, ahead, behind = [], [], []
        first = next(n for n in self.arguments if n in self.inputs)
        for n in self.arguments:
            if n in self.leaving and not self.arrays[n].shape:
                ahead.append(f"{n}_now = np.empty((), np.{self.arrays[n].dtype.name})")
                given.append(f"{n}_now")
                behind.append(f"{n}[n] = {n}_now[()]")
            elif n in self.inputs or n in self.leaving:
                given.append(f"{n}[n]")
            else:
                given.append("t + n" if n == "t" else n)
        call = ast.unparse(ast.parse(f"{self.title}({', '.join(given)})"))
        lines = [*ahead, f"for n in range(len({first})):"]
        lines += [f"    {line}" for line in (call, *behind)]
        body = "\n".join(f"    {line}" for line in lines)
        return f"@loops\n{_signature('epoch', self.arguments)}\n{body}"

    def needed_by(self, region: Region) -> tuple[str, ...]:
        """The arrays and numbers that a region is given."""
        names = {n for nest in region.nests for n in _names(nest.line)}
        names |= {v for let in region.constants for v in let.code.variables()}
        faces = {n: self.faced(n) for n in names if self.is_face(n)}
        wanted = {faces.get(n, n) for n in names}
        if self.whole:
            wanted |= set(re.findall(r"\w+", self.returned))
        order = [*self.arguments, *(n for n, a in self.arrays.items() if a.origin == "call")]
        return tuple(n for n in order if n in wanted)

    def function(self, region: Region) -> str:
        """One compiled function."""
        lines: list[str] = []
        names = {n for nest in region.nests for n in _names(nest.line)}
        faces = sorted(filter(self.is_face, names))
        lines += [f"{n} = {self.faced(n)}.reshape({self.arrays[n].shape})" for n in faces]
        for n, (size, kind) in region.rows.items():
            if n in names:
                lines.append(f"{n} = row({size}, {TYPES[kind.name]})")
        lines += map(self.let, region.constants)
        for nest in region.nests:
            self.note(nest)
            if nest.makes:
                lines.append("# " + ", ".join(nest.makes))
            lines += self.lines(nest.line.lines, [])  # type: ignore[union-attr]
        body = "\n".join(f"    {line}" for line in lines or ["pass"])
        way = "short_rows" if _has_short_rows(region) else "loops"
        return f"@{way}\n{_signature(region.name, region.arguments)}\n{body}"

    def lines(self, block: list[Line], around: list[str]) -> list[str]:
        """Lines of code; `around` are the variables of the loops around."""
        found: list[str] = []
        for line in block:
            if isinstance(line, Loop):
                name = VARIABLES[len(around)] if len(around) < len(VARIABLES) else f"i{len(around)}"
                inner = [_with(b, line.variable, name) for b in line.body]
                rows = [f"for {name} in range({line.size}):"]
                rows += ["    " + r for r in self.lines(inner, [*around, name])]
                if line.factor is not None:
                    asked = "" if line.factor.dtype == bool else " != 0"
                    rows = [f"if {text(line.factor)}{asked}:", *("    " + r for r in rows)]
                found += rows
            elif isinstance(line, Let):
                found.append(self.let(line))
            elif isinstance(line, Check):
                code = text(line.code)
                found += [
                    f"if not 0 <= {code} < {line.size}:",
                    f'    raise IndexError("{OUT_OF_RANGE}")',
                ]
            elif line.only is not None:
                found += [f"if {text(line.only)}:", f"    {self.store(line)}"]
            else:
                found.append(self.store(line))
        return found

    def let(self, line: Let) -> str:
        """`name = code`, or shorter."""
        old, code = line.name, line.code
        for op, sign in (("add", "+"), ("subtract", "-"), ("multiply", "*")):
            if code.op == op and code.args[0].op == "var" and code.args[0].args[0] == old:
                return f"{old} {sign}= {text(code.args[1])}"
        return f"{old} = {text(code)}"

    def store(self, line: Store) -> str:
        """`array[index] = code`, or shorter."""
        index = ", ".join(map(text, line.index)) or "()"
        place = f"{line.array}[{index}]"
        if line.how == "add" and line.code.op == "negative":
            return f"{place} -= {text(line.code.args[0])}"
        if line.how in ("add", "multiply") and line.code.dtype != bool:
            return f"{place} {'+' if line.how == 'add' else '*'}= {text(line.code)}"
        dtype = line.code.dtype
        old = Code("load", (line.array, *line.index), dtype)
        return f"{place} = {text(combined(line.how, old, line.code, dtype))}"

    def note(self, nest: Nest) -> None:
        """A line of the table."""
        block: list[Line] = nest.line.lines  # type: ignore[union-attr]
        loop = next((b for b in block if isinstance(b, Loop)), None)
        where = f"loop over {loop.size}" if loop else "once"
        why = list(nest.why)
        if len(nest.makes) > 1:
            why.insert(0, "the same rows, gone over once")
        asked = [c for b in block for c in _asked(b)]
        if any(c.dtype != bool for c in asked):
            why.append("rows with a slope of 0 skipped")
        if any(c.dtype == bool for c in asked):
            why.append("what would add 0 left out")
        if nest.makes:
            self.fused.append(Fused(where, tuple(nest.makes), tuple(why)))

    def call_text(self, job: Job) -> str:
        """A call of NumPy's as text."""
        results, code, names = job.call
        if not isinstance(code, str):
            by = {n: ast.parse(t, mode="eval").body for n, t in names.items()}
            code = renamed(code, by)
            code = "\n".join(laid_out([code])) if isinstance(code, ast.stmt) else laid(code)
        return f"{', '.join(results)} = {code}" if results else code

    def driver(self, calls: list[str]) -> str:
        """The function that calls the compiled ones, and NumPy between them."""
        lines = [*calls, f"return {self.returned}"] if self.returned != "None" else calls
        body = "\n".join(f"    {line}" for line in lines or ["pass"])
        return f"{_signature(self.title, self.arguments)}\n{body}"


@dataclass
class Block:
    """Lines one after the other."""

    lines: list[Line]


def _names(line: Any) -> set[str]:
    """The arrays and numbers in a line."""
    lines = line.lines if isinstance(line, Block) else [line]
    found: set[str] = set()
    for part in lines:
        found |= (
            {n for n, _ in reads(part)}
            | {s.array for s in stores(part)}
            | {n for n, _ in writes(part)}
        )
        found |= {v for c in codes(part) for v in c.variables()}
    return found


def _has_short_rows(region: Region) -> bool:
    """Whether sums are added up in short rows, and no function goes along long ones."""
    loops = [x for nest in region.nests for b in nest.line.lines for x in _innermost(b)]  # type: ignore[union-attr]
    short = any(
        x.size <= SHORT and any(s.how == "add" and s.array in region.rows for s in stores(x))
        for x in loops
    )
    costly = {"exp", "tanh"}
    long = any(
        x.size > SHORT and any(d.op in costly for c in codes(x) for d in c.walk()) for x in loops
    )
    return short and not long


def _innermost(line: Line) -> list[Loop]:
    if not isinstance(line, Loop):
        return []
    inner = [x for b in line.body for x in _innermost(b)]
    return inner or [line]


def _asked(line: Line) -> Iterator[Code]:
    """The conditions on which loops and lines are gone through."""
    if isinstance(line, Store) and line.only is not None:
        yield line.only
    if isinstance(line, Loop):
        if line.factor is not None:
            yield line.factor
        for inner in line.body:
            yield from _asked(inner)


def _with(line: Line, old: str, new: str) -> Line:
    from .code import variable
    from .nests import with_variable

    if isinstance(line, Loop):
        return line.of([_with(b, old, new) for b in line.body])
    return with_variable(line, old, variable(new))


def _head(words: str, body: str) -> str:
    """What stands above the functions: imports, and short names of types."""
    called = set(re.findall(r"\b(\w+)\(", body))
    ways = {way for way in ("loops", "short_rows") if f"@{way}\n" in body}
    helpers = sorted(ways | (operations.HELPERS & called))
    maths = ["import math", ""] if re.search(r"\bmath\.", body) else []
    said = set(re.findall(r"\w+", body))
    kinds = [f"{short} = np.{k}" for k, short in TYPES.items() if short in said and short != k]
    ours = ["import pellucid"] if "pellucid." in body else []
    if helpers:
        ours.append(f"from pellucid.program.loops.functions import {', '.join(helpers)}")
    return "\n".join(
        [f'"""{words}"""', "", *maths, "import numpy as np", "", *ours, "", *kinds]
    ).rstrip()


def _signature(title: str, names: tuple[str, ...]) -> str:
    from ..assemble import _signature as signature

    return "\n".join(signature(title, list(names)))


def _unparsed(function: ast.FunctionDef) -> str:
    return ast.unparse(function)


__all__ = ["Array", "Callable", "Fused", "Term", "Written"]
