"""Differential privacy: whether one party took part can hardly be told from the model.

The update of each party is cut to a length, so that nobody can move the sum by more; and noise is
added that is large against this length. Then everything that is seen is nearly as likely without that
party as with it: at most e**epsilon times as likely, but for a chance of delta. What each round
costs adds up, and when the budget is spent, training stops.

    local      each party adds the whole noise itself, and trusts nobody         Private(..., among=1)
    together   each of n adds 1/n of it (in variance), inside a secret sum      Private(..., among=n)
    central    the coordinator adds it once, and is trusted with the sum        noisy(summing, ...)

Be honest about what it buys. With three parties in every round, noise that leaves anything to be
learned means an epsilon of about 90, and e**90 promises nothing. It takes thousands of parties.

Sources: Dwork, McSherry, Nissim and Smith (2006); Abadi et al., "Deep learning with differential
privacy" (2016); McMahan et al., "Learning differentially private recurrent language models" (2018);
for the accounting Mironov, "Rényi differential privacy" (2017), by Google's dp-accounting.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ArgumentError, MissingExtraError
from .engine import Engine, Party, State
from .errors import BudgetError
from .messages import Message
from .robust import cut_to
from .summing import Shapes, Summing, Total

Array = Any

CLAIMED = {"examples": 1.0, "loss": 0.0}  # instead of what would say something about the data


def gaussian(shape: tuple[int, ...], std: float) -> Array:
    """Normally distributed numbers from the system's randomness, float64.

    A seeded generator will not do: who guesses the seed takes the noise off again. (Box and Muller's
    formula, 1958.) That floats are not evenly spaced can in theory be used against noise (Mironov
    2012); rounding afterwards, as in a secret sum, takes that away.

    Args:
        shape: of the result.
        std: standard deviation.
    """
    count = int(np.prod(shape, dtype=np.int64))
    half = (count + 1) // 2
    bits = np.frombuffer(secrets.token_bytes(16 * half), np.uint64) >> np.uint64(11)
    even = (bits.reshape(2, half).astype(np.float64) + 0.5) * 2.0**-53  # in (0, 1)
    length, angle = np.sqrt(-2 * np.log(even[0])), 2 * np.pi * even[1]
    normal = np.concatenate([length * np.cos(angle), length * np.sin(angle)])[:count]
    return (std * normal).reshape(shape)


class Private:
    """A party whose update is cut to a length, and, if asked, has noise added before it leaves.

    Every party counts the same: how many examples it has, and how well it does on them, would say
    something about its data. So it claims one example and a loss of 0.

    Args:
        party: the one that finds the update, such as a `Trainer`. Wrap `Masked` around this one.
        clip: the largest length of an update, all its weights together.
        noise_multiplier: the standard deviation of the noise, in multiples of clip; 0 for none,
            where the coordinator adds it.
        among: how many parties are sure to be in the sum: their noises together are what one
            multiplier says. In a secret sum take its threshold; elsewhere 1.

    Raises:
        ArgumentError: a setting outside what makes sense.
    """

    def __init__(
        self, party: Party, clip: float, *, noise_multiplier: float = 0.0, among: int = 1
    ) -> None:
        _check_noise(clip, noise_multiplier, zero=True)
        if among < 1:
            raise ArgumentError(f"among is {among}; it is at least 1")
        self.party, self.clip = party, clip
        self.std = noise_multiplier * clip / math.sqrt(among)

    def __call__(self, state: State, message: Message) -> tuple[Message | None, State]:
        """Answer as the party does, less what it would give away."""
        reply, state = self.party(state, message)
        contribution = reply.get("sum") if reply else None
        if not isinstance(contribution, Mapping):
            return reply, state
        if other := [n for n in contribution if not _is_update(n) and n not in CLAIMED]:
            raise ArgumentError(
                f"{', '.join(other)} can neither be cut nor left out: name it update.*"
            )
        examples = max(float(contribution.get("examples", 1)), 1.0)
        means = {n: np.asarray(a) / examples for n, a in contribution.items() if _is_update(n)}
        updates = {n: _blurred(a, self.std) for n, a in cut_to(self.clip, means).items()}
        claimed = {n: np.array(value) for n, value in CLAIMED.items() if n in contribution}
        return {"sum": {**claimed, **updates}}, state


def noisy(summing: Summing, clip: float, noise_multiplier: float, budget: Budget) -> Summing:
    """A way to add up that adds noise to the sum, and stops when the budget is spent.

    Args:
        summing: adds up contributions of `Private` parties: `plain_sum`, or a secret sum.
        clip: theirs.
        noise_multiplier: the standard deviation of the noise, in multiples of clip; 0 where the
            parties add it, so that only the budget is kept.
        budget: what each round is taken from.

    Raises:
        ArgumentError: a setting outside what makes sense.
        BudgetError: in a round which would exceed the budget; nobody is asked.
    """
    _check_noise(clip, noise_multiplier, zero=True)

    def summed(engine: Engine, messages: Mapping[str, Message], shapes: Shapes) -> Total:
        budget.spend()
        total = summing(engine, messages, shapes)
        std = noise_multiplier * clip
        sums = {n: _blurred(a, std) if _is_update(n) else a for n, a in total.sums.items()}
        return Total(sums, total.parties, total.missing)

    return summed


class Budget:
    """How much may be told about a party in all rounds together, and how much was told already.

    Args:
        epsilon: the most that may be spent.
        delta: the chance that it is more all the same; far below 1 / parties.
        noise_multiplier: of the noise in each round.
        sampling: the chance of a party to be asked in a round. Below 1 only if each is drawn by
            itself and nobody learns who was: a fixed number of parties that all can see is 1.
        rounds: how many were spent before, in a run that goes on.

    Raises:
        ArgumentError: a setting outside what makes sense.
        MissingExtraError: dp-accounting is not installed.

    >>> budget = Budget(epsilon=10, delta=1e-5, noise_multiplier=2.0)
    >>> budget.spend()
    >>> f"{budget.spent:.1f}", budget.rounds_left
    ('2.2', 13)
    """

    def __init__(
        self,
        epsilon: float,
        delta: float,
        noise_multiplier: float,
        *,
        sampling: float = 1.0,
        rounds: int = 0,
    ) -> None:
        _check_noise(1.0, noise_multiplier, zero=False)
        _check_budget(epsilon, delta, sampling)
        _accounting()
        self.epsilon, self.delta, self.sampling = epsilon, delta, sampling
        self.noise_multiplier, self.rounds = noise_multiplier, rounds

    @property
    def spent(self) -> float:
        """Epsilon of the rounds so far."""
        return epsilon_of(self.rounds, self.noise_multiplier, self.delta, self.sampling)

    @property
    def rounds_left(self) -> int:
        """How many more rounds fit."""
        fits, too_many = self.rounds, self.rounds + 1
        while self._fits(too_many):
            fits, too_many = too_many, 2 * too_many
        while too_many - fits > 1:
            middle = (fits + too_many) // 2
            fits, too_many = (middle, too_many) if self._fits(middle) else (fits, middle)
        return fits - self.rounds

    def spend(self) -> None:
        """Take one round from it.

        Raises:
            BudgetError: it does not suffice; nothing is taken.
        """
        if not self._fits(self.rounds + 1):
            raise BudgetError(
                f"the privacy budget is spent: {self.rounds} rounds have cost epsilon "
                f"{self.spent:.3g} of {self.epsilon:g} (delta {self.delta:g}), and one more would "
                "exceed it.\nStop here, and use the model as it is"
            )
        self.rounds += 1

    def __repr__(self) -> str:
        return f"Budget(epsilon {self.spent:.3g} of {self.epsilon:g} spent in {self.rounds} rounds)"

    def _fits(self, rounds: int) -> bool:
        if rounds > 10**9:
            return False
        cost = epsilon_of(rounds, self.noise_multiplier, self.delta, self.sampling)
        return cost <= self.epsilon


def epsilon_of(rounds: int, noise_multiplier: float, delta: float, sampling: float = 1.0) -> float:
    """What so many rounds cost.

    Raises:
        MissingExtraError: dp-accounting is not installed.

    >>> epsilon_of(rounds=10, noise_multiplier=0.5, delta=1e-5) > 40  # which promises nothing
    True
    """
    if not rounds:
        return 0.0
    accounting = _accounting()
    accountant = accounting.rdp.RdpAccountant()
    event = _event(accounting, noise_multiplier, sampling)
    accountant.compose(accounting.SelfComposedDpEvent(event, rounds))
    return float(accountant.get_epsilon(delta))


def noise_for(epsilon: float, delta: float, rounds: int, sampling: float = 1.0) -> float:
    """The noise multiplier with which so many rounds cost no more than epsilon.

    Raises:
        ArgumentError: a setting outside what makes sense.
        MissingExtraError: dp-accounting is not installed.

    >>> z = noise_for(epsilon=1, delta=1e-5, rounds=10)
    >>> epsilon_of(10, z, 1e-5) <= 1 < epsilon_of(10, 0.99 * z, 1e-5)
    True
    """
    _check_budget(epsilon, delta, sampling)
    if rounds < 1:
        raise ArgumentError(f"rounds is {rounds}; it is at least 1")
    low, high = 0.0, 1.0
    while epsilon_of(rounds, high, delta, sampling) > epsilon:
        low, high = high, 2 * high
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        enough = epsilon_of(rounds, middle, delta, sampling) <= epsilon
        low, high = (low, middle) if enough else (middle, high)
    return high


# ------------------------------------------------------------------------------------------ inside


def _event(accounting: Any, noise_multiplier: float, sampling: float) -> Any:
    noise = accounting.GaussianDpEvent(noise_multiplier)
    return noise if sampling == 1 else accounting.PoissonSampledDpEvent(sampling, noise)


def _accounting() -> Any:
    try:
        import dp_accounting.rdp
    except ImportError:
        raise MissingExtraError("privacy budgets", "dp") from None
    return dp_accounting


def _blurred(a: Array, std: float) -> Array:
    return np.asarray(a + gaussian(np.shape(a), std)) if std else np.asarray(a)


def _is_update(name: str) -> bool:
    return name.startswith("update.")


def _check_noise(clip: float, noise_multiplier: float, *, zero: bool) -> None:
    if not 0 < clip < math.inf:
        raise ArgumentError(f"clip is {clip}; it is above 0")
    if not (0 <= noise_multiplier < math.inf and (zero or noise_multiplier > 0)):
        raise ArgumentError(f"noise_multiplier is {noise_multiplier}; it is above 0")


def _check_budget(epsilon: float, delta: float, sampling: float) -> None:
    if not 0 < epsilon < math.inf:
        raise ArgumentError(f"epsilon is {epsilon}; it is above 0")
    if not 0 < delta < 1:
        raise ArgumentError(f"delta is {delta}; it is a chance between 0 and 1")
    if not 0 < sampling <= 1:
        raise ArgumentError(f"sampling is {sampling}; it is a chance above 0, up to 1")
