"""Chapter 3: predictions, one weighted sum after another."""

from __future__ import annotations

import numpy as np

from .exercise import Exercise, draws, t

draw = draws(3)

WEIGHTED_SUM = Exercise(
    name="weighted-sum",
    blank="""import numpy as np


def weighted_sum(inputs, weights):
    ...
""",
    cases=[
        (np.array([8.5, 0.65, 1.2]), np.array([0.1, 0.2, 0.0])),
        (draw(4), draw(4)),
        (draw(2), draw(2)),
        (draw(1), draw(1)),
        (draw(6), np.zeros(6)),
    ],
    expected=lambda inputs, weights: t(inputs) @ t(weights),
    mistakes={
        "not added": lambda inputs, weights: inputs * weights,
        "first only": lambda inputs, weights: inputs[0] * weights[0],
        "mean": lambda inputs, weights: (inputs * weights).mean(),
        "no weights": lambda inputs, weights: inputs.sum(),
        "sums": lambda inputs, weights: inputs.sum() * weights.sum(),
    },
)

VECTOR_MATRIX = Exercise(
    name="vector-matrix",
    blank="""import numpy as np


def vector_matrix(inputs, weights):
    ...
""",
    cases=[
        (
            np.array([8.5, 0.65, 1.2]),
            np.array([[0.1, 0.1, -0.3], [0.1, 0.2, 0.0], [0.0, 1.3, 0.1]]),
        ),
        (draw(2), draw(2, 2)),
        (draw(4), draw(2, 4)),
        (draw(1), draw(3, 1)),
        (draw(3), draw(1, 3)),
    ],
    expected=lambda inputs, weights: t(weights) @ t(inputs),
    mistakes={
        "columns": lambda inputs, weights: weights.T @ inputs,
        "not added": lambda inputs, weights: weights * inputs,
        "first row": lambda inputs, weights: weights[0] @ inputs,
        "one number": lambda inputs, weights: (weights @ inputs).sum(),
    },
)

TWO_LAYERS = Exercise(
    name="two-layers",
    blank="""import numpy as np


def two_layers(inputs, weights_0_1, weights_1_2):
    hidden = ...
    return ...
""",
    cases=[
        (draw(3), draw(3, 3), draw(3, 3)),
        (draw(2), draw(2, 2), draw(2, 2)),
        (draw(3), draw(4, 3), draw(2, 4)),
        (draw(1), draw(3, 1), draw(1, 3)),
    ],
    expected=lambda inputs, first, second: t(second) @ (t(first) @ t(inputs)),
    mistakes={
        "inputs twice": lambda inputs, first, second: second @ inputs,
        "hidden": lambda inputs, first, second: first @ inputs,
        "order": lambda inputs, first, second: first @ (second @ inputs),
        "columns": lambda inputs, first, second: second.T @ (first.T @ inputs),
    },
)

EXERCISES = (WEIGHTED_SUM, VECTOR_MATRIX, TWO_LAYERS)
