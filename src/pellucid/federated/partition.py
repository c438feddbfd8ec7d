"""Who holds which data: ways to divide a dataset among parties, to try things out.

Each gives a list with the positions that belong to each party, every position at most once; hand
them to `pellucid.data.Subset(dataset, positions)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError

Array = Any


def iid(count: int, parties: int, seed: int = 0) -> list[Array]:
    """Equal parts at random: every party sees the same kind of data.

    Args:
        count: how many examples there are.
        parties: how many parties.
        seed: the same seed divides in the same way.

    Raises:
        ArgumentError: there are fewer examples than parties.

    >>> [len(part) for part in iid(10, 3)]
    [4, 3, 3]
    """
    _check(count, parties)
    return [np.sort(part) for part in np.array_split(_dice(seed).permutation(count), parties)]


def by_size(count: int, sizes: Sequence[int | None], seed: int | None = None) -> list[Array]:
    """Parts of given sizes; None stands for the rest.

    Args:
        count: how many examples there are.
        sizes: how many each party has.
        seed: divide at random; without it, in the order of the data.

    Raises:
        ArgumentError: there are not so many examples, or more than one party is to have the rest.

    >>> [part.tolist() for part in by_size(7, [2, 1, None])]
    [[0, 1], [2], [3, 4, 5, 6]]
    """
    left = count - sum(size for size in sizes if size is not None)
    rests = sum(size is None for size in sizes)
    if left < 0 or rests > 1 or any(size is not None and size < 0 for size in sizes):
        raise ArgumentError(
            f"sizes {list(sizes)} cannot be had from {count:,} examples: sizes are 0 or more, one "
            "party at most has the rest (None), and together they have no more than there are"
        )
    _check(count, len(sizes))
    order = np.arange(count) if seed is None else _dice(seed).permutation(count)
    ends = np.cumsum([left if size is None else size for size in sizes])
    return list(np.split(order[: ends[-1]], ends[:-1]))


def by_label(labels: Any, parties: int, each: int = 2, seed: int = 0) -> list[Array]:
    """Few labels per party: sorted by label and cut into shards, of which each party gets some.

    The division of McMahan et al., "Communication-Efficient Learning of Deep Networks from
    Decentralized Data", 2017.

    Args:
        labels: (count,), the class of each example.
        parties: how many parties.
        each: how many shards a party gets; it then sees about so many classes.
        seed: the same seed divides in the same way.

    Raises:
        ArgumentError: there are fewer examples than shards.
    """
    classes = _labels(labels)
    if each < 1:
        raise ArgumentError(f"each is {each}; a party gets at least one shard")
    _check(len(classes), parties * each)
    dice = _dice(seed)
    mixed = dice.permutation(len(classes))  # so that a class is not cut along the order of the data
    shards = np.array_split(mixed[np.argsort(classes[mixed], kind="stable")], parties * each)
    dealt = dice.permutation(parties * each).reshape(parties, each)
    return [np.sort(np.concatenate([shards[i] for i in hand])) for hand in dealt]


def dirichlet(labels: Any, parties: int, alpha: float = 0.5, seed: int = 0) -> list[Array]:
    """Uneven mixtures: how each class is shared out is drawn from a Dirichlet distribution.

    The division of Hsu, Qi and Brown, "Measuring the Effects of Non-Identical Data Distribution for
    Federated Visual Classification", 2019. Small parties can come out empty-handed.

    Args:
        labels: (count,), the class of each example.
        parties: how many parties.
        alpha: large, and all have nearly the same mixture; near 0, and each class is with one party.
        seed: the same seed divides in the same way.

    Raises:
        ArgumentError: alpha is not above 0, or there are fewer examples than parties.
    """
    classes = _labels(labels)
    if not 0 < alpha < np.inf:
        raise ArgumentError(f"alpha is {alpha}; it is above 0")
    _check(len(classes), parties)
    dice = _dice(seed)
    parts: list[list[Array]] = [[] for _ in range(parties)]
    for label in np.unique(classes):
        places = dice.permutation(np.flatnonzero(classes == label))
        ends = np.cumsum(dice.dirichlet(np.full(parties, alpha)))[:-1] * len(places)
        for part, some in zip(parts, np.split(places, ends.round().astype(int)), strict=True):
            part.append(some)
    return [np.sort(np.concatenate(part)) for part in parts]


def _check(count: int, parties: int) -> None:
    if not 1 <= parties <= count:
        raise ArgumentError(
            f"{count:,} examples cannot be divided into {parties} parts: there is at least one "
            "part, and at least one example for each"
        )


def _labels(labels: Any) -> Array:
    classes = np.asarray(labels)
    if classes.ndim != 1:
        raise ArgumentError(f"labels have one axis, (count,), and these have {classes.shape}")
    return classes


def _dice(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(seed))
