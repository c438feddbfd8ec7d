"""No experiment of the tests sees the datasets of this machine, or fetches any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_real_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Also for what a whole module shares, which is made before any test's own fixtures."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("PELLUCID_OFFLINE", "1")
        monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path_factory.mktemp("shared-cache")))
        monkeypatch.delenv("PELLUCID_DATA", raising=False)
        yield


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    empty = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("PELLUCID_OFFLINE", "1")
    monkeypatch.setenv("PELLUCID_CACHE", str(empty))
    for name in ("PELLUCID_DATA", "PELLUCID_LANG"):
        monkeypatch.delenv(name, raising=False)
    return empty
