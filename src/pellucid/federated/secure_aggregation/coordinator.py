"""The coordinator's side of a secret sum: it passes letters on, adds up, and takes off what it may.

It is not trusted: whatever it does, a party gives away shares of one secret of each other party only.
What it checks here is for its own sake, so that a wrong share ends the round and not in a wrong sum.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import Any

import numpy as np

from ...errors import ArgumentError, MessageError, PellucidError, RoundError
from .. import shamir
from ..engine import Engine, Missing
from ..errors import OutOfOrderError, SecondUnmaskError, TamperedError
from ..layout import Layout
from ..messages import Message
from ..summing import Shapes, Total
from .channels import Private, public_of
from .identity import Registry, check, digest
from .masks import SEED_BYTES, Masks
from .party import SHARE_BYTES, agreed, asked_of, between, layout_of, seal_of, shown_by, told
from .terms import STEPS, Terms, listed, usual_threshold

Array = Any
Replies = Mapping[str, Message]
Messages = dict[str, Message]


class Collection:
    """One secret sum, step by step: what to ask, given the answers to what was asked before.

    Args:
        terms: who takes part.
        registry: the public keys of all parties.
        asks: what each party is to contribute to, handed to it in the third step; the same for all.
        shapes: what a contribution holds.
        limit: the largest number in it.

    Use it from the first step to the last, each once:

        messages = collection.keys()
        for step in ("share", "mask", "agree", "unmask"):
            messages = collection.next(engine.ask(messages))
        total = collection.total(engine.ask(messages))
    """

    def __init__(
        self,
        terms: Terms,
        registry: Registry,
        asks: Mapping[str, Message],
        shapes: Shapes,
        limit: float,
    ) -> None:
        if strangers := set(terms.parties) - set(registry):
            raise ArgumentError(
                f"{listed(strangers)} is not registered, so nobody can know its keys"
            )
        ask, *others = (asks[name] for name in terms.parties)
        if any(other is not ask and digest(other) != digest(ask) for other in others):
            raise ArgumentError(
                "a secret sum asks all parties the same: with different questions, single answers "
                "could be told apart"
            )
        self.terms, self.registry, self.ask = terms, dict(registry), ask
        self.how = {"shapes": {n: list(s) for n, s in shapes.items()}, "limit": limit}
        self.layout: Layout = layout_of(self.how, len(terms.parties))
        self.asked = asked_of({"ask": ask, **self.how})
        self.missing: Missing = {}
        self.step = "keys"
        self._shown: dict[str, dict[str, bytes]] = {}
        self._sum: Array = None
        self._with: list[str] = []  # who has sent shares
        self._alive: list[str] = []  # who has delivered

    def keys(self) -> Messages:
        """The first question."""
        question = {"do": "secure", "step": "keys", "terms": self.terms.to_plain()}
        return dict.fromkeys(self.terms.parties, question)

    def next(self, replies: Replies) -> Messages:
        """The next question to each party, after the answers to the last.

        Raises:
            RoundError: too few answers; the round is over, and nothing is released.
            OutOfOrderError: all questions were asked.
        """
        takes: dict[str, Callable[[Replies], Messages]] = {
            "keys": self._keys_came,
            "share": self._shares_came,
            "mask": self._masked_came,
            "agree": self._signatures_came,
        }
        if self.step not in takes:
            raise OutOfOrderError("all questions were asked; what is left is total(replies)")
        take, self.step = takes[self.step], STEPS[STEPS.index(self.step) + 1]
        return take(replies)

    def total(self, replies: Replies) -> Total:
        """The sum, after the answers to the last question.

        Raises:
            RoundError: too few answers; nothing is released.
            TamperedError: the shares do not give the secrets that were dealt; nothing is released.
            SecondUnmaskError: it was asked before.
        """
        if self.step == "over":
            raise SecondUnmaskError(f"round {self.terms.session} was unmasked already")
        if self.step != "unmask":
            raise OutOfOrderError(f"the step {self.step!r} comes before the sum")
        numbers, self._sum, self.step = self._sum, None, "over"
        gone = sorted(set(self._with) - set(self._alive))
        shares = self._accept(replies, lambda name, reply: _shares_in(reply, self._alive, gone))
        selves = self._joined({name: s["selves"] for name, s in shares.items()}, self._alive)
        keys = self._joined({name: s["masks"] for name, s in shares.items()}, gone)
        for name, seed in selves.items():
            if not compare_digest(seal_of(seed), self._shown[name]["self"]):
                raise TamperedError(_wrong("self mask", name))
        for name, key in keys.items():
            if not compare_digest(public_of(key), self._shown[name]["masks"]):
                raise TamperedError(_wrong("mask key", name))
        self._take_off(numbers, selves, keys)
        missing = {name: why for name, why in self.missing.items() if name not in self._alive}
        return Total(self.layout.decode(numbers), tuple(self._alive), missing)

    # ------------------------------------------------------------------------------------- the steps

    def _keys_came(self, replies: Replies) -> Messages:
        def keys_in(name: str, reply: Message) -> Message:
            shown = shown_by(reply, name)
            check(self.registry, name, reply.get("signed"), "keys", *told(self.terms, name, shown))
            self._shown[name] = shown
            return {"shown": shown, "signed": dict(reply["signed"])}

        keys = self._accept(replies, keys_in)
        return dict.fromkeys(keys, self._question(keys=keys))

    def _shares_came(self, replies: Replies) -> Messages:
        shown = set(self._shown)
        sealed = self._accept(replies, lambda name, reply: _letters_in(reply, shown - {name}))
        self._with = sorted(sealed)
        return {
            name: self._question(
                sealed={s: letters[name] for s, letters in sealed.items() if s != name},
                ask=self.ask,
                **self.how,
            )
            for name in self._with
        }

    def _masked_came(self, replies: Replies) -> Messages:
        masked = self._accept(replies, lambda _, reply: _numbers_in(reply, self.layout.size))
        self._sum = np.zeros(self.layout.size, np.uint64)
        for numbers in masked.values():
            self._sum += numbers
        self._alive = sorted(masked)
        return dict.fromkeys(self._alive, self._question(alive=self._alive))

    def _signatures_came(self, replies: Replies) -> Messages:
        def signature_in(name: str, reply: Message) -> Message:
            statement = agreed(self.terms, self._with, self._alive, self.asked)
            check(self.registry, name, reply.get("signed"), "agree", *statement)
            return dict(reply["signed"])

        signed = self._accept(replies, signature_in)
        gone = sorted(set(self._with) - set(self._alive))
        return dict.fromkeys(signed, self._question(signed=signed, selves=self._alive, masks=gone))

    # ---------------------------------------------------------------------------------------- inside

    def _question(self, **parts: Any) -> Message:
        return {"do": "secure", "step": self.step, "session": self.terms.session, **parts}

    def _accept(self, replies: Replies, read: Callable[[str, Message], Any]) -> dict[str, Any]:
        """What is in the answers that are as they should be; the others count as dropped out.

        Raises:
            RoundError: fewer are left than the threshold.
        """
        found = {}
        for name in sorted(replies):
            try:
                found[name] = read(name, replies[name])
            except PellucidError as error:
                self.missing[name] = f"not accepted: {error.message}"
        if len(found) < self.terms.threshold:
            self._sum, self.step = None, "over"
            why = "".join(
                f"\n  {name}: {reason}" for name, reason in list(self.missing.items())[:8]
            )
            raise RoundError(
                f"{len(found)} of {len(self.terms.parties)} parties are left, and "
                f"{self.terms.threshold} are needed: the round is given up, and nothing of it is known"
                + why
            )
        return found

    def _joined(self, shares: Mapping[str, Mapping[str, bytes]], of: list[str]) -> dict[str, bytes]:
        """The secrets of some parties, from the shares that others gave; all at once."""
        if not of:
            return {}
        givers = list(shares)[: self.terms.threshold]
        heights = [
            (self.terms.place(g), np.stack([np.frombuffer(shares[g][name], "<u8") for name in of]))
            for g in givers
        ]
        rows = shamir.join(heights, self.terms.threshold)
        secrets = {
            name: shamir.from_chunks(row, SEED_BYTES) for name, row in zip(of, rows, strict=True)
        }
        rows.fill(0)
        return secrets

    def _take_off(
        self, numbers: Array, selves: Mapping[str, bytes], keys: Mapping[str, bytes]
    ) -> None:
        """Of the sum: all self masks, and what the masks of those who are gone left in it."""
        masks = Masks(self.layout.size)
        for seed in selves.values():
            masks.subtract(numbers, seed)
        for gone, key in keys.items():
            private = Private(key)
            for name in self._alive:
                (seed,) = private.agree(self._shown[name]["masks"], between(self.terms, gone, name))
                (masks.subtract if name < gone else masks.add)(numbers, seed)
        masks.forget()


class SecureSum:
    """Adds up what parties have found without seeing what each has: a `Summing` for `fedavg`.

    Bonawitz et al., "Practical secure aggregation for privacy-preserving machine learning", 2017, in
    the form that holds against a coordinator who cheats. The parties are `Masked`.

    Args:
        registry: the public keys of all parties.
        threshold: how many have to stay to the end; by default two thirds, and always above half.
        limit: the largest number in a contribution; `examples` times an update has to fit.

    >>> from pellucid.federated import Local
    >>> from pellucid.federated.secure_aggregation import Identity, Masked, SecureSum
    >>> identities = {name: Identity() for name in ("anna", "ben", "cleo")}
    >>> registry = {name: identity.public for name, identity in identities.items()}
    >>> def finds(value):
    ...     return lambda state, message: ({"sum": {"x": np.array([value])}}, state)
    >>> parties = {
    ...     name: Masked(finds(0.25 * i), name, identities[name], registry)
    ...     for i, name in enumerate(registry)}
    >>> asks = dict.fromkeys(parties, {"do": "train"})
    >>> total = SecureSum(registry)(Local(parties), asks, {"x": (1,)})
    >>> total.sums, total.parties
    ({'x': array([0.75])}, ('anna', 'ben', 'cleo'))
    """

    def __init__(
        self, registry: Registry, *, threshold: int | None = None, limit: float = 2.0**20
    ) -> None:
        self.registry, self.threshold, self.limit = dict(registry), threshold, limit
        self._session = 0

    def __call__(self, engine: Engine, messages: Mapping[str, Message], shapes: Shapes) -> Total:
        """Five questions to each party, and the sum.

        Raises:
            RoundError: too few parties stayed; nothing is released.
            TamperedError: the shares do not give the secrets that were dealt; nothing is released.
            ArgumentError: fewer than two parties, one that is not registered, a wrong threshold, or
                different questions for different parties.
        """
        self._session = max(time.time_ns(), self._session + 1)  # grows, also after a new start
        names = tuple(sorted(messages))
        threshold = self.threshold or usual_threshold(len(names))
        terms = Terms(self._session, names, threshold)
        collection = Collection(terms, self.registry, messages, shapes, self.limit)
        questions = collection.keys()
        for _ in STEPS[1:]:
            questions = collection.next(_asked(engine, questions, collection))
        return collection.total(_asked(engine, questions, collection))


def _asked(engine: Engine, questions: Messages, collection: Collection) -> dict[str, Message]:
    replies = engine.ask(questions)
    collection.missing.update(engine.missing)
    return replies


def _letters_in(reply: Message, names: set[str]) -> dict[str, bytes]:
    sealed = reply.get("sealed")
    if (
        not isinstance(sealed, Mapping)
        or set(sealed) != names
        or not all(isinstance(letter, bytes) for letter in sealed.values())
    ):
        raise MessageError("it did not seal one letter for each of the others")
    return dict(sealed)


def _numbers_in(reply: Message, size: int) -> Array:
    numbers = reply.get("masked")
    if not isinstance(numbers, np.ndarray) or numbers.dtype != np.uint64:
        raise MessageError("it sent no masked numbers (uint64)")
    if numbers.shape != (size,):
        raise MessageError(f"its masked numbers are {numbers.shape}, and ({size},) was asked for")
    return numbers


def _shares_in(reply: Message, selves: list[str], masks: list[str]) -> dict[str, dict[str, bytes]]:
    found = {}
    for part, names in (("selves", selves), ("masks", masks)):
        shares = reply.get(part)
        if (
            not isinstance(shares, Mapping)
            or sorted(shares) != names
            or any(not isinstance(s, bytes) or len(s) != SHARE_BYTES for s in shares.values())
        ):
            raise MessageError(f"it did not give the shares of {part} that it was asked for")
        found[part] = dict(shares)
    return found


def _wrong(what: str, name: str) -> str:
    return (
        f"the shares of the {what} of {name} do not give what was dealt: {name} dealt wrong ones, or "
        "somebody gave back another.\nThe round is given up, and nothing of it is known"
    )
