"""Means that bear a few wrong parties: median, trimmed mean, and updates cut to a length.

One party that sends nonsense, by a fault or on purpose, can pull a mean anywhere. These stand in for
`plain_sum` and hold as long as most parties are honest. What they cannot do has to be said:

- They look at each update by itself. So they exclude everything that hides single updates: a masked
  or encrypted sum cannot be inspected, and a poisoned update in it goes unnoticed. One has to
  choose, or let the parties cut their own updates and trust them to do so.
- Each party counts the same here, since the number of examples is what a party says it is.
- Where the parties' data differ much, honest but unusual parties are outvoted as well.
- A change that stays small, as a back door may be, passes all three.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ArgumentError
from .engine import Engine, Missing
from .messages import Message
from .summing import Shapes, Summing, Total, contributions

Array = Any


def median(engine: Engine, messages: Mapping[str, Message], shapes: Shapes) -> Total:
    """The middle one of the parties' values, for every weight by itself.

    Bears wrong values from fewer than half of the parties (Yin et al., "Byzantine-Robust Distributed
    Learning: Towards Optimal Statistical Rates", 2018).

    Returns:
        What `plain_sum` returns, as if of one party with one example.
    """
    found, missing = contributions(engine, messages, shapes)
    means = _means(found)
    sums = {name: np.median(rows, axis=0) for name, rows in _stacked(means, shapes).items()}
    return _as_of_one(sums, found, missing)


def trimmed_mean(cut: int = 1) -> Summing:
    """A sum for `fedavg`: without the largest and smallest values of each weight (Yin et al., 2018).

    Args:
        cut: how many values are left out at either end; so many wrong parties are borne. With
            2 * cut parties or fewer, there is nothing left to take the mean of.

    Raises:
        ArgumentError: cut is less than 0.
    """
    if cut < 0:
        raise ArgumentError(f"cut is {cut}; it is at least 0")

    def trimmed(engine: Engine, messages: Mapping[str, Message], shapes: Shapes) -> Total:
        found, missing = contributions(engine, messages, shapes)
        if len(found) <= 2 * cut:
            few = f"answered, but {len(found)} answers are too few to leave out {cut} at either end"
            return Total({}, (), {**missing, **dict.fromkeys(found, few)})
        sums = {
            name: np.sort(rows, axis=0)[cut : len(rows) - cut].mean(axis=0)
            for name, rows in _stacked(_means(found), shapes).items()
        }
        return _as_of_one(sums, found, missing)

    return trimmed


def clipped_mean(length: float) -> Summing:
    """A sum for `fedavg`: the mean of the updates, the longer ones shortened to a length.

    No single party can move the weights by more than length / parties (Sun et al., "Can You Really
    Backdoor Federated Learning?", 2019).

    Args:
        length: the Euclidean length of an update, all weights together.

    Raises:
        ArgumentError: length is not above 0.
    """
    if not 0 < length < np.inf:
        raise ArgumentError(f"length is {length}; it is above 0")

    def clipped(engine: Engine, messages: Mapping[str, Message], shapes: Shapes) -> Total:
        found, missing = contributions(engine, messages, shapes)
        means = [cut_to(length, mean) for mean in _means(found)]
        sums = {name: rows.mean(axis=0) for name, rows in _stacked(means, shapes).items()}
        return _as_of_one(sums, found, missing)

    return clipped


def _means(found: Mapping[str, dict[str, Array]]) -> list[dict[str, Array]]:
    """Per party, everything per example; who has no examples has no say."""
    return [
        {name: array / contribution["examples"] for name, array in contribution.items()}
        for contribution in found.values()
        if contribution["examples"] > 0
    ]


def _stacked(means: list[dict[str, Array]], shapes: Shapes) -> dict[str, Array]:
    """Per name the parties' values on top of one another, (parties, ...); none without parties."""
    return {name: np.stack([m[name] for m in means]) for name in shapes} if means else {}


def cut_to(length: float, mean: dict[str, Array]) -> dict[str, Array]:
    """A contribution with its update, all weights together, no longer than a length."""
    updates = [name for name in mean if name.startswith("update.")]
    own = float(np.sqrt(sum(np.sum(np.square(mean[name], dtype=float)) for name in updates)))
    factor = min(1.0, length / own) if own else 1.0
    return {**mean, **{name: factor * mean[name] for name in updates}}


def _as_of_one(
    sums: dict[str, Array], found: Mapping[str, dict[str, Array]], missing: Missing
) -> Total:
    parties = tuple(name for name, c in found.items() if c["examples"] > 0)
    none = dict.fromkeys(set(found) - set(parties), "has no examples")
    return Total(sums, parties, {**missing, **none})
