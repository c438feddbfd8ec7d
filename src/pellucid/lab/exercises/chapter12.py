"""Chapter 12: one matrix, used again for each word."""

from __future__ import annotations

import numpy as np

from ...tensor import Tensor
from ...testing import numerical_gradient
from .exercise import Array, Exercise, draws, t

draw = draws(12)


def read(words: Array, start: Array, transition: Array) -> Tensor:
    """The last state, by the engine."""
    state = t(start)
    for word in words:
        state = state @ t(transition) + t(word)
    return state


def by_hand(words: Array, start: Array, transition: Array) -> list[Array]:
    """All states."""
    states = [start]
    for word in words:
        states.append(states[-1] @ transition + word)
    return states


def through_both(words: Array, start: Array, transition: Array) -> Array:
    """The word goes through the matrix as well."""
    state = start
    for word in words:
        state = (state + word) @ transition
    return state


CASES = [
    (draw(3, 2), draw(2), draw(2, 2)),
    (draw(2, 3), draw(3), draw(3, 3)),
    (draw(5, 2), draw(2), np.array([[0.5, -0.2], [0.1, 0.8]])),
    (draw(1, 4), draw(4), draw(4, 4)),
    (np.zeros((0, 2)), draw(2), draw(2, 2)),
]

LAST_STATE = Exercise(
    name="last-state",
    blank="""import numpy as np


def last_state(words, start, transition):
    state = start
    ...
    return state
""",
    cases=CASES,
    expected=read,
    mistakes={
        "through both": through_both,
        "no matrix": lambda words, start, transition: start + words.sum(0),
        "from zero": lambda words, start, transition: by_hand(
            words, np.zeros_like(start), transition
        )[-1],
        "columns": lambda words, start, transition: by_hand(words, start, transition.T)[-1],
        "backwards": lambda words, start, transition: by_hand(words[::-1], start, transition)[-1],
        "last word only": lambda words, start, transition: (
            start @ transition + words[-1] if len(words) else start
        ),
    },
)


def through_time(
    words: Array, start: Array, transition: Array, delta: Array, last: int = 0, after: int = 0
) -> Array:
    """By hand; only so many of the last steps, or with the state after a step, where that is the mistake."""
    states = by_hand(words, start, transition)
    found = np.zeros_like(transition)
    for n in range(len(words))[::-1][: last or None]:
        found += np.outer(states[n + after], delta)
        delta = delta @ transition.T
    return found


def same_delta(words: Array, start: Array, transition: Array, delta: Array) -> Array:
    """The delta does not travel."""
    states = by_hand(words, start, transition)[: len(words)]
    return sum((np.outer(s, delta) for s in states), np.zeros_like(transition))


def wrong_way(words: Array, start: Array, transition: Array, delta: Array) -> Array:
    """The delta travels through the matrix as the state does."""
    states = by_hand(words, start, transition)
    found = np.zeros_like(transition)
    for n in range(len(words))[::-1]:
        found += np.outer(states[n], delta)
        delta = delta @ transition
    return found


TRANSITION_GRADIENT = Exercise(
    name="transition-gradient",
    blank="""import numpy as np


def transition_gradient(words, start, transition, delta):
    states = [start]
    for word in words:
        states.append(states[-1] @ transition + word)
    gradient = np.zeros_like(transition)
    ...
    return gradient
""",
    cases=[(*case, draw(len(case[1]))) for case in CASES],
    expected=lambda words, start, transition, delta: numerical_gradient(
        lambda m: (read(words, start, m) * t(delta)).sum().data, transition
    ),
    mistakes={
        "last step": lambda words, start, transition, delta: through_time(
            words, start, transition, delta, last=1
        ),
        "state after": lambda words, start, transition, delta: through_time(
            words, start, transition, delta, after=1
        ),
        "same delta": same_delta,
        "wrong way": wrong_way,
        "lying": lambda *case: through_time(*case).T,
    },
    gradient=True,
)

EXERCISES = (LAST_STATE, TRANSITION_GRADIENT)
