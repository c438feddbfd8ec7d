"""Chapter 15, first part: figures met, what was not published is true, and the leak is a leak."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, book
from pellucid.book import chapter15
from pellucid.book.chapter15 import Mails, SpamFilter
from pellucid.data import ArrayDataset, Subset, Vocabulary, pad
from pellucid.data.datasets.made_up import LURES, WORK
from pellucid.federated import Local, Recorder, fedavg
from pellucid.testing import gradcheck

REAL = os.environ.get("PELLUCID_DATA", "")  # before the tests' fixture hides it
OURS = ("15.1", "15.4", "15.5")
every = pytest.mark.parametrize("id", OURS)


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
    texts = ["win cash now", "cash prize win", "free cash", "prize now", "free prize win", "free"]
    hams = ["the report now", "a draft", "the draft report", "meeting now", "a meeting", "report"]
    rows = [part.split() for pair in zip(texts, hams, strict=True) for part in pair]
    words = Vocabulary((w for row in rows for w in row), specials=("<pad>",), unknown=None)
    ids = pad([words.encode(row) for row in rows], 5)
    labels = np.array([1.0, 0.0] * 6)
    return Mails(words, ids[:8], labels[:8], ids[8:], labels[8:], {})


def test_the_rows_of_the_first_part_are_there() -> None:
    spans = [e.span for e in book.select(["15"])]
    assert [span for span in spans if span[:4] in OURS] == ["15.1–15.3", "15.4", "15.5"]


@every
def test_with_made_up_mails_it_runs_agrees_and_compares_nothing(id: str) -> None:
    e = book.find(id)
    result = e.run()
    assert "Enron-Spam is not here; made-up mails" in str(result.incomparable)
    assert [c.met for c in e.compare(result)] == [None] * len(e.figures)
    assert result.agreements
    assert result.agrees


@every
def test_one_step_is_told_from_prediction_to_learning(id: str) -> None:
    result = book.find(id).run()
    assert {v.stage for v in result.steps[0].values} == {"predict", "compare", "learn"}


# ---------------------------------------------------------------------------------- 15.1 spam filter


def test_a_mail_is_spam_as_its_words_add_up(mails: Mails) -> None:
    model = SpamFilter(len(mails.words))
    model.table.weight.data[:, 0] = np.linspace(-1, 1, len(mails.words))
    says = model(Tensor(mails.ids)).numpy()
    for row, said in zip(mails.ids, says, strict=True):
        weights = [model.table.weight.data[i, 0] for i in row if i]
        assert said == pytest.approx(1 / (1 + np.exp(-sum(weights))))


def test_the_gradient_is_the_true_one(mails: Mails) -> None:
    model = SpamFilter(len(mails.words))
    model.table.sparse = False
    ids, target = Tensor(mails.ids), Tensor(mails.labels)
    start = np.linspace(-1, 1, len(mails.words))[:, None]
    start[0] = 0  # the padding, which is not learned

    def loss(rows: Tensor) -> Tensor:
        table = pellucid.cat([pellucid.zeros(1, 1), rows])
        model.table.weight = table  # type: ignore[assignment]
        return chapter15.squared_error(model(ids), target)

    assert gradcheck(loss, Tensor(start[1:], requires_grad=True))


def test_the_padding_stays_0_and_words_not_met_stay_where_they_were(mails: Mails) -> None:
    model = SpamFilter(len(mails.words))
    engine = chapter15.one_party(model, mails.training)
    fedavg(model, engine, rounds=3, lr=0.1, batch_size=3, shuffle=False)
    weights = model.table.weight.data[:, 0]
    met = set(np.unique(mails.ids).tolist()) - {0}
    assert weights[0] == 0
    assert set(np.flatnonzero(weights).tolist()) == met


def test_what_the_words_mean_is_learned() -> None:
    result = book.find("15.1").run()
    assert result.numbers["words that count, with the right sign"] == 1
    assert result.numbers["accuracy on test mails"] > 0.99
    (said,) = (n.values for n in result.exhibits if getattr(n, "key", "") == "words")
    assert set(said["spam"].split(", ")) <= set(LURES)
    assert set(said["ham"].split(", ")) <= set(WORK)


def test_seed_0_leaves_the_mails_in_order() -> None:
    def first(seed: int) -> list[int]:
        return chapter15.mails(book.Result(), seed, 10).ids[0].tolist()

    assert first(0) == first(0) != first(1)


# ------------------------------------------------------------------------------------ 15.4 parties


def test_more_mails_count_more_and_the_published_mean_does_not_care() -> None:
    result = book.find("15.4").run(rounds=1, passes=1)
    (table,) = (t for t in result.tables if t.title == "right on test mails")
    assert len(table.rows) == 1
    assert table.headings == ("round", "as published", "weighted by mails", "weighted, more passes")
    _, published, weighted, more = table.rows[0]
    assert weighted == more  # one pass each
    assert published != weighted


def test_what_travels_does_not_depend_on_what_is_held() -> None:
    result = book.find("15.4").run()
    holds, travels = (
        next(t.rows for t in result.tables if t.title == title)
        for title in ("what each party holds", "what travels, in bytes")
    )
    assert [row[1] for row in holds] == [1000, 1000, 2000]
    assert len({row[1:] for row in travels}) == 1


def test_no_mail_is_in_what_the_coordinator_saw(mails: Mails) -> None:
    parts = {"Anna": np.arange(4), "Ben": np.arange(4, 8)}
    engine = Recorder(Local(chapter15.trainers(mails, parts)))
    model = SpamFilter(len(mails.words))
    fedavg(model, engine, rounds=2, lr=0.1, batch_size=4, shuffle=False)
    for seen in engine.view():
        assert set(seen.reply or {}) == {"sum"}
        assert {n: a.shape for n, a in (seen.reply or {})["sum"].items()} == {
            "examples": (),
            "loss": (),
            "update.table.weight": (len(mails.words), 1),
        }


# --------------------------------------------------------------------------------------- 15.5 leak


def read(mails: Mails, rows: Any) -> set[str]:
    data = {"Ben": Subset(mails.training, rows)}
    update = chapter15.overheard(data, len(mails.words), 0.01)["Ben"]
    return set(mails.words.decode(np.flatnonzero(update)))


@pytest.mark.parametrize("row", range(8))
def test_one_mail_is_read_completely(mails: Mails, row: int) -> None:
    assert read(mails, [row]) == mails.words_of(mails.ids[row])


def test_words_as_frequent_in_spam_as_in_ham_are_hidden(mails: Mails) -> None:
    held = mails.words_of(mails.ids[:2])  # win cash now; the report now
    assert held - read(mails, [0, 1]) == {"now"}


def test_the_five_words() -> None:
    numbers = book.find("15.5").run(singles=3).numbers
    assert numbers["words read back from the weights"] == "computer, is, my, password, pizza"
    assert numbers["share of the words read back"] == 1
    assert numbers["spam or not, guessed right"] == 1


def test_the_sum_has_the_words_of_all(mails: Mails) -> None:
    data = {name: Subset(mails.training, [i]) for i, name in enumerate(("Ben", "Anna", "Cleo"))}
    updates = chapter15.overheard(data, len(mails.words), 0.01)
    total = np.flatnonzero(sum(updates.values()))
    assert len(updates) == 3
    assert set(mails.words.decode(total)) > read(mails, [0]) - {"now"}


def test_an_attack_needs_a_party_that_says_something() -> None:
    nothing = ArrayDataset(np.zeros((0, 5), np.int64), np.zeros(0))
    something = ArrayDataset(np.array([[1, 2, 0]]), np.ones(1))
    updates = chapter15.overheard({"Anna": something}, 4, 0.01)
    assert np.flatnonzero(updates["Anna"]).tolist() == [1, 2]
    with pytest.raises(pellucid.errors.RoundError):
        chapter15.overheard({"Ben": nothing}, 4, 0.01)


# ------------------------------------------------------------------------------------ on real mails


@pytest.mark.slow
@pytest.mark.skipif(
    not REAL or not (Path(REAL) / "enron" / "enron-spam.tar.gz").is_file(),
    reason="PELLUCID_DATA has no Enron-Spam",
)
@every
def test_on_real_mails_the_figures_are_met(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_DATA", REAL)
    e = book.find(id)
    result = e.run()
    assert all(c.met for c in e.compare(result))
    assert result.agrees
