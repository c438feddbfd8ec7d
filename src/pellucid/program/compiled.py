"""`pellucid.compile`: a step that runs as its own program, on the live weights.

The first call with inputs of some shape records the step and writes its program; from then on the program
runs in place of the tape. It reads and changes the model's own weights, the optimiser's own memory and the
generator's random numbers, so that compiled and other steps can take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import random, tape
from ..errors import ArgumentError
from ..nn.module import Module
from ..ops.base import as_result
from ..optim.base import Optimizer
from ..tensor import Tensor
from .program import Program, _flat, _written
from .record import Recorder, variables_of

Array = Any


class Compiled:
    """A step that runs as NumPy programs, one for each kind of inputs it has met.

    Attributes:
        programs: the programs so far, by the shapes and types of their inputs and whatever else
            they depend on.
    """

    def __init__(self, step: Callable[..., Any]) -> None:
        self.step = step
        self.programs: dict[Any, _Live] = {}
        self._latest: _Live | None = None
        things = [*_things(variables_of(step).values()), *_things([step])]
        self._modules = [m for t in things if isinstance(t, Module) for m in t.modules()]
        self._optimizers = [t for t in things if isinstance(t, Optimizer)]

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """One step: what the step returns, tensors without history.

        Raises:
            ArgumentError: the step cannot be written down; the message says why.
        """
        key = self._key(arguments, named)
        live = self.programs.get(key)
        if live is None:
            live = _Live(self.step, arguments, named)
            self._meet(live.recorder)
            self.programs[self._key(arguments, named)] = live
        self._latest = live
        return live.run(self.step, arguments, named)

    @property
    def source(self) -> str:
        """The text of the program that ran last.

        Raises:
            ArgumentError: none has run yet.
        """
        if self._latest is None:
            raise ArgumentError("a compiled step is written when it is first called: call it once")
        return self._latest.program.source

    def _meet(self, recorder: Recorder) -> None:
        """Modules and optimisers that turned up on the way."""
        for _, root in recorder.roots.values():
            self._modules += [m for m in root.modules() if not any(m is o for o in self._modules)]
        self._optimizers += [o for o in recorder.optimizers if o not in self._optimizers]

    def _key(self, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """What a program depends on: shapes, types, other arguments, modes, settings."""
        training = tuple([m.training for m in self._modules])
        # numbers that are 0 or not; how large they are is looked up in every step
        switches = tuple(
            [
                bool(v) if type(v) in (int, float) else str(v)
                for o in self._optimizers
                for group in o.param_groups
                for k, v in group.items()
                if k != "params"
            ]
        )
        return _kind(arguments), _kind(named), training, switches

    def __repr__(self) -> str:
        title = getattr(self.step, "__name__", type(self.step).__name__)
        return f"<compiled {title}: {len(self.programs)} programs>"


class _Live:
    """A program on live arrays."""

    def __init__(self, step: Callable[..., Any], arguments: Any, named: Any) -> None:
        self.program: Program
        self.program, self.recorder, assembled = _written(step, arguments, named, fast=True)
        self.inputs = list(self.program.inputs)
        values = {n: v for n, v in assembled.names.items() if n not in self.inputs}
        self.tensors = {n: v.owner for n, v in values.items() if v.kind == "weight"}
        self.memory = {n: v.owner for n, v in values.items() if v.kind == "memory"}
        self.constants = {n: v.array for n, v in values.items() if v.kind == "constant"}
        pieces = self.recorder.pieces
        changed = {id(v) for piece in pieces for v in piece.changes}
        self.changing = [n for n, v in values.items() if id(v) in changed and v.kind == "weight"]
        self.plain = all(isinstance(a, (Tensor, np.ndarray)) for a in arguments) and not named
        self.plain = self.plain and len(arguments) == len(self.inputs)

    def run(self, step: Callable[..., Any], arguments: Any, named: Any) -> Any:
        """One step."""
        program = self.program
        if self.plain:
            arrays = [a._value if isinstance(a, Tensor) else a for a in arguments]
            given = dict(zip(self.inputs, arrays, strict=True))
        else:
            flat = _flat(step, arguments, named)
            given = {n: flat[n] for n in self.inputs}
        for n, tensor in self.tensors.items():
            given[n] = tensor._value
        states = [o.state_of(p, group) for o, p, group in self.recorder.counted]
        for n, (optimizer, tensor, title, _) in self.memory.items():
            given[n] = optimizer.state[tensor][title]
        for n, (group, setting, place) in self.recorder.sources.items():
            value = group[setting] if place is None else group[setting][place]
            program.namespace[n] = float(value)
        if program._counts:
            given["t"] = states[0]["step"] + 1
        if "rng" in program.namespace:
            program.namespace["rng"] = random.generator()
        with np.errstate(all="ignore"):
            answer = program._function(**given, **self.constants)
        for state in states:
            state["step"] += 1
        if self.changing:
            tape.note_change(*[given[n] for n in self.changing])
        if program._returned:
            answer, *gradients = answer
            program.gradients = dict(zip(program._returned, gradients, strict=True))
        return _as_tensors(answer)


def compile(step: Callable[..., Any]) -> Compiled:  # noqa: A001 - PyTorch's name for it
    """A step that does the same as NumPy programs, without the tape.

    Weights and what the optimiser remembers are changed where they are; gradients are not left behind.
    A learning rate that a schedule changes is looked up in every step. Other shapes and types, a
    module that goes from training to use, momentum that is switched on: the step is recorded again.

    Args:
        step: as for `pellucid.write`.

    Returns:
        What is called in its place; `.source` is the program that ran last.

    >>> import pellucid
    >>> weight = pellucid.tensor([2.0], requires_grad=True)
    >>> optimizer = pellucid.optim.SGD([weight], lr=0.1)
    >>> @pellucid.compile
    ... def step(x):
    ...     loss = (x * weight).sum()
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> step(pellucid.tensor([3.0])).item(), step(pellucid.tensor([3.0])).item()
    (6.0, 5.100000381469727)
    """
    return Compiled(step)


def _things(values: Any) -> Iterator[Any]:
    """Modules and optimisers, also in lists."""
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _things(value)
        elif isinstance(value, (Module, Optimizer)):
            yield value


def _kind(thing: Any) -> Any:
    """What a program depends on in an argument: of arrays the shape and type, else the value."""
    if isinstance(thing, Tensor):
        return thing._value.shape, thing._value.dtype.char, thing._requires_grad
    if isinstance(thing, np.ndarray):
        return thing.shape, thing.dtype.char
    if isinstance(thing, (tuple, list)):
        return tuple([_kind(part) for part in thing])
    if isinstance(thing, dict):
        return tuple([(key, _kind(part)) for key, part in thing.items()])
    return thing


def _as_tensors(answer: Any) -> Any:
    if isinstance(answer, (np.ndarray, np.generic)):
        return as_result(answer)
    if isinstance(answer, (tuple, list)):
        return type(answer)(_as_tensors(part) for part in answer)
    if isinstance(answer, dict):
        return {key: _as_tensors(part) for key, part in answer.items()}
    return answer
