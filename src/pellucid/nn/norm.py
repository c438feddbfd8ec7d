"""Normalisation: numbers brought to a common size between layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from .. import init, ops, tape
from ..errors import ArgumentError, ShapeError
from ..ops.base import default_dtype
from ..tensor import Tensor
from .linear import at_least_one
from .module import Module
from .parameter import blank


class _BatchNorm(Module):
    """What both have in common: weights, and the running mean and variance.

    Args:
        num_features: how many channels.
        eps: added to the variance, so that nothing is divided by 0.
        momentum: how far the running numbers move towards those of each batch; None: they are the
            plain mean over all batches so far.
        affine: whether each channel has a learned factor and a learned number that is added.
        track_running_stats: whether there are running numbers; without, the batch's own are always
            used.
        dtype: float32 or float64; by default the default type.
    """

    axes: tuple[int, ...] = ()
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        at_least_one(type(self).__name__, num_features=num_features)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = blank(num_features, dtype=dtype) if affine else None
        self.bias = blank(num_features, dtype=dtype) if affine else None
        kind = default_dtype() if dtype is None else dtype
        tracked = track_running_stats
        mean, var = Tensor(np.zeros(num_features, kind)), Tensor(np.ones(num_features, kind))
        self.register_buffer("running_mean", mean if tracked else None)
        self.register_buffer("running_var", var if tracked else None)
        seen = Tensor(np.zeros((), np.int64))
        self.register_buffer("num_batches_tracked", seen if tracked else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start anew: factors 1, nothing added, running mean 0 and variance 1."""
        if self.weight is not None and self.bias is not None:
            init.ones_(self.weight)
            init.zeros_(self.bias)
        self.reset_running_stats()

    def reset_running_stats(self) -> None:
        """Forget the batches seen."""
        for buffer, value in (
            (self.running_mean, 0),
            (self.running_var, 1),
            (self.num_batches_tracked, 0),
        ):
            if buffer is not None:
                init.constant_(buffer, value)

    def forward(self, x: Tensor) -> Tensor:
        """Each channel with mean 0 and variance 1, then its factor and what is added."""
        self._check(x)
        momentum = self.momentum or 0.0
        if self.training and self.num_batches_tracked is not None:
            seen = self.num_batches_tracked._value
            seen += 1
            tape.note_change(seen)
            if self.momentum is None:
                momentum = 1 / int(seen)
        own = self.training or self.running_mean is None
        return ops.batch_norm(
            x, running_mean=self.running_mean, running_var=self.running_var, weight=self.weight,
            bias=self.bias, training=own, momentum=momentum, eps=self.eps,
        )  # fmt: skip

    def _check(self, x: Tensor) -> None:
        if x.ndim not in self.axes:
            listed = " or ".join(str(n) for n in self.axes)
            raise ShapeError(
                f"{type(self).__name__} takes {listed} axes, not x {x.shape}; the second is the "
                "channels"
            )

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the usual ones."""
        usual = {"eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True}
        others = [f", {k}={vars(self)[k]}" for k, v in usual.items() if vars(self)[k] != v]
        return f"{self.num_features}" + "".join(others)


class BatchNorm1d(_BatchNorm):
    """Each channel of (N, C) or (N, C, L) brought to mean 0 and variance 1 over the batch.

    S. Ioffe and C. Szegedy, "Batch normalization", 2015. In training by the batch's own mean and
    variance; after `eval()` by the running ones.

    Args:
        num_features: how many channels, C.
        eps: added to the variance, so that nothing is divided by 0.
        momentum: how far the running numbers move towards those of each batch; None: they are the
            plain mean over all batches so far.
        affine: whether each channel has a learned factor and a learned number that is added.
        track_running_stats: whether there are running numbers; without, the batch's own are always
            used.
        dtype: float32 or float64; by default the default type.
    """

    axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Each channel of (N, C, H, W) brought to mean 0 and variance 1 over the batch.

    S. Ioffe and C. Szegedy, "Batch normalization", 2015. In training by the batch's own mean and
    variance; after `eval()` by the running ones.

    Args:
        num_features: how many channels, C.
        eps: added to the variance, so that nothing is divided by 0.
        momentum: how far the running numbers move towards those of each batch; None: they are the
            plain mean over all batches so far.
        affine: whether each channel has a learned factor and a learned number that is added.
        track_running_stats: whether there are running numbers; without, the batch's own are always
            used.
        dtype: float32 or float64; by default the default type.
    """

    axes = (4,)


class LayerNorm(Module):
    """The last axes of each example brought to mean 0 and variance 1.

    J. Ba, J. Kiros and G. Hinton, "Layer normalization", 2016.

    Args:
        normalized_shape: the sizes of those axes; one number for the last axis alone.
        eps: added to the variance, so that nothing is divided by 0.
        elementwise_affine: whether each position has a learned factor.
        bias: whether each position also has a learned number that is added.
        dtype: float32 or float64; by default the default type.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.normalized_shape = _shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = blank(*self.normalized_shape, dtype=dtype) if elementwise_affine else None
        with_bias = elementwise_affine and bias
        self.bias = blank(*self.normalized_shape, dtype=dtype) if with_bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start anew: factors 1, nothing added."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Mean 0 and variance 1, then factors and what is added."""
        return ops.layer_norm(
            x, normalized_shape=self.normalized_shape, weight=self.weight, bias=self.bias,
            eps=self.eps,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The shape, and the settings that are not the usual ones."""
        eps = "" if self.eps == 1e-5 else f", eps={self.eps}"
        affine = "" if self.elementwise_affine else ", elementwise_affine=False"
        return f"{self.normalized_shape}{eps}{affine}"


class RMSNorm(Module):
    """The last axes of each example brought to mean square 1; the mean stays where it is.

    B. Zhang and R. Sennrich, "Root mean square layer normalization", 2019.

    Args:
        normalized_shape: the sizes of those axes; one number for the last axis alone.
        eps: added to the mean square; by default the smallest step of the type.
        elementwise_affine: whether each position has a learned factor.
        dtype: float32 or float64; by default the default type.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.normalized_shape = _shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = blank(*self.normalized_shape, dtype=dtype) if elementwise_affine else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start anew: factors 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Mean square 1, then factors."""
        return ops.rms_norm(
            x, normalized_shape=self.normalized_shape, weight=self.weight, eps=self.eps
        )

    def extra_repr(self) -> str:
        """The shape, and the settings that are not the usual ones."""
        eps = "" if self.eps is None else f", eps={self.eps}"
        affine = "" if self.elementwise_affine else ", elementwise_affine=False"
        return f"{self.normalized_shape}{eps}{affine}"


class GroupNorm(Module):
    """Each group of channels of each example brought to mean 0 and variance 1.

    Y. Wu and K. He, "Group normalization", 2018.

    Args:
        num_groups: into how many groups the channels are split.
        num_channels: how many channels, C.
        eps: added to the variance, so that nothing is divided by 0.
        affine: whether each channel has a learned factor and a learned number that is added.
        dtype: float32 or float64; by default the default type.

    Raises:
        ArgumentError: the channels cannot be split evenly.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        at_least_one("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ArgumentError(
                f"GroupNorm: {num_groups} groups cannot share {num_channels} channels evenly"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        self.weight = blank(num_channels, dtype=dtype) if affine else None
        self.bias = blank(num_channels, dtype=dtype) if affine else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start anew: factors 1, nothing added."""
        if self.weight is not None and self.bias is not None:
            init.ones_(self.weight)
            init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Mean 0 and variance 1 in each group, then factors and what is added."""
        return ops.group_norm(
            x, num_groups=self.num_groups, weight=self.weight, bias=self.bias, eps=self.eps
        )

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.num_groups} groups of {self.num_channels} channels"


class InstanceNorm2d(_BatchNorm):
    """Each channel of each image (N, C, H, W) brought to mean 0 and variance 1 by itself.

    D. Ulyanov, A. Vedaldi and V. Lempitsky, "Instance normalization", 2016.

    Args:
        num_features: how many channels, C.
        eps: added to the variance, so that nothing is divided by 0.
        momentum: how far the running numbers, if any, move towards those of each batch.
        affine: whether each channel has a learned factor and a learned number that is added.
        track_running_stats: whether running numbers are kept and used after `eval()`.
        dtype: float32 or float64; by default the default type.
    """

    axes = (4,)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Mean 0 and variance 1 in each channel of each image, then factors and what is added."""
        self._check(x)
        own = self.training or self.running_mean is None
        return ops.instance_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, own,
            self.momentum or 0.0, self.eps,
        )  # fmt: skip


class InstanceNorm1d(InstanceNorm2d):
    """Each channel of each sequence (N, C, L) brought to mean 0 and variance 1 by itself.

    As `InstanceNorm2d`, with the same arguments.
    """

    axes = (3,)


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    sizes = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    at_least_one("normalized_shape", **{f"size {i}": n for i, n in enumerate(sizes)})
    return sizes
