"""Chapter 5: many weights learn at once."""

from __future__ import annotations

import numpy as np

from ...testing import numerical_gradient
from .exercise import Array, Exercise, draws, t

draw = draws(5)


def learned(weights: Array, inputs: Array, goal: float, alpha: float) -> Array:
    """One step down the engine's gradient; the book leaves its factor 2 to alpha."""
    w = t(weights).requires_grad_()
    ((w @ t(inputs) - goal) ** 2).backward()
    return (w - alpha * w.grad / 2).data


STEP = Exercise(
    name="several-weights",
    blank="""import numpy as np


def step(weights, inputs, goal, alpha):
    prediction = ...
    delta = prediction - goal
    return ...
""",
    cases=[
        (np.array([0.1, 0.2, -0.1]), np.array([8.5, 0.65, 1.2]), 1.0, 0.01),
        (draw(3), draw(3), 0.5, 0.1),
        (draw(2), draw(2), -1.0, 0.3),
        (draw(1), draw(1), 0.2, 0.5),
        (draw(4), np.array([1.0, 0.0, -2.0, 0.0]), 0.0, 0.1),
    ],
    expected=learned,
    mistakes={
        "no alpha": lambda w, x, goal, alpha: w - (w @ x - goal) * x,
        "no input": lambda w, x, goal, alpha: w - alpha * (w @ x - goal),
        "sign": lambda w, x, goal, alpha: w + alpha * (w @ x - goal) * x,
        "change": lambda w, x, goal, alpha: alpha * (w @ x - goal) * x,
        "one by one": lambda w, x, goal, alpha: w - alpha * (w * x - goal) * x,
        "twice": lambda w, x, goal, alpha: w - 2 * alpha * (w @ x - goal) * x,
    },
)

OUTER = Exercise(
    name="outer-product",
    blank="""import numpy as np


def weight_gradient(weights, inputs, goals):
    delta = ...
    return ...
""",
    cases=[
        (draw(3, 3), draw(3), draw(3)),
        (draw(2, 2), draw(2), draw(2)),
        (draw(2, 4), draw(4), draw(2)),
        (draw(3, 1), draw(1), draw(3)),
        (draw(1, 3), draw(3), draw(1)),
    ],
    expected=lambda weights, inputs, goals: numerical_gradient(
        lambda w: ((t(w) @ t(inputs) - t(goals)) ** 2).data.sum() / 2, weights
    ),
    mistakes={
        "lying": lambda w, x, goals: np.outer(x, w @ x - goals),
        "sign": lambda w, x, goals: np.outer(goals - w @ x, x),
        "twice": lambda w, x, goals: 2 * np.outer(w @ x - goals, x),
        "elementwise": lambda w, x, goals: (w @ x - goals) * x,
        "no delta": lambda w, x, goals: np.outer(w @ x, x),
    },
    gradient=True,
)

EXERCISES = (STEP, OUTER)
