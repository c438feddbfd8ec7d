"""What each party saw: a record of everything that an engine carried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .engine import Around, Engine
from .messages import MOST_BYTES, Message, pack


@dataclass(frozen=True)
class Exchange:
    """One message and what came back.

    Attributes:
        number: of the `ask`, from 1.
        party: who was asked.
        message: what it was sent.
        reply: what it said; None if it dropped out.
        sent, received: how many bytes that was.
    """

    number: int
    party: str
    message: Message
    reply: Message | None
    sent: int
    received: int


class Recorder(Around):
    """An engine that keeps a copy of everything: wrap it round another.

    >>> from pellucid.federated import Local, Recorder
    >>> double = lambda state, message: ({"twice": 2 * message["x"]}, state)
    >>> engine = Recorder(Local({"anna": double, "ben": double}))
    >>> _ = engine.ask({"anna": {"x": 1}, "ben": {"x": 2}})
    >>> [(seen.message, seen.reply) for seen in engine.view("ben")]
    [({'x': 2}, {'twice': 4})]
    >>> len(engine.view())
    2
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.log: list[Exchange] = []
        self._asks = 0

    def ask(self, messages: Mapping[str, Message]) -> dict[str, Message]:
        """Ask, and remember."""
        replies = self.engine.ask(messages)
        self._asks += 1
        for party, message in messages.items():
            reply = replies.get(party)
            sizes = (len(pack(part, 2 * MOST_BYTES)) if part else 0 for part in (message, reply))
            self.log.append(Exchange(self._asks, party, message, reply, *sizes))
        return replies

    def view(self, party: str | None = None) -> list[Exchange]:
        """What a party saw; without a name, what the coordinator saw: everything."""
        return [seen for seen in self.log if party is None or seen.party == party]
