"""What is kept in memory, what is computed where it is needed, and the loops for each."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..known import literal
from ..layout import text
from . import operations
from .code import Code, Index, cast, guarded, load, number, variable, whole
from .code import text as code_text
from .nests import Check, Line, Loop, Store, nested
from .reading import Reader
from .terms import (
    Call,
    Checked,
    Eye,
    Fill,
    Fold,
    Iota,
    Leaf,
    Map,
    Number,
    Product,
    Set,
    SetAt,
    Spread,
    Step,
    Taken,
    Term,
    View,
    memory,
)
from .views import reshaped

LARGE = 1 << 18  # multiplications: from there on BLAS wins against a loop
LONG = 1 << 12  # numbers: sums of more of them are added up in float64
ALWAYS_STORED = (Fold, Product, Spread)


@dataclass
class Array:
    """An array that loops read or write.

    Attributes:
        name: what it is called.
        shape, dtype: of its elements.
        term: whose elements it holds.
        origin: "given", "call" or "own".
    """

    name: str
    shape: tuple[int, ...]
    dtype: Any
    term: Term
    origin: str


@dataclass
class Job:
    """One thing to do: loops, or a call of NumPy's.

    Attributes:
        lines: the loops, of which `first` ones only make room ready.
        call: the call as text, if it is one.
        makes: what comes about, in the program's names.
        why: remarks on how.
        where: for a call, what is called.
        moves: whether a call changes nothing that is there, and may be made earlier.
    """

    lines: list[Line]
    first: int = 0
    call: Any = None
    makes: str = ""
    why: tuple[str, ...] = ()
    where: str = "NumPy"
    moves: bool = False


class Plan:
    """Decides what is stored, and makes the jobs.

    Attributes:
        jobs: what is to be done, in order.
        arrays: the arrays by name.
        inlined: for each job, which terms are computed on the way.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.arrays: dict[str, Array] = {}
        self.names: dict[int, str] = {}
        self.taken = {*reader.functions, *(f"loops_{n}" for n in range(1, 100))}
        self.steps: list[Step] = reader.steps
        self.live = self.live_terms()
        self.stored: set[int] = set()
        self.decide()
        self.name_all()
        self.jobs = self.all_jobs()

    # ---------------------------------------------------------------------- what is stored

    def roots(self, step: Step) -> list[Term]:
        """The terms that a step reads or changes."""
        if isinstance(step, Set):
            return [step.target, step.value]
        if isinstance(step, SetAt):
            return [step.target, *step.picks, step.value]
        if isinstance(step, Checked):
            return [step.ids]
        assert isinstance(step, Call)
        return list(step.given.values())

    def live_terms(self) -> list[Term]:
        """All terms that are needed, in the order in which they were made."""
        found: dict[int, Term] = {}
        for term in [*self.reader.given.values(), *(t for s in self.steps for t in self.roots(s))]:
            found |= {id(t): t for t in term.walk()}
        return sorted(found.values(), key=lambda t: t.time)

    def decide(self) -> None:
        """Choose the terms that are kept in memory."""
        for term in self.live:
            if isinstance(term, ALWAYS_STORED):
                self.store(term)
            if isinstance(term, Product):
                for part in term.parts:
                    if not self.is_loadable(part) or (term.count >= LARGE and _is_taken(part)):
                        self.store(memory(part))
            if isinstance(term, View) and term.rough and not self.is_narrow(memory(term)):
                self.store(memory(term))
        for step in self.steps:
            if isinstance(step, (Set, SetAt)):
                self.store(memory(step.target))
            if isinstance(step, Call):
                for given in step.given.values():
                    self.store(memory(given))
        for given in self.reader.given.values():
            self.store(memory(given))
        parents = self.parents()
        for term in self.live:
            if isinstance(term, (Map, Taken)) and self.is_worth_it(term, parents.get(id(term), [])):
                self.store(term)
        while self.store_what_changes():
            pass

    def store(self, term: Term) -> None:
        """Keep a term in memory."""
        if not isinstance(term, (Leaf, Number)) and not term.is_weak:
            self.stored.add(id(term))

    def is_loadable(self, term: Term) -> bool:
        """Whether an element costs no more than a look."""
        while isinstance(term, (View, Taken)):
            term = term.parts[0]
        return isinstance(term, (Leaf, Fill, Number, *ALWAYS_STORED))

    def is_given(self, term: Term) -> bool:
        """Whether it is what the program was given, or a number."""
        while isinstance(term, View):
            term = term.of
        return isinstance(term, (Leaf, Number))

    def parents(self) -> dict[int, list[Any]]:
        """Who reads a term, views aside."""
        found: dict[int, list[Any]] = {}

        def note(term: Term, reader: Any) -> None:
            while isinstance(term, View):
                term = term.of
            found.setdefault(id(term), []).append(reader)

        for term in self.live:
            if not isinstance(term, View):
                for part in {id(p): p for p in term.parts}.values():
                    note(part, term)
        for step in self.steps:
            for root in self.roots(step):
                note(root, step)
        return found

    def is_worth_it(self, term: Term, parents: list[Any]) -> bool:
        """Whether computing a term anew where it is needed would cost more than keeping it."""
        if term.is_weak or isinstance(term, Taken) or term.shape == ():
            return False
        assert isinstance(term, Map)
        if term.function in ("cast", "copy") and self.is_loadable(term.parts[0]):
            return False
        if term.function in operations.COMPARED and all(map(self.is_given, term.parts)):
            return False
        if len(parents) > 1:
            return not self.is_narrow(term)
        size = int(np.size(term.value))
        for parent in parents:
            if isinstance(parent, SetAt):
                wider = math.prod(parent.shape) > size
            else:
                whole_ = getattr(parent, "target", parent)
                wider = isinstance(whole_, (Map, View, Leaf)) and np.size(whole_.value) > size
            if wider and self.cost(term) > 3:
                return True
        return False

    def is_narrow(self, term: Term) -> bool:
        """Whether it is worked out from less memory than it would take, with next to no work: a mask."""
        read = {id(t): t for t in term.walk() if isinstance(t, Leaf) and t.shape}
        small = all(t.dtype.itemsize < term.dtype.itemsize for t in read.values())
        return isinstance(term, Map) and len(read) == 1 and small and self.cost(term) <= CHEAP

    def cost(self, term: Term) -> int:
        """About how much an element costs that is computed on the way."""
        if isinstance(term, Map) and id(term) not in self.stored:
            title = getattr(term.function, "__name__", str(term.function))
            own = 8 if {title, f"np.{title}"} & operations.COSTLY else 1
            return own + sum(map(self.cost, term.parts))
        return self.cost(term.of) if isinstance(term, View) else 0

    def store_what_changes(self) -> bool:
        """Keep what reads an array that has changed by the time it is needed."""
        written: dict[int, list[int]] = {}
        for step in self.steps:
            changed = [memory(step.target)] if isinstance(step, (Set, SetAt)) else []
            changed = step.changed if isinstance(step, Call) else changed
            for term in changed:
                written.setdefault(id(term), []).append(step.time)
        latest: dict[int, int] = {}
        for step in self.steps:
            for root in self.roots(step):
                latest[id(root)] = max(latest.get(id(root), 0), step.time)
        for root in self.reader.given.values():
            latest[id(root)] = self.reader.time + 1
        more = False
        for term in reversed(self.live):
            kept = id(term) in self.stored
            time = term.time if kept else latest.get(id(term), term.time)
            for part in term.parts:
                latest[id(part)] = max(latest.get(id(part), 0), time)
            if kept or isinstance(term, (View, Leaf, Number)) or term.is_weak:
                continue
            for root in self.read_by(term):
                if any(term.time < w < time for w in written.get(id(root), ())):
                    self.stored.add(id(term))
                    more = True
        return more

    def read_by(self, term: Term) -> list[Term]:
        """The arrays in memory that a term reads when it is computed."""
        found: list[Term] = []
        for part in term.parts:
            if id(part) in self.stored or isinstance(part, Leaf):
                found.append(memory(part))
            else:
                found += self.read_by(part)
        return found

    # ----------------------------------------------------------------------------- names

    def name_all(self) -> None:
        """Names for everything that is kept."""
        for leaf in self.reader.leaves.values():
            self.name(leaf, leaf.name)
        for step in self.steps:
            if isinstance(step, Call):
                for leaf in step.results:
                    self.name(leaf, leaf.name or "found")
        hints = {Fold: "total", Product: "sums", Spread: "table", Fill: "room"}
        for term in self.live:
            if id(term) in self.stored:
                self.name(term, term.name or hints.get(type(term), "part"))

    def name(self, term: Term, wish: str) -> str:
        """A name that nobody else has."""
        found, n = wish, 1
        while found in self.taken or found in RESERVED:
            n += 1
            found = f"{wish}_{n}"
        self.taken.add(found)
        self.names[id(term)] = found
        origin = "own"
        if isinstance(term, Leaf):
            origin = "given" if term.given else "call"
        self.arrays[found] = Array(found, term.shape, term.dtype, term, origin)
        return found

    # --------------------------------------------------------------------------- elements

    def element(self, term: Term, index: Index) -> Code:
        """An element of a term."""
        if id(term) in self.names and (id(term) in self.stored or isinstance(term, Leaf)):
            name = self.names[id(term)]
            if isinstance(term, Leaf) and not isinstance(term.value, np.ndarray):
                return variable(name, term.dtype)
            return load(name, index, term.dtype)
        return self.computed(term, index)

    def computed(self, term: Term, index: Index) -> Code:
        """An element, worked out."""
        if isinstance(term, Number):
            return number(term.value, term.dtype)
        if isinstance(term, Fill):
            return cast(self.element(term.parts[0], ()), term.dtype)
        if isinstance(term, Iota):
            return index[0] if index[0].op != "whole" else number(index[0].args[0], term.dtype)
        if isinstance(term, View):
            face = self.face(term)
            if face is not None:
                return load(face, index, term.dtype)
            within = self.within(term)
            return (
                self.element(term.of, term.place(index))
                if within is None
                else self.mapped(within, index)
            )
        if isinstance(term, Taken):
            table = term.parts[0]
            ahead = len(term.shape) - (len(table.shape) - len(term.picks))
            picks = [self.pick(p, index[:ahead]) for p in term.picks]
            return self.element(table, (*picks, *index[ahead:]))
        if isinstance(term, Eye):
            return cast(Code("equal", index, np.dtype(bool)), term.dtype)
        assert isinstance(term, Map)
        return self.mapped(term, index)

    def within(self, view: View) -> Map | None:
        """A function of elements with other axes, as a function of arrays with these axes."""
        of = view.of
        if (
            not view.shaped
            or not isinstance(of, Map)
            or any(p.shape not in ((), of.shape) for p in of.parts)
        ):
            return None
        parts = [
            reshaped(p, view.shape, f"{{}}.reshape({view.shape})") if p.shape else p
            for p in of.parts
        ]
        return Map(view.value, of.function, parts)

    def pick(self, term: Term, index: Index) -> Code:
        """A whole number that names a place."""
        return self.element(term, self.aligned(term, index))

    def aligned(self, term: Term, index: Index) -> Index:
        """An index into something that is broadcast."""
        own = index[len(index) - len(term.shape) :] if term.shape else ()
        return tuple(whole(0) if n == 1 else i for n, i in zip(term.shape, own, strict=True))

    def mapped(self, term: Map, index: Index) -> Code:
        """A function of elements."""
        args = [self.element(p, self.aligned(p, index)) for p in term.parts]
        args = [cast(a, np.int64) if a.dtype is None else a for a in args]
        if term.function == "copy":
            return args[0]
        if term.function == "cast":
            return operations.truth(args[0]) if term.dtype == bool else cast(args[0], term.dtype)
        if term.function == "where":
            which, a, b = args
            sides = cast(a, term.dtype), cast(b, term.dtype)
            return Code("where", (operations.truth(which), *sides), term.dtype)
        kind = np.result_type(*[p.value for p in term.parts])
        return operations.made(term.function, term.dtype, kind, args)

    def face(self, view: View) -> str | None:
        """The name of an array in memory with other axes, if it has its elements in a row."""
        if not view.shaped:
            return None
        name = self.names.get(id(view.of))
        if name is None or not (id(view.of) in self.stored or view.of.value.flags.c_contiguous):
            return None
        found = "_".join([name, *map(str, view.shape)])
        if found not in self.arrays:
            self.arrays[found] = Array(found, view.shape, view.dtype, view, "face")
        return found

    # ------------------------------------------------------------------------------- jobs

    def all_jobs(self) -> list[Job]:
        """All that is to be done, in order."""
        events: list[Any] = [t for t in self.live if id(t) in self.stored]
        events = sorted([*events, *self.steps], key=lambda e: e.time)
        jobs = []
        for event in events:
            job = self.job(event)
            if job is not None:
                on_the_way = self.on_the_way(event)
                if on_the_way:
                    job.why += (f"{', '.join(on_the_way)}: worked out on the way, not kept",)
                jobs.append(job)
        return jobs

    def on_the_way(self, event: Any) -> list[str]:
        """What has a name in the program, and is only computed where it is needed."""
        found: list[str] = []

        def look(term: Term) -> None:
            if id(term) in self.stored or isinstance(term, Leaf):
                return
            for part in term.parts:
                look(part)
            if isinstance(term, Map) and term.name and term.shape and term.name not in found:
                found.append(term.name)

        for term in event.parts if isinstance(event, Term) else self.roots(event):
            look(term)
        return found

    def job(self, event: Any) -> Job | None:
        """What one event amounts to."""
        if isinstance(event, Checked):
            return self.checking(event)
        if isinstance(event, Set):
            return self.setting(event)
        if isinstance(event, SetAt):
            return self.setting_at(event)
        if isinstance(event, Call):
            results = [self.names[id(leaf)] for leaf in event.results]
            if event.several and len(results) == 1:
                results = [f"({results[0]},)"]
            names = {n: self.spelled(t) for n, t in event.given.items()}
            where, why = _called(event.code)
            call = results, event.code, names
            return Job([], 0, call, ", ".join(results), (why,), where, not event.changed)
        if isinstance(event, Fill) and event.empty:
            return None
        name = self.names[id(event)]
        if isinstance(event, Product):
            large = event.count >= LARGE
            job = self.large_product(event) if large else self.product(name, event)
            job.why += (event.why,) if event.why else ()
            return job
        if isinstance(event, Fold):
            return self.folding(name, event)
        if isinstance(event, Spread):
            return self.spreading(name, event)
        lines = self.in_long_rows(name, event)
        if lines is None:
            lines, _ = nested(
                list(event.shape),
                lambda at: [Store(name, tuple(at), self.stored_code(event, tuple(at)))],
            )
        first = len(lines) if isinstance(event, Fill) else 0
        return Job(lines, first, makes=name)

    def in_long_rows(self, name: str, term: Term) -> list[Line] | None:
        """Loops over (n, everything else) where the last axis is short and all elements stand alike."""
        shape = term.shape
        if (
            len(shape) < 3
            or shape[-1] > SHORT_ROW
            or not isinstance(term, Map)
            or not term.value.size
        ):
            return None
        index = tuple(whole(0) if n == 1 else variable(f"axis_{a}") for a, n in enumerate(shape))
        code = self.stored_code(term, index)
        if code.variables() - {c.args[0] for c in index if c.op == "var"} - self.settings():
            return None
        loads = code.loads()
        if any(c.args[1:] != index or self.arrays[c.args[0]].shape != shape for c in loads):
            return None
        alone = {v for c in code.walk() if c.op not in ("load",) for v in _own_variables(c)}
        if any(v.startswith("axis_") for v in alone):
            return None
        flat = shape[0], math.prod(shape[1:])
        by = {c.args[0]: self.flat(c.args[0], flat) for c in loads}
        goal = self.flat(name, flat)
        if goal is None or None in by.values():
            return None

        def body(at: list[Code]) -> list[Line]:
            def change(c: Code) -> Code:
                if c.op == "load":
                    return load(str(by[c.args[0]]), tuple(at), c.dtype)
                return c.mapped(change)

            return [Store(str(goal), tuple(at), change(code))]

        return nested(list(flat), body)[0]

    def settings(self) -> set[str]:
        """The names of numbers that the program is given."""
        return {n for n, a in self.arrays.items() if not isinstance(a.term.value, np.ndarray)}

    def flat(self, name: str, shape: tuple[int, ...]) -> str | None:
        """An array with its axes behind the first taken together: the name for that."""
        term = self.arrays[name].term
        found = reshaped(term, shape, f"{{}}.reshape({shape})")
        if found is not term and not (isinstance(found, View) and found.shaped):
            return self.names.get(id(found))
        return self.face(found) if isinstance(found, View) else name

    def stored_code(self, term: Term, index: Index) -> Code:
        """The element that is to be stored."""
        code = self.computed(term, index)
        return cast(code, term.dtype)

    def spelled(self, term: Term) -> str:
        """A term in NumPy, between the loops."""
        if isinstance(term, View):
            return term.spelled.format(self.spelled(term.of))
        if isinstance(term, Number):
            return text(literal(term.value))
        if term.is_weak and not isinstance(term, Leaf):
            return code_text(self.element(term, ()))
        return self.names[id(term)]

    def checking(self, step: Checked) -> Job:
        """All whole numbers, before they are used."""
        lines, _ = nested(
            list(step.ids.shape), lambda at: [Check(self.element(step.ids, tuple(at)), step.size)]
        )
        return Job(lines)

    def target(self, term: Term, index: Index) -> tuple[str, Index]:
        """Where an element of a view lies in memory."""
        while isinstance(term, View):
            index, term = term.place(index), term.of
        return self.names[id(term)], index

    def setting(self, step: Set) -> Job:
        """`target += value`."""
        made = self.names[id(memory(step.target))]

        def body(at: list[Code]) -> list[Line]:
            array, index = self.target(step.target, tuple(at))
            code = self.element(step.value, self.aligned(step.value, tuple(at)))
            return [self.update(array, index, step.function, code, step.target)]

        lines, at = nested(list(step.target.shape), body)
        code = self.element(step.value, self.aligned(step.value, tuple(at)))
        own = self.target(step.target, tuple(at))
        if self.reads(code, step.target, own):  # reads elements that it has changed already
            return self.by_way_of(step)
        return Job(lines, makes=made)

    def reads(self, code: Code, target: Term, but: Any = None) -> bool:
        """Whether a number depends on what is in an array: on other elements than `but`."""
        loads = [c for c in code.loads() if (c.args[0], c.args[1:]) != but]
        return memory(target) in [memory(self.arrays[c.args[0]].term) for c in loads]

    def by_way_of(self, step: Set | SetAt) -> Job:
        """The same by way of an array of its own."""
        between = Map(np.array(step.value.value), "copy", [step.value])
        name = self.name(between, "between")
        self.stored.add(id(between))
        first, _ = nested(
            list(between.shape),
            lambda at: [Store(name, tuple(at), self.element(step.value, tuple(at)))],
        )
        second = copy(step)
        second.value = between
        job = self.job(second)
        assert job is not None
        return Job([*first, *job.lines], makes=job.makes)

    def update(self, array: str, index: Index, function: Any, code: Code, target: Term) -> Store:
        """One element changed."""
        dtype = target.dtype
        if function is None:
            return Store(array, index, cast(code, dtype))
        if function in (np.add, np.subtract):
            skips = self.may_skip(code)
            if function is np.subtract:
                return Store(
                    array, index, Code("negative", (cast(code, dtype),), dtype), "add", skips
                )
            return Store(array, index, cast(code, dtype), "add", skips)
        made = operations.made(function, dtype, dtype, [load(array, index, dtype), code])
        return Store(array, index, made)

    def may_skip(self, code: Code) -> bool:
        """Whether a factor is 0 for a dead unit."""
        for c in (c for factor in _factors(code) for c in factor.walk()):
            if c.op == "cast" and c.args[0].dtype == bool:
                return True
            if c.op == "load" and self.is_masked(c.args[0]):
                return True
        return False

    def is_masked(self, name: str) -> bool:
        """Whether an array is a product with truths: a gradient behind a relu."""
        term = self.arrays[name].term
        return (
            isinstance(term, Map) and term.function is np.multiply
            and any(_is_truth(p) for p in term.parts)
        )  # fmt: skip

    def setting_at(self, step: SetAt) -> Job:
        """The same where arrays of whole numbers name the places."""
        shape, ahead = step.shape, len(step.shape) - len(step.target.shape) + len(step.picks)

        def body(at: list[Code]) -> list[Line]:
            index = tuple(at)
            picks = [self.pick(p, index[:ahead]) for p in step.picks]
            array, place = self.target(step.target, (*picks, *index[ahead:]))
            code, only = self.element(step.value, self.aligned(step.value, index)), None
            if step.function in (np.add, np.subtract):
                code, only = guarded(code)
            store = self.update(array, place, step.function, code, step.target)
            store.only = only
            return [store]

        lines, at = nested(list(shape), body)
        value = self.element(step.value, self.aligned(step.value, tuple(at)))
        if self.reads(value, step.target):  # a place may be changed before it is read
            return self.by_way_of(step)
        return Job(lines, makes=self.names[id(memory(step.target))])

    # ----------------------------------------------------------------------- sums and products

    def folding(self, name: str, term: Fold) -> Job:
        """A sum along axes."""
        of = term.parts[0]
        shape = of.shape
        start = number(*_start(term.function, term.dtype))
        how = HOW[term.function]
        count = math.prod(shape[a] for a in term.axes)
        wide = term.dtype == np.float32 and how == "add" and count > LONG
        kept = [a for a in range(len(shape)) if a not in term.axes]
        place = {a: (a if term.keeps else kept.index(a)) for a in kept}
        rank = len(shape) if term.keeps else len(kept)

        def out(at: dict[int, Code]) -> Index:
            found = [whole(0)] * rank
            for a, p in place.items():
                found[p] = at[a]
            return tuple(found)

        dtype = np.dtype(np.float64) if wide else term.dtype
        sums = name
        if wide:
            sums = self.name(Map(np.zeros(term.shape), "copy", []), f"{name}_in_full")
        order = [*kept, *term.axes]
        inner = order == list(range(len(shape))) or not kept

        def add(at: dict[int, Code]) -> Store:
            code = self.element(of, tuple(at[a] for a in range(len(shape))))
            return Store(sums, out(at), cast(code, dtype), how)

        def last(at: dict[int, Code]) -> list[Line]:
            full = load(sums, out(at), dtype)
            return [Store(name, out(at), cast(full, term.dtype))] if wide else []

        axes = order if inner else list(range(len(shape)))
        loops = {a: Loop(shape[a], []) for a in axes}
        at = {a: whole(0) if shape[a] == 1 else loops[a].at for a in axes}
        first = Store(sums, out(at), cast(start, dtype))
        if inner:
            body = _wrapped([add(at)], [loops[a] for a in term.axes])
            lines = _wrapped([first, *body, *last(at)], [loops[a] for a in kept])
            return Job(lines, 0 if kept else 1, makes=name)

        def round_(make: Callable[[dict[int, Code]], list[Line]]) -> list[Line]:
            fresh = {a: Loop(shape[a], []) for a in kept}
            begin = {a: whole(0) if shape[a] == 1 else fresh[a].at for a in kept}
            return _wrapped(make({**at, **begin}), [fresh[a] for a in kept])

        clear = round_(lambda at: [Store(sums, out(at), cast(start, dtype))])
        lines = _wrapped([add(at)], [loops[a] for a in axes])
        return Job([*clear, *lines, *round_(last)], len(clear), makes=name)

    def product(self, name: str, term: Product) -> Job:
        """A matrix product in loops, such that the innermost goes along memory."""
        a, b = term.parts
        rows = a.shape[-2] if len(a.shape) > 1 else 1
        columns = b.shape[-1] if len(b.shape) > 1 else 1
        inner = a.shape[-1]
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        stack = [Loop(n, []) for n in batch]
        ahead = [whole(0) if n == 1 else s.at for n, s in zip(batch, stack, strict=True)]
        dtype = term.dtype

        def side(x: Term, index: list[Code]) -> Code:
            if len(x.shape) == 1:
                index = [index[0] if x is b else index[1]]
                return cast(self.element(x, tuple(index)), dtype)
            full = [*ahead, *index]
            return cast(self.element(x, self.aligned(x, tuple(full))), dtype)

        def out(i: Code, j: Code) -> Index:
            found = [*ahead, *([i] if len(a.shape) > 1 else []), *([j] if len(b.shape) > 1 else [])]
            return tuple(found)

        def loop(n: int) -> tuple[Loop, Code]:
            made = Loop(n, [])
            return made, (whole(0) if n == 1 else made.at)

        (li, i), (lj, j), (lk, k) = loop(rows), loop(columns), loop(inner)
        zero = number(0, dtype)
        both = operations.made(np.multiply, dtype, dtype, [side(a, [i, k]), side(b, [k, j])])
        if columns == 1 or (rows < FEW and self.runs_along(b, 0)):
            body = [
                Store(name, out(i, j), zero),
                *_wrapped([Store(name, out(i, j), both, "add")], [lk]),
            ]
            lines = _wrapped(body, [*stack, li, lj])
            return Job(lines, makes=name, why=("dot products along rows",))
        turned: list[Line] = []
        if self.runs_along(b, 0) and len(b.shape) == 2:
            b_code, turned = self.turned_copy(b, dtype)
            both = operations.made(np.multiply, dtype, dtype, [side(a, [i, k]), b_code(k, j)])
        single = rows == 1 and not batch
        # a row of sums is added up where nobody else can see it, and put in its place at the end
        sums = name if single else self.name(Map(term.value, "copy", []), f"{name}_row")
        (l2, j2), (l3, j3) = loop(columns), loop(columns)
        clear = _wrapped([Store(sums, out(i, j2), zero)], [l2])
        add = _wrapped([Store(sums, out(i, j), both, "add")], [lk, lj])
        why = ("row by row, along memory",)
        if not single:
            add += _wrapped([Store(name, out(i, j3), load(sums, out(i, j3), dtype))], [l3])
        if single:
            return Job([*turned, *clear, *add], len(turned) + len(clear), makes=name, why=why)
        lines = _wrapped([*clear, *add], [*stack, li])
        return Job([*turned, *lines], len(turned), makes=name, why=why)

    def turned_copy(self, b: Term, dtype: Any) -> tuple[Any, list[Line]]:
        """A small matrix turned, so that a loop goes along its memory."""
        copy = Map(np.array(b.value), "copy", [b])
        name = self.name(copy, f"{self.names.get(id(memory(b)), 'matrix')}_turned")
        lines, _ = nested(
            list(b.shape), lambda at: [Store(name, tuple(at), self.element(b, tuple(at)))]
        )
        return (lambda k, j: cast(load(name, (k, j), b.dtype), dtype)), lines

    def runs_along(self, term: Term, axis: int) -> bool:
        """Whether neighbours in memory are neighbours along this of the last two axes."""
        strides = getattr(term.value, "strides", ())
        if len(strides) < 2 or 0 in strides[-2:]:
            return False
        return bool(strides[-2 + axis] < strides[-1 - axis])

    def large_product(self, term: Product) -> Job:
        """A product that BLAS does."""
        a, b = (self.spelled(p) if self.is_spelled(p) else None for p in term.parts)
        if a is None or b is None:
            return self.product(self.names[id(term)], term)
        name = self.names[id(term)]
        function = "np.dot" if max(len(p.shape) for p in term.parts) <= 2 else "np.matmul"
        code = f"{function}({a}, {b}, out={name})"
        same = len({p.dtype for p in (*term.parts, term)}) == 1
        call: Any = ([], code, {}) if same else ([], f"{name}[...] = {a} @ {b}", {})
        why = f"{term.count:,} multiplications: BLAS is faster than a loop"
        return Job([], call=call, makes=name, why=(why,))

    def is_spelled(self, term: Term) -> bool:
        """Whether a term can be written in NumPy, between the loops."""
        while isinstance(term, View):
            term = term.of
        return id(term) in self.names

    def spreading(self, name: str, term: Spread) -> Job:
        """Rows added at the places that whole numbers name."""
        ids, rows = term.parts
        clear, _ = nested(
            list(term.shape), lambda at: [Store(name, tuple(at), number(0, term.dtype))]
        )

        def body(at: list[Code]) -> list[Line]:
            row = self.pick(ids, (at[0],))
            code = cast(self.element(rows, tuple(at)), term.dtype)
            return [Store(name, (row, at[1]), code, "add")]

        lines, _ = nested(list(rows.shape), body)
        return Job([*clear, *lines], len(clear), makes=name, why=("rows added where they belong",))


SHORT_ROW = 64  # numbers along the last axis: longer rows are long enough
CHEAP = 4  # operations on an element: no more than fetching it
FEW = 4  # rows: for fewer, turning a matrix costs more than it saves
KERNELS = {  # why they are called
    "convolution": "its sums stay in registers",
    "recurrence": "all of a step between two products, in one call",
}
HOW = {np.add: "add", np.multiply: "multiply", np.maximum: "largest", np.minimum: "smallest"}
RESERVED = {"np", "f32", "f64", "i64", "i32", "i16", "i8", "u8", "u16", "u32", "u64", "i", "j", "k",
            "l", "m", "n", "loops", "short_rows", "rng", "math", "step", "each", *operations.HELPERS}  # fmt: skip


def _start(function: Any, dtype: Any) -> tuple[Any, Any]:
    if function is np.add:
        return 0, dtype
    if function is np.multiply:
        return 1, dtype
    if dtype.kind == "b":
        return function is np.minimum, dtype
    if dtype.kind == "f":
        return (-np.inf if function is np.maximum else np.inf), dtype
    limits = np.iinfo(dtype)
    return (limits.min if function is np.maximum else limits.max), dtype


def _wrapped(lines: list[Line], loops: list[Loop]) -> list[Line]:
    """Lines within loops, of which those of size 1 are left out."""
    for loop in reversed(loops):
        if loop.size != 1 and lines:
            loop.body = lines
            lines = [loop]
    return lines


def _called(code: Any) -> tuple[str, str]:
    """What a call calls, and why."""
    name = text(code.func) if isinstance(code, ast.Call) else ""
    if not name.startswith("pellucid.kernels."):
        return "NumPy", "has no loop form"
    return "a kernel", KERNELS.get(name.split(".")[2], "compiled")


def _is_taken(term: Term) -> bool:
    """Whether it is rows of another array: BLAS wants them side by side."""
    while isinstance(term, View):
        term = term.of
    return isinstance(term, Taken)


def _own_variables(code: Code) -> set[str]:
    """Variables that are read as numbers, and not as the index of an array."""
    return {a.args[0] for a in code.parts() if a.op == "var"}


def _factors(code: Code) -> list[Code]:
    if code.op == "multiply":
        return [f for part in code.parts() for f in _factors(part)]
    return _factors(code.args[0]) if code.op == "negative" else [code]


def _is_truth(term: Term) -> bool:
    while isinstance(term, View) or (isinstance(term, Map) and term.function == "cast"):
        term = term.parts[0]
    return bool(term.dtype == bool)


__all__ = ["Job", "Plan", "ast"]
