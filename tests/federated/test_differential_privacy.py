"""Cutting, noise, and a budget that stops."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid import nn
from pellucid.data import ArrayDataset
from pellucid.errors import ArgumentError, MissingExtraError
from pellucid.federated import Local, Party, Trainer, fedavg, plain_sum
from pellucid.federated.differential_privacy import (
    Budget,
    Private,
    epsilon_of,
    gaussian,
    noise_for,
    noisy,
)
from pellucid.federated.errors import BudgetError
from pellucid.federated.secure_aggregation import Identity, Masked, SecureSum

pytest.importorskip("dp_accounting")

SHAPES = {"examples": (), "loss": (), "update.a": (3,), "update.b": (2, 2)}


def finds(a: Any, b: Any, examples: float = 4.0) -> Party:
    contribution = {
        "examples": np.array(examples),
        "loss": np.array(7.0),
        "update.a": examples * np.asarray(a, float),
        "update.b": examples * np.asarray(b, float),
    }
    return lambda state, message: ({"sum": contribution}, state)


def length(contribution: dict[str, Any]) -> float:
    return math.sqrt(sum((contribution[n] ** 2).sum() for n in ("update.a", "update.b")))


# ------------------------------------------------------------------------------------------- noise


def test_noise_is_normally_distributed() -> None:
    drawn = np.sort(gaussian((100_001,), 2.0)) / 2.0
    normal = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in drawn[::100]])
    steps = np.arange(len(drawn))[::100] / len(drawn)
    assert np.abs(normal - steps).max() < 0.012  # Kolmogorov and Smirnov: p < 1e-12
    assert abs(drawn.mean()) < 0.025
    assert gaussian((2, 3), 1.0).shape == (2, 3)
    assert gaussian((), 1.0).shape == ()
    assert gaussian((0,), 1.0).shape == (0,)
    assert not gaussian((5,), 0.0).any()


# ----------------------------------------------------------------------------------------- clipping


@given(
    st.lists(st.floats(-100, 100), min_size=7, max_size=7),
    st.floats(0.01, 50),
    st.integers(1, 1000),
)
def test_no_party_moves_the_sum_by_more_than_the_clip(
    numbers: list[float], clip: float, examples: int
) -> None:
    a, b = np.array(numbers[:3]), np.array(numbers[3:]).reshape(2, 2)
    reply, _ = Private(finds(a, b, float(examples)), clip)({}, {})
    assert reply is not None
    found, own = reply["sum"], math.sqrt((a**2).sum() + (b**2).sum())
    assert length(found) <= clip * (1 + 1e-9)
    factor = min(1.0, clip / own) if own else 1.0
    assert np.allclose(found["update.a"], factor * a, rtol=1e-9, atol=1e-12)
    assert np.allclose(found["update.b"], factor * b, rtol=1e-9, atol=1e-12)


def test_how_many_examples_a_party_has_is_not_told() -> None:
    reply, _ = Private(finds([1, 2, 3], np.eye(2), examples=1234), clip=1.0)({}, {})
    assert reply is not None
    assert float(reply["sum"]["examples"]) == 1
    assert float(reply["sum"]["loss"]) == 0


def test_a_party_without_examples_contributes_nothing() -> None:
    reply, _ = Private(finds([0, 0, 0], np.zeros((2, 2)), examples=0), clip=1.0)({}, {})
    assert reply is not None
    assert length(reply["sum"]) == 0


def test_without_noise_numbers_stay_as_short_as_they_were() -> None:
    """What travels is not twice as large for nothing."""
    found = {"examples": np.array(2.0), "update.a": np.ones(3, np.float32)}
    for noise, kind in ((0.0, np.float32), (1.0, np.float64)):
        private = Private(
            lambda state, message: ({"sum": found}, state), 9.0, noise_multiplier=noise
        )
        reply, _ = private({}, {})
        assert reply is not None
        assert reply["sum"]["update.a"].dtype == kind


def test_what_is_no_contribution_passes_unchanged() -> None:
    private = Private(lambda state, message: ({"hello": 1}, state), 1.0)
    assert private({"s": 1}, {}) == ({"hello": 1}, {"s": 1})
    odd = Private(lambda state, message: ({"sum": {"other": np.zeros(1)}}, state), 1.0)
    with pytest.raises(ArgumentError, match="other can neither be cut nor left out"):
        odd({}, {})


# --------------------------------------------------------------------------- local, together, central


def spread_of_sum(parties: dict[str, Party], summing: Any) -> float:
    """The standard deviation of the sum, over many numbers in it."""
    shapes = {"examples": (), "loss": (), "update.a": (4000,), "update.b": ()}
    total = summing(Local(parties), {name: {} for name in parties}, shapes)
    return float(total.sums["update.a"].std())


def test_noise_has_the_size_it_should_have() -> None:
    clip, z, quiet = 0.5, 3.0, finds(np.zeros(4000), 0.0)
    local = {f"p{i}": Private(quiet, clip, noise_multiplier=z) for i in range(4)}
    assert abs(spread_of_sum(local, plain_sum) / (z * clip * 2) - 1) < 0.08  # four noises: sqrt(4)
    together = {f"p{i}": Private(quiet, clip, noise_multiplier=z, among=4) for i in range(4)}
    assert abs(spread_of_sum(together, plain_sum) / (z * clip) - 1) < 0.08
    cut = {f"p{i}": Private(quiet, clip) for i in range(4)}
    assert spread_of_sum(cut, plain_sum) == 0
    central = noisy(plain_sum, clip, z, Budget(100, 1e-5, z))
    assert abs(spread_of_sum(cut, central) / (z * clip) - 1) < 0.08


def test_noise_inside_a_secret_sum() -> None:
    names = ("anna", "ben", "cleo")
    identities = {name: Identity() for name in names}
    registry = {name: identity.public for name, identity in identities.items()}
    quiet = finds(np.zeros(4000), 0.0)
    parties = {
        name: Masked(
            Private(quiet, 0.5, noise_multiplier=2.0, among=3), name, identities[name], registry
        )
        for name in names
    }
    assert abs(spread_of_sum(parties, SecureSum(registry)) / (2.0 * 0.5) - 1) < 0.08


def test_training_stops_at_the_budget_and_keeps_the_model() -> None:
    x = np.arange(8.0)[:, None] / 8
    model = nn.Linear(1, 1).double()
    parties: dict[str, Party] = {
        f"p{i}": Private(Trainer(model, ArrayDataset(x[i::4], x[i::4]), nn.MSELoss()), clip=0.1)
        for i in range(4)
    }
    budget = Budget(epsilon=5.0, delta=1e-5, noise_multiplier=2.0)
    allowed = budget.rounds_left
    history: list[Any] = []
    with pytest.raises(BudgetError, match=rf"{allowed} rounds have cost epsilon .* of 5 "):
        fedavg(
            model,
            Local(parties),
            rounds=50,
            lr=0.1,
            summing=noisy(plain_sum, 0.1, 2.0, budget),
            on_round=history.append,
        )
    assert 0 < allowed == len(history) == budget.rounds
    assert np.isfinite(model.weight.item())


# ------------------------------------------------------------------------------------------- budget


def test_one_round_costs_what_theory_says() -> None:
    """The exact epsilon of one Gaussian (Balle and Wang 2018); Rényi's bound is a little above it."""

    def delta_of(epsilon: float, z: float) -> float:
        def phi(x: float) -> float:
            return 0.5 * math.erfc(-x / math.sqrt(2))

        return phi(0.5 / z - epsilon * z) - math.exp(epsilon) * phi(-0.5 / z - epsilon * z)

    for z in (0.8, 1.0, 2.0, 5.0):
        epsilon = epsilon_of(1, z, 1e-5)
        assert delta_of(epsilon, z) <= 1e-5  # it promises no more than is true
        assert delta_of(0.8 * epsilon, z) > 1e-5  # and not much less


def test_budgets_grow_with_rounds_and_shrink_with_noise() -> None:
    costs = [epsilon_of(r, 2.0, 1e-5) for r in (0, 1, 2, 5, 20)]
    assert costs == sorted(costs)
    assert costs[0] == 0
    assert epsilon_of(5, 4.0, 1e-5) < costs[3] < epsilon_of(5, 1.0, 1e-5)
    assert epsilon_of(100, 1.0, 1e-5, sampling=0.01) < 0.1 * epsilon_of(100, 1.0, 1e-5)


@pytest.mark.parametrize("sampling", [1.0, 0.1])
def test_a_budget_allows_so_many_rounds_and_not_one_more(sampling: float) -> None:
    budget = Budget(3.0, 1e-5, 2.0, sampling=sampling)
    allowed = budget.rounds_left
    assert epsilon_of(allowed, 2.0, 1e-5, sampling) <= 3.0
    assert epsilon_of(allowed + 1, 2.0, 1e-5, sampling) > 3.0
    nearly = Budget(3.0, 1e-5, 2.0, sampling=sampling, rounds=allowed - 1)  # one that goes on
    nearly.spend()
    before = nearly.spent
    assert nearly.rounds_left == 0
    with pytest.raises(BudgetError, match=r"one more would exceed it.\nStop here"):
        nearly.spend()
    assert nearly.spent == before
    assert f"in {allowed} rounds" in repr(nearly)


def test_no_party_is_asked_when_the_budget_is_spent() -> None:
    asked = []

    def party(state: Any, message: Any) -> Any:
        asked.append(message)
        return None, state

    summing = noisy(plain_sum, 1.0, 0.1, Budget(1.0, 1e-5, 0.1))
    with pytest.raises(BudgetError, match="0 rounds have cost epsilon 0 of 1"):
        summing(Local({"anna": party}), {"anna": {}}, SHAPES)
    assert not asked


@given(st.floats(0.5, 20), st.integers(1, 50))
def test_the_noise_for_a_budget_is_just_enough(epsilon: float, rounds: int) -> None:
    z = noise_for(epsilon, 1e-5, rounds)
    assert epsilon_of(rounds, z, 1e-5) <= epsilon < epsilon_of(rounds, 0.99 * z, 1e-5)


def test_three_parties_in_every_round_have_no_privacy_to_speak_of() -> None:
    """Noise that leaves half of the signal of three clipped updates, three rounds long."""
    assert epsilon_of(rounds=3, noise_multiplier=0.2, delta=1e-3) > 50


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong in ({"epsilon": 0}, {"delta": 1}, {"noise_multiplier": 0}, {"sampling": 0}):
        with pytest.raises(ArgumentError, match=next(iter(wrong))):
            Budget(**{"epsilon": 1, "delta": 1e-5, "noise_multiplier": 1, **wrong})
    with pytest.raises(ArgumentError, match="clip is 0"):
        Private(finds([0, 0, 0], 0), 0)
    with pytest.raises(ArgumentError, match="among is 0"):
        Private(finds([0, 0, 0], 0), 1, among=0)
    with pytest.raises(ArgumentError, match="noise_multiplier is -1"):
        Private(finds([0, 0, 0], 0), 1, noise_multiplier=-1)
    with pytest.raises(ArgumentError, match="rounds is 0"):
        noise_for(1, 1e-5, 0)


def test_the_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    monkeypatch.setitem(sys.modules, "dp_accounting.rdp", None)
    with pytest.raises(MissingExtraError, match=r"privacy budgets need an .*\n.*pellucid\[dp\]"):
        Budget(1, 1e-5, 1)
