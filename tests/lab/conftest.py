"""The lab as its readers meet it: the installed wheel, served, opened in Chromium."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SERVE = """
from pellucid.lab import server
listening = server.free_port(None)
app = server.application(listening.getsockname()[1])
print(app.address, flush=True)
server.server(app).run(sockets=[listening])
"""


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel is installed; built once, also where several processes test."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    goal, done = shared / "wheel-installed", shared / "wheel-done"
    try:
        goal.mkdir()
    except FileExistsError:  # somebody else is at it
        for _ in range(1800):
            if done.exists():
                break
            time.sleep(0.1)
        assert done.exists(), "another test process could not build the wheel"
        return goal
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    wheels = shared / "wheel"
    for command in (
        [*pip, "wheel", "--no-deps", "-w", str(wheels), str(ROOT)],
        [*pip, "install", "--no-deps", "--target", str(goal)],
    ):
        if "--target" in command:
            command += [str(p) for p in wheels.glob("*.whl")]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
    done.touch()
    return goal


@contextlib.contextmanager
def serving(folder: Path, at: Path) -> Iterator[str]:
    """The address of a lab that is served by the package in this folder."""
    environment = {
        **os.environ, "PYTHONPATH": str(folder), "PELLUCID_RUNS": str(at / "runs"),
        "PELLUCID_OFFLINE": "1",
    }  # fmt: skip
    environment.pop("PYTHONWARNINGS", None)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE], cwd=at, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install --group browser")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if path is None:
        pytest.skip("chromium is not installed: apt install chromium fonts-noto-cjk")
    with playwright.sync_playwright() as p:
        started = p.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


class Site:
    """A lab, and browsers that were let in."""

    def __init__(self, browser, address: str) -> None:
        self.browser, self.root = browser, address.partition("/?")[0]
        self.context = self.fresh()
        page = self.context.new_page()
        page.goto(address)
        page.close()
        self.cookies = self.context.cookies()

    def fresh(self, **settings):
        settings = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **settings}
        return self.browser.new_context(**settings)

    @contextlib.contextmanager
    def open(self, path: str, **settings):
        """A page; it may load nothing from elsewhere, and must not complain."""
        context = self.fresh(**settings)
        context.add_cookies(self.cookies)
        page = context.new_page()
        page.set_default_timeout(15_000)
        troubles: list[str] = []
        page.on("console", lambda m: m.type == "error" and troubles.append(m.text))
        page.on("pageerror", lambda e: troubles.append(str(e)))
        elsewhere: list[str] = []
        own = (self.root, self.root.replace("http", "ws", 1), "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(own) or elsewhere.append(r.url))
        page.goto(self.root + path)
        yield page
        assert not troubles, troubles
        assert not elsewhere, elsewhere
        context.close()


@pytest.fixture(scope="session")
def site(browser, installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The installed wheel, served."""
    with serving(installed, tmp_path_factory.mktemp("lab")) as address:
        made = Site(browser, address)
        yield made
        made.context.close()


@pytest.fixture
def lab_server():
    """A lab served from within the test process: (guard, port)."""
    pytest.importorskip("uvicorn", reason="pip install 'pellucid[lab]'")
    pytest.importorskip("websockets", reason="pip install 'pellucid[lab]'")
    from pellucid.lab import server

    if not (server.BUILT / "app.js").exists():
        pytest.skip("the page has not been built: python hatch_build.py")
    listening = server.free_port(None)
    port = listening.getsockname()[1]
    guard = server.application(port)
    running = server.server(guard)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield guard, port
    running.should_exit = True
    thread.join(10)
    assert not thread.is_alive()
