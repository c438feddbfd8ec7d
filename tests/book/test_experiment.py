"""What an experiment is: its settings, its place, its figures; and how one is found."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid
from pellucid.book import Experiment, Figure, Result, all_experiments, find, select
from pellucid.book.experiment import as_printed, place
from pellucid.book.refusal import Refusal
from pellucid.errors import ArgumentError


def sample(
    result: Result,
    *,
    lr: float = 0.1,
    passes: int = 3,
    image: int = 0,
    seed: int = 1,
    weights: str = "1, 2",
    shuffled: bool = False,
) -> None:
    """A run that finds what it is told.

    Args:
        lr: how much of each correction is made,
            and this goes on in a second line.
        passes: how often.
        image: which one.
        seed: of the weights.
        weights: two numbers.
        shuffled: in another order.
    """
    for _ in result.track(range(passes)):
        pass
    result.number("error", lr * passes)
    result.number("drawn", pellucid.rand(2))


def made(*figures: Figure) -> Experiment:
    return Experiment(sample, "99.2", "99.4", figures, slow=False)


# ------------------------------------------------------------------------------------- its settings


def test_settings_are_the_keyword_arguments() -> None:
    e = made()
    assert [(p.name, p.type, p.default) for p in e.parameters[:2]] == [
        ("lr", float, 0.1),
        ("passes", int, 3),
    ]
    assert e.parameters[0].help == (
        "how much of each correction is made, and this goes on in a second line."
    )
    assert e.summary == "A run that finds what it is told."
    assert repr(e) == "<experiment 99.2–99.4: A run that finds what it is told.>"


def test_settings_are_taken_by_their_kind() -> None:
    result = made().run(lr="0.5", passes="4", shuffled=True, weights="3")
    assert result.parameters == {
        "lr": 0.5, "passes": 4, "image": 0, "seed": 1, "weights": "3", "shuffled": True,
    }  # fmt: skip
    assert result.numbers["error"] == 2.0
    assert made().run(lr=None).parameters["lr"] == 0.1


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"rate": 1}, "experiment 99.2–99.4 has no setting 'rate'; it has: lr, passes, image"),
        ({"lr": "fast"}, "lr of experiment 99.2–99.4 is a number, not 'fast'"),
        ({"lr": math.inf}, "lr of experiment 99.2–99.4 must be a finite number, not inf"),
        ({"passes": "many"}, "passes of experiment 99.2–99.4 is a whole number, not 'many'"),
        ({"passes": 2.5}, "passes of experiment 99.2–99.4 is a whole number, not 2.5"),
        ({"passes": math.nan}, "is a whole number, not nan"),
        ({"passes": math.inf}, "is a whole number, not inf"),
        ({"passes": 0}, "passes of experiment 99.2–99.4 must be at least 1, not 0"),
        ({"passes": sys.maxsize + 1}, f"must be at most {sys.maxsize}"),
        ({"image": -1}, "image of experiment 99.2–99.4 must be at least 0, not -1"),
        ({"seed": -1}, "seed of experiment 99.2–99.4 must be at least 0, not -1"),
        ({"seed": 2**32}, "must be at most 4294967295, not 4294967296"),
    ],
)
def test_settings_that_make_no_sense(given_: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        made().run(**given_)
    assert said in caught.value.message


@given(st.one_of(st.floats(), st.integers(), st.text(max_size=5), st.none(), st.booleans()))
def test_any_value_is_taken_or_refused(value: Any) -> None:
    for p in made().parameters:
        try:
            accepted = p.accept(value, p.name)
        except ArgumentError as error:
            accepted = error
        assert type(accepted) in (p.type, Refusal)


def test_a_setting_needs_a_default_and_a_help() -> None:
    def helpless(result: Result, *, lr: float = 0.1) -> None:
        """No word about the setting."""

    def without(result: Result, *, lr: float) -> None:
        """No default.

        Args:
            lr: how much.
        """

    for function in (helpless, without):
        with pytest.raises(TypeError, match=f"setting lr of experiment {function.__name__}"):
            Experiment(function, "99.1", "99.1", (), slow=False)


def test_every_setting_of_the_book_accepts_its_default() -> None:
    for e in all_experiments():
        for p in e.parameters:
            assert p.type in (int, float, str, bool), (e.id, p.name)
            assert p.accept(p.default, p.name) == p.default


# ------------------------------------------------------------------------------------------ a run


def test_while_it_runs_numbers_are_float64_and_the_seed_is_set() -> None:
    before = pellucid.get_default_dtype()
    first, again, other = made().run(), made().run(), made().run(seed=2)
    assert first.numbers["drawn"].dtype == np.float64
    assert (first.numbers["drawn"] == again.numbers["drawn"]).all()
    assert (first.numbers["drawn"] != other.numbers["drawn"]).any()
    assert pellucid.get_default_dtype() == before


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    made().run(on_progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_only_the_published_settings_are_compared() -> None:
    e = made(Figure("error", "0.3"))
    (c,) = e.compare(e.run())
    assert (c.met, c.ours) == (True, pytest.approx(0.3))
    (c,) = e.compare(e.run(passes=3, lr=0.1))
    assert c.met is True
    changed = e.run(lr=0.2)
    assert changed.incomparable == "lr other than published"
    (c,) = e.compare(changed)
    assert (c.met, c.ours) == (None, pytest.approx(0.6))


def test_a_figure_that_is_not_computed_is_an_error() -> None:
    e = made(Figure("accuracy", 1.0))
    with pytest.raises(KeyError, match="accuracy"):
        e.compare(e.run())


# ----------------------------------------------------------------------------------------- figures


@pytest.mark.parametrize(
    ("published", "ours", "met"),
    [
        (0.98, 0.98 + 0.9e-6, True), (0.98, 0.98 + 1.1e-6, False), (0.98, np.float64(0.98), True),
        (0.0, 0.0, True), (0.0, 1e-30, False), (5, 5, True), (5, 6, False),
        ("0.7073", 0.70734, True), ("0.7073", 0.70736, False), ("0.7073", 0.70725, True),
        ("1.485e-10", 1.4854e-10, True), ("1.485e-10", 1.4856e-10, False),
        ("-0.5", -0.54, True), ("-0.5", 0.5, False), ("7", 7.4, True), ("7", 7.6, False),
        ("5.4e+16", 5.44e16, True), ("5.4e+16", 5.46e16, False),
        (0.5, math.nan, False), ("0.5", math.nan, False), ("0.5", math.inf, False),
        ("terrific", "terrific", True), ("terrific", "bad", False), (0.5, "0.5", False),
        (0.5, None, False), (True, True, True), (True, False, False),
        ([0.1, 0.2], [0.1, 0.2], True), ([0.1, 0.2], np.array([0.1, 0.2]), True),
        ([0.1, 0.2], [0.1], False), ([0.1, 0.2], 0.1, False), ([0.1, 0.2], [0.1, 0.3], False),
        ([["0.1"], ["0.2"]], [[0.104], [0.196]], True), ([["0.1"]], [[0.16]], False),
    ],
)  # fmt: skip
def test_when_a_figure_is_met(published: Any, ours: Any, met: bool) -> None:
    assert Figure("x", published).met_by(ours) is met


def test_figures_given_as_about_or_at_least() -> None:
    about = Figure("x", 0.85, within=0.01)
    assert [about.met_by(v) for v in (0.84, 0.855, 0.87)] == [True, True, False]
    both = Figure("x", [0.85, 0.5], within=0.01)
    assert both.met_by([0.845, 0.505])
    assert not both.met_by([0.845, 0.52])
    least = Figure("x", "0.9", at_least=True)
    assert [least.met_by(v) for v in (0.89, 0.9, 0.99)] == [False, True, True]


@pytest.mark.parametrize(
    ("published", "meant"),
    [
        ("0.7073", (0.7073, 0.00005)), ("1.485e-10", (1.485e-10, 5e-14)), ("12", (12.0, 0.5)),
        ("-3.10", (-3.1, 0.005)), (2, (2.0, 2e-6)), (-0.5, (-0.5, 5e-7)),
        ("terrific", None), (True, None), ("1.", None), ("0x10", None),
    ],
)  # fmt: skip
def test_as_printed(published: Any, meant: tuple[float, float] | None) -> None:
    found = as_printed(published)
    assert found == (None if meant is None else pytest.approx(meant))


@given(st.floats(-1e12, 1e12, allow_subnormal=False), st.integers(0, 10))
def test_a_number_meets_its_own_print(value: float, digits: int) -> None:
    for printed in (f"{value:.{digits}f}", f"{value:.{digits}e}"):
        assert Figure("x", printed).met_by(value)


# --------------------------------------------------------------------------------- finding them


def test_places() -> None:
    assert place(" 6.20 ") == (6, 20)
    assert place("10.99") < place("10+") < place("10+2") < place("10+10") < place("11.1")
    for wrong in ("6", "6.", "soup", "6.20.1", "", "-6.2", "6+.1", "6++"):
        with pytest.raises(ArgumentError, match=r"sections look like 6\.20"):
            place(wrong)


def test_spans() -> None:
    e = made()
    assert (e.id, e.span, e.chapter) == ("99.2", "99.2–99.4", 99)
    assert [e.covers(section) for section in ("99.1", "99.2", "99.3", "99.4", "99.5", "98.3")] == [
        False, True, True, True, False, False,
    ]  # fmt: skip
    assert Experiment(sample, "99.2", "99.2", (), slow=False).span == "99.2"


def test_all_experiments_in_the_order_of_the_book() -> None:
    found = all_experiments()
    places = [place(e.id) for e in found]
    assert places == sorted(set(places))
    assert {4, 6, 8, 9} <= {e.chapter for e in found}


def test_find() -> None:
    deep = find("6.20")
    assert deep.span == "6.20–6.24"
    for name in ("6.22", "6.24", "6.20-6.24", "6.20–6.24", " 6.20 "):
        assert find(name) is deep
    for e in all_experiments():
        assert find(e.id) is e
        assert find(e.span) is e


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("6", "chapter 6 has: 6.1–6.4"),
        ("6.99", "there is no experiment 6.99; chapter 6 has: 6.1–6.4"),
        ("77.1", "chapter 77 has: no experiments"),
        ("soup", "'soup' is no section of the book; sections look like 6.20"),
    ],
)
def test_what_cannot_be_found(id: str, said: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        find(id)
    assert said in caught.value.message


def test_select() -> None:
    assert select() == all_experiments()
    six = select(["6"])
    assert {e.chapter for e in six} == {6}
    assert [e.id for e in select(["6.20", "4.24", "6.22"])] == ["4.24", "6.20"]
    assert select(["6.20", "6"]) == six
    for wrong in ("99", "6.99", "soup"):
        with pytest.raises(ArgumentError):
            select([wrong])
