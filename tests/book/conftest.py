"""No experiment of the tests sees the datasets of this machine, or fetches any."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    empty = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("PELLUCID_OFFLINE", "1")
    monkeypatch.setenv("PELLUCID_CACHE", str(empty))
    for name in ("PELLUCID_DATA", "PELLUCID_LANG"):
        monkeypatch.delenv(name, raising=False)
    return empty
