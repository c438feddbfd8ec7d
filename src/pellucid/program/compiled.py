"""`pellucid.compile`: a step that runs as its own program, on the live weights.

The first call with inputs of some shape records the step and writes its program; from then on the program
runs in place of the tape. It reads and changes the model's own weights, the optimiser's own memory and the
generator's random numbers, so that compiled and other steps can take turns.

Where Numba is installed, the program is rendered a second time, as explicit loops, and these run. Without
Numba, or with PELLUCID_KERNELS=0, the NumPy program itself does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..errors import ArgumentError, MissingExtraError, PellucidWarning
from ..nn.module import Module
from ..optim.base import Optimizer
from ..tensor import Tensor
from .epoch import run_epoch
from .live import Live, as_tensors
from .loops import OUT_OF_RANGE
from .record import Recorder, variables_of
from .table import Table

Array = Any


class Compiled:
    """A step that runs as programs, one for each kind of inputs it has met.

    Attributes:
        programs: the programs so far, by the shapes and types of their inputs and whatever else
            they depend on.
        uses_loops: whether programs are rendered as loops.
    """

    def __init__(self, step: Callable[..., Any], loops: bool | None = None) -> None:
        self.step = step
        self.programs: dict[Any, Live] = {}
        self.uses_loops = kernels.state() == "compiled" if loops is None else loops
        if loops is None:
            _say_once(kernels.state())
        self._latest: Live | None = None
        things = [*_things(variables_of(step).values()), *_things([step])]
        self._modules = [m for t in things if isinstance(t, Module) for m in t.modules()]
        self._optimizers = [t for t in things if isinstance(t, Optimizer)]

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """One step: what the step returns, tensors without history.

        Raises:
            ArgumentError: the step cannot be written down; the message says why.
        """
        live = self.live(arguments, named)
        try:
            return as_tensors(live.run(live.arrays(self.step, arguments, named)))
        except IndexError as error:
            if str(error) != OUT_OF_RANGE:
                raise
            return self.step(*arguments, **named)  # which says what is out of range

    def live(self, arguments: Sequence[Any], named: dict[str, Any]) -> Live:
        """The program for such inputs: the one that ran last, one that is there, or a new one."""
        latest = self._latest
        if latest is not None and latest.plain and not named and self._fits(latest, arguments):
            return latest
        key = self._key(arguments, named)
        live = self.programs.get(key)
        if live is None:
            live = Live(self.step, arguments, named, loops=self.uses_loops)
            self._meet(live.recorder)
            key = self._key(arguments, named)
            self.programs[key] = live
        self._latest = live
        live.kinds = _quick_kinds(arguments) if live.plain else [None]
        live.modes = self._modes()
        live.settings = [(g, [*g.values()]) for o in self._optimizers for g in o.param_groups]
        return live

    def epoch(self, *inputs: Any, batch_size: int, drop_last: bool = False) -> Any:
        """Many steps: the inputs cut into batches, in their order, one step for each.

        Where the step is one compiled loop program, so is the whole epoch: a single call. Random
        numbers come from Pellucid's generator, as in single steps.

        Args:
            inputs: what the step is called with, each with all items along its first axis.
            batch_size: how many items make a step.
            drop_last: leave out a last batch that is smaller; otherwise it is a step like the others.

        Returns:
            What the steps return, one after the other along a new first axis: of losses (), a tensor
            (steps,).

        Raises:
            ArgumentError: inputs that are no arrays or of different lengths, or less than one batch;
                or results with axes and a last batch that is smaller.

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
        >>> step.epoch(pellucid.ones(4, 1), batch_size=2).shape
        (2,)
        """
        return run_epoch(self, inputs, batch_size, drop_last)

    # ------------------------------------------------------------------------ to be looked at

    @property
    def source(self) -> str:
        """The text of the program that ran last.

        Raises:
            ArgumentError: none has run yet.
        """
        return self._one().source

    @property
    def loops(self) -> str:
        """The text of the loops that ran last.

        Raises:
            ArgumentError: none has run yet, or programs run in NumPy.
        """
        live = self._one()
        if live.loops is None:
            raise ArgumentError(_WHY[kernels.state()])
        return live.loops.source

    @property
    def fused(self) -> Table:
        """What was put together in the loops that ran last, and why: a table to print.

        Raises:
            ArgumentError: as for `loops`.
        """
        live = self._one()
        if live.loops is None:
            raise ArgumentError(_WHY[kernels.state()])
        return Table(live.loops.fused)

    @property
    def running(self) -> str:
        """The text of what ran last: the loops, or the NumPy program with rooms for its results.

        Raises:
            ArgumentError: none has run yet.
        """
        live = self._one()
        if live.loops is not None:
            return live.loops.source
        return live.program.source if live.reused is None else live.reused.text

    def _one(self) -> Live:
        if self._latest is None:
            raise ArgumentError("a compiled step is written when it is first called: call it once")
        return self._latest

    # ------------------------------------------------------------------ what a program depends on

    def _meet(self, recorder: Recorder) -> None:
        """Modules and optimisers that turned up on the way."""
        for _, root in recorder.roots.values():
            self._modules += [m for m in root.modules() if not any(m is o for o in self._modules)]
        self._optimizers += [o for o in recorder.optimizers if o not in self._optimizers]

    def _modes(self) -> list[bool]:
        return [m.training for m in self._modules]

    def _fits(self, live: Live, arguments: Sequence[Any]) -> bool:
        """Whether nothing has changed since this program ran."""
        for a, (kind, shape, dtype, strides, learns) in zip(arguments, live.kinds, strict=False):
            if a.__class__ is not kind:
                return False
            if kind is Tensor:
                if a._requires_grad != learns:
                    return False
                a = a._value
            if a.shape != shape or a.dtype is not dtype or a.strides != strides:
                return False
        for group, values in live.settings:
            if [*group.values()] != values:
                return False
        return len(arguments) == len(live.kinds) and live.modes == [
            m.training for m in self._modules
        ]

    def _key(self, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """What a program depends on: shapes, types, other arguments, modes, settings."""
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
        return _kind(arguments), _kind(named), tuple(self._modes()), switches

    def __repr__(self) -> str:
        title = getattr(self.step, "__name__", type(self.step).__name__)
        return f"<compiled {title}: {len(self.programs)} programs>"


def compile(  # noqa: A001 - PyTorch's name for it
    step: Callable[..., Any], *, loops: bool | None = None
) -> Compiled:
    """A step that does the same as programs, without the tape.

    Weights and what the optimiser remembers are changed where they are; gradients are not left behind.
    A learning rate that a schedule changes is looked up in every step. Other shapes and types, a
    module that goes from training to use, momentum that is switched on: the step is recorded again.

    Args:
        step: as for `pellucid.write`.
        loops: run explicit loops, compiled by Numba: with the same numbers up to rounding (1e-5 of
            them in float32). False: run NumPy, with the same numbers, bit for bit. By default loops,
            if Numba is installed.

    Returns:
        What is called in its place. `.source` is the program that ran last, `.loops` the same as
        loops, `.fused` a table of what was put together in them and why; `.epoch(...)` makes a step of
        each batch.

    Raises:
        ArgumentError: (when called) the step cannot be written down; the message says why.
        MissingExtraError: `loops=True`, and Numba is not installed.

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
    if loops and kernels.state() == "not installed":
        raise MissingExtraError("loops", "fast")
    return Compiled(step, loops)


_WHY = {
    "compiled": "this step was compiled with loops=False: there are no loops",
    "switched off": "PELLUCID_KERNELS=0 switches loops off: the program runs in NumPy",
    "not installed": "loops need Numba, and it is not installed: the program runs in NumPy.\n"
    "pip install 'pellucid[fast]'",
}
_said: set[str] = set()


def _say_once(state: kernels.State) -> None:
    """Say that steps could be faster, the first time that it matters."""
    if state == "not installed" and state not in _said:
        _said.add(state)
        warnings.warn(
            "pellucid.compile runs steps as NumPy programs; with Numba they would run as compiled "
            "loops, several times faster: pip install 'pellucid[fast]'",
            PellucidWarning, stacklevel=4,
        )  # fmt: skip


def _things(values: Any) -> Iterator[Any]:
    """Modules and optimisers, also in lists."""
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _things(value)
        elif isinstance(value, (Module, Optimizer)):
            yield value


def _quick_kinds(arguments: Sequence[Any]) -> list[Any]:
    """Of arrays what is quickly compared: their class, shape, type, strides, and whether they learn."""
    found: list[Any] = []
    for a in arguments:
        array, learns = (a._value, a._requires_grad) if isinstance(a, Tensor) else (a, False)
        found.append((type(a), array.shape, array.dtype, array.strides, learns))
    return found


def _kind(thing: Any) -> Any:
    """What a program depends on in an argument: of arrays shape, type and order, else the value."""
    if isinstance(thing, Tensor):
        array = thing._value
        return array.shape, array.dtype.char, array.flags.c_contiguous, thing._requires_grad
    if isinstance(thing, np.ndarray):
        return thing.shape, thing.dtype.char, thing.flags.c_contiguous
    if isinstance(thing, (tuple, list)):
        return tuple([_kind(part) for part in thing])
    if isinstance(thing, dict):
        return tuple([(key, _kind(part)) for key, part in thing.items()])
    return thing
