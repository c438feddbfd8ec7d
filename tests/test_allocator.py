"""The allocator keeps freed memory, unless somebody has decided otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pellucid import allocator

PROGRAM = "from pellucid import allocator; print(allocator.state)"
glibc_only = pytest.mark.skipif(not allocator._is_glibc(), reason="the C library is not glibc")


def state_with(**settings: str) -> str:
    own = ("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD", "PELLUCID_ALLOCATOR")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(own)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**clean, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@glibc_only
def test_freed_memory_is_kept() -> None:
    assert state_with() == "keeps freed memory for the next step"


@glibc_only
@pytest.mark.parametrize(
    ("name", "value"),
    [("MALLOC_TRIM_THRESHOLD_", "131072"), ("GLIBC_TUNABLES", "glibc.malloc.arena_max=2")],
)
def test_who_has_set_it_keeps_their_setting(name: str, value: str) -> None:
    assert state_with(**{name: value}) == "set by you"


@glibc_only
def test_it_can_be_left_alone() -> None:
    assert state_with(PELLUCID_ALLOCATOR="system").startswith("left alone")


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator, "_is_glibc", lambda: False)
    monkeypatch.setattr(allocator, "state", "as it comes")
    allocator.keep_freed_memory()
    assert allocator.state == "as it comes"
