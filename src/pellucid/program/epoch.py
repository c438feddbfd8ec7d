"""A step for each batch of an epoch: one call of a compiled loop where that is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import tape
from ..errors import ArgumentError, RangeError
from ..tensor import Tensor
from .live import Live, as_tensors
from .loops import OUT_OF_RANGE

if TYPE_CHECKING:
    from .compiled import Compiled

Array = Any


def run_epoch(compiled: Compiled, inputs: Any, batch_size: int, drop_last: bool) -> Any:
    """All batches in their order; see `Compiled.epoch`."""
    count = _checked(inputs, batch_size)
    whole = count // batch_size
    first = [x[:batch_size] for x in inputs]
    live = compiled.live(first, {})
    answers = _in_one_call(live, inputs, batch_size, whole) if live.may_repeat() else None
    if answers is None:
        each = [
            compiled(*[x[n * batch_size : (n + 1) * batch_size] for x in inputs])
            for n in range(whole)
        ]
        answers = _together(each)
    if count % batch_size and not drop_last:
        last = compiled(*[x[whole * batch_size :] for x in inputs])
        answers = _with_last(answers, last)
    return as_tensors(answers)


def _checked(inputs: Any, batch_size: int) -> int:
    """How many items there are."""
    if not inputs or not all(isinstance(x, (Tensor, np.ndarray)) and len(x.shape) for x in inputs):
        raise ArgumentError(
            "an epoch goes through arrays or tensors with all items along their first axis: "
            "step.epoch(inputs, targets, batch_size=100)"
        )
    lengths = [x.shape[0] for x in inputs]
    if len(set(lengths)) > 1:
        raise ArgumentError(
            f"an epoch goes through its inputs side by side, but they have {lengths} items"
        )
    if not 1 <= batch_size <= lengths[0]:
        raise ArgumentError(f"a batch of {batch_size} cannot be cut from {lengths[0]} items")
    return int(lengths[0])


def _in_one_call(live: Live, inputs: Any, size: int, whole: int) -> Any:
    """The whole batches, in one call of the compiled loops."""
    loops = live.loops
    assert loops is not None
    arrays = [x._value if isinstance(x, Tensor) else x for x in inputs]
    stacked = [a[: whole * size].reshape(whole, size, *a.shape[1:]) for a in arrays]
    states = [o.state_of(p, group) for o, p, group in live.recorder.counted]
    given = live.filled([np.ascontiguousarray(a) for a in stacked])
    for i, shape, kind in live.rooms:
        given[i] = np.empty((whole, *shape), kind)
    try:
        loops.module.epoch(*given)
    except IndexError as error:
        if str(error) != OUT_OF_RANGE:
            raise
        raise RangeError(
            "one of the inputs is out of range: a label that is no class, or a number that has no row "
            "in a table.\nIts batches up to there have been learned; call the step with the batches one "
            "by one to see which it is"
        ) from None
    finally:
        if live.changing:
            tape.note_change(*[tensor._value for tensor in live.changing])
    for state in states:
        state["step"] += whole
    return loops.result(given)


def _together(each: list[Any]) -> Any:
    """The answers of all steps along a new first axis."""
    first = each[0]
    if isinstance(first, Tensor):
        return np.stack([answer._value for answer in each])
    if isinstance(first, (tuple, list)):
        return type(first)(_together([a[i] for a in each]) for i in range(len(first)))
    if isinstance(first, dict):
        return {key: _together([a[key] for a in each]) for key in first}
    return each


def _with_last(answers: Any, last: Any) -> Any:
    """One more answer, of a smaller batch."""
    if isinstance(last, Tensor):
        if last.shape != answers.shape[1:]:
            raise ArgumentError(
                f"the last batch is smaller, so that its result {tuple(last.shape)} does not fit "
                f"those of the others, {answers.shape[1:]}.\nLeave it out: drop_last=True"
            )
        return np.concatenate([answers, last._value[None]])
    if isinstance(last, (tuple, list)):
        return type(last)(_with_last(a, b) for a, b in zip(answers, last, strict=True))
    if isinstance(last, dict):
        return {key: _with_last(answers[key], last[key]) for key in last}
    return [*answers, last]
