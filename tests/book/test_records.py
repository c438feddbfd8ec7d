"""Records of runs, and runs that were interrupted and go on with the same bits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.book import (
    Experiment,
    Figure,
    Result,
    all_experiments,
    find,
    records,
    texts,
)
from pellucid.book.errata import errata
from pellucid.book.keeping import Keeper, mark
from pellucid.errors import ArgumentError, CheckpointError, DataError


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PELLUCID_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


class Walk:
    """A random walk: what it consists of, and where it has been."""

    def __init__(self) -> None:
        self.places = [0.0]

    def state_dict(self) -> dict[str, Any]:
        return {"places": self.places}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.places = list(state["places"])


HOOK: list[Callable[[int], None]] = []  # called in each turn of the experiment below


def walking(result: Result, *, turns: int = 6, seed: int = 1, label: str = "") -> None:
    """Two walks, one after the other.

    Args:
        turns: of each.
        seed: of the steps.
        label: of the walk.
    """
    for name in ("first", "second"):
        walk = Walk()
        for n in result.track(range(turns), keep=walk, name=name):
            for hook in HOOK:
                hook(n + turns * (name == "second"))
            if result.step(f"turn {n}"):
                result.predict("place", "where it is", walk.places[-1])
            walk.places.append(walk.places[-1] + pellucid.rand(1).item())
        result.number(f"end of the {name}", walk.places[-1])
        result.plot(name, {"place": walk.places})


EXPERIMENT = Experiment(
    walking, "99.1", "99.1", [Figure("end of the first", 3.0, within=99)], False
)


@pytest.fixture
def hook() -> Any:
    yield HOOK.append
    HOOK.clear()


def told(result: Result) -> dict[str, Any]:
    """All there is, but for the time it took."""
    return {**result.as_dict(), "seconds": 0}


# ------------------------------------------------------------------------------------ interrupted


@pytest.mark.parametrize("at", [0, 3, 5, 6, 8, 11])
def test_a_run_stopped_in_any_turn_ends_with_the_same_bits(
    at: int, hook: Any, tmp_path: Path
) -> None:
    whole = told(EXPERIMENT.run())
    hook(lambda n: signal.raise_signal(signal.SIGINT) if n == at else None)
    keeper = Keeper(tmp_path / "kept")
    with pytest.raises(KeyboardInterrupt):
        EXPERIMENT.run(keeper=keeper)
    HOOK.clear()
    turns: list[int] = []
    hook(turns.append)
    said: list[tuple[str, int, int]] = []
    again = Keeper(tmp_path / "kept", announce=lambda *words: said.append(words))
    assert told(EXPERIMENT.run(keeper=again)) == whole
    assert turns == list(range(at + 1, 12))  # the turn in which Ctrl-C came was made to its end
    assert said[-1][1:] == ((at % 6) + 1, 6)
    again.forget()
    assert not again.there


def test_what_happened_between_two_savings_is_made_again(hook: Any, tmp_path: Path) -> None:
    def fail(n: int) -> None:
        if n == 4:
            raise RuntimeError("the current is gone")

    hook(fail)
    whole_evening = Keeper(tmp_path / "rarely", every=1000)
    every_turn = Keeper(tmp_path / "always", every=-1)
    for keeper in (whole_evening, every_turn):
        with pytest.raises(RuntimeError):
            EXPERIMENT.run(keeper=keeper)
    assert not whole_evening.there
    HOOK.clear()
    turns: list[int] = []
    hook(turns.append)
    whole = told(EXPERIMENT.run(keeper=every_turn))
    assert turns == list(range(4, 12))
    assert whole == told(EXPERIMENT.run())


PROGRAM = """
import sys, os
sys.path.insert(0, sys.argv[1])
import test_records
from pathlib import Path
from pellucid.book.keeping import Keeper
test_records.HOOK.append(lambda n: os.kill(os.getpid(), 9) if n == 8 else None)
test_records.EXPERIMENT.run(keeper=Keeper(Path(sys.argv[2]), every=-1))
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_a_killed_run_ends_with_the_same_bits(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", PROGRAM, here, str(tmp_path / "kept")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    said: list[Any] = []
    keeper = Keeper(tmp_path / "kept", announce=lambda *words: said.append(words))
    assert told(EXPERIMENT.run(keeper=keeper)) == told(EXPERIMENT.run())
    assert said == [("first", 6, 6), ("second", 2, 6)]
    assert EXPERIMENT.run(keeper=keeper).seconds > keeper.seconds > 0


def test_where_nothing_can_be_kept_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    keeper = Keeper(tmp_path / "file" / "kept", every=-1)
    assert told(EXPERIMENT.run(keeper=keeper)) == told(EXPERIMENT.run())


def test_without_a_keeper_nothing_is_written(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    EXPERIMENT.run()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_gone_on_with_says_so(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "kept")
    EXPERIMENT.run(keeper=keeper)
    (path,) = (tmp_path / "kept").glob("first.safetensors")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(
        CheckpointError, match=r"(?s)cannot be gone on with:.*Begin anew with --fresh"
    ):
        EXPERIMENT.run(keeper=keeper)


def test_settings_have_a_mark_of_their_own_and_files_that_of_their_content(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    one = mark({"text": str(file), "lr": 0.1})
    assert one == mark({"lr": 0.1, "text": str(file)}) != mark({"lr": 0.2, "text": str(file)})
    file.write_text("two")
    assert one != mark({"text": str(file), "lr": 0.1})


def test_unfinished_runs_are_listed(hook: Any, runs: Path) -> None:
    hook(lambda n: signal.raise_signal(signal.SIGINT) if n == 7 else None)
    settings = EXPERIMENT.settle({"label": "a"})
    keeper = records.keeper(EXPERIMENT, settings, 3)
    with pytest.raises(KeyboardInterrupt):
        EXPERIMENT.run(keeper=keeper, label="a")
    (left,) = records.unfinished()
    assert (left.id, left.changed) == ("99.1", {"label": "a"})
    assert left.parts == {"first": (6, 6), "second": (2, 6)}
    assert records.keeper(EXPERIMENT, EXPERIMENT.settle({}), 3).folder != keeper.folder
    keeper.forget()
    assert records.unfinished() == []
    assert not (runs / "unfinished").exists()


# ---------------------------------------------------------------------------------------- records


def test_a_record_has_all_that_one_wants_to_know(runs: Path) -> None:
    e = find("6.20")
    result = e.run(lr=0.5)
    record = records.write(e, result)
    assert record.name == "6.20-1"
    content = json.loads((runs / "6.20-1.json").read_text(encoding="utf-8"))
    assert content == record.content
    assert content["parameters"] == {"lr": 0.5, "passes": 60, "hidden": 4, "seed": 1}
    assert content["changed"] == {"lr": 0.5}
    assert content["numbers"] == result.numbers
    assert content["versions"]["numpy"] == np.__version__
    assert content["agreements"][0]["ok"]
    assert content["began"][10] == "T"
    assert record.met == (0, 0)  # with other settings nothing is compared


def test_runs_are_counted_for_each_experiment() -> None:
    six, thirteen = find("6.20"), find("13.2")
    names = [records.write(e, e.run()).name for e in (six, thirteen, six)]
    assert names == ["6.20-1", "13.2-1", "6.20-2"]
    assert [r.name for r in records.every("6.20")] == ["6.20-1", "6.20-2"]
    assert {r.name for r in records.every()} == set(names)
    assert records.named("6.20-2").met == (6, 6)


def test_what_is_no_record_is_passed_over(runs: Path) -> None:
    e = find("6.20")
    records.write(e, e.run())
    for name, content in {
        "6.20-7": "", "6.20-8": "{}", "6.20-9": '{"kind": "soup", "format": 1}', "notes": "[]",
        "9-1": "null",
    }.items():  # fmt: skip
        (runs / f"{name}.json").write_text(content)
    assert [r.name for r in records.every()] == ["6.20-1"]
    assert records.write(e, e.run()).name == "6.20-10"  # no name is given twice
    with pytest.raises(DataError, match="is no record of a run, or damaged"):
        records.named("6.20-8")


def test_a_name_that_is_not_there(runs: Path) -> None:
    with pytest.raises(ArgumentError, match=r"there is no run '6.20-1' in .*; there are none yet"):
        records.named("6.20-1")
    e = find("6.20")
    records.write(e, e.run())
    for name in ("6.20-2", "../6.20-1", "6.20", ""):
        with pytest.raises(ArgumentError, match=r"there are: 6\.20-1"):
            records.named(name)


def test_a_folder_that_cannot_be_written_to(runs: Path) -> None:
    runs.write_text("a file in the way")
    e = find("6.20")
    with pytest.raises(DataError, match=r"(?s)the run is not recorded.*in PELLUCID_RUNS"):
        records.write(e, e.run())


def test_runs_lie_in_this_folder_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PELLUCID_RUNS")
    assert records.folder() == Path("pellucid-runs")


# ----------------------------------------------------------------------------------------- errata


def test_every_mistake_is_told_in_both_languages_and_has_both_numbers() -> None:
    found = {e.experiment.id: e for e in errata()}
    assert {"8.1", "8.7", "8.11", "9.9", "13.20", "14.1", "14.10"} <= set(found)
    for e in found.values():
        assert len(e.text("en")) > 200
        assert len(e.text("zh-CN")) > 100
        assert e.record is None
        assert all(line.ours is line.corrected is None for line in e.lines)
        assert [line.name for line in e.lines] == [f.name for f in e.experiment.figures]


def test_whoever_speaks_of_a_mistake_is_in_the_list() -> None:
    listed = {e.experiment.id for e in errata()}
    for chapter in {e.chapter for e in all_experiments()}:
        says = texts.read("en", f"chapter{chapter:02}").get("says", {})
        assert {name for name, said in says.items() if "mistake" in said} <= listed


def test_numbers_come_from_the_latest_run_with_the_published_settings() -> None:
    e = find("13.20")
    for settings in ({}, {"lr": 0.3}):
        records.write(e, e.run(**settings))
    (mine,) = (x for x in errata() if x.experiment.id == "13.20")
    assert mine.record is not None
    assert mine.record.name == "13.20-1"
    (line,) = (line for line in mine.lines if line.name == "loss of step 10")
    assert line.ours == pytest.approx(float(line.published), abs=1e-12)
    assert line.corrected == e.run().numbers["loss of step 10, corrected"]
