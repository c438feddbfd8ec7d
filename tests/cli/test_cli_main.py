"""The command as a whole: help, version, languages, colours, and how it takes mistakes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from rich.cells import cell_len

import pellucid as library
from pellucid.cli import streams

COLOUR = re.compile(r"\x1b\[[\d;]*[349]\d[\d;]*m")
COMMANDS = ("tour", "list", "run", "check", "data", "doctor", "bench")


def test_help_names_every_command_with_examples(pellucid: Any) -> None:
    shown = pellucid("--help")
    assert shown.exit_code == 0
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", shown.stdout, re.MULTILINE)
    assert "pellucid run 6.20 --explain" in shown.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_80_columns(pellucid: Any, name: str) -> None:
    shown = pellucid(name, "--help")
    assert shown.exit_code == 0
    assert f"Usage: pellucid {name}" in shown.stdout
    assert max(cell_len(line) for line in shown.stdout.splitlines()) <= 80


def test_version(pellucid: Any) -> None:
    assert pellucid("--version").stdout == f"pellucid {library.__version__}\n"


def test_a_command_that_is_nearly_right(pellucid: Any) -> None:
    failed = pellucid("lst")
    assert failed.exit_code == 2
    assert "lst" in failed.stderr
    assert "list" in failed.stderr


def test_help_loads_neither_rich_nor_the_framework() -> None:
    program = (
        "import sys; from pellucid.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('pellucid.book', 'pellucid.data', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("words", [("list", "6"), ("run", "6.20", "--explain"), ("check", "6.20")])
def test_colours_only_where_they_are_wanted(process: Any, words: tuple[str, ...]) -> None:
    assert "\x1b" not in process(*words).stdout
    assert COLOUR.search(process(*words, FORCE_COLOR="1").stdout)
    assert not COLOUR.search(process(*words, FORCE_COLOR="1", NO_COLOR="1").stdout)


def test_a_terminal_that_knows_ascii_only(process: Any) -> None:
    shown = process("run", "6.20", PYTHONIOENCODING="ascii")
    assert shown.returncode == 0
    assert shown.stdout.isascii()
    assert "6.20-6.24  The first deep network" in shown.stdout
    assert "?" not in shown.stdout.partition("what to try next")[0]


def test_plain_characters_stand_in_for_others() -> None:
    error = UnicodeEncodeError("ascii", "a→b☃", 1, 4, "")
    assert streams.in_plain_characters(error) == ("->??", 4)


def test_who_closes_the_pipe_hears_no_complaint() -> None:
    program = f"{sys.executable} -c 'from pellucid.cli import main; main()' list | head -1"
    done = subprocess.run(program, shell=True, capture_output=True, text=True, check=False)
    assert "chapter" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to one process")
@pytest.mark.parametrize(
    "words", [("run", "6.20", "--passes", "100000000"), ("check", "8.1", "8.3")]
)
def test_ctrl_c_is_calm(words: tuple[str, ...]) -> None:
    program = "from pellucid.cli import main; print('here', flush=True); main()"
    running = subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert running.stdout is not None
    assert running.stdout.readline() == "here\n"
    time.sleep(2)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: the processes of a check, too
    try:
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130
    assert err.strip() == "Stopped."
    assert "Traceback" not in out
