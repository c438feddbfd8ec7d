"""The network in earnest: a SuperLink, three SuperNodes, a coordinator and parties, a process each.

Slow, and run by `make network` in an environment of its own, where Flower is installed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.federated import Message
from pellucid.federated.example import write_example
from pellucid.federated.federation import lead, read_task, rehearse
from pellucid.federated.flower.connection import free_port
from pellucid.federated.journal import rounds_in
from pellucid.federated.plan_file import read_plan

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("flwr") is None, reason="Flower is not installed: make network"),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]

NAMES = ("anna", "ben", "cleo")
PATIENCE = 200.0  # seconds until a test gives up

TASK = '''
"""A small network, in float64, so that equal means equal. What is going on is noted in a file."""

import os
import signal
from pathlib import Path

import numpy as np

from pellucid import nn
from pellucid.data import ArrayDataset

HERE = Path(__file__).parent
SIZES = {"anna": 12, "ben": 20, "cleo": 8}


def model():
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Dropout(0.2), nn.Linear(5, 2)).double()


def data(party):
    dice = np.random.default_rng(SIZES[party])
    return ArrayDataset(dice.normal(size=(SIZES[party], 3)), dice.normal(size=(SIZES[party], 2)))


def loss(prediction, target):
    if (notes := os.environ.get("NOTES")) is not None:
        with open(notes, "a") as file:
            file.write("step\\n")
        if sum(1 for _ in open(notes)) == int(os.environ.get("DIES", -1)):
            os.kill(os.getpid(), signal.SIGKILL)
    return nn.functional.mse_loss(prediction, target)
'''


class Federation:
    """A plan in a folder, and the processes that carry it out."""

    def __init__(self, folder: Path, sum: str, rounds: int, deadline: float = 60.0) -> None:
        self.folder, self.plan = folder, folder / "plan.toml"
        (folder / "task.py").write_text(TASK)
        write_example(folder, NAMES, sum, "task.py", f"127.0.0.1:{free_port()}")
        text = self.plan.read_text()
        text = text.replace("rounds = 20", f"rounds = {rounds}")
        text = text.replace("batch_size = 20", "batch_size = 4\npasses = 2")
        self.plan.write_text(text.replace("deadline = 60.0", f"deadline = {deadline}"))
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """A process of `pellucid federate`; its words go into a file."""
        program = "import sys; from pellucid.cli import main; sys.exit(main())"
        return self.run([sys.executable, "-c", program, "federate", *words], **environment)

    def run(self, command: list[str], **environment: str) -> subprocess.Popen[str]:
        with (self.folder / "said.log").open("a") as log:
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PELLUCID_LANG": "en", **environment},
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def party(self, name: str, **environment: str) -> subprocess.Popen[str]:
        notes = str(self.folder / f"{name}.steps")
        return self.start("party", str(self.plan), name, NOTES=notes, **environment)

    def coordinator(self) -> subprocess.Popen[str]:
        return self.start("coordinator", str(self.plan), "--json")

    def steps(self, name: str) -> int:
        """How many steps a party has learned."""
        notes = self.folder / f"{name}.steps"
        return len(notes.read_text().splitlines()) if notes.exists() else 0

    def finished(self) -> int:
        return rounds_in(self.folder / "plan.journal")

    def said(self) -> str:
        logs = [self.folder / "said.log", *self.folder.glob(".flower/*/*.log")]
        return "\n".join(f"--- {log}\n{log.read_text()[-3000:]}" for log in logs if log.exists())

    def until(self, happened: Callable[[], bool]) -> None:
        give_up = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < give_up, self.said()
            time.sleep(0.02)

    def result(self, coordinator: subprocess.Popen[str]) -> tuple[dict[str, Any], list[Any]]:
        """The weights and the rounds."""
        out, _ = coordinator.communicate(timeout=PATIENCE)
        assert coordinator.returncode == 0, self.said()
        weights = pellucid.load(self.folder / "plan.safetensors")
        return {name: t.numpy() for name, t in weights.items()}, json.loads(out)["rounds"]

    def locally(self, gone: Callable[[int, Message], set[str]]) -> dict[str, Any]:
        """The same in one process, with those who are gone at some step left out of it."""
        plan = read_plan(self.plan)
        task = read_task(self.folder / "task.py")
        plan, engine, public = rehearse(plan, task)
        model, _ = lead(plan, task, Without(engine, gone), public=public)
        return {name: tensor.numpy() for name, tensor in model.state_dict().items()}

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.communicate(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


class Without:
    """An engine on which some answers do not arrive."""

    def __init__(self, engine: Any, gone: Callable[[int, Message], set[str]]) -> None:
        self.engine, self.gone, self.round = engine, gone, 0
        self.parties, self.sent, self.received = engine.parties, 0, 0
        self.missing: dict[str, str] = {}

    def ask(self, messages: Mapping[str, Message]) -> dict[str, Message]:
        first = next(iter(messages.values()))
        self.round += first.get("step", "keys") == "keys" and first["do"] != "open"
        replies = self.engine.ask(messages)
        gone = self.gone(self.round, first)
        self.missing = {**self.engine.missing, **dict.fromkeys(gone, "gone")}
        return {name: reply for name, reply in replies.items() if name not in gone}


def nobody(round: int, message: Message) -> set[str]:
    return set()


def same(a: Mapping[str, Any], b: Mapping[str, Any]) -> None:
    assert set(a) == set(b)
    for name in a:
        assert np.array_equal(a[name], b[name]), name


def left_over(folder: Path) -> list[str]:
    """Processes that have to do with a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            where = str((process / "cwd").readlink())
        except OSError:
            continue
        if str(folder) in words or where.startswith(str(folder)):
            found.append(words)
    return found


@pytest.fixture
def federate(tmp_path: Path) -> Iterator[Callable[..., Federation]]:
    made: list[Federation] = []

    def make(**how: Any) -> Federation:
        made.append(Federation(tmp_path, **how))
        return made[-1]

    yield make
    for federation in made:
        federation.end()
    give_up = time.monotonic() + 10
    while Path("/proc").exists() and (left := left_over(tmp_path)):
        assert time.monotonic() < give_up, f"still running: {left}"
        time.sleep(0.1)


def test_over_the_network_as_in_one_process(federate: Callable[..., Federation]) -> None:
    network = federate(sum="secret", rounds=2)
    for name in NAMES:
        network.party(name)
    start = time.monotonic()
    weights, rounds = network.result(network.coordinator())
    same(weights, network.locally(nobody))
    assert [row["parties"] for row in rounds] == [list(NAMES)] * 2
    assert [row["missing"] for row in rounds] == [{}] * 2
    each = ", ".join(f"{row['seconds']:.1f}" for row in rounds)
    print(
        f"\na secret sum over loopback: {each} s a round; {time.monotonic() - start:.1f} s in all"
    )


def test_a_party_that_is_killed_in_a_round_is_left_out(
    federate: Callable[..., Federation],
) -> None:
    network = federate(sum="secret", rounds=3, deadline=30.0)
    for name in ("anna", "ben"):
        network.party(name)
    a_round = 2 * 8 // 4  # steps: passes * examples / batch
    cleo = network.party("cleo", DIES=str(a_round + 2))
    weights, rounds = network.result(network.coordinator())
    assert cleo.wait(10) == -signal.SIGKILL
    assert [row["parties"] for row in rounds] == [list(NAMES), ["anna", "ben"], ["anna", "ben"]]
    assert rounds[1]["missing"]["cleo"] in ("has gone", "took longer than 30 s")
    assert rounds[2]["missing"] == {"cleo": "is not here"}

    def gone(round: int, message: Message) -> set[str]:
        late = round == 2 and message["step"] not in ("keys", "share")
        return {"cleo"} if late or round > 2 else set()

    same(weights, network.locally(gone))


def test_a_coordinator_that_is_killed_goes_on(federate: Callable[..., Federation]) -> None:
    network = federate(sum="secret", rounds=3)
    for name in NAMES:
        network.party(name)
    killed = network.coordinator()
    network.until(lambda: network.finished() == 1)  # between rounds
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    before = network.finished()
    killed = network.coordinator()
    steps = network.steps("ben")
    network.until(lambda: network.steps("ben") > steps)  # inside a round
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    assert before <= network.finished() < 3
    weights, rounds = network.result(network.coordinator())
    assert [row["round"] for row in rounds] == [1, 2, 3]
    assert [row["parties"] for row in rounds] == [list(NAMES)] * 3
    same(weights, network.locally(nobody))


BAD_PARTY = '''
import sys
from pathlib import Path
from pellucid.federated.federation import party_of, read_task
from pellucid.federated.flower import Desk
from pellucid.federated.flower.connection import serve
from pellucid.federated.keys import public_of, read_identity, write_identity
from pellucid.federated.plan_file import read_plan

folder, name = Path(sys.argv[1]), sys.argv[2]
plan, task = read_plan(folder / "plan.toml"), read_task(folder / "task.py")
stranger = name == "mallory"
identity = write_identity(folder / "mallory.key") if stranger else read_identity(folder / f"{name}.key")
party = None if stranger else party_of(plan, task, name, identity, plan.public_key())
desk = Desk(
    party, name, identity, plan=plan.mark, memory=folder / f"{name}.memory",
    coordinator=public_of("", plan.network.coordinator), most_bytes=plan.network.most_bytes,
)
number, before = 0, b""


def answer(letter):
    """Honest in the end, after all that could be wrong with an answer."""
    global number, before
    honest = desk.answer(letter)
    number += 1
    old, before = before, honest
    ask = number - 1  # the first letter is hello
    if ask == 1:
        return honest + bytes(2 * plan.network.most_bytes)  # too large
    if ask == 2:
        return honest[:8] + b"\\x09" + honest[9:]  # of another version
    if ask == 3:
        return old  # said once more
    if ask == 4:
        return honest[:-1] + bytes([honest[-1] ^ 1])  # changed on its way
    return honest


serve(folder / ".flower" / name, plan.network.address, answer)
'''


def test_what_is_wrong_with_an_answer_is_said_and_the_others_go_on(
    federate: Callable[..., Federation],
) -> None:
    network = federate(sum="paillier", rounds=5)  # locked, and opened by a fourth party
    network.plan.write_text(network.plan.read_text() + "most_bytes = 100_000\n")
    for name in ("anna", "ben", "holder"):
        network.party(name)
    for name in ("cleo", "mallory"):
        network.run([sys.executable, "-c", BAD_PARTY, str(network.folder), name])
    weights, rounds = network.result(network.coordinator())
    reasons = [row["missing"].get("cleo") for row in rounds]
    assert reasons[0].startswith("not accepted: this letter has ")
    assert "at most 100,000 are allowed" in reasons[0]
    assert reasons[1].startswith("not accepted: this message is of version 9, ")
    assert reasons[2] == "not accepted: cleo answers another letter than the one it was sent"
    assert reasons[3].startswith("not accepted: this is not what cleo signed: it was changed ")
    assert reasons[4] is None
    said = (network.folder / "said.log").read_text()
    assert "somebody came and takes no part: 'mallory' is not registered" in said
    assert [row["parties"] for row in rounds] == [["anna", "ben"]] * 4 + [list(NAMES)]
    same(weights, network.locally(lambda round, _: {"cleo"} if round < 5 else set()))
