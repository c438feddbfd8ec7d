"""The journal: a coordinator that is killed, between rounds or inside one, ends with the same weights."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.errors import CheckpointError, DataError, RoundError
from pellucid.federated import Journal, Local, Trainer, fedavg

PROGRAM = """
import os, signal, sys
import numpy as np
import pellucid
from pellucid import nn
from pellucid.data import ArrayDataset
from pellucid.federated import Local, Trainer, fedavg

journal, weights, where = sys.argv[1:]
pellucid.manual_seed(1)
model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 2))
dice = np.random.Generator(np.random.SFC64(2))


def party(i):
    data = ArrayDataset(dice.normal(size=(9, 5)).astype("f4"), dice.normal(size=(9, 2)).astype("f4"))
    trainer = Trainer(model, data, nn.MSELoss(), seed=i)

    def answer(state, message):
        if where == "inside" and message["round"] == 4 and i == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return trainer(state, message)

    return answer


def after(row):
    if where == "between" and row["round"] == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    row["extra"] = row["round"] * 10


engine = Local({f"p{i}": party(i) for i in range(5)})
history = fedavg(
    model, engine, rounds=7, lr=0.1, batch_size=4, passes=2, per_round=3, seed=5,
    journal=journal or None, on_round=after,
)
asked = [row["parties"] for row in history]
assert [row["extra"] for row in history] == [10, 20, 30, 40, 50, 60, 70]
pellucid.save(model.state_dict(), weights)
print(asked)
"""


def run(folder: Path, journal: str, name: str, where: str) -> subprocess.CompletedProcess[str]:
    path = str(folder / journal) if journal else ""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, path, str(folder / name), where]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("undisturbed")
    done = run(folder, "", "whole.safetensors", "")
    assert done.returncode == 0, done.stderr
    return pellucid.load(folder / "whole.safetensors"), done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("where", ["inside", "between"])
def test_killed_and_gone_on_is_as_if_nothing_had_happened(
    tmp_path: Path, undisturbed: tuple[dict[str, Any], str], where: str
) -> None:
    weights, asked = undisturbed
    # the party that kills is number 2; with this seed it is asked in round 4
    killed = run(tmp_path, "j", "w.safetensors", where)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (tmp_path / "w.safetensors").exists()
    again = run(tmp_path, "j", "w.safetensors", "")
    assert again.returncode == 0, again.stderr
    assert again.stdout == asked
    found = pellucid.load(tmp_path / "w.safetensors")
    for name, tensor in weights.items():
        assert np.array_equal(found[name].numpy(), tensor.numpy()), name


def test_finished_rounds_are_not_made_again(
    tmp_path: Path, line: nn.Linear, trainers: dict[str, Trainer]
) -> None:
    path, asked = tmp_path / "j", []

    def noting(name: str) -> Any:
        def party(state: Any, message: Any) -> Any:
            asked.append(message["round"])
            return trainers[name](state, message)

        return party

    start = {name: t.numpy().copy() for name, t in line.state_dict().items()}
    engine = Local({name: noting(name) for name in trainers})
    how = {"lr": 0.1, "journal": path}
    first = fedavg(line, engine, rounds=2, **how)
    after_two = line.weight.data.copy()
    line.load_state_dict(start)
    assert fedavg(line, engine, rounds=2, **how) == first
    assert np.array_equal(line.weight.data, after_two)
    assert asked == [1, 1, 1, 2, 2, 2]
    assert len(fedavg(line, engine, rounds=3, **how)) == 3
    assert asked[6:] == [3, 3, 3]


def test_a_round_that_failed_is_not_in_it(
    tmp_path: Path, line: nn.Linear, trainers: dict[str, Trainer]
) -> None:
    broken = {"on": True}

    def party(state: Any, message: Any) -> Any:
        if broken["on"] and message["round"] == 2:
            return None, state
        return trainers["anna"](state, message)

    engine, how = Local({"anna": party}), {"rounds": 3, "lr": 0.1, "journal": tmp_path / "j"}
    with pytest.raises(RoundError, match="round 2"):
        fedavg(line, engine, **how)
    broken["on"] = False
    assert [row["round"] for row in fedavg(line, engine, **how)] == [1, 2, 3]


def test_another_training_is_refused(
    tmp_path: Path, line: nn.Linear, trainers: dict[str, Trainer]
) -> None:
    path = tmp_path / "j"
    fedavg(line, Local(trainers), rounds=1, lr=0.1, journal=path)
    with pytest.raises(CheckpointError, match=r"lr: 0\.1 then, 0\.2 now"):
        fedavg(line, Local(trainers), rounds=1, lr=0.2, journal=path)
    other = nn.Linear(3, 1).double()
    with pytest.raises(CheckpointError, match="shapes: "):
        fedavg(other, Local(trainers), rounds=1, lr=0.1, journal=path)


def test_a_damaged_journal(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal(path, {}).write({"w": np.ones(5)})
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match="j is no journal, or damaged"):
        Journal(path, {}).read()
    path.write_bytes(b"something else")
    with pytest.raises(DataError, match="no message of Pellucid"):
        Journal(path, {}).read()
    assert Journal(tmp_path / "none", {}).read() is None
