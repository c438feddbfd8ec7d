"""Chapter 15, after the book: computing with shares, and what a privacy budget buys."""

from __future__ import annotations

import numpy as np

from pellucid.errors import MissingExtraError
from pellucid.federated import Local, iid, plain_sum
from pellucid.federated.differential_privacy import Budget, Private, epsilon_of, noise_for, noisy
from pellucid.federated.sharing import Dealer, multiply, reveal

from .chapter15 import NAMES, Mails, mails, trainers
from .chapter15_secrets import KEPT, common, learned
from .experiment import Result, experiment
from .result import Array

EPSILONS = (0.1, 0.25, 0.5, 1.0, 2.0, 8.0)
FIRST_DIGITS = 6  # of a share, as it is shown


@experiment("15+", slow=True)
def budget(
    result: Result,
    *,
    parties: int = 500,
    rounds: int = 4,
    lr: float = 0.01,
    clip: float = 0.25,
    delta: float = 1e-5,
    least: int = 100,
    test: int = 2000,
    seed: int = 1,
) -> None:
    """Computing with numbers that nobody sees, and learning what nobody can be told from.

    Args:
        parties: among how many the mails are divided.
        rounds: how often the models are brought together.
        lr: how much of each correction is made (the book's alpha).
        clip: how far one party's update may reach, all words together.
        delta: the chance that more is told than epsilon says.
        least: words that fewer mails have are left out.
        test: how many mails are kept for testing.
        seed: how the mails are mixed and divided; 0 leaves them in order. Noise is always new.
    """
    shared_numbers(result)
    beaver(result)
    try:
        spent = [epsilon_of(n, 1.0, delta) for n in range(1, rounds + 1)]
    except MissingExtraError as missing:
        result.say("without", extra=missing.extra)
        return
    data = common(mails(result, seed, test), least)
    parties = min(parties, len(data.labels))
    crowd = Crowd(data, parties, seed, lr, clip)
    ticks = iter(result.track(range(len(EPSILONS) + 1)))
    rows, right = [], []
    for epsilon in EPSILONS:
        noise = noise_for(epsilon, delta, rounds)
        account = Budget(epsilon, delta, noise)
        right.append(crowd.learn(rounds, noise, account))
        rows.append((epsilon, noise, epsilon_of(1, noise, delta), account.spent, right[-1]))
        next(ticks, None)
    open_to_all = crowd.without(rounds)
    next(ticks, None)
    result.table(
        "what a budget buys",
        ("epsilon", "noise", "spent in round 1", "spent in all", "right on test mails"),
        [tuple(round(cell, 4) for cell in row) for row in rows],
    )
    result.plot(
        "right on test mails, for a budget of epsilon",
        {
            "with noise": (np.log2(EPSILONS), right),
            "without noise": (np.log2(EPSILONS), [open_to_all] * len(EPSILONS)),
        },
        x="log2(epsilon)",
        y="right on test mails",
        points=True,
    )
    result.table(
        "spent with noise as large as clip",
        ("round", "spent in all"),
        [(n, round(cost, 2)) for n, cost in enumerate(spent, start=1)],
    )
    result.number("accuracy without noise", open_to_all)
    result.number("accuracy at the largest epsilon", right[-1])
    few(result, data, parties, rounds, delta, rows[-2][1])


class Crowd:
    """Many parties with a few mails each, who take part in every round."""

    def __init__(self, data: Mails, parties: int, seed: int, lr: float, clip: float) -> None:
        self.data, self.lr, self.clip = data, lr, clip
        parts = {str(i): rows for i, rows in enumerate(iid(len(data.labels), parties, seed))}
        self.parties = {name: Private(party, clip) for name, party in trainers(data, parts).items()}

    def learn(self, rounds: int, noise: float, account: Budget) -> float:
        """How many test mails are right in the end, with noise in each round's sum."""
        summing = noisy(plain_sum, self.clip, noise, account)
        _, right = learned(self.data, Local(self.parties), summing, rounds, self.lr, 1)
        return right[-1]

    def without(self, rounds: int) -> float:
        """The same without noise."""
        _, right = learned(self.data, Local(self.parties), plain_sum, rounds, self.lr, 1)
        return right[-1]


def few(result: Result, data: Mails, parties: int, rounds: int, delta: float, noise: float) -> None:
    """What the same noise in the mean would promise, were there three parties only."""
    same = noise * len(NAMES) / parties
    cost = epsilon_of(rounds, same, delta)
    said = f"{cost:,.0f}"
    result.say("few", parties=parties, rounds=rounds, noise=f"{same:.2g}", epsilon=said)


# ------------------------------------------------------------------------------ computing with shares


def shared_numbers(result: Result) -> None:
    """The average of three numbers, each of which only its owner knows."""
    dealer = Dealer(parties=len(NAMES))
    shared = {name: dealer.share(number) for name, number in KEPT.items()}
    total = shared["Anna"] + shared["Ben"] + shared["Cleo"]
    rows = [
        (f"share of {holder}", *(short(s.shares[i].part) for s in shared.values()),
         short(total.shares[i].part))
        for i, holder in enumerate(NAMES)
    ]  # fmt: skip
    opened = [reveal(s) for s in (*shared.values(), total)]
    result.table(
        "three numbers, each cut in three parts",
        ("", *(f"number of {name}" for name in NAMES), "sum"),
        [*rows, ("all three together", *map(str, opened))],
    )
    average = reveal(total) / len(NAMES)
    result.number("average of three numbers that nobody sees", average)
    result.agree("average of shared numbers", average, np.mean(list(KEPT.values())))


def short(part: Array) -> str:
    """The first digits of a share, which has nineteen."""
    digits = str(int(part))
    return digits if len(digits) <= FIRST_DIGITS else f"{digits[:FIRST_DIGITS]}..."


def beaver(result: Result) -> None:
    """A product of shared numbers: what is opened for it says nothing."""
    dealer = Dealer(parties=len(NAMES))
    x, y, runs = dealer.share(6), dealer.share(7), 3
    rows, products = [], []
    for n in range(runs):
        triple = dealer.triple()
        d, e = reveal(x - triple[0]), reveal(y - triple[1])
        products.append(reveal(multiply(x, y, triple)))
        rows.append((n + 1, short_signed(d), short_signed(e), products[-1]))
    result.table("6 * 7, multiplied three times", ("run", "x - a", "y - b", "product"), rows)
    result.agree("products of shared numbers", products, [6 * 7] * runs)


def short_signed(number: int) -> str:
    """The same for a number that may be below 0."""
    return ("-" if number < 0 else "") + short(abs(number))
