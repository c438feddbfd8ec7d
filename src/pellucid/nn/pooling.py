"""Pooling: from each window of a sequence or an image, one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import ops
from ..tensor import Tensor
from .module import Module

Sizes = int | Sequence[int]


class _MaxPool(Module):
    """What both have in common."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def _settings(self) -> dict[str, Any]:
        return {
            "kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding,
            "dilation": self.dilation, "ceil_mode": self.ceil_mode,
        }  # fmt: skip

    def extra_repr(self) -> str:
        """The settings, those that are usual left out."""
        usual = {"stride": self.kernel_size, "padding": 0, "dilation": 1, "ceil_mode": False}
        return _unusual(self._settings(), usual)


class MaxPool1d(_MaxPool):
    """The largest number of each window of a sequence (N, C, L).

    Args:
        kernel_size: how long a window is.
        stride: from one window to the next; by default as long as a window.
        padding: how many places, never the largest, are added at each end.
        dilation: how far apart the places of a window are.
        return_indices: give back a pair: the numbers, and where they stood.
        ceil_mode: whether a last window may hang over the end.
    """

    def forward(self, x: Tensor) -> Any:
        """The largest numbers."""
        if self.return_indices:
            return ops.max_pool1d_with_indices(x, **self._settings())
        return ops.max_pool1d(x, **self._settings())


class MaxPool2d(_MaxPool):
    """The largest number of each window of an image (N, C, H, W).

    Args:
        kernel_size: the size of a window: one number, or height and width.
        stride: from one window to the next; by default as large as a window.
        padding: how many pixels, never the largest, are added on each side.
        dilation: how far apart the pixels of a window are.
        return_indices: give back a pair: the numbers, and where they stood.
        ceil_mode: whether a last window may hang over the edge.

    >>> import pellucid
    >>> from pellucid import nn
    >>> nn.MaxPool2d(2)(pellucid.zeros(1, 6, 28, 28)).shape
    (1, 6, 14, 14)
    """

    def forward(self, x: Tensor) -> Any:
        """The largest numbers."""
        if self.return_indices:
            return ops.max_pool2d_with_indices(x, **self._settings())
        return ops.max_pool2d(x, **self._settings())


class AvgPool1d(Module):
    """The mean of each window of a sequence (N, C, L).

    Args:
        kernel_size: how long a window is.
        stride: from one window to the next; by default as long as a window.
        padding: how many zeros are added at each end.
        ceil_mode: whether a last window may hang over the end.
        count_include_pad: whether the added zeros count.
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad = count_include_pad

    def _settings(self) -> dict[str, Any]:
        return {
            "kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding,
            "ceil_mode": self.ceil_mode, "count_include_pad": self.count_include_pad,
        }  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """The means."""
        return ops.avg_pool1d(x, **self._settings())

    def extra_repr(self) -> str:
        """The settings, those that are usual left out."""
        usual = {"stride": self.kernel_size, "padding": 0, "ceil_mode": False}
        return _unusual(self._settings(), {**usual, "count_include_pad": True})


class AvgPool2d(AvgPool1d):
    """The mean of each window of an image (N, C, H, W).

    Args:
        kernel_size: the size of a window: one number, or height and width.
        stride: from one window to the next; by default as large as a window.
        padding: how many zeros are added on each side.
        ceil_mode: whether a last window may hang over the edge.
        count_include_pad: whether the added zeros count.
        divisor_override: divide the sum by this in place of how many were added.
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, x: Tensor) -> Tensor:
        """The means."""
        return ops.avg_pool2d(x, divisor_override=self.divisor_override, **self._settings())


class _Adaptive(Module):
    """What the four have in common: windows as large as it takes.

    Args:
        output_size: how many numbers come out along each axis; None keeps the size of an axis.
    """

    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def extra_repr(self) -> str:
        """The size."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_Adaptive):
    """Means of as many windows of a sequence (N, C, L) as wanted.

    Args:
        output_size: how many.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The means."""
        return ops.adaptive_avg_pool1d(x, output_size=self.output_size)


class AdaptiveAvgPool2d(_Adaptive):
    """Means of as many windows of an image (N, C, H, W) as wanted.

    Args:
        output_size: how many, down and across; None keeps the size of an axis.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The means."""
        return ops.adaptive_avg_pool2d(x, output_size=self.output_size)


class AdaptiveMaxPool1d(_Adaptive):
    """The largest numbers of as many windows of a sequence (N, C, L) as wanted.

    Args:
        output_size: how many.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The largest numbers."""
        return ops.adaptive_max_pool1d(x, output_size=self.output_size)


class AdaptiveMaxPool2d(_Adaptive):
    """The largest numbers of as many windows of an image (N, C, H, W) as wanted.

    Args:
        output_size: how many, down and across; None keeps the size of an axis.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The largest numbers."""
        return ops.adaptive_max_pool2d(x, output_size=self.output_size)


def _unusual(settings: dict[str, Any], usual: dict[str, Any]) -> str:
    return ", ".join(f"{k}={v}" for k, v in settings.items() if k not in usual or usual[k] != v)
