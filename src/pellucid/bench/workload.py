"""What a workload is: one piece of work in several variants, each timed in a process of its own.

A variant is a way to do the work: ours (`eager`, `compiled`), a peer (`torch`, `jax`, ...), or `bare`:
what the calls to NumPy that nobody can avoid cost alone. Most workloads are training steps
(`Training`): the network is written once, with nothing but the names that Pellucid and PyTorch share,
and both get the same arrays: data of the real shape, and the same first weights.
"""

from __future__ import annotations

import importlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Step = Callable[[], Any]
Numbers = list[tuple[float, float]]
"""What is compared between variants: numbers, each with the size against which it is judged."""

EQUAL_STEPS = 20
PROJECTIONS = 4
OURS = ("eager", "compiled")


@dataclass(frozen=True)
class Goal:
    """What is to be reached.

    Attributes:
        variant: by which of ours.
        floor: how many times the peer's speed, if it is a matter of speed.
        most: otherwise how much it may be at most (seconds, bytes).
    """

    variant: str
    floor: float | None = None
    most: float | None = None


class Timed(ABC):
    """One variant, ready to be measured."""

    @abstractmethod
    def turn(self, seconds: float) -> float:
        """Work for about so long (at least once), and tell what one unit of work cost."""

    def numbers(self, exact: bool) -> Numbers | None:
        """What was computed, to be compared; None where there is nothing to compare.

        Args:
            exact: without random numbers, so that libraries can be compared with each other.
        """
        return None

    def start(self) -> None:
        """Do everything that only the first step has to do."""
        self.turn(0)


class Steps(Timed):
    """A function that is called again and again.

    Args:
        step: what is timed.
        units: how much work one call does: images, words, weights.
        numbers: what it computes, for comparing; gets `exact`.
        prepare: what so many calls need that is not part of the work.
    """

    def __init__(
        self,
        step: Step,
        units: int = 1,
        numbers: Callable[[bool], Numbers | None] | None = None,
        prepare: Callable[[int], Any] = lambda calls: None,
    ) -> None:
        self.step, self.units, self._numbers, self._prepare = step, units, numbers, prepare
        self._each = 0.0  # seconds a call took in the last turn

    def start(self) -> None:
        """The first call compiles what is compiled."""
        self._each = self._time(1)

    def turn(self, seconds: float) -> float:
        """As many calls as fit; seconds per unit."""
        if not self._each:
            self.start()
        count = max(1, round(seconds / max(self._each, 1e-7)))
        self._each = self._time(count)
        return self._each / self.units

    def numbers(self, exact: bool) -> Numbers | None:
        """What it computes."""
        return self._numbers(exact) if self._numbers else None

    def _time(self, count: int) -> float:
        step = self.step
        self._prepare(count)
        begin = time.perf_counter()
        for _ in range(count):
            step()
        return (time.perf_counter() - begin) / count


class Workload(ABC):
    """One piece of work.

    Attributes:
        id: such as W1.
        title: what it is, in a few words.
        unit: what is counted, such as "µs a step".
        scale: how many of the unit make one second (or byte).
        ours: our variants; the first is the one that all others are compared with.
        peer: what the floors speak of.
        others: further variants, measured where they are installed.
        goals: what is to be reached.
        threads: the thread counts that are tried; the better one of each variant counts.
        tolerance: how far the numbers of another library may be away from ours, relative.
        random: whether there are random numbers in what is timed.
        rounds: how often a variant has its turn at most, where one turn takes long.
        note: what a reader has to know.
    """

    id: str
    title: str
    unit: str = "µs a step"
    scale: float = 1e6
    ours: tuple[str, ...] = OURS
    peer: str | None = "torch"
    others: tuple[str, ...] = ("torch.compile", "jax", "bare")
    goals: tuple[Goal, ...] = ()
    threads: tuple[int, ...] = (1, 2)
    tolerance: float = 1e-3
    random: bool = False
    rounds: int | None = None
    note: str = ""

    @abstractmethod
    def open(self, variant: str, threads: int) -> Timed:
        """Make one variant ready; called in the process that runs it."""


@dataclass
class Learner:
    """A network that learns: `learn` does one step with inputs and targets and returns the loss.

    Attributes:
        learn: predict, compare, learn.
        weights: the weights as they are now, by name, as arrays.
        reset: puts the first weights back.
        data: batches, round and round.
        seed: sets the library's random numbers.
        epoch: where many steps can be asked for at once, so many of them; their losses.
    """

    learn: Callable[..., Any]
    weights: Callable[[], Arrays]
    reset: Callable[[], Any]
    data: Callable[[], Iterator[tuple[Any, ...]]]
    seed: Callable[[int], Any] = lambda seed: None
    epoch: Callable[[int], Any] | None = None

    def steps(self) -> Step:
        """What does one step with the next batch each time it is called."""
        learn, data = self.learn, self.data()
        return lambda: learn(*next(data))

    def losses(self, steps: int) -> list[float]:
        """So many steps from the beginning, and the loss of each."""
        self.reset()
        self.seed(0)
        if self.epoch is not None:
            return [float(loss) for loss in self.epoch(steps).numpy()]
        step = self.steps()
        return [float(step().item()) for _ in range(steps)]


class Training(Workload):
    """A workload that is a training step."""

    lr: float
    size: int  # of a batch

    @abstractmethod
    def arrays(self) -> Arrays:
        """`inputs`, `targets` and first `weights`, from a fixed seed."""

    @abstractmethod
    def network(self, lib: Any, exact: bool) -> tuple[Any, Any]:
        """Model and loss, of `lib` (pellucid or torch). `exact` means without dropout."""

    def jax_loss(self, w: Any, inputs: Any, targets: Any, key: Any) -> Any:
        """The loss as one writes it in JAX; `key` is None for no dropout."""

    @abstractmethod
    def bare(self, a: Arrays) -> Step:
        """What nobody can do without, and nothing else."""

    def open(self, variant: str, threads: int) -> Timed:
        """The step, and the losses and changes of weights that it leads to."""
        a = self.arrays()
        if variant == "bare":
            return Steps(self.bare(a))
        timed = self.learner(variant, a, exact=False)

        def numbers(exact: bool) -> Numbers:
            other = self.random and exact  # otherwise the one that is timed is asked itself
            learner = self.learner(variant, a, exact) if other else timed
            return what_was_learned(learner, a["weights"])

        if timed.epoch is None:
            return Steps(timed.steps(), numbers=numbers)
        whole, steps = timed.epoch, len(a["inputs"]) // self.size
        return Steps(lambda: whole(steps), steps, numbers)

    def learner(self, variant: str, a: Arrays, exact: bool) -> Learner:
        """The network in one variant, with weights of its own."""
        if variant == "jax":
            from .in_jax import learner

            return learner(self, a, exact)
        lib: Any = importlib.import_module("torch" if variant.startswith("torch") else "pellucid")
        model, criterion = self.network(lib, exact)
        optimizer = lib.optim.SGD(model.parameters(), lr=self.lr)
        predict = lib.compile(model) if variant == "torch.compile" else model

        def learn(inputs: Any, targets: Any) -> Any:
            optimizer.zero_grad()
            loss = criterion(predict(inputs), targets)
            loss.backward()
            optimizer.step()
            return loss

        def weights() -> Arrays:
            return {name: w.numpy().copy() for name, w in model.state_dict().items()}

        def reset() -> None:
            first = {name: lib.from_numpy(w.copy()) for name, w in a["weights"].items()}
            model.load_state_dict(first)

        def data() -> Iterator[tuple[Any, ...]]:
            return batches(lib.from_numpy, a["inputs"], a["targets"], size=self.size)

        reset()
        if variant != "compiled":
            return Learner(learn, weights, reset, data, lib.manual_seed)
        step = lib.compile(learn)

        @cache
        def repeated(steps: int) -> tuple[Any, ...]:
            both = a["inputs"], a["targets"]
            return tuple(lib.from_numpy(in_order(x, steps, self.size)) for x in both)

        def epoch(steps: int) -> Any:
            return step.epoch(*repeated(steps), batch_size=self.size)

        return Learner(step, weights, reset, data, lib.manual_seed, epoch)


def what_was_learned(learner: Learner, first: Arrays) -> Numbers:
    """The losses of some steps, and how far each weight has moved, seen from random directions.

    If two changes look the same from several random directions (+1 and -1 for each weight, added
    up), they are the same.
    """
    found = [(loss, abs(loss)) for loss in learner.losses(EQUAL_STEPS)]
    last = learner.weights()
    return found + [n for name in sorted(first) for n in moved(last[name], first[name])]


def moved(after: Any, before: Any) -> Numbers:
    """How far an array has moved, seen from random directions; judged by the length of the way."""
    r, way = np.random.default_rng(0), (after.astype(np.float64) - before).reshape(-1)
    length, found = float(np.sqrt(way @ way)), []
    for _ in range(PROJECTIONS):
        signs = r.integers(0, 2, way.size, dtype=np.int8).view(np.bool_)
        found.append((float(2 * way[signs].sum() - way.sum()), length))
    return found


def difference(ours: Numbers, theirs: Numbers) -> float:
    """The largest difference, each relative to its size."""
    if len(ours) != len(theirs):
        return float("inf")
    pairs = zip(ours, theirs, strict=True)
    far = [abs(a - b) / max(size, 1e-12) for (a, size), (b, _) in pairs]
    return float("inf") if any(np.isnan(far)) else max(far, default=0.0)


# ----------------------------------------------------------------------------- data of the real shape


def batches(as_tensor: Callable[[Any], Any], *arrays: Any, size: int) -> Iterator[tuple[Any, ...]]:
    """Slices of the arrays as tensors, round and round."""
    count = len(arrays[0]) // size
    parts = [
        [np.ascontiguousarray(a[i * size : (i + 1) * size]) for a in arrays] for i in range(count)
    ]
    return cycle([tuple(as_tensor(part) for part in batch) for batch in parts])


def in_order(array: Any, steps: int, size: int) -> Any:
    """What so many batches get, one after the other: the array, again and again."""
    whole = len(array) // size * size
    return np.ascontiguousarray(array[np.arange(steps * size) % whole])


def uniform(r: np.random.Generator, *shape: int, scale: float = 0.1) -> np.ndarray[Any, Any]:
    """Numbers within ±scale, float32."""
    return (scale * (2 * r.random(shape, np.float32) - 1)).astype(np.float32)


def linear(r: np.random.Generator, name: str, inputs: int, outputs: int) -> Arrays:
    """First weights of a linear layer."""
    return {f"{name}.weight": uniform(r, outputs, inputs), f"{name}.bias": uniform(r, outputs)}
