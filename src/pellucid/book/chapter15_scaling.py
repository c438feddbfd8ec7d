"""Chapter 15, after the book: what each protection costs with more parties, and with more weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import MissingExtraError
from pellucid.federated import Party, Shapes
from pellucid.federated.engine import State
from pellucid.federated.messages import Message

from .chapter15_models import (
    OPEN,
    Protected,
    Setting,
    by_ckks,
    by_masks,
    by_noise,
    by_paillier,
    not_at_all,
)
from .experiment import Result, experiment
from .result import Array

PARTIES = (3, 10, 100, 1000)
WEIGHTS = (1_000, 10_000, 100_000, 1_000_000)
FEW_WEIGHTS, FEW_PARTIES = WEIGHTS[0], PARTIES[0]  # of what is not being multiplied
WAYS: Mapping[str, Callable[[Setting], Protected]] = {
    OPEN: not_at_all,
    "secure aggregation": by_masks,
    "Paillier": by_paillier,
    "CKKS": by_ckks,
    "noise": by_noise(lambda rounds: 1.0),
}


@dataclass(frozen=True)
class Cost:
    """One round without any learning: everything that a protection adds to it.

    Args:
        seconds: of all parties, one after the other, and the coordinator.
        received: bytes from each party.
        sent: bytes to each party.
    """

    seconds: float
    received: float
    sent: float


@experiment("15+4", long=True)
def scaling(
    result: Result,
    *,
    most: int = 1000,
    weights: int = 1_000_000,
    bits: int = 2048,
    patience: int = 90,
) -> None:
    """What a round costs under each protection, for ever more parties and ever more weights.

    Args:
        most: no more parties than this.
        weights: no more weights than this.
        bits: how long a key of Paillier is; below 2048 it is good for a lesson only.
        patience: seconds; what would take longer by the last measurement is left out.
    """
    counts = [n for n in PARTIES if n <= most]
    sizes = [n for n in WEIGHTS if n <= weights]
    ticks = iter(result.track(range(len(WAYS) * (len(counts) + len(sizes)))))
    by_parties, by_weights = dict[str, list[Cost]](), dict[str, list[Cost]]()
    for name, protect in WAYS.items():

        def measure(parties: int, size: int, protect: Any = protect) -> Cost:
            return cost_of(protect, parties, size, bits)

        try:
            measure(2, 2)  # what is imported and set up once does not count
            # each pair of parties exchanges keys; all else grows as the number of contributions
            steep = 2 if name == "secure aggregation" else 1
            by_parties[name] = ever_more(
                result,
                name,
                "parties",
                counts,
                lambda n: measure(n, FEW_WEIGHTS),
                patience,
                steep,
                ticks,
            )
            by_weights[name] = ever_more(
                result,
                name,
                "weights",
                sizes,
                lambda n: measure(FEW_PARTIES, n),
                patience,
                1,
                ticks,
            )
        except MissingExtraError as missing:
            result.say("without", protection=name, extra=missing.extra)
    show(result, "parties", counts, by_parties)
    show(result, "weights", sizes, by_weights)


def ever_more(
    result: Result,
    name: str,
    what: str,
    counts: Sequence[int],
    measure: Callable[[int], Cost],
    patience: float,
    steep: int,
    ticks: Any,
) -> list[Cost]:
    """The cost of ever more, as far as patience goes; what is left out is said."""
    costs: list[Cost] = []
    for n in counts:
        if costs:
            about = costs[-1].seconds * (n / counts[len(costs) - 1]) ** steep
            if about > patience:
                result.say(
                    "left out", protection=name, what=what, count=f"{n:,}", seconds=f"{about:,.0f}"
                )
                break
        costs.append(measure(n))
        next(ticks, None)
    return costs


def cost_of(protect: Callable[[Setting], Protected], parties: int, weights: int, bits: int) -> Cost:
    """One round in which every party has its contribution ready."""
    dice = np.random.Generator(np.random.SFC64(1))
    update = dice.normal(size=weights).astype(np.float32)
    names = [f"party {i:04}" for i in range(parties)]
    setting = Setting(dict.fromkeys(names, ready(update)), 1, bits, clip=1.0, limit=2.0**10)
    protected = protect(setting)
    engine, shapes = protected.engine, {"examples": (), "loss": (), "update.w": (weights,)}
    question = {"do": "train", "weights": {"w": update}}
    start = time.perf_counter()
    total = protected.summing(engine, dict.fromkeys(names, question), shapes)
    seconds = time.perf_counter() - start
    check(total.sums, update, shapes, parties, exact=protected.epsilon is None)
    return Cost(seconds, engine.received / parties, engine.sent / parties)


def ready(update: Array) -> Party:
    """A party that has found something already."""
    found = {"examples": np.array(1.0), "loss": np.array(0.5), "update.w": update}

    def party(state: State, message: Message) -> tuple[Message, State]:
        return {"sum": found}, state

    return party


def check(
    sums: Mapping[str, Array], update: Array, shapes: Shapes, parties: int, exact: bool
) -> None:
    """A time counts only if the sum is right.

    Raises:
        ArithmeticError: it is not.
    """
    if {name: np.shape(a) for name, a in sums.items()} != dict(shapes):
        raise ArithmeticError("the sum has other shapes than were asked for")
    off = float(np.abs(sums["update.w"] - parties * update).max())
    if exact and off > 1e-2 * parties:
        raise ArithmeticError(f"the sum is off by {off:g}")


def show(
    result: Result, what: str, counts: Sequence[int], costs: Mapping[str, Sequence[Cost]]
) -> None:
    """A table and a plot for seconds, and the same for what travels."""
    seconds = {name: [c.seconds for c in some] for name, some in costs.items()}
    travels = {name: [c.received / 1e3 for c in some] for name, some in costs.items()}
    for title, unit, curves in (
        ("seconds of a round", "seconds", seconds),
        ("kB from each party", "kB", travels),
    ):
        heading = f"{title}, for ever more {what}"
        rows = [
            (n, *(float(f"{c[i]:.3g}") if i < len(c) else None for c in curves.values()))
            for i, n in enumerate(counts)
        ]
        result.table(heading, (what, *curves), rows)
        result.plot(
            heading,
            {name: (np.log10(counts[: len(c)]), c) for name, c in curves.items()},
            x=f"log10({what})",
            y=unit,
            log=True,
            points=True,
        )
