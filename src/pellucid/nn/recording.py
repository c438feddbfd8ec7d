"""One prediction, written down: which operations ran, on what, in which module, with what result.

Nothing is guessed from what layers are called. The model predicts once while the tape tells of every
operation (`tape.listening`), so the record holds for any model that is made of Pellucid's
operations, and it is what drawings and exports are made from.

A record is made with inputs of one size. `record(..., free_axes=(0,))` predicts a few times more, with
other numbers and with more rows. A number of the record that grew along with the rows (in a
`reshape`, say) becomes a `Size`: what is written from the record can then take any number of rows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import tape
from ..errors import ArgumentError
from ..ops.base import Op
from ..tensor import Tensor
from .module import Module

Array = Any


class Size(int):
    """A number that follows from lengths of the inputs: the sum of times · length, and plus.

    As an int it is the number of the record.

    >>> size = Size(7, {0: 3}, plus=1)  # recorded with two rows
    >>> size, size.written({0: "n"})
    (7, '3 * n + 1')
    """

    times: dict[int, int]  # by the axis of the inputs
    plus: int

    def __new__(cls, value: int, times: dict[int, int], plus: int = 0) -> Size:
        made = super().__new__(cls, value)
        made.times, made.plus = times, plus
        return made

    def written(self, lengths: Mapping[int, str]) -> str:
        """As a formula, where the lengths have these names."""
        products = [lengths[k] if n == 1 else f"{n} * {lengths[k]}" for k, n in self.times.items()]
        plus = f" {'-+'[self.plus > 0]} {abs(self.plus)}" if self.plus else ""
        return " + ".join(products) + plus


@dataclass(frozen=True, eq=False)
class Value:
    """An array that took part.

    Attributes:
        kind: "input", "weight" (a parameter or buffer), "constant" or "result".
        name: of an input or a weight its own, of a constant "constant.0"; of a result empty, for
            whoever writes it down gives it one.
        numbers: the array.
        shape: its shape; an entry is a `Size` where it follows from a free length of the inputs.
    """

    kind: str
    name: str
    numbers: Array
    shape: tuple[int, ...]

    @property
    def fill(self) -> float | None:
        """The one number that it is full of, if it has several axes and just one number."""
        first = self.numbers.flat[0] if self.numbers.size else None
        return first.item() if first is not None and (self.numbers == first).all() else None


@dataclass(frozen=True, eq=False)
class Call:
    """One operation as it ran.

    Attributes:
        op: which.
        inputs: values, plain numbers, or None for one that was left out.
        settings: by name; a tensor among them is a value, too.
        result: what it made.
        within: the modules it ran in, from the outermost: (path, number of the call). The same
            module called twice has two numbers.
    """

    op: Op
    inputs: tuple[Any, ...]
    settings: dict[str, Any]
    result: Value
    within: tuple[tuple[str, int], ...]

    @property
    def module(self) -> str:
        """The path of the innermost module it ran in; empty for the model itself."""
        return self.within[-1][0] if self.within else ""

    @property
    def sources(self) -> list[Value]:
        """The values it read, in inputs and settings."""
        return list(values_in((self.inputs, self.settings)))


@dataclass(frozen=True)
class Recording:
    """One prediction.

    Attributes:
        model: what predicted.
        inputs: what it was given.
        calls: what ran on the way to the output, in order.
        output: the values that came out, nested as they came.
        free_axes: the axes of the inputs along which they may have any length.
    """

    model: Module
    inputs: tuple[Value, ...]
    calls: tuple[Call, ...]
    output: Any
    free_axes: tuple[int, ...] = ()

    @property
    def outputs(self) -> list[Value]:
        """The values that came out, one after the other."""
        return list(values_in(self.output))

    @property
    def weights(self) -> list[Value]:
        """Parameters, buffers and constants that were read, each once."""
        seen: dict[int, Value] = {}
        for call in self.calls:
            for value in call.sources:
                if value.kind in ("weight", "constant"):
                    seen[id(value)] = value
        for value in self.outputs:
            if value.kind in ("weight", "constant"):
                seen[id(value)] = value
        return list(seen.values())


def values_in(tree: Any) -> Iterator[Value]:
    """The values in nested tuples, lists and dicts."""
    if isinstance(tree, Value):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for part in tree:
            yield from values_in(part)
    elif isinstance(tree, dict):
        yield from values_in(list(tree.values()))


def record(model: Module, inputs: Any, *, free_axes: Sequence[int] = ()) -> Recording:
    """Let a model predict, and write down what ran.

    Args:
        model: predicts as in use (`eval()`), without gradients; afterwards it is as it was.
        inputs: a tensor or array, or a tuple of them: what the model is called with.
        free_axes: of the inputs, along which they may have any length. Those along which the model
            takes just this one length are missing in the record's own `free_axes`.

    Raises:
        ArgumentError: nothing came out; with free_axes also, if what is computed depends on the
            inputs in ways that operations do not show (a Python `if`, a trip through NumPy).

    >>> import pellucid
    >>> from pellucid import nn
    >>> seen = record(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), pellucid.ones(1, 3))
    >>> [(call.op.name, call.module) for call in seen.calls]
    [('linear', '0'), ('relu', '1')]
    """
    given = tuple(_tensor(x) for x in (inputs if isinstance(inputs, (tuple, list)) else (inputs,)))
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        first = _Recorder(model, given).run()
        if free_axes:
            _same_with_other_numbers(first, _Recorder(model, _other(given)).run())
        for axis in free_axes:
            first = _freed(first, given, axis)
        return first
    finally:
        for module, training in modes:
            module.training = training


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x)


# ---------------------------------------------------------------------------------------- one record


class _Recorder:
    """Listens while the model predicts."""

    def __init__(self, model: Module, inputs: tuple[Tensor, ...]) -> None:
        self.model, self.given = model, inputs
        self.paths = {id(module): path for path, module in reversed([*model.named_modules()])}
        self.known: dict[int, Value] = {}  # by the array's id
        self.kept: list[Any] = []  # as long as they live, nothing else has their id
        self.calls: list[Call] = []
        self.runs: dict[Any, int] = {}  # frames of calls of modules
        self.constants = 0
        named = [*model.named_parameters(remove_duplicate=False), *model.named_buffers()]
        for name, tensor in reversed(named):
            self._know("weight", name, tensor._value)
        given: dict[int, Value] = {}  # the same tensor given twice is one value
        for name, x in zip(_argument_names(model, len(inputs)), inputs, strict=True):
            if id(x._value) not in given:
                given[id(x._value)] = self._know("input", name, x._value)
        self.inputs = tuple(given[id(x._value)] for x in inputs)

    def run(self) -> Recording:
        with tape.no_grad(), tape.listening(self._hear):
            output = self.model(*self.given)
        nest = self._nested(output)
        if not list(values_in(nest)):
            raise ArgumentError(
                f"{type(self.model).__name__} gave {type(output).__name__}, in which there is no "
                "tensor"
            )
        return Recording(self.model, self.inputs, _leading_to(nest, self.calls), nest)

    def _hear(self, op: Op, inputs: Any, settings: dict[str, Any], result: Tensor) -> None:
        read = tuple(self._read(x) for x in inputs)
        named = {name: self._read(v, setting=True) for name, v in settings.items()}
        self.kept += [inputs, settings, result]
        made = self._know("result", "", result._value)
        self.calls.append(Call(op, read, named, made, self._within()))

    def _know(self, kind: str, name: str, array: Array) -> Value:
        """A new value. An array that comes out as it went in (`dropout` in use) is known anew."""
        value = Value(kind, name, array, array.shape)
        self.known[id(array)] = value
        self.kept.append(array)
        return value

    def _read(self, x: Any, setting: bool = False) -> Any:
        """What an operation was given: a value for an array, all else as it is."""
        if isinstance(x, (tuple, list)) and setting:
            return type(x)(self._read(part, True) for part in x)
        if isinstance(x, list):
            x = Tensor(x)
        array = x._value if isinstance(x, Tensor) else x
        if not isinstance(array, np.ndarray):
            return x
        if id(array) not in self.known:
            self._know("constant", f"constant.{self.constants}", array)
            self.constants += 1
        return self.known[id(array)]

    def _nested(self, output: Any) -> Any:
        if isinstance(output, Tensor):
            return self._read(output)
        if isinstance(output, (tuple, list)):
            return tuple(self._nested(part) for part in output)
        if isinstance(output, dict):
            return {key: self._nested(part) for key, part in output.items()}
        return None

    def _within(self) -> tuple[tuple[str, int], ...]:
        """The modules that are being called at this moment, found in the frames above."""
        found = []
        frame: Any = sys._getframe(2)
        while frame is not None:
            if frame.f_code is Module.__call__.__code__:
                path = self.paths.get(id(frame.f_locals["self"]))
                if path:
                    found.append((path, self.runs.setdefault(frame, len(self.runs))))
            frame = frame.f_back
        return tuple(reversed(found))


def _argument_names(model: Module, count: int) -> list[str]:
    """What `forward` calls its inputs."""
    import inspect

    own = list(inspect.signature(model.forward).parameters.values())
    names = [p.name for p in own if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    return (names + [f"x{i}" for i in range(1, count + 1)])[:count]


def _leading_to(output: Any, calls: Sequence[Call]) -> tuple[Call, ...]:
    """The calls without which the output would be another, in order."""
    needed = {id(value) for value in values_in(output)}
    kept = []
    for call in reversed(calls):
        if id(call.result) in needed:
            kept.append(call)
            needed.update(id(value) for value in call.sources)
    return tuple(reversed(kept))


# ------------------------------------------------------------------------- what depends on the input


def _other(inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Inputs of the same shapes and kinds with other numbers."""
    random = np.random.default_rng(0)
    made: dict[int, Tensor] = {}  # the same tensor given twice stays one
    for x in inputs:
        numbers = x._value
        if numbers.dtype.kind == "f":
            numbers = (numbers + random.normal(size=numbers.shape)).astype(numbers.dtype)
        elif numbers.size:
            numbers = random.permutation(numbers.reshape(-1)).reshape(numbers.shape)
        made.setdefault(id(x), Tensor(numbers))
    return tuple(made[id(x)] for x in inputs)


def _same_with_other_numbers(first: Recording, other: Recording) -> None:
    """Refuse a model that does something else for other inputs."""

    def refuse(call: Call, what: str) -> ArgumentError:
        return ArgumentError(
            f"{type(first.model).__name__} cannot be written down: {what}"
            f"{f' (in {call.module})' if call.module else ''}.\nWhat is written down is one way "
            "through the operations. Compute with tensors all the way: torch-like operations in "
            "place of NumPy's, and pellucid.where in place of a Python `if` on their numbers"
        )

    for a, b in zip(first.calls, other.calls, strict=False):
        if a.op is not b.op or a.module != b.module:
            raise refuse(a, f"for other inputs it runs {b.op.name} where it ran {a.op.name}")
        for v, w in zip(a.sources, b.sources, strict=False):
            if v.kind == "constant" and not _equal(v.numbers, w.numbers):
                raise refuse(
                    a,
                    f"an array {v.shape} that {a.op.name} reads changes with the inputs, but no "
                    "operation made it",
                )
        if not _alike(a.settings, b.settings):
            raise refuse(a, f"the settings of {a.op.name} change with the numbers of the inputs")
    if len(first.calls) != len(other.calls):
        raise refuse(first.calls[-1], "for other inputs it runs another number of operations")


def _equal(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, Value) or isinstance(b, Value):
        return type(a) is type(b)  # what constants hold was compared before
    if isinstance(a, dict):
        return all(_alike(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(_alike(p, q) for p, q in zip(a, b, strict=True))
    return bool(a == b)


# ----------------------------------------------------------------------------- any number of rows


class _FixedError(Exception):
    """The length is part of what is computed."""


class _Freeing:
    """Compares a record with two in which the inputs are longer by one and by two."""

    def __init__(self, axis: int, length: int) -> None:
        self.axis, self.length = axis, length
        self.values: dict[int, Value] = {}

    def number(self, a: int, b: int, c: int) -> int:
        if a == b == c:
            return a
        times = b - a
        if times < 1 or c - b != times:
            raise _FixedError
        before, plus = (a.times, a.plus) if isinstance(a, Size) else ({}, int(a))
        return Size(a, {**before, self.axis: times}, plus - times * self.length)

    def value(self, a: Value, b: Value, c: Value) -> Value:
        if id(a) in self.values:
            return self.values[id(a)]
        if not len(a.shape) == len(b.shape) == len(c.shape) or not a.kind == b.kind == c.kind:
            raise _FixedError
        shape = tuple(self.number(*sizes) for sizes in zip(a.shape, b.shape, c.shape, strict=True))
        changed = a.kind == "constant" and not _equal(a.numbers, b.numbers)
        if changed and (a.shape == b.shape or a.fill is None or a.fill != b.fill):
            raise _FixedError
        self.values[id(a)] = made = replace(a, shape=shape)
        return made

    def tree(self, a: Any, b: Any, c: Any) -> Any:
        if isinstance(a, Value) and isinstance(b, Value) and isinstance(c, Value):
            return self.value(a, b, c)
        if isinstance(a, dict):
            return {key: self.tree(a[key], b[key], c[key]) for key in a}
        if isinstance(a, (tuple, list)):
            if not len(a) == len(b) == len(c):
                raise _FixedError
            return type(a)(self.tree(*parts) for parts in zip(a, b, c, strict=True))
        if isinstance(a, slice):
            ends = zip(*((x.start, x.stop, x.step) for x in (a, b, c)), strict=True)
            return slice(*(self.tree(*end) for end in ends))
        if all(isinstance(x, (int, np.integer)) and not isinstance(x, bool) for x in (a, b, c)):
            return self.number(a, b, c)
        if a is b or a == b:
            return a
        raise _FixedError

    def call(self, a: Call, b: Call, c: Call) -> Call:
        if not a.op is b.op is c.op:
            raise _FixedError
        return Call(
            op=a.op,
            inputs=self.tree(a.inputs, b.inputs, c.inputs),
            settings=self.tree(a.settings, b.settings, c.settings),
            result=self.tree(a.result, b.result, c.result),
            within=a.within,
        )


def _freed(first: Recording, given: tuple[Tensor, ...], axis: int) -> Recording:
    """The record with `Size`s in it, or as it is, if the model takes this length only."""
    length = given[0].shape[axis] if given[0].ndim > axis else 0
    if not length:
        return first
    try:
        b, c = (_Recorder(first.model, _longer(given, axis, length, more)).run() for more in (1, 2))
        if not len(first.calls) == len(b.calls) == len(c.calls):
            return first
        freeing = _Freeing(axis, length)
        return Recording(
            model=first.model,
            inputs=freeing.tree(first.inputs, b.inputs, c.inputs),
            calls=tuple(map(freeing.call, first.calls, b.calls, c.calls)),
            output=freeing.tree(first.output, b.output, c.output),
            free_axes=(*first.free_axes, axis),
        )
    except (_FixedError, ValueError, TypeError, IndexError):  # errors about shapes are among them
        return first


def _longer(inputs: tuple[Tensor, ...], axis: int, length: int, more: int) -> tuple[Tensor, ...]:
    """The inputs that have this length along the axis, with some rows twice."""
    made: dict[int, Tensor] = {}
    for x in inputs:
        numbers = x._value
        if x.ndim > axis and x.shape[axis] == length:
            again = numbers.take([0] * more, axis=axis)
            numbers = np.concatenate([numbers, again], axis=axis)
        made.setdefault(id(x), Tensor(numbers))
    return tuple(made[id(x)] for x in inputs)
