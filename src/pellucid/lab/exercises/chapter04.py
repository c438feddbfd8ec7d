"""Chapter 4: the error, its slope, and the loop of `pellucid run 4.26`."""

from __future__ import annotations

from ...book import chapter04_memory as memory
from ...tensor import grad
from ...testing import numerical_gradient
from .exercise import Exercise, t

PURE_ERROR = Exercise(
    name="squared-error",
    blank="""def squared_error(prediction, goal):
    ...
""",
    cases=[(0.4, 0.8), (1.2, 0.8), (-0.5, 2.5), (3.0, -1.0), (0.7, 0.7)],
    expected=lambda prediction, goal: (t(prediction) - goal) ** 2,
    mistakes={
        "not squared": lambda prediction, goal: prediction - goal,
        "absolute": lambda prediction, goal: abs(prediction - goal),
        "each squared": lambda prediction, goal: prediction**2 - goal**2,
        "added": lambda prediction, goal: (prediction + goal) ** 2,
    },
)

SLOPE = Exercise(
    name="slope-of-error",
    blank="""def slope_of_error(weight, input, goal):
    ...
""",
    cases=[(0.5, 2.0, 0.8), (0.1, 8.5, 1.0), (-1.0, -0.7, 0.3), (0.0, 3.0, 0.5), (2.0, 0.0, 1.0)],
    expected=lambda weight, input, goal: numerical_gradient(
        lambda w: ((t(w) * input - goal) ** 2).data, weight
    ),
    mistakes={
        "half": lambda weight, input, goal: (input * weight - goal) * input,
        "no input": lambda weight, input, goal: 2 * (input * weight - goal),
        "delta": lambda weight, input, goal: input * weight - goal,
        "error": lambda weight, input, goal: (input * weight - goal) ** 2,
        "sign": lambda weight, input, goal: 2 * (goal - input * weight) * input,
    },
    gradient=True,
)


def learned(weight: float, input: float, goal: float, alpha: float, steps: int) -> float:
    """Gradient descent with the engine's slope; the book leaves its factor 2 to alpha."""
    for _ in range(steps):
        w = t(weight).requires_grad_()
        (slope,) = grad((w * input - goal) ** 2, w)
        weight -= alpha * slope.item() / 2
    return weight


LEARN = Exercise(
    name="learn",
    blank="\n".join(memory.BLANK) + "\n",
    cases=memory.CASES,
    expected=learned,
    mistakes=memory.MISTAKES,
    told_by="4.26",
)

EXERCISES = (PURE_ERROR, SLOPE, LEARN)
