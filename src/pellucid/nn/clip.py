"""Clipping: gradients that are too long are cut, so that one bad batch cannot ruin the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import tape
from ..errors import AnomalyError, ArgumentError
from ..sparse import RowSparse
from ..tensor import Tensor

Parameters = Tensor | Iterable[Tensor]


def clip_grad_norm_(
    parameters: Parameters,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Shorten all gradients together, so that their length is at most `max_norm`.

    They keep their direction. R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training
    recurrent neural networks", 2013.

    Args:
        parameters: whose gradients; those without are passed over.
        max_norm: the largest length.
        norm_type: 2 for the length, infinity for the largest element, or another p-norm.
        error_if_nonfinite: refuse gradients with NaN or infinity in them.

    Returns:
        The length before, one number.

    Raises:
        ArgumentError: max_norm is negative, or norm_type not above 0.
        AnomalyError: with `error_if_nonfinite`, the length is NaN or infinite.
    """
    if not max_norm >= 0:
        raise ArgumentError(f"clip_grad_norm_: max_norm is 0 or more, not {max_norm}")
    if not norm_type > 0:
        raise ArgumentError(f"clip_grad_norm_: norm_type is above 0, not {norm_type}")
    parts = _with_gradients(parameters)
    gradients = [gradient for _, gradient in parts]
    factor, total = shortening(gradients, max_norm, norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise AnomalyError(f"the gradients' length is {total}: some of them are NaN or infinite")
    length = Tensor(np.asarray(total, gradients[0].dtype if gradients else np.float32))
    with _told("shortened", parts, (max_norm, norm_type, error_if_nonfinite), length):
        if factor != 1:
            for gradient in gradients:
                np.multiply(gradient, factor, out=gradient)
    return length


def clip_grad_value_(parameters: Parameters, clip_value: float) -> None:
    """Cut every element of every gradient to ± `clip_value`.

    Args:
        parameters: whose gradients; those without are passed over.
        clip_value: the largest size of an element.

    Raises:
        ArgumentError: clip_value is negative.
    """
    if not clip_value >= 0:
        raise ArgumentError(f"clip_grad_value_: clip_value is 0 or more, not {clip_value}")
    parts = _with_gradients(parameters)
    with _told("cut", parts, (clip_value,), None):
        for _, gradient in parts:
            np.clip(gradient, -clip_value, clip_value, out=gradient)


# A program (`program/clipping.py`) is written from the same rule.
def shortening(gradients: Sequence[Any], max_norm: float, norm_type: float) -> tuple[float, float]:
    """By which factor all gradients are multiplied, at most 1, and how long they are together."""
    length = 0.0
    for gradient in gradients:
        length = _with(length, gradient, norm_type)
    if norm_type == 2:
        length = math.sqrt(length)
    elif not math.isinf(norm_type):
        length = length ** (1 / norm_type)
    return min(max_norm / (length + 1e-6), 1.0), length  # in this order NaN stays NaN


def _with(so_far: float, gradient: Any, p: float) -> float:
    """The powers of all elements of one more gradient, added; for infinity the largest element."""
    if p == 2:
        return so_far + float(np.vdot(gradient, gradient))
    if math.isinf(p):
        return float(np.maximum(so_far, np.max(np.abs(gradient), initial=0.0)))
    return so_far + float(np.sum(np.abs(gradient) ** p))


def _with_gradients(parameters: Parameters) -> list[tuple[Tensor, Any]]:
    """Parameters that have a gradient, and its array; of row-sparse ones each row's, once."""
    found = []
    for parameter in [parameters] if isinstance(parameters, Tensor) else parameters:
        gradient = parameter._grad
        if isinstance(gradient, RowSparse):
            gradient = parameter._grad = gradient.coalesce()
            found.append((parameter, gradient.values))
        elif gradient is not None:
            found.append((parameter, gradient._value))
    return found


@contextmanager
def _told(how: str, parts: Sequence[Any], settings: Any, length: Any) -> Iterator[None]:
    """A change of gradients in this block: whoever writes the step down is told before and after."""
    done = None
    if tape.mode.witness is not None:
        done = tape.mode.witness("clip", how, [p for p, _ in parts], settings, length)
    yield
    tape.note_change(*[gradient for _, gradient in parts])
    if done is not None:
        done()
