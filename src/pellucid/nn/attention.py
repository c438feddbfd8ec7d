"""Multi-head attention: several small attentions side by side, each with projections of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import init, ops
from ..errors import ArgumentError, DTypeError, ShapeError
from ..ops.base import raw
from ..tensor import Tensor
from .linear import Linear, at_least_one
from .module import Module
from .parameter import Parameter, blank


class MultiheadAttention(Module):
    """Every position asks all others, in several ways at once.

    A. Vaswani et al., "Attention is all you need", 2017, section 3.2.2.

    Args:
        embed_dim: how many numbers each position has.
        num_heads: how many attentions side by side; each works on embed_dim / num_heads numbers.
        dropout: how likely a weight of the attention is left out in training.
        bias: whether the projections have numbers that are added.
        kdim: how many numbers each key has, if not embed_dim.
        vdim: how many numbers each value has, if not embed_dim.
        batch_first: sequences are (N, L, E) rather than (L, N, E).
        dtype: float32 or float64; by default the default type.

    Raises:
        ArgumentError: the heads cannot share embed_dim evenly, or sizes are no counts.

    >>> import pellucid
    >>> from pellucid import nn
    >>> x = pellucid.zeros(2, 5, 8)
    >>> mixed, weights = nn.MultiheadAttention(8, 2, batch_first=True)(x, x, x)
    >>> mixed.shape, weights.shape
    ((2, 5, 8), (2, 5, 5))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        dtype: DTypeLike | None = None,
    ) -> None:
        at_least_one("MultiheadAttention", embed_dim=embed_dim, num_heads=num_heads)
        if embed_dim % num_heads:
            raise ArgumentError(
                f"MultiheadAttention: {num_heads} heads cannot share embed_dim {embed_dim} evenly"
            )
        if not 0 <= dropout < 1:
            raise ArgumentError(f"MultiheadAttention: dropout is from 0 to below 1, not {dropout}")
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.head_dim = embed_dim // num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.dropout, self.batch_first = dropout, batch_first
        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = blank(3 * embed_dim, embed_dim, dtype=dtype)
            self.q_proj_weight = self.k_proj_weight = self.v_proj_weight = None
        else:
            self.in_proj_weight = None
            self.q_proj_weight = blank(embed_dim, embed_dim, dtype=dtype)
            self.k_proj_weight = blank(embed_dim, self.kdim, dtype=dtype)
            self.v_proj_weight = blank(embed_dim, self.vdim, dtype=dtype)
        self.in_proj_bias = blank(3 * embed_dim, dtype=dtype) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the first weights anew: Xavier's for the projections, nothing added."""
        for name, parameter in self.named_parameters(recurse=False):
            if name == "in_proj_bias":
                init.zeros_(parameter)
            else:
                init.xavier_uniform_(parameter)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """For each query, the values mixed by how well their keys agree with it.

        Args:
            query: (L, N, embed_dim), (N, L, embed_dim) with batch_first, or (L, embed_dim).
            key: (S, N, kdim), laid out in the same way.
            value: (S, N, vdim), laid out in the same way.
            key_padding_mask: (N, S): True where a key is padding and must not be looked at; or
                numbers that are added to the scores.
            need_weights: also give back how much each query took of each value. Without, it is
                faster.
            attn_mask: (L, S) or (N · num_heads, L, S): True where looking is not allowed; or
                numbers that are added to the scores.
            average_attn_weights: the weights as their mean over the heads.
            is_causal: nobody looks at positions after their own.

        Returns:
            The mixtures, laid out as `query`; and the weights (N, L, S), with
            average_attn_weights=False (N, num_heads, L, S), or None.

        Raises:
            ShapeError: shapes that do not go together.
        """
        batched = query.ndim == 3
        query, key, value = self._batch_first(query, key, value)
        q, k, v = (self._split(x) for x in self._project(query, key, value))
        mask = self._mask(attn_mask, key_padding_mask, is_causal, q, k)
        dropout = self.dropout if self.training else 0.0
        weights: Tensor | None = None
        if need_weights:
            weights = _weights(q, k, mask)
            mixed = ops.matmul(ops.dropout(weights, p=dropout), v)
            weights = ops.mean(weights, dim=1) if average_attn_weights else weights
        else:
            mixed = ops.scaled_dot_product_attention(q, k, v, mask, dropout_p=dropout)
        n, _, length, _ = q.shape
        joined = ops.reshape(ops.transpose(mixed, 1, 2), shape=(n, length, self.embed_dim))
        y = self.out_proj(joined)
        if not batched:
            y, weights = y[0], None if weights is None else weights[0]
        elif not self.batch_first:
            y = ops.transpose(y, 0, 1)
        return y, weights

    def _batch_first(self, query: Tensor, key: Tensor, value: Tensor) -> list[Tensor]:
        """All three as (N, positions, features)."""
        if not (query.ndim == key.ndim == value.ndim) or query.ndim not in (2, 3):
            raise ShapeError(
                "MultiheadAttention takes query, key and value with two axes each (one sequence) "
                f"or three each, not {query.shape}, {key.shape} and {value.shape}"
            )
        if query.ndim == 2:
            return [ops.unsqueeze(x, dim=0) for x in (query, key, value)]
        if self.batch_first:
            return [query, key, value]
        turned = ops.transpose(query, 0, 1)
        if query is key is value:
            return [turned] * 3
        return [turned, ops.transpose(key, 0, 1), ops.transpose(value, 0, 1)]

    def _project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, ...]:
        """Query, key and value, each through its own weights."""
        e, bias = self.embed_dim, self.in_proj_bias
        if self.in_proj_weight is not None and query is key is value:
            return ops.chunk(ops.linear(query, self.in_proj_weight, bias), 3, dim=-1)
        weights: tuple[Any, ...]
        if self.in_proj_weight is not None:
            weights = ops.split(self.in_proj_weight, e)
        else:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases = (None,) * 3 if bias is None else ops.split(bias, e)
        inputs = (query, key, value)
        return tuple(ops.linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True))

    def _split(self, x: Tensor) -> Tensor:
        """(N, positions, embed_dim) as (N, num_heads, positions, head_dim)."""
        n, length, _ = x.shape
        shape = (n, length, self.num_heads, self.head_dim)
        return ops.transpose(ops.reshape(x, shape=shape), 1, 2)

    def _mask(
        self, attn_mask: Any, key_padding_mask: Any, is_causal: bool, q: Tensor, k: Tensor
    ) -> Any:
        """All masks as one, to be added to scores (N, num_heads, L, S); None if there are none."""
        n, heads, length, size = *q.shape[:3], k.shape[2]
        total: Any = None
        if attn_mask is not None:
            total = _added("attn_mask", attn_mask, q.dtype)
            if total.shape == (n * heads, length, size) and total.ndim == 3:
                total = ops.reshape(total, shape=(n, heads, length, size))
            elif total.shape != (length, size):
                raise ShapeError(
                    f"MultiheadAttention: attn_mask is (L, S) = {(length, size)} or (N * "
                    f"num_heads, L, S) = {(n * heads, length, size)}, not {total.shape}"
                )
        elif is_causal:
            total = Tensor(np.where(np.tri(length, size, dtype=bool), 0, -np.inf).astype(q.dtype))
        if key_padding_mask is not None:
            padding = _added("key_padding_mask", key_padding_mask, q.dtype)
            if padding.shape != (n, size) and padding.shape != (size,):
                raise ShapeError(
                    f"MultiheadAttention: key_padding_mask is (N, S) = {(n, size)}, not "
                    f"{padding.shape}"
                )
            padding = ops.reshape(padding, shape=(-1, 1, 1, size))
            total = padding if total is None else total + padding
        return total

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.embed_dim}, {self.num_heads} heads"


def _added(name: str, mask: Any, dtype: Any) -> Tensor:
    """A mask as numbers that are added to scores: -infinity where it is True."""
    values = np.asarray(raw(mask))
    if values.dtype.kind == "b":
        return Tensor(np.where(values, -np.inf, 0).astype(dtype))
    if values.dtype.kind != "f":
        raise DTypeError(
            f"MultiheadAttention: {name} is boolean (True: must not look) or numbers that are "
            f"added to the scores, not {values.dtype}"
        )
    return mask if isinstance(mask, Tensor) else Tensor(values)


def _weights(q: Tensor, k: Tensor, mask: Any) -> Tensor:
    """How much each query takes of each value: rows that sum to 1, or 0 where all is masked."""
    scores = ops.matmul(q * float(q.shape[-1] ** -0.5), ops.transpose(k, -2, -1))
    if mask is None:
        return ops.softmax(scores, dim=-1)
    scores = scores + mask
    closed = np.isneginf(raw(scores)).all(axis=-1, keepdims=True)
    if not closed.any():
        return ops.softmax(scores, dim=-1)
    shares = ops.softmax(ops.masked_fill(scores, Tensor(closed), 0.0), dim=-1)
    return ops.masked_fill(shares, Tensor(closed), 0.0)
