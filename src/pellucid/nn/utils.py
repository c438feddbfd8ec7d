"""PyTorch's address for clipping and for parameters as one vector: `nn.utils.clip_grad_norm_`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .. import ops, tape
from ..errors import ShapeError
from ..tensor import Tensor
from .clip import clip_grad_norm_, clip_grad_value_

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters",
]  # fmt: skip


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters one after the other, as one vector with history."""
    return ops.cat([ops.reshape(p, shape=(-1,)) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the pieces of a vector into the parameters, one after the other.

    Raises:
        ShapeError: the vector has not as many numbers as the parameters together.
    """
    listed = list(parameters)
    needed = sum(p.numel() for p in listed)
    if vec.shape != (needed,):
        raise ShapeError(
            f"the parameters have {needed} numbers, and the vector has shape {vec.shape}"
        )
    start = 0
    for p in listed:
        p._value[...] = np.reshape(vec._value[start : start + p.numel()], p.shape)
        tape.note_change(p._value)
        start += p.numel()
