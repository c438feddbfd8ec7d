"""`pellucid.explain`: one step of a network, explained with its actual numbers.

    explanation = pellucid.explain(step)(inputs, targets)
    print(explanation)                 the step in words: predict, compare, learn
    print(explanation.table())         every operation, with shapes and ranges
    explanation.save("step.html")      a page to go through, forwards and backwards

It is made from the record that `pellucid.write` makes of a step, and says the same in three ways at once: as
lines of the program, as operations of the engine, and as gradients. What the engine computed and what
the program computes are the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import random
from ..program.assemble import Assembled
from ..program.program import Program, _written
from ..program.record import Recorder, Value
from ..tensor import Tensor
from . import step as told
from .replay import ANSWER, Statement, replay

Array = Any


@dataclass(frozen=True)
class Operation(told.Operation):
    """One operation as the engine ran it.

    Attributes:
        name: of the operation ("relu").
        meaning: what it does, in a line.
        shapes: of its inputs.
        result: the numbers it made.
        gradient: what came back to its result, or None where nothing did.
        module: the path of the layer in which it ran; empty outside of all.
        part: "predict", "compare" or "learn".
        line: the line of the program that computes it, as a position in `lines`; None where the
            program does without.
        sources: what its inputs are called in the program; empty where they have no name.
    """

    module: str = ""
    part: str = "predict"
    line: int | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Line:
    """One line of the program.

    Attributes:
        text: the NumPy.
        part: "predict", "compare" or "learn".
        kind: "forward", "gradient", "update" or "between" (a step on the way to a gradient).
        place: its first and last line in the program's source, counted from 1.
        reads: names of what it reads.
        makes: names of what it makes or changes, the foremost first.
        about: what it is about: the quantity it makes, or whose gradient it computes, or which it
            changes. Lines about the same quantity belong together.
        at: for a gradient that belongs to an operation within the line of `about`, which; else empty.
        belongs: for each gradient that it makes, and for the foremost, the quantity it is about.
        before: the numbers of what it changes, as they were before.
        after: the numbers of what it makes.
        operations: the engine's operations that it computes.
    """

    text: str
    part: str
    kind: str
    place: tuple[int, int]
    reads: tuple[str, ...]
    makes: tuple[str, ...]
    about: str
    at: str
    belongs: dict[str, str]
    before: dict[str, Array]
    after: dict[str, Array]
    operations: tuple[Operation, ...]

    @property
    def name(self) -> str:
        """The foremost of what it makes."""
        return self.makes[0]


@dataclass(frozen=True, eq=False)
class Explanation:
    """A step and all of its numbers.

    Attributes:
        title: what the step is called.
        program: the step in NumPy alone; `program.source` is its text.
        given: the numbers that were there before: inputs, weights, constants, by name.
        kinds: what each of them is: "input", "weight", "memory" (of an optimiser) or "constant".
        lines: the program line by line, in the order in which it runs.
        operations: the engine's operations in the order in which they ran.
        loss: the number from which learning went back, or None where nothing was learned.
    """

    title: str
    program: Program
    given: dict[str, Array]
    kinds: dict[str, str]
    lines: tuple[Line, ...]
    operations: tuple[Operation, ...]
    loss: float | None

    def value(self, name: str) -> Array:
        """The numbers of a quantity at the end of the step.

        Raises:
            KeyError: there is none of this name.
        """
        for line in reversed(self.lines):
            if name in line.after:
                return line.after[name]
        return self.given[name]

    def narrate(self, language: str = "en") -> str:
        """The step in words, for a terminal of 80 columns.

        Args:
            language: "en" or "zh-CN".
        """
        from .narration import narrated

        return "\n".join(narrated(self, language))

    def table(self, language: str = "en") -> str:
        """A line for each operation: where it ran, shapes, ranges of values and gradients."""
        from .narration import table

        return table(self, language)

    @cached_property
    def model(self) -> dict[str, Any]:
        """What the page is drawn from: plain lists, numbers and texts, as JSON holds them."""
        from .page import model_of

        return model_of(self)

    def save(self, path: str | Path, language: str = "") -> Path:
        """Write a page to go through with a browser: one file, which needs nothing else.

        Args:
            path: the file; .html is added where the name has no ending.
            language: "en" or "zh-CN": how it begins; by default as the reader's browser speaks.

        Raises:
            ArgumentError: the name has another ending.
        """
        from .page import save

        return save(self, path, language)

    def _repr_html_(self) -> str:
        from .page import framed

        return framed(self)

    def __str__(self) -> str:
        return self.narrate()

    def __repr__(self) -> str:
        return (
            f"<explanation of {self.title}: {len(self.lines)} lines, {len(self.operations)} "
            "operations: print it, .table(), or .save('step.html')>"
        )


def explain(step: Callable[..., Any]) -> Callable[..., Explanation]:
    """Explain one step with its actual numbers.

    Args:
        step: a function that predicts, or predicts, compares and learns; or a module. What
            `pellucid.write` can write down can be explained.

    Returns:
        A function to call with inputs as the step is called. It runs the step, puts everything back as
        it was, and returns the `Explanation`.

    Raises:
        ArgumentError: (from that function) the step cannot be written down; the message says why.

    >>> import pellucid
    >>> weight = pellucid.tensor([[0.5]], requires_grad=True)
    >>> optimizer = pellucid.optim.SGD([weight], lr=0.1)
    >>> def step(toes, wins):
    ...     prediction = toes @ weight
    ...     error = ((prediction - wins) ** 2).sum()
    ...     optimizer.zero_grad()
    ...     error.backward()
    ...     optimizer.step()
    ...     return error
    >>> explanation = pellucid.explain(step)(pellucid.tensor([[2.0]]), pellucid.tensor([[0.8]]))
    >>> [(line.part, line.text) for line in explanation.lines][:2]
    [('predict', 'prediction = toes @ weight'), ('compare', 'difference = prediction - wins')]
    >>> explanation.value("d_weight").round(4), explanation.value("weight").round(4), weight.item()
    (array([[0.8]], dtype=float32), array([[0.42]], dtype=float32), 0.5)
    """

    def explainer(*arguments: Any, **named: Any) -> Explanation:
        state = random.get_rng_state()
        recorder = Watching(step)
        program, _, assembled = _written(step, arguments, named, recorder=recorder)
        inputs = {n: v.array for n, v in assembled.names.items() if n in program.inputs}
        statements = replay(program, inputs, state)
        return _explained(program, recorder, assembled, inputs, statements)

    return explainer


class Watching(Recorder):
    """A recorder that also remembers the engine's operations, and keeps all gradients."""

    def __init__(self, step: Callable[..., Any]) -> None:
        super().__init__(step)
        self.ran: list[tuple[Any, Sequence[Any], Tensor, str, bool]] = []

    def hear(self, op: Any, inputs: Any, settings: dict[str, Any], result: Tensor) -> None:
        """An operation has run."""
        path = self.look_around()
        super().hear(op, inputs, settings, result)
        if result._requires_grad:
            result.retain_grad()
        self.ran.append((op, tuple(inputs), result, path, bool(self.losses)))


def _explained(
    program: Program,
    recorder: Watching,
    assembled: Assembled,
    inputs: dict[str, Array],
    statements: list[Statement],
) -> Explanation:
    """Lines, operations and gradients, each knowing of the others."""
    kinds = {n: v.kind for n, v in assembled.names.items()}
    abouts = _Abouts(recorder, assembled, statements)
    lines_of = {n: i for i, s in reversed([*enumerate(statements)]) for n in s.makes}
    operations = [_operation(recorder, assembled, lines_of, statements, *r) for r in recorder.ran]
    operations = _answering(recorder, operations, statements)
    lines = []
    for i, s in enumerate(statements):
        about, at = abouts.of(i)
        own = tuple(o for o in operations if o.line == i)
        kind = abouts.kind(i)
        place = s.first, s.last
        lines.append(
            Line(
                s.text, s.part, kind, place, tuple(s.reads), tuple(s.makes), about, at,
                abouts.all_of(i), s.before, s.after, own,
            )
        )  # fmt: skip
    loss = float(recorder.losses[0].array.sum()) if recorder.losses else None
    given = {**inputs, **program.weights}
    return Explanation(
        program.title,
        program,
        {n: a.copy() for n, a in given.items()},
        kinds,
        tuple(lines),
        tuple(operations),
        loss,
    )


def _operation(
    recorder: Watching,
    assembled: Assembled,
    lines_of: dict[str, int],
    statements: list[Statement],
    op: Any,
    inputs: Sequence[Any],
    result: Tensor,
    module: str,
    late: bool,
) -> Operation:
    """An operation as it ran, and the line that computes it."""

    def home(thing: Any) -> str:
        value = recorder.values.get(id(thing._value)) if isinstance(thing, Tensor) else None
        return assembled.homes.get(id(value), "")

    line = lines_of.get(home(result))
    part = "learn" if late else statements[line].part if line is not None else ""
    if not part:  # the program does without it: where its inputs are
        before = [lines_of[home(x)] for x in inputs if home(x) in lines_of]
        part = statements[max(before)].part if before else "predict"
    gradient = result._grad
    return Operation(
        name=op.name,
        meaning=(op.__doc__ or "").strip().split("\n")[0],
        shapes=tuple(tuple(np.shape(x)) for x in inputs if x is not None),
        result=result.numpy().copy(),
        gradient=None if gradient is None else told._numbers(gradient),
        module=module,
        part=part,
        line=line,
        sources=tuple(home(x) for x in inputs if x is not None),
    )


def _answering(
    recorder: Watching, operations: list[Operation], statements: list[Statement]
) -> list[Operation]:
    """Operations within the line that a program ends with, which has no name."""
    if not statements or statements[-1].makes != [ANSWER]:
        return operations
    last, answer = len(statements) - 1, statements[-1].after[ANSWER]
    wanted: set[int] = set()
    found = list(operations)
    for i in reversed(range(len(found))):
        operation, (_, inputs, result, *_rest) = found[i], recorder.ran[i]
        same = not wanted and result.shape == answer.shape
        if operation.line is None and (
            id(result) in wanted or (same and np.array_equal(operation.result, answer))
        ):
            found[i] = replace(operation, line=last, part=statements[last].part)
            wanted |= {id(x) for x in inputs}
    return found


class _Abouts:
    """What each line is about."""

    def __init__(
        self, recorder: Recorder, assembled: Assembled, statements: list[Statement]
    ) -> None:
        self.assembled, self.statements = assembled, statements
        self.made_by = {id(v): p for p in recorder.pieces for v in p.outputs if v is not None}
        self.names = {id(v): n for n, v in assembled.names.items()}
        self.foremost = {n: s.makes[0] for s in reversed(statements) for n in s.makes}

    def kind(self, i: int) -> str:
        """What sort of line it is."""
        s = self.statements[i]
        if s.part != "learn":
            return "forward"
        value = self.assembled.values.get(s.makes[0])
        if value is not None and value.kind in ("weight", "memory"):
            return "update"
        return "gradient" if value is not None and value.kind == "gradient" else "between"

    def of(self, i: int) -> tuple[str, str]:
        """The quantity, and for a gradient the operation at which it was taken, if that is another."""
        s = self.statements[i]
        name = s.makes[0]
        value = self.assembled.values.get(name)
        kind = self.kind(i)
        if kind == "gradient":
            assert value is not None
            return self.owner(value)
        if kind == "between":  # a step on the way to whichever gradient comes next
            for later in range(i + 1, len(self.statements)):
                if name in self.statements[later].reads:
                    return self.of(later)[0], ""
        return name, ""

    def all_of(self, i: int) -> dict[str, str]:
        """The quantities that all gradients which a line makes belong to."""
        makes = self.statements[i].makes
        found = {makes[0]: self.of(i)[0]}
        for name in makes[1:]:
            value = self.assembled.values.get(name)
            if value is not None and value.kind == "gradient":
                found[name] = self.owner(value)[0]
        return found

    def owner(self, gradient: Value) -> tuple[str, str]:
        """Whose gradient a value is, and at which operation it was taken if that has no name."""
        owner, op = gradient.owner, ""
        while owner is not None:
            if id(owner) in self.names:
                return self.names[id(owner)], op
            home = self.assembled.homes.get(id(owner), "")
            if home:
                own = self.assembled.values.get(home) is owner
                return self.foremost.get(home, home), op or ("" if own else owner.op)
            # it stands within a line of several results: what it was made from has a name
            op = op or owner.op
            piece = self.made_by.get(id(owner))
            owner = next(iter(piece.folded.arguments.values()), None) if piece else None
        return "", op
