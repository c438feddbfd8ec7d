"""Chapter 6: blame travels back through a hidden layer."""

from __future__ import annotations

import numpy as np

from ...testing import numerical_gradient
from .exercise import Array, Exercise, draws, t

draw = draws(6)

RELU_BACK = Exercise(
    name="relu-back",
    blank='''import numpy as np


def relu_back(delta, before):
    ...
''',
    cases=[(draw(2, 3), draw(2, 3)), (draw(1, 4), draw(1, 4)), (draw(3, 3), draw(3, 3)),
           (draw(2, 2), -np.abs(draw(2, 2))), (draw(2, 2), np.abs(draw(2, 2)))],
    expected=lambda delta, before: numerical_gradient(
        lambda x: (t(x).relu() * t(delta)).sum().data, before
    ),
    mistakes={
        "no mask": lambda delta, before: delta,
        "relu again": lambda delta, before: np.maximum(delta, 0),
        "times after": lambda delta, before: delta * np.maximum(before, 0),
        "wrong side": lambda delta, before: delta * (before < 0),
        "slope only": lambda delta, before: (before > 0).astype(float),
    },
    gradient=True,
)  # fmt: skip


def blame(
    lights: Array, walk: Array, first: Array, second: Array, mask: bool = True
) -> tuple[Array, Array]:
    """Both gradients by hand; without relu's mask where that is the mistake."""
    hidden = np.maximum(lights @ first, 0)
    delta_2 = hidden @ second - walk
    delta_1 = delta_2 @ second.T
    if mask:
        delta_1 = delta_1 * (hidden > 0)
    return lights.T @ delta_1, hidden.T @ delta_2


def error(lights: Array, walk: Array, first: Array, second: Array) -> float:
    """Half the sum of the squares, through the engine."""
    prediction = (t(lights) @ t(first)).relu() @ t(second)
    return float(((prediction - t(walk)) ** 2).sum()) / 2


LIGHTS = np.array([[1.0, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]])
WALK = np.array([[1.0], [1], [0], [0]])

BLANK = """import numpy as np


def deep_gradients(lights, walk, weights_0_1, weights_1_2):
    layer_1 = ...  # relu
    layer_2 = ...
    layer_2_delta = ...
    layer_1_delta = ...
    return ..., ...
"""

DEEP = Exercise(
    name="deep-gradients",
    blank=BLANK,
    cases=[
        (LIGHTS, WALK, draw(3, 4), draw(4, 1)),
        (LIGHTS[:2], WALK[:2], draw(3, 3), draw(3, 1)),
        (LIGHTS[:1], WALK[:1], draw(3, 2), draw(2, 1)),
        (draw(5, 3), draw(5, 1), draw(3, 4), draw(4, 1)),
    ],
    expected=lambda lights, walk, first, second: (
        numerical_gradient(lambda w: error(lights, walk, w, second), first),
        numerical_gradient(lambda w: error(lights, walk, first, w), second),
    ),
    mistakes={
        "no mask": lambda lights, walk, first, second: blame(
            lights, walk, first, second, mask=False
        ),
        "sign": lambda *case: tuple(-g for g in blame(*case)),
        "twice": lambda *case: tuple(2 * g for g in blame(*case)),
        "swapped": lambda *case: blame(*case)[::-1],
        "goal as delta": lambda lights, walk, first, second: blame(
            lights, np.zeros_like(walk), first, second
        ),
    },
    gives=("d_weights_0_1", "d_weights_1_2"),
    gradient=True,
)


def stepped(
    lights: Array, walk: Array, first: Array, second: Array, alpha: float
) -> tuple[Array, Array]:
    """One step with the engine's gradients."""
    a, b = t(first).requires_grad_(), t(second).requires_grad_()
    (((t(lights) @ a).relu() @ b - t(walk)) ** 2).sum().backward()
    return (a - alpha * a.grad / 2).data, (b - alpha * b.grad / 2).data


def second_first(
    lights: Array, walk: Array, first: Array, second: Array, alpha: float
) -> tuple[Array, Array]:
    """The blame of the hidden layer through weights that have changed already."""
    hidden = np.maximum(lights @ first, 0)
    delta_2 = hidden @ second - walk
    second = second - alpha * hidden.T @ delta_2
    delta_1 = (delta_2 @ second.T) * (hidden > 0)
    return first - alpha * lights.T @ delta_1, second


def with_blame(
    case: tuple[Array, ...], first: float = 1.0, second: float = 1.0, mask: bool = True
) -> tuple[Array, Array]:
    """One step whose parts are so many times alpha."""
    lights, walk, weights_0_1, weights_1_2, alpha = case
    a, b = blame(lights, walk, weights_0_1, weights_1_2, mask)
    return weights_0_1 - alpha * first * a, weights_1_2 - alpha * second * b


DEEP_STEP = Exercise(
    name="deep-step",
    blank="""import numpy as np


def deep_step(lights, walk, weights_0_1, weights_1_2, alpha):
    # predict
    ...
    # compare
    ...
    # learn
    ...
    return weights_0_1, weights_1_2
""",
    cases=[
        (LIGHTS, WALK, draw(3, 4), draw(4, 1), 0.2),
        (LIGHTS[2:], WALK[2:], draw(3, 3), draw(3, 1), 0.1),
        (LIGHTS[:1], WALK[:1], draw(3, 2), draw(2, 1), 0.5),
        (draw(4, 3), draw(4, 1), draw(3, 3), draw(3, 1), 0.05),
    ],
    expected=stepped,
    mistakes={
        "second first": second_first,
        "no mask": lambda *case: with_blame(case, mask=False),
        "no alpha": lambda *case: with_blame(case, 1 / case[4], 1 / case[4]),
        "sign": lambda *case: with_blame(case, -1.0, -1.0),
        "twice": lambda *case: with_blame(case, 2.0, 2.0),
        "only the last": lambda *case: with_blame(case, first=0.0),
        "unchanged": lambda *case: with_blame(case, 0.0, 0.0),
    },
    gives=("weights_0_1", "weights_1_2"),
)

EXERCISES = (RELU_BACK, DEEP, DEEP_STEP)
