"""Losses: how far a prediction is from its target, as one number to make smaller.

`reduction` says what becomes of the losses of the elements: "mean", "sum", or "none" (all are kept).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, LabelError, ShapeError
from .base import Array, Example, op, raw

if TYPE_CHECKING:
    from ..tensor import Tensor

Shape = tuple[int, ...]


# ------------------------------------------------------------------------------- what losses share


def _reduced(losses: Array, reduction: str) -> Array:
    if reduction == "mean":
        return losses.mean()
    return losses if _known(reduction) == "none" else losses.sum()


def _known(reduction: str, *more: str) -> str:
    if reduction not in ("mean", "sum", "none", *more):
        raise ArgumentError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}")
    return reduction


def _share(d: Array, reduction: str, shape: Shape) -> Array:
    """What the loss of one element counts."""
    return d / max(1, math.prod(shape)) if reduction == "mean" else d


def _paired(name: str, x: Array, target: Array) -> None:
    """Refuse a prediction and a target that would silently be compared crosswise.

    Raises:
        ShapeError: their shapes differ (a single number may stand for all targets).
    """
    if getattr(x, "shape", None) == getattr(target, "shape", ()):
        return
    found, wanted = np.shape(target), np.shape(x)
    if found == wanted or not found:
        return
    said = f"{name} compares pairs, but the prediction is {wanted} and the target {found}"
    if [n for n in wanted if n != 1] == [n for n in found if n != 1]:
        fix = "target.unsqueeze(1)" if len(found) < len(wanted) else "target.squeeze(1)"
        raise ShapeError(
            f"{said}: every prediction would meet every target.\nGive both the same shape: {fix}"
        )
    if np.asarray(target).dtype.kind in "iu" and found == wanted[:-1]:
        raise LabelError(
            f"{said}.\nThese look like class numbers where one number per class is meant: "
            f"one_hot(target, {wanted[-1]}), or use cross_entropy"
        )
    raise ShapeError(f"{said}; their shapes must be equal")


def _numbers(target: Array, x: Array) -> Array:
    """The target as numbers with fractions: integers would make float64 of a float32 gradient."""
    if getattr(getattr(target, "dtype", None), "kind", None) == "f":
        return target
    return np.asarray(target, getattr(x, "dtype", None))


def _sigmoid(x: Array) -> Array:
    return 0.5 * np.tanh(0.5 * x) + 0.5  # never overflows


def _softplus(x: Array) -> Array:
    """log(1 + exp(x)), without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _two(r: np.random.Generator) -> tuple[Array, Array]:
    return r.normal(size=(4, 3)), r.normal(size=(4, 3))


# ------------------------------------------------------------------------------- numbers and numbers


@op("(...), (...) -> ?")
def mse_loss(x: Array, target: Array, *, reduction: str = "mean") -> Array:
    """Squared error: the difference from the target, squared."""
    _paired("mse_loss", x, target)
    error = x - _numbers(target, x)
    if reduction == "none":
        return error * error
    flat = error.reshape(-1)
    total = flat.dot(flat)
    return np.asarray(total / flat.size if _known(reduction) == "mean" else total)


@mse_loss.slope("x")
def _(d: Array, x: Array, target: Array, x_shape: Shape, reduction: str) -> Array:
    each = d + d if reduction != "mean" else _share(d + d, reduction, x_shape)
    return (x - _numbers(target, x)) * each


@mse_loss.slope("target")
def _(d: Array, x: Array, target: Array, x_shape: Shape, reduction: str) -> Array:
    return _share(-2 * d, reduction, x_shape) * (x - _numbers(target, x))


@mse_loss.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    for reduction in ("mean", "sum", "none"):
        yield _two(r), {"reduction": reduction}


@op("(...), (...) -> ?")
def l1_loss(x: Array, target: Array, *, reduction: str = "mean") -> Array:
    """Absolute error: the difference from the target, without its sign."""
    _paired("l1_loss", x, target)
    return _reduced(np.abs(x - _numbers(target, x)), reduction)


@l1_loss.slope("x")
def _(d: Array, x: Array, target: Array, x_shape: Shape, reduction: str) -> Array:
    return _share(d, reduction, x_shape) * np.sign(x - _numbers(target, x))


@l1_loss.slope("target")
def _(d: Array, x: Array, target: Array, x_shape: Shape, reduction: str) -> Array:
    return _share(-d, reduction, x_shape) * np.sign(x - _numbers(target, x))


@op("(...), (...) -> ?")
def huber_loss(x: Array, target: Array, *, reduction: str = "mean", delta: float = 1.0) -> Array:
    """Half the squared error up to a difference of `delta`, a straight line beyond (Huber 1964)."""
    _paired("huber_loss", x, target)
    if delta <= 0:
        raise ArgumentError(f"huber_loss's delta is a positive number, not {delta!r}")
    size = np.abs(x - _numbers(target, x))
    near = np.minimum(size, delta)
    return _reduced(near * (size - 0.5 * near), reduction)


@huber_loss.slope("x")
def _(d: Array, x: Array, target: Array, x_shape: Shape, reduction: str, delta: float) -> Array:
    return _share(d, reduction, x_shape) * np.clip(x - _numbers(target, x), -delta, delta)


@huber_loss.slope("target")
def _(d: Array, x: Array, target: Array, x_shape: Shape, reduction: str, delta: float) -> Array:
    return _share(-d, reduction, x_shape) * np.clip(x - _numbers(target, x), -delta, delta)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """The Huber loss divided by `beta`: absolute error, rounded off below a difference of `beta`.

    Args:
        input: predictions.
        target: what they should have been, in the same shape.
        reduction: "mean", "sum" or "none".
        beta: where the straight line begins; 0 is `l1_loss`.

    Raises:
        ShapeError: the shapes differ.
        ArgumentError: `beta` is negative, or no such reduction.
    """
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss's beta is not negative, and {beta!r} is")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return huber_loss(input, target, reduction=reduction, delta=beta) / beta


# --------------------------------------------------------------------------------- probabilities


@op("(...), (...) -> ?", domain=(0.1, 0.9))
def binary_cross_entropy(
    x: Array, target: Array, *, weight: Any = None, reduction: str = "mean"
) -> Array:
    """Surprise at a yes (1) or no (0), for predicted probabilities of yes.

    Logarithms are kept above -100, so that a wrong certainty is not infinitely bad.
    """
    _paired("binary_cross_entropy", x, target)
    if np.min(x, initial=0) < 0 or np.max(x, initial=1) > 1:
        raise ArgumentError(
            "binary_cross_entropy takes probabilities, from 0 to 1, and these predictions go from "
            f"{np.min(x):.4g} to {np.max(x):.4g}.\nUse binary_cross_entropy_with_logits, or put a "
            "sigmoid before it"
        )
    target = _binary("binary_cross_entropy", target, x)
    losses = -(target * _floored_log(x) + (1 - target) * _floored_log(1 - x))
    return _reduced(_times(losses, weight), reduction)


@binary_cross_entropy.slope("x")
def _(d: Array, x: Array, target: Array, x_shape: Shape, weight: Any, reduction: str) -> Array:
    slope = (x - _numbers(target, x)) / np.maximum(x * (1 - x), 1e-12)
    return _share(d, reduction, x_shape) * _times(slope, weight)


@binary_cross_entropy.slope("target")
def _(d: Array, x: Array, x_shape: Shape, weight: Any, reduction: str) -> Array:
    slope = np.maximum(np.log(1 - x), -100) - np.maximum(np.log(x), -100)
    return _share(d, reduction, x_shape) * _times(slope, weight)


@binary_cross_entropy.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x, target = r.uniform(0.1, 0.9, size=(2, 4, 3))
    yield (x, target), {}
    yield (x, target), {"weight": r.uniform(size=3), "reduction": "sum"}


@op("(...), (...) -> ?")
def binary_cross_entropy_with_logits(
    x: Array, target: Array, *, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Array:
    """Surprise at a yes (1) or no (0), for predictions before their sigmoid; never overflows."""
    _paired("binary_cross_entropy_with_logits", x, target)
    target = _binary("binary_cross_entropy_with_logits", target, x)
    losses = (1 - target) * x + _yes(target, pos_weight) * _softplus(-x)
    return _reduced(_times(losses, weight), reduction)


@binary_cross_entropy_with_logits.slope("x")
def _(
    d: Array, x: Array, target: Array, x_shape: Shape, weight: Any, reduction: str, pos_weight: Any
) -> Array:
    target = _numbers(target, x)
    slope = (1 - target) - _yes(target, pos_weight) * _sigmoid(-x)
    return _share(d, reduction, x_shape) * _times(slope, weight)


@binary_cross_entropy_with_logits.slope("target")
def _(d: Array, x: Array, x_shape: Shape, weight: Any, reduction: str, pos_weight: Any) -> Array:
    slope = -x
    if pos_weight is not None:
        slope = slope - (raw(pos_weight) - 1) * np.log(_sigmoid(x))
    return _share(d, reduction, x_shape) * _times(slope, weight)


@binary_cross_entropy_with_logits.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x, target = r.normal(size=(4, 3)), r.uniform(size=(4, 3))
    yield (x, target), {}
    yield (x, target), {"weight": r.uniform(size=3), "pos_weight": r.uniform(size=3)}
    yield (x, target), {"reduction": "none"}


def _floored_log(x: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(x), -100)


def _times(losses: Array, weight: Any) -> Array:
    """Elements that count more or less."""
    if weight is None:
        return losses
    return losses * _fitting("weight", weight, losses)


def _yes(target: Array, pos_weight: Any) -> Array | float:
    """How much a softplus of the logit counts: 1, or more where yes is the answer."""
    if pos_weight is None:
        return 1.0
    return 1 + (_fitting("pos_weight", pos_weight, target) - 1) * target


def _fitting(name: str, weight: Any, x: Array) -> Array:
    """The weights as numbers of x's type, one for each element or for each along the last axes.

    Raises:
        ShapeError: they would not fit, or would make more of the losses.
    """
    weights = np.asarray(raw(weight), dtype=x.dtype)
    try:
        fits = np.broadcast_shapes(weights.shape, x.shape) == tuple(x.shape)
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"the loss's {name} {weights.shape} does not fit predictions {tuple(x.shape)}: give "
            "one number for each, or for each along the last axes"
        )
    return weights


def _binary(name: str, target: Array, x: Array) -> Array:
    """The target as numbers from 0 to 1."""
    target = _numbers(target, x)
    least, most = np.minimum.reduce, np.maximum.reduce
    if least(target, axis=None, initial=0) < 0 or most(target, axis=None, initial=1) > 1:
        at = tuple(int(i) for i in np.argwhere((target < 0) | (target > 1))[0])
        raise LabelError(
            f"{name} has two answers, no (0) and yes (1), but target{list(at)} is {target[at]}.\n"
            "For more than two classes use cross_entropy"
        )
    return target


@op("(...), (...) -> ?", domain=(0.1, 0.9))
def kl_div(x: Array, target: Array, *, reduction: str = "mean", log_target: bool = False) -> Array:
    """How far probabilities, `x` their logarithms, are from a target (Kullback and Leibler 1951).

    "batchmean" divides the sum by the first size: the loss per example, as in the formula.
    """
    _paired("kl_div", x, target)
    _known(reduction, "batchmean")
    if log_target:
        losses = np.exp(target) * (target - x)
    else:
        positive = np.where(np.greater(target, 0), target, 1)
        losses = np.where(np.greater(target, 0), target * np.log(positive), 0) - target * x
    if reduction == "batchmean":
        return losses.sum() / len(losses)
    return _reduced(losses, reduction)


@kl_div.slope("x")
def _(d: Array, target: Array, x_shape: Shape, reduction: str, log_target: bool) -> Array:
    likely = np.exp(target) if log_target else target
    return _kl_share(-d, reduction, x_shape) * likely


@kl_div.slope("target")
def _(d: Array, x: Array, target: Array, x_shape: Shape, reduction: str, log_target: bool) -> Array:
    slope = np.exp(target) * (target - x + 1) if log_target else np.log(target) + 1 - x
    return _kl_share(d, reduction, x_shape) * slope


def _kl_share(d: Array, reduction: str, shape: Shape) -> Array:
    return d / shape[0] if reduction == "batchmean" else _share(d, reduction, shape)


@kl_div.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x, target = np.log(r.uniform(0.1, 0.9, size=(4, 3))), r.uniform(0.1, 0.9, size=(4, 3))
    for reduction in ("mean", "sum", "none", "batchmean"):
        yield (x, target), {"reduction": reduction}
    yield (x, np.log(target)), {"log_target": True}


# ---------------------------------------------------------------------------------------- margins


@op("(...), (...) -> ?")
def hinge_loss(x: Array, target: Array, *, margin: float = 1.0, reduction: str = "mean") -> Array:
    """How much a score falls short of `margin` on the right side, for targets 1 and -1."""
    _paired("hinge_loss", x, target)
    return _reduced(np.maximum(margin - _signs("hinge_loss", target, x) * x, 0), reduction)


@hinge_loss.slope("x")
def _(d: Array, x: Array, target: Array, x_shape: Shape, margin: float, reduction: str) -> Array:
    sign = _numbers(raw(target), x)
    return _share(-d, reduction, x_shape) * (sign * (sign * raw(x) < margin))


@hinge_loss.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(4, 3)), r.choice([-1, 1], size=(4, 3))), {}
    yield (r.normal(size=6), r.choice([-1, 1], size=6)), {"margin": 0.3, "reduction": "none"}


@op("(...), (...) -> ?")
def soft_margin_loss(x: Array, target: Array, *, reduction: str = "mean") -> Array:
    """log(1 + exp(-target x)), for targets 1 and -1: a hinge without a corner."""
    _paired("soft_margin_loss", x, target)
    return _reduced(_softplus(-_signs("soft_margin_loss", target, x) * x), reduction)


@soft_margin_loss.slope("x")
def _(d: Array, x: Array, target: Array, x_shape: Shape, reduction: str) -> Array:
    sign = _numbers(raw(target), x)
    return _share(-d, reduction, x_shape) * (sign * _sigmoid(-sign * x))


@soft_margin_loss.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(4, 3)), r.choice([-1, 1], size=(4, 3))), {}


@op("(...), (...) -> ?")
def hinge_embedding_loss(
    x: Array, target: Array, *, margin: float = 1.0, reduction: str = "mean"
) -> Array:
    """A distance `x` as it is where things are alike (1), what it lacks to `margin` elsewhere (-1)."""
    _paired("hinge_embedding_loss", x, target)
    alike = _signs("hinge_embedding_loss", target, x) == 1
    return _reduced(np.where(alike, x, np.maximum(margin - x, 0)), reduction)


@hinge_embedding_loss.slope("x")
def _(d: Array, x: Array, target: Array, x_shape: Shape, margin: float, reduction: str) -> Array:
    alike = _numbers(raw(target), x) == 1
    slope = np.where(alike, 1, -(raw(x) < margin).astype(x.dtype))
    return _share(d, reduction, x_shape) * slope


@hinge_embedding_loss.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(4, 3)), r.choice([-1, 1], size=(4, 3))), {}
    yield (r.normal(size=6), r.choice([-1, 1], size=6)), {"margin": 0.3, "reduction": "none"}


@op("(...), (...), (...) -> ?")
def margin_ranking_loss(
    input1: Array, input2: Array, target: Array, *, margin: float = 0.0, reduction: str = "mean"
) -> Array:
    """How far one score is not `margin` above the other: the first where target is 1, else the second."""
    _paired("margin_ranking_loss", input1, input2)
    _paired("margin_ranking_loss", input1, target)
    sign = _signs("margin_ranking_loss", target, input1)
    return _reduced(np.maximum(margin - sign * (input1 - input2), 0), reduction)


@margin_ranking_loss.slope("input1")
def _(
    d: Array, input1: Array, input2: Array, target: Array, input1_shape: Shape, margin: float,
    reduction: str,
) -> Array:  # fmt: skip
    return _share(-d, reduction, input1_shape) * _ranked(input1, input2, target, margin)


@margin_ranking_loss.slope("input2")
def _(
    d: Array, input1: Array, input2: Array, target: Array, input1_shape: Shape, margin: float,
    reduction: str,
) -> Array:  # fmt: skip
    return _share(d, reduction, input1_shape) * _ranked(input1, input2, target, margin)


def _ranked(input1: Array, input2: Array, target: Array, margin: float) -> Array:
    """The sign of each pair that is not ranked as it should be, 0 for the others."""
    sign = _numbers(raw(target), input1)
    return sign * (sign * (raw(input1) - raw(input2)) < margin)


@margin_ranking_loss.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (*_two(r), r.choice([-1, 1], size=(4, 3))), {"margin": 0.3}


def _signs(name: str, target: Array, x: Array) -> Array:
    """The target as numbers, all of them 1 or -1."""
    target = _numbers(target, x)
    wrong = np.abs(target) != 1
    if np.any(wrong):
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise LabelError(
            f"{name} takes targets 1 and -1, but target{list(at)} is {target[at]}.\n"
            "Targets 0 and 1 become these by 2 * target - 1"
        )
    return target
