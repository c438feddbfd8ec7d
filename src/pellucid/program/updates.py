"""What an optimiser does to its weights, written down from the rule it has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import tape
from ..errors import ArgumentError
from ..optim.base import Optimizer
from ..sparse import add_rows
from ..tensor import Tensor
from .fold import Folder, UnfoldableError
from .known import Known, name, several, static
from .rules import Arguments, Folded

if TYPE_CHECKING:
    from .record import Recorder, Rows, Value

Array = Any


def write_step(recorder: Recorder, optimizer: Optimizer) -> None:
    """The updates of all weights that have a gradient."""
    from .record import Piece

    if optimizer not in recorder.optimizers:
        recorder.optimizers.append(optimizer)
    for i, group in enumerate(optimizer.param_groups):
        symbols = _symbols(recorder, optimizer, group, i)
        for p in group["params"]:
            if p._grad is None:
                continue
            gradient, sparse = untouched_gradient(recorder, p)
            weight = recorder.of_tensor(p)
            folded = _update(recorder, optimizer, p, group, symbols, weight, gradient, sparse)
            changes = [weight, *(v for v in folded.arguments.values() if v.kind == "memory")]
            recorder.pieces.append(Piece(folded, [], part="learn", changes=changes))


def untouched_gradient(recorder: Recorder, p: Tensor) -> tuple[Value, Rows | None]:
    """The gradient that backward has left: the whole, and its rows if there are some only.

    Raises:
        ArgumentError: it is from before the step, or was changed since.
    """
    found = recorder.gradients.get(id(p))
    if found is None:
        raise ArgumentError(
            "this step cannot be written down: it uses a gradient from before the step."
            "\nCall backward within the step"
        )
    array = getattr(p._grad, "_value", None)
    changed = tape._changed_at.get(id(array), 0) > recorder.went_back_at
    if changed and len(recorder.losses) == 1:  # a second backward adds to them
        raise ArgumentError(
            "this step cannot be written down: gradients are changed between backward and "
            "optimizer.step, where the tape does not see it.\nnn.utils.clip_grad_norm_ and "
            "clip_grad_value_ are seen"
        )
    return found[1:]


def _symbols(recorder: Recorder, optimizer: Optimizer, group: Any, i: int) -> dict[str, Known]:
    """The settings of a group: numbers other than 0 under names of their own."""
    several_groups = sum(len(o.param_groups) for o in recorder.optimizers) > 1
    ending = f"_{i + 1}" if several_groups else ""
    found: dict[str, Known] = {}
    for setting, value in group.items():
        if setting in ("params", "initial_lr"):
            continue
        if setting == "betas":
            found[setting] = several(
                [
                    _symbol(recorder, f"beta{n + 1}{ending}", b, (group, setting, n))
                    for n, b in enumerate(value)
                ]
            )
        elif isinstance(value, (bool, str)) or value is None or not value:
            found[setting] = static(value)
        else:
            found[setting] = _symbol(recorder, f"{setting}{ending}", value, (group, setting, None))
    return found


def _symbol(recorder: Recorder, title: str, value: Any, source: Any) -> Known:
    if not value:
        return static(value)
    while recorder.settings.get(title, value) != value:
        title += "_"
    recorder.settings[title] = float(value)
    recorder.sources[title] = source
    return static(float(value), name(title))


def _update(
    recorder: Recorder, optimizer: Optimizer, p: Tensor, group: Any, symbols: dict[str, Known],
    weight: Value, gradient: Value, sparse: Rows | None,
) -> Folded:  # fmt: skip
    arguments = Arguments()
    w = arguments.array("weight", p._value, weight)
    title = type(optimizer).__name__.lower()
    if sparse is not None and optimizer.plain_rate(group) is not None:
        rows = arguments.array("rows", sparse.rows.array, sparse.rows)
        values = arguments.array("values", sparse.values.array, sparse.values)
        f = Folder({**_copies(arguments.space), **recorder.settings}, recorder.style)
        f.call(_up_rows if group["maximize"] else _down_rows, [w, rows, values, symbols["lr"]])
        return Folded(title, _meaning(optimizer), f.lines, arguments.sources, [], space=f.space)
    d = arguments.array("gradient", gradient.array, gradient)
    rate = optimizer.plain_rate(group)
    if rate is not None:
        f = Folder({**_copies(arguments.space), **recorder.settings})
        f.call(_uphill if group["maximize"] else _downhill, [w, d, symbols["lr"]])
        return Folded(title, _meaning(optimizer), f.lines, arguments.sources, [], space=f.space)
    state = optimizer.state_of(p, group)
    recorder.counted.append((optimizer, p, group))
    known: dict[str, Known] = {"step": _count(state, group)}
    for memory in optimizer.memories(group):
        value = recorder.memory(optimizer, p, memory, weight)
        known[memory] = arguments.array(memory, value.array, value)
    f = Folder({**_copies(arguments.space), **recorder.settings, "t": state["step"] + 1})
    holder = name("settings")
    try:
        f.call(
            type(optimizer).update,
            [static(optimizer, holder), w, d, static(known, holder), static(symbols, holder)],
        )
    except UnfoldableError as error:
        raise ArgumentError(
            f"this step cannot be written down: the rule of {type(optimizer).__name__} has {error}"
        ) from None
    return Folded(title, _meaning(optimizer), f.lines, arguments.sources, [], space=f.space)


def _count(state: dict[str, Any], group: Any) -> Known:
    """The number of the step, from 1. Momentum that damps nothing takes the first like all others."""
    if "momentum_buffer" in state and not group.get("dampening"):
        return static(2)
    return Known(name("t"), state["step"] + 1)


def _copies(space: dict[str, Any]) -> dict[str, Any]:
    return {n: np.array(v) for n, v in space.items()}


def _downhill(weight: Array, gradient: Array, rate: float) -> None:
    weight -= rate * gradient


def _uphill(weight: Array, gradient: Array, rate: float) -> None:
    weight += rate * gradient


def _down_rows(weight: Array, rows: Array, values: Array, rate: float) -> None:
    add_rows(weight, rows, values * -rate)


def _up_rows(weight: Array, rows: Array, values: Array, rate: float) -> None:
    add_rows(weight, rows, values * rate)


def _meaning(optimizer: Optimizer) -> str:
    return (type(optimizer).__doc__ or "").strip().split("\n")[0]
