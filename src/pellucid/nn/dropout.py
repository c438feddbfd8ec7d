"""Dropout: in training, random units are left out, so that none can rely on a single other.

N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
What is kept is divided by 1 - p, so that the sums stay as large; `eval()` leaves nothing out.
"""

from __future__ import annotations

from .. import ops
from ..errors import ArgumentError
from ..tensor import Tensor
from .module import Module


class _Dropout(Module):
    """What the kinds have in common.

    Args:
        p: how likely a unit is left out.
        inplace: accepted as in PyTorch; values are never overwritten.

    Raises:
        ArgumentError: p is no probability.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(f"{type(self).__name__}: p is a probability, from 0 to 1, not {p}")
        self.p = p

    def extra_repr(self) -> str:
        """How likely."""
        return f"p={self.p}"


class Dropout(_Dropout):
    """Leaves out single numbers.

    Args:
        p: how likely a number is left out.
        inplace: accepted as in PyTorch; values are never overwritten.

    Raises:
        ArgumentError: p is no probability.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x with some numbers 0 and the others larger; x itself after `eval()`."""
        return ops.dropout(x, p=self.p, training=self.training)


class Dropout1d(_Dropout):
    """Leaves out whole channels of sequences (N, C, L).

    Args:
        p: how likely a channel is left out.
        inplace: accepted as in PyTorch; values are never overwritten.

    Raises:
        ArgumentError: p is no probability.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x with some channels 0 and the others larger; x itself after `eval()`."""
        return ops.dropout1d(x, self.p, self.training)


class Dropout2d(_Dropout):
    """Leaves out whole channels of images (N, C, H, W).

    Args:
        p: how likely a channel is left out.
        inplace: accepted as in PyTorch; values are never overwritten.

    Raises:
        ArgumentError: p is no probability.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x with some channels 0 and the others larger; x itself after `eval()`."""
        return ops.dropout2d(x, self.p, self.training)


class AlphaDropout(_Dropout):
    """Dropout for SELU networks: keeps mean and variance (Klambauer et al., 2017).

    Args:
        p: how likely a number is left out.
        inplace: accepted as in PyTorch; values are never overwritten.

    Raises:
        ArgumentError: p is no probability.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x with some numbers at SELU's floor; x itself after `eval()`."""
        return ops.alpha_dropout(x, p=self.p, training=self.training)
