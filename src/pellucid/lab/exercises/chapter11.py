"""Chapter 11: words as rows of a table."""

from __future__ import annotations

import numpy as np

from ...ops import cosine_similarity, negative_sampling_loss
from ...testing import numerical_gradient
from .exercise import Array, Exercise, draws, t

draw = draws(11)


def spread(table: Array, words: Array, delta: Array, how: str) -> Array:
    """The gradient of the table by hand; `how` says what happens where a word comes again."""
    found = np.zeros_like(table)
    if how == "added":
        np.add.at(found, words, delta)
    elif how == "overwritten":
        found[words] = delta
    elif how == "everywhere":
        found[:] = delta
    elif how == "mean":
        np.add.at(found, words, delta / max(len(words), 1))
    return found


EMBEDDING_GRADIENT = Exercise(
    name="embedding-gradient",
    blank="""import numpy as np


def table_gradient(table, words, delta):
    ...
""",
    cases=[
        (draw(5, 3), np.array([1, 3]), draw(3)),
        (draw(4, 2), np.array([2, 0, 2]), draw(2)),
        (draw(3, 4), np.array([1, 1, 1]), draw(4)),
        (draw(6, 1), np.array([5]), draw(1)),
        (draw(3, 2), np.array([], dtype=int), draw(2)),
    ],
    expected=lambda table, words, delta: numerical_gradient(
        lambda rows: (t(rows)[words].sum(0) * t(delta)).sum().data, table
    ),
    mistakes={
        "overwritten": lambda table, words, delta: spread(table, words, delta, "overwritten"),
        "everywhere": lambda table, words, delta: spread(table, words, delta, "everywhere"),
        "mean": lambda table, words, delta: spread(table, words, delta, "mean"),
        "rows only": lambda table, words, delta: np.tile(delta, (len(words), 1)),
        "times row": lambda table, words, delta: spread(table, words, delta, "added") * table,
    },
    gradient=True,
)

COSINE = Exercise(
    name="cosine",
    blank="""import numpy as np


def cosine(a, b):
    ...
""",
    cases=[
        (draw(3), draw(3)),
        (draw(5), draw(5)),
        (np.array([1.0, 2.0]), np.array([10.0, 20.0])),
        (np.array([3.0, 0.0]), np.array([0.0, 0.5])),
        (draw(1), draw(1)),
    ],
    expected=lambda a, b: cosine_similarity(t(a), t(b), dim=0),
    mistakes={
        "dot only": lambda a, b: a @ b,
        "one length": lambda a, b: a @ b / np.linalg.norm(a),
        "multiplied": lambda a, b: a @ b * np.linalg.norm(a) * np.linalg.norm(b),
        "no root": lambda a, b: a @ b / ((a @ a) * (b @ b)),
        "sums": lambda a, b: a @ b / (np.abs(a).sum() * np.abs(b).sum()),
        "distance": lambda a, b: np.linalg.norm(a - b),
    },
)


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x)."""
    return 1 / (1 + np.exp(-x))


NEGATIVE_SAMPLING = Exercise(
    name="negative-sampling",
    blank="""import numpy as np


def sampling_loss(context, word, others):
    ...
""",
    cases=[
        (draw(3), draw(3), draw(2, 3)),
        (draw(4), draw(4), draw(5, 4)),
        (draw(2), draw(2), draw(1, 2)),
        (draw(3), np.zeros(3), np.zeros((4, 3))),
    ],
    expected=lambda context, word, others: negative_sampling_loss(
        t(context)[None], t(word)[None], t(others)[None]
    ),
    mistakes={
        "others too": lambda context, word, others: (
            -np.log(sigmoid(word @ context)) - np.log(sigmoid(others @ context)).sum()
        ),
        "word only": lambda context, word, others: -np.log(sigmoid(word @ context)),
        "mean": lambda context, word, others: (
            -np.log(sigmoid(word @ context)) - np.log(sigmoid(-others @ context)).mean()
        ),
        "no minus": lambda context, word, others: (
            np.log(sigmoid(word @ context)) + np.log(sigmoid(-others @ context)).sum()
        ),
        "no log": lambda context, word, others: (
            sigmoid(word @ context) * sigmoid(-others @ context).prod()
        ),
    },
)

EXERCISES = (EMBEDDING_GRADIENT, COSINE, NEGATIVE_SAMPLING)
