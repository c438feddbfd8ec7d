"""Strangers, floods and endless loops: refused or stopped, and the lab still answers."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pellucid import lab
from pellucid.lab import live, sandbox
from pellucid.lab.codec import LARGEST

connect = pytest.importorskip("websockets.sync.client").connect
ConnectionClosed = pytest.importorskip("websockets.exceptions").ConnectionClosed
Refused = pytest.importorskip("websockets.exceptions").InvalidStatus


def get(port: int, path: str = "/", **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers=given)
    answer = connection.getresponse()
    told = {name.lower(): value for name, value in answer.getheaders()}
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, told, text


def let_in(guard, port: int) -> str:
    """The cookie that the token is exchanged for."""
    status, told, _ = get(port, f"/?token={guard.token}")
    assert status == 303
    return told["set-cookie"].partition(";")[0]


def wire(port: int, cookie: str | None, origin: str | None = None, host: str | None = None):
    headers = {"Cookie": cookie} if cookie else {}
    if host:
        headers["Host"] = host
    origin = f"http://127.0.0.1:{port}" if origin is None else origin
    return connect(
        f"ws://127.0.0.1:{port}/live",
        origin=origin or None,
        additional_headers=headers,
        max_size=None,
    )


def assert_it_still_answers(port: int, cookie: str) -> None:
    with wire(port, cookie) as page:
        page.send(json.dumps({"id": 1, "open": "dot-product", "language": "en"}))
        assert json.loads(page.recv(10))["state"]["view"] == "dot-product"


def closed_with(port: int, cookie: str, *messages: str | bytes) -> int:
    """The code with which the wire is closed on whoever sends these."""
    with wire(port, cookie) as page:
        try:
            for message in messages:
                page.send(message)
            while True:
                page.recv(10)
        except ConnectionClosed as closed:
            return closed.rcvd.code


# ------------------------------------------------------------------------------------------ strangers


def test_without_a_token_nothing_is_told(lab_server) -> None:
    _, port = lab_server
    for path in ("/", "/api/parts", "/static/app.js", "/chapter/6", "/?token=wrong"):
        status, told, text = get(port, path)
        assert status == 403
        assert "pellucid lab" in text
        assert "set-cookie" not in told


def test_a_token_is_good_once_and_becomes_a_cookie_that_no_script_reads(lab_server) -> None:
    guard, port = lab_server
    token = guard.token
    status, told, _ = get(port, f"/?token={token}&lang=zh-CN")
    assert (status, told["location"]) == (303, "/?lang=zh-CN")
    assert "HttpOnly" in told["set-cookie"]
    assert "SameSite=Strict" in told["set-cookie"]
    assert get(port, f"/?token={token}")[0] == 403
    cookie = told["set-cookie"].partition(";")[0]
    assert get(port, "/", Cookie=cookie)[0] == 200
    assert get(port, "/", Cookie=cookie.partition("=")[0] + "=guessed")[0] == 403


def test_another_host_is_refused(lab_server) -> None:
    guard, port = lab_server
    cookie = let_in(guard, port)
    for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1:{port + 1}", "127.0.0.1"):
        assert get(port, "/", Cookie=cookie, Host=host)[0] == 403
    assert get(port, "/", Cookie=cookie, Host=f"localhost:{port}")[0] == 200
    with pytest.raises(Refused):
        wire(port, cookie, host=f"evil.example:{port}")


def test_another_origin_is_refused(lab_server) -> None:
    guard, port = lab_server
    cookie = let_in(guard, port)
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}"):
        assert get(port, "/api/parts", Cookie=cookie, Origin=origin)[0] == 403
        with pytest.raises(Refused):
            wire(port, cookie, origin=origin)
    with pytest.raises(Refused):  # no browser leaves it out
        wire(port, cookie, origin="")
    with pytest.raises(Refused):
        wire(port, None)
    assert_it_still_answers(port, cookie)


def test_the_page_may_load_nothing_from_elsewhere(lab_server) -> None:
    guard, port = lab_server
    cookie = let_in(guard, port)
    for path in ("/", "/static/app.js", "/api/parts", "/no/such/page"):
        _, told, _ = get(port, path, Cookie=cookie)
        policy = told["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert told["x-content-type-options"] == "nosniff"


def test_it_listens_on_this_machine_only(lab_server) -> None:
    _, port = lab_server
    own = {a[4][0] for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in own - {"127.0.0.1", "127.0.1.1"}:
        with socket.socket() as stranger:
            stranger.settimeout(2)
            assert stranger.connect_ex((address, port)) != 0


def test_files_outside_of_the_page_are_not_served(lab_server) -> None:
    guard, port = lab_server
    cookie = let_in(guard, port)
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/static//etc/passwd"):
        assert get(port, path, Cookie=cookie)[0] == 404


# ------------------------------------------------------------------------------------------- too much


def test_an_oversized_message_is_refused(lab_server) -> None:
    guard, port = lab_server
    cookie = let_in(guard, port)
    assert closed_with(port, cookie, json.dumps({"id": 1, "do": "x" * LARGEST})) == 1009
    assert_it_still_answers(port, cookie)


def test_a_flood_is_cut_off(lab_server) -> None:
    guard, port = lab_server
    cookie = let_in(guard, port)
    flood = [json.dumps({"id": 1, "do": "reset"})] * 5000
    assert closed_with(port, cookie, json.dumps({"id": 1, "open": "dot-product"}), *flood) == 1008
    assert_it_still_answers(port, cookie)


@pytest.mark.parametrize(
    "message",
    ["{", "[]", "3", '{"id": "a"}', '{"do": "step"}', '{"id": 1, "x": NaN}', "[" * 100_000,
     '{"id": 1, "x": ' + "[" * 40 + "]" * 40 + "}", '{"id": true}', b"\x00\x01"],
    ids=range(10),
)  # fmt: skip
def test_nonsense_closes_the_wire_with_a_reason(lab_server, message) -> None:
    guard, port = lab_server
    cookie = let_in(guard, port)
    assert closed_with(port, cookie, message) == 1003
    assert_it_still_answers(port, cookie)


def test_what_a_view_refuses_is_told_and_the_wire_stays_open(lab_server) -> None:
    guard, port = lab_server
    cookie = let_in(guard, port)
    with wire(port, cookie) as page:
        for message in (
            {"id": 1, "open": "../../etc/passwd"},
            {"id": 1, "do": "step"},
            {"id": 2, "open": "dot-product"},
            {"id": 2, "do": "__class__"},
            {"id": 2, "save": "exe"},
            {"id": 3, "run": "99.1"},
            {"id": 3, "run": "6.20", "settings": {"passes": -1}},
            {"id": 3, "run": "7.1", "settings": {"svg": "/tmp/anywhere.svg"}},
            {"id": 3, "run": "4.26", "settings": {"code": "/etc/passwd"}},
        ):
            page.send(json.dumps(message))
            answer = json.loads(page.recv(10))
            expected = "state" if message.get("open") == "dot-product" else "problem"
            assert answer["event"] == expected
            assert "Traceback" not in answer.get("message", "")


def test_data_that_no_page_of_ours_sends_are_refused_and_the_wire_stays_open(lab_server) -> None:
    guard, port = lab_server
    cookie = let_in(guard, port)
    with wire(port, cookie) as page:
        page.send(json.dumps({"id": 1, "open": "bench", "language": "en"}))
        assert b'"event": "state"' in page.recv(10)  # with arrays: one binary frame
        images = {"do": "load_images", "names": ["a", "b"], "kinds": [0, 1] * 4, "pixels": "AAAA"}
        for message in (
            images,
            {**images, "kinds": [0, 2**70] * 4},
            {**images, "kinds": [0.5] * 8},
            {**images, "kinds": [0, 1] * 100_000},
            {**images, "names": ["../../etc", 7]},
            {**images, "pixels": "x" * 900_000},
            {**images, "path": "/etc/passwd"},
            {"do": "load_text", "text": "x" * 900_000},
            {"do": "load_text", "text": ["a"]},
            {"do": "load", "text": '"' * 300_000},
            {"do": "line", "text": 3},
        ):
            page.send(json.dumps({"id": 1, **message}))
            answer = json.loads(page.recv(10))
            assert answer["event"] == "problem"
            assert "mistake of Pellucid's" not in answer["message"]
    assert_it_still_answers(port, cookie)


def test_a_mistake_in_a_view_is_told_and_others_go_on(lab_server, monkeypatch, capsys) -> None:
    guard, port = lab_server
    broken = lab.every()["dot-product"]
    monkeypatch.setattr(broken, "step", lambda self: [][1])
    with wire(port, let_in(guard, port)) as page:
        for number, name in enumerate(("dot-product", "streetlights")):
            page.send(json.dumps({"id": number, "open": name}))
            page.send(json.dumps({"id": number, "do": "step"}))
        told = [json.loads(page.recv(10)) for _ in range(4)]
    assert [t["event"] for t in told] == ["state", "problem", "state", "state"]
    assert "mistake of Pellucid's" in told[1]["message"]
    assert "IndexError" in capsys.readouterr().err  # for whoever mends it


def test_only_so_many_views_are_open(lab_server) -> None:
    guard, port = lab_server
    with wire(port, let_in(guard, port)) as page:
        for number in range(live.MOST_VIEWS + 1):
            page.send(json.dumps({"id": number, "open": "dot-product"}))
        events = [json.loads(page.recv(10))["event"] for _ in range(live.MOST_VIEWS + 1)]
    assert events == ["state"] * live.MOST_VIEWS + ["problem"]


def test_experiments_end_with_the_page_that_runs_them(lab_server) -> None:
    guard, port = lab_server
    cookie = let_in(guard, port)
    for _ in range(live.MOST_RUNS + 1):  # were they left running, there would be no place
        with wire(port, cookie) as page:
            page.send(json.dumps({"id": 1, "run": "6.25", "settings": {"passes": 10**7}}))
            assert json.loads(page.recv(30))["event"] == "progress"


# --------------------------------------------------------------------------------- the reader's code


def ran(code: str, seconds: float = 20.0) -> dict[str, str]:
    with ThreadPoolExecutor(1) as pool:  # Playwright has a loop of its own in this thread
        return pool.submit(lambda: asyncio.run(sandbox.run(code, seconds))).result()


def test_a_loop_without_an_end_is_stopped() -> None:
    assert ran("while True: pass", seconds=1.0)["trouble"] == "endless"
    assert ran("import time\ntime.sleep(1000)", seconds=1.0)["trouble"] == "endless"


def test_output_without_an_end_is_cut() -> None:
    told = ran("for i in range(10**6): print('x' * 100)")
    assert len(told["output"]) == sandbox.OUTPUT
    assert told["trouble"] == ""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such limits")
def test_memory_without_an_end_is_refused() -> None:
    assert "MemoryError" in ran("a = bytearray(10**11)")["trouble"]


def test_what_it_starts_ends_with_it() -> None:
    code = (
        "import subprocess, sys\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(p.pid, flush=True)\nwhile True: pass"
    )

    ran(code, seconds=2.0)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "import time; time.sleep(600)" not in listed.stdout.replace(repr(code), "")


def test_errors_are_told_without_how_it_was_started() -> None:
    told = ran("x = 1\nprint(x)\nx / 0")
    assert told["output"] == "1\n"
    assert told["trouble"].startswith('  File "your code", line 3')
    assert ran("def f(:")["trouble"].endswith("SyntaxError: invalid syntax")
    assert ran("x" * (sandbox.LONGEST + 1))["trouble"] == "long"


def test_a_loop_without_an_end_does_not_keep_others_waiting(lab_server) -> None:
    guard, port = lab_server
    with wire(port, let_in(guard, port)) as page:
        page.send(json.dumps({"id": 1, "code": "while True: pass"}))
        page.send(json.dumps({"id": 2, "open": "dot-product"}))
        assert json.loads(page.recv(5))["id"] == 2
