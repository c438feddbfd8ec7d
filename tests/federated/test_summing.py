"""The sum: equal to the plain one to 1e-9, and contributions that are not accepted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid import nn
from pellucid.errors import MessageError, RoundError, ShapeError
from pellucid.federated import Local, Message, Party, State, Trainer, fedavg, plain_sum
from pellucid.federated.errors import NotFiniteError, OutOfRangeError
from pellucid.federated.summing import checked

SHAPES = {"examples": (), "loss": (), "update.w": (2, 3)}


def contribution(**changed: Any) -> Message:
    whole = {
        "examples": np.array(4.0),
        "loss": np.array(2.0),
        "update.w": np.arange(6.0).reshape(2, 3),
    }
    return {"sum": {name: a for name, a in {**whole, **changed}.items() if a is not None}}


def saying(reply: Message) -> Party:
    def party(state: State, message: Message) -> tuple[Message, State]:
        return reply, state

    return party


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_the_sum_is_the_sum(seeds: list[int]) -> None:
    updates = [np.random.RandomState(s).randn(2, 3) * 10.0 ** (s % 7 - 3) for s in seeds]
    parties = {
        str(i): saying(contribution(**{"update.w": u, "examples": np.array(float(s))}))
        for i, (u, s) in enumerate(zip(updates, seeds, strict=True))
    }
    total = plain_sum(Local(parties), {name: {} for name in parties}, SHAPES)
    np.testing.assert_allclose(total.sums["update.w"], sum(updates), rtol=0, atol=1e-9)
    assert total.sums["examples"] == sum(seeds)
    assert total.parties == tuple(parties)


def test_small_numbers_are_added_up_in_long_ones() -> None:
    update = np.full((2, 3), 0.1, np.float32)
    parties = {str(i): saying(contribution(**{"update.w": update})) for i in range(1000)}
    total = plain_sum(Local(parties), {name: {} for name in parties}, SHAPES)
    np.testing.assert_allclose(total.sums["update.w"], 1000 * np.float64(update), rtol=1e-12)


REFUSED: list[tuple[Message, type[Exception], str]] = [
    ({}, MessageError, "missing: examples, loss, update.w; surplus: nothing"),
    ({"sum": 3}, MessageError, "surplus: sum"),
    (contribution(loss=None), MessageError, "missing: loss; surplus: nothing"),
    (contribution(mail=np.ones(3)), MessageError, "missing: nothing; surplus: mail"),
    (contribution(loss=[1.0]), MessageError, "loss is list, and a contribution holds arrays"),
    (contribution(examples=np.array(3)), MessageError, "examples is int64"),
    (
        contribution(**{"update.w": np.zeros((3, 2))}),
        ShapeError,
        r"update.w is \(3, 2\), and \(2, 3\) was asked for",
    ),
    (contribution(**{"update.w": np.full((2, 3), np.nan)}), NotFiniteError, "update.w has nan"),
    (contribution(loss=np.array(-np.inf)), NotFiniteError, "loss has -inf in it"),
    (contribution(examples=np.array(-1.0)), OutOfRangeError, "claims -1 examples"),
]


@pytest.mark.parametrize(("reply", "error", "words"), REFUSED)
def test_each_bad_contribution_has_its_own_error(
    reply: Message, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        checked(reply, SHAPES)


@pytest.mark.parametrize("reply", [reply for reply, _, _ in REFUSED])
def test_one_bad_contribution_does_not_spoil_the_others(reply: Message) -> None:
    engine = Local({"good": saying(contribution()), "bad": saying(reply)})
    total = plain_sum(engine, {"good": {}, "bad": {}}, SHAPES)
    assert total.parties == ("good",)
    assert total.missing["bad"].startswith("not accepted: ")
    assert total.sums["examples"] == 4


def test_the_reason_reaches_the_reader(line: nn.Linear, trainers: dict[str, Trainer]) -> None:
    def spoiled(state: State, message: Message) -> tuple[Message, State]:
        reply, state = trainers["anna"](state, message)
        reply["sum"]["update.bias"][1] = np.nan
        return reply, state

    with pytest.raises(RoundError, match=r"anna: not accepted: update\.bias has nan in it"):
        fedavg(line, Local({"anna": spoiled}), rounds=1, lr=0.1)
