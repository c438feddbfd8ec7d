"""Activations as layers: what a unit does with its weighted sum.

Each calls the operation of the same name in `pellucid.ops`, where its formula and slope stand.
`inplace` is accepted as in PyTorch and changes nothing: values are never overwritten.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from .. import ops
from ..errors import ArgumentError
from ..tensor import Tensor
from .module import Module
from .parameter import Parameter, blank


class _Inplace(Module):
    """An activation without settings."""

    def __init__(self, inplace: bool = False) -> None:
        pass


class ReLU(_Inplace):
    """x where it is positive, 0 elsewhere."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.relu(x)


class ReLU6(_Inplace):
    """ReLU, nowhere above 6."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.relu6(x)


class SELU(_Inplace):
    """A scaled ELU that keeps mean 0 and variance 1 through many layers."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.selu(x)


class SiLU(_Inplace):
    """x · sigmoid(x), also called swish."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.silu(x)


class Mish(_Inplace):
    """x · tanh(softplus(x))."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.mish(x)


class Hardsigmoid(_Inplace):
    """A sigmoid drawn with a ruler."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.hardsigmoid(x)


class Hardswish(_Inplace):
    """x · hardsigmoid(x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.hardswish(x)


class Sigmoid(Module):
    """Squashes any number into (0, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.sigmoid(x)


class LogSigmoid(Module):
    """log(sigmoid(x)), without rounding to log(0)."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.logsigmoid(x)


class Tanh(Module):
    """Squashes any number into (-1, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.tanh(x)


class Softsign(Module):
    """x / (1 + |x|): squashes any number into (-1, 1), slowly."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.softsign(x)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.tanhshrink(x)


class LeakyReLU(Module):
    """x where it is positive, a small share of it elsewhere.

    Args:
        negative_slope: the share.
    """

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.leaky_relu(x, negative_slope=self.negative_slope)

    def extra_repr(self) -> str:
        """The settings."""
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """x where it is positive, a curve that levels off at -alpha elsewhere.

    Args:
        alpha: where it levels off.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.elu(x, alpha=self.alpha)

    def extra_repr(self) -> str:
        """The settings."""
        return f"alpha={self.alpha}"


class CELU(Module):
    """ELU with a curve that is smooth for every alpha.

    Args:
        alpha: where it levels off.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.celu(x, alpha=self.alpha)

    def extra_repr(self) -> str:
        """The settings."""
        return f"alpha={self.alpha}"


class Hardtanh(Module):
    """x, nowhere below `min_val` or above `max_val`.

    Args:
        min_val: the least.
        max_val: the most.
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.hardtanh(x, min_val=self.min_val, max_val=self.max_val)

    def extra_repr(self) -> str:
        """The settings."""
        return f"min_val={self.min_val}, max_val={self.max_val}"


class Softplus(Module):
    """A smooth ReLU: log(1 + exp(beta x)) / beta.

    Args:
        beta: how sharp the bend is.
        threshold: from this beta · x on, x itself.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta = beta
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.softplus(x, beta=self.beta, threshold=self.threshold)

    def extra_repr(self) -> str:
        """The settings."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Hardshrink(Module):
    """0 between -lambd and lambd, x elsewhere.

    Args:
        lambd: the border.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.hardshrink(x, lambd=self.lambd)

    def extra_repr(self) -> str:
        """The settings."""
        return f"lambd={self.lambd}"


class Softshrink(Module):
    """x drawn towards 0 by lambd.

    Args:
        lambd: how far.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.softshrink(x, lambd=self.lambd)

    def extra_repr(self) -> str:
        """The settings."""
        return f"lambd={self.lambd}"


class Threshold(Module):
    """x where it is above the threshold, `value` elsewhere.

    Args:
        threshold: the border.
        value: what stands for the rest.
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        self.threshold = threshold
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.threshold(x, threshold=self.threshold, value=self.value)

    def extra_repr(self) -> str:
        """The settings."""
        return f"threshold={self.threshold}, value={self.value}"


class GELU(Module):
    """x · the share of the bell curve to its left.

    Args:
        approximate: "tanh" for the formula with tanh.
    """

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return ops.gelu(x, approximate=self.approximate)

    def extra_repr(self) -> str:
        """The settings."""
        return f"approximate={self.approximate!r}"


class GLU(Module):
    """The first half along an axis, gated by the sigmoid of the second.

    Args:
        dim: the axis.
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Half as long along the axis."""
        return ops.glu(x, dim=self.dim)

    def extra_repr(self) -> str:
        """The settings."""
        return f"dim={self.dim}"


class PReLU(Module):
    """Leaky ReLU with a learned slope below 0 (He et al., "Delving Deep into Rectifiers", 2015).

    Args:
        num_parameters: 1, or one slope for each channel (axis 1).
        init: the first slope.
        dtype: float32 or float64; by default the default type.
    """

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, *, dtype: DTypeLike | None = None
    ) -> None:
        self.num_parameters = num_parameters
        self.weight: Parameter = blank(num_parameters, dtype=dtype)
        self.weight._value.fill(init)

    def forward(self, x: Tensor) -> Any:
        """Element by element."""
        return ops.prelu(x, self.weight)

    def extra_repr(self) -> str:
        """How many slopes."""
        return f"num_parameters={self.num_parameters}"


class _Shares(Module):
    """What softmax and its relatives have in common: the axis along which shares add up."""

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim

    def _axis(self, x: Tensor) -> int:
        if self.dim is None:
            raise ArgumentError(
                f"{type(self).__name__} needs the axis whose elements share 1 between them: "
                f"{type(self).__name__}(dim=-1) for (batch, classes)"
            )
        return self.dim

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class Softmax(_Shares):
    """Scores as shares that add up to 1 along an axis.

    Args:
        dim: the axis.
    """

    def forward(self, x: Tensor) -> Any:
        """Along the axis.

        Raises:
            ArgumentError: no axis was given.
        """
        return ops.softmax(x, dim=self._axis(x))


class LogSoftmax(_Shares):
    """Logarithms of the shares of softmax.

    Args:
        dim: the axis.
    """

    def forward(self, x: Tensor) -> Any:
        """Along the axis.

        Raises:
            ArgumentError: no axis was given.
        """
        return ops.log_softmax(x, dim=self._axis(x))


class Softmin(_Shares):
    """Softmax of the opposite: the smallest score gets the largest share.

    Args:
        dim: the axis.
    """

    def forward(self, x: Tensor) -> Any:
        """Along the axis.

        Raises:
            ArgumentError: no axis was given.
        """
        return ops.softmin(x, dim=self._axis(x))
