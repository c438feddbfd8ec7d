"""Whoever misses the deadline is left out of that round, under every way to add up, and may come back."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pellucid import nn
from pellucid.errors import RoundError
from pellucid.federated import (
    EncryptedSum,
    Encrypting,
    FixedPoint,
    Identity,
    KeyHolder,
    Local,
    Masked,
    Message,
    Party,
    SecureSum,
    State,
    Trainer,
    engine,
    fedavg,
    paillier,
)

DEADLINE = 5.0
SHAPES = {"x": (2,)}
VALUES = {"anna": 1.0, "ben": 2.0, "cleo": 4.0, "dora": 8.0}


class Clock:
    """Time that passes when a party takes its time: the engine reads it in place of the real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(engine, "time", SimpleNamespace(perf_counter=lambda: self.now))

    def slow(self, party: Party, when: Any, seconds: float = DEADLINE + 1) -> Party:
        """A party that takes so long for some of its answers."""

        def answer(state: State, message: Message) -> tuple[Message | None, State]:
            reply = party(state, message)
            self.now += seconds if when(message) else 0.0
            return reply

        return answer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def finds(value: float) -> Party:
    found = {"x": np.full(2, value)}
    return lambda state, message: ({"sum": found}, state)


def late(missing: Mapping[str, str]) -> set[str]:
    return {name for name, why in missing.items() if why == "took longer than 5 s"}


def test_a_straggler_is_cut_off_and_in_again(
    clock: Clock, line: nn.Linear, trainers: dict[str, Trainer]
) -> None:
    parties = {**trainers, "ben": clock.slow(trainers["ben"], lambda m: m["round"] == 2)}
    history = fedavg(line, Local(parties, deadline=DEADLINE), rounds=3, lr=0.1)
    assert [row["parties"] for row in history] == [
        ["anna", "ben", "cleo"],
        ["anna", "cleo"],
        ["anna", "ben", "cleo"],
    ]
    assert history[1]["missing"] == {"ben": "took longer than 5 s"}
    assert history[1]["received"] < history[0]["received"]


def test_in_time_to_the_second_counts(
    clock: Clock, line: nn.Linear, trainers: dict[str, Trainer]
) -> None:
    parties = {**trainers, "ben": clock.slow(trainers["ben"], lambda m: True, DEADLINE)}
    (row,) = fedavg(line, Local(parties, deadline=DEADLINE), rounds=1, lr=0.1)
    assert "ben" in row["parties"]


def test_too_many_stragglers_end_the_round(
    clock: Clock, line: nn.Linear, trainers: dict[str, Trainer]
) -> None:
    slow = {name: clock.slow(party, lambda m: True) for name, party in trainers.items()}
    parties = {**slow, "anna": trainers["anna"]}
    before = line.weight.data.copy()
    with pytest.raises(RoundError, match=r"1 are in the sum(.|\n)*cleo: took longer than 5 s"):
        fedavg(line, Local(parties, deadline=DEADLINE), rounds=1, lr=0.1, at_least=2)
    assert np.array_equal(line.weight.data, before)


@pytest.mark.parametrize("step", ["keys", "share", "mask", "agree", "unmask"])
def test_a_straggler_at_every_step_of_a_secret_sum(clock: Clock, step: str) -> None:
    identities = {name: Identity() for name in VALUES}
    registry = {name: identity.public for name, identity in identities.items()}
    parties: dict[str, Party] = {
        name: Masked(finds(value), name, identities[name], registry)
        for name, value in VALUES.items()
    }
    parties["ben"] = clock.slow(parties["ben"], lambda m: m.get("step") == step)
    asks: dict[str, Message] = {name: {"do": "train"} for name in VALUES}
    adding = SecureSum(registry, threshold=3)
    for _ in range(2):  # and the next round is none the worse
        total = adding(Local(parties, deadline=DEADLINE), asks, SHAPES)
        inside = step in ("agree", "unmask")  # its numbers came in time, and count
        assert ("ben" in total.parties) == inside
        assert late(total.missing) == (set() if inside else {"ben"})
        assert total.sums["x"] == pytest.approx(np.full(2, 15.0 if inside else 13.0), abs=1e-9)


def test_a_straggler_with_a_locked_contribution(clock: Clock) -> None:
    keys = paillier.keygen(256, lesson=True)
    encoding = FixedPoint(limit=100, terms=8, width=40)
    parties: dict[str, Party] = {
        name: Encrypting(finds(value), keys.public, encoding) for name, value in VALUES.items()
    }
    parties["dora"] = clock.slow(parties["dora"], lambda m: True)
    asks: dict[str, Message] = {name: {"do": "train"} for name in VALUES}
    adding = EncryptedSum(
        keys.public, encoding, Local({"holder": KeyHolder(keys, encoding, at_least=3)})
    )
    total = adding(Local(parties, deadline=DEADLINE), asks, SHAPES)
    assert total.parties == ("anna", "ben", "cleo")
    assert late(total.missing) == {"dora"}
    assert (total.sums["x"] == 7).all()

    slow = clock.slow(KeyHolder(keys, encoding, at_least=3), lambda m: True)
    adding = EncryptedSum(keys.public, encoding, Local({"holder": slow}, deadline=DEADLINE))
    with pytest.raises(RoundError, match="holder does not open it: took longer than 5 s"):
        adding(Local(parties, deadline=DEADLINE), asks, SHAPES)
