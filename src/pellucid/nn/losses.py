"""Losses as modules: how far a prediction is from its target, as one number to make smaller.

    criterion = nn.CrossEntropyLoss()
    loss = criterion(prediction, targets)

Each hands on to the operation of the same name (`mse_loss`, `cross_entropy`, ...), where its
formula, its checks and its errors stand. `reduction` says what becomes of the losses of the
elements: "mean", "sum", or "none" (all are kept).
"""

from __future__ import annotations

from typing import Any

from .. import ops
from ..errors import ArgumentError
from ..tensor import Tensor
from .module import Module


class Loss(Module):
    """What all have in common.

    Args:
        reduction: "mean", "sum" or "none".

    Raises:
        ArgumentError: another reduction.
    """

    reductions: tuple[str, ...] = ("mean", "sum", "none")

    def __init__(self, *, reduction: str = "mean") -> None:
        if reduction not in self.reductions:
            known = ", ".join(repr(r) for r in self.reductions)
            raise ArgumentError(
                f"{type(self).__name__}: reduction is one of {known}, not {reduction!r}"
            )
        self.reduction = reduction

    def extra_repr(self) -> str:
        """The settings that are not the usual ones."""
        import inspect

        told = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name)
            if isinstance(value, Tensor):
                told.append(f"{name}={value.shape}")
            elif value != parameter.default:
                told.append(f"{name}={value!r}")
        return ", ".join(told)


class _Weighted(Loss):
    """A loss some of whose elements or classes count more than others."""

    weight: Tensor | None

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        given = weight is None or isinstance(weight, Tensor)
        self.register_buffer("weight", weight if given else Tensor(weight))


# ------------------------------------------------------------------------------ numbers and numbers


class MSELoss(Loss):
    """Squared error: (prediction - target)².

    Args:
        reduction: "mean", "sum" or "none".

    >>> import pellucid
    >>> from pellucid import nn
    >>> nn.MSELoss(reduction="sum")(pellucid.tensor([0.5]), pellucid.tensor([0.8])).item()  # 4.4
    0.09000000357627869
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss; both have the same shape."""
        return ops.mse_loss(prediction, target, reduction=self.reduction)


class L1Loss(Loss):
    """Absolute error: |prediction - target|.

    Args:
        reduction: "mean", "sum" or "none".
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss; both have the same shape."""
        return ops.l1_loss(prediction, target, reduction=self.reduction)


class HuberLoss(Loss):
    """Squared error (halved) for small differences, a straight line for large ones (Huber, 1964).

    Args:
        reduction: "mean", "sum" or "none".
        delta: where the straight line begins.
    """

    def __init__(self, *, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss; both have the same shape."""
        return ops.huber_loss(prediction, target, reduction=self.reduction, delta=self.delta)


class SmoothL1Loss(Loss):
    """Absolute error with its corner rounded off: the Huber loss divided by `beta`.

    Args:
        reduction: "mean", "sum" or "none".
        beta: where the straight line begins.
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss; both have the same shape."""
        return ops.smooth_l1_loss(prediction, target, reduction=self.reduction, beta=self.beta)


# ------------------------------------------------------------------------------------ probabilities


class BCELoss(_Weighted):
    """Surprise at a yes (1) or no (0), for predicted probabilities of yes.

    Args:
        weight: how much each element counts.
        reduction: "mean", "sum" or "none".
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss; both have the same shape, the prediction is from 0 to 1."""
        return ops.binary_cross_entropy(
            prediction, target, weight=self.weight, reduction=self.reduction
        )


class BCEWithLogitsLoss(_Weighted):
    """Surprise at a yes (1) or no (0), for predictions before their sigmoid; never overflows.

    Args:
        weight: how much each element counts.
        reduction: "mean", "sum" or "none".
        pos_weight: how much a yes counts, for each class.
    """

    pos_weight: Tensor | None

    def __init__(
        self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
    ) -> None:
        super().__init__(weight, reduction=reduction)
        given = pos_weight is None or isinstance(pos_weight, Tensor)
        self.register_buffer("pos_weight", pos_weight if given else Tensor(pos_weight))

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss; both have the same shape."""
        return ops.binary_cross_entropy_with_logits(
            prediction, target, weight=self.weight, reduction=self.reduction,
            pos_weight=self.pos_weight,
        )  # fmt: skip


class CrossEntropyLoss(_Weighted):
    """How surprised scores are by the right class: -log of what their softmax gives it.

    Takes the scores themselves (logits): the softmax is part of the loss.

    Args:
        weight: how much each class counts, (classes).
        ignore_index: decisions with this class number do not count.
        reduction: "mean", "sum" or "none".
        label_smoothing: which part of the target is shared evenly among all classes
            (C. Szegedy et al., "Rethinking the Inception architecture", 2015).

    >>> import pellucid
    >>> from pellucid import nn
    >>> scores = pellucid.tensor([[2.0, 0.0], [0.0, 2.0]])
    >>> round(nn.CrossEntropyLoss()(scores, pellucid.tensor([0, 1])).item(), 4)
    0.1269
    """

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss: scores (N, C, ...) and class numbers (N, ...), or probabilities (N, C, ...)."""
        return ops.cross_entropy(
            prediction, target, weight=self.weight, ignore_index=self.ignore_index,
            reduction=self.reduction, label_smoothing=self.label_smoothing,
        )  # fmt: skip


class NLLLoss(_Weighted):
    """Minus the logarithm of the right class's probability, for what LogSoftmax gives.

    Args:
        weight: how much each class counts, (classes).
        ignore_index: decisions with this class number do not count.
        reduction: "mean", "sum" or "none".
    """

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.ignore_index = ignore_index

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss: logarithms (N, C, ...) and class numbers (N, ...)."""
        return ops.nll_loss(
            prediction, target, weight=self.weight, ignore_index=self.ignore_index,
            reduction=self.reduction,
        )  # fmt: skip


class KLDivLoss(Loss):
    """How far predicted *logarithms* of probabilities are from a distribution.

    S. Kullback and R. Leibler, "On information and sufficiency", 1951.

    Args:
        reduction: "batchmean" (the sum divided by the batch size: the formula), "mean", "sum" or
            "none".
        log_target: whether the target is logarithms too.
    """

    reductions = ("mean", "sum", "none", "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = log_target

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss; both have the same shape."""
        return ops.kl_div(prediction, target, reduction=self.reduction, log_target=self.log_target)


# ------------------------------------------------------------------------------------------ margins


class HingeLoss(Loss):
    """How much a score falls short of a margin on the right side, for targets 1 and -1.

    The loss of support vector machines (C. Cortes and V. Vapnik, 1995).

    Args:
        margin: how far on the right side is far enough.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss; both have the same shape."""
        return ops.hinge_loss(prediction, target, margin=self.margin, reduction=self.reduction)


class HingeEmbeddingLoss(Loss):
    """For distances: small where two things are alike (1), at least a margin where not (-1).

    Args:
        margin: how far apart is far enough.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss; both have the same shape."""
        return ops.hinge_embedding_loss(
            prediction, target, margin=self.margin, reduction=self.reduction
        )


class SoftMarginLoss(Loss):
    """log(1 + exp(-target · score)), for targets 1 and -1: a hinge without a corner.

    Args:
        reduction: "mean", "sum" or "none".
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss; both have the same shape."""
        return ops.soft_margin_loss(prediction, target, reduction=self.reduction)


class MarginRankingLoss(Loss):
    """How much the score that should be higher (the first where target is 1) is not.

    Args:
        margin: how much higher is enough.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """The loss; all have the same shape."""
        return ops.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class MultiMarginLoss(_Weighted):
    """How far the other classes' scores come closer than a margin to the right class's score.

    Args:
        p: 1, or 2 to square what is missing.
        margin: how far below is far enough.
        weight: how much each class counts, (classes).
        reduction: "mean", "sum" or "none".
    """

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.p, self.margin = p, margin

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss: scores (N, C) and class numbers (N)."""
        return ops.multi_margin_loss(
            prediction, target, p=self.p, margin=self.margin, weight=self.weight,
            reduction=self.reduction,
        )  # fmt: skip


class NegativeSamplingLoss(Loss):
    """A vector should agree with the right word's vector, and disagree with k drawn at random.

    In place of a softmax over a whole vocabulary (T. Mikolov et al., "Distributed representations
    of words and phrases", 2013).

    Args:
        reduction: "mean", "sum" or "none".
    """

    def forward(self, prediction: Tensor, target: Tensor, noise: Tensor) -> Tensor:
        """The loss: prediction (..., e), the right vectors (..., e), random ones (..., k, e)."""
        return ops.negative_sampling_loss(prediction, target, noise, reduction=self.reduction)
