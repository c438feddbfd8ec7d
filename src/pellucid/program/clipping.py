"""Gradients that are clipped between backward and the optimiser's step, written down from the rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import tape
from ..errors import ArgumentError
from ..nn.clip import shortening
from ..tensor import Tensor
from .fold import Folder
from .known import Known, several, static
from .rules import Arguments, Folded
from .updates import untouched_gradient

if TYPE_CHECKING:
    from .record import Recorder

Array = Any


def write_clip(
    recorder: Recorder,
    how: str,
    parameters: Sequence[Tensor],
    settings: Sequence[float],
    length: Any,
) -> Callable[[], None]:
    """Clipped gradients in the places of the others; to be called when the recorded ones are changed.

    Raises:
        ArgumentError: one of them is of some rows only, or from before the step; or clipping is to
            refuse numbers that are none.
    """
    from .record import Piece, Value, branches

    arguments = Arguments()
    known = []
    for p in parameters:
        gradient, sparse = untouched_gradient(recorder, p)
        if sparse is not None:
            raise ArgumentError(
                "this step cannot be written down: it clips the gradient of an embedding with "
                "sparse=True, whose rows are found out anew in every step.\nMake the embedding with "
                "sparse=False"
            )
        known.append(arguments.array("d", gradient.array, gradient))
    f = Folder(dict(arguments.space), recorder.style)
    limits = [static(s) for s in settings]
    results: list[Known | None] = []
    outputs: list[Value | None] = []
    if how == "shortened":
        if limits.pop().value:
            raise branches("clip_grad_norm_(error_if_nonfinite=True) decides whether to go on")
        factor, total = f.parts(f.call(shortening, [several(known), *limits]))
        limits = [f.named(factor, "shrink")]
        results.append(f.call(_number, [total, static(length.dtype)]))
        outputs.append(recorder.know(Value("result", length._value, "length")))
    rule = _shorter if how == "shortened" else _cut
    for p, long in zip(parameters, known, strict=True):
        result = f.call(rule, [long, *limits])
        value = Value("gradient", f.look(result), "clipped_", owner=recorder.of_tensor(p))
        results.append(result)
        outputs.append(value)
        recorder.gradients[id(p)] = p, value, None
    meaning = "Gradients that are too long are cut."
    folded = Folded("clip", meaning, f.lines, arguments.sources, results, space=f.space)
    recorder.pieces.append(Piece(folded, outputs, part="learn"))

    def done() -> None:
        recorder.went_back_at = tape.tick()

    return done


def _shorter(gradient: Array, shrink: float) -> Array:
    return gradient * shrink


def _cut(gradient: Array, limit: float) -> Array:
    return np.clip(gradient, -limit, limit)


def _number(length: float, dtype: Any) -> Array:
    return np.asarray(length, dtype)
