"""`pellucid tour` as a command: its options, its help, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pellucid.io import load_checkpoint
from pellucid.tour import guide
from pellucid.tour.guide import Options, Stopped

PROGRAM = "from pellucid.cli import main; main()"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """The options with which the tour would begin."""
    found: list[Options] = []
    monkeypatch.setattr(guide, "tour", lambda options, *_: found.append(options))
    return found


def test_without_options(pellucid: Any, asked: list[Options]) -> None:
    assert pellucid("tour").exit_code == 0
    assert asked == [Options("en", Path("pellucid-runs/tour"), None, False, None, 1, None)]


def test_all_options(pellucid: Any, asked: list[Options]) -> None:
    words = "tour --lang zh --out a --continue --small --passes 2 --seed 7 --record b.svg"
    assert pellucid(*words.split()).exit_code == 0
    assert asked == [Options("zh-CN", Path("a"), True, True, 2, 7, Path("b.svg"))]
    pellucid("tour", "--fresh")
    assert asked[1].resume is False


@pytest.mark.parametrize("wrong", [["--passes", "0"], ["--seed", "-1"], ["--lang", "xx"], ["what"]])
def test_what_makes_no_sense(pellucid: Any, asked: list[Options], wrong: list[str]) -> None:
    assert pellucid("tour", *wrong).exit_code == 2
    assert not asked


def test_help_has_examples(pellucid: Any) -> None:
    shown = pellucid("tour", "--help").stdout
    assert "pellucid tour --fresh --seed 2" in shown
    assert "--continue / --fresh" in shown


def test_ctrl_c_is_a_calm_word(pellucid: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any) -> None:
        raise Stopped("Stopped after 1 of 3 passes.")

    monkeypatch.setattr(guide, "tour", stopped)
    shown = pellucid("tour")
    assert shown.exit_code == 130
    assert shown.stderr == "\nStopped after 1 of 3 passes.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
def test_ctrl_c_in_a_process_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "tour", "--small", "--passes", "100000", "--out", "kept"],
        cwd=tmp_path,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert running.stdout is not None
    for line in running.stdout:
        if "pass      2/100000" in line:
            running.send_signal(signal.SIGINT)
            break
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in said
    assert "The next tour offers to go on." in said
    state = load_checkpoint(tmp_path / "kept" / "network")
    assert state["stopped"] == "interrupted"
    assert state["epoch"] >= 2
    assert (tmp_path / "kept" / "network.best.safetensors").exists()
