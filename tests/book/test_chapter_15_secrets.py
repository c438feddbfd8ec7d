"""Chapter 15, second part: sums equal plain sums, nobody sees more than they should, budgets count."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import book
from pellucid.book import chapter15_privacy as privacy
from pellucid.book import chapter15_secrets as secrets
from pellucid.book.chapter15 import NAMES, Mails
from pellucid.book.check import judge
from pellucid.data import Vocabulary, pad
from pellucid.federated import Local, paillier, plain_sum
from pellucid.federated.differential_privacy import noise_for

REAL = os.environ.get("PELLUCID_DATA", "")  # before the tests' fixture hides it
SMALL: dict[str, dict[str, Any]] = {
    "15.6": {"rounds": 2, "passes": 1},
    "15.7": {},
    "15.8": {"rounds": 2, "passes": 1},
    "15+": {"parties": 40, "rounds": 2, "least": 20},
}
every = pytest.mark.parametrize("id", SMALL)


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Float64, as while an experiment runs."""
    before = pellucid.get_default_dtype()
    pellucid.set_default_dtype(np.float64)
    yield
    pellucid.set_default_dtype(before)


@pytest.fixture(scope="module")
def mails() -> Mails:
    """Twelve mails of a few words, six of each kind."""
    spam = ["win cash now", "cash prize win", "free cash", "prize now", "free prize win", "free"]
    hams = ["the report now", "a draft", "the draft report", "meeting now", "a meeting", "report"]
    rows = [part.split() for pair in zip(spam, hams, strict=True) for part in pair]
    words = Vocabulary((w for row in rows for w in row), specials=("<pad>",), unknown=None)
    ids = pad([words.encode(row) for row in rows], 5)
    labels = np.array([1.0, 0.0] * 6)
    return Mails(words, ids[:9], labels[:9], ids[9:], labels[9:], {})


PARTS = {name: np.arange(3 * i, 3 * i + 3) for i, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def results() -> dict[str, book.Result]:
    return {name: book.find(name).run(**settings) for name, settings in SMALL.items()}


def table(result: book.Result, title: str) -> list[tuple[Any, ...]]:
    (found,) = (t for t in result.tables if t.title == title)
    return list(found.rows)


def test_the_rows_of_the_second_part_are_there() -> None:
    assert [e.id for e in book.select(["15"])][:7] == ["15.1", "15.4", "15.5", *SMALL]


@every
def test_everything_computed_twice_agrees(id: str, results: dict[str, book.Result]) -> None:
    assert results[id].agreements
    assert results[id].agrees


# ------------------------------------------------------------------------------- 15.6 secret sums


@pytest.mark.parametrize("mask", [0, 1, 50, 99])
def test_masks_of_any_size_vanish(mask: int) -> None:
    masks = {("Anna", "Ben"): mask, ("Anna", "Cleo"): 7, ("Ben", "Cleo"): 99 - mask}
    shown = secrets.under_masks(masks)
    assert sum(shown.values()) % secrets.CLOCK == 21
    assert all(0 <= number < secrets.CLOCK for number in shown.values())


def test_what_is_shown_fits_any_three_numbers_of_that_sum() -> None:
    shown = {
        tuple(
            secrets.under_masks(
                {("Anna", "Ben"): a, ("Anna", "Cleo"): b, ("Ben", "Cleo"): 0}
            ).values()
        )
        for a in range(100)
        for b in range(100)
    }
    assert len(shown) == 100**2  # all there are with this sum, each once


@pytest.mark.parametrize(
    ("leaves", "inside", "total"),
    [
        ({}, NAMES, 21),
        ({"Cleo": "keys"}, ("Anna", "Ben"), 11),
        ({"Cleo": "share"}, ("Anna", "Ben"), 11),
        ({"Anna": "mask"}, ("Ben", "Cleo"), 17),
        ({"Ben": "agree"}, NAMES, 21),
        ({"Ben": "unmask"}, NAMES, 21),
        ({"Anna": "mask", "Ben": "unmask"}, (), None),
    ],
)
def test_the_sum_is_of_those_who_have_shown_their_number(
    leaves: dict[str, str], inside: tuple[str, ...], total: float | None
) -> None:
    assert secrets.sum_without(leaves) == (inside, total)


def test_a_line_at_0() -> None:
    assert secrets.at_zero(1, 45, 2, 48) == 42
    assert secrets.at_zero(3, 51, 1, 45) == 42


def test_what_ben_shows_is_coin_tosses(results: dict[str, book.Result]) -> None:
    numbers = results["15.6"].numbers
    assert numbers["share of ones among the bits that Ben shows"] == pytest.approx(0.5, abs=0.05)
    assert abs(numbers["likeness of what he shows to what he found"]) < 0.5


def test_common_words_only(mails: Mails) -> None:
    fewer = secrets.common(mails, 3)
    assert set(fewer.words.tokens[1:]) == {"win", "cash", "now", "prize", "free"} - {"free"} | (
        {"free"} if sum("free" in mails.words_of(row) for row in mails.ids) >= 3 else set()
    )
    for before, after in zip(mails.ids, fewer.ids, strict=True):
        assert fewer.words_of(after) == mails.words_of(before) & set(fewer.words.tokens[1:])


# ---------------------------------------------------------------------------------- 15.7 Paillier


def test_5_and_3_are_8() -> None:
    e = book.find("15.7")
    (compared,) = e.compare(e.run())
    assert (compared.ours, compared.met) == (8, True)


def test_one_number_locked_twice_looks_different(results: dict[str, book.Result]) -> None:
    rows = {row[0]: row for row in table(results["15.7"], "what is locked, and what it looks like")}
    assert rows["5"][1] != rows["5 again"][1]
    assert rows["5"][2] == rows["5 again"][2] == 5
    assert rows["5 * -7"][2] == -35


@pytest.mark.parametrize("m", [0, 1, 5, -5, 93, -93])
def test_by_hand_and_framework_open_each_others_locks(m: int) -> None:
    assert secrets.open_by_hand(secrets.lock_by_hand(m, 187, 2), 11, 17) == m
    keys = paillier.keygen(64, lesson=True)
    locked = keys.public.encrypt(m)
    assert secrets.open_by_hand(int(locked.locked), int(keys.p), int(keys.q)) == m


# ---------------------------------------------------------------------------- 15.8 learning locked


def test_the_sum_that_is_unlocked_is_the_plain_one(results: dict[str, book.Result]) -> None:
    rows = table(results["15.8"], "right on test mails")
    assert [row[2] for row in rows] == [row[3] for row in rows]
    names = [a.name for a in results["15.8"].agreements]
    assert names == ["sum of round 1, within its steps", "numbers of the words after all rounds"]


def test_as_published_one_party_decides_and_lies_open(mails: Mails) -> None:
    settings = {"lr": 0.1, "rounds": 2, "passes": 1, "ticks": iter(())}
    other = {**PARTS, "Anna": PARTS["Ben"]}
    _, opened = secrets.as_published(mails, PARTS, **settings)
    _, without_anna = secrets.as_published(mails, other, **settings)
    assert np.array_equal(opened, without_anna)
    touched = mails.words_of(mails.ids[PARTS["Cleo"]])
    assert set(mails.words.decode(np.flatnonzero(opened))) == touched


def test_the_key_holder_is_shown_sums_and_the_coordinator_ciphertexts(mails: Mails) -> None:
    locked = secrets.Locked(mails, PARTS, 256)
    weights, _ = locked.run(rounds=2, lr=0.1, passes=1)
    plain, _ = secrets.learned(
        mails, Local(secrets.trainers(mails, PARTS)), plain_sum, rounds=2, lr=0.1, passes=1
    )
    assert weights == pytest.approx(plain, abs=1e-5)
    assert [seen.message["locked"]["terms"] for seen in locked.holder.view()] == [3, 3]
    assert all(set(seen.reply or {}) == {"locked"} for seen in locked.parties.view())


# ------------------------------------------------------------------------------ 15+ shares, budgets


def test_shares_add_up_and_multiply(results: dict[str, book.Result]) -> None:
    rows = table(results["15+"], "three numbers, each cut in three parts")
    assert rows[-1][1:] == ("4", "7", "10", "21")
    assert len({row[1] for row in rows}) == 4
    runs = table(results["15+"], "6 * 7, multiplied three times")
    assert [row[3] for row in runs] == [42] * 3
    assert len({row[1] for row in runs}) == 3


def test_the_budget_is_kept_and_spent(results: dict[str, book.Result]) -> None:
    rows = table(results["15+"], "what a budget buys")
    for epsilon, noise, first, spent, _ in rows:
        assert 0 < first < spent <= epsilon
        assert noise == pytest.approx(noise_for(epsilon, 1e-5, 2), abs=1e-4)
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)
    costs = [row[1] for row in table(results["15+"], "spent with noise as large as clip")]
    assert costs == sorted(costs)


def test_no_round_beyond_the_budget(mails: Mails) -> None:
    crowd = privacy.Crowd(mails, parties=3, seed=1, lr=0.1, clip=0.1)
    account = privacy.Budget(1.0, 1e-5, noise_for(1.0, 1e-5, rounds=2))
    crowd.learn(2, account.noise_multiplier, account)
    with pytest.raises(pellucid.federated.errors.BudgetError):
        crowd.learn(1, account.noise_multiplier, account)


# -------------------------------------------------------------------------- what is not installed


def test_without_accounting_the_sums_are_still_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dp_accounting.rdp", None)
    result = book.find("15+").run()
    assert result.numbers == {"average of three numbers that nobody sees": 7}
    (said,) = (n.values for n in result.exhibits if getattr(n, "key", "") == "without")
    assert said == {"extra": "dp"}


def test_without_cryptography_it_says_which_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    verdict = judge(book.find("15.6"))
    assert (verdict.status, verdict.ok, verdict.lacks) == ("skipped", True, "federated")
    assert "pip install 'pellucid[federated]'" in verdict.note


# ------------------------------------------------------------------------------------ on real mails


@pytest.mark.slow
@pytest.mark.skipif(
    not REAL or not (Path(REAL) / "enron" / "enron-spam.tar.gz").is_file(),
    reason="PELLUCID_DATA has no Enron-Spam",
)
@every
def test_on_real_mails_too(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_DATA", REAL)
    e = book.find(id)
    result = e.run()
    assert all(c.met for c in e.compare(result))
    assert result.agrees
