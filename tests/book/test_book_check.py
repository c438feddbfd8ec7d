"""Checking the book: verdicts, and the processes that make them."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest

from pellucid.book import Experiment, Figure, Result, Verdict, all_experiments
from pellucid.errors import ArgumentError, MissingExtraError

checking: Any = import_module("pellucid.book.check")  # the package's `check` is its function


def judged(ours: float, twice: float = 0.5, stand_in: bool = False, *figures: Figure) -> Verdict:
    def run(result: Result) -> None:
        """Find two numbers."""
        result.number("error", ours)
        result.agree("weights", 0.5, twice)
        if stand_in:
            result.stand_in("MNIST", "small digits")

    e = Experiment(run, "99.2", "99.4", figures or (Figure("error", "0.25"),), slow=False)
    return checking.judge(e)  # type: ignore[no-any-return]


def test_met() -> None:
    v = judged(0.25)
    assert (v.id, v.span, v.status, v.ok, v.note) == ("99.2", "99.2–99.4", "met", True, "")
    assert v.figures == [
        {"name": "error", "how": "", "published": "0.25", "ours": 0.25, "met": True}
    ]
    assert v.agreements == [{"name": "weights", "difference": 0.0, "ok": True}]
    assert json.loads(json.dumps(v.as_dict()))["ok"] is True


def test_missed() -> None:
    v = judged(0.26)
    assert (v.status, v.ok) == ("missed", False)
    assert v.figures[0]["met"] is False


def test_two_ways_that_differ_are_missed() -> None:
    v = judged(0.25, twice=0.6)
    assert (v.status, v.ok) == ("missed", False)
    assert v.agreements[0]["ok"] is False


def test_stand_in_data_are_skipped_and_not_missed() -> None:
    v = judged(0.9, stand_in=True)
    assert (v.status, v.ok) == ("skipped", True)
    assert v.figures[0]["met"] is None
    assert v.note == "MNIST is not here; small digits used instead"
    assert v.replaced == {"what": "MNIST", "instead": "small digits"}
    assert judged(0.9, twice=0.6, stand_in=True).status == "missed"


def test_an_experiment_that_stops_is_a_verdict() -> None:
    v = judged(0.25, 0.5, False, Figure("accuracy", 1.0))
    assert (v.status, v.ok) == ("failed", False)
    assert v.note == "KeyError: 'accuracy'"


def test_what_needs_an_extra_that_is_not_installed_is_skipped() -> None:
    def run(result: Result) -> None:
        """Need something."""
        raise MissingExtraError("secret sums", "federated")

    v = checking.judge(Experiment(run, "99.2", "99.2", [Figure("error", "0.25")], slow=False))
    assert (v.status, v.ok, v.lacks) == ("skipped", True, "federated")
    assert "pip install 'pellucid[federated]'" in v.note


def test_a_check_of_some_sections_in_the_order_of_the_book() -> None:
    came: list[str] = []
    found = checking.check(["6.20", "6.5", "4.9"], jobs=2, on_verdict=lambda v: came.append(v.id))
    assert [v.id for v in found] == ["4.9", "6.5", "6.20"]
    assert sorted(came) == ["4.9", "6.20", "6.5"]
    assert all(v.status == "met" for v in found)
    assert all(v.seconds > 0 for v in found)
    assert found[2].figures[0]["ours"] == pytest.approx(0.6342311598444467, rel=1e-9)


def test_a_quick_check_leaves_the_slow_out() -> None:
    (v,) = checking.check(["8.1"], quick=True)
    assert (v.status, v.ok, v.seconds) == ("skipped", True, 0.0)
    assert v.note == "slow; left out of a quick check"


def test_unknown_sections_are_told_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_process", lambda: pytest.fail("a process was started"))
    with pytest.raises(ArgumentError, match="chapter 99 has no experiments"):
        checking.check(["6.20", "99"])


def test_a_process_that_ends_is_told_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = checking._process
    programs = iter(["import sys; sys.stdin.readline(); sys.exit(3)"])

    def process() -> Any:
        program = next(programs, None)
        if program is None:
            return whole()
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, text=True)

    monkeypatch.setattr(checking, "_process", process)
    first, second = checking.check(["4.9", "6.20"], jobs=1)
    assert (first.status, first.ok) == ("failed", False)
    assert first.note == "its process ended (3) before it could answer"
    assert second.status == "met"


def test_who_breaks_off_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    whole = checking._process

    def process() -> Any:
        started.append(whole())
        return started[-1]

    def stop(verdict: Verdict) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checking, "_process", process)
    slow = [e.id for e in all_experiments() if e.slow][:2]
    with pytest.raises(KeyboardInterrupt):
        checking.check(["6.20", *slow], jobs=2, on_verdict=stop)
    assert started
    assert all(p.poll() is not None for p in started)


def test_what_an_experiment_prints_does_not_get_between_the_verdicts() -> None:
    program = (
        "from pellucid.book import check, find\n"
        "import sys; module = sys.modules['pellucid.book.check']\n"
        "e = find('6.20'); run = e.function\n"
        "def loud(result, **settings): print('hello'); run(result, **settings)\n"
        "e.function = loud; module.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input="6.20\n", capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["status"] == "met"
    assert done.stderr == "hello\n"
