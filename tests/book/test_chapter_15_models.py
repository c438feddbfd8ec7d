"""Any model under any protection: the same weights where they have to be, and what it costs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid import Tensor, book
from pellucid.book import chapter15_models as models
from pellucid.book import chapter15_scaling as scaling
from pellucid.book.letters import Letters
from pellucid.book.result import Note
from pellucid.data import Vocabulary
from pellucid.data.datasets import shakespeare
from pellucid.errors import MissingExtraError
from pellucid.federated import plain_sum
from pellucid.federated.differential_privacy import epsilon_of
from pellucid.federated.summing import Total

REAL = os.environ.get("PELLUCID_DATA", "")  # before the tests' fixture hides it
QUICK: dict[str, Any] = {
    "rounds": 2, "images": 300, "parties": 4, "characters": 1500, "hidden": 8, "bits": 256,
}  # fmt: skip
EXACT = ("openly", "secure aggregation", "Paillier")


@pytest.fixture(scope="module")
def result() -> book.Result:
    return book.find("15+3").run(**QUICK)


@pytest.fixture(scope="module")
def costs() -> book.Result:
    return book.find("15+4").run(most=10, weights=10_000, bits=256)


def said(result: book.Result, key: str) -> list[dict[str, Any]]:
    return [dict(e.values) for e in result.exhibits if isinstance(e, Note) and e.key == key]


def test_they_are_named_to_be_run_and_left_out_of_a_check() -> None:
    for section in ("15+3", "15+4"):
        e = book.find(section)
        assert (e.id, e.long, e.figures) == (section, True, ())


# ----------------------------------------------------------------------------------------- 15+3 models


def test_every_model_is_learned_under_every_protection(result: book.Result) -> None:
    assert result.agrees
    assert len(result.agreements) == 6
    (table,) = result.tables
    names = ["in one place", *models.PROTECTIONS]
    assert [row[:2] for row in table.rows] == [(t, n) for t in ("digits", "plays") for n in names]
    for task in ("digits", "plays"):
        rows = {row[1]: row[2:] for row in table.rows if row[0] == task}
        assert len({rows[name][0] for name in EXACT}) == 1
        assert rows["secure aggregation"][2] > rows["openly"][2]  # kB from each: twice as long
        assert rows["CKKS"][2] > rows["Paillier"][2] > rows["openly"][2]
        assert rows["in one place"][1:3] == (None, None)


def test_more_rounds_are_better(result: book.Result) -> None:
    digits, plays = result.plots
    for plot, better in ((digits, 1), (plays, -1)):
        curve = next(c for c in plot.curves if c.label == "in one place")
        assert better * (curve.y[-1] - curve.y[0]) > 0


def test_what_noise_promises_is_said(result: book.Result) -> None:
    little, much = said(result, "epsilon")
    assert little["protection"] == "a little noise"
    assert little["epsilon"] == f"{epsilon_of(2, 0.05, models.DELTA):,.0f}"
    assert (much["protection"], much["epsilon"]) == ("noise, epsilon 8", "8")


def test_what_is_not_installed_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tenseal", None)
    monkeypatch.setitem(sys.modules, "dp_accounting.rdp", None)
    result = book.find("15+3").run(**{**QUICK, "rounds": 1})
    left = {(n["protection"], n["extra"]) for n in said(result, "without")}
    assert left == {("CKKS", "ckks"), ("a little noise", "dp"), ("noise, epsilon 8", "dp")}
    assert len(result.tables[0].rows) == 8


def test_the_network_for_mnist_and_the_one_for_small_digits() -> None:
    large, small = models.reader((28, 28)), models.reader((8, 8))
    assert models.flat(large).size == 5994
    assert large(Tensor(np.zeros((2, 1, 28, 28), np.float32))).shape == (2, 10)
    assert small(Tensor(np.zeros((2, 1, 8, 8), np.float32))).shape == (2, 10)


def test_each_party_of_the_plays_has_one_play() -> None:
    made = "".join(f"{opening} ... play {n}\n\n" for n, opening in enumerate(models.PLAYS.values()))
    known = Letters("made up", made, Vocabulary(list(made), specials=(), unknown=None), np.zeros(0))
    plays = models.cut_plays(known)
    assert list(plays) == list(models.PLAYS)
    assert all(f"play {n}" in text for n, text in enumerate(plays.values()))
    assert "".join(plays.values()) == made
    other = Letters("another", "abc" * 30, known.known, np.zeros(0))
    assert [len(text) for text in models.cut_plays(other).values()] == [10] * 9


def test_letters_in_rows_each_with_the_next() -> None:
    inputs, targets = models.in_rows(np.arange(131))
    assert inputs.shape == targets.shape == (2, models.STEPS)
    assert (targets == inputs + 1).all()


def test_nobody_learned_from_the_rows_kept_aside() -> None:
    task = models.writing_plays(book.Result(), 1500, 8, 1)
    held = {row.tobytes() for part in task.parts.values() for row in part[:][0]}
    model, seen = task.make(), list[bytes]()

    def watched(letters: Any) -> Any:
        seen.extend(row.tobytes() for row in letters.numpy())
        return models.LetterReader.forward(model, letters)

    object.__setattr__(model, "forward", watched)
    assert task.score(model) > 0
    repeated = set(seen) & held  # a row of Python's documentation may stand in it twice
    assert len(seen) > 10
    assert len(repeated) < len(seen) / 5


@pytest.mark.slow
@pytest.mark.skipif(
    not REAL or not (Path(REAL) / "shakespeare" / "tinyshakespeare.txt").is_file(),
    reason="PELLUCID_DATA has no Tiny Shakespeare",
)
def test_the_plays_are_the_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_DATA", REAL)
    text = shakespeare().text
    known = Letters("plays", text, Vocabulary(list(text), specials=(), unknown=None), np.zeros(0))
    plays = models.cut_plays(known)
    assert min(map(len, plays.values())) > 30_000
    for speaker, play in {
        "MENENIUS": "Coriolanus", "RATCLIFF": "Richard III", "JOHN OF GAUNT": "Richard II",
        "ROMEO": "Romeo and Juliet", "KING HENRY VI": "Henry VI, Part 3",
        "LEONTES": "The Winter's Tale", "ISABELLA": "Measure for Measure",
        "KATHARINA": "The Taming of the Shrew", "PROSPERO": "The Tempest",
    }.items():  # fmt: skip
        assert [name for name, text in plays.items() if f"\n{speaker}:\n" in text] == [play]


# ---------------------------------------------------------------------------------------- 15+4 scaling


def test_every_protection_has_its_cost(costs: book.Result) -> None:
    assert [t.headings[0] for t in costs.tables] == ["parties"] * 2 + ["weights"] * 2
    assert all(t.headings[1:] == tuple(scaling.WAYS) for t in costs.tables)
    assert [row[0] for row in costs.tables[0].rows] == [3, 10]
    assert [row[0] for row in costs.tables[2].rows] == [1000, 10_000]
    assert all(cell > 0 for t in costs.tables for row in t.rows for cell in row)
    by_weights = {name: column for name, *column in zip(*_with_names(costs.tables[3]), strict=True)}
    assert by_weights["openly"][1] > 8 * by_weights["openly"][0]
    assert by_weights["secure aggregation"][1] == pytest.approx(2 * by_weights["openly"][1], 0.1)


def _with_names(table: Any) -> list[tuple[Any, ...]]:
    return [table.headings, *table.rows]


def test_what_would_take_too_long_is_left_out_and_said() -> None:
    result, asked = book.Result(), []

    def measure(n: int) -> scaling.Cost:
        asked.append(n)
        return scaling.Cost(n / 10, 1, 1)

    counts = (3, 10, 100, 1000)
    found = scaling.ever_more(result, "masks", "parties", counts, measure, 9, 1, iter(()))
    assert asked == [3, 10]  # a hundred would be 10 seconds
    assert [c.seconds for c in found] == [0.3, 1.0]
    (left,) = said(result, "left out")
    assert (left["count"], left["seconds"]) == ("100", "10")
    asked.clear()
    scaling.ever_more(result, "masks", "parties", counts, measure, 50, 2, iter(()))
    assert asked == [3, 10]  # the square: 100


def test_a_wrong_sum_has_no_cost() -> None:
    def nothing_added(setting: models.Setting) -> models.Protected:
        protected = models.not_at_all(setting)

        def summing(engine: Any, messages: Any, shapes: Any) -> Total:
            total = plain_sum(engine, messages, shapes)
            return Total({n: 0 * a for n, a in total.sums.items()}, total.parties)

        return models.Protected(protected.engine, summing)

    with pytest.raises(ArithmeticError, match="the sum is off by"):
        scaling.cost_of(nothing_added, 3, 100, 256)
    assert scaling.cost_of(models.not_at_all, 3, 100, 256).received > 400


def test_the_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(setting: models.Setting) -> models.Protected:
        raise MissingExtraError("this", "ckks")

    monkeypatch.setattr(scaling, "WAYS", {"openly": models.not_at_all, "CKKS": missing})
    result = book.find("15+4").run(most=3, weights=1000)
    assert said(result, "without") == [{"protection": "CKKS", "extra": "ckks"}]
    assert result.tables[0].headings == ("parties", "openly")
