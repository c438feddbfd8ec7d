"""`pellucid runs`, and that every `pellucid run` leaves a record and goes on when interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

PROGRAM = "from pellucid.cli import main; main()"
LONG = ("run", "14.10", "--passes", "400", "--hidden", "8", "--characters", "6000")


@pytest.fixture
def two(pellucid: Any) -> None:
    for words in (("--lr", "0.5"), ()):
        assert pellucid("run", "6.20", *words).exit_code == 0


def test_a_run_says_how_it_was_recorded(pellucid: Any, tmp_path: Path) -> None:
    assert "Recorded as 6.20-1." in pellucid("run", "6.20").stdout
    told = json.loads(pellucid("run", "6.20", "--json").stdout)
    assert told["run"] == "6.20-2"
    kept = json.loads((tmp_path / "runs" / "6.20-2.json").read_text(encoding="utf-8"))
    assert kept["numbers"] == told["numbers"]
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["6.20-1.json", "6.20-2.json"]


def test_a_run_that_cannot_be_recorded_is_shown_all_the_same(
    pellucid: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PELLUCID_RUNS", str(tmp_path / "file" / "runs"))
    shown = pellucid("run", "6.20")
    assert shown.exit_code == 0
    assert "0.6342311598444467" in shown.stdout
    assert "the run is not recorded" in shown.stderr


@pytest.mark.usefixtures("two")
def test_a_list(pellucid: Any) -> None:
    pellucid("run", "13.2")
    shown = pellucid("runs").stdout
    assert [line.split()[0] for line in shown.splitlines() if line[:1].isdigit()] == [
        "6.20-1", "6.20-2", "13.2-1",
    ]  # fmt: skip
    assert "lr 0.5" in shown
    assert "as published" in shown
    assert "6/6" in shown
    assert "pellucid runs 6.20-1 6.20-2" in shown
    assert "13.2-1" not in pellucid("runs", "6.22").stdout


@pytest.mark.usefixtures("two")
def test_one_run_in_full(pellucid: Any) -> None:
    shown = pellucid("runs", "6.20-2").stdout
    assert shown.count("0.6342311598444467") == 2
    assert "numpy" in shown
    assert "(other than published)" in pellucid("runs", "6.20-1").stdout
    assert json.loads(pellucid("runs", "6.20-2", "--json").stdout)["run"] == "6.20-2"


@pytest.mark.usefixtures("two")
def test_two_side_by_side(pellucid: Any) -> None:
    lines = pellucid("runs", "6.20-1", "6.20-2").stdout.splitlines()
    assert ["lr", "0.5", "0.2"] in [line.split() for line in lines]
    assert not any(line.startswith("hidden") for line in lines)
    (row,) = (line.split() for line in lines if line.startswith("error after pass 10 "))
    assert row[-3] == row[-1] != row[-2]  # published, the other settings, the published ones
    told = json.loads(pellucid("runs", "6.20-1", "6.20-2", "--json").stdout)
    assert told["settings that differ"] == {"lr": [0.5, 0.2]}
    assert told["versions that differ"] == {}
    assert "Both have the same settings." in pellucid("runs", "6.20-2", "6.20-2").stdout


@pytest.mark.usefixtures("two")
def test_for_machines(pellucid: Any) -> None:
    told = json.loads(pellucid("runs", "--json").stdout)
    assert [r["run"] for r in told["runs"]] == ["6.20-1", "6.20-2"]
    assert told["unfinished"] == []


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_80_columns(pellucid: Any, language: str) -> None:
    for words in ((), ("6.20-1",), ("6.20-1", "6.20-2")):
        shown = pellucid("runs", *words, "--lang", language)
        assert max(map(cell_len, shown.stdout.splitlines())) <= 80
        assert ("第一个深度网络" in shown.stdout) == (language == "zh-CN")


def test_none_yet(pellucid: Any) -> None:
    assert "pellucid run 6.20" in pellucid("runs").stdout
    assert json.loads(pellucid("runs", "--json").stdout) == {"runs": [], "unfinished": []}


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("6.20-9",), 1, "there is no run '6.20-9'"),
        (("6.99",), 1, "there is no experiment 6.99"),
        (("a", "b", "c"), 2, "two runs can be compared at a time"),
        (("6.20-1", "13.2-1"), 2, "runs of the same experiment can be compared"),
    ],
)
def test_mistakes(pellucid: Any, words: tuple[str, ...], status: int, said: str) -> None:
    pellucid("run", "6.20")
    pellucid("run", "13.2")
    failed = pellucid("runs", *words)
    assert failed.exit_code == status
    assert said in " ".join(failed.stderr.split())


# ------------------------------------------------------------------------------------ interrupted


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_keeps_what_was_done_and_the_same_command_goes_on(
    pellucid: Any, tmp_path: Path
) -> None:
    program = "from pellucid.book import keeping; keeping.EVERY = 0; " + PROGRAM
    run = subprocess.Popen(
        [sys.executable, "-u", "-c", program, *LONG], text=True, stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not list(tmp_path.glob("runs/unfinished/*/*.safetensors")):
        assert time.monotonic() < until
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "What was done is kept; the same command goes on from here." in said
    shown = pellucid("runs").stdout
    assert "Interrupted (as published " in shown
    assert "  pellucid run 14.10 --passes 400 --hidden 8 --characters 6000" in shown
    (left,) = json.loads(pellucid("runs", "--json").stdout)["unfinished"]
    done, total = left["parts"]["as published"]
    assert 0 < done < total == 400 * 14
    assert (tmp_path / "runs" / "unfinished").is_dir()


def test_a_run_goes_on_and_begins_anew_when_told(
    pellucid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pellucid.book import letters

    words = ("run", "14.10", "--passes", "2", "--hidden", "8", "--characters", "6000", "--json")
    learn = letters.Learner.one_window
    made = []

    def one_window(self: Any, n: int, result: Any = None) -> None:
        made.append(n)
        if len(made) == 20:
            signal.raise_signal(signal.SIGINT)
        learn(self, n, result)

    monkeypatch.setattr(letters.Learner, "one_window", one_window)
    assert pellucid(*words).exit_code == 130
    after = pellucid(*words)
    assert "Going on with the run that was interrupted (as published: " in after.stderr
    anew = pellucid(*words[:-1], "--fresh", "--json")
    assert anew.stderr == ""
    first, second = json.loads(after.stdout), json.loads(anew.stdout)
    assert first["numbers"] == second["numbers"]
    assert first["plots"] == second["plots"]


def test_only_runs_of_the_same_experiment_are_proposed_for_comparing(pellucid: Any) -> None:
    pellucid("run", "13.2")
    pellucid("run", "6.20")
    assert "Compare two" not in pellucid("runs").stdout
    pellucid("run", "13.2")
    assert "Compare two: pellucid runs 13.2-1 13.2-2" in pellucid("runs").stdout
