"""One of several: losses for predictions of a class, a word, a letter.

The classes stand along axis 1 of (N, C) or (N, C, d1, ...), and every other position is a decision
of its own; inside, decisions are rows. A target is one class number per decision, or a distribution
over the classes; a class number is the distribution with everything in one place. Either way the
slope is what was predicted minus what should have been.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, LabelError, ShapeError, warn
from ..kernels import cross_entropy as kernel
from ..kernels import use
from .base import Array, Example, op, raw
from .linear_algebra import ones

if TYPE_CHECKING:
    from ..tensor import Tensor

Shape = tuple[int, ...]


# ---------------------------------------------------------------------- decisions and their answers


SHORT = 128  # numbers in a row


class Answers(NamedTuple):
    """What each decision should have been."""

    labels: Array | None  # (n,): a class each, or, where that is not all there is to it,
    target: Array | None  # (n, classes): a distribution each
    weights: Array | None  # (n,): how much each counts; None for 1
    number: float  # what a mean divides by
    shape: Shape  # of the decisions

    def spread(self, classes: int, dtype: Any) -> Array:
        """Distributions (n, classes) in any case."""
        if self.target is not None:
            return self.target
        assert self.labels is not None
        spread = np.zeros((len(self.labels), classes), dtype)
        spread[np.arange(len(spread)), self.labels] = 1 if self.weights is None else self.weights
        return spread

    def reduced(self, losses: Array, reduction: str) -> Array:
        """The losses of the decisions as one number, or each in its place."""
        if reduction == "none":
            return losses.reshape(self.shape)
        total = np.add.reduce(losses, axis=None)
        if reduction == "mean":
            return total / self.number if self.number else np.full_like(total, np.nan)
        return total

    def each(self, d: Array, reduction: str) -> Array:
        """What each decision's loss counts: one number for all, or (n,)."""
        if reduction == "none":
            return d.reshape(-1)
        return d / (self.number or 1) if reduction == "mean" else d


def axis_of_classes(shape: Shape) -> int:
    """The second axis, or the only one."""
    if not shape:
        raise ShapeError("a prediction of classes needs an axis for them, not a single number")
    return 1 if len(shape) > 1 else 0


def as_rows(x: Array) -> Array:
    """A row per decision: (N, C, d1, ...) -> (n, C)."""
    if x.ndim == 2:
        return x
    axis = axis_of_classes(x.shape)
    return np.moveaxis(x, axis, -1).reshape(math.prod(x.shape) // max(1, x.shape[axis]), -1)


def from_rows(rows: Array, shape: Shape) -> Array:
    """Rows back in the shape that the scores had."""
    if len(shape) == 2:
        return rows
    axis = axis_of_classes(shape)
    return np.moveaxis(rows.reshape(*shape[:axis], *shape[axis + 1 :], shape[axis]), -1, axis)


def read_answers(
    name: str, x: Array, target: Any, weight: Any, ignore_index: int, smoothing: float = 0.0
) -> Answers:
    """Class numbers or distributions, checked, with the weights of their classes.

    Raises:
        LabelError: a label is no class; labels are fractions, or one-hot where numbers are meant.
        ShapeError: predictions and targets do not belong together.
        ArgumentError: the smoothing is not between 0 and 1.
    """
    if not 0 <= smoothing <= 1:
        raise ArgumentError(f"{name}'s label_smoothing is from 0 to 1, not {smoothing!r}")
    axis = axis_of_classes(x.shape)
    classes = x.shape[axis]
    shape = x.shape[:axis] + x.shape[axis + 1 :]
    by_class = None if weight is None else np.asarray(raw(weight), x.dtype)
    if by_class is not None and by_class.shape != (classes,):
        raise ShapeError(
            f"{name} needs a weight for each of {classes} classes, not {by_class.shape}"
        )
    target = np.asarray(target)
    if target.dtype.kind == "f" and target.shape == x.shape:
        spread = _smoothed(as_rows(target).astype(x.dtype), smoothing, by_class)
        return Answers(None, spread, None, len(spread), shape)
    all_count = _check_target(name, x, target, shape, ignore_index)
    labels = target.reshape(-1)
    if all_count and by_class is None and not smoothing and not 0 <= ignore_index < classes:
        return Answers(labels, None, None, float(len(labels)), shape)  # the usual case
    ignored = labels == ignore_index
    some = bool(ignored.any())
    labels = np.where(ignored, 0, labels) if some else labels
    weights = None if by_class is None else by_class[labels]
    if some:
        weights = np.where(ignored, 0, x.dtype.type(1) if weights is None else weights)
    count = float(len(labels) if weights is None else weights.sum())
    if not smoothing:
        return Answers(labels, None, weights, count, shape)
    one_hot = Answers(labels, None, None, count, shape).spread(classes, x.dtype)
    spread = _smoothed(one_hot, smoothing, by_class)
    spread[ignored] = 0
    return Answers(None, spread, None, count, shape)


def _smoothed(target: Array, smoothing: float, by_class: Array | None) -> Array:
    """A part of every answer shared among all classes (Szegedy et al. 2016); classes weighted."""
    if smoothing:
        target = target * (1 - smoothing) + smoothing / target.shape[1]
    return target if by_class is None else target * by_class


def _check_target(name: str, x: Array, target: Array, shape: Shape, ignore_index: int) -> bool:
    """Refuse what are no class numbers; says whether all are classes, and none is to be ignored."""
    classes = x.shape[axis_of_classes(x.shape)]
    if target.shape == shape and target.dtype.kind in "iu":
        return check_labels(name, target, classes, ignore_index)
    if target.shape == shape:
        raise LabelError(
            f"{name} takes class numbers as integers, and these targets are {target.dtype}: "
            "target.long()"
        )
    said = f"{name} cannot compare predictions {x.shape} with targets {target.shape}"
    if target.shape == x.shape:
        raise LabelError(
            f"{said} of {target.dtype}.\nThese look one-hot, where one class number each is meant: "
            "target.argmax(1). As probabilities they are target.float()"
        )
    if target.size == math.prod(shape) and target.ndim != len(shape):
        raise ShapeError(f"{said}: one class number each has the shape {shape}; use target.reshape")
    raise ShapeError(f"{said}: targets are class numbers {shape} or probabilities {x.shape}")


def _in_range(labels: Array, classes: int) -> bool:
    """Whether all are classes. Seen as unsigned, a negative number is a huge one: one look finds both."""
    unsigned = labels.view(f"u{labels.itemsize}") if labels.dtype.kind == "i" else labels
    return not labels.size or bool(np.maximum.reduce(unsigned, axis=None) < classes)


def check_labels(name: str, labels: Array, classes: int, ignore_index: int | None = None) -> bool:
    """Refuse class numbers that are none; says whether all are classes, and none is `ignore_index`.

    Raises:
        LabelError: the first label outside 0 to classes - 1, with its index.
    """
    if _in_range(labels, classes):
        return True
    wrong = (labels < 0) | (labels >= classes)
    if ignore_index is not None:
        wrong &= labels != ignore_index
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        from_one = labels.max() == classes and labels[~wrong].min(initial=1) > 0
        raise LabelError(
            f"{name}: target{list(at)} is {labels[at]}, but there are {classes} classes, 0 to "
            f"{classes - 1}" + ("\nIf yours count from 1, take target - 1" if from_one else "")
        )
    return False


def _check_reduction(name: str, reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError(f"{name}'s reduction is 'mean', 'sum' or 'none', not {reduction!r}")


# ------------------------------------------------------------------------------------ cross entropy


@op("(...), (...) -> ?", remembers=True)
def softmax_cross_entropy(
    x: Array, target: Array, *, weight: Any = None, ignore_index: int = -100,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """How surprised scores `x` are by the right class: -log of its softmax."""
    _check_reduction("cross_entropy", reduction)
    answers = read_answers("cross_entropy", x, target, weight, ignore_index, label_smoothing)
    rows = as_rows(x)
    if answers.labels is not None and rows.dtype.char in "fd" and use(16 * rows.size):
        losses, chances, total = kernel.forward(rows, answers.labels)
        if answers.weights is not None:
            losses *= answers.weights
        return answers.reduced(losses, reduction), (answers, chances, total)
    scores = rows - _largest(rows)  # the softmax is the same, and cannot overflow
    if answers.labels is None:
        chances, total = _chances(scores)
        losses = (answers.target * (np.log(total) - scores)).sum(axis=1)
    else:
        picked = scores.reshape(-1).take(_places(answers.labels, scores.shape[1]))
        chances, total = _chances(scores, out=scores)
        losses = np.log(total[:, 0]) - picked
        if answers.weights is not None:
            losses *= answers.weights
    return answers.reduced(losses, reduction), (answers, chances, total)


def _chances(scores: Array, out: Array | None = None) -> tuple[Array, Array]:
    """The chance of each class, up to a factor per row: its exponential and their sum."""
    chances = np.exp(scores, out=out)
    return chances, chances.dot(ones(chances.shape[1], chances.dtype))[:, None]


def _places(labels: Array, classes: int) -> Array:
    """Where the right classes stand, counted through all rows."""
    return labels + _row_starts(len(labels), classes)


@lru_cache(maxsize=64)
def _row_starts(n: int, classes: int) -> Array:
    """Where each row begins, counted through all rows."""
    return np.arange(0, n * classes, classes)


def _largest(rows: Array) -> Array:
    """The largest number of each row, as a column. Of short rows NumPy finds it faster in columns."""
    if rows.shape[1] > SHORT:
        return rows.max(axis=1, keepdims=True)
    return np.maximum.reduce(rows.T.copy(), axis=0)[:, None]


@softmax_cross_entropy.slope("x")
def _(
    d: Array, x: Array, target: Array, memory: Any, weight: Any, reduction: str,
    label_smoothing: float,
) -> Array:  # fmt: skip
    answers, chances, total = memory
    if not isinstance(d, (np.ndarray, np.generic)):
        return _slope_with_history(d, x, target, answers, weight, reduction, label_smoothing)
    each = answers.each(d, reduction)
    if answers.labels is None:
        sums = answers.target.sum(axis=1, keepdims=True)
        slope = (chances * (sums / total) - answers.target) * np.reshape(each, (-1, 1))
        return from_rows(slope, x.shape)
    if answers.weights is not None:
        each = each * answers.weights
    if use(16 * chances.size) and chances.dtype.char in "fd":
        return from_rows(kernel.slope(chances, total, each, answers.labels), x.shape)
    slope = np.multiply(chances, np.reshape(each, (-1, 1)) / total, order="C")
    slope.reshape(-1)[_places(answers.labels, slope.shape[1])] -= each
    return from_rows(slope, x.shape)


def _slope_with_history(
    d: Array,
    x: Array,
    target: Array,
    answers: Answers,
    weight: Any,
    reduction: str,
    smoothing: float,
) -> Array:
    """The same slope in operations that are recorded."""
    axis = axis_of_classes(x.shape)
    chances = np.exp(x - np.max(raw(x), axis=axis, keepdims=True))
    softmax = chances / np.sum(chances, axis=axis, keepdims=True)
    spread = from_rows(answers.spread(x.shape[axis], x.dtype), x.shape)
    if getattr(target, "requires_grad", False):
        spread = (target * (1 - smoothing) + smoothing / x.shape[axis]) * _by_class(weight, x)
    wanted = softmax * np.sum(spread, axis=axis, keepdims=True) - spread
    return wanted * _in_place(d, answers, axis, reduction)


def _by_class(weight: Any, x: Array) -> Array | float:
    """The weights of the classes where the classes of x are."""
    if weight is None:
        return 1.0
    behind = len(x.shape) - axis_of_classes(x.shape) - 1
    return np.asarray(raw(weight), x.dtype).reshape(-1, *(1,) * behind)


def _in_place(d: Array, answers: Answers, axis: int, reduction: str) -> Array:
    """What each decision counts, so that it meets all its classes."""
    if reduction == "none":
        return np.expand_dims(d, axis)
    return d / (answers.number or 1) if reduction == "mean" else d


@softmax_cross_entropy.slope("target")
def _(
    d: Array, x: Array, memory: Any, weight: Any, reduction: str, label_smoothing: float
) -> Array:
    axis = axis_of_classes(x.shape)
    scores = x - np.max(raw(x), axis=axis, keepdims=True)
    surprise = np.log(np.sum(np.exp(scores), axis=axis, keepdims=True)) - scores
    counts = (1 - label_smoothing) * _by_class(weight, x)
    return surprise * counts * _in_place(d, memory[0], axis, reduction)


@softmax_cross_entropy.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x, labels = r.normal(size=(4, 3)), np.array([2, 0, 1, 2])
    yield (x, labels), {}
    yield (x, labels), {"weight": r.uniform(size=3), "ignore_index": 1, "reduction": "sum"}
    yield (x, labels), {"label_smoothing": 0.2, "reduction": "none"}
    yield (x, r.dirichlet(np.ones(3), size=4)), {"weight": r.uniform(size=3), "reduction": "none"}
    yield (r.normal(size=(2, 3, 2)), np.array([[0, 2], [1, 1]])), {"reduction": "none"}


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """How surprised a prediction is by the right class: -log of what its softmax gives that class.

    Args:
        input: scores (logits), before any softmax: (N, C), (N, C, d1, ...) or (C,).
        target: class numbers (N,), (N, d1, ...) or (); or probabilities in the shape of `input`.
        weight: how much each class counts, (C,).
        ignore_index: decisions with this class number do not count.
        reduction: "mean" (weighted), "sum" or "none".
        label_smoothing: which part of every target is shared among all classes.

    Returns:
        One number, or the loss of each decision.

    Raises:
        LabelError: a label is no class, a fraction, or one-hot.
        ShapeError: the shapes do not belong together.

    Warns:
        PellucidWarning: `input` was made by a softmax, which would be applied twice.

    >>> import pellucid
    >>> scores = pellucid.tensor([[2.0, 0.0, 0.0]])
    >>> round(cross_entropy(scores, pellucid.tensor([0])).item(), 4)
    0.2395
    """
    if _made_by(input) == "softmax":
        warn(
            "cross_entropy takes scores and applies softmax itself, but its input was made by "
            "softmax: applied twice, it learns slowly and never becomes sure.\n"
            "Give it what went into the softmax"
        )
    return softmax_cross_entropy(
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def _made_by(x: Any) -> str | None:
    """The name of the operation a tensor came from."""
    node, story = getattr(x, "_node", None), getattr(x, "_story", None)
    return node.op.name if node is not None else story[0] if story else None


@op("(...), (...) -> ?", remembers=True)
def nll_loss(
    x: Array, target: Array, *, weight: Any = None, ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """Minus the logarithm of the right class's probability, for logarithms `x` (of log_softmax)."""
    _check_reduction("nll_loss", reduction)
    if np.asarray(target).dtype.kind == "f":
        raise LabelError(
            "nll_loss takes class numbers as integers; probabilities go to cross_entropy"
        )
    answers = read_answers("nll_loss", x, target, weight, ignore_index)
    rows = as_rows(x)
    losses = -rows[np.arange(len(rows)), answers.labels]
    if answers.weights is not None:
        losses = np.where(answers.weights == 0, 0, losses * answers.weights)
    return answers.reduced(losses, reduction), answers


@nll_loss.slope("x")
def _(d: Array, x_shape: Shape, memory: Answers, reduction: str) -> Array:
    axis = axis_of_classes(x_shape)
    right = from_rows(memory.spread(x_shape[axis], d.dtype), x_shape)
    return -right * _in_place(d, memory, axis, reduction)


@nll_loss.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x, labels = np.log(r.dirichlet(np.ones(3), size=4)), np.array([2, 0, 1, 2])
    yield (x, labels), {}
    yield (x, labels), {"weight": r.uniform(size=3), "ignore_index": 1, "reduction": "none"}
    yield (r.normal(size=(2, 3, 2)), np.array([[0, 2], [1, 1]])), {"reduction": "sum"}


# ------------------------------------------------------------------------ margins between the classes


@op("(..., c), (...) -> ?", first_order=True)
def multi_margin_loss(
    x: Array, target: Array, *, p: int = 1, margin: float = 1.0, weight: Any = None,
    reduction: str = "mean",
) -> Array:  # fmt: skip
    """How far the other classes' scores come closer than `margin` to the right class's score."""
    _check_reduction("multi_margin_loss", reduction)
    losses, _ = _margins(x, target, p, margin, weight)
    return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()


@multi_margin_loss.slope("x")
def _(
    d: Array, x: Array, target: Array, p: int, margin: float, weight: Any, reduction: str
) -> Array:
    losses, slope = _margins(x, target, p, margin, weight)
    each = d / max(1, losses.size) if reduction == "mean" else d
    return np.expand_dims(np.broadcast_to(each, losses.shape), -1) * slope


def _margins(x: Array, target: Array, p: int, margin: float, weight: Any) -> tuple[Array, Array]:
    """The loss of each row, and its slope."""
    if p not in (1, 2):
        raise ArgumentError(f"multi_margin_loss's p is 1 or 2, not {p!r}")
    answers = read_answers("multi_margin_loss", x, target, weight, -100)
    right = np.asarray(answers.labels).reshape(*answers.shape, 1)
    weights = 1 if answers.weights is None else answers.weights.reshape(right.shape)
    close = np.maximum(margin - np.take_along_axis(x, right, -1) + x, 0)
    np.put_along_axis(close, right, 0, -1)
    slope = (2 * close if p == 2 else (close > 0).astype(x.dtype)) * weights / x.shape[-1]
    np.put_along_axis(slope, right, -slope.sum(axis=-1, keepdims=True), -1)
    return (close**p * weights / x.shape[-1]).sum(axis=-1), slope


@multi_margin_loss.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x, labels = r.normal(size=(4, 3)), np.array([2, 0, 1, 2])
    yield (x, labels), {}
    yield (x, labels), {"p": 2, "margin": 0.5, "weight": r.uniform(size=3), "reduction": "sum"}
    yield (x[0], np.array(1)), {"reduction": "none"}


# -------------------------------------------------------------------------- too many classes to ask


@op("(..., e), (..., e), (..., k, e) -> ?", remembers=True)
def negative_sampling_loss(
    x: Array, target: Array, noise: Array, *, reduction: str = "mean"
) -> Any:
    """A vector should agree with the target's vector and disagree with k drawn at random.

    -log sigmoid(x · target) - sum log sigmoid(-x · noise), in place of a softmax over the whole
    vocabulary (Mikolov et al. 2013, equation 4).
    """
    _check_reduction("negative_sampling_loss", reduction)
    if x.shape != target.shape or noise.shape != (*x.shape[:-1], noise.shape[-2], x.shape[-1]):
        raise ShapeError(
            f"negative_sampling_loss takes x (..., e), target (..., e) and noise (..., k, e), not "
            f"{x.shape}, {target.shape} and {noise.shape}"
        )
    right, wrong = _agreements(x, target, noise)
    losses = _softplus(-right) + _softplus(wrong).sum(axis=-1)
    y = losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()
    return y, (right, wrong)


def _agreements(x: Array, target: Array, noise: Array) -> tuple[Array, Array]:
    """How well x agrees with the target and with each of the noise."""
    return np.sum(x * target, axis=-1), np.sum(np.expand_dims(x, -2) * noise, axis=-1)


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _sigmoid(x: Array) -> Array:
    return 0.5 * np.tanh(0.5 * x) + 0.5


@negative_sampling_loss.all_slopes
def _(
    d: Array, x: Array, target: Array, noise: Array, memory: Any, reduction: str
) -> tuple[Array, ...]:
    right, wrong = memory
    if not isinstance(d, (np.ndarray, np.generic)):
        right, wrong = _agreements(x, target, noise)
    each = d / max(1, math.prod(x.shape[:-1])) if reduction == "mean" else d
    up = np.expand_dims(-_sigmoid(-right) * each, -1)
    down = _sigmoid(wrong) * (np.expand_dims(each, -1) if reduction == "none" else each)
    down = np.expand_dims(down, -1)
    return up * target + np.sum(down * noise, axis=-2), up * x, down * np.expand_dims(x, -2)


@negative_sampling_loss.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    for reduction in ("mean", "none"):
        vectors = r.normal(size=(3, 4)), r.normal(size=(3, 4)), r.normal(size=(3, 2, 4))
        yield vectors, {"reduction": reduction}
