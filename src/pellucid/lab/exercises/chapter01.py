"""Chapter 1: what the last layer says, and how often it is right."""

from __future__ import annotations

import numpy as np

from .exercise import Exercise, draws, t

draw = draws(1)

CLASSIFY = Exercise(
    name="classify",
    blank="""import numpy as np


def classify(scores):
    ...
""",
    cases=[(draw(4, 4),), (draw(3, 3),), (draw(2, 10),), (draw(1, 5),), (draw(5, 2) - 3,)],
    expected=lambda scores: t(scores).argmax(1).data,
    mistakes={
        "largest score": lambda scores: scores.max(1),
        "columns": lambda scores: scores.argmax(0),
        "smallest": lambda scores: scores.argmin(1),
        "from one": lambda scores: scores.argmax(1) + 1,
        "size": lambda scores: np.abs(scores).argmax(1),
    },
)

ACCURACY = Exercise(
    name="accuracy",
    blank="""import numpy as np


def accuracy(predicted, actual):
    ...
""",
    cases=[
        (np.array([7, 2, 1, 0]), np.array([7, 2, 1, 4])),
        (np.array([3, 3, 3]), np.array([3, 5, 8])),
        (np.array([1, 0, 1, 1, 0, 0, 1, 0]), np.array([1, 1, 1, 1, 0, 0, 0, 0])),
        (np.array([9]), np.array([9])),
        (np.array([2, 6]), np.array([6, 2])),
    ],
    expected=lambda predicted, actual: (t(predicted) == t(actual)).data.mean(),
    mistakes={
        "count": lambda predicted, actual: (predicted == actual).sum(),
        "errors": lambda predicted, actual: (predicted != actual).mean(),
        "distance": lambda predicted, actual: np.abs(predicted - actual).mean(),
        "all or nothing": lambda predicted, actual: float(np.array_equal(predicted, actual)),
    },
)

EXERCISES = (CLASSIFY, ACCURACY)
