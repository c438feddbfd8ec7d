"""The page's end of the wire: one WebSocket for all views and experiments of a page.

The page opens a view or runs an experiment under a number of its own choosing, and what concerns it is
sent under that number:

    {"id": 3, "open": "streetlights", "language": "en"}    ->  {"id": 3, "event": "state", ...}
    {"id": 3, "do": "step"}                                ->  {"id": 3, "event": "state", ...}
    {"id": 3, "save": "csv"}                               ->  {"id": 3, "event": "file", ...}
    {"id": 3, "close": true}
    {"id": 4, "run": "6.20", "settings": {"lr": 0.3}}      ->  progress ..., finished or failed
    {"id": 4, "stop": true}                                ->  {"id": 4, "event": "stopped"}
    {"id": 5, "code": "print(1)"}                          ->  {"id": 5, "event": "ran", ...}
    {"id": 6, "check": "softmax", "code": "def softmax ..."} -> {"id": 6, "event": "checked", ...}
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from ..book.experiment import find
from ..book.refusal import Refusal
from ..book.texts import as_language
from ..errors import PellucidError
from . import exercises, present, problems, sandbox, saved
from .codec import LARGEST, NonsenseError, decode, encode
from .view import View, open_view

MOST_VIEWS = 24  # open at once, per page
MOST_RUNS = 2  # at once, in all
PATIENCE = 3600.0  # seconds an experiment may take
RATE, BURST = 120.0, 240.0  # messages per second, and how many may come at once
LARGEST_FRAME = 256 << 20  # bytes from a worker


def _alone() -> None:
    """Steps are small: more threads of BLAS would only wait for each other."""
    with suppress(ImportError):  # comes with scikit-learn
        from threadpoolctl import threadpool_limits

        threadpool_limits(1, "blas")


# One thread for all views: the engine's settings (float64, random numbers) belong to one at a time.
ENGINE = ThreadPoolExecutor(1, thread_name_prefix="engine", initializer=_alone)


class Flood(Exception):  # noqa: N818 - it is one
    """More messages than a person can make."""


class Rate:
    """How many messages may still come: `BURST` at once, `RATE` per second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.left, self.last = clock, BURST, clock()

    def count(self) -> None:
        """One more.

        Raises:
            Flood: that was one too many.
        """
        now = self.clock()
        self.left = min(BURST, self.left + RATE * (now - self.last)) - 1
        self.last = now
        if self.left < 0:
            raise Flood


class Runs:
    """The experiments that are running, of all pages."""

    def __init__(self) -> None:
        self.running = 0

    def take(self) -> bool:
        """Take a place, if there is one."""
        if self.running >= MOST_RUNS:
            return False
        self.running += 1
        return True

    def leave(self) -> None:
        """Give it back."""
        self.running -= 1


class Wire:
    """One page.

    Args:
        socket: its WebSocket.
        runs: who is running what.
    """

    def __init__(self, socket: WebSocket, runs: Runs) -> None:
        self.socket, self.runs = socket, runs
        self.views: dict[int, View] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.rate = Rate()

    async def serve(self) -> None:
        """Answer until the page is closed."""
        await self.socket.accept()
        try:
            while True:
                message = await self.socket.receive_text()
                self.rate.count()
                await self.answer(decode(message))
        except (WebSocketDisconnect, RuntimeError):
            pass  # the page was closed
        except KeyError:
            await self.socket.close(1003, "binary messages are not taken")
        except Flood:
            await self.socket.close(1008, "too many messages at once")
        except NonsenseError as error:
            await self.socket.close(1003, str(error)[:100])
        finally:
            for task in self.tasks.values():
                task.cancel()
            await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    async def answer(self, message: dict[str, Any]) -> None:
        """Do what one message asks."""
        number = message.pop("id", None)
        if isinstance(number, bool) or not isinstance(number, int):
            raise NonsenseError("a message has an id, a whole number")
        try:
            if "run" in message:
                self.start(number, message)
            elif "code" in message:
                self.try_code(number, message)
            elif "stop" in message:
                self.stop(number)
            elif "close" in message:
                self.views.pop(number, None)
            else:
                await self.send(number, await self.in_engine(self.view, number, message))
        except (NonsenseError, WebSocketDisconnect):
            raise
        except Exception as error:
            if not isinstance(error, PellucidError):
                traceback.print_exc()
            language = self.language(number, message)
            await self.send(number, {"event": "problem", **problems.told(error, language)})

    async def send(self, id: int, told: dict[str, Any]) -> None:
        """Send a message to the page."""
        frame = encode({"id": id, **told})
        if isinstance(frame, str):
            await self.socket.send_text(frame)
        else:
            await self.socket.send_bytes(frame)

    async def in_engine(self, function: Callable[..., Any], *given: Any) -> Any:
        """Call it in the thread of the engine."""
        return await asyncio.get_running_loop().run_in_executor(ENGINE, function, *given)

    def language(self, id: int, message: dict[str, Any]) -> str:
        """The language of a message, or else of the view that it is for."""
        spoken = self.views[id].language if id in self.views else "en"
        return as_language(str(message.get("language"))) or spoken

    # ----------------------------------------------------------------------------------------- views

    def view(self, id: int, message: dict[str, Any]) -> dict[str, Any]:
        """Open a view, or do something in one that is open."""
        if "open" in message:
            if len(self.views) >= MOST_VIEWS:
                raise Refusal("views open", most=MOST_VIEWS)
            self.views[id] = open_view(str(message["open"]), self.language(id, message))
        if id not in self.views:
            raise Refusal("view closed")
        view = self.views[id]
        if "save" in message:
            return {"event": "file", **saved.file(view, str(message["save"]))}
        if "do" in message:
            view.handle(message)
        return {"event": "state", "state": view.state()}

    # ----------------------------------------------------------------------------------- experiments

    def start(self, id: int, message: dict[str, Any]) -> None:
        """Start an experiment, if its settings are in order and there is a place for it."""
        experiment = find(str(message["run"]))
        settings = message.get("settings", {})
        if not isinstance(settings, dict):
            raise NonsenseError("settings are a JSON object")
        experiment.settle(settings)
        if hidden := set(settings) - {p.name for p in present.offered(experiment)}:
            raise Refusal("names a file", names=", ".join(sorted(hidden)))
        if id in self.tasks and not self.tasks[id].done():
            raise Refusal("running already")
        if not self.runs.take():
            raise Refusal("experiments running", most=MOST_RUNS)
        asked = {"id": id, "run": experiment.id, "settings": settings}
        asked["language"] = self.language(id, message)
        self.tasks[id] = asyncio.create_task(self.run(id, asked))

    def stop(self, id: int) -> None:
        """Stop an experiment."""
        if id in self.tasks:
            self.tasks[id].cancel()

    async def run(self, id: int, asked: dict[str, Any]) -> None:
        """Run an experiment in a process of its own, and hand on what it sends."""
        process = None
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "pellucid.lab.worker",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "PELLUCID_OFFLINE": "1"},
            )  # fmt: skip
            assert process.stdin is not None
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            await process.stdin.drain()
            async with asyncio.timeout(PATIENCE):
                ended = await self.hand_on(process)
            if not ended:
                raise Refusal("ended", code=await process.wait())
        except TimeoutError:
            slow = Refusal("too slow", minutes=round(PATIENCE / 60))
            await self.send(id, {"event": "failed", "message": slow.told(asked["language"])})
        except Refusal as error:
            await self.send(id, {"event": "failed", "message": error.told(asked["language"])})
        except asyncio.CancelledError:
            with suppress(RuntimeError, WebSocketDisconnect):  # the page may be gone
                await self.send(id, {"event": "stopped"})
        finally:
            self.runs.leave()
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()

    def try_code(self, id: int, message: dict[str, Any]) -> None:
        """Run the reader's own code, or check it, if there is a place for it."""
        if "check" in message:
            exercises.find(str(message["check"]))
        if id in self.tasks and not self.tasks[id].done():
            raise Refusal("running already")
        if not self.runs.take():
            raise Refusal("programs running", most=MOST_RUNS)
        self.tasks[id] = asyncio.create_task(self.code(id, message))

    async def code(self, id: int, message: dict[str, Any]) -> None:
        """What the reader's code prints, or what is right and wrong in it."""
        code = str(message["code"])
        try:
            if "check" in message:
                language = self.language(id, message)
                found = await exercises.check(str(message["check"]), code, language)
                await self.send(id, {"event": "checked", **found})
            else:
                await self.send(id, {"event": "ran", **await sandbox.run(code)})
        finally:
            self.runs.leave()

    async def hand_on(self, process: asyncio.subprocess.Process) -> bool:
        """Hand on frames until the process ends. Whether it said itself how it ended."""
        assert process.stdout is not None
        ended = False
        while True:
            try:
                head = await process.stdout.readexactly(5)
            except asyncio.IncompleteReadError:
                return ended
            length = int.from_bytes(head[:4], "little")
            if length > LARGEST_FRAME:
                return ended
            raw = await process.stdout.readexactly(length)
            if head[4:] == b"t":
                text = raw.decode()
                ended = '"event": "progress"' not in text
                await self.socket.send_text(text)
            else:
                ended = True
                await self.socket.send_bytes(raw)


__all__ = ["LARGEST", "Runs", "Wire"]
