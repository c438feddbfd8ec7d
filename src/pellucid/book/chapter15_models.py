"""Chapter 15, after the book: any model, any data, any protection, through the same code."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from pellucid import Tensor, manual_seed, no_grad
from pellucid.data import ArrayDataset, ConcatDataset, Subset, datasets
from pellucid.errors import MissingExtraError
from pellucid.federated import (
    Budget,
    EncryptedSum,
    Encrypting,
    Engine,
    FixedPoint,
    KeyHolder,
    Local,
    Masked,
    Party,
    Private,
    SecureSum,
    Summing,
    Trainer,
    dirichlet,
    fedavg,
    noisy,
    paillier,
    plain_sum,
)
from pellucid.federated.averaging import copied
from pellucid.federated.differential_privacy import epsilon_of, noise_for
from pellucid.federated.engine import State
from pellucid.federated.messages import Message
from pellucid.federated.noise import FixedBaseNoise
from pellucid.federated.secure_aggregation import Identity
from pellucid.nn import (
    Conv2d,
    CrossEntropyLoss,
    Flatten,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
)
from pellucid.optim import SGD, Adam

from .chapter14_lstm import LetterLSTM
from .digits import CLASSES
from .experiment import Result, experiment
from .letters import Letters, read_letters, single_precision
from .result import Array

PLAYS = {  # how each play of Tiny Shakespeare begins
    "Coriolanus": "First Citizen:\nBefore we proceed",
    "Richard III": "GLOUCESTER:\nNow is the winter",
    "Richard II": "KING RICHARD II:\nOld John of Gaunt",
    "Romeo and Juliet": "SAMPSON:\nGregory, o' my word",
    "Henry VI, Part 3": "WARWICK:\nI wonder how the king",
    "The Winter's Tale": "ARCHIDAMUS:\nIf you shall chance",
    "Measure for Measure": "DUKE VINCENTIO:\nEscalus.",
    "The Taming of the Shrew": "SLY:\nI'll pheeze you",
    "The Tempest": "Master:\nBoatswain!",
}
UNEVEN = 0.5  # how the digits are shared out: most of a party's are of three or four kinds
STEPS = 50  # letters a row of a play has
ASIDE = 10  # of the rows of a play, every tenth is kept for testing
ROOM = (
    8  # no weight moves, and no loss is, further than this: what travels is that times the examples
)
DELTA = 1e-3  # the chance that a budget promises too much
OPEN, ALONE = "openly", "in one place"
EXACT = {
    "secure aggregation": 1e-6,
    "Paillier": 1e-6,
    "CKKS": 1e-4,
}  # of the largest weight; their curves are that of OPEN


# ------------------------------------------------------------------------------- what is to be learned


@dataclass(frozen=True)
class Task:
    """A model, who has which data, and how well it does on data that nobody learned from.

    Args:
        name: what it is called.
        make: the model with its first weights; always the same.
        parts: the data of each party, by its name.
        loss: compares prediction and targets.
        score: of a model, on the test data.
        measure: what the score is.
        how: settings of `fedavg` and of its parties.
        clip: how far one party's update may reach, where noise is added.
    """

    name: str
    make: Callable[[], Module]
    parts: Mapping[str, Any]
    loss: Any
    score: Callable[[Module], float]
    measure: str
    how: Mapping[str, Any]
    optimizer: Any
    clip: float

    def trainers(self, clock: Clock) -> dict[str, Party]:
        """The parties, each with its own data; the clock tells how long they learn."""
        bench = self.make()
        return {
            name: clock.around(Trainer(bench, data, self.loss, optimizer=self.optimizer, seed=i))
            for i, (name, data) in enumerate(self.parts.items())
        }


class Clock:
    """How long parties learn, as apart from all that travels and is hidden."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, party: Party) -> Party:
        """The party, timed."""

        def timed(state: State, message: Message) -> tuple[Message | None, State]:
            start = time.perf_counter()
            try:
                return party(state, message)
            finally:
                self.seconds += time.perf_counter() - start

        return timed


def reading_digits(result: Result, images: int, parties: int, seed: int) -> Task:
    """A convolutional network, and parties that each mostly see a few of the digits."""
    train = datasets.mnist(limit=images, stand_in=True, quiet=True)
    test = datasets.mnist(train=False, limit=2000, stand_in=True, quiet=True)
    if train.stands_in:
        result.stand_in("MNIST", "scikit-learn's digits of 8 by 8")
    inputs, unseen = (
        (p.pixels / p.ink).reshape(-1, 1, *p.shape).astype(np.float32) for p in (train, test)
    )
    shares = dirichlet(train.labels, parties, UNEVEN, seed)
    everything = ArrayDataset(inputs, train.labels)

    def make() -> Module:
        manual_seed(seed)
        return reader(train.shape)

    def right(model: Module) -> float:
        with no_grad():
            said = model.eval()(Tensor(unseen)).numpy().argmax(axis=1)
        return float((said == test.labels).mean())

    parts = {f"party {i + 1:02}": Subset(everything, rows) for i, rows in enumerate(shares)}
    how = {"lr": 0.1, "passes": 2, "batch_size": 20}
    return Task(
        "digits", make, parts, CrossEntropyLoss(), right, "right on test images", how, SGD, clip=1.0
    )


def reader(shape: tuple[int, int]) -> Module:
    """A small convolutional network: two layers of kernels, each image halved twice."""
    sides = [((n - 4) // 2 - 4) // 2 if n > 16 else n // 4 for n in shape]
    side, around = (5, 0) if shape[0] > 16 else (3, 1)
    return Sequential(
        Conv2d(1, 8, side, padding=around), ReLU(), MaxPool2d(2),
        Conv2d(8, 16, side, padding=around), ReLU(), MaxPool2d(2),
        Flatten(), Linear(16 * sides[0] * sides[1], CLASSES),
    )  # fmt: skip


class LetterReader(LetterLSTM):
    """The LSTM of chapter 14, which here reads each row of letters from the beginning."""

    def forward(self, letters: Tensor) -> Tensor:  # type: ignore[override]
        """What is expected after each letter: (rows, steps) -> (rows * steps, letters)."""
        states, _ = super().forward(letters.T, self.start(letters.shape[0]))
        return self.scores(states.transpose(0, 1)).flatten(0, 1)


def per_letter(scores: Tensor, targets: Tensor) -> Tensor:
    """The loss, mean over all letters."""
    return CrossEntropyLoss()(scores, targets.reshape(-1))  # type: ignore[no-any-return]


def writing_plays(result: Result, letters: int, hidden: int, seed: int) -> Task:
    """The LSTM of chapter 14, and parties of which each has one play."""
    known = read_letters(result, "")
    plays = {name: known.known.encode(text[:letters]) for name, text in cut_plays(known).items()}
    rows = {name: in_rows(numbers) for name, numbers in plays.items()}
    aside = {name: np.arange(len(x)) % ASIDE == ASIDE - 1 for name, (x, _) in rows.items()}
    parts = {name: ArrayDataset(x[~aside[name]], y[~aside[name]]) for name, (x, y) in rows.items()}
    unseen, targets = (
        np.concatenate([part[i][aside[name]] for name, part in rows.items()]) for i in (0, 1)
    )

    def make() -> Module:
        manual_seed(seed)
        return LetterReader(len(known), 16, hidden)

    def loss(model: Module) -> float:
        with no_grad():
            return float(per_letter(model.eval()(Tensor(unseen)), Tensor(targets)).item())

    how = {"lr": 0.01, "passes": 1, "batch_size": 16}
    return Task("plays", make, parts, per_letter, loss, "loss per letter", how, Adam, clip=3.0)


def cut_plays(known: Letters) -> dict[str, str]:
    """The plays of Tiny Shakespeare by name; of another text, as many parts of equal length."""
    starts = [known.text.find(opening) for opening in PLAYS.values()]
    if -1 in starts:
        starts = [i * len(known.text) // len(PLAYS) for i in range(len(PLAYS))]
    ends = pairwise([*starts, len(known.text)])
    return {name: known.text[a:b] for name, (a, b) in zip(PLAYS, ends, strict=True)}


def in_rows(numbers: Array) -> tuple[Array, Array]:
    """Letters in rows, and for each the letter that follows it; both (rows, steps)."""
    count = (len(numbers) - 1) // STEPS
    return tuple(numbers[i : i + count * STEPS].reshape(count, STEPS) for i in (0, 1))


# -------------------------------------------------------------------------------------- how it is hidden


@dataclass
class Protected:
    """Parties that hide what they have found, and how their contributions are added up."""

    engine: Engine
    summing: Summing = plain_sum
    epsilon: float | None = None


@dataclass(frozen=True)
class Setting:
    """What protections need to know."""

    parties: Mapping[str, Party] = field(repr=False)
    rounds: int
    bits: int
    clip: float
    limit: float  # no number that travels is larger


def not_at_all(s: Setting) -> Protected:
    """The coordinator sees every contribution."""
    return Protected(Local(s.parties))


def by_masks(s: Setting) -> Protected:
    """Secure aggregation."""
    identities = {name: Identity() for name in s.parties}
    registry = {name: identity.public for name, identity in identities.items()}
    parties = {n: Masked(p, n, identities[n], registry) for n, p in s.parties.items()}
    return Protected(Local(parties), SecureSum(registry, limit=s.limit))


def by_paillier(s: Setting) -> Protected:
    """Under Paillier's lock, many weights in each ciphertext."""
    keys = paillier.keygen(s.bits, lesson=s.bits < paillier.LEAST_BITS)
    encoding = FixedPoint(limit=s.limit, terms=len(s.parties), width=40)
    return locked(s, keys, encoding, FixedBaseNoise(keys.public))


def by_ckks(s: Setting) -> Protected:
    """Under a CKKS lock, 4,096 weights in each ciphertext."""
    from pellucid.federated import ckks

    return locked(s, ckks.keygen(), FixedPoint(limit=s.limit, terms=len(s.parties)), None)


def locked(s: Setting, keys: Any, encoding: FixedPoint, noise: Any) -> Protected:
    """Under a lock: the coordinator adds what it cannot read, and somebody else opens the sum."""
    parties = {n: Encrypting(p, keys.public, encoding, noise) for n, p in s.parties.items()}
    holder = Local({"key holder": KeyHolder(keys, encoding, at_least=len(parties))})
    return Protected(Local(parties), EncryptedSum(keys.public, encoding, holder))


def by_noise(multiplier: Callable[[int], float]) -> Callable[[Setting], Protected]:
    """Differential privacy: updates cut to a length, and noise added to their sum."""

    def protect(s: Setting) -> Protected:
        noise = multiplier(s.rounds)
        cost = epsilon_of(s.rounds, noise, DELTA)
        parties = {name: Private(party, s.clip) for name, party in s.parties.items()}
        budget = Budget(1.001 * cost, DELTA, noise)
        return Protected(Local(parties), noisy(plain_sum, s.clip, noise, budget), cost)

    return protect


PROTECTIONS: Mapping[str, Callable[[Setting], Protected]] = {
    OPEN: not_at_all,
    "secure aggregation": by_masks,
    "Paillier": by_paillier,
    "CKKS": by_ckks,
    "a little noise": by_noise(lambda rounds: 0.05),
    "noise, epsilon 8": by_noise(lambda rounds: noise_for(8.0, DELTA, rounds)),
}


# ----------------------------------------------------------------------------------------- all of them


@dataclass
class Learned:
    """How one training went."""

    scores: list[float]  # after each round
    first: Array  # all weights after the first round, in one row
    sent: float  # bytes to each party in a round
    received: float  # and from it
    learning: float  # seconds of a round in which parties learned, one after the other
    rest: float  # and all others
    epsilon: float | None = None


@experiment("15+3", long=True)
def any_model(
    result: Result,
    *,
    rounds: int = 10,
    images: int = 3000,
    parties: int = 10,
    characters: int = 20000,
    hidden: int = 64,
    bits: int = 2048,
    seed: int = 1,
) -> None:
    """Digits and plays, learned by parties that keep them, under each protection there is.

    Args:
        rounds: how often the models are brought together.
        images: how many digits there are to learn from.
        parties: among how many they are shared out.
        characters: how many of each play are read.
        hidden: how many numbers the state of the LSTM has.
        bits: how long a key of Paillier is; below 2048 it is good for a lesson only.
        seed: of the first weights, and of how the digits are shared out. Noise is always new.
    """
    rows: list[tuple[Any, ...]] = []
    with single_precision():
        tasks = (
            reading_digits(result, images, parties, seed),
            writing_plays(result, characters, hidden, seed),
        )
        ticks = iter(result.track(range(len(tasks) * (1 + len(PROTECTIONS)) * rounds)))
        for task in tasks:
            runs = {ALONE: in_one_place(task, rounds, seed, ticks)}
            for name, protect in PROTECTIONS.items():
                try:
                    runs[name] = learn(task, protect, rounds, bits, seed, ticks)
                except MissingExtraError as missing:
                    result.say("without", protection=name, extra=missing.extra)
            report(result, task, runs, rows)
    headings = ("model", "protection", "result", "kB to", "kB from", "s learning", "s the rest")
    result.table("any model, any protection; per round", headings, rows)
    for name, run in runs.items():
        if run.epsilon is not None:
            said = f"{run.epsilon:,.0f}"
            result.say("epsilon", protection=name, rounds=rounds, epsilon=said, delta=DELTA)


def learn(
    task: Task,
    protect: Callable[[Setting], Protected],
    rounds: int,
    bits: int,
    seed: int,
    ticks: Iterator[int],
) -> Learned:
    """Federated training under some protection."""
    clock = Clock()
    most = ROOM * max(len(part) for part in task.parts.values())
    limit = 2.0 ** most.bit_length()
    setting = Setting(task.trainers(clock), rounds, bits, task.clip, limit)
    protected = protect(setting)
    return trained(task, protected, len(setting.parties), clock, rounds, seed, ticks)


def in_one_place(task: Task, rounds: int, seed: int, ticks: Iterator[int]) -> Learned:
    """The same training with all data at one party: what one would do if there were no secrets."""
    clock, everything = Clock(), ConcatDataset(list(task.parts.values()))
    party = clock.around(Trainer(task.make(), everything, task.loss, optimizer=task.optimizer))
    return trained(task, Protected(Local({"all": party})), 1, clock, rounds, seed, ticks)


def trained(
    task: Task,
    protected: Protected,
    parties: int,
    clock: Clock,
    rounds: int,
    seed: int,
    ticks: Iterator[int],
) -> Learned:
    """Make all rounds, and look at the test data after each."""
    model, scores, weights = task.make(), list[float](), list[Array]()

    def look(_: dict[str, Any]) -> None:
        scores.append(task.score(model))
        weights.append(flat(model))
        next(ticks, None)

    history = fedavg(
        model, protected.engine, rounds=rounds, seed=seed, summing=protected.summing,
        on_round=look, **task.how,
    )  # fmt: skip
    sent, received, seconds = (
        float(np.mean([row[name] for row in history])) for name in ("sent", "received", "seconds")
    )
    learning = clock.seconds / rounds
    return Learned(
        scores, weights[0], sent / parties, received / parties, learning, seconds - learning,
        protected.epsilon,
    )  # fmt: skip


def report(
    result: Result, task: Task, runs: Mapping[str, Learned], rows: list[tuple[Any, ...]]
) -> None:
    """The rows of a task in the large table, its curves, and what has to be the same."""
    for name, run in runs.items():
        travels = [round(run.sent / 1e3), round(run.received / 1e3)]
        score, learning, rest = round(run.scores[-1], 3), round(run.learning, 2), round(run.rest, 2)
        alone = name == ALONE
        rows.append(
            (
                task.name,
                name,
                score,
                *([None] * 2 if alone else travels),
                learning,
                None if alone else rest,
            )
        )
    open_to_all = runs[OPEN].first
    result.say("size", task=task.name, weights=f"{open_to_all.size:,}", parties=len(task.parts))
    rounds = range(1, len(runs[OPEN].scores) + 1)
    result.plot(
        f"{task.name}: {task.measure}",
        {name: (rounds, run.scores) for name, run in runs.items() if name not in EXACT},
        x="round",
        y=task.measure,
        log=task.name == "plays",  # with much noise, the loss is beyond all others
    )
    for name, allowed in EXACT.items():
        if name in runs:
            what = f"{task.name}: weights after round 1, {name}"
            result.agree(what, runs[name].first, open_to_all, allowed=allowed)


def flat(model: Module) -> Array:
    """All weights in one row."""
    return np.concatenate([array.ravel() for array in copied(model).values()])
