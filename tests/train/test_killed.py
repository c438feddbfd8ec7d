"""A run that is killed, several times and at any moment, ends with the same bits as another."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pellucid.io import load_checkpoint

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")

PROGRAM = Path(__file__).with_name("longrun.py")


def start(path: Path, *how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(path), *how],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return json.loads(out)  # type: ignore[no-any-return]


def step_in(path: Path) -> int:
    """How far the checkpoint is; a checkpoint that is there is whole."""
    file = path.with_suffix(".safetensors")
    return int(load_checkpoint(file)["step"]) if file.exists() else -1


def wait_for_a_new_checkpoint(process: subprocess.Popen[str], path: Path, before: int) -> None:
    until = time.monotonic() + 60
    while step_in(path) <= min(before, 38) and time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return finish(start(tmp_path_factory.mktemp("undisturbed") / "run"))


def test_killed_at_random_moments(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    path, dice, kills = tmp_path / "run", random.Random(11), []
    for _ in range(4):
        process = start(path, "slow")
        wait_for_a_new_checkpoint(process, path, step_in(path))
        time.sleep(dice.uniform(0.0, 0.06))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        kills.append(step_in(path))
    assert kills == sorted(kills)
    assert 0 < kills[0] < kills[-1] < 40
    ended = finish(start(path))
    assert ended["resumed_at"] == kills[-1]
    assert ended["stopped"] == "finished"
    assert ended["bits"] == undisturbed["bits"]


def test_ctrl_c_leaves_a_whole_checkpoint(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    path = tmp_path / "run"
    process = start(path, "slow")
    wait_for_a_new_checkpoint(process, path, 0)
    process.send_signal(signal.SIGINT)
    ended = finish(process)
    assert ended["stopped"] == "interrupted"
    state = load_checkpoint(path)
    assert state["stopped"] == "interrupted"
    assert 0 < state["step"] <= 40
    again = finish(start(path))
    assert again["resumed_at"] == state["step"]
    assert again["bits"] == undisturbed["bits"]


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    first = finish(start(tmp_path / "run"))
    again = finish(start(tmp_path / "run"))
    assert again["resumed_at"] == 48
    assert again["bits"] == first["bits"]
