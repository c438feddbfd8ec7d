"""Chapter 2: learning by counting, and finding groups without a teacher."""

from __future__ import annotations

import numpy as np

from .exercise import Array, Exercise, draws, t

draw = draws(2)


def counted(seen: Array, answers: Array, asked: int, unseen: float = 0.5) -> float:
    """How often the answer was 1 among what was like this."""
    alike = answers[seen == asked]
    return float(t(alike).mean()) if len(alike) else unseen


COUNTED = Exercise(
    name="counted",
    blank="""import numpy as np


def counted(seen, answers, asked):
    ...
""",
    cases=[
        (np.array([1, 2, 1, 1]), np.array([1, 1, 0, 1]), 1),
        (np.array([0, 0, 3, 3, 3]), np.array([0, 0, 1, 1, 0]), 0),
        (np.array([5, 4, 5, 4, 4]), np.array([1, 0, 0, 0, 1]), 4),
        (np.array([2, 2, 1]), np.array([1, 1, 0]), 7),
        (np.array([], dtype=int), np.array([], dtype=int), 3),
    ],
    expected=counted,
    mistakes={
        "count": lambda seen, answers, asked: (
            answers[seen == asked].sum() if asked in seen else 0.5
        ),
        "of all": lambda seen, answers, asked: (
            answers[seen == asked].sum() / len(seen) if asked in seen else 0.5
        ),
        "everything": lambda seen, answers, asked: answers.mean() if len(answers) else 0.5,
        "zeros": lambda seen, answers, asked: (
            1 - answers[seen == asked].mean() if asked in seen else 0.5
        ),
        "unseen": lambda seen, answers, asked: counted(seen, answers, asked, 0.0),
    },
)

NEAREST = Exercise(
    name="nearest",
    blank="""import numpy as np


def nearest(points, centres):
    ...
""",
    cases=[
        (draw(5, 2), draw(3, 2)),
        (draw(6, 2), draw(4, 2)),
        (draw(4, 3), draw(2, 3)),
        (draw(7, 1), draw(3, 1)),
        (draw(1, 2), draw(1, 2)),
    ],
    expected=lambda points, centres: (
        ((t(points).unsqueeze(1) - t(centres)) ** 2).sum(2).argmin(1).data
    ),
    mistakes={
        "farthest": lambda points, centres: ((points[:, None] - centres) ** 2).sum(2).argmax(1),
        "signs": lambda points, centres: (points[:, None] - centres).sum(2).argmin(1),
        "first coordinate": lambda points, centres: np.abs(
            points[:, None, 0] - centres[:, 0]
        ).argmin(1),
        "which point": lambda points, centres: ((points[:, None] - centres) ** 2).sum(2).argmin(0),
        "distance": lambda points, centres: ((points[:, None] - centres) ** 2).sum(2).min(1),
    },
)

EXERCISES = (COUNTED, NEAREST)
