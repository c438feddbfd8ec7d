"""Nothing downloads in tests, and none sees the datasets of the machine it runs on unasked."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pellucid.data import sources

REAL = os.environ.get("PELLUCID_DATA", "")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PELLUCID_OFFLINE", "1")
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PELLUCID_DATA", raising=False)


@pytest.fixture
def real(nowhere: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make a real dataset visible, or skip the test where this machine does not have it."""

    def show(name: str) -> None:
        if REAL:
            monkeypatch.setenv("PELLUCID_DATA", REAL)
        if not sources.locate(name).here:
            pytest.skip(f"PELLUCID_DATA names no folder with {name}")

    return show


@pytest.fixture(scope="session")
def pack() -> Callable[[Mapping[str, bytes]], bytes]:
    """Make a packed archive of names and contents."""

    def packed(files: Mapping[str, bytes]) -> bytes:
        whole = io.BytesIO()
        with tarfile.open(fileobj=whole, mode="w:gz") as tar:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return whole.getvalue()

    return packed
