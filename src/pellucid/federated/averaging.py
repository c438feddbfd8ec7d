"""FedAvg: send the weights out, let each party learn for a while, take the mean, and again.

With mu above 0 it is FedProx; with another way to add up, it is secure aggregation, or a robust mean.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import AnomalyError, ArgumentError, RoundError
from ..nn.module import Module
from .engine import Engine, Missing
from .journal import Journal
from .summing import Summing, Total, plain_sum
from .trainer import shapes_of

Array = Any
Row = dict[str, Any]


def fedavg(
    model: Module,
    engine: Engine,
    *,
    rounds: int,
    lr: float,
    passes: int = 1,
    batch_size: int = 32,
    shuffle: bool = True,
    mu: float = 0.0,
    summing: Summing = plain_sum,
    per_round: int | None = None,
    at_least: int = 1,
    seed: int = 0,
    journal: str | os.PathLike[str] | None = None,
    on_round: Callable[[Row], None] | None = None,
) -> list[Row]:
    """Train a model on the data of parties that keep them.

    Each round, the parties get the weights, train them on their data, and the model moves by the
    mean of their updates, weighted by their numbers of examples.

    Args:
        model: the coordinator's; it has the new weights after each round.
        engine: who carries the messages; its parties are `Trainer`s, or wrapped ones.
        rounds: how many.
        lr, passes, batch_size, shuffle: how each party trains.
        mu: how much it is held back (FedProx); 0 for FedAvg.
        summing: how contributions are added up: `plain_sum`, a robust mean, or one that sees none.
        per_round: ask only so many, drawn anew in each round.
        at_least: with fewer answers than this, a round is not finished.
        seed: decides whom to ask, and how the parties shuffle.
        journal: a file; if it has finished rounds of this training in it, they are not made again.
        on_round: called with the figures of each round; what it adds is kept with them.

    Returns:
        Per round: round, parties, missing (and why), examples, loss (the mean over the batches, in
        proportion to examples), sent and received (bytes), seconds.

    Raises:
        ArgumentError: a setting outside what makes sense.
        RoundError: fewer than at_least parties answered; the model is as after the round before.
        CheckpointError: the journal belongs to another training.

    >>> import pellucid
    >>> from pellucid import nn
    >>> from pellucid.data import ArrayDataset
    >>> from pellucid.federated import Local, Trainer, fedavg
    >>> _ = pellucid.manual_seed(0)
    >>> x = np.arange(8.0)[:, None]
    >>> model = nn.Linear(1, 1).double()
    >>> halves = [ArrayDataset(x[i::2], 3 * x[i::2]) for i in (0, 1)]
    >>> anna, ben = (Trainer(model, data, nn.MSELoss()) for data in halves)
    >>> history = fedavg(model, Local({"anna": anna, "ben": ben}), rounds=50, lr=0.03)
    >>> abs(model.weight.item() - 3) < 0.1, history[-1]["examples"]
    (True, 8.0)
    """
    how = {"lr": lr, "passes": passes, "batch_size": batch_size, "shuffle": shuffle, "mu": mu}
    check_settings(engine, rounds, at_least, per_round, how)
    shapes, weights = shapes_of(model), copied(model)
    drawn = {"seed": seed, "per_round": per_round, "at_least": at_least}
    kept = {"shapes": {name: list(shape) for name, shape in shapes.items()}, **how, **drawn}
    book = None if journal is None else Journal(journal, kept)
    history: list[Row] = []
    if book is not None and (entry := book.read()) is not None:
        weights, history = {n: a.copy() for n, a in entry["weights"].items()}, entry["history"]
        model.load_state_dict(weights)
    for number in range(len(history) + 1, rounds + 1):
        start, sent, received = time.perf_counter(), engine.sent, engine.received
        message = {"do": "train", "round": number, "weights": weights, "seed": seed, **how}
        asked = sample(engine.parties, per_round, seed, number)
        try:
            total = summing(engine, dict.fromkeys(asked, message), shapes)
            weights = moved(weights, total, number, at_least)
        finally:
            model.load_state_dict(weights)  # parties in this process may have worked with it
        examples = float(total.sums["examples"])
        row: Row = {
            "round": number,
            "parties": list(total.parties),
            "missing": dict(total.missing),
            "examples": examples,
            "loss": float(total.sums["loss"]) / examples,
            "sent": engine.sent - sent,
            "received": engine.received - received,
            "seconds": time.perf_counter() - start,
        }
        if on_round is not None:
            on_round(row)
        history.append(row)
        if book is not None:
            book.write({"round": number, "weights": weights, "history": history})
    return history


def sample(parties: Sequence[str], count: int | None, seed: int, round: int) -> list[str]:
    """Who is asked in a round: everybody, or some, drawn from seed and number of the round.

    >>> sample(["anna", "ben", "cleo"], 2, seed=0, round=1) == sample(
    ...     ["anna", "ben", "cleo"], 2, seed=0, round=1)
    True
    """
    if count is None or count >= len(parties):
        return list(parties)
    dice = np.random.Generator(np.random.SFC64([seed, round]))
    return [parties[i] for i in sorted(dice.choice(len(parties), count, replace=False))]


def moved(weights: dict[str, Array], total: Total, number: int, at_least: int) -> dict[str, Array]:
    """The weights after a round: the old ones, and the mean of the updates.

    Raises:
        RoundError: there are too few parties in it, or they have no examples.
        AnomalyError: the mean is NaN or infinite.
    """
    if len(total.parties) < at_least:
        raise RoundError(
            f"round {number}: of {len(total.parties) + len(total.missing)} parties asked, "
            f"{len(total.parties)} are in the sum, and at least {at_least} have to be"
            + why(total.missing)
        )
    examples = float(total.sums["examples"])
    if not examples > 0:
        raise RoundError(f"round {number}: the parties have {examples:g} examples together")
    new = dict(weights)
    for name, array in weights.items():
        update = total.sums.get(f"update.{name}")
        if update is not None:
            new[name] = (array + update / examples).astype(array.dtype)
            if not np.isfinite(new[name]).all():
                raise AnomalyError(f"round {number}: {name} has become NaN or infinite")
    return new


def why(missing: Missing, most: int = 10) -> str:
    """Who is missing and why, a line each."""
    lines = [f"\n  {name}: {reason}" for name, reason in list(missing.items())[:most]]
    more = len(missing) - most
    return "".join(lines) + (f"\n  and {more} more" if more > 0 else "")


def copied(model: Module) -> dict[str, Array]:
    """The weights of a model, and its buffers, as arrays of their own."""
    return {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}


def check_settings(
    engine: Engine, rounds: int, at_least: int, per_round: int | None, how: dict[str, Any]
) -> None:
    """Refuse settings outside what makes sense.

    Raises:
        ArgumentError: naming the setting.
    """
    counts = {"rounds": rounds, "passes": how["passes"], "batch_size": how["batch_size"]}
    for name, value in {**counts, "at_least": at_least}.items():
        if value < 1:
            raise ArgumentError(f"fedavg: {name} is at least 1, not {value}")
    for name in ("lr", "mu"):
        if not 0 <= how[name] < np.inf:
            raise ArgumentError(f"fedavg: {name} is 0 or more, not {how[name]}")
    asked = len(engine.parties) if per_round is None else min(per_round, len(engine.parties))
    if asked < at_least:
        raise ArgumentError(
            f"fedavg: {asked} parties are asked in a round, and at_least {at_least} have to answer"
        )
