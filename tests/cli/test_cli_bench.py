"""`pellucid bench`: what people and machines are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pellucid.bench import turns
from pellucid.bench.results import Conditions, Line, Report, Row
from pellucid.bench.scaling import CURVES
from pellucid.bench.workloads import find

MACHINE = {"versions": {"numpy": "2.4", "torch": "2.13"}, "blas": None}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Report:
    """A report to be shown in place of a measured one; the measuring is tested with the bench."""
    report = Report(MACHINE, 9, ("jax",), {"OPENBLAS_CORETYPE": "Haswell"})

    def run(
        ids: Any, rounds: int, seconds: float, start: Any, part: Any, progress: Any, left_out: Any
    ) -> Report:
        report.rounds = rounds
        start(report)
        for each in (*report.rows, *report.lines):
            part(each)
        return report

    monkeypatch.setattr(turns, "run", run)
    return report


def row(**more: Any) -> Row:
    samples = {"eager 1T": [10e-6], "compiled 1T": [2e-6], "torch 1T": [60e-6], "bare 1T": [1e-6]}
    return Row(find("W1"), samples, {"compiled 1T": 1.5}, **more)


def test_ours_and_theirs(pellucid: Any, given: Report) -> None:
    given.rows.append(row())
    shown = pellucid("bench", "W1")
    assert shown.exit_code == 0
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert "Beside PyTorch 2.13." in lines
    assert "In turns; medians of 9 rounds." in lines
    assert "Not installed, so left out: jax" in lines
    assert "W1 MLP 784-40-10 relu, squared error, batch 1 µs a step" in lines
    assert "eager 10.0 1T 6.00 x PyTorch (6.00 to 6.00), floor 4" in lines
    assert "compiled 2.00 1T 30 x PyTorch (30 to 30), floor 30" in lines
    assert "PyTorch 60.0 · bare 1.00" in lines
    assert "first step: compiled 1.5 s" in lines
    assert "2 of 2 goals reached." in lines
    assert "OPENBLAS_CORETYPE: set here, ignored" in shown.stdout
    assert max(len(line) for line in shown.stdout.splitlines()) <= 80


def test_who_computes_something_else_is_a_failure(pellucid: Any, given: Report) -> None:
    given.rows.append(row(differences={"compiled 1T": 0.5}, conditions=Conditions(1.0, 0.75)))
    shown = pellucid("bench", "W1")
    assert shown.exit_code == 1
    assert "compiled 1T: numbers differ, by 5.0e-01 of their size" in shown.stdout
    assert "disturbed: others kept 0.8 processors busy" in shown.stdout
    assert "Something is not as it should be" in shown.stdout


def test_so_is_one_of_ours_that_does_not_work(pellucid: Any, given: Report) -> None:
    given.rows.append(row(failures={"compiled 2T": "compiled 2T: no", "jax 1T": "jax 1T: nor I"}))
    shown = pellucid("bench", "W1")
    assert shown.exit_code == 1
    assert "compiled 2T: no" in shown.stdout
    assert "jax 1T: nor I" in shown.stdout


def test_curves(pellucid: Any, given: Report, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    curve = CURVES[0]
    given.lines.append(Line(curve, {"eager": [1e-5 * n for n in curve.sizes]}))
    shown = pellucid("bench", "S1", "--plot", str(tmp_path / "s1.svg"))
    assert shown.exit_code == 0
    assert "S1-batch: MLP 784-100-10" in shown.stdout
    assert "eager: slope 1.00" in shown.stdout
    assert "the work grows with slope 1" in shown.stdout
    assert (tmp_path / "s1.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_a_page(pellucid: Any, given: Report, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    given.machine = {
        **MACHINE, "date": "now", "processor": "Abacus", "cores": 2, "memory": None,
        "system": "Wood", "python": "3", "pellucid": "0",
    }  # fmt: skip
    given.rows.append(row())
    shown = pellucid("bench", "--page", str(tmp_path / "speed.md"))
    assert shown.exit_code == 0
    assert "Abacus" in (tmp_path / "speed.md").read_text(encoding="utf-8")
    (tmp_path / "speed.md").unlink()
    given.interrupted = True
    shown = pellucid("bench", "--page", str(tmp_path / "speed.md"))
    assert shown.exit_code == 130
    assert "What was measured until then stands above." in shown.stdout
    assert not (tmp_path / "speed.md").exists(), "half a run is no page"


def test_for_machines(pellucid: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cryptography")
    monkeypatch.setattr(turns, "installed_peers", list)
    shown = pellucid("bench", "H2b", "--quick", "--json")
    assert shown.exit_code == 0
    told = json.loads(shown.stdout)
    assert told["sound"] is True
    assert told["rounds"] == 3
    assert told["machine"]["versions"]["numpy"]
    assert told["absent"] == ["torch", "jax", "gensim", "phe"]
    (work,) = told["workloads"]
    assert work["id"] == "H2b"
    assert work["equal"] is True
    assert len(work["samples"]["secure 1T"]) == 3
    assert work["goals"][0]["goal"]["most"] == 0.05
    assert set(work) >= {"load", "others", "disturbed", "first step", "differences"}


def test_no_such_workload(pellucid: Any) -> None:
    shown = pellucid("bench", "W99")
    assert shown.exit_code == 1
    assert "no workload W99; there are W1, W2, W3, W3b" in shown.stderr
