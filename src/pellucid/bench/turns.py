"""Everything in turn, in one run: A B A B …: a machine that slows down slows all of them."""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any

from .. import allocator
from ..errors import ArgumentError, PellucidError
from .workloads import WORKLOADS, Workload

# what Pellucid sets for itself (allocator.py), so that all libraries have it
KEEP_FREED_MEMORY = dict.fromkeys(
    ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(allocator.KEPT)
)
EQUAL_STEPS = 20
TOLERANCE = 1e-3  # relative, of the loss after each of EQUAL_STEPS steps in float32


class Worker:
    """A process that runs one variant, and waits while the others have their turn."""

    def __init__(self, workload: Workload, library: str, threads: int) -> None:
        self.name = f"{library} {threads}T"
        count = str(threads)
        settings = {
            "OMP_NUM_THREADS": count,
            "OPENBLAS_NUM_THREADS": count,
            "MKL_NUM_THREADS": count,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pellucid.bench.worker", workload.id, library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**KEEP_FREED_MEMORY, **os.environ, **settings},
        )

    def ask(self, command: str) -> Any:
        """Send a command, wait for the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise PellucidError(f"the process that ran {self.name} ended; its message stands above")
        return json.loads(line)

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if kind is not None:
            self._process.kill()
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@dataclass
class Row:
    """What was measured of one workload: medians in microseconds a step."""

    id: str
    title: str
    floor: float | None
    micros: dict[str, float] = field(default_factory=dict)
    ours: float = 0.0
    peer: float | None = None
    ratio: float | None = None  # the peer's time over ours: how many times faster we are
    spread: tuple[float, float] | None = None  # the ratio in the worst and the best round
    largest_difference: float | None = None  # of the losses, relative
    equal: bool | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the floor was reached with equal numbers; None without a peer or a floor."""
        if self.ratio is None or self.floor is None:
            return None
        return bool(self.equal) and self.ratio >= self.floor


def measure(workload: Workload, rounds: int, threads: tuple[int, ...], peers: list[str]) -> Row:
    """Time one workload in all variants, in turns, after checking that they compute the same."""
    row = Row(workload.id, workload.title, workload.floor)
    libraries = ["pellucid", *peers]
    workers = [Worker(workload, lib, n) for n in threads for lib in libraries]
    workers.append(Worker(workload, "numpy", 1))
    try:
        _compare(row, workers[: len(libraries)])
        times: dict[str, list[float]] = {w.name: [] for w in workers}
        for worker in workers:
            worker.ask("turn")  # caches and clocks warm up
        for _ in range(rounds):
            for worker in workers:
                times[worker.name].append(worker.ask("turn"))
    except BaseException as error:
        for worker in workers:
            worker.__exit__(type(error), error, None)
        raise
    for worker in workers:
        worker.__exit__(None, None, None)
    _summarise(row, times)
    return row


def _compare(row: Row, workers: list[Worker]) -> None:
    losses = [worker.ask(f"losses {EQUAL_STEPS}") for worker in workers]
    if len(losses) > 1:
        pairs = zip(losses[0], losses[1], strict=True)
        row.largest_difference = max(abs(a - b) / max(abs(b), 1e-12) for a, b in pairs)
        row.equal = row.largest_difference <= TOLERANCE


def _summarise(row: Row, times: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(values) * 1e6 for name, values in times.items()}
    row.micros = medians
    best = {
        library: min((m, name) for name, m in medians.items() if name.startswith(library))
        for library in {name.split()[0] for name in medians}
    }
    row.ours = best["pellucid"][0]
    if "torch" in best:
        row.peer = best["torch"][0]
        row.ratio = row.peer / row.ours
        rounds = zip(times[best["torch"][1]], times[best["pellucid"][1]], strict=True)
        ratios = [theirs / ours for theirs, ours in rounds]
        row.spread = min(ratios), max(ratios)


def installed_peers() -> list[str]:
    """The libraries to compare with that are installed here."""
    return [name for name in ("torch",) if importlib.util.find_spec(name)]


def run(
    ids: list[str],
    rounds: int = 9,
    threads: tuple[int, ...] = (1, 2),
    report: Callable[[Row], None] | None = None,
) -> dict[str, Any]:
    """Measure the workloads named (all, if none) and return everything as plain data.

    Args:
        ids: such as W1; none means all.
        rounds: how often each variant has its turn.
        threads: the thread counts to try; the better one of each library counts.
        report: called with each row when it is done.

    Raises:
        ArgumentError: there is no such workload.
    """
    known = {w.id.lower(): w for w in WORKLOADS}
    unknown = [i for i in ids if i.lower() not in known]
    if unknown:
        raise ArgumentError(
            f"no workload {', '.join(unknown)}; there are {', '.join(w.id for w in WORKLOADS)}"
        )
    rows = []
    for workload in [known[i.lower()] for i in ids] or WORKLOADS:
        rows.append(measure(workload, rounds, threads, installed_peers()))
        if report:
            report(rows[-1])
    return {
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "cores": os.cpu_count(),
        "rounds": rounds,
        "workloads": [{**asdict(row), "reached": row.reached} for row in rows],
    }
