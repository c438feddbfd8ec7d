"""Sums of locked contributions: the coordinator adds what it cannot read.

Each party locks what it has found with the public key, the coordinator adds the ciphertexts, and the
holder of the private key opens the sum. Three roles, and each pair of them has to be kept apart:

    party          sees its own contribution, and the model
    coordinator    sees ciphertexts, and the sum once it is opened
    key holder     sees the sum; it must not see the ciphertext of one party, which it could open

So this protects as long as coordinator and key holder do not conspire: that a ciphertext is a sum, and
not one party's contribution, cannot be seen from it. Secure aggregation needs no such trust.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from ..errors import ArgumentError, MessageError, PellucidError, RoundError
from .engine import Engine, Party, State
from .errors import PrivacyError
from .fixed_point import FixedPoint
from .layout import Layout
from .messages import Message
from .noise import Noise
from .summing import Shapes, Total, checked

Array = Any


class Vector(Protocol):
    """A locked vector, of Paillier or CKKS."""

    size: int
    terms: int

    def __add__(self, other: Any) -> Any: ...
    def to_plain(self) -> dict[str, Any]: ...


class Public(Protocol):
    """A public key, of Paillier or CKKS."""

    def vector_from_plain(self, plain: Mapping[str, Any], encoding: FixedPoint) -> Any:
        """A locked vector that has travelled."""


class Encrypting:
    """A party that shows what it has found locked only.

    Args:
        party: the one that finds something, such as a `Trainer`.
        public: a public key of `paillier` or `ckks`.
        encoding: how numbers are written; agreed on by all. `terms` is at least the number of parties.
        noise: for Paillier, a faster source of noise, such as `FixedBaseNoise(public)`.
    """

    def __init__(
        self, party: Party, public: Any, encoding: FixedPoint, noise: Noise | None = None
    ) -> None:
        self.party, self.public, self.encoding = party, public, encoding
        self.noise = {} if noise is None else {"noise": noise}

    def __call__(self, state: State, message: Message) -> tuple[Message, State]:
        """Ask the party, lock the answer.

        Raises:
            PrivacyError: asked for something that is not to be locked.
            MessageError: what was found does not fit what was asked.
        """
        if message.get("do") != "lock":
            raise PrivacyError(
                f"this party takes part in locked sums only, and was asked to {message.get('do')!r}: "
                "an answer would show its contribution"
            )
        layout = layout_of(message, self.encoding)
        reply, state = self.party(state, message.get("ask") or {})
        whole = layout.encode(checked(reply or {}, layout.shapes))
        row = self.encoding.decode(whole)
        locked = self.public.encrypt_vector(row, self.encoding, **self.noise)
        return {"locked": locked.to_plain()}, state


class KeyHolder:
    """A party that opens sums, and does nothing else.

    Args:
        private: a private key of `paillier` or `ckks`.
        encoding: how numbers are written.
        at_least: it opens no sum of fewer; it has to believe the coordinator how many are in it.
    """

    def __init__(self, private: Any, encoding: FixedPoint, *, at_least: int = 2) -> None:
        self.private, self.encoding, self.at_least = private, encoding, at_least

    def __call__(self, state: State, message: Message) -> tuple[Message, State]:
        """Open a sum.

        Raises:
            PrivacyError: asked for something else, or to open fewer than `at_least` contributions.
            MessageError: this is no locked vector under its key.
        """
        locked = message.get("locked")
        if message.get("do") != "open" or not isinstance(locked, Mapping):
            raise PrivacyError("a key holder opens locked sums, and answers nothing else")
        vector = self.private.public.vector_from_plain(locked, self.encoding)
        if vector.terms < self.at_least:
            raise PrivacyError(
                f"a sum of {vector.terms} was to be opened, and {self.at_least} are the least: "
                "fewer would show what single parties have found"
            )
        return {"numbers": self.private.decrypt_vector(vector)}, state


class EncryptedSum:
    """Adds up what parties have found without being able to read it: a `Summing` for `fedavg`.

    Args:
        public: the key that the parties, which are `Encrypting`, lock with.
        encoding: as theirs.
        holder: an engine with one party, the `KeyHolder`.
        at_least: with fewer contributions than this, nothing is opened.

    Raises:
        ArgumentError: the holder's engine has not exactly one party.

    >>> from pellucid.federated import Local, paillier
    >>> keys = paillier.keygen(256, lesson=True)
    >>> encoding = FixedPoint(limit=100, terms=32, width=48)
    >>> finds = lambda state, message: ({"sum": {"x": np.array([0.25])}}, state)
    >>> parties = Local({n: Encrypting(finds, keys.public, encoding) for n in ("anna", "ben")})
    >>> holder = Local({"holder": KeyHolder(keys, encoding)})
    >>> asks = dict.fromkeys(parties.parties, {"do": "train"})
    >>> EncryptedSum(keys.public, encoding, holder)(parties, asks, {"x": (1,)}).sums
    {'x': array([0.5])}
    """

    def __init__(
        self, public: Public, encoding: FixedPoint, holder: Engine, *, at_least: int = 2
    ) -> None:
        if len(holder.parties) != 1:
            raise ArgumentError(f"one party holds the key, and here are {len(holder.parties)}")
        self.public, self.encoding, self.holder = public, encoding, holder
        self.at_least = at_least

    def __call__(self, engine: Engine, messages: Mapping[str, Message], shapes: Shapes) -> Total:
        """Ask everybody, add, and have the sum opened.

        Raises:
            RoundError: too few contributions, or the key holder does not answer.
            OutOfRangeError: more contributions than the encoding has room for.
        """
        how = {"do": "lock", "shapes": {name: list(shape) for name, shape in shapes.items()}}
        replies = engine.ask({name: {**how, "ask": ask} for name, ask in messages.items()})
        missing, layout = dict(engine.missing), Layout(shapes, self.encoding)
        inside, total = [], None
        for name in sorted(replies):
            try:
                vector = self._read(replies[name], layout.size)
            except PellucidError as error:
                missing[name] = f"not accepted: {error.message}"
                continue
            inside.append(name)
            total = vector if total is None else total + vector
        if total is None or len(inside) < self.at_least:
            why = "".join(f"\n  {name}: {reason}" for name, reason in missing.items())
            raise RoundError(
                f"{len(inside)} of {len(messages)} parties are in the sum, and {self.at_least} are "
                f"the least: nothing is opened{why}"
            )
        return Total(layout.split(self._opened(total)), tuple(inside), missing)

    def _read(self, reply: Message, size: int) -> Vector:
        """One party's vector, of one contribution and of the right length.

        Raises:
            MessageError: it is no such vector.
        """
        locked = reply.get("locked")
        if not isinstance(locked, Mapping):
            raise MessageError("it sent no locked vector")
        vector: Vector = self.public.vector_from_plain(locked, self.encoding)
        if (vector.size, vector.terms) != (size, 1):
            raise MessageError(
                f"it sent {vector.size} numbers of {vector.terms} contributions, and {size} of one "
                "were asked for"
            )
        return vector

    def _opened(self, total: Vector) -> Array:
        (name,) = self.holder.parties
        replies = self.holder.ask({name: {"do": "open", "locked": total.to_plain()}})
        numbers = replies.get(name, {}).get("numbers")
        if not isinstance(numbers, np.ndarray) or numbers.shape != (total.size,):
            reason = self.holder.missing.get(name, "it answered something else")
            raise RoundError(f"the sum is locked, and {name} does not open it: {reason}")
        return numbers


def layout_of(message: Message, encoding: FixedPoint) -> Layout:
    """Which arrays are asked for.

    Raises:
        MessageError: the message does not say, or it makes no sense.
    """
    shapes: Any = message.get("shapes")
    try:
        return Layout({str(n): tuple(int(k) for k in s) for n, s in shapes.items()}, encoding)
    except (AttributeError, TypeError, ValueError):
        raise MessageError("to lock a contribution, a party needs to know its shapes") from None
