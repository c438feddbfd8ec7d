"""`pellucid.write`: the plain NumPy that a step amounts to.

    def step(inputs, targets):
        prediction = model(inputs)                   # predict
        loss = criterion(prediction, targets)        # compare
        optimizer.zero_grad()
        loss.backward()                              # learn
        optimizer.step()
        return loss

    program = pellucid.write(step)(inputs, targets)
    print(program)
    loss = program.run(inputs, targets)

The step is run once and recorded; then everything is put back as it was. What is written computes the same
numbers as the step, bit for bit: that is tried on the spot, with the inputs at hand and with others.
"""

from __future__ import annotations

import inspect
import linecache
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .. import kernels, random, tape
from ..errors import ArgumentError, PellucidError, PellucidWarning, ShapeError
from ..nn.module import Module
from ..optim.base import Optimizer
from ..tensor import Tensor
from .assemble import RESERVED, Assembled, assemble
from .known import Style
from .record import ReadFloat, ReadInt, Recorder, Value, variables_of

Array = Any


class Program:
    """A step in NumPy alone.

    Attributes:
        source: its text: a Python module that needs NumPy and nothing else, with one function.
        inputs: the shapes of the arguments by name.
        weights: the arrays that its function is given besides: weights, what the optimiser remembers,
            constants. They are copies, and change with every run.
        gradients: after a run, the gradients of a step that learns nothing from them.
        steps: how often it has run.
    """

    def __init__(
        self, assembled: Assembled, inputs: Sequence[str], weights: dict[str, Array]
    ) -> None:
        self.source = assembled.source
        self.title = assembled.title
        self.inputs = {
            n: (v.array.shape, v.array.dtype) for n, v in assembled.names.items() if n in inputs
        }
        self.weights = weights
        self.gradients: dict[str, Array] = {}
        self.steps = 0
        self._returned = assembled.gradients
        self._counts = assembled.uses_count
        self.namespace: dict[str, Any] = {"__name__": f"program_{self.title}"}
        if "pellucid." in self.source:  # compiled kernels, called from among loops
            self.namespace["pellucid"] = import_module("pellucid")
        path = f"<program {self.title}>"
        linecache.cache[path] = len(self.source), None, self.source.splitlines(keepends=True), path
        exec(compile(self.source, path, "exec"), self.namespace)
        self._function = self.namespace[self.title]

    def run(self, *arrays: Any, **named: Any) -> Any:
        """One step: what the recorded step returned, as arrays and numbers.

        Args:
            arrays: the inputs in the order of the step's arguments: arrays or tensors, of the shapes
                and types that were recorded.
            named: or by their names.

        Raises:
            ArgumentError: an input too many, one missing, or another type of numbers.
            ShapeError: another shape than the recorded one.
        """
        given = self._bound(arrays, named)
        self.steps += 1
        if self._counts:
            given["t"] = self.steps
        with np.errstate(all="ignore"):
            answer = self._function(**given, **self.weights)
        if not self._returned:
            return answer
        first, *gradients = answer
        self.gradients = dict(zip(self._returned, gradients, strict=True))
        return first

    __call__ = run

    def _bound(self, arrays: Sequence[Any], named: dict[str, Any]) -> dict[str, Array]:
        usage = f"It is called as {self.title}({', '.join(self.inputs)})"
        if len(arrays) > len(self.inputs):
            raise ArgumentError(f"the program has {len(self.inputs)} inputs.\n{usage}")
        given = {**dict(zip(self.inputs, arrays, strict=False)), **named}
        if set(given) != set(self.inputs):
            wrong = sorted(set(given) ^ set(self.inputs))
            raise ArgumentError(f"the program lacks or does not know {', '.join(wrong)}.\n{usage}")
        found = {}
        for n, (shape, kind) in self.inputs.items():
            array = np.asarray(given[n])
            if array.shape != shape:
                raise ShapeError(
                    f"this program was written for {n} {shape}, not {array.shape}.\nWrite the step "
                    "once more with inputs of this shape"
                )
            found[n] = array if array.dtype == kind else array.astype(kind)
        return found

    def seed(self, seed: int | None) -> None:
        """Start its random numbers anew; the same seed gives the same numbers."""
        if "rng" in self.namespace:
            self.namespace["rng"] = np.random.Generator(np.random.SFC64(seed))

    def seeded(self, state: dict[str, Any]) -> None:
        """Go on with random numbers from where a generator stands (`pellucid.get_rng_state`)."""
        if "rng" in self.namespace:
            self.namespace["rng"].bit_generator.state = state

    def save(self, path: str | Path) -> None:
        """Write it to a file, and its weights to a second one beside it (`.npz`).

        `python file.py` loads them, and runs one step on inputs of zeros to show that it works.
        """
        path = Path(path)
        shapes = {n: np.zeros(shape, kind) for n, (shape, kind) in self.inputs.items()}
        count = ['    given["t"] = 1'] if self._counts else []
        end = [
            "", "", 'if __name__ == "__main__":',
            f'    given = dict(np.load("{path.with_suffix(".npz").name}"))', *count,
            f"    print({self.title}(**given))", "",
        ]  # fmt: skip
        path.write_text(self.source + "\n".join(end), encoding="utf-8")
        arrays: dict[str, Any] = {**shapes, **self.weights}
        np.savez(path.with_suffix(".npz"), **arrays)

    def __str__(self) -> str:
        return self.source

    def __repr__(self) -> str:
        shapes = ", ".join(f"{n} {shape}" for n, (shape, _) in self.inputs.items())
        return f"<program {self.title}({shapes}): {len(self.source.splitlines())} lines>"


def write(step: Callable[..., Any]) -> Callable[..., Program]:
    """The NumPy program that a step amounts to.

    Args:
        step: a function that predicts, or predicts, compares and learns; or a module. Its weights
            are found where it uses them.

    Returns:
        A function to call with inputs as the step is called: it runs the step once, writes down what
        happened, puts everything back as it was, and returns the `Program`.

    Raises:
        ArgumentError: (from that function) the step does something that depends on the numbers and
            is no operation: a Python `if`, a trip through NumPy; the message says what.

    >>> import pellucid
    >>> weights = pellucid.tensor([[0.5], [0.1]], requires_grad=True)
    >>> def step(x):
    ...     prediction = x @ weights
    ...     return prediction
    >>> program = pellucid.write(step)(pellucid.tensor([[1.0, 2.0]]))
    >>> print(program.source.partition("def ")[2].rstrip())
    step(x, weights):
        prediction = x @ weights
        return prediction
    >>> program.run([[1.0, 2.0]])
    array([[0.7]], dtype=float32)
    """

    def writer(*arguments: Any, **named: Any) -> Program:
        program: Program = _written(step, arguments, named)[0]
        return program

    return writer


def _recorded(
    step: Callable[..., Any], arguments: Sequence[Any], named: dict[str, Any],
    style: Style = "readable", recorder: Recorder | None = None,
) -> Any:  # fmt: skip
    """The program, the recorder, and which value each argument of the program is."""
    inputs = _flat(step, arguments, named)
    recorder = recorder or Recorder(step, style)
    keeper = _Keeper(step, recorder)
    given = {n: recorder.know(Value("input", a, n, named=n)) for n, a in inputs.items()}
    try:
        result = recorder.run(arguments, named)
        nest = _nested(recorder, result)
        assembled = assemble(recorder, given, nest, _title(step))
        outcome = _Outcome(_arrays(result), keeper.after(assembled), keeper.left(), "")
        keeper.check(outcome.after, assembled)
    finally:
        keeper.put_back()
    weights = {n: keeper.before(v) for n, v in assembled.names.items() if n not in inputs}
    program = Program(assembled, list(inputs), weights)
    program.steps = keeper.count
    trial = Program(assembled, list(inputs), {n: a.copy() for n, a in weights.items()})
    trial.steps = keeper.count
    trial.seeded(keeper.rng)
    _try(trial, recorder, assembled, inputs, outcome)
    keeper.other_inputs(trial, assembled, arguments, named, inputs)
    return program, recorder, assembled


_written = kernels.off()(_recorded)  # a program is NumPy alone


def _title(step: Callable[..., Any]) -> str:
    if isinstance(step, Module):
        return "predict"
    title: str = getattr(step, "__name__", "step")
    return title if title.isidentifier() and not title.startswith("_") else "step"


def _flat(
    step: Callable[..., Any], arguments: Sequence[Any], named: dict[str, Any]
) -> dict[str, Array]:
    """The arrays among the arguments, by name."""
    function = step.forward if isinstance(step, Module) else step
    bound = inspect.signature(function).bind(*arguments, **named).arguments
    found: dict[str, Array] = {}

    def collect(called: str, thing: Any) -> None:
        if isinstance(thing, Tensor):
            found[called] = thing._value
        elif isinstance(thing, np.ndarray):
            found[called] = thing
        elif isinstance(thing, (tuple, list)):
            for i, part in enumerate(thing):
                collect(f"{called}_{i + 1}", part)
        elif isinstance(thing, dict):
            for key, part in thing.items():
                collect(str(key), part)

    for called, thing in bound.items():
        collect(f"{called}_in" if called in RESERVED else called, thing)
    once: dict[int, str] = {}
    return {n: a for n, a in found.items() if once.setdefault(id(a), n) == n}


def _nested(recorder: Recorder, result: Any) -> Any:
    """What the step returned, with values in place of tensors."""
    if isinstance(result, Tensor):
        return recorder.of_tensor(result)
    if isinstance(result, np.ndarray):
        return recorder.find(result)
    if isinstance(result, (ReadFloat, ReadInt)) or result is None:
        return result
    if isinstance(result, (tuple, list)):
        parts = [_nested(recorder, part) for part in result]
        return parts if isinstance(result, list) else tuple(parts)
    if isinstance(result, dict):
        return {key: _nested(recorder, part) for key, part in result.items()}
    if isinstance(result, (bool, int, float, str)):
        return result
    return None


def _arrays(result: Any) -> Any:
    """The same with arrays, as they are at this moment."""
    if isinstance(result, (Tensor, np.ndarray)):
        return np.array(result)
    if isinstance(result, (ReadFloat, ReadInt)):
        return (
            np.float64(float.__add__(result, 0.0))
            if isinstance(result, float)
            else int.__add__(result, 0)
        )
    if isinstance(result, (tuple, list)):
        return [_arrays(part) for part in result]
    if isinstance(result, dict):
        return [_arrays(part) for part in result.values()]
    return result


# ---------------------------------------------------------------------------- as it was before


class _Keeper:
    """Keeps what a step changes, to put it back: weights, gradients, optimisers, random numbers."""

    def __init__(self, step: Callable[..., Any], recorder: Recorder) -> None:
        self.recorder = recorder
        self.step = step
        self.rng = random.get_rng_state()
        self.arrays: dict[int, tuple[Array, Array]] = {}
        self.grads: dict[int, tuple[Tensor, Any]] = {}
        self.states: list[tuple[Optimizer, Any, Any]] = []
        self.count = 0
        for called, thing in {**variables_of(step), "": step}.items():
            self.find(called, thing)
        know, keep = recorder.know, self.keep

        def knowing(value: Value) -> Value:
            keep(value.array)
            if isinstance(value.owner, Tensor) and value.kind == "weight":
                self.keep_gradient(value.owner)
            return know(value)

        recorder.know = knowing  # type: ignore[method-assign]
        on_step = recorder.on_step

        def stepping(optimizer: Optimizer) -> None:
            self.keep_state(optimizer)
            on_step(optimizer)

        recorder.on_step = stepping  # type: ignore[method-assign]

    def find(self, called: str, thing: Any) -> None:
        """A variable of the step's: what is in it may be changed."""
        if isinstance(thing, Module):
            self.recorder.meet(thing, called)
            for _, tensor in [*thing.named_parameters(), *thing.named_buffers()]:
                self.keep(tensor._value)
                self.keep_gradient(tensor)
        elif isinstance(thing, Tensor):
            self.keep(thing._value)
            self.keep_gradient(thing)
            leaf = thing._requires_grad and thing._node is None
            kind = "weight" if leaf else "constant"
            if id(thing._value) not in self.recorder.values:
                self.recorder.know(
                    Value(kind, thing._value, called, named=called, owner=thing, varies=leaf)
                )
        elif isinstance(thing, Optimizer):
            self.keep_state(thing)
            for group in thing.param_groups:
                for p in group["params"]:
                    self.keep(p._value)
                    self.keep_gradient(p)
        elif isinstance(thing, (list, tuple)):
            for i, part in enumerate(thing):
                if isinstance(part, (Tensor, Module, Optimizer)):
                    self.find(f"{called}_{i + 1}", part)

    def keep(self, array: Array) -> None:
        """An array as it is."""
        if id(array) not in self.arrays:
            self.arrays[id(array)] = array, array.copy("K")

    def keep_gradient(self, tensor: Tensor) -> None:
        """A leaf's gradient, which may be there from before."""
        if id(tensor) not in self.grads:
            self.grads[id(tensor)] = tensor, tensor._grad
            tensor._grad = None

    def keep_state(self, optimizer: Optimizer) -> None:
        """What an optimiser remembers."""
        if any(o is optimizer for o, *_ in self.states):
            return
        state = {
            p: {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in s.items()}
            for p, s in optimizer.state.items()
        }
        self.count = max([self.count, *(int(s["step"]) for s in state.values())])
        self.states.append((optimizer, optimizer.state, state))

    def before(self, value: Value) -> Array:
        """The array of a value as it was before the step; of an optimiser's memory 0 at first."""
        if value.kind == "memory":
            optimizer, tensor, title, _ = value.owner
            for o, _, state in self.states:
                if o is optimizer and tensor in state:
                    return state[tensor][title].copy()
            fresh = np.zeros_like(value.array)
            group = next(g for g in optimizer.param_groups if any(p is tensor for p in g["params"]))
            fresh.fill(group.get("initial_accumulator_value", 0))
            return fresh
        return np.array(self.arrays[id(value.array)][1])

    def after(self, assembled: Assembled) -> dict[int, Array]:
        """All arrays as they are now; of an optimiser's memory those that it has now."""
        found = {key: array.copy() for key, (array, _) in self.arrays.items()}
        for value in assembled.names.values():
            if value.kind == "memory":
                optimizer, tensor, title, _ = value.owner
                found[id(value.array)] = optimizer.state[tensor][title].copy()
        return found

    def check(self, after: dict[int, Array], assembled: Assembled) -> None:
        """Refuse a step that changes something of which the program does not know."""
        known = {id(v.array) for v in assembled.names.values()}
        for key, (_, before) in self.arrays.items():
            counts = before.dtype.kind != "f"  # how many batches there were
            if key not in known and not counts and not _same(before, after[key]):
                raise _differs(f"a weight of shape {before.shape} changes, and nothing says how")

    def put_back(self) -> None:
        """Everything as it was."""
        for array, before in self.arrays.values():
            if array.flags.writeable:
                array[...] = before
                tape.note_change(array)
        for tensor, gradient in self.grads.values():
            tensor._grad = gradient
        for optimizer, _, state in self.states:
            optimizer.state = {
                p: {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in s.items()}
                for p, s in state.items()
            }
        random.set_rng_state(self.rng)

    def other_inputs(
        self, trial: Program, assembled: Assembled, arguments: Sequence[Any],
        named: dict[str, Any], inputs: dict[str, Array],
    ) -> None:  # fmt: skip
        """Step and program once more, with other numbers: nothing may be frozen."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PellucidWarning)  # they were given the first time
            self.try_others(trial, assembled, arguments, named, inputs)

    def try_others(
        self,
        trial: Program,
        assembled: Assembled,
        arguments: Sequence[Any],
        named: dict[str, Any],
        inputs: dict[str, Array],
    ) -> None:
        """With numbers of other sizes, or, where those make no sense, in another order."""
        for scaled in (True, False):
            other = _Other(scaled)
            for n, v in assembled.names.items():
                if n not in inputs:
                    trial.weights[n][...] = self.before(v)
            trial.steps = self.count
            for tensor, _ in self.grads.values():
                tensor._grad = None
            try:
                mixed = [other.of(a) for a in arguments]
                mixed_named = {n: other.of(v) for n, v in named.items()}
                self.step(*mixed, **mixed_named)
                if not self.recorder.updates:
                    for tensor in other.tensors.values():
                        tensor._grad = None
                    for tensor, _ in self.grads.values():
                        tensor._grad = None
                result = _arrays(self.step(*mixed, **mixed_named))
                after = self.after(assembled)
                left = self.left(other)
            except PellucidError:
                continue  # these numbers make no sense to the step
            finally:
                self.put_back()
            given: dict[str, Any] = {n: other.arrays.get(id(a), a) for n, a in inputs.items()}
            outcome = _Outcome(result, after, left, " for other inputs, or in a second step")
            trial.seeded(self.rng)
            trial.run(**{n: a.copy() for n, a in given.items()})
            _try(trial, self.recorder, assembled, given, outcome)
            return

    def left(self, other: _Other | None = None) -> dict[int, Array]:
        """The gradients that are left on the leaves, by their ids."""
        found = {}
        for leaf, *_ in self.recorder.gradients.values():
            gradient: Any = (other.tensors.get(id(leaf), leaf) if other else leaf)._grad
            if gradient is not None:
                found[id(leaf)] = np.array(gradient)
        return found


class _Other:
    """Inputs with their numbers in another order, and those with fractions `scaled`."""

    def __init__(self, scaled: bool) -> None:
        self.scaled = scaled
        self.generator = np.random.default_rng(0)
        self.arrays: dict[int, Array] = {}
        self.tensors: dict[int, Tensor] = {}

    def of(self, thing: Any) -> Any:
        """The same thing with other arrays."""
        if isinstance(thing, Tensor):
            if id(thing) not in self.tensors:
                made = self.tensors[id(thing)] = Tensor(self.array(thing._value))
                made._requires_grad = thing._requires_grad
            return self.tensors[id(thing)]
        if isinstance(thing, np.ndarray):
            return self.array(thing)
        if isinstance(thing, (tuple, list)):
            return type(thing)(self.of(part) for part in thing)
        if isinstance(thing, dict):
            return {key: self.of(part) for key, part in thing.items()}
        return thing

    def array(self, array: Array) -> Array:
        """One array."""
        found = self.arrays.get(id(array))
        if found is None:
            found = self.generator.permutation(array.reshape(-1)).reshape(array.shape)
            if self.scaled and array.dtype.kind == "f":
                found = (found * self.generator.uniform(0.5, 1, array.shape)).astype(array.dtype)
            self.arrays[id(array)] = found
        return found


@dataclass(frozen=True)
class _Outcome:
    """What came of a step: what it returned, all arrays, the gradients that are left."""

    result: Any
    after: dict[int, Array]
    left: dict[int, Array]
    when: str


def _try(
    trial: Program,
    recorder: Recorder,
    assembled: Assembled,
    inputs: dict[str, Array],
    outcome: _Outcome,
) -> None:
    """Run the program and compare it with the step."""
    answer = trial.run(**{n: a.copy() for n, a in inputs.items()})
    when, rounded = outcome.when, recorder.style == "loops"  # which may add up in another order
    if outcome.result is not None and not _same(answer, outcome.result, rounded):
        raise _differs(f"what it returns is not what the program returns{when}")
    for n, value in assembled.names.items():
        expected = outcome.after.get(id(value.array))
        if n not in trial.weights or expected is None:
            continue
        if not _same(trial.weights[n], expected, rounded):
            raise _differs(f"{n} becomes something else than in the program{when}")
    by_leaf = {id(v): id(leaf) for leaf, v, _ in recorder.gradients.values()}
    kept = [] if recorder.updates else [v for _, v, _ in recorder.gradients.values()]
    for n, value in zip(trial.gradients, kept, strict=False):
        expected = outcome.left.get(by_leaf[id(value)])
        if expected is not None and not _same(trial.gradients[n], expected, rounded):
            raise _differs(f"the gradient {n} is another than in the program{when}")


def _same(a: Any, b: Any, rounded: bool = False) -> bool:
    if isinstance(b, (list, tuple)):
        parts = list(a.values()) if isinstance(a, dict) else a
        return len(parts) == len(b) and all(
            _same(x, y, rounded) for x, y in zip(parts, b, strict=True)
        )
    if b is None or isinstance(b, str):
        return bool(a is None or a == b)
    x, y = np.asarray(a), np.asarray(b)
    if x.shape != y.shape:
        return False
    floats = x.dtype.kind == y.dtype.kind == "f"
    if np.array_equal(x, y, equal_nan=floats):
        return True
    # large products may be rounded otherwise where their factors lie otherwise in memory
    largest = np.abs(y[np.isfinite(y)]).max(initial=0.0) if floats else 0.0
    if rounded:
        return floats and np.allclose(x, y, rtol=1e-5, atol=1e-5 * largest, equal_nan=True)
    return floats and np.allclose(
        x, y, rtol=1e-5 if x.size > 1 << 16 else 0,
        atol=1e-7 if x.size > 1 << 16 else 4 * np.finfo(y.dtype).eps * largest, equal_nan=True,
    )  # fmt: skip


def _differs(what: str) -> ArgumentError:
    return ArgumentError(
        f"this step cannot be written down: {what}. So part of what it does is no operation that "
        "the program could repeat.\nThat may be a trip through NumPy (x.numpy()), a Python number "
        "that changes from step to step, or gradients that are added up because the step never "
        "calls zero_grad"
    )
