"""The coordinator's side of a network: who is who, and letters to several parties at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from ...errors import MessageError, PellucidError, RoundError
from ..engine import SILENT as SAID_NOTHING
from ..engine import Missing, check_deadline, late, packed_for
from ..errors import TamperedError
from ..messages import MOST_BYTES, Message, unpack
from ..secure_aggregation.identity import Identity, Registry
from .letters import ANYBODY, Letter, mark_of, read, write
from .party import ASK, COORDINATOR, FAILED, HELLO, HERE, REFUSED, REPLY

NOT_HERE, GONE = "is not here", "has gone"
HELLO_SECONDS = 15.0  # to say who one is; who does not is asked again after twice that, and so on
MOST_WORDS = 1000  # bytes of what a party says went wrong


class Transport(Protocol):
    """What carries bytes to nodes, whoever they are."""

    def nodes(self) -> list[int]:
        """Who is there."""

    def exchange(self, letters: Mapping[int, bytes], deadline: float) -> dict[int, bytes | str]:
        """Send each node its letter; after all have answered, or the deadline, what came back.

        A text in place of bytes says why a node could not answer.
        """


class Flower:
    """An engine whose parties are on other machines.

    Args:
        transport: what carries letters, such as `connection.Link`.
        identity: the coordinator's own key.
        registry: the public keys of the parties; nobody else takes part.
        plan: what stands for the plan that was agreed on.
        deadline: seconds that parties have for one answer.
        most_bytes: how long a message or a reply may be.
        note: called with a sentence about somebody who came and may not take part.

    Raises:
        ArgumentError: a deadline that is not above 0.
    """

    def __init__(
        self,
        transport: Transport,
        identity: Identity,
        registry: Registry,
        *,
        plan: bytes,
        deadline: float = 60.0,
        most_bytes: int = MOST_BYTES,
        note: Callable[[str], None] | None = None,
    ) -> None:
        check_deadline(deadline)
        self.transport, self.identity, self.registry = transport, identity, dict(registry)
        self.plan, self.deadline, self.most_bytes = plan, deadline, most_bytes
        self.note = note or (lambda _: None)
        self.missing: Missing = {}
        self.sent = self.received = 0
        self._number = 0
        self._node: dict[str, int] = {}  # where each party is
        self._asked: dict[int, int] = {}  # how often a node was asked in vain who it is
        self._again: dict[int, float] = {}  # and when it is asked again
        self._strangers: set[int] = set()

    @property
    def parties(self) -> tuple[str, ...]:
        """Their names, here or not."""
        return tuple(self.registry)

    @property
    def here(self) -> list[str]:
        """Who has said hello and not been missed since."""
        return [name for name in self.registry if name in self._node]

    def ask(self, messages: Mapping[str, Message]) -> dict[str, Message]:
        """Send everybody a letter, and wait for the answers until the deadline.

        Raises:
            PartyError: a name that no party has; nobody was asked.
            MessageError: a message that cannot be sent; nobody was asked.
        """
        packed = packed_for(self.parties, messages, self.most_bytes)
        self.missing = {}
        self.greet(packed)
        letters = {
            name: self._write(name, ASK, content)
            for name, content in packed.items()
            if name in self._node
        }
        self.sent += sum(map(len, letters.values()))
        by_node = {self._node[name]: letter for name, letter in letters.items()}
        came = self.transport.exchange(by_node, self.deadline)
        replies = {}
        for name in packed:
            if name not in letters:
                self.missing[name] = NOT_HERE
                continue
            reply = self._read(name, letters[name], came.get(self._node[name]))
            if reply is not None:
                replies[name] = reply
        return replies

    def wait(self, count: int, patience: float, at_least: int | None = None) -> list[str]:
        """Wait until so many parties are here; who is.

        Args:
            count: how many.
            patience: seconds.
            at_least: how many will do when the patience is at its end; all without it.

        Raises:
            RoundError: fewer came.
        """
        until = time.monotonic() + patience
        while len(self.here) < count and time.monotonic() < until:
            self.greet()
            if len(self.here) < count:
                time.sleep(0.2)
        if len(self.here) < (count if at_least is None else at_least):
            absent = ", ".join(name for name in self.registry if name not in self._node)
            raise RoundError(
                f"{len(self.here)} of {count} parties came within {patience:g} s; not here: {absent}"
            )
        return self.here

    def greet(self, wanted: Iterable[str] | None = None) -> None:
        """Ask whoever is new who it is, and nodes that did not say so if somebody is wanted.

        Args:
            wanted: parties that are to be asked something; all of them without it.
        """
        known = {*self._node.values(), *self._strangers}
        absent = any(name not in self._node for name in (wanted or self.registry))
        now = time.monotonic()
        asked = [
            node
            for node in self.transport.nodes()
            if node not in known
            and (node not in self._again or (absent and now >= self._again[node]))
        ]
        if not asked:
            return
        letter = self._write(ANYBODY, HELLO, b"")
        came = self.transport.exchange(
            dict.fromkeys(asked, letter), min(HELLO_SECONDS, self.deadline)
        )
        for node in asked:
            tries = self._asked[node] = self._asked.get(node, 0) + 1
            self._again[node] = time.monotonic() + HELLO_SECONDS * 2**tries
            self._welcome(node, letter, came.get(node))

    # ------------------------------------------------------------------------------------------ inside

    def _welcome(self, node: int, hello: bytes, answer: bytes | str | None) -> None:
        """Remember who a node is, or that it is nobody who may take part."""
        if not isinstance(answer, bytes):
            return  # perhaps it is busy; it is asked again
        try:
            reply = self._opened(hello, answer)
            if reply.kind != HERE:
                raise MessageError(f"{reply.sender} {reply.content[:MOST_WORDS].decode()}")
        except (PellucidError, UnicodeDecodeError) as error:
            self._strangers.add(node)
            self.note(f"somebody came and takes no part: {said(error)}")
            return
        self._node[reply.sender] = node  # whoever came last is where it is now
        self._asked[node], self._again[node] = 0, 0.0

    def _read(self, name: str, letter: bytes, answer: bytes | str | None) -> Message | None:
        """What a party answered; None if that is nothing, with the reason in `missing`."""
        if answer is None:
            self.missing[name] = late(self.deadline)
            self._node.pop(name)
            return None
        if isinstance(answer, str):
            self.missing[name] = answer
            if answer == GONE:
                self._node.pop(name)
            return None
        self.received += len(answer)
        try:
            reply = self._opened(letter, answer)
            if reply.sender != name:
                raise TamperedError(f"{reply.sender} answers in place of {name}")
            if reply.kind == REPLY:
                return unpack(reply.content, self.most_bytes)
            known = reply.kind in (REFUSED, FAILED)
            words = reply.content[:MOST_WORDS].decode() if known else SAID_NOTHING
        except (PellucidError, UnicodeDecodeError) as error:
            words = f"not accepted: {said(error)}"
        self.missing[name] = words
        return None

    def _write(self, to: str, kind: str, content: bytes) -> bytes:
        self._number = max(time.time_ns(), self._number + 1)  # grows, also after a new start
        letter = Letter(COORDINATOR, to, self._number, kind, content)
        return write(self.identity, letter, plan=self.plan)

    def _opened(self, letter: bytes, answer: bytes) -> Letter:
        return read(
            answer,
            self.registry,
            to=COORDINATOR,
            plan=self.plan,
            most_bytes=self.most_bytes,
            answers=mark_of(letter),
        )


def said(error: Exception) -> str:
    """What is wrong, in words."""
    return error.message if isinstance(error, PellucidError) else "its words are no text"
