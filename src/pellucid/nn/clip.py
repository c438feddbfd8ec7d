"""Clipping: gradients that are too long are cut, so that one bad batch cannot ruin the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable
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
    parts = [(g, n) for g in _gradients(parameters) for n in [_norm(g, norm_type)]]
    total = _norm(np.array([n for _, n in parts]), norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise AnomalyError(f"the gradients' length is {total}: some of them are NaN or infinite")
    factor = max_norm / (total + 1e-6)
    if factor < 1 or math.isnan(factor):
        for gradient, _ in parts:
            np.multiply(gradient, factor, out=gradient)
            tape.note_change(gradient)
    return Tensor(np.asarray(total, parts[0][0].dtype if parts else np.float32))


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
    for gradient in _gradients(parameters):
        np.clip(gradient, -clip_value, clip_value, out=gradient)
        tape.note_change(gradient)


def _gradients(parameters: Parameters) -> list[Any]:
    """The gradients' arrays; of row-sparse ones the values, each row made to occur once."""
    arrays = []
    for parameter in [parameters] if isinstance(parameters, Tensor) else parameters:
        gradient = parameter._grad
        if isinstance(gradient, RowSparse):
            gradient = parameter._grad = gradient.coalesce()
            arrays.append(gradient.values)
        elif gradient is not None:
            arrays.append(gradient._value)
    return arrays


def _norm(array: Any, p: float) -> float:
    if not array.size:
        return 0.0
    if math.isinf(p):
        return float(np.abs(array).max())
    if p == 2:
        flat = array.reshape(-1)
        return math.sqrt(np.dot(flat, flat))
    return float((np.abs(array) ** p).sum() ** (1 / p))
