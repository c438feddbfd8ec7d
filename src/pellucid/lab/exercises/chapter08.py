"""Chapter 8: when to stop, what to leave out, and how many at once."""

from __future__ import annotations

import numpy as np

from ...testing import numerical_gradient
from .exercise import Array, Exercise, draws, t

draw = draws(8)


def best_pass(errors: list[float], patience: int) -> int:
    """The best pass when one stops after so many without a better one."""
    best = 0
    for number, error in enumerate(errors):
        if error < errors[best]:
            best = number
        elif number - best >= patience:
            break
    return best


def stopped_at(errors: list[float], patience: int) -> int:
    """The pass in which one stops."""
    best = 0
    for number, error in enumerate(errors):
        if error < errors[best]:
            best = number
        elif number - best >= patience:
            return number
    return len(errors) - 1


def in_all(errors: list[float], patience: int) -> int:
    """Passes without a better one are counted in all, not in a row."""
    best, idle = 0, 0
    for number, error in enumerate(errors[1:], start=1):
        if error < errors[best]:
            best = number
        else:
            idle += 1
            if idle >= patience:
                break
    return best


def than_before(errors: list[float], patience: int) -> int:
    """Compared with the pass before, not with the best one."""
    idle = 0
    for number in range(1, len(errors)):
        idle = 0 if errors[number] < errors[number - 1] else idle + 1
        if idle >= patience:
            return int(np.argmin(errors[: number + 1]))
    return int(np.argmin(errors))


EARLY_STOP = Exercise(
    name="early-stop",
    blank="""def best_pass(errors, patience):
    ...
""",
    cases=[
        ([0.9, 0.5, 0.6, 0.7, 0.2], 2),
        ([0.9, 0.6, 0.7, 0.5, 0.6, 0.4, 0.8, 0.9], 2),
        ([0.5, 0.7, 0.6, 0.65, 0.3, 0.2], 3),
        ([0.8, 0.7, 0.6], 1),
        ([0.5, 0.6, 0.7, 0.8, 0.9, 0.1], 2),
        ([0.5, 0.5, 0.4, 0.3], 2),
        ([0.3], 5),
    ],
    expected=best_pass,
    mistakes={
        "where it stops": stopped_at,
        "best of all": lambda errors, patience: int(np.argmin(errors)),
        "in all": in_all,
        "than before": than_before,
        "one too patient": lambda errors, patience: best_pass(errors, patience + 1),
        "error": lambda errors, patience: errors[best_pass(errors, patience)],
    },
)


DROPOUT = Exercise(
    name="dropout",
    blank="""import numpy as np


def dropout(layer, mask, p):
    ...
""",
    cases=[
        (draw(2, 4), np.array([[1, 0, 1, 1], [0, 1, 1, 0]]), 0.4),
        (draw(1, 3), np.array([[0, 1, 1]]), 0.2),
        (draw(3, 2), np.array([[1, 0], [0, 0], [1, 1]]), 0.75),
        (draw(2, 2), np.ones((2, 2)), 0.0),
        (draw(2, 2), np.zeros((2, 2)), 0.9),
    ],
    expected=lambda layer, mask, p: (t(layer) * t(mask) / (1 - p)).data,
    mistakes={
        "not scaled": lambda layer, mask, p: layer * mask,
        "scaled down": lambda layer, mask, p: layer * mask * (1 - p),
        "by p": lambda layer, mask, p: layer * mask / p,
        "doubled": lambda layer, mask, p: layer * mask * 2,
        "dropped ones": lambda layer, mask, p: layer * (1 - mask) / (1 - p),
        "no mask": lambda layer, mask, p: layer / (1 - p),
    },
)


def mean_error(weights: Array, inputs: Array, goals: Array) -> float:
    """The mean over the examples, through the engine."""
    return float(((t(inputs) @ t(weights) - t(goals)) ** 2).sum(1).mean()) / 2


BATCH = Exercise(
    name="batch-gradient",
    blank="""import numpy as np


def batch_gradient(weights, inputs, goals):
    ...
""",
    cases=[
        (draw(3, 2), draw(4, 3), draw(4, 2)),
        (draw(2, 3), draw(5, 2), draw(5, 3)),
        (draw(3, 3), draw(2, 3), draw(2, 3)),
        (draw(4, 1), draw(3, 4), draw(3, 1)),
        (draw(2, 2), draw(1, 2), draw(1, 2)),
    ],
    expected=lambda weights, inputs, goals: numerical_gradient(
        lambda w: mean_error(w, inputs, goals), weights
    ),
    mistakes={
        "sum": lambda w, x, y: x.T @ (x @ w - y),
        "over outputs too": lambda w, x, y: x.T @ (x @ w - y) / y.size,
        "twice divided": lambda w, x, y: x.T @ (x @ w - y) / len(x) ** 2,
        "sign": lambda w, x, y: x.T @ (y - x @ w) / len(x),
        "last example": lambda w, x, y: np.outer(x[-1], x[-1] @ w - y[-1]),
    },
    gradient=True,
)

EXERCISES = (EARLY_STOP, DROPOUT, BATCH)
