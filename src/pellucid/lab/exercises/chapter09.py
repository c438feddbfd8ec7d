"""Chapter 9: scores become probabilities; slopes from what came out."""

from __future__ import annotations

import numpy as np

from ...nn.functional import cross_entropy
from ...testing import numerical_gradient
from .exercise import Array, Exercise, draws, t

draw = draws(9)


def softmax(scores: Array, axis: int | None = 1) -> Array:
    """By hand; over another axis where that is the mistake."""
    e = np.exp(scores - scores.max())
    return e / e.sum(axis, keepdims=True)


def unguarded(scores: Array) -> Array:
    """Without taking the largest off first."""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(scores)
        return e / e.sum(1, keepdims=True)


SOFTMAX = Exercise(
    name="softmax",
    blank="""import numpy as np


def softmax(scores):
    ...
""",
    cases=[
        (draw(2, 3),),
        (draw(3, 3),),
        (draw(4, 2),),
        (np.zeros((1, 5)),),
        (np.array([[1000.0, 1001.0, 999.0], [-5.0, 2.0, 0.0]]),),
    ],
    expected=lambda scores: t(scores).softmax(1),
    mistakes={
        "overflow": unguarded,
        "whole table": lambda scores: softmax(scores, None),
        "columns": lambda scores: softmax(scores, 0),
        "no exp": lambda scores: scores / np.where(scores.sum(1), scores.sum(1), 1)[:, None],
        "not divided": lambda scores: np.exp(scores - scores.max(1, keepdims=True)),
    },
)


def probabilities_minus(scores: Array, labels: Array, share: float = 1.0) -> Array:
    """softmax - one-hot."""
    found = softmax(scores)
    found[np.arange(len(labels)), labels] -= share
    return found


CROSS_ENTROPY_SLOPE = Exercise(
    name="cross-entropy-slope",
    blank="""import numpy as np


def cross_entropy_slope(scores, labels):
    ...
""",
    cases=[
        (draw(2, 3), np.array([0, 2])),
        (draw(3, 4), np.array([1, 1, 3])),
        (draw(4, 2), np.array([0, 1, 1, 0])),
        (draw(1, 5), np.array([4])),
    ],
    expected=lambda scores, labels: numerical_gradient(
        lambda x: cross_entropy(t(x), labels).data, scores
    ),
    mistakes={
        "not the mean": probabilities_minus,
        "no label": lambda scores, labels: softmax(scores) / len(labels),
        "by all": lambda scores, labels: probabilities_minus(scores, labels) / scores.size,
        "twice divided": lambda scores, labels: (
            probabilities_minus(scores, labels) / len(labels) ** 2
        ),
        "taken off late": lambda scores, labels: (
            probabilities_minus(scores, labels, len(labels)) / len(labels)
        ),
        "sign": lambda scores, labels: -probabilities_minus(scores, labels) / len(labels),
    },
    gradient=True,
)

TANH_BACK = Exercise(
    name="tanh-back",
    blank="""import numpy as np


def tanh_back(delta, after):
    ...
""",
    cases=[
        (draw(2, 3), np.tanh(draw(2, 3))),
        (draw(3, 3), np.tanh(draw(3, 3))),
        (draw(1, 4), np.tanh(draw(1, 4))),
        (draw(2, 1), np.zeros((2, 1))),
    ],
    expected=lambda delta, after: numerical_gradient(
        lambda x: (t(x).tanh() * t(delta)).sum().data, np.arctanh(after)
    ),
    mistakes={
        "tanh again": lambda delta, after: delta * (1 - np.tanh(after) ** 2),
        "sigmoid": lambda delta, after: delta * after * (1 - after),
        "not squared": lambda delta, after: delta * (1 - after),
        "slope only": lambda delta, after: 1 - after**2,
        "forward": lambda delta, after: np.tanh(delta),
    },
    gradient=True,
)

EXERCISES = (SOFTMAX, CROSS_ENTROPY_SLOPE, TANH_BACK)
