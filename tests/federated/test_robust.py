"""Median, trimmed mean and clipping: what they bear, what they do not, and that they say so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid import nn
from pellucid.errors import ArgumentError, RoundError
from pellucid.federated import (
    Local,
    Message,
    Party,
    State,
    Summing,
    Trainer,
    clipped_mean,
    fedavg,
    median,
    plain_sum,
    robust,
    trimmed_mean,
)

SHAPES = {"examples": (), "loss": (), "update.w": (3,)}


def saying(update: Any, examples: float = 2.0) -> Party:
    """A party whose mean update is `update`."""

    def party(state: State, message: Message) -> tuple[Message, State]:
        reply = {
            "examples": np.array(examples),
            "loss": np.array(examples),
            "update.w": examples * np.array(update, float),
        }
        return {"sum": reply}, state

    return party


def mean_of(summing: Summing, parties: dict[str, Party]) -> Any:
    total = summing(Local(parties), {name: {} for name in parties}, SHAPES)
    return total.sums["update.w"] / total.sums["examples"]


HONEST = {
    "a": saying([1, 2, 3], 5.0), "b": saying([2, 3, 4]), "c": saying([3, 1, 5]),
    "d": saying([2, 2, 2], 0.5),
}  # fmt: skip
LIAR = {"e": saying([1e9, -1e9, 1e9], 1e6)}


def test_median_by_hand() -> None:
    assert mean_of(median, HONEST).tolist() == [2, 2, 3.5]
    assert mean_of(median, {**HONEST, **LIAR}).tolist() == [2, 2, 4]


def test_trimmed_mean_by_hand() -> None:
    assert mean_of(trimmed_mean(1), HONEST).tolist() == [2, 2, 3.5]
    assert mean_of(trimmed_mean(1), {**HONEST, **LIAR}) == pytest.approx([7 / 3, 5 / 3, 4])
    assert mean_of(trimmed_mean(0), HONEST) == pytest.approx([2, 2, 3.5])


def test_clipped_mean_by_hand() -> None:
    parties = {"a": saying([3, 0, 4]), "b": saying([0, 0.5, 0], 100.0)}
    assert mean_of(clipped_mean(1.0), parties) == pytest.approx([0.3, 0.25, 0.4])
    assert mean_of(clipped_mean(100.0), parties) == pytest.approx([1.5, 0.25, 2])


@pytest.mark.parametrize("summing", [median, trimmed_mean(1), clipped_mean(5.0)])
def test_one_liar_ruins_the_plain_mean_and_not_these(summing: Summing) -> None:
    honest = mean_of(summing, HONEST)
    assert np.abs(mean_of(summing, {**HONEST, **LIAR}) - honest).max() < 2
    assert np.abs(mean_of(plain_sum, {**HONEST, **LIAR}) - honest).max() > 1e8


def test_a_majority_of_liars_wins_against_the_median() -> None:
    liars = {str(i): saying([1e9, 1e9, 1e9]) for i in range(5)}
    assert mean_of(median, {**HONEST, **liars}).min() == 1e9


def test_who_has_no_examples_has_no_say() -> None:
    nobody = saying([0, 0, 0], 0.0)
    engine = Local({**HONEST, "e": nobody})
    total = median(engine, {name: {} for name in engine.parties}, SHAPES)
    assert total.parties == tuple("abcd")
    assert total.missing == {"e": "has no examples"}


@pytest.mark.parametrize("summing", [median, trimmed_mean(1), clipped_mean(5.0)])
def test_a_poisoned_party_while_training(
    line: nn.Linear, trainers: dict[str, Trainer], summing: Summing
) -> None:
    def poisoned(state: State, message: Message) -> tuple[Message, State]:
        reply, state = trainers["ben"](state, message)
        return {"sum": {n: -1e6 * a if "." in n else a for n, a in reply["sum"].items()}}, state

    history = fedavg(line, Local({**trainers, "ben": poisoned}), rounds=5, lr=0.05, summing=summing)
    assert np.isfinite(line.weight.data).all()
    assert np.abs(line.weight.data).max() < 50
    assert history[-1]["parties"] == ["anna", "ben", "cleo"]  # nobody is found out


@pytest.mark.parametrize("summing", [median, trimmed_mean(1), clipped_mean(5.0)])
def test_without_enough_answers_there_is_no_mean(line: nn.Linear, summing: Summing) -> None:
    engine = Local({"a": lambda state, message: (None, state)})
    with pytest.raises(RoundError, match="of 1 parties asked, 0 are in the sum"):
        fedavg(line, engine, rounds=1, lr=0.1, summing=summing)


def test_too_few_to_trim(line: nn.Linear, trainers: dict[str, Trainer]) -> None:
    with pytest.raises(RoundError, match="3 answers are too few to leave out 2 at either end"):
        fedavg(line, Local(trainers), rounds=1, lr=0.1, summing=trimmed_mean(2))


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(ArgumentError, match="cut is -1"):
        trimmed_mean(-1)
    for length in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ArgumentError, match="length is"):
            clipped_mean(length)


def test_the_honest_statement_is_made() -> None:
    assert "masked\n  or encrypted sum cannot be inspected" in (robust.__doc__ or "")
