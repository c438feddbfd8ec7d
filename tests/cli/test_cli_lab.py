"""`pellucid lab` as one starts and stops it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from pellucid.lab import server

pytest.importorskip("uvicorn", reason="pip install 'pellucid[lab]'")
pytestmark = pytest.mark.skipif(
    not (server.BUILT / "app.js").exists(),
    reason="the page has not been built: python hatch_build.py",
)


def started(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pellucid", "lab", "--no-browser", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"},
    )


@pytest.mark.parametrize(
    ("language", "word", "end"),
    [("en", "The lab is open", "closed"), ("zh-CN", "实验室", "已关闭")],
)
def test_it_says_where_answers_and_ends_with_ctrl_c(language: str, word: str, end: str) -> None:
    process = started("--lang", language)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert word in line
        address = line.split()[-1]
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(address, timeout=20) as answer:
            assert f'lang="{language}"' in answer.read().decode()
    finally:
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert end in said
    assert "Traceback" not in errors


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        process = started("--port", str(port))
        said, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"port {port} cannot be used" in errors
    assert not said


def test_a_page_that_is_not_built_is_told(monkeypatch, tmp_path) -> None:
    from pellucid.errors import ArgumentError

    monkeypatch.setattr(server, "BUILT", tmp_path)
    with pytest.raises(ArgumentError, match="make lab"):
        server.application(8000)
