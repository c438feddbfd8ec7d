"""Files are whole or not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pellucid import atomic


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file"
    atomic.write(path, "one")
    atomic.write(path, b"two")
    assert path.read_text() == "two"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write(path, "old")

    def interrupted() -> None:
        with atomic.replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_is_there_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write(path, "old")
    with atomic.replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent
    assert path.read_text() == "new"


def test_what_killed_runs_left_is_swept_after_a_while(tmp_path: Path) -> None:
    old, young = tmp_path / ".file.1-0.part", tmp_path / ".file.2-0.part"
    for left in (old, young):
        left.write_text("half")
    os.utime(old, (time.time() - 7200,) * 2)
    atomic.write(tmp_path / "file", "whole")
    assert not old.exists()
    assert young.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_while_writing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    program = (
        "import sys; from pellucid import atomic\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1\n"
        "    atomic.write(sys.argv[1], bytes([n % 256]) * 300_000)\n"
    )
    for wait in (0.0, 0.013, 0.031):
        writer = subprocess.Popen([sys.executable, "-c", program, str(path)])
        until = time.monotonic() + 20
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(wait)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        content = path.read_bytes()
        assert len(content) == 300_000
        assert len(set(content)) == 1
