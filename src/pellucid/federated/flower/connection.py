"""Flower (flwr 1.42): the one file that knows its insides.

    coordinator   a SuperLink, and a run that this process leads itself       Link
    party         a SuperNode, and messages that this process answers itself  serve

As it is meant to be used, a SuperLink sends every node a program, which the node runs on its data: a
coordinator could send one that sends the data back. Here the run's program is empty, and both sides
fetch their work from the SuperLink or SuperNode (its isolation mode "process") and do it with code of
their own. That is quicker as well, as no process starts for each message.
"""

from __future__ import annotations

import json
import logging
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from ...errors import ArgumentError, MissingExtraError, RoundError
from .child import Child, environment
from .coordinator import GONE

PAUSE = 0.15  # seconds between two looks for messages
START = 30.0  # seconds that Flower's programs have to start
LEAVING = 8.0  # and to end
RECORD, PART = "pellucid", "letter"
NODE_UNAVAILABLE = 5  # Flower's number for a SuperNode that has ended

APP = '''"""Nothing: coordinator and parties run their own code."""
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp

server = ServerApp()
client = ClientApp()
'''
PROJECT = """[project]
name = "pellucid-federated"
version = "0.1.0"
license = "Apache-2.0"
dependencies = []
[tool.flwr.app]
publisher = "pellucid"
[tool.flwr.app.components]
serverapp = "app:server"
clientapp = "app:client"
[tool.flwr.app.config]
"""


@dataclass(frozen=True)
class Tls:
    """Files for encryption on the way, PEM.

    Attributes:
        certificate, key: the coordinator's.
        authority: the certificate of whoever signed it; parties need this one alone.
    """

    authority: Path
    certificate: Path | None = None
    key: Path | None = None


def check_installed() -> None:
    """Refuse to go on without Flower, and let it be quiet in this process.

    Raises:
        MissingExtraError: the extra is not installed.
    """
    if find_spec("flwr") is None:
        raise MissingExtraError("parties on other machines", "flower")
    import flwr.supercore  # noqa: F401 - it sets its own level when it is imported

    logging.getLogger("flwr").setLevel(logging.ERROR)  # what matters is said here, in other words


def free_port() -> int:
    """A port of this machine that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ------------------------------------------------------------------------------------- coordinator


class Link:
    """The coordinator's SuperLink. Use it in a `with`.

    Args:
        folder: where Flower works; made if it is missing.
        address: host and port, where parties find it.
        tls: encryption on the way; None sends everything openly.

    Raises:
        MissingExtraError: Flower is not installed.
        ArgumentError: this is no address, or the SuperLink cannot start there.
    """

    def __init__(self, folder: Path, address: str, tls: Tls | None = None) -> None:
        check_installed()
        self.folder, self.address, self.tls = folder.resolve(), address, tls
        self.folder.mkdir(parents=True, exist_ok=True)
        self._secret = _secret(self.folder / "superlink.secret")
        host, port = split(address)
        words = ["--host", host, "--port", str(port), "--isolation", "process"]
        words += ["--superexec-auth-secret-file", "superlink.secret"]
        words += ["--disable-runtime-dependency-installation", *self._tls_words()]
        wait_for_port(host, port)
        self._grid: Any = None
        self._child = Child(self.folder, "flower-superlink", words)
        self._heart: Any = None
        try:
            self._wait_for_it(host, port)
            self._called(self._begin)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Link:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def nodes(self) -> list[int]:
        """The SuperNodes that are there.

        Raises:
            RoundError: the SuperLink has ended.
        """
        return sorted(self._called(self._grid.get_node_ids))

    def exchange(self, letters: Mapping[int, bytes], deadline: float) -> dict[int, bytes | str]:
        """Send each node its letter, and collect what comes back before the deadline.

        Raises:
            RoundError: the SuperLink has ended.
        """
        from flwr.app import ConfigRecord, Message, RecordDict

        until = time.monotonic() + deadline
        messages = [
            Message(
                RecordDict({RECORD: ConfigRecord({PART: letter})}), node, "query", ttl=deadline + 60
            )
            for node, letter in letters.items()
        ]
        numbers = self._called(self._grid.push_messages, messages)
        waiting = dict(zip(numbers, letters, strict=True))
        came: dict[int, bytes | str] = {}
        waiting.pop(None, None)  # could not be sent: the node is gone
        while waiting and time.monotonic() < until:
            for reply in self._called(self._grid.pull_messages, list(waiting)):
                node = waiting.pop(reply.metadata.reply_to_message_id, None)
                if node is not None:
                    came[node] = _letter_in(reply)
            if waiting:
                time.sleep(PAUSE)
        return came

    def close(self) -> None:
        """End the run and the SuperLink."""
        if self._heart is not None and self._heart.is_running:
            self._heart.stop()
        if self._grid is not None:
            self._grid.close()
        self._child.close()

    def _called(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call Flower; what goes wrong there ends the round, and the journal keeps those before it."""
        from httpx import HTTPError

        try:
            return call(*arguments)
        except RoundError:
            raise
        except (HTTPError, OSError, RuntimeError, subprocess.TimeoutExpired) as error:
            said = f":\n{self._child.last_words()}" if not self._child.runs else f" ({error})"
            raise RoundError(
                f"the SuperLink does not answer{said}\nStart the coordinator again: it goes on after "
                "the last finished round"
            ) from None

    def _tls_words(self) -> list[str]:
        if self.tls is None:
            return ["--insecure"]
        if self.tls.certificate is None or self.tls.key is None:
            raise ArgumentError("a coordinator needs certificate and key to encrypt what is sent")
        return [
            "--ssl-ca-certfile", str(self.tls.authority.resolve()),
            "--ssl-certfile", str(self.tls.certificate.resolve()),
            "--ssl-keyfile", str(self.tls.key.resolve()),
        ]  # fmt: skip

    def _wait_for_it(self, host: str, port: int) -> None:
        until = time.monotonic() + START
        while self._child.runs and time.monotonic() < until:
            with suppress(OSError), socket.create_connection((host, port), 1):
                time.sleep(PAUSE)
                if self._child.runs:  # somebody else could be there
                    return
            time.sleep(PAUSE)
        raise ArgumentError(
            f"Flower's SuperLink cannot start at {self.address}:\n{self._child.last_words()}"
        )

    def _begin(self) -> None:
        """Hand in a run, and take on the work of leading it."""
        from flwr.common.serde import run_from_proto
        from flwr.proto.runtime_pb2 import PullTaskInputRequest
        from flwr.superlink.grid import HttpGrid

        self._hand_in()
        token = _token(_door(self.address, self._secret, self.tls), "flwr-serverapp", START)
        if token is None:
            raise RoundError("Flower's SuperLink has nothing to do for its coordinator")
        self._grid = HttpGrid(self.address, self.tls is None, _authority(self.tls), token=token)
        self._grid._retry_invoker.max_time = START  # it would try for ever
        client = self._grid._runtime_client
        self._heart = _heart(client)
        task = client.PullTaskInput(PullTaskInputRequest())
        _be(task)
        self._grid.set_run(run_from_proto(task.run))

    def _hand_in(self) -> None:
        """The run with its empty program."""
        app, home = self.folder / "app", self.folder / "flower"
        for place in (app, home):
            place.mkdir(exist_ok=True)
        (app / "app.py").write_text(APP, encoding="utf-8")
        (app / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
        way = "insecure = true" if self.tls is None else f"root-certificates = {_quoted(self.tls)}"
        (home / "config.toml").write_text(
            f'[superlink]\ndefault = "here"\n[superlink.here]\naddress = "{self.address}"\n{way}\n',
            encoding="utf-8",
        )
        command = [sys.executable, "-c", "from flwr.cli.app import app; app()"]
        done = subprocess.run(
            [*command, "run", str(app), "here", "--format", "json"],
            env=environment(self.folder), capture_output=True, text=True, timeout=START, check=False,
        )  # fmt: skip
        if done.returncode or '"success": true' not in done.stdout:
            raise RoundError(f"Flower takes no run:\n{done.stdout}{done.stderr}".strip())


# ------------------------------------------------------------------------------------------- party


def serve(
    folder: Path,
    address: str,
    answer: Callable[[bytes], bytes],
    *,
    tls: Tls | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> None:
    """Answer letters from a coordinator until this process is interrupted.

    Args:
        folder: where Flower works; made if it is missing.
        address: of the coordinator.
        answer: from the bytes of a letter to those of the answer.
        tls: encryption on the way; None sends everything openly.
        note: called with a sentence when the SuperNode is started again.

    Raises:
        MissingExtraError: Flower is not installed.
        ArgumentError: this is no address.
    """
    check_installed()
    split(address)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flower").mkdir(exist_ok=True)
    secret = _secret(folder / "supernode.secret")
    pause = 1.0
    while True:
        port, start = free_port(), time.monotonic()
        words = ["--superlink", address, "--host", "127.0.0.1", "--port", str(port)]
        words += ["--isolation", "process", "--superexec-auth-secret-file", "supernode.secret"]
        words += (
            ["--insecure"] if tls is None else ["--root-certificates", str(tls.authority.resolve())]
        )
        node = Child(folder, "flower-supernode", words)
        try:
            _answer_all(node, f"127.0.0.1:{port}", secret, answer)
        finally:
            node.close()
        pause = 1.0 if time.monotonic() - start > START else min(2 * pause, START)
        note(f"the SuperNode has ended, and is started again in {pause:g} s:\n{node.last_words(2)}")
        time.sleep(pause)


def _answer_all(node: Child, here: str, secret: bytes, answer: Callable[[bytes], bytes]) -> None:
    """Answer what a SuperNode has, as long as it runs."""
    from httpx import HTTPError

    door = _door(here, secret, None)
    while node.runs:
        try:
            token = _token(door, "flwr-clientapp", 1.0)
            if token is not None:
                _answer_one(here, token, answer)
        except (HTTPError, OSError):  # it is about to start, or to end
            time.sleep(PAUSE)


def _answer_one(here: str, token: str, answer: Callable[[bytes], bytes]) -> None:
    from flwr.app import ConfigRecord, Message, RecordDict
    from flwr.supercore.interceptors import (
        RuntimeTokenHttpInterceptor,
        RuntimeVersionHttpInterceptor,
    )
    from flwr.supernode.runtime.run_clientapp import pull_task_input, push_message, push_task_output

    version = RuntimeVersionHttpInterceptor(component_name="flwr-clientapp")
    client = _client(here, None, version, RuntimeTokenHttpInterceptor(token))
    heart = _heart(client)
    try:
        message, context, _, _ = pull_task_input(client)
        letter = _letter_in(message)
        written = answer(letter if isinstance(letter, bytes) else b"")
        content = RecordDict({RECORD: ConfigRecord({PART: written})})
        push_message(client, Message(content, reply_to=message), context)
        context.state = RecordDict()  # what a party remembers is not Flower's
        push_task_output(client=client, context=context, sub_status="completed", details="")
    finally:
        heart.stop()
        client.close()


# ------------------------------------------------------------------------------------- what both need


def split(address: str) -> tuple[str, int]:
    """Host and port.

    Raises:
        ArgumentError: this is no address.

    >>> split("127.0.0.1:9092")
    ('127.0.0.1', 9092)
    """
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
        raise ArgumentError(
            f"an address is a host and a port, such as 127.0.0.1:9092, not {address}"
        )
    return host.strip("[]"), int(port)


def wait_for_port(host: str, port: int) -> None:
    """Wait until a port is free: the SuperLink of a coordinator that was killed needs a moment to end.

    Raises:
        ArgumentError: somebody else is there, or the address is none of this machine.
    """
    until = time.monotonic() + LEAVING
    while True:
        try:
            family, *_, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(where)
                return
        except OSError as error:
            if time.monotonic() > until:
                raise ArgumentError(
                    f"a coordinator cannot work at {host}:{port} ({error.strerror}).\n"
                    "Is another one running? Otherwise give the plan another address"
                ) from None
        time.sleep(PAUSE)


def _letter_in(message: Any) -> bytes | str:
    """The letter in one of Flower's messages, or why there is none."""
    if message.has_error():
        gone = message.error.code == NODE_UNAVAILABLE
        return GONE if gone else f"Flower did not get through: {message.error.reason}"
    record = message.content.get(RECORD)
    letter = record.get(PART) if record is not None else None
    return letter if isinstance(letter, bytes) else "it sent no letter"


def _token(door: Any, work: str, patience: float) -> str | None:
    """What allows to do some work that is waiting; None if there is none within so many seconds."""
    from flwr.proto.runtime_pb2 import AcquireTaskRequest

    until = time.monotonic() + patience
    while time.monotonic() < until:
        answer = door.AcquireTask(AcquireTaskRequest(supported_task_types=[work]))
        if answer.token:
            return str(answer.token)
        time.sleep(PAUSE)
    return None


def _door(address: str, secret: bytes, tls: Tls | None) -> Any:
    """Where work is handed out, to those who know the secret."""
    from flwr.supercore.interceptors import (
        RuntimeVersionHttpInterceptor,
        SuperExecAuthHttpInterceptor,
    )

    guarded = frozenset({"/flwr.proto.Runtime/AcquireTask"})
    known = SuperExecAuthHttpInterceptor(master_secret=secret, protected_methods=guarded)
    return _client(address, tls, RuntimeVersionHttpInterceptor(component_name="SuperExec"), known)


def _client(address: str, tls: Tls | None, *interceptors: Any) -> Any:
    from flwr.supercore.runtime import RuntimeHttpClient

    return RuntimeHttpClient.from_server_address(
        server_address=address,
        insecure=tls is None,
        root_certificates=_authority(tls),
        interceptors=list(interceptors),
    )


def _heart(client: Any) -> Any:
    """Says that this work is being done, from time to time."""
    from flwr.supercore.heartbeat import HeartbeatSender, make_task_heartbeat_fn_http

    heart = HeartbeatSender(make_task_heartbeat_fn_http(client))
    heart.start()
    return heart


def _be(task: Any) -> None:
    """Flower's messages carry the name of the work they belong to."""
    from flwr.supercore.task_identity import TaskIdentity

    TaskIdentity.task_id, TaskIdentity.run_id = task.task_id, task.run.run_id
    TaskIdentity.node_id = task.context.node_id


def _secret(path: Path) -> bytes:
    """A secret of this process and its child: 32 bytes in a file that only its owner can read."""
    secret = secrets.token_bytes(32)
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_bytes(secret)
    return secret


def _authority(tls: Tls | None) -> bytes | None:
    return None if tls is None else tls.authority.read_bytes()


def _quoted(tls: Tls) -> str:
    return json.dumps(str(tls.authority.resolve()))
