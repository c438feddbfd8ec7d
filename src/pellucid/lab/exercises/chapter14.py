"""Chapter 14: gates, short gradients, and letters drawn by chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from .exercise import Array, Exercise, draws, t

draw = draws(14)


def lstm(sums: Array, cell: Array) -> tuple[Any, Any]:
    """By the engine."""
    i, f, g, o = (t(part) for part in sums)
    new = f.sigmoid() * t(cell) + i.sigmoid() * g.tanh()
    return o.sigmoid() * new.tanh(), new


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x)."""
    return 1 / (1 + np.exp(-x))


def by_hand(
    sums: Array, cell: Array, *, squash: Any = np.tanh, out: Any = np.tanh, order: str = "ifgo"
) -> tuple[Array, Array]:
    """With other functions or another order of the gates, where that is the mistake."""
    gate = dict(zip(order, sums, strict=True))
    new = sigmoid(gate["f"]) * cell + sigmoid(gate["i"]) * squash(gate["g"])
    return sigmoid(gate["o"]) * out(new), new


def same(x: Array) -> Array:
    """As it is."""
    return x


def keeps_all(sums: Array, cell: Array) -> tuple[Array, Array]:
    """No forget gate."""
    i, _, g, o = sums
    new = cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(new), new


LSTM_CELL = Exercise(
    name="lstm-cell",
    blank="""import numpy as np


def lstm_cell(sums, cell):
    i, f, g, o = sums
    ...
""",
    cases=[
        (draw(4, 3), draw(3)),
        (draw(4, 2), draw(2)),
        (draw(4, 4), draw(4)),
        (draw(4, 1), np.zeros(1)),
    ],
    expected=lstm,
    mistakes={
        "candidate sigmoid": lambda sums, cell: by_hand(sums, cell, squash=sigmoid),
        "no tanh at the end": lambda sums, cell: by_hand(sums, cell, out=same),
        "input and forget": lambda sums, cell: by_hand(sums, cell, order="figo"),
        "no forgetting": keeps_all,
        "order of answers": lambda sums, cell: by_hand(sums, cell)[::-1],
    },
    gives=("hidden", "cell"),
)


def clipped(gradient: Array, most: float) -> Array:
    """By the engine; a gradient of zero is left alone."""
    g = t(gradient)
    norm = g.norm().item()
    return (g * (most / norm)).data if norm > most else gradient


def always(gradient: Array, most: float) -> Array:
    """Short ones are made longer."""
    norm = np.linalg.norm(gradient)
    return gradient * most / norm if norm else gradient


def shortened(gradient: Array, most: float, size: Any) -> Array:
    """With another size in place of the length."""
    return gradient * most / size if size > most else gradient


CLIP = Exercise(
    name="gradient-clipping",
    blank='''import numpy as np


def clip(gradient, most):
    ...
''',
    cases=[
        (np.array([3.0, 4.0]), 1.0),
        (draw(2, 3) * 5, 2.0),
        (draw(4), 100.0),
        (draw(3, 3) * 10, 5.0),
        (np.zeros(3), 1.0),
    ],
    expected=clipped,
    mistakes={
        "each element": lambda gradient, most: np.clip(gradient, -most, most),
        "always": always,
        "no root": lambda gradient, most: shortened(gradient, most, (gradient**2).sum()),
        "largest element": lambda gradient, most: shortened(gradient, most, float(np.abs(gradient).max())),
        "length one": lambda gradient, most: shortened(gradient, most, np.linalg.norm(gradient)) / (
            most if np.linalg.norm(gradient) > most else 1
        ),
        "unchanged": lambda gradient, most: gradient,
    },
)  # fmt: skip


def chances(scores: Array, temperature: float) -> Array:
    """By the engine."""
    return (t(scores) / temperature).softmax(0).data


def drawn(scores: Array, temperature: float, u: float) -> int:
    """Where the running sum first exceeds u."""
    return int((np.cumsum(chances(scores, temperature)) > u).argmax())


SCORES = np.array([2.0, 1.0, 0.0, -1.0])

SAMPLE = Exercise(
    name="temperature",
    blank="""import numpy as np


def sample(scores, temperature, u):
    ...
""",
    cases=[
        (SCORES, 1.0, 0.3),
        (SCORES, 1.0, 0.8),
        (SCORES, 3.0, 0.55),
        (SCORES[::-1], 0.5, 0.1),
        (SCORES[::-1], 2.0, 0.2),
        (np.array([800.0, 801.0, 802.0]), 1.0, 0.2),
        (np.array([0.0]), 1.0, 0.99),
    ],
    expected=drawn,
    mistakes={
        "overflow": lambda scores, temperature, u: (
            drawn(scores, temperature, u) if scores.max() / temperature < 700 else 0
        ),
        "no temperature": lambda scores, temperature, u: drawn(scores, 1.0, u),
        "multiplied": lambda scores, temperature, u: drawn(scores, 1 / temperature, u),
        "most likely": lambda scores, temperature, u: int(scores.argmax()),
        "one late": lambda scores, temperature, u: drawn(scores, temperature, u) + 1,
        "no sum": lambda scores, temperature, u: int((chances(scores, temperature) > u).argmax()),
    },
)

EXERCISES = (LSTM_CELL, CLIP, SAMPLE)
