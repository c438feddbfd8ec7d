"""Chapter 13: a tape that finds gradients by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...nn.functional import cross_entropy
from ...testing import numerical_gradient
from .exercise import Array, Exercise, draws, t

draw = draws(13)

Tape = list[tuple[str, int, int]]


def run(values: Sequence[Any], tape: Tape) -> list[Any]:
    """All values: those given, then the result of each operation."""
    values = list(values)
    for op, a, b in tape:
        values.append(values[a] + values[b] if op == "add" else values[a] * values[b])
    return values


def back(values: list[float], tape: Tape, how: str = "") -> list[float]:
    """By hand, with one of the usual mistakes where one is named."""
    known = run(values, tape)
    gradients = [0.0] * len(known)
    gradients[-1] = 1.0
    numbered = list(enumerate(tape, start=len(values)))
    for n, (op, a, b) in numbered if how == "forwards" else numbered[::-1]:
        d = gradients[n]
        first, second = (d, d) if op == "add" else (d * known[b], d * known[a])
        if how == "own value" and op == "mul":
            first, second = second, first
        if how == "mul as add":
            first = second = d
        if how == "overwritten":
            gradients[a] = first
            gradients[b] = second
        else:
            gradients[a] += first
            gradients[b] += second
    return gradients[: len(values)]


def product(values: list[float], tape: Tape) -> list[float]:
    """The gradient that arrives is forgotten."""
    known = run(values, tape)
    gradients = [0.0] * len(known)
    for op, a, b in tape[::-1]:
        gradients[a] += 1.0 if op == "add" else known[b]
        gradients[b] += 1.0 if op == "add" else known[a]
    return gradients[: len(values)]


TINY_TAPE = Exercise(
    name="tiny-tape",
    blank="""def gradients(values, tape):
    given = len(values)
    values = list(values)
    for op, a, b in tape:
        values.append(values[a] + values[b] if op == "add" else values[a] * values[b])
    grads = [0.0] * len(values)
    grads[-1] = 1.0
    ...
    return grads[:given]
""",
    cases=[
        ([1.0, 2.0, 3.0], [("add", 0, 1), ("add", 1, 2), ("add", 3, 4)]),
        ([2.0, -3.0, 0.5], [("mul", 0, 1), ("mul", 1, 2), ("add", 3, 4)]),
        ([1.5, 4.0], [("mul", 0, 1), ("mul", 2, 0)]),
        ([3.0], [("mul", 0, 0), ("mul", 1, 0)]),
        ([0.5, 2.0, -1.0, 4.0], [("add", 0, 1), ("mul", 4, 2), ("mul", 5, 4), ("add", 6, 0)]),
    ],
    expected=lambda values, tape: numerical_gradient(
        lambda v: run([t(x) for x in v], tape)[-1], values
    ),
    mistakes={
        "overwritten": lambda values, tape: back(values, tape, "overwritten"),
        "forwards": lambda values, tape: back(values, tape, "forwards"),
        "own value": lambda values, tape: back(values, tape, "own value"),
        "mul as add": lambda values, tape: back(values, tape, "mul as add"),
        "nothing arrives": product,
    },
    gradient=True,
)


def affine(x: Array, weight: Array, bias: Array, delta: Array) -> float:
    """What the gradients are of, through the engine."""
    return float(((t(x) @ t(weight).T + t(bias)) * t(delta)).sum())


LINEAR_BACK = Exercise(
    name="linear-back",
    blank='''import numpy as np


def linear_back(x, weight, bias, delta):
    return ..., ..., ...
''',
    cases=[
        (draw(2, 3), draw(3, 3), draw(3), draw(2, 3)),
        (draw(3, 2), draw(2, 2), draw(2), draw(3, 2)),
        (draw(4, 3), draw(2, 3), draw(2), draw(4, 2)),
        (draw(1, 1), draw(3, 1), draw(3), draw(1, 3)),
    ],
    expected=lambda x, weight, bias, delta: (
        numerical_gradient(lambda v: affine(v, weight, bias, delta), x),
        numerical_gradient(lambda v: affine(x, v, bias, delta), weight),
        numerical_gradient(lambda v: affine(x, weight, v, delta), bias),
    ),
    mistakes={
        "weight on its side": lambda x, weight, bias, delta: (
            delta @ weight, x.T @ delta, delta.sum(0)
        ),
        "bias not summed": lambda x, weight, bias, delta: (delta @ weight, delta.T @ x, delta),
        "bias mean": lambda x, weight, bias, delta: (delta @ weight, delta.T @ x, delta.mean(0)),
        "x through transpose": lambda x, weight, bias, delta: (
            delta @ weight.T, delta.T @ x, delta.sum(0)
        ),
        "order": lambda x, weight, bias, delta: (delta.T @ x, delta @ weight, delta.sum(0)),
    },
    gives=("d_x", "d_weight", "d_bias"),
    gradient=True,
)  # fmt: skip


def shares(scores: Array, labels: Array) -> Array:
    """The probability of the right class of each row."""
    e = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray((e / e.sum(1, keepdims=True))[np.arange(len(labels)), labels])


CROSS_ENTROPY = Exercise(
    name="cross-entropy",
    blank="""import numpy as np


def cross_entropy(scores, labels):
    ...
""",
    cases=[
        (draw(2, 3), np.array([0, 2])),
        (draw(4, 3), np.array([1, 1, 0, 2])),
        (draw(1, 5), np.array([3])),
        (np.zeros((3, 4)), np.array([0, 1, 2])),
        (np.array([[900.0, 898.0], [-3.0, 1.0]]), np.array([1, 1])),
    ],
    expected=cross_entropy,
    mistakes={
        "overflow": lambda scores, labels: (
            -np.log(shares(scores, labels)).mean() if scores.max() < 700 else math.nan
        ),
        "sum": lambda scores, labels: -np.log(shares(scores, labels)).sum(),
        "no log": lambda scores, labels: shares(scores, labels).mean(),
        "no softmax": lambda scores, labels: -scores[np.arange(len(labels)), labels].mean(),
        "log of mean": lambda scores, labels: -math.log(shares(scores, labels).mean()),
        "not the mean": lambda scores, labels: -np.log(shares(scores, labels)),
        "by all": lambda scores, labels: -np.log(shares(scores, labels)).sum() / scores.size,
    },
)

EXERCISES = (TINY_TAPE, LINEAR_BACK, CROSS_ENTROPY)
