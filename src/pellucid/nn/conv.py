"""Convolutions: the same small weights, used at every place.

Y. LeCun et al., "Backpropagation applied to handwritten zip code recognition", 1989.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from numpy.typing import DTypeLike

from .. import init, ops
from ..errors import ArgumentError
from ..tensor import Tensor
from .linear import at_least_one
from .module import Module
from .parameter import blank

Sizes = int | Sequence[int]


class _Conv(Module):
    """What all four have in common: sizes, weights, first numbers."""

    axes = 2
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes | str,
        dilation: Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        dtype: DTypeLike | None,
    ) -> None:
        name = type(self).__name__
        at_least_one(name, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"{name}: {groups} groups cannot share {in_channels} channels in and "
                f"{out_channels} out evenly"
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = each_axis(name, "kernel_size", kernel_size, self.axes, 1)
        self.stride = each_axis(name, "stride", stride, self.axes, 1)
        self.padding: Any = padding
        if not isinstance(padding, str):
            self.padding = each_axis(name, "padding", padding, self.axes, 0)
        self.dilation = each_axis(name, "dilation", dilation, self.axes, 1)
        self.padding_mode = padding_mode
        channels = (out_channels, in_channels // groups)
        if self.transposed:
            channels = (in_channels, out_channels // groups)
        self.weight = blank(*channels, *self.kernel_size, dtype=dtype)
        self.bias = blank(out_channels, dtype=dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the first weights anew: uniform in ±1/sqrt(inputs of each output)."""
        for parameter in self.parameters():
            init.around_zero_(parameter, 1 / math.sqrt(init.fans(self.weight)[0]))

    def _framed(self, x: Tensor) -> tuple[Tensor, Any]:
        """x, with its frame around it unless that is of zeros; and the padding still to be done."""
        if self.padding_mode == "zeros":
            return x, self.padding
        frame = _frame(self.padding, self.kernel_size, self.dilation)
        return ops.pad(x, frame, mode=self.padding_mode), 0

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the usual ones."""
        usual: dict[str, Any] = {
            "stride": (1,) * self.axes, "padding": (0,) * self.axes,
            "output_padding": (0,) * self.axes, "dilation": (1,) * self.axes, "groups": 1,
            "padding_mode": "zeros",
        }  # fmt: skip
        own = vars(self)
        others = [f", {k}={own[k]}" for k, v in usual.items() if own.get(k, v) != v]
        bias = "" if self.bias is not None else ", bias=False"
        sizes = f"{self.in_channels} -> {self.out_channels}, kernel_size={self.kernel_size}"
        return sizes + "".join(others) + bias


class Conv1d(_Conv):
    """Kernels sliding along sequences.

    Args:
        in_channels: how many numbers there are at each place.
        out_channels: how many kernels, and so numbers, come out at each place.
        kernel_size: how many places a kernel sees.
        stride: how far it moves from one place to the next.
        padding: how many zeros are added at each end; "same" keeps the length, "valid" adds none.
        dilation: how far apart the places are that a kernel sees.
        groups: channels are split into so many groups, each with kernels of its own.
        bias: whether each kernel has a number of its own that is added.
        padding_mode: what is added: "zeros", "reflect", "replicate" or "circular".
        dtype: float32 or float64; by default the default type.

    Shapes:
        x (N, in_channels, L) or (in_channels, L) -> (N, out_channels, L');
        weight (out_channels, in_channels / groups, kernel_size), bias (out_channels).

    Raises:
        ArgumentError: sizes that are no counts or do not go together.
    """

    axes = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        _check_padding(self, padding, stride, padding_mode)
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, dtype,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """What each kernel answers at each place."""
        x, padding = self._framed(x)
        return ops.conv1d(
            x, self.weight, self.bias, stride=self.stride, padding=padding, dilation=self.dilation,
            groups=self.groups,
        )  # fmt: skip


class Conv2d(_Conv):
    """Kernels sliding over images.

    Args:
        in_channels: how many numbers each pixel has.
        out_channels: how many kernels, and so numbers, come out at each place.
        kernel_size: how many pixels a kernel sees: one number, or height and width.
        stride: how far it moves from one place to the next.
        padding: how many zeros are added on each side; "same" keeps the size, "valid" adds none.
        dilation: how far apart the pixels are that a kernel sees.
        groups: channels are split into so many groups, each with kernels of its own.
        bias: whether each kernel has a number of its own that is added.
        padding_mode: what is added: "zeros", "reflect", "replicate" or "circular".
        dtype: float32 or float64; by default the default type.

    Shapes:
        x (N, in_channels, H, W) or (in_channels, H, W) -> (N, out_channels, H', W');
        weight (out_channels, in_channels / groups, *kernel_size), bias (out_channels).

    Raises:
        ArgumentError: sizes that are no counts or do not go together.

    >>> import pellucid
    >>> from pellucid import nn
    >>> layer = nn.Conv2d(1, 16, 3)
    >>> layer(pellucid.zeros(128, 1, 28, 28)).shape
    (128, 16, 26, 26)
    """

    axes = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        _check_padding(self, padding, stride, padding_mode)
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, dtype,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """What each kernel answers at each place."""
        x, padding = self._framed(x)
        return ops.conv2d(
            x, self.weight, self.bias, stride=self.stride, padding=padding, dilation=self.dilation,
            groups=self.groups,
        )  # fmt: skip


class ConvTranspose1d(_Conv):
    """A convolution turned round: every number going in paints a kernel onto what comes out.

    Args:
        in_channels: how many numbers there are at each place.
        out_channels: how many come out at each place.
        kernel_size: how many places a kernel paints.
        stride: how far apart the kernels are painted: what comes out is so many times as long.
        padding: how much is cut off at each end.
        output_padding: how much is added at the far end.
        groups: channels are split into so many groups, each with kernels of its own.
        bias: whether each channel has a number of its own that is added.
        dilation: how far apart the places of a kernel are.
        dtype: float32 or float64; by default the default type.

    Shapes:
        x (N, in_channels, L) -> (N, out_channels, L'); weight (in_channels, out_channels / groups,
        kernel_size), bias (out_channels).

    Raises:
        ArgumentError: sizes that are no counts or do not go together.
    """

    axes, transposed = 1, True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            "zeros", dtype,
        )  # fmt: skip
        self.output_padding = each_axis("ConvTranspose1d", "output_padding", output_padding, 1, 0)

    def forward(self, x: Tensor) -> Tensor:
        """What all kernels painted, added up."""
        return ops.conv_transpose1d(
            x, self.weight, self.bias, stride=self.stride, padding=self.padding,
            output_padding=self.output_padding, groups=self.groups, dilation=self.dilation,
        )  # fmt: skip


class ConvTranspose2d(_Conv):
    """A convolution turned round: every pixel going in paints a kernel onto what comes out.

    Args:
        in_channels: how many numbers each pixel has.
        out_channels: how many come out for each pixel.
        kernel_size: how many pixels a kernel paints: one number, or height and width.
        stride: how far apart the kernels are painted: the image becomes so many times as large.
        padding: how much is cut off on each side.
        output_padding: how much is added at the far sides.
        groups: channels are split into so many groups, each with kernels of its own.
        bias: whether each channel has a number of its own that is added.
        dilation: how far apart the pixels of a kernel are.
        dtype: float32 or float64; by default the default type.

    Shapes:
        x (N, in_channels, H, W) -> (N, out_channels, H', W'); weight (in_channels,
        out_channels / groups, *kernel_size), bias (out_channels).

    Raises:
        ArgumentError: sizes that are no counts or do not go together.
    """

    axes, transposed = 2, True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            "zeros", dtype,
        )  # fmt: skip
        self.output_padding = each_axis("ConvTranspose2d", "output_padding", output_padding, 2, 0)

    def forward(self, x: Tensor) -> Tensor:
        """What all kernels painted, added up."""
        return ops.conv_transpose2d(
            x, self.weight, self.bias, stride=self.stride, padding=self.padding,
            output_padding=self.output_padding, groups=self.groups, dilation=self.dilation,
        )  # fmt: skip


# ------------------------------------------------------------------------------------------ helpers


def each_axis(layer: str, name: str, value: Sizes, axes: int, least: int) -> tuple[int, ...]:
    """One size for all axes, or one for each, as one for each.

    Raises:
        ArgumentError: another number of sizes, no whole numbers, or less than `least`.
    """
    sizes = (value,) * axes if isinstance(value, int) else tuple(value)
    if len(sizes) == 1:
        sizes *= axes
    if len(sizes) != axes or any(not hasattr(n, "__index__") or n < least for n in sizes):
        many = "" if axes == 1 else f", or {axes} of them"
        raise ArgumentError(
            f"{layer}: {name} is a whole number, {least} or more{many}, not {value!r}"
        )
    return sizes


def _check_padding(layer: Module, padding: Any, stride: Any, padding_mode: str) -> None:
    name = type(layer).__name__
    if isinstance(padding, str) and padding not in ("same", "valid"):
        raise ArgumentError(
            f'{name}: padding is a whole number, "same" or "valid", not {padding!r}'
        )
    if padding == "same" and stride not in (1, (1,), (1, 1), [1], [1, 1]):
        raise ArgumentError(f'{name}: padding="same" needs stride 1, not {stride}')
    if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
        raise ArgumentError(
            f'{name}: padding_mode is "zeros", "reflect", "replicate" or "circular", '
            f"not {padding_mode!r}"
        )


def _frame(padding: Any, kernel: Sequence[int], dilation: Sequence[int]) -> list[int]:
    """Widths before and after each axis, the last axis first."""
    widths: list[int] = []
    for i in reversed(range(len(kernel))):
        if padding == "valid":
            widths += [0, 0]
        elif padding == "same":
            total = dilation[i] * (kernel[i] - 1)
            widths += [total // 2, total - total // 2]
        else:
            widths += [padding[i], padding[i]]
    return widths
