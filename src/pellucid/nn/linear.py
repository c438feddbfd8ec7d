"""Linear layers: every output is a weighted sum of all inputs."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import DTypeLike

from .. import init, ops
from ..errors import ArgumentError
from ..tensor import Tensor
from .module import Module
from .parameter import blank


class Linear(Module):
    """y = x @ weight.T + bias.

    Args:
        in_features: how many numbers go in.
        out_features: how many come out.
        bias: whether each output has a number of its own that is added.
        dtype: float32 or float64; by default the default type.

    Shapes:
        x (..., in_features) -> (..., out_features); weight (out_features, in_features),
        bias (out_features).

    Starts with uniform numbers in ±1/sqrt(in_features) (LeCun et al., "Efficient BackProp", 1998).

    >>> import pellucid
    >>> from pellucid import nn
    >>> layer = nn.Linear(3, 2)
    >>> layer(pellucid.ones(5, 3)).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        at_least_one("Linear", in_features=in_features, out_features=out_features)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = blank(out_features, in_features, dtype=dtype)
        self.bias = blank(out_features, dtype=dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the first weights anew."""
        init.around_zero_(self.weight, 1 / math.sqrt(self.in_features))
        if self.bias is not None:
            init.around_zero_(self.bias, 1 / math.sqrt(self.in_features))

    def forward(self, x: Tensor) -> Tensor:
        """The weighted sums of each row."""
        return ops.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.in_features} -> {self.out_features}" + (
            "" if self.bias is not None else ", bias=False"
        )


class Bilinear(Module):
    """Every output is a weighted sum of all products of a number of x1 and a number of x2.

    Args:
        in1_features: how many numbers x1 has.
        in2_features: how many numbers x2 has.
        out_features: how many come out.
        bias: whether each output has a number of its own that is added.
        dtype: float32 or float64; by default the default type.

    Shapes:
        x1 (..., in1), x2 (..., in2) -> (..., out); weight (out, in1, in2), bias (out).
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        at_least_one("Bilinear", in1_features=in1_features, in2_features=in2_features)
        at_least_one("Bilinear", out_features=out_features)
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = blank(out_features, in1_features, in2_features, dtype=dtype)
        self.bias = blank(out_features, dtype=dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the first weights anew."""
        for parameter in self.parameters():
            init.around_zero_(parameter, 1 / math.sqrt(self.in1_features))

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The weighted sums of the products."""
        return ops.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.in1_features} x {self.in2_features} -> {self.out_features}"


class Identity(Module):
    """Gives back what it gets: a place holder. Takes any arguments and ignores them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, x: Any) -> Any:
        """x itself."""
        return x


def at_least_one(layer: str, **sizes: int) -> None:
    """Refuse sizes that are no counts.

    Raises:
        ArgumentError: naming the layer, the size and what it was.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not hasattr(size, "__index__") or size < 1:
            raise ArgumentError(f"{layer}: {name} is a count, at least 1, not {size!r}")
