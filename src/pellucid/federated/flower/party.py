"""The party's side of a network: open a letter, have it answered, remember, sign the answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ... import atomic
from ...errors import DataError, MessageError, PellucidError
from ..engine import Party, answer, refused
from ..errors import ReplayError
from ..messages import MOST_BYTES, pack, unpack
from ..secure_aggregation.identity import Identity
from .letters import Letter, mark_of, read, write

COORDINATOR = "the coordinator"
# the kinds of letters: asked, and answered
HELLO, ASK = "hello", "ask"
HERE, REPLY, SILENT, REFUSED, FAILED = "here", "reply", "silent", "refused", "failed"


class Desk:
    """Where a party's letters are opened and answered.

    After each letter, what the party remembers is on disk before the answer leaves, readable by its
    owner only: a party that was ended goes on where it was, and no letter is answered twice.

    Args:
        party: who answers.
        name: its name.
        identity: its own key.
        coordinator: the coordinator's public key; nobody else is answered.
        plan: what stands for the plan that was agreed on.
        memory: the file of what it remembers; it need not be there yet.
        most_bytes: how long a message, a reply or a state may be.
        on_message: called with each message before it is answered.

    Raises:
        DataError: the file is damaged.
    """

    def __init__(
        self,
        party: Party,
        name: str,
        identity: Identity,
        *,
        coordinator: bytes,
        plan: bytes,
        memory: str | os.PathLike[str],
        most_bytes: int = MOST_BYTES,
        on_message: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        self.party, self.name, self.identity, self.plan = party, name, identity, plan
        self.registry = {COORDINATOR: coordinator}
        self.memory, self.most_bytes = Path(memory), most_bytes
        self.on_message = on_message
        self._last, self._state = self._remembered()

    def answer(self, data: bytes) -> bytes:
        """The bytes of the answer to the bytes of a letter; what is wrong with it is an answer, too.

        A mistake in the party (any exception that is none of Pellucid's) is named and not told in
        full: its words could hold something of the data.
        """
        number = 0
        try:
            letter = self._opened(data)
            number = letter.number
            kind, content = self._answered(letter)
        except PellucidError as error:
            kind, content = REFUSED, refused(error).encode()
        except Exception as error:
            kind, content = FAILED, f"failed: {type(error).__name__}".encode()
            self._report(error)
        reply = Letter(self.name, COORDINATOR, number, kind, content)
        return write(self.identity, reply, plan=self.plan, answers=mark_of(data))

    def _opened(self, data: bytes) -> Letter:
        letter = read(data, self.registry, to=self.name, plan=self.plan, most_bytes=self.most_bytes)
        if letter.number <= self._last:
            raise ReplayError(
                f"letter {letter.number} was answered already, or is older than one that was"
            )
        return letter

    def _answered(self, letter: Letter) -> tuple[str, bytes]:
        if letter.kind == HELLO:
            self._remember(letter.number, self._state)
            return HERE, b""
        if letter.kind != ASK:
            raise MessageError(f"a party is asked, not {letter.kind!r}")
        self._remember(letter.number, self._state)  # also if the party refuses, or is ended in it
        if self.on_message is not None:
            self.on_message(unpack(letter.content, self.most_bytes))
        reply, state = answer(self.party, self._state, letter.content, self.most_bytes)
        self._remember(letter.number, state)
        return (SILENT, b"") if reply is None else (REPLY, reply)

    def _remember(self, number: int, state: bytes) -> None:
        if number != self._last or state != self._state:
            whole = pack({"number": number, "state": state}, 2**62)
            with atomic.replacing(self.memory) as temporary:
                handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(whole)
        self._last, self._state = number, state

    def _remembered(self) -> tuple[int, bytes]:
        try:
            whole = unpack(self.memory.read_bytes(), 2**62)
            return int(whole["number"]), bytes(whole["state"])
        except FileNotFoundError:
            return 0, b""
        except (MessageError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{self.memory} is not what {self.name} remembers, or damaged ({error}).\nWithout it, "
                "old letters could be answered again: delete it only if no training goes on"
            ) from None

    def _report(self, error: Exception) -> None:
        """On this party's own machine, everything may be read."""
        import sys
        import traceback

        with suppress(OSError):
            traceback.print_exception(error, file=sys.stderr)
