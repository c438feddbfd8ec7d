"""The encoder of the Transformer: attention and small networks in turn, with ways past both.

A. Vaswani et al., "Attention is all you need", 2017; `norm_first`: R. Xiong et al., "On layer
normalization in the Transformer architecture", 2020.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from numpy.typing import DTypeLike

from .. import ops
from ..errors import ArgumentError
from ..tensor import Tensor
from .attention import MultiheadAttention
from .containers import ModuleList
from .dropout import Dropout
from .linear import Linear, at_least_one
from .module import Module
from .norm import LayerNorm


class TransformerEncoderLayer(Module):
    """Positions look at each other, then each thinks for itself.

    Args:
        d_model: how many numbers each position has.
        nhead: how many attentions side by side.
        dim_feedforward: how many hidden units each position thinks with.
        dropout: how likely a number is left out in training.
        activation: of the hidden units: "relu", "gelu", or a function.
        layer_norm_eps: added to variances, so that nothing is divided by 0.
        batch_first: sequences are (N, L, d_model) rather than (L, N, d_model).
        norm_first: normalise before each part rather than after.
        bias: whether there are numbers that are added.
        dtype: float32 or float64; by default the default type.

    Raises:
        ArgumentError: an unknown activation, sizes that are no counts or do not go together.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        if isinstance(activation, str) and activation not in ("relu", "gelu"):
            raise ArgumentError(f'activation is "relu", "gelu" or a function, not {activation!r}')
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation: Any = activation

    def forward(
        self,
        src: Tensor,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Tensor:
        """The sequence after looking and thinking, in the shape it came in.

        Args:
            src: (L, N, d_model), (N, L, d_model) with batch_first, or (L, d_model).
            src_mask: (L, L): True where looking is not allowed, or numbers added to the scores.
            src_key_padding_mask: (N, L): True where a position is padding.
            is_causal: nobody looks at positions after their own.
        """
        masks = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            src = src + self._look(self.norm1(src), *masks)
            return src + self._think(self.norm2(src))
        src = self.norm1(src + self._look(src, *masks))
        return self.norm2(src + self._think(src))  # type: ignore[no-any-return]

    def _look(self, x: Tensor, mask: Any, padding: Any, is_causal: bool) -> Tensor:
        mixed, _ = self.self_attn(
            x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False,
            is_causal=is_causal,
        )  # fmt: skip
        return self.dropout1(mixed)  # type: ignore[no-any-return]

    def _think(self, x: Tensor) -> Tensor:
        hidden = self.linear1(x)
        if self.activation == "relu":
            hidden = ops.relu(hidden)
        elif self.activation == "gelu":
            hidden = ops.gelu(hidden)
        else:
            hidden = self.activation(hidden)
        return self.dropout2(self.linear2(self.dropout(hidden)))  # type: ignore[no-any-return]


class TransformerEncoder(Module):
    """Several encoder layers one after the other.

    Args:
        encoder_layer: copied for each layer: all start with the same weights.
        num_layers: how many.
        norm: a normalisation after the last, or None.
    """

    def __init__(
        self, encoder_layer: TransformerEncoderLayer, num_layers: int, norm: Module | None = None
    ) -> None:
        at_least_one("TransformerEncoder", num_layers=num_layers)
        self.layers = ModuleList(copy.deepcopy(encoder_layer) for _ in range(num_layers))
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        src: Tensor,
        mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Through all layers; arguments as for a layer."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, is_causal)
        return src if self.norm is None else self.norm(src)
