"""The command `pellucid`, called as a person would: words in, text and exit status out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

PROGRAM = "from pellucid.cli import main; main()"
Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing downloads, no dataset of this machine is seen, and the language is English."""
    monkeypatch.setenv("PELLUCID_OFFLINE", "1")
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PELLUCID_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PELLUCID_LANG", "en")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("PELLUCID_DATA", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def pellucid() -> Call:
    """`pellucid("run", "6.20")` in this process: `.output`, `.stdout`, `.stderr`, `.exit_code`."""
    from pellucid.cli import app

    def call(*words: str) -> Any:
        result = CliRunner().invoke(app, list(words), prog_name="pellucid")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def process() -> Call:
    """The same in a process of its own, its output a pipe."""

    def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, *words],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
            timeout=120,
            check=False,
        )

    return call
