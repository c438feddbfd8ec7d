"""Normalisation: numbers brought to mean 0 and variance 1, whatever the layers before did to them.

What differs is only whose mean it is: of one channel over the whole batch (batch norm, Ioffe and
Szegedy 2015), of one example (layer norm, Ba et al. 2016), of a group of one example's channels
(group norm, Wu and He 2018). Root-mean-square norm (Zhang and Sennrich 2019) leaves the mean where
it is. Afterwards a weight and a bias per feature give back whatever scale is useful.

The slope: of a gradient, the parts that would only move the mean or the size of the numbers are lost,
for the mean and the size were normalised away.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..tape import note_change
from .base import Array, Example, op, raw, sum_to

if TYPE_CHECKING:
    from ..tensor import Tensor

Shape = tuple[int, ...]
Axes = tuple[int, ...]


# ------------------------------------------------------------------------------ what all of them do


def _mean(x: Array, axes: Axes) -> Array:
    return np.sum(x, axis=axes, keepdims=True) / math.prod(x.shape[i] for i in axes)


def _standardised(x: Array, axes: Axes, eps: float, centred: bool = True) -> tuple[Array, Array]:
    """The numbers with mean 0 (if `centred`) and mean square 1 along the axes, and the scale used."""
    if centred:
        x = x - _mean(x, axes)
    scale = 1 / np.sqrt(_mean(x * x, axes) + eps)
    return x * scale, scale


def _standardised_back(
    d: Array, standard: Array, scale: Array, axes: Axes, centred: bool = True
) -> Array:
    """The gradient without what would move the mean or the mean square."""
    kept = d - standard * _mean(d * standard, axes)
    if centred:
        kept = kept - _mean(d, axes)
    return kept * scale


def _with_history(d: Array) -> bool:
    """Under create_graph, what was remembered is computed from x again, to have a history itself."""
    return not isinstance(d, np.ndarray)


def _per_channel(parameter: Array, ndim: int) -> Array:
    """A weight or bias (C,) that fits (N, C, ...)."""
    return np.reshape(parameter, (-1, *(1,) * (ndim - 2)))


def _check_channels(name: str, x: Array, **parameters: Array) -> None:
    for what, value in parameters.items():
        if value is not None and value.shape != x.shape[1:2]:
            raise ShapeError(
                f"{name} needs one {what} per channel: x {x.shape} has {x.shape[1]} channels, "
                f"{what} is {value.shape}"
            )


# ------------------------------------------------------------------------------------- per example


@op("(...), (...)?, (...)? -> ?", remembers=True, order="x normalized_shape weight bias eps")
def layer_norm(
    x: Array, weight: Array = None, bias: Array = None, *, normalized_shape: int | Sequence[int],
    eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each example brought to mean 0 and variance 1 over its last axes (`normalized_shape`)."""
    axes = _last_axes("layer_norm", x, weight, bias, normalized_shape)
    standard, scale = _standardised(x, axes, eps)
    y = standard if weight is None else standard * weight
    return y if bias is None else y + bias, (standard, scale)


@layer_norm.all_slopes
def _(
    d: Array, x: Array, weight: Array, bias_shape: Shape, memory: Any,
    normalized_shape: Any, eps: float, needs: Sequence[bool],
) -> tuple[Any, ...]:  # fmt: skip
    axes = tuple(range(-_count(normalized_shape), 0))
    standard, scale = _standardised(x, axes, eps) if _with_history(d) else memory
    inner = d if weight is None else d * weight
    d_x = _standardised_back(inner, standard, scale, axes) if needs[0] else None
    d_weight = sum_to(d * standard, weight.shape) if needs[1] else None
    return d_x, d_weight, sum_to(d, bias_shape) if needs[2] else None


@layer_norm.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x, weight, bias = r.normal(size=(3, 2, 4)), r.normal(size=4), r.normal(size=4)
    yield (x, weight, bias), {"normalized_shape": 4}
    yield (x,), {"normalized_shape": (2, 4), "eps": 0.1}


@op("(...), (...)? -> ?", remembers=True, order="x normalized_shape weight eps")
def rms_norm(
    x: Array, weight: Array = None, *, normalized_shape: int | Sequence[int],
    eps: float | None = None,
) -> Any:  # fmt: skip
    """Each example brought to mean square 1 over its last axes (`normalized_shape`)."""
    axes = _last_axes("rms_norm", x, weight, None, normalized_shape)
    standard, scale = _standardised(x, axes, _epsilon(eps, x.dtype), centred=False)
    return standard if weight is None else standard * weight, (standard, scale)


@rms_norm.all_slopes
def _(
    d: Array, x: Array, weight: Array, memory: Any, normalized_shape: Any, eps: float | None,
    needs: Sequence[bool],
) -> tuple[Any, ...]:  # fmt: skip
    axes = tuple(range(-_count(normalized_shape), 0))
    standard, scale = memory
    if _with_history(d):
        standard, scale = _standardised(x, axes, _epsilon(eps, x.dtype), centred=False)
    inner = d if weight is None else d * weight
    d_x = _standardised_back(inner, standard, scale, axes, centred=False) if needs[0] else None
    return d_x, sum_to(d * standard, weight.shape) if needs[1] else None


@rms_norm.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x = r.normal(size=(3, 2, 4))
    yield (x, r.normal(size=4)), {"normalized_shape": 4}
    yield (x,), {"normalized_shape": (2, 4), "eps": 0.1}


def _epsilon(eps: float | None, dtype: Any) -> float:
    return float(np.finfo(dtype).eps) if eps is None else eps


def _count(normalized_shape: int | Sequence[int]) -> int:
    return len(normalized_shape) if isinstance(normalized_shape, Sequence) else 1


def _last_axes(
    name: str, x: Array, weight: Array, bias: Array, normalized_shape: int | Sequence[int]
) -> Axes:
    wanted = normalized_shape if isinstance(normalized_shape, Sequence) else (normalized_shape,)
    if not len(wanted) or x.shape[-len(wanted) :] != tuple(wanted):
        raise ShapeError(
            f"{name} normalises the last axes {tuple(wanted)}, but x is {x.shape}: "
            "normalized_shape must be the end of its shape"
        )
    for what, value in (("weight", weight), ("bias", bias)):
        if value is not None and value.shape != tuple(wanted):
            raise ShapeError(f"{name} needs a {what} of shape {tuple(wanted)}, not {value.shape}")
    return tuple(range(-len(wanted), 0))


# --------------------------------------------------------------- per example and group of channels


@op("(...), (c)?, (c)? -> ?", remembers=True, order="x num_groups weight bias eps")
def group_norm(
    x: Array, weight: Array = None, bias: Array = None, *, num_groups: int, eps: float = 1e-5
) -> Any:
    """Each group of channels of each example (N, C, ...) brought to mean 0 and variance 1."""
    if x.ndim < 2 or num_groups < 1 or x.shape[1] % num_groups:
        raise ShapeError(
            f"group_norm cannot share the channels of x {x.shape} among {num_groups} groups"
        )
    _check_channels("group_norm", x, weight=weight, bias=bias)
    standard, scale = _standardised(_grouped(x, num_groups), (2,), eps)
    y = standard.reshape(x.shape)
    if weight is not None:
        y = y * _per_channel(weight, x.ndim)
    return y if bias is None else y + _per_channel(bias, x.ndim), (standard, scale)


@group_norm.all_slopes
def _(
    d: Array, x: Array, weight: Array, memory: Any, num_groups: int, eps: float,
    needs: Sequence[bool],
) -> tuple[Any, ...]:  # fmt: skip
    standard, scale = memory
    if _with_history(d):
        standard, scale = _standardised(_grouped(x, num_groups), (2,), eps)
    over = (0, *range(2, len(x.shape)))
    d_weight = np.sum(d * np.reshape(standard, x.shape), axis=over) if needs[1] else None
    d_bias = np.sum(d, axis=over) if needs[2] else None
    if not needs[0]:
        return None, d_weight, d_bias
    inner = d if weight is None else d * _per_channel(weight, len(x.shape))
    d_x = _standardised_back(_grouped(inner, num_groups), standard, scale, (2,))
    return np.reshape(d_x, x.shape), d_weight, d_bias


@group_norm.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x = r.normal(size=(2, 4, 3))
    yield (x, r.normal(size=4), r.normal(size=4)), {"num_groups": 2}
    yield (x,), {"num_groups": 4, "eps": 0.1}


def _grouped(x: Array, groups: int) -> Array:
    return np.reshape(x, (x.shape[0], groups, math.prod(x.shape[1:]) // groups))


# --------------------------------------------------------------------------- per channel of the batch


@op(
    "(...), (c)?, (c)? -> ?",
    remembers=True,
    order="x running_mean running_var weight bias training momentum eps",
)
def batch_norm(
    x: Array, weight: Array = None, bias: Array = None, *, running_mean: Any = None,
    running_var: Any = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel of (N, C, ...) brought to mean 0 and variance 1.

    While training, mean and variance are those of the batch, and the running mean and (unbiased)
    variance are changed in place: they move towards the batch's by `momentum`. Afterwards the
    running ones are used.
    """
    mean, var = raw(running_mean), raw(running_var)
    if x.ndim < 2:
        raise ShapeError(f"batch_norm takes (n, c, ...), not x {x.shape}")
    _check_channels("batch_norm", x, weight=weight, bias=bias, running_mean=mean, running_var=var)
    if training:
        mean, var = _learned_from(x, mean, var, momentum)
    elif mean is None or var is None:
        raise ArgumentError("batch_norm without running_mean and running_var needs training=True")
    mean, scale = (_per_channel(v, x.ndim) for v in (mean, 1 / np.sqrt(var + eps)))
    standard = (x - mean) * scale
    y = standard if weight is None else standard * _per_channel(weight, x.ndim)
    return y if bias is None else y + _per_channel(bias, x.ndim), (standard, mean, scale)


def _learned_from(x: Array, mean: Array, var: Array, momentum: float) -> tuple[Array, Array]:
    """The mean and variance of the batch; the running ones move towards them."""
    n = x.size // max(1, x.shape[1])
    if n == 1:
        raise ShapeError(
            f"batch_norm cannot learn from x {x.shape}: one number per channel has no variance.\n"
            "Use a larger batch, or model.eval() to predict"
        )
    over = _over(x.ndim)
    centre = _mean(x, over)
    spread = _mean((x - centre) ** 2, over).reshape(-1)
    for running, found in (mean, centre.reshape(-1)), (var, spread * (n / max(1, n - 1))):
        if running is not None:
            running *= 1 - momentum
            running += momentum * found
            note_change(running)
    return centre.reshape(-1), spread


@batch_norm.all_slopes
def _(
    d: Array, x: Array, weight: Array, memory: Any, training: bool, eps: float,
    needs: Sequence[bool],
) -> tuple[Any, ...]:  # fmt: skip
    ndim = len(x.shape)
    over = _over(ndim)
    standard, mean, scale = memory
    if _with_history(d):
        standard = (x - mean) * scale
        if training:
            standard, scale = _standardised(x, over, eps)
    d_weight = np.sum(d * standard, axis=over) if needs[1] else None
    d_bias = np.sum(d, axis=over) if needs[2] else None
    if not needs[0]:
        return None, d_weight, d_bias
    inner = d if weight is None else d * _per_channel(weight, ndim)
    d_x = _standardised_back(inner, standard, scale, over) if training else inner * scale
    return d_x, d_weight, d_bias


@batch_norm.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x, weight, bias = r.normal(size=(3, 2, 2)), r.normal(size=2), r.normal(size=2)
    yield (x, weight, bias), {"training": True}
    yield (x,), {"training": True, "eps": 0.1}
    known = {"running_mean": r.normal(size=2), "running_var": r.uniform(0.5, 2, size=2)}
    yield (x, weight, bias), known


def _over(ndim: int) -> Axes:
    return (0, *range(2, ndim))


# ----------------------------------------------------------------------- per channel of each example


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each example (N, C, ...) brought to mean 0 and variance 1.

    A group norm with as many groups as channels (Ulyanov et al. 2016).

    Args:
        input: (N, C, ...), with at least one axis after the channels.
        running_mean, running_var: (C,), moved in place towards the mean of the examples' own.
        weight, bias: (C,), given to each channel afterwards.
        use_input_stats: False takes the running mean and variance in place of the examples' own.
        momentum: how far the running numbers move.
        eps: added to the variance, so that nothing is divided by 0.

    Raises:
        ShapeError: one number per channel, which has no variance.
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    x = raw(input)
    if x.ndim < 3 or math.prod(x.shape[2:]) == 1:
        raise ShapeError(f"instance_norm needs several numbers per channel, and x is {x.shape}")
    y = group_norm(input, x.shape[1], weight, bias, eps)
    axes = tuple(range(2, x.ndim))
    means, variances = x.mean(axis=axes), x.var(axis=axes, ddof=1)
    for running, found in (running_mean, means), (running_var, variances):
        if running is not None:
            value = raw(running)
            value *= 1 - momentum
            value += momentum * found.mean(axis=0)
            note_change(value)
    return y
