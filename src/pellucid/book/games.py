"""Four games of a team: the numbers that chapters 3 to 5 predict from and learn from."""

from __future__ import annotations

import math

import numpy as np

from .refusal import Refusal
from .result import Array

INPUTS = ("toes", "wins", "fans")  # toes per player, share of games won, millions of fans
OUTPUTS = ("hurt", "win", "sad")  # is somebody hurt, is the game won, is the team sad afterwards

GAMES = np.array([[8.5, 0.65, 1.2], [9.5, 0.8, 1.3], [9.9, 0.8, 0.5], [9.0, 0.9, 1.0]])
FIRST_GAME = "8.5, 0.65, 1.2"

# What each output makes of each input: a row for each output.
WEIGHTS = np.array([[0.1, 0.1, -0.3], [0.1, 0.2, 0.0], [0.0, 1.3, 0.1]])


def numbers(text: str, count: int, what: str) -> Array:
    """The numbers of a setting such as "8.5, 0.65, 1.2".

    Args:
        text: numbers with commas between them.
        count: how many there have to be.
        what: the name of the setting, for the message.

    Raises:
        Refusal: it is something else.

    >>> numbers("8.5, 0.65, 1.2", 3, "inputs")
    array([8.5 , 0.65, 1.2 ])
    """
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != count or not all(math.isfinite(number) for number in found):
        example = ", ".join(f"{number:g}" for number in (0.5, 0.2, -1, 0.1)[:count])
        raise Refusal("numbers", what=what, count=count, text=text, example=example)
    return np.array(found)
