"""Attention: every position asks all others, and mixes what they have by how well they answer.

A query is compared with all keys; the softmax of the comparisons says how much of each value to take
(Vaswani et al. 2017, equation 1). Written once for arrays and for tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError
from .base import Array, Example, op, raw, sum_to
from .dropout import mask_of


def _weights(query: Array, key: Array, mask: Array, is_causal: bool, scale: float) -> Array:
    """How much each query (..., l, e) takes from each key (..., s, e): rows that sum to 1.

    A row in which everything is masked is all zeros, as in PyTorch.
    """
    scores = (query * scale) @ key.mT
    if mask is not None:
        scores = scores + _bias(mask, scores.dtype)
    if is_causal:
        past = np.tri(scores.shape[-2], scores.shape[-1], dtype=np.bool_)
        scores = scores + _bias(past, scores.dtype)
    highest = np.max(raw(scores), axis=-1, keepdims=True, initial=-np.inf)
    chances = np.exp(scores - np.where(np.isfinite(highest), highest, 0))
    total = np.sum(chances, axis=-1, keepdims=True)
    return chances / (total + (raw(total) == 0))


def _bias(mask: Array, dtype: Any) -> Array:
    """A mask as what is added to the scores: True keeps, False makes impossible."""
    if raw(mask).dtype.kind == "b":
        return np.where(raw(mask), 0, -np.inf).astype(dtype)
    if raw(mask).dtype.kind != "f":
        raise DTypeError(
            f"an attention mask is boolean (True: may look) or added to the scores, not {mask.dtype}"
        )
    return mask


def _scale(query: Array, scale: float | None) -> float:
    """1 / sqrt(e), which keeps the scores' variance at 1, unless another is given."""
    return float(query.shape[-1] ** -0.5) if scale is None else scale


@op(
    "(..., l, e), (..., s, e), (..., s, v), (..., l, s)? -> (..., l, v)",
    remembers=True,
)
def scaled_dot_product_attention(
    query: Array, key: Array, value: Array, attn_mask: Array = None, *, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None,
) -> Any:  # fmt: skip
    """For each query, the values mixed by how well their keys agree with it."""
    if is_causal and attn_mask is not None:
        raise ArgumentError("attention takes attn_mask or is_causal=True, not both")
    if not 0 <= dropout_p < 1:
        raise ArgumentError(f"attention's dropout_p is from 0 to below 1, not {dropout_p!r}")
    weights = _weights(query, key, attn_mask, is_causal, _scale(query, scale))
    dropped = mask_of(weights.shape, dropout_p, weights.dtype) if dropout_p else None
    return (weights if dropped is None else weights * dropped) @ value, (weights, dropped)


@scaled_dot_product_attention.all_slopes
def _(
    d: Array, query: Array, key: Array, value: Array, attn_mask: Array, memory: Any,
    is_causal: bool, scale: float | None, needs: Sequence[bool],
) -> tuple[Any, ...]:  # fmt: skip
    weights, dropped = memory
    factor = _scale(query, scale)
    if not isinstance(d, np.ndarray):  # create_graph: once more, with a history
        weights = _weights(query, key, attn_mask, is_causal, factor)
    used = weights if dropped is None else weights * dropped
    d_value = sum_to(used.mT @ d, value.shape) if needs[2] else None
    if not (needs[0] or needs[1] or needs[3]):
        return None, None, d_value, None
    d_weights = d @ value.mT
    if dropped is not None:
        d_weights = d_weights * dropped
    d_scores = weights * (d_weights - np.sum(d_weights * weights, axis=-1, keepdims=True))
    return (
        sum_to((d_scores @ key) * factor, query.shape) if needs[0] else None,
        sum_to((d_scores.mT @ query) * factor, key.shape) if needs[1] else None,
        d_value,
        sum_to(d_scores, attn_mask.shape) if needs[3] else None,
    )


@scaled_dot_product_attention.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    query, key = r.normal(size=(2, 3, 4)), r.normal(size=(2, 5, 4))
    value = r.normal(size=(2, 5, 3))
    yield (query, key, value), {}
    yield (query, key[0], value, r.normal(size=(3, 5))), {"scale": 0.3}
    yield (query, key, value), {"is_causal": True}
    may_look = r.random((3, 5)) < 0.5
    may_look[1] = False
    yield (query, key, value, may_look), {}
