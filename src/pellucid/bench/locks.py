"""Sums of what nobody may see: H1, Paillier's encryption; H2, a round of secure aggregation."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from .workload import Goal, Numbers, Step, Steps, Timed, Workload, moved

Array = Any


class Paillier(Workload):
    """1,000 weights are encrypted, added to those of another party, and their sum is decrypted."""

    id, title = "H1", "Paillier 2048 bits: encrypt, add, decrypt 1,000 weights"
    unit, threads, tolerance = "µs a weight", (1,), 1e-5
    ours, peer, others = ("packed", "prepared"), "phe", ("bare",)
    goals = Goal("packed", floor=50), Goal("prepared", floor=1000)
    note = "prepared: with noise drawn beforehand; packed: read off the key's table"
    weights, some = 1000, 20  # phe, whose cost is the same for every weight, gets some of them

    def open(self, variant: str, threads: int) -> Timed:
        """Keys, and the other party's weights, encrypted."""
        r = np.random.default_rng(15)
        mine, other = r.uniform(-0.5, 0.5, (2, self.weights))
        if variant == "phe":
            return self._phe(mine[: self.some].tolist(), other[: self.some].tolist())
        from ..federated.fixed_point import FixedPoint
        from ..federated.noise import FixedBaseNoise, Prepared
        from ..federated.paillier import keygen

        keys, encoding = keygen(2048), FixedPoint(limit=1, terms=100, width=32)
        table = FixedBaseNoise(keys.public)
        noise = Prepared(table)
        theirs = keys.public.encrypt_vector(other, encoding, table)
        if variant == "bare":
            return Steps(_powers(keys, theirs.locked), self.weights)

        def step() -> Array:
            return keys.decrypt_vector(keys.public.encrypt_vector(mine, encoding, noise) + theirs)

        def prepare(calls: int) -> None:
            if variant == "prepared":
                noise.prepare(calls * len(theirs.locked) - len(noise))

        return Steps(step, self.weights, lambda exact: self._sums(step()), prepare)

    def _phe(self, mine: list[float], other: list[float]) -> Timed:
        public, private = import_module("phe").generate_paillier_keypair(n_length=2048)
        theirs = [public.encrypt(w) for w in other]

        def step() -> list[float]:
            sums = [public.encrypt(a) + b for a, b in zip(mine, theirs, strict=True)]
            return [private.decrypt(locked) for locked in sums]

        return Steps(step, self.some, lambda exact: self._sums(step()))

    def _sums(self, sums: Any) -> Numbers:
        return [(float(s), 1.0) for s in sums[: self.some]]


def _powers(keys: Any, locked: list[Any]) -> Step:
    """The powers without which nothing is decrypted."""
    from ..federated.primes import power

    halves = [(p * p, 2 * k) for p, k in zip((keys.p, keys.q), keys.orders, strict=True)]
    return lambda: [power(c, k, squared) for c in locked for squared, k in halves]


class SecureRound(Workload):
    """A round in which the coordinator learns the sum and nothing else, all parties in one process.

    Args:
        parties: how many,
        weights: and of how many weights.
    """

    ours, peer, others, threads, tolerance = ("secure",), None, ("bare",), (1,), 1e-9

    def __init__(self, id: str, parties: int, weights: int, unit: str, most: float | None) -> None:
        self.id, self.parties, self.weights = id, parties, weights
        self.title = f"secure aggregation: {parties} parties of {weights:,} weights"
        self.unit, self.scale = f"{unit} a round", 1.0 if unit == "s" else 1e3
        self.goals = (Goal("secure", most=most),) if most else ()
        self.rounds = 3 if parties * weights > 10**6 else None
        self.note = "bare: the same sum, seen by the coordinator" if id == "H2" else ""

    def open(self, variant: str, threads: int) -> Timed:
        """The parties, each with an identity of its own."""
        from ..federated import Local, plain_sum
        from ..federated.engine import Party
        from ..federated.messages import Message
        from ..federated.secure_aggregation import Identity, Masked, SecureSum

        r, shapes = np.random.default_rng(16), {"weights": (self.weights,)}
        identities = {f"party {i}": Identity() for i in range(self.parties)}
        registry = {name: identity.public for name, identity in identities.items()}

        def finds(weights: Array) -> Party:
            return lambda state, message: ({"sum": {"weights": weights}}, state)

        parties: dict[str, Party] = {n: finds(r.normal(size=self.weights)) for n in identities}
        summing: Any = plain_sum
        if variant == "secure":
            summing = SecureSum(registry)
            parties = {n: Masked(p, n, identities[n], registry) for n, p in parties.items()}
        ask: Message = {"do": "train"}  # one for all
        engine, asks = Local(parties), {name: ask for name in parties}  # noqa: C420

        def step() -> Array:
            return summing(engine, asks, shapes).sums["weights"]

        return Steps(step, numbers=lambda exact: moved(step(), 0.0))
