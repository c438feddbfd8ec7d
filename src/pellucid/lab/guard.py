"""Keeps strangers out of the lab: other machines, other sites in the same browser, other programs.

- The address that is opened carries a token. It is good for one use, and becomes a cookie that no
  script can read and no other site can make the browser send.
- `Host` must be this machine by name or number: a site that lets its own name point here (DNS
  rebinding) is refused.
- `Origin`, which browsers send along and scripts cannot forge, must be our own; a WebSocket without
  one is refused.
- Every answer forbids the page to load anything from elsewhere (Content-Security-Policy).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cached_property
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
NOT_ALLOWED = (
    "This page belongs to the lab that somebody started on this machine.\n"
    "Open the address that `pellucid lab` printed; it is good for one browser. "
    "For another one, start the lab again.\n\n"
    "这个页面属于有人在这台机器上启动的实验室。\n"
    "请打开 pellucid lab 打印出来的地址；它只供一个浏览器使用，换浏览器时请重新启动实验室。\n"
)


class Guard:
    """Wraps the application: nobody gets past without the cookie.

    Args:
        make: makes the application, when somebody gets past for the first time.
        port: where it listens.
    """

    def __init__(self, make: Callable[[], Any], port: int) -> None:
        self.make, self.port = make, port
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.token: str | None = secrets.token_urlsafe(24)
        self.secret = secrets.token_urlsafe(24)
        self.cookie = f"pellucid-lab-{port}"

    @cached_property
    def app(self) -> Any:
        """The application."""
        return self.make()

    @property
    def address(self) -> str:
        """What to open."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        refusal = self.refusal(scope["type"], headers)
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"))
        token = dict(query).get("token")
        if refusal is None and token and scope["type"] == "http":
            rest = urlencode([(k, v) for k, v in query if k != "token"])
            where = scope["path"] + (f"?{rest}" if rest else "")
            if self.known(headers):
                await answer(send, 303, "", {"location": where})
                return
            if self.token is not None and hmac.compare_digest(token, self.token):
                self.token = None
                cookie = f"{self.cookie}={self.secret}; HttpOnly; SameSite=Strict; Path=/"
                await answer(send, 303, "", {"location": where, "set-cookie": cookie})
                return
        if refusal is None and not self.known(headers):
            refusal = NOT_ALLOWED
        if refusal is not None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": "not allowed"})
            else:
                await answer(send, 403, refusal, {})
            return
        await self.app(scope, receive, guarded(send))

    def refusal(self, kind: str, headers: dict[str, str]) -> str | None:
        """Why a request is refused whoever sends it; None if it is not."""
        if headers.get("host") not in self.hosts:
            return "The lab answers to 127.0.0.1 and localhost only.\n"
        origin = headers.get("origin")
        if origin is None and kind == "websocket":
            return "A connection without an origin is refused.\n"
        if origin is not None and origin not in {f"http://{host}" for host in self.hosts}:
            return "Another site wants to use the lab; it is refused.\n"
        return None

    def known(self, headers: dict[str, str]) -> bool:
        """Whether the browser has the cookie."""
        jar: SimpleCookie = SimpleCookie()
        jar.load(headers.get("cookie", ""))
        found = jar.get(self.cookie)
        return found is not None and hmac.compare_digest(found.value, self.secret)


def guarded(send: Send) -> Send:
    """The same, with the headers that every answer carries."""

    async def with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given = [(k, v) for k, v in message.get("headers", []) if k.decode() not in HEADERS]
            ours = [(k.encode(), v.encode()) for k, v in HEADERS.items()]
            message = {**message, "headers": given + ours}
        await send(message)

    return with_headers


async def answer(send: Send, status: int, text: str, headers: dict[str, str]) -> None:
    """A short answer without the application."""
    body = text.encode()
    told = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body))}
    told |= headers | HEADERS | {"cache-control": "no-store"}
    start = {"type": "http.response.start", "status": status}
    await send({**start, "headers": [(k.encode(), v.encode()) for k, v in told.items()]})
    await send({"type": "http.response.body", "body": body})
