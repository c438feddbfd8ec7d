"""A B A B …: who takes part, what is kept, what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pellucid import kernels
from pellucid.bench import page as pages
from pellucid.bench import turns
from pellucid.bench.results import Conditions, Line, Report, Row
from pellucid.bench.scaling import CURVES
from pellucid.bench.turns import Crew, Worker, WorkerError, environment, run
from pellucid.bench.workloads import find
from pellucid.errors import ArgumentError

MACHINE: dict[str, Any] = {
    "processor": "Abacus", "cores": 2, "memory": None, "system": "Wood", "python": "3.14",
    "pellucid": "0.1", "kernels": "compiled", "versions": {"numpy": "2.4", "torch": "2.13"},
    "date": "2026-01-01",
    "blas": [{"internal_api": "openblas", "version": "1", "architecture": "Beads"}],
}  # fmt: skip


def row(**more: Any) -> Row:
    """W1 as if measured: 10 and 2 microseconds beside 60."""
    made = Row(find("W1"), **more)
    made.samples = {
        "eager 1T": [11e-6, 10e-6, 9e-6],
        "eager 2T": [30e-6, 31e-6, 32e-6],
        "compiled 1T": [2e-6, 2e-6, 2e-6],
        "torch 1T": [60e-6, 60e-6, 61e-6],
        "torch 2T": [70e-6, 70e-6, 71e-6],
        "torch.compile 1T": [90e-6, 90e-6, 90e-6],
        "bare 1T": [1e-6, 1e-6, 1e-6],
    }
    made.starts = {"torch.compile 1T": 7.25, "compiled 1T": 0.5}
    return made


def line() -> Line:
    curve = CURVES[0]
    seconds = [1e-5 * n for n in curve.sizes]
    return Line(curve, {"eager": seconds, "torch": seconds}, {"eager": [[s] for s in seconds]})


# ------------------------------------------------------------------------------------- reading it


def test_the_better_thread_count_counts_for_all_alike() -> None:
    assert row().best("eager") == (10e-6, "eager 1T")
    assert row().best("torch") == (60e-6, "torch 1T")
    assert row().best("torch.compile") == (90e-6, "torch.compile 1T")
    assert row().best("jax") is None


def test_goals() -> None:
    made = row()
    eager, compiled = (made.reached(goal) for goal in made.workload.goals)
    assert eager is not None
    assert eager.ratio == pytest.approx(6)
    assert eager.spread == pytest.approx((60 / 11, 61 / 9))
    assert eager.reached is True
    assert compiled is not None
    assert compiled.reached is True
    made.samples["torch 1T"] = made.samples["torch 2T"] = [30e-6] * 3
    assert [r.reached for g in made.workload.goals if (r := made.reached(g))] == [False, False]
    del made.samples["torch 1T"], made.samples["torch 2T"]
    assert [r.reached for g in made.workload.goals if (r := made.reached(g))] == [None, None]


def test_a_limit_is_not_a_floor() -> None:
    made = Row(find("C1"), {"pellucid 1T": [0.08, 0.09]})
    (goal,) = made.workload.goals
    found = made.reached(goal)
    assert found is not None
    assert found.reached is True
    made.samples["pellucid 1T"] = [0.2]
    found = made.reached(goal)
    assert found is not None
    assert found.reached is False


def test_who_computes_something_else_has_reached_nothing() -> None:
    made = row(differences={"compiled 1T": 2e-4, "torch 1T": 2e-4})
    assert set(made.wrong) == {"compiled 1T"}  # another library may round otherwise
    assert not any(r.reached for g in made.workload.goals if (r := made.reached(g)))
    assert not Report(MACHINE, 3, rows=[made]).sound
    assert Report(MACHINE, 3, rows=[row(differences={"compiled 1T": 1e-7})]).sound
    assert row(differences={"torch 1T": float("inf")}).wrong


def test_a_peer_that_fails_is_none_of_our_failures() -> None:
    assert not row(failures={"torch.compile 1T": "no compiler"}).broken
    assert row(failures={"compiled 1T": "no"}).broken == {"compiled 1T": "no"}
    assert not Report(MACHINE, 3, rows=[row(failures={"compiled 2T": "no"})]).sound


def test_slopes() -> None:
    assert line().slope("eager") == pytest.approx(1)


# -------------------------------------------------------------------------------------- measuring


class Pretended:
    """A worker that is none."""

    def __init__(self, name: str, answers: Any) -> None:
        self.name, self.variant, self.answers = f"{name} 1T", name, answers

    def tell(self, **command: Any) -> None:
        self.told = command

    def hear(self) -> Any:
        if self.answers is None:
            raise WorkerError(f"{self.name}: cannot")
        return self.answers

    def ask(self, **command: Any) -> Any:
        self.tell(**command)
        return self.hear()


def crew(**answers: Any) -> Crew:
    workers: Any = [Pretended(name, answer) for name, answer in answers.items()]
    return Crew(workers, {})


def test_everybody_is_compared_with_the_first() -> None:
    differences: dict[str, float] = {}
    everybody = crew(eager=[(1.0, 1.0)], compiled=[(1.5, 1.0)], torch=[(1.0, 1.0)], gensim=None)
    everybody.compare(find("W1"), "W1", differences)
    assert differences == {"compiled 1T": 0.5, "torch 1T": 0.0}
    assert everybody.failures == {"gensim 1T": "gensim 1T: cannot"}
    assert [w.variant for w in everybody.workers] == ["eager", "compiled", "torch"]


def test_one_that_ends_does_not_end_the_others() -> None:
    everybody = crew(eager=1, torch=None)
    assert everybody.ask(together=True, do="start") == {"eager 1T": 1}
    assert everybody.ask(do="start") == {"eager 1T": 1}
    assert list(everybody.failures) == ["torch 1T"]


def test_ours_are_also_compared_as_they_are_timed() -> None:
    differences: dict[str, float] = {}
    everybody = crew(eager=[(1.0, 1.0)], compiled=[(1.0, 1.0)], torch=[(1.0, 1.0)])
    everybody.compare(find("W2"), "W2", differences)
    assert set(differences) == {"compiled 1T", "torch 1T", "compiled 1T with random numbers"}


def test_all_variants_have_the_same_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    eager, torch = (environment(v, 2, "caches") for v in ("eager", "torch"))
    assert eager.pop(kernels.SWITCH) == "0"
    assert torch.pop(kernels.SWITCH) == "1"
    assert eager == torch
    assert "OPENBLAS_CORETYPE" not in eager
    assert eager["OMP_NUM_THREADS"] == eager["OPENBLAS_NUM_THREADS"] == "2"
    assert int(eager["MALLOC_TRIM_THRESHOLD_"]) == 1 << 30


def test_a_worker_answers(tmp_path: Path) -> None:
    with Worker("eager", 1, str(tmp_path)) as worker:
        assert worker.ask(do="open", id="W6")
        assert worker.ask(do="start", id="W6") > 0
        assert len(worker.ask(do="numbers", id="W6", exact=True)) > 20
        cost, used = worker.ask(do="turn", id="W6", seconds=0.01)
        assert cost > 0
        assert used >= 0
        with pytest.raises(WorkerError, match="eager 1T: StopIteration"):
            worker.ask(do="open", id="W99")
        assert worker.ask(do="open", id="W6"), "it goes on"


def test_a_worker_that_ends_says_why(tmp_path: Path) -> None:
    with Worker("eager", 1, str(tmp_path)) as worker:
        assert worker._process.stdin is not None
        worker._process.stdin.write("no JSON\n")
        worker._process.stdin.flush()
        with pytest.raises(WorkerError, match=r"eager 1T: json\.decoder\.JSONDecodeError"):
            worker.hear()


def test_it_is_measured_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cryptography")
    monkeypatch.setattr(turns, "installed_peers", list)
    said: list[str] = []
    report = run(
        ["C2", "H2b"], 2, 0.001, on_part=lambda part: said.append(part.workload.id),  # type: ignore[union-attr]
        progress=lambda title, done, total: said.append(title),
    )  # fmt: skip
    assert [r.workload.id for r in report.rows] == ["C2", "H2b"]
    installed, secure = report.rows
    assert {name: len(v) for name, v in secure.samples.items()} == {"secure 1T": 2, "bare 1T": 2}
    assert set(secure.differences) == {"bare 1T"}
    assert {name: len(v) for name, v in installed.samples.items()} == {
        "pellucid 1T": 1, "numpy 1T": 1,
    }  # fmt: skip
    assert said.count("H2b in turns") == 2
    assert said.index("C2") < said.index("H2b getting ready")
    assert report.sound
    assert report.absent == ("torch", "jax", "gensim", "phe")
    assert json.loads(json.dumps(report.plain()))["workloads"][1]["equal"] is True


def test_ctrl_c_keeps_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(workload: Any, *args: Any, into: Row) -> None:
        into.samples = {"eager 1T": [1.0]}
        if workload.id == "W2":
            raise KeyboardInterrupt

    monkeypatch.setattr(turns, "measure", measure)
    report = run(["W1", "W2", "W3", "S1"])
    assert report.interrupted
    assert [r.workload.id for r in report.rows] == ["W1", "W2"]
    assert not report.lines


# --------------------------------------------------------------------------------------- the page


def test_the_page_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    disturbed = row(conditions=Conditions(2.5, 1.25))
    packed = Row(find("H1"), {"packed 1T": [1e-4], "phe 1T": [1e-2]})
    report = Report(MACHINE, 3, ("jax",), {"OPENBLAS_CORETYPE": "Haswell"})
    report.rows, report.lines = [disturbed, packed], [line()]
    pages.save(report, tmp_path / "speed.md")
    text = (tmp_path / "speed.md").read_text(encoding="utf-8")
    assert "Abacus, 2 cores; Wood; Python 3.14, NumPy 2.4, openblas 1 (Beads)" in text
    assert (
        "| W1 | MLP 784-40-10 relu, squared error, batch 1 | 10.0 | 2.00 | PyTorch 60.0 "
        "| 6.00 × (4) ✓ | 30 × (30) ✓ | 1.00 | torch.compile 90.0 "
        "| compiled 0.5 s, torch.compile 7.2 s |" in text
    )
    assert "| 100 × (50) ✓ | phe 10,000 |" in text
    assert "to 2,048 | 1 | 1.00 |  | 1.00 |" in text
    assert "- Not installed, so left out: jax." in text
    assert "- OPENBLAS_CORETYPE: set here, ignored;" in text
    assert "- Others were at work during W1 (1.2 processors)." in text
    assert "All numbers were equal." in text
    assert "](speed-scaling.svg)" in text
    assert "slope 1.00" in (tmp_path / "speed-scaling.svg").read_text(encoding="utf-8")


def test_the_page_says_what_is_wrong(tmp_path: Path) -> None:
    report = Report(MACHINE, 3, rows=[row(differences={"compiled 1T": 0.5})])
    text = pages.written(report, tmp_path / "speed.md", "none.svg")
    assert "- **W1: compiled 1T: numbers differ, by 5.0e-01 of their size.**" in text
    assert "30 × (30) ✗" in text
    assert "All numbers were equal" not in text


def test_what_cannot_be_kept_is_said_before_it_is_measured(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pages.check(tmp_path / "speed.md", tmp_path / "curves.svg")
    with pytest.raises(ArgumentError, match=r"end the name speed.txt in .md"):
        pages.check(tmp_path / "speed.txt", None)
    with pytest.raises(ArgumentError, match="what kind of picture"):
        pages.check(None, tmp_path / "curves.txt")
    with pytest.raises(ArgumentError, match="there is no folder"):
        pages.check(tmp_path / "nowhere" / "speed.md", None)
