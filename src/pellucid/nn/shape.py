"""Layers that lay the numbers out otherwise, and compute nothing."""

from __future__ import annotations

from collections.abc import Sequence

from .. import ops
from ..tensor import Tensor
from .module import Module


class Flatten(Module):
    """All axes from `start_dim` to `end_dim` as one: (N, C, H, W) becomes (N, C·H·W).

    Args:
        start_dim: the first of them; 1 keeps the batch.
        end_dim: the last of them.
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        """The same numbers with fewer axes."""
        return ops.flatten(x, start_dim=self.start_dim, end_dim=self.end_dim)

    def extra_repr(self) -> str:
        """The axes, where they are not the usual ones."""
        usual = (self.start_dim, self.end_dim) == (1, -1)
        return "" if usual else f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One axis split into several: `Flatten`, backwards.

    Args:
        dim: the axis.
        unflattened_size: the sizes it is split into; one may be -1.
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Tensor) -> Tensor:
        """The same numbers with more axes."""
        return ops.unflatten(x, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """The axis and the sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
