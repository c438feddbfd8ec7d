"""An engine carries messages to parties and brings their replies: the one contract there is.

    replies = engine.ask({"anna": message, "ben": message})     a party that is missing dropped out
    reply, state = party(state, message)                        state and message are plain data

Everything else (averaging, sampling, masks, encryption, the journal) knows only `ask`. A party keeps
what it must remember in its state, since over a network each message may find a new process; its
data it keeps to itself. A reply of None means that it says nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ..errors import ArgumentError, PartyError, PellucidError
from .messages import MOST_BYTES, Message, pack, unpack

State = dict[str, Any]
Party = Callable[[State, Message], tuple[Message | None, State]]
Missing = dict[str, str]  # why each party that did not answer did not


class Engine(Protocol):
    """What carries messages."""

    @property
    def parties(self) -> tuple[str, ...]:
        """The names of all parties that can be asked."""

    @property
    def missing(self) -> Missing:
        """Of the last `ask`, the parties that did not answer, and why, as far as one knows."""

    @property
    def sent(self) -> int:
        """How many bytes went to parties so far."""

    @property
    def received(self) -> int:
        """How many bytes came from parties so far."""

    def ask(self, messages: Mapping[str, Message]) -> dict[str, Message]:
        """Send a message to each party that is named, and wait for the replies.

        Returns:
            The replies by party. Whoever dropped out is not in it.

        Raises:
            PartyError: a name that no party has.
            MessageError: a message that cannot be sent.
        """


class Around:
    """An engine round another: it passes everything on. What it should do besides, a subclass says."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def parties(self) -> tuple[str, ...]:
        """The names of all parties that can be asked."""
        return self.engine.parties

    @property
    def missing(self) -> Missing:
        """Of the last `ask`, who did not answer, and why."""
        return self.engine.missing

    @property
    def sent(self) -> int:
        """How many bytes went to parties so far."""
        return self.engine.sent

    @property
    def received(self) -> int:
        """How many bytes came from parties so far."""
        return self.engine.received

    def ask(self, messages: Mapping[str, Message]) -> dict[str, Message]:
        """Ask."""
        return self.engine.ask(messages)


class Local:
    """All parties in this process, one after the other.

    Messages, replies and states are turned into bytes and back all the same, so that what runs here
    runs over a network, and no party sees another's memory.

    Args:
        parties: by name.
        deadline: seconds; the reply of a party that takes longer is thrown away.
        most_bytes: how long a message, a reply or a state may be.

    >>> def anna(state, message):
    ...     asked = state.get("asked", 0) + 1
    ...     return {"twice": 2 * message["x"]}, {"asked": asked}
    >>> def silent(state, message):
    ...     return None, state
    >>> engine = Local({"anna": anna, "ben": silent})
    >>> engine.ask({"anna": {"x": 3}, "ben": {"x": 4}})
    {'anna': {'twice': 6}}
    >>> engine.missing
    {'ben': 'said nothing'}
    """

    def __init__(
        self,
        parties: Mapping[str, Party],
        *,
        deadline: float | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        check_deadline(deadline)
        self._parties = dict(parties)
        self._states: dict[str, bytes] = {}
        self.deadline, self.most_bytes = deadline, most_bytes
        self.missing: Missing = {}
        self.sent = self.received = 0

    @property
    def parties(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._parties)

    def ask(self, messages: Mapping[str, Message]) -> dict[str, Message]:
        """Ask one party after the other. What no party should raise is passed on, being a mistake.

        Raises:
            PartyError: a name that no party has; nobody was asked.
            MessageError: a message that cannot be sent; nobody was asked.
        """
        packed = packed_for(self.parties, messages, self.most_bytes)
        self.missing, replies = {}, {}
        for name, message in packed.items():
            self.sent += len(message)
            start = time.perf_counter()
            try:
                state = self._states.get(name, b"")
                reply, self._states[name] = answer(
                    self._parties[name], state, message, self.most_bytes
                )
            except PellucidError as error:
                self.missing[name] = refused(error)
                continue
            if reply is None:
                self.missing[name] = SILENT
            elif self.deadline is not None and time.perf_counter() - start > self.deadline:
                self.missing[name] = late(self.deadline)
            else:
                self.received += len(reply)
                replies[name] = unpack(reply, self.most_bytes)
        return replies


def answer(
    party: Party, state: bytes, message: bytes, most_bytes: int = MOST_BYTES
) -> tuple[bytes | None, bytes]:
    """Let a party answer one message; everything in bytes. The party's side of every engine.

    Args:
        party: who is asked.
        state: what it returned the last time; empty at first.
        message: the message.
        most_bytes: how long each of them may be.

    Returns:
        Its reply, or None if it says nothing; and its new state.

    Raises:
        MessageError: the message, the reply or the state is too long or no plain data.
        PellucidError: whatever the party refuses with; its state is then the old one.
    """
    remembered = unpack(state, most_bytes) if state else {}
    reply, remembered = party(remembered, unpack(message, most_bytes))
    return None if reply is None else pack(reply, most_bytes), pack(remembered, most_bytes)


# ------------------------------------------------------------- what engines have in common, in words

SILENT = "said nothing"


def packed_for(
    parties: tuple[str, ...], messages: Mapping[str, Message], most_bytes: int
) -> dict[str, bytes]:
    """The messages in bytes. What goes to several parties, being one object, is packed once.

    Raises:
        PartyError: a name that no party has.
        MessageError: a message that cannot be sent.
    """
    unknown = [name for name in messages if name not in parties]
    if unknown:
        raise PartyError(
            f"there is no party {', '.join(map(repr, unknown))}; there are: "
            f"{', '.join(parties[:20]) or 'none'}{', ...' if len(parties) > 20 else ''}"
        )
    once: dict[int, bytes] = {}
    for message in messages.values():
        if id(message) not in once:
            once[id(message)] = pack(message, most_bytes)
    return {name: once[id(message)] for name, message in messages.items()}


def late(deadline: float) -> str:
    """It took too long."""
    return f"took longer than {deadline:g} s"


def refused(error: PellucidError) -> str:
    """It would not."""
    return f"refused: {error.message}"


def check_deadline(deadline: float | None) -> None:
    """Refuse a deadline that has passed before it begins.

    Raises:
        ArgumentError: it is not above 0.
    """
    if deadline is not None and not deadline > 0:
        raise ArgumentError(f"deadline is {deadline} seconds; it is above 0, or None for none")
