"""`pellucid federate`: an example to begin with, all parties in one process, keys, and what is missing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as library
from pellucid.federated.journal import rounds_in

Call = Callable[..., Any]


@pytest.fixture
def plan(pellucid: Call, tmp_path: Path) -> Path:
    """A plan with a task of one's own."""
    done = pellucid("federate", "new", str(tmp_path / "mine"), "--task", "task.py")
    assert done.exit_code == 0
    assert "Try it: pellucid federate simulate" in done.output
    return tmp_path / "mine" / "plan.toml"


def shortened(plan: Path, rounds: int) -> None:
    plan.write_text(plan.read_text().replace("rounds = 20", f"rounds = {rounds}"))


def test_an_example_is_simulated(pellucid: Call, plan: Path) -> None:
    shortened(plan, 3)
    done = pellucid("federate", "simulate", str(plan))
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[0] == "task: 3 parties, 3 rounds, secret sum."
    assert [line[:25] for line in lines[1:4]] == [f"Round {n}: anna, ben, cleo." for n in (1, 2, 3)]
    assert lines[4].startswith("Right on test data: ")
    assert (plan.parent / "plan.simulated.safetensors").exists()
    again = pellucid("federate", "simulate", str(plan))
    assert "Going on after round 3" in again.output
    assert "Round 1" not in again.output
    assert "Round 1" in pellucid("federate", "simulate", str(plan), "--fresh").output


def test_in_chinese(pellucid: Call, plan: Path) -> None:
    shortened(plan, 1)
    done = pellucid("federate", "simulate", str(plan), "--lang", "zh-CN")
    assert "3 个参与方，1 轮，秘密求和。" in done.output
    assert "第 1 轮：anna, ben, cleo。" in done.output


def test_for_machines(pellucid: Call, plan: Path, tmp_path: Path) -> None:
    shortened(plan, 2)
    out = tmp_path / "weights.safetensors"
    done = pellucid("federate", "simulate", str(plan), "--json", "-o", str(out))
    found = json.loads(done.stdout)
    assert [row["round"] for row in found["rounds"]] == [1, 2]
    assert found["weights"] == str(out)
    assert set(library.load(out)) == {"0.weight", "0.bias", "2.weight", "2.bias"}


def test_digits_on_stand_in_data(pellucid: Call, tmp_path: Path) -> None:
    plan = tmp_path / "digits" / "plan.toml"
    pellucid("federate", "new", str(plan.parent), "--task", "digits", "--sum", "median")
    plan.write_text(plan.read_text().replace("rounds = 5", "rounds = 2"))
    done = pellucid("federate", "simulate", str(plan), "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["rounds"][-1]["accuracy"] > 0.2
    said = pellucid("federate", "simulate", str(plan)).output
    assert "MNIST is not here; scikit-learn's digits of 8 by 8" in " ".join(said.split())


def test_the_spam_filter_on_made_up_mails(pellucid: Call, tmp_path: Path) -> None:
    pellucid("federate", "new", str(tmp_path / "spam"))
    done = pellucid("federate", "simulate", str(tmp_path / "spam" / "plan.toml"))
    assert done.exit_code == 0
    assert "Enron-Spam is not here; made-up mails used instead" in " ".join(done.output.split())
    assert "spam filter: 3 parties, 3 rounds, secret sum." in done.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("simulate", "none.toml"), 1, "there is no plan none.toml"),
        (("new", "x", "--sum", "open", "--parties", "anna"), 1, "at least two parties"),
        (("new", "x", "--sum", "closed"), 1, "the sum is 'closed'; there are: open"),
        (("key", "x.key", "--sum", "closed"), 2, "--sum is paillier or ckks, not closed"),
    ],
)
def test_what_is_wrong_is_said(
    pellucid: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...], code: int, said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    done = pellucid("federate", *words)
    assert done.exit_code == code
    assert said in " ".join(done.output.split())
    assert not list(tmp_path.glob("x*"))


def test_a_task_that_there_is_not(pellucid: Call, plan: Path) -> None:
    plan.write_text(plan.read_text().replace('"task.py"', '"spma"'))
    done = pellucid("federate", "simulate", str(plan))
    assert done.exit_code == 1
    assert 'it is "spam" or "digits", or a Python file of your own' in done.output


@pytest.mark.skipif(find_spec("flwr") is not None, reason="Flower is installed here")
@pytest.mark.parametrize("words", [("coordinator",), ("party", "anna")])
def test_without_flower(pellucid: Call, plan: Path, words: tuple[str, ...]) -> None:
    done = pellucid("federate", words[0], str(plan), *words[1:])
    assert done.exit_code == 1
    assert "pip install 'pellucid[flower]'" in done.output


def test_keys(pellucid: Call, tmp_path: Path) -> None:
    file = tmp_path / "anna.key"
    done = pellucid("federate", "key", str(file))
    assert done.exit_code == 0
    assert len(bytes.fromhex(done.stdout.split()[-1])) == 32
    again = pellucid("federate", "key", str(file))
    assert again.exit_code == 1
    assert "is there already" in again.output
    done = pellucid("federate", "key", str(tmp_path / "sum.key"), "--sum", "paillier")
    assert done.exit_code == 0
    assert (tmp_path / "sum.public").exists()


@pytest.mark.parametrize("command", ["simulate", "coordinator", "party", "new", "key"])
def test_help_has_examples(pellucid: Call, command: str) -> None:
    done = pellucid("federate", command, "--help")
    assert done.exit_code == 0
    assert f"pellucid federate {command}" in done.output.split("Examples:")[1]
    assert max(map(len, done.output.splitlines())) <= 80


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_and_gone_on_is_as_if_nothing_had_happened(
    pellucid: Call, plan: Path, how: signal.Signals
) -> None:
    shortened(plan, 40)
    whole = plan.parent / "whole.safetensors"
    assert pellucid("federate", "simulate", str(plan), "-o", str(whole)).exit_code == 0
    journal = plan.with_suffix(".simulated.journal")
    journal.unlink()
    program = "from pellucid.cli import main; main()"
    command = [sys.executable, "-c", program, "federate", "simulate", str(plan)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    give_up = time.monotonic() + 60
    while rounds_in(journal) < 2:
        assert time.monotonic() < give_up
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.send_signal(how)
    _, said = process.communicate()
    if how == signal.SIGINT:
        assert process.returncode == 130, said
        assert "the same command goes on from there" in said
    assert 2 <= rounds_in(journal) < 40
    done = pellucid("federate", "simulate", str(plan))
    assert "Going on after round" in done.output
    one, other = library.load(whole), library.load(plan.parent / "plan.simulated.safetensors")
    for name in one:
        assert np.array_equal(one[name].numpy(), other[name].numpy()), name
