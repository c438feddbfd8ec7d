"""How a network feels from inside: activations and gradients, layer by layer.

    print(layer_statistics(step)(inputs, targets))     of one step
    fit(..., callbacks=[LayerStatistics(every=100)])    of every hundredth step of a run

A network that does not learn usually shows here why: units that are 0 for every example, units at the end
of their range where the slope is nothing, gradients that fade from layer to layer, steps that are too large
or too small for the weights they change.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import tape
from ..errors import ArgumentError
from ..nn.module import Module
from ..program.program import _Keeper
from ..program.record import Recorder, variables_of
from ..tensor import Tensor
from ..train.callbacks import Callback
from .narration import aligned
from .said import short
from .step import _numbers

if TYPE_CHECKING:
    from ..train.run import Run

Array = Any
BINS = 12
BARS = " ▁▂▃▄▅▆▇█"
RECTIFIERS = {"relu", "relu6"}
RANGES = {
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hardtanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
}
BENDS = {
    *RECTIFIERS, *RANGES, "leaky_relu", "elu", "celu", "selu", "hardsigmoid", "hardswish", "softplus",
    "silu", "mish", "gelu", "softmax", "log_softmax",
}  # fmt: skip
NEAR = 0.025  # of its range: a unit this close to an end is saturated


@dataclass(frozen=True)
class Activations:
    """What came out of one layer, or of one bend that is no layer of its own.

    Attributes:
        name: the layer's path, or where the bend ran.
        op: the operation that made it.
        shape: of what came out (of the last call, where the layer was called several times).
        mean, std: of all numbers.
        zeros: the share of zeros.
        saturated: the share within a fortieth of an end of its range; None where there are no ends.
        dead: the share of units that were 0 for every example; None for what is no relu.
        gradient: the length (2-norm) of the gradient that came back, or None.
        gradient_mean, gradient_std: of its numbers.
        histogram: how many numbers lie in each of twelve equal steps from the smallest to the largest.
    """

    name: str
    op: str
    shape: tuple[int, ...]
    mean: float
    std: float
    zeros: float
    saturated: float | None
    dead: float | None
    gradient: float | None
    gradient_mean: float | None
    gradient_std: float | None
    histogram: tuple[int, ...]


@dataclass(frozen=True)
class Weights:
    """One parameter, its gradient, and by how much it was changed.

    Attributes:
        name: of the parameter.
        shape: of it.
        norm: its length (2-norm) before the step.
        gradient: the length of its gradient; None where none came.
        gradient_mean, gradient_std: of the gradient's numbers.
        ratio: the length of the change divided by the weights' own; None where nothing changed them.
        histogram: of the gradient.
    """

    name: str
    shape: tuple[int, ...]
    norm: float
    gradient: float | None
    gradient_mean: float | None
    gradient_std: float | None
    ratio: float | None
    histogram: tuple[int, ...]


@dataclass(frozen=True)
class Statistics:
    """One step seen from inside; print it.

    Attributes:
        activations: in the order in which the layers ran.
        weights: in the order of the network.
        step: which step of a run it was; 0 outside of a run.
    """

    activations: tuple[Activations, ...]
    weights: tuple[Weights, ...]
    step: int = 0

    def __str__(self) -> str:
        return "\n".join(_told(self))

    __repr__ = __str__

    def remarks(self) -> list[str]:
        """What is worth a second look, in sentences; empty where all looks well."""
        return [*_remarks(self)]


def layer_statistics(step: Callable[..., Any]) -> Callable[..., Statistics]:
    """Run one step and look at activations, gradients and changes of weights, layer by layer.

    Args:
        step: a function that predicts, or predicts, compares and learns; or a module.

    Returns:
        A function to call with inputs as the step is called; it puts everything back as it was and returns
        the `Statistics`.

    >>> import pellucid
    >>> from pellucid import nn
    >>> layer = nn.Linear(2, 2, bias=False)
    >>> _ = layer.load_state_dict({"weight": [[1.0, 0.0], [0.0, -1.0]]})
    >>> def step(x):
    ...     y = layer(x).relu()
    ...     y.sum().backward()
    ...     return y
    >>> statistics = layer_statistics(step)(pellucid.ones(3, 2))
    >>> [(a.name, a.zeros, a.dead) for a in statistics.activations]
    [('Linear', 0.0, None), ('relu', 0.5, 0.5)]
    """

    def looker(*arguments: Any, **named: Any) -> Statistics:
        keeper = _Keeper(step, Recorder(step))
        for thing in (*arguments, *named.values()):
            keeper.find("", thing)
        watch = Watch(variables_of(step))
        try:
            with watch.looking():
                step(*arguments, **named)
            return watch.statistics()
        finally:
            keeper.put_back()

    return looker


class LayerStatistics(Callback):
    """While a network is trained: the same for every so many steps.

    Args:
        every: look at every so many steps, beginning with the first.
        show: print the table each time.

    Attributes:
        history: all of them, the earliest first; `history[-1]` is the latest.

    >>> import pellucid
    >>> from pellucid import nn, optim, train
    >>> _ = pellucid.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    >>> data = [(pellucid.rand(8, 2), pellucid.rand(8, 1))] * 5
    >>> inside = LayerStatistics(every=2)
    >>> _ = train.fit(model, data, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), epochs=1,
    ...               callbacks=[inside], progress=False)
    >>> [s.step for s in inside.history], [w.name for w in inside.history[0].weights]
    ([1, 3, 5], ['0.weight', '0.bias', '2.weight', '2.bias'])
    """

    def __init__(self, every: int = 100, show: bool = False) -> None:
        if every < 1:
            raise ArgumentError(
                f"LayerStatistics looks at every so many steps: 1 or more, not {every}"
            )
        self.every, self.show = every, show
        self.history: list[Statistics] = []
        self._watch: Watch | None = None
        self._looking: Any = None

    def on_start(self, run: Run) -> None:
        """Look at the first step, or at the next that is due."""
        self._look(run)

    def on_step(self, run: Run) -> None:
        """Take down what was seen, and look again when it is time."""
        if self._watch is not None:
            self._stop()
            statistics = self._watch.statistics(run.step, run.model)
            self._watch = None
            self.history.append(statistics)
            if self.show:
                print(f"step {run.step}\n{statistics}\n")
        self._look(run)

    def on_epoch(self, run: Run) -> None:
        """What is measured after a pass is no step; look at the next one, if it is due."""
        if self._watch is not None:
            self._watch.forget()

    def on_end(self, run: Run) -> None:
        """Look no more."""
        self._stop()
        self._watch = None

    def _look(self, run: Run) -> None:
        if run.step % self.every == 0 and self._watch is None:
            self._watch = Watch()
            self._looking = self._watch.looking()
            self._looking.__enter__()

    def _stop(self) -> None:
        if self._looking is not None:
            self._looking.__exit__(None, None, None)
            self._looking = None


# ------------------------------------------------------------------------------------------ watching


class Watch:
    """Remembers what layers and bends give, while a step runs.

    Args:
        named: the step's variables, for the names of weights that belong to no layer.
    """

    def __init__(self, named: dict[str, Any] | None = None) -> None:
        self.names = {id(v): n for n, v in (named or {}).items() if isinstance(v, Tensor)}
        self.paths: dict[int, str] = {}
        self.roots: list[Module] = []
        self.before: dict[int, tuple[str, Tensor, Array]] = {}
        self.seen: dict[str, dict[int, list[tuple[str, Tensor]]]] = {}
        self.alive: list[Any] = []
        self.gradients: dict[int, Array] = {}

    def forget(self) -> None:
        """Begin anew: what was seen belonged to no step."""
        self.seen.clear()
        self.before.clear()
        self.roots.clear()
        self.gradients.clear()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look on in this block; who looks on already goes on doing so."""
        listener, witness = tape.mode.listener, tape.mode.witness

        def hear(op: Any, inputs: Any, settings: dict[str, Any], result: Tensor) -> None:
            if listener is not None:
                listener(op, inputs, settings, result)
            self.hear(op, inputs, result)

        def see(event: str, *what: Any) -> Any:
            if event == "step":
                self.keep_gradients()
            if witness is not None:
                return witness(event, *what)
            return what[0]._value.item() if event == "item" else None

        tape.mode.witness = see
        try:
            with tape.listening(hear):
                yield
        finally:
            tape.mode.witness = witness

    def hear(self, op: Any, inputs: Any, result: Tensor) -> None:
        """An operation has run: in a layer, or is it a bend?"""
        module, frame = self._innermost()
        for x in inputs:
            leaf = isinstance(x, Tensor) and x._node is None and x._requires_grad
            if leaf and id(x) not in self.before:
                name = self.names.get(id(x), f"weight {len(self.before) + 1}")
                self.before[id(x)] = name, x, x._value.copy()
        if result._value.ndim == 0 or result._value.dtype.kind != "f":
            return
        path = "" if module is None else self.paths.get(id(module), "")
        leaf = module is not None and not any(module.children())
        if leaf:
            name = path or type(module).__name__
        elif op.name in BENDS:
            name, frame = f"{path}.{op.name}" if path else op.name, result
        else:
            return
        if result._requires_grad:
            result.retain_grad()
        self.alive.append(frame)  # as long as it lives, nothing else has its id
        self.seen.setdefault(name, {}).setdefault(id(frame), []).append((op.name, result))

    def _innermost(self) -> tuple[Module | None, Any]:
        """The module at work, and the frame of its call."""
        frame: Any = sys._getframe(3)
        inner: tuple[Module | None, Any] = None, None
        outer: Module | None = None
        while frame is not None:
            if frame.f_code is Module.__call__.__code__:
                outer = frame.f_locals["self"]
                if inner[0] is None:
                    inner = outer, frame
            frame = frame.f_back
        if outer is not None and not any(outer is root for root in self.roots):
            self._meet(outer)
        return inner

    def _meet(self, root: Module) -> None:
        """A network that is called: its paths, and its weights as they are now."""
        self.roots.append(root)
        for path, module in root.named_modules():
            self.paths.setdefault(id(module), path)
        for name, parameter in root.named_parameters():
            self.before.setdefault(id(parameter), (name, parameter, parameter._value.copy()))

    def keep_gradients(self) -> None:
        """The gradients as they are at this moment."""
        for key, (_, parameter, _) in self.before.items():
            if parameter._grad is not None:
                self.gradients[key] = _numbers(parameter._grad)

    # -------------------------------------------------------------------------------------- summed up

    def statistics(self, step: int = 0, model: Module | None = None) -> Statistics:
        """What was seen, in figures."""
        for key, (_, parameter, _) in self.before.items():
            if key not in self.gradients and parameter._grad is not None:
                self.gradients[key] = _numbers(parameter._grad)
        own = None if model is None else {id(p) for p in model.parameters()}
        return Statistics(
            tuple(
                _activations(name, [_outcome(results) for results in calls.values()])
                for name, calls in self.seen.items()
            ),
            tuple(
                _weights(name, parameter, before, self.gradients.get(key))
                for key, (name, parameter, before) in self.before.items()
                if own is None or key in own
            ),
            step,
        )


def _outcome(results: list[tuple[str, Tensor]]) -> tuple[str, Tensor]:
    """What a call of a layer gave: its last result that led to the loss; without a loss its last."""
    used = [r for r in results if r[1]._grad is not None] or results
    return used[-1]


def _activations(name: str, calls: list[tuple[str, Tensor]]) -> Activations:
    op, last = calls[-1]
    numbers = np.concatenate([r._value.reshape(-1) for _, r in calls]).astype(np.float64)
    kept = [_numbers(r._grad).reshape(-1) for _, r in calls if r._grad is not None]
    gradient = np.concatenate(kept).astype(np.float64) if kept else None
    ends = RANGES.get(op)
    saturated = None
    if ends is not None and numbers.size:
        margin = NEAR * (ends[1] - ends[0])
        saturated = float(np.mean((numbers < ends[0] + margin) | (numbers > ends[1] - margin)))
    return Activations(
        name, op, last.shape, _mean(numbers), _std(numbers), _share(numbers == 0), saturated,
        _dead([r._value for _, r in calls]) if op in RECTIFIERS else None,
        None if gradient is None else _length(gradient),
        None if gradient is None else _mean(gradient),
        None if gradient is None else _std(gradient),
        _histogram(numbers),
    )  # fmt: skip


def _dead(results: list[Array]) -> float:
    """The share of units that are 0 for every example: channels of images, else the last axis."""
    quiet = []
    for y in results:
        axis = 1 if y.ndim > 3 else y.ndim - 1
        quiet.append((y == 0).all(axis=tuple(i for i in range(y.ndim) if i != axis)))
    if len({q.shape for q in quiet}) > 1:
        return _share(np.concatenate(quiet))
    return _share(np.all(quiet, axis=0))


def _weights(name: str, parameter: Tensor, before: Array, gradient: Array | None) -> Weights:
    own = _length(before)
    change = _length(parameter._value.astype(np.float64) - before)
    return Weights(
        name, parameter.shape, own,
        None if gradient is None else _length(gradient),
        None if gradient is None else _mean(gradient),
        None if gradient is None else _std(gradient),
        change / own if change and own else None,
        () if gradient is None else _histogram(gradient),
    )  # fmt: skip


def _length(array: Array) -> float:
    return float(np.linalg.norm(np.asarray(array, np.float64).reshape(-1)))


def _mean(array: Array) -> float:
    return float(np.mean(array, dtype=np.float64)) if array.size else 0.0


def _std(array: Array) -> float:
    return float(np.std(array, dtype=np.float64)) if array.size else 0.0


def _share(array: Array) -> float:
    return float(np.mean(array)) if np.size(array) else 0.0


def _histogram(array: Array) -> tuple[int, ...]:
    fine = np.asarray(array, np.float64)
    fine = fine[np.isfinite(fine)]
    if not fine.size:
        return ()
    counts, _ = np.histogram(fine, BINS)
    return tuple(int(n) for n in counts)


# ----------------------------------------------------------------------------------------- in a table


def spark(counts: tuple[int, ...]) -> str:
    """A histogram as a row of bars; the tallest is full, and what is not empty can be seen.

    >>> spark((0, 1, 50, 100))
    ' ▁▄█'
    """
    most = max(counts, default=0) or 1
    return "".join(BARS[math.ceil(n / most * (len(BARS) - 1))] if n else " " for n in counts)


def _told(statistics: Statistics) -> Iterator[str]:
    head = ["activations", "mean", "std", "zero", "satur.", "dead", "gradient", "values"]
    rows = [
        [
            a.name, short(a.mean, 2), short(a.std, 2), _percent(a.zeros), _percent(a.saturated),
            _percent(a.dead), _figure(a.gradient), spark(a.histogram),
        ]
        for a in statistics.activations
    ]  # fmt: skip
    yield aligned([head, *rows], left=(0, 7))
    yield ""
    head = ["weights", "shape", "norm", "gradient", "change", "gradients"]
    rows = [
        [w.name, str(w.shape), short(w.norm, 3), _figure(w.gradient), _figure(w.ratio), spark(w.histogram)]
        for w in statistics.weights
    ]  # fmt: skip
    if rows:
        yield aligned([head, *rows], left=(0, 1, 5))
    remarks = statistics.remarks()
    if remarks:
        yield ""
        yield from remarks


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _figure(value: float | None) -> str:
    return "" if value is None else short(value, 2)


LARGE_CHANGE, SMALL_CHANGE = 0.1, 1e-6
MANY = 0.5
FADING = 1e-3


def _remarks(statistics: Statistics) -> Iterator[str]:
    for a in statistics.activations:
        if a.dead is not None and a.dead >= MANY and a.shape[0] > 1:
            yield f"{a.name}: {_percent(a.dead)} of its units are 0 for every example of the batch."
        if a.saturated is not None and a.saturated >= MANY:
            yield f"{a.name}: {_percent(a.saturated)} of its numbers are at an end of their range."
    lengths = [(a.name, a.gradient) for a in statistics.activations if a.gradient]
    if len(lengths) > 1:
        (first, low), (last, high) = lengths[0], lengths[-1]
        if low < FADING * high:
            yield f"gradients fade on the way back: {_figure(high)} at {last}, {_figure(low)} at {first}."
        elif high < FADING * low:
            yield f"gradients grow on the way back: {_figure(high)} at {last}, {_figure(low)} at {first}."
    for w in statistics.weights:
        if w.gradient == 0:
            yield f"{w.name}: its gradient is 0, so it learns nothing."
        if w.ratio is not None and not SMALL_CHANGE <= w.ratio <= LARGE_CHANGE and w.norm:
            many = "large: lower" if w.ratio > LARGE_CHANGE else "small: raise"
            yield (
                f"{w.name}: one step changes it by {_figure(w.ratio)} of its size, which is {many} the "
                "learning rate?"
            )
