"""Parties in processes of their own: several train at once, and one that hangs is ended.

A worker is a process that serves any party. With each message it is handed that party's state, so
whichever worker is free can take it, and one that is ended in the middle loses nothing but a reply.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait

from ..errors import ArgumentError, MessageError, PellucidError
from .engine import (
    SILENT,
    Missing,
    Party,
    answer,
    check_deadline,
    late,
    packed_for,
    refused,
)
from .messages import MOST_BYTES, Message, unpack

MakeParty = Callable[[str], Party]

_REPLY, _SILENT, _REFUSED, _FAILED = b"reply", b"silent", b"refused", b"failed"


class Workers:
    """Parties in a few worker processes. Close it at the end, or use it in a `with`.

    As everywhere with processes, the program that makes it stands under
    `if __name__ == "__main__":`.

    Args:
        names: of the parties.
        make: a function at the top of a module, that makes a party from its name; it is called in
            the worker, once for each party that the worker gets to serve.
        processes: how many workers.
        deadline: seconds that a party has; the worker of one that takes longer is ended.
        most_bytes: how long a message, a reply or a state may be.

    Raises:
        ArgumentError: fewer than one process, a deadline that is not above 0, or a `make` that
            cannot be handed to a process.
    """

    def __init__(
        self,
        names: Sequence[str],
        make: MakeParty,
        *,
        processes: int = 2,
        deadline: float | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        check_deadline(deadline)
        if processes < 1:
            raise ArgumentError(f"processes is {processes}; there is at least one")
        self.parties = tuple(names)
        self.deadline, self.most_bytes = deadline, most_bytes
        self.missing: Missing = {}
        self.sent = self.received = 0
        self._make = make
        self._states: dict[str, bytes] = {}
        self._processes = processes
        self._idle: list[_Worker] = []

    def ask(self, messages: Mapping[str, Message]) -> dict[str, Message]:
        """Hand the messages out to the workers, and collect what comes back in time.

        Raises:
            PartyError: a name that no party has; nobody was asked.
            MessageError: a message that cannot be sent; nobody was asked.
        """
        packed = packed_for(self.parties, messages, self.most_bytes)
        self.missing = {}
        replies: dict[str, Message] = {}
        waiting, busy = deque(packed), dict[Connection, _Worker]()
        try:
            while waiting or busy:
                while waiting and len(busy) < self._processes:
                    worker = self._idle.pop() if self._idle else _Worker(self._make)
                    name = waiting.popleft()
                    worker.give(name, self._states.get(name, b""), packed[name], self.most_bytes)
                    self.sent += len(packed[name])
                    busy[worker.pipe] = worker
                ready = wait(list(busy), self._patience(busy))
                for worker in [w for pipe, w in busy.items() if pipe in ready]:
                    del busy[worker.pipe]
                    self._take(worker, replies)
                for worker in [w for w in busy.values() if self._is_late(w)]:
                    self.missing[worker.name] = late(self.deadline or 0)
                    worker.end()
                    del busy[worker.pipe]
        except BaseException:
            for worker in busy.values():
                worker.end()
            raise
        return {name: replies[name] for name in packed if name in replies}

    def close(self) -> None:
        """End all workers."""
        while self._idle:
            self._idle.pop().end()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, worker: _Worker, replies: dict[str, Message]) -> None:
        """What a worker has to say."""
        name = worker.name
        try:
            kind, said, state = worker.result()
        except (EOFError, OSError):
            worker.end()
            self.missing[name] = f"its process ended ({worker.process.exitcode})"
            return
        self._idle.append(worker)
        if kind in (_REPLY, _SILENT):
            self._states[name] = state
        if kind == _REPLY:
            try:
                replies[name] = unpack(said, self.most_bytes)
                self.received += len(said)
            except MessageError as error:
                self.missing[name] = refused(error)
        else:
            self.missing[name] = SILENT if kind == _SILENT else said.decode()

    def _is_late(self, worker: _Worker) -> bool:
        return self.deadline is not None and time.monotonic() - worker.since > self.deadline

    def _patience(self, busy: Mapping[Connection, _Worker]) -> float | None:
        """Seconds until the first of the parties is late."""
        if self.deadline is None:
            return None
        return max(0.0, min(w.since for w in busy.values()) + self.deadline - time.monotonic())


class _Worker:
    """A process, and what it is busy with."""

    def __init__(self, make: MakeParty) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(make, theirs), daemon=True)
        try:
            self.process.start()
        except Exception as error:  # pickling raises what it likes
            self.pipe.close()
            raise ArgumentError(
                f"{make!r} cannot be handed to another process ({error}).\n"
                "It has to be a function at the top of a module, not one inside another, or a lambda"
            ) from None
        finally:
            theirs.close()
        try:
            self.pipe.recv_bytes()  # it says hello, so that its start takes nothing off a deadline
        except EOFError:
            self.end()
            raise ArgumentError(
                f"a process for parties ended as it began ({self.process.exitcode}); what it said "
                'stands above.\nIs what makes Workers under if __name__ == "__main__": ?'
            ) from None
        self.name, self.since = "", 0.0

    def give(self, name: str, state: bytes, message: bytes, most_bytes: int) -> None:
        """Hand over a message for a party."""
        self.name, self.since = name, time.monotonic()
        with suppress(OSError):  # it has ended: noticed when its result is read
            for part in (name.encode(), str(most_bytes).encode(), state, message):
                self.pipe.send_bytes(part)

    def result(self) -> tuple[bytes, bytes, bytes]:
        """(kind, reply or words, new state)."""
        return self.pipe.recv_bytes(), self.pipe.recv_bytes(), self.pipe.recv_bytes()

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def serve(make: MakeParty, pipe: Connection) -> None:
    """Answer messages until nobody sends any: what a worker process does."""
    parties: dict[str, Party] = {}
    with suppress(EOFError, OSError, KeyboardInterrupt):
        pipe.send_bytes(b"hello")
        while True:
            name = pipe.recv_bytes().decode()
            most, state, message = (pipe.recv_bytes() for _ in range(3))
            result: tuple[bytes, bytes, bytes]
            try:
                if name not in parties:
                    parties[name] = make(name)
                reply, state = answer(parties[name], state, message, int(most))
                result = (_SILENT, b"", state) if reply is None else (_REPLY, reply, state)
            except PellucidError as error:
                result = _REFUSED, refused(error).encode(), b""
            except Exception as error:  # a mistake in a party ends neither the worker nor the round
                result = _FAILED, f"failed: {type(error).__name__}: {error}".encode(), b""
            for part in result:
                pipe.send_bytes(part)
