"""The lab's server: pages, and one WebSocket per page. It listens on this machine only."""

from __future__ import annotations

import json
import socket as sockets
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..book.refusal import Refusal
from ..book.texts import LANGUAGES, as_language
from ..errors import ArgumentError, MissingExtraError, PellucidError

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from .guard import Guard

HOST = "127.0.0.1"
BUILT = Path(__file__).parent / "static"
YEAR = 365 * 24 * 3600

PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pellucid</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/view.css">
<link rel="stylesheet" href="/static/page.css">
<script type="module" src="/static/app.js"></script>
</head>
<body><div id="page"></div><noscript>{noscript}</noscript>
<script type="application/json" id="contents">{contents}</script></body>
</html>
"""


def application(port: int) -> Guard:
    """The application, wrapped in its guard. It is made with the first request, so that one can say
    where it is, and send the browser on its way, before anything large is loaded.

    Args:
        port: where it will listen.

    Raises:
        MissingExtraError: Starlette, uvicorn or websockets is not installed.
        ArgumentError: the page has not been built.
    """
    if not all(map(find_spec, ("starlette", "uvicorn", "websockets"))):
        raise MissingExtraError("the lab", "lab")
    if not (BUILT / "app.js").exists():
        raise ArgumentError(
            "the lab's page has not been built in this checkout.\n"
            "Build it with:  make lab   (or: python hatch_build.py)"
        )
    from .guard import Guard

    return Guard(site, port)


def site() -> Starlette:
    """All pages, and the wire."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import HTMLResponse, JSONResponse
    from starlette.routing import Mount, Route, WebSocketRoute
    from starlette.staticfiles import StaticFiles

    from . import contents, problems

    running: list[Any] = []  # who runs what: made with the first wire

    async def page(request: Request) -> Response:
        language = language_of(request)
        found = contents.contents(language)
        told = json.dumps(found, ensure_ascii=False).replace("<", "\\u003c")
        needs = escape(found["words"]["needs JavaScript"])
        answer = HTMLResponse(PAGE.format(language=language, noscript=needs, contents=told))
        if as_language(request.query_params.get("lang", "")):
            answer.set_cookie("pellucid-language", language, max_age=YEAR, samesite="strict")
        return answer

    async def parts(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(contents.parts))

    async def chapter(request: Request) -> Response:
        number = request.path_params["number"]
        if number not in contents.CHAPTERS:
            missing = Refusal("no chapter", number=number)
            return JSONResponse({"message": missing.told(language_of(request))}, status_code=404)
        from . import present

        return JSONResponse(await run_in_threadpool(present.chapter, number, language_of(request)))

    async def wire(socket: Any) -> None:
        from . import live

        if not running:
            running.append(live.Runs())
        await live.Wire(socket, running[0]).serve()

    async def wrong(request: Request, error: Exception) -> Response:
        return JSONResponse(problems.told(error, language_of(request)), status_code=400)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/chapter/{number:int}", page),
            Route("/view/{name}", page),
            Route("/bench", page),
            Route("/api/parts", parts),
            Route("/api/chapter/{number:int}", chapter),
            WebSocketRoute("/live", wire),
            Mount("/static", StaticFiles(directory=BUILT)),
        ],
        exception_handlers={PellucidError: wrong},
    )


def language_of(request: Request) -> str:
    """The language asked for (`?lang=`), else the one chosen before, else the browser's."""
    for asked in (request.query_params.get("lang"), request.cookies.get("pellucid-language")):
        if asked and as_language(asked):
            return as_language(asked) or LANGUAGES[0]
    for asked in request.headers.get("accept-language", "").split(","):
        if found := as_language(asked.partition(";")[0]):
            return found
    return LANGUAGES[0]


def free_port(wanted: int | None) -> sockets.socket:
    """A socket that listens on this machine only: at the port asked for, or at any that is free.

    Raises:
        ArgumentError: somebody else has that port.
    """
    listening = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM)
    listening.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, wanted or 0))
        listening.listen()
    except OSError as error:
        listening.close()
        raise ArgumentError(
            f"port {wanted} cannot be used ({error.strerror}). Leave --port out, and a free one is taken"
        ) from None
    return listening


def server(app: Guard, log_level: str = "warning") -> Any:
    """The server for an application; `run(sockets=[...])` serves until it is told to stop."""
    import uvicorn

    from .codec import LARGEST

    def wire(*args: Any, **settings: Any) -> Any:  # not needed for the first page
        from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

        return WebSocketsSansIOProtocol(*args, **settings)

    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level=log_level,
            access_log=False,
            lifespan="off",
            ws=wire,  # type: ignore[arg-type]  # whatever makes a protocol will do
            ws_max_size=LARGEST,
            limit_concurrency=64,
            timeout_graceful_shutdown=2,
            server_header=False,
        )
    )
