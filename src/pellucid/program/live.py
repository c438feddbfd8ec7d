"""A program on live arrays: the model's own weights, the optimiser's own memory."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from .. import random, tape
from ..errors import ArgumentError, PellucidWarning
from ..ops.base import as_result
from ..tensor import Tensor
from .loops import LoopProgram
from .program import Program, _flat, _recorded, _written
from .reuse import Reused

Array = Any


def lengths_vary(source: str) -> bool:
    """Whether a program picks numbers by a condition: how many there are differs from step to step.

    >>> lengths_vary("kept = ids != 0\\nflat = ids[kept]"), lengths_vary("flat = ids[rows]")
    (True, False)
    >>> lengths_vary("flat = ids[ids != 0]")
    True
    """
    nodes = list(ast.walk(ast.parse(source)))
    conditions = {
        target.id
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Compare)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    places = [
        node.slice
        for node in nodes
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
    ]
    return any(
        isinstance(place, ast.Compare) or (isinstance(place, ast.Name) and place.id in conditions)
        for place in places
    )


def _chosen(step: Callable[..., Any], arguments: Any, named: Any, loops: bool) -> Any:
    """The text to be read, the program that runs (as `_recorded` gives it), whether as loops."""
    source = ""
    if loops:
        found = _recorded(step, arguments, named)  # among loops, a kernel may be called
        source = found[0].source
        if not lengths_vary(source):
            return source, found, True
        with suppress(ArgumentError):  # some rules have a form with lengths that stay
            found = _recorded(step, arguments, named, "loops")
            if not lengths_vary(found[0].source):
                return source, found, True
    found = _written(step, arguments, named, "fast")
    return source or found[0].source, found, False


class Live:
    """A recorded step that runs as its program, in one of two renderings.

    Attributes:
        source: the text that is to be read, in NumPy alone.
        program: in NumPy, for whatever runs; what is run as loops may call kernels.
        loops: as loops, if there are any.
        reused: otherwise the NumPy program with rooms for its results.
        kinds, modes, settings: what it depends on, as it was when it ran last.
    """

    def __init__(
        self, step: Callable[..., Any], arguments: Any, named: Any, *, loops: bool
    ) -> None:
        self.source: str
        self.program: Program
        self.source, found, loops = _chosen(step, arguments, named, loops)
        self.program, self.recorder, assembled = found
        if "pellucid." in self.source:
            self.source = in_numpy_alone(step, arguments, named)
        self.inputs = list(self.program.inputs)
        values = {n: v for n, v in assembled.names.items() if n not in self.inputs}
        self.tensors = {n: v.owner for n, v in values.items() if v.kind == "weight"}
        self.memory = {n: v.owner for n, v in values.items() if v.kind == "memory"}
        self.constants = {n: v.array for n, v in values.items() if v.kind == "constant"}
        changed = {id(v) for piece in self.recorder.pieces for v in piece.changes}
        self.changing = [
            v.owner for v in values.values() if id(v) in changed and v.kind == "weight"
        ]
        self.plain = all(isinstance(a, (Tensor, np.ndarray)) for a in arguments) and not named
        self.plain = self.plain and len(arguments) == len(self.inputs)
        self.kinds: list[Any] = []
        self.modes: list[bool] = []
        self.settings: list[Any] = []
        self.loops: LoopProgram | None = None
        self.reused: Reused | None = None
        arrays = {n: v.array for n, v in assembled.names.items()}
        if not loops and not lengths_vary(self.program.source):  # else it is right for any length
            self.reused = self.reusing(arrays)
        if loops:
            self.loops = LoopProgram(self.program, arrays, self.numbers(), self.inputs)
            self.prepare(self.loops)

    def reusing(self, arrays: dict[str, Array]) -> Reused:
        """The program with rooms for its results."""
        program = self.program
        given = {n: a.copy() for n, a in arrays.items()}
        space = {**program.namespace, "rng": np.random.Generator(np.random.SFC64(0))}
        if program._counts:
            given["t"] = 1
        return Reused(program.source, program.title, space, given)

    # ----------------------------------------------------------------------- what it is given

    def arrays(self, step: Callable[..., Any], arguments: Sequence[Any], named: Any) -> list[Array]:
        """The inputs, in the program's order."""
        if self.plain:
            return [a._value if isinstance(a, Tensor) else a for a in arguments]
        flat = _flat(step, arguments, named)
        return [flat[n] for n in self.inputs]

    def numbers(self) -> dict[str, Any]:
        """Settings of the optimiser, and the number of the step."""
        found: dict[str, Any] = {}
        for n, (group, setting, place) in self.recorder.sources.items():
            found[n] = float(group[setting] if place is None else group[setting][place])
        if self.program._counts:
            found["t"] = self.number()
        return found

    def number(self) -> int:
        """The number of the step, from 1."""
        if not self.recorder.counted:
            return 1
        optimizer, p, group = self.recorder.counted[0]
        return int(optimizer.state_of(p, group)["step"]) + 1

    def remembered(self, name: str) -> Array:
        """What the optimiser remembers."""
        optimizer, tensor, title, _ = self.memory[name]
        return optimizer.state[tensor][title]

    # --------------------------------------------------------------------------------- running

    def run(self, arrays: list[Array]) -> Any:
        """One step: what it returns, as arrays."""
        counted = self.recorder.counted
        states = [o.state_of(p, group) for o, p, group in counted] if counted else ()
        answer = self.in_numpy(arrays) if self.loops is None else self.in_loops(arrays, self.loops)
        for state in states:
            state["step"] += 1
        if self.changing:
            tape.note_change(*[tensor._value for tensor in self.changing])
        if self.program._returned:
            answer, *gradients = answer
            self.program.gradients = dict(zip(self.program._returned, gradients, strict=True))
        return answer

    def in_numpy(self, arrays: list[Array]) -> Any:
        """In NumPy."""
        program = self.program
        given = dict(zip(self.inputs, arrays, strict=True))
        for n, tensor in self.tensors.items():
            given[n] = tensor._value
        for n in self.memory:
            given[n] = self.remembered(n)
        numbers = self.numbers()
        if "t" in numbers:
            given["t"] = numbers.pop("t")
        program.namespace.update(numbers)  # for the functions that it calls
        spaces = [program.namespace] if self.reused is None else [self.reused.space]
        spaces[0].update(numbers)
        if "rng" in program.namespace:
            program.namespace["rng"] = spaces[0]["rng"] = random.generator()
        function = program._function if self.reused is None else self.reused.function
        with np.errstate(all="ignore"):
            return function(**given, **self.constants)

    def prepare(self, loops: LoopProgram) -> None:
        """Find out where each argument of the loops comes from."""
        place = {n: i for i, n in enumerate(loops.arguments)}
        known = {**self.constants, **loops.own}
        self.template = [known.get(n) for n in loops.arguments]
        self.from_inputs = [(place[n], i) for i, n in enumerate(self.inputs) if n in place]
        self.from_tensors = [(place[n], t) for n, t in self.tensors.items() if n in place]
        self.from_memory = [(place[n], n) for n in self.memory if n in place]
        self.rates = [
            (place[n], group, setting, part)
            for n, (group, setting, part) in self.recorder.sources.items() if n in place
        ]  # fmt: skip
        self.counts = place.get("t") if self.program._counts else None
        self.globals = [(n, *self.recorder.sources[n]) for n in loops.settings]
        self.rooms = [(place[n], shape, kind) for n, shape, kind in loops.fresh if n in place]

    def may_repeat(self) -> bool:
        """Whether the loops can go through many batches in one call."""
        return self.loops is not None and self.loops.repeats and self.plain

    def filled(self, arrays: list[Array]) -> list[Any]:
        """The arguments of the loops, in order."""
        given = self.template.copy()
        for i, n in self.from_inputs:
            given[i] = arrays[n]
        for i, tensor in self.from_tensors:
            given[i] = tensor._value
        for i, name in self.from_memory:
            given[i] = self.remembered(name)
        for i, group, setting, part in self.rates:
            given[i] = float(group[setting] if part is None else group[setting][part])
        if self.counts is not None:
            given[self.counts] = self.number()
        return given

    def in_loops(self, arrays: list[Array], loops: LoopProgram) -> Any:
        """In loops."""
        given = self.filled(arrays)
        for i, shape, kind in self.rooms:
            given[i] = np.empty(shape, kind)
        if loops.whole:
            loops.function(*given)
            return loops.result(given)
        if loops.draws:
            loops.module.rng = random.generator()  # type: ignore[attr-defined]
        for name, group, setting, part in self.globals:
            value = float(group[setting] if part is None else group[setting][part])
            setattr(loops.module, name, value)
        with np.errstate(all="ignore"):
            return loops.function(*given)


def in_numpy_alone(step: Callable[..., Any], arguments: Any, named: Any) -> str:
    """The text to be read of a program that calls kernels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PellucidWarning)  # they were given the first time
        program: Program = _written(step, arguments, named)[0]
    return program.source


def as_tensors(answer: Any) -> Any:
    """Arrays as tensors without history."""
    if answer.__class__ is np.ndarray:
        return as_result(answer)
    if isinstance(answer, (np.ndarray, np.generic)):
        return as_result(answer)
    if isinstance(answer, (tuple, list)):
        return type(answer)(as_tensors(part) for part in answer)
    if isinstance(answer, dict):
        return {key: as_tensors(part) for key, part in answer.items()}
    return answer
