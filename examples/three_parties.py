"""Three parties with mail of their own learn one spam filter over a network, all on this machine.

    make flower     set up, once
    make parties    this

A coordinator with Flower's SuperLink and three parties with a SuperNode each: eight processes, which
know of each other what travels through the network and nothing else. The sum is secret: the
coordinator sees what all three have found together. At the end, after Ctrl-C, and when something goes
wrong, everything is stopped again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from pellucid.federated.example import write_example
from pellucid.federated.flower.connection import check_installed, free_port

NAMES = ("anna", "ben", "cleo")
LEADER = "coordinator"
PATIENCE = 10.0  # seconds to stop in
WEIGHTS = Path("pellucid-runs") / "three-parties.safetensors"


def main() -> int:
    """Start everybody, show what they say, stop everybody; 0 if the coordinator is content."""
    check_installed()
    for name in ("SIGTERM", "SIGHUP"):  # being told to end, a terminal that is closed: as Ctrl-C
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="three-parties-") as folder:
        plan = write_example(Path(folder), NAMES, "secret", "spam", f"127.0.0.1:{free_port()}")
        processes: dict[str, subprocess.Popen[str]] = {}
        try:
            processes[LEADER] = start("coordinator", plan, "-o", WEIGHTS)
            for name in NAMES:
                processes[name] = start("party", plan, name)
            return watched(processes)
        except KeyboardInterrupt:
            print("\nStopping everybody ...", file=sys.stderr)
            return 130
        finally:
            stop(processes)


def start(role: str, *words: object) -> subprocess.Popen[str]:
    """A process of its own, as on another machine."""
    command = [sys.executable, "-c", "from pellucid.cli import main; main()", "federate", role]
    return subprocess.Popen(
        [*command, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"},
        start_new_session=True,  # Ctrl-C reaches this process alone, and it stops the others
    )


def watched(processes: dict[str, subprocess.Popen[str]]) -> int:
    """Show what everybody says until the coordinator is done, or one of them has failed."""
    for name, process in processes.items():
        threading.Thread(target=show, args=(name, process), daemon=True).start()
    while True:
        for name, process in processes.items():
            code = process.poll()
            if code is not None:
                time.sleep(0.2)  # for its last words
                if name != LEADER:
                    print(f"{name} has ended ({code}) before the coordinator.", file=sys.stderr)
                return code if name == LEADER else 1
        time.sleep(0.1)


def show(name: str, process: subprocess.Popen[str]) -> None:
    """Print each line with the name of who says it."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip():
            print(f"{name:>11} | {line.rstrip()}", flush=True)


def stop(processes: dict[str, subprocess.Popen[str]]) -> None:
    """Tell everybody to end, and end whoever does not. Their SuperLink and SuperNodes go with them."""
    for process in processes.values():
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    for process in processes.values():
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
