"""From a plan to parties and a coordinator: the same ones in one process and over a network."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import ArgumentError
from ..nn.module import Module
from ..optim import SGD
from ..random import manual_seed
from . import ckks, paillier
from .averaging import Row, fedavg
from .encrypted_sum import KeyHolder
from .engine import Around, Engine, Local, Party
from .plan import Plan
from .secure_aggregation import Identity
from .trainer import Loss, MakeOptimizer, Trainer

EXAMPLE = '''"""What is learned: three functions, and a fourth for whoever wants to see how good it gets.

A party needs model, loss and data, and reads its own data only; the coordinator needs model and, if it
has data to test with, accuracy.
"""

import numpy as np

from pellucid import Tensor, nn, no_grad
from pellucid.data import ArrayDataset


def model():
    """The network; the same everywhere."""
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))


loss = nn.MSELoss()


def data(party):
    """What a party has; in earnest, read here from its own disk."""
    return points(np.random.default_rng(sum(map(ord, party))), 200)


def accuracy(network):
    """The share of points on the right side."""
    test = points(np.random.default_rng(0), 1000)
    inputs, targets = map(np.stack, zip(*(test[i] for i in range(len(test)))))
    with no_grad():
        return float(((network(Tensor(inputs)).numpy() > 0) == (targets > 0)).mean())


def points(dice, count):
    """Points in the plane; above 0 inside a circle, below 0 outside."""
    x = dice.normal(size=(count, 2)).astype(np.float32)
    return ArrayDataset(x, np.where((x**2).sum(axis=1, keepdims=True) < 1.5, 1, -1).astype(np.float32))
'''


@dataclass(frozen=True)
class Task:
    """What is learned.

    Attributes:
        name: how it is called.
        model: makes the network.
        loss: compares prediction and targets.
        data: the dataset of a party, by its name.
        accuracy: the share that a network gets right, where somebody can tell.
        optimizer: made anew each round, `optimizer(parameters, lr=lr)`.
        replaced: if other data stand in for real ones: `what` is not here, and what is used `instead`.
    """

    name: str
    model: Callable[[], Module]
    loss: Loss
    data: Callable[[str], Any]
    accuracy: Callable[[Any], float] | None = None
    optimizer: MakeOptimizer = SGD
    replaced: Mapping[str, str] | None = None


def read_task(path: Path) -> Task:
    """A task from a Python file, which is run.

    Args:
        path: a file with `model()`, `loss`, `data(party)` and, if wanted, `accuracy(model)` and
            `optimizer`, such as `optim.Adam`.

    Raises:
        ArgumentError: there is no such file, or something is missing in it.
    """
    if not path.exists():
        raise ArgumentError(f"[learning] task: there is no file {path}")
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ArgumentError(f"[learning] task: {path} is no Python file")
    module = module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    parts = {name: _function(module, path, name) for name in ("model", "loss", "data")}
    more = {name: vars(module)[name] for name in ("accuracy", "optimizer") if name in vars(module)}
    return Task(path.stem, **parts, **more)


def _function(module: ModuleType, path: Path, name: str) -> Any:
    found = getattr(module, name, None)
    if not callable(found):
        has = ", ".join(n for n, value in vars(module).items() if callable(value) and n[0] != "_")
        raise ArgumentError(
            f"[learning] task: {path.name} has no {name}; it has: {has or 'nothing to call'}.\n"
            "What it needs stands in the example:  pellucid federate new FOLDER --task task.py"
        )
    return found


def party_of(
    plan: Plan, task: Task, name: str, identity: Identity | None = None, lock: Any = None
) -> Party:
    """One of the parties of a plan.

    Args:
        plan: what was agreed on.
        task: what is learned.
        name: which party.
        identity: its own key.
        lock: for a locked sum, the public key, or for its holder the private one.

    Raises:
        ArgumentError: no party has this name, or its key is another one.
    """
    if name not in plan.parties:
        raise ArgumentError(f"the plan has no party {name!r}; it has: {', '.join(plan.parties)}")
    if name == plan.protection.holder:
        return KeyHolder(lock, plan.encoding)
    place = plan.learners.index(name)
    trainer = Trainer(
        task.model(), task.data(name), task.loss, optimizer=task.optimizer, seed=place
    )
    return plan.hidden(trainer, name, identity, lock)


def lead(
    plan: Plan,
    task: Task,
    engine: Engine,
    *,
    public: Any = None,
    journal: Path | None = None,
    on_round: Callable[[Row], None] | None = None,
) -> tuple[Module, list[Row]]:
    """The coordinator: what was agreed on, from the first round, or the first that is not finished.

    Args:
        plan: what was agreed on.
        task: what is learned.
        engine: reaches all parties.
        public: for a locked sum, the public key.
        journal: a file; finished rounds in it are not made again.
        on_round: called with the figures of each round.

    Returns:
        The model, and the figures of all rounds as `fedavg` gives them.

    Raises:
        RoundError: too few parties answered; finished rounds are in the journal.
    """
    how, holder = plan.learning, plan.protection.holder
    manual_seed(how.seed)
    model = task.model()

    def after(row: Row) -> None:
        if task.accuracy is not None:
            row["accuracy"] = task.accuracy(model)
        if on_round is not None:
            on_round(row)

    spent = None if journal is None else journal.with_suffix(".spent")
    keeper = Only(engine, (holder,)) if holder else None
    history = fedavg(
        model,
        Only(engine, plan.learners),
        rounds=how.rounds,
        lr=how.lr,
        passes=how.passes,
        batch_size=how.batch_size,
        shuffle=how.shuffle,
        mu=how.mu,
        summing=plan.summing(keeper, public, spent),
        per_round=how.per_round or None,
        at_least=how.at_least,
        seed=how.seed,
        journal=journal,
        on_round=after,
    )
    return model, history


def rehearse(plan: Plan, task: Task) -> tuple[Plan, Local, Any]:
    """Everything in one process, with keys made for the occasion.

    Returns:
        The plan with these keys, an engine with all parties, and the public key of a locked sum.
    """
    identities = {name: Identity() for name in plan.parties}
    keys = {name: identity.public.hex() for name, identity in identities.items()}
    plan = replace(plan, parties=keys)
    private = new_lock(plan.protection.sum)
    public = private and private.public
    parties = {
        name: party_of(
            plan, task, name, identity, private if name == plan.protection.holder else public
        )
        for name, identity in identities.items()
    }
    return plan, Local(parties, most_bytes=plan.network.most_bytes), public


def new_lock(sum: str) -> Any:
    """A new private key for a locked sum; None where there are no locks.

    Raises:
        MissingExtraError: CKKS needs an extra.
    """
    makers: dict[str, Callable[[], Any]] = {"paillier": paillier.keygen, "ckks": ckks.keygen}
    return makers[sum]() if sum in makers else None


class Only(Around):
    """An engine that reaches some of another's parties."""

    def __init__(self, engine: Engine, parties: tuple[str, ...]) -> None:
        super().__init__(engine)
        self._parties = parties

    @property
    def parties(self) -> tuple[str, ...]:
        """Those that can be reached."""
        return self._parties
