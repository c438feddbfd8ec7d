"""Everything in turn, in one run: A B A B …: a machine that slows down slows all of them."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from functools import partial
from importlib.util import find_spec
from types import TracebackType
from typing import Any

from .. import allocator, kernels
from ..errors import PellucidError
from . import machine
from .results import Conditions, Line, Report, Row
from .scaling import Curve
from .workload import OURS, Workload, difference
from .workloads import chosen

# what Pellucid sets for itself (allocator.py), so that all libraries have it
KEEP_FREED_MEMORY = dict.fromkeys(
    ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(allocator.KEPT)
)
THREAD_SETTINGS = ("OMP", "OPENBLAS", "MKL", "NUMBA")
BARE = ("bare", "numpy")  # what is always there
Progress = Callable[[str, int, int], None]


class WorkerError(PellucidError):
    """A process could not do what it was told, or ended."""


class Worker:
    """A process that runs one variant, and waits while the others have their turn.

    Args:
        variant: such as eager.
        threads: how many it may use.
        caches: a folder for what it compiles and other files, empty at first, so that compiling is
            seen, and removed afterwards.
    """

    def __init__(self, variant: str, threads: int, caches: str) -> None:
        self.variant, self.threads = variant, threads
        self.name = f"{variant} {threads}T"
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pellucid.bench.worker", variant, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            env=environment(variant, threads, caches),
            start_new_session=True,  # Ctrl-C is for us; we tell them
        )

    def tell(self, **command: Any) -> None:
        """Send a command."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed() from None

    def hear(self) -> Any:
        """Wait for the answer.

        Raises:
            WorkerError: the process could not do it, or ended.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._failed()
        found = json.loads(line)
        if "failed" in found:
            raise WorkerError(f"{self.name}: {found['failed']}")
        return found["answer"]

    def ask(self, **command: Any) -> Any:
        """Send a command, wait for the answer."""
        self.tell(**command)
        return self.hear()

    def _failed(self) -> WorkerError:
        self._process.wait()
        self._complaints.seek(0)
        said = self._complaints.read().decode("utf-8", "replace").strip().splitlines()
        return WorkerError(f"{self.name}: {said[-1] if said else 'ended without a word'}")

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._complaints):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def environment(variant: str, threads: int, caches: str) -> dict[str, str]:
    """The same for all but for threads: and the pure NumPy column has its kernels switched off."""
    kept = {k: v for k, v in os.environ.items() if k not in machine.KERNEL_CHOICES}
    settings = {f"{name}_NUM_THREADS": str(threads) for name in THREAD_SETTINGS}
    folders = (
        "PELLUCID_CACHE",
        "NUMBA_CACHE_DIR",
        "TORCHINDUCTOR_CACHE_DIR",
        "TMPDIR",
        "TEMP",
        "TMP",
    )
    settings |= dict.fromkeys(folders, caches)
    settings |= {"JAX_PLATFORMS": "cpu", kernels.SWITCH: "0" if variant == "eager" else "1"}
    return {**KEEP_FREED_MEMORY, **kept, **settings}


class Watch:
    """Sees whether others are at work while ours are."""

    def __init__(self) -> None:
        self.load = machine.load()
        self._wall = self._others = 0.0
        self._known = machine.busy() is not None

    def turn(self, worker: Worker, id: str, seconds: float) -> float:
        """One turn; what a unit cost."""
        own, begin, busy = time.process_time(), time.perf_counter(), machine.busy() or 0.0
        cost, used = worker.ask(do="turn", id=id, seconds=seconds)
        own = time.process_time() - own
        self._wall += time.perf_counter() - begin
        self._others += (machine.busy() or 0.0) - busy - used - own
        return float(cost)

    def conditions(self) -> Conditions:
        """What was seen."""
        others = max(0.0, self._others / self._wall) if self._known and self._wall else None
        return Conditions(self.load, others)


def measure(
    workload: Workload,
    rounds: int,
    seconds: float,
    installed: Iterable[str],
    progress: Progress = lambda title, done, total: None,
    leave_out: tuple[str, ...] = (),
    into: Row | None = None,
) -> Row:
    """Time one workload in all variants, in turns, after checking that they compute the same.

    Args:
        workload: what.
        rounds: how often each variant has its turn.
        seconds: how long a turn is.
        installed: the peers that are.
        progress: told what is done, how far it is, and how far it goes.
        leave_out: variants that are not wanted.
        into: the row to fill, which is kept if somebody stops it on the way.
    """
    row = into if into is not None else Row(workload)
    rounds = min(rounds, workload.rounds or rounds)
    peers = [p for p in (workload.peer,) if p is not None and p in installed]
    others = [v for v in workload.others if v in BARE or v.split(".")[0] in installed]
    others = [v for v in others if v not in leave_out]
    first = [*workload.ours, *peers, *(v for v in others if v in BARE)]
    with ExitStack() as stack:
        caches = stack.enter_context(tempfile.TemporaryDirectory())

        def crew(variants: list[str], threads: tuple[int, ...]) -> Crew:
            workers = [Worker(v, n, caches) for n in threads for v in variants]
            return Crew([stack.enter_context(w) for w in workers], row.failures)

        progress(f"{workload.id} getting ready", 0, rounds)
        everybody = crew(first, workload.threads)
        row.starts |= everybody.get_ready(workload.id)
        trial = everybody.ask(do="turn", id=workload.id, seconds=seconds)
        relatives = crew([v for v in others if v not in first], (_better(trial, workload),))
        row.starts |= relatives.get_ready(workload.id)
        everybody.workers += relatives.workers
        everybody.compare(workload, workload.id, row.differences)
        watch = Watch()
        for done in range(rounds):
            progress(f"{workload.id} in turns", done, rounds)
            costs = everybody.each(lambda worker: watch.turn(worker, workload.id, seconds))
            for name, cost in costs.items():  # whole rounds only
                row.samples.setdefault(name, []).append(cost)
            row.conditions = watch.conditions()
    return row


class Crew:
    """Workers with the same task. Who cannot do it is left out, and the reason noted.

    Args:
        workers: they.
        failures: where reasons are noted, by name.
    """

    def __init__(self, workers: list[Worker], failures: dict[str, str]) -> None:
        self.workers, self.failures = workers, failures

    def ask(self, together: bool = False, **command: Any) -> dict[str, Any]:
        """The answers, by name; one after the other, or all at the same time."""
        if together:
            self.each(lambda worker: worker.tell(**command))
            return self.each(lambda worker: worker.hear())
        return self.each(lambda worker: worker.ask(**command))

    def each(self, do: Callable[[Worker], Any]) -> dict[str, Any]:
        """What this gives for each of them, by name."""
        answers = {}
        for worker in list(self.workers):
            try:
                answers[worker.name] = do(worker)
            except WorkerError as error:
                self.failures[worker.name] = error.message
                self.workers.remove(worker)
        return answers

    def get_ready(self, id: str) -> dict[str, float]:
        """They load at the same time, but each compiles alone: the seconds of its first step."""
        self.ask(together=True, do="open", id=id)
        return self.ask(do="start", id=id)

    def compare(self, workload: Workload, id: str, differences: dict[str, float]) -> None:
        """Everybody's numbers beside the first one's; ours also with random ones, as they are timed."""
        for exact in (True, False) if workload.random else (True,):
            asked = Crew([w for w in self.workers if exact or w.variant in OURS], self.failures)
            answers = asked.ask(together=True, do="numbers", id=id, exact=exact)
            self.workers = [w for w in self.workers if w.name not in self.failures]
            first = next((a for a in answers.values() if a is not None), None)
            for name, numbers in list(answers.items())[1:]:
                if first is not None and numbers is not None:
                    what = name if exact else f"{name} with random numbers"
                    far = difference(first, numbers)
                    differences[what] = max(far, differences.get(what, 0.0))


def _better(trial: dict[str, float], workload: Workload) -> int:
    """The thread count that suited the peer, for its relatives."""
    theirs = [(turn, name) for name, turn in trial.items() if name.split()[0] == workload.peer]
    return int(min(theirs)[1].split()[-1][:-1]) if theirs else workload.threads[0]


def draw(
    curve: Curve,
    rounds: int,
    seconds: float,
    installed: Iterable[str],
    progress: Progress = lambda title, done, total: None,
) -> Line:
    """Measure one curve: every size in turn, one thread each."""
    line = Line(curve)
    variants = [v for v in curve.variants if v != "torch" or v in installed]
    points = [f"{curve.id}:{size}" for size in curve.sizes]
    with ExitStack() as stack:
        caches = stack.enter_context(tempfile.TemporaryDirectory())
        workers = [stack.enter_context(Worker(v, 1, caches)) for v in variants]
        everybody = Crew(workers, line.failures)
        for i, point in enumerate(points):
            progress(f"{curve.id} getting ready", i, len(points))
            everybody.get_ready(point)
            everybody.compare(curve.at(curve.sizes[i]), point, line.differences)
        watch = Watch()
        costs: dict[str, list[list[float]]] = {v: [[] for _ in points] for v in variants}
        for turn in range(rounds * len(points)):
            progress(f"{curve.id} in turns", turn, rounds * len(points))
            i = turn % len(points)
            found = everybody.each(partial(watch.turn, id=points[i], seconds=seconds))
            for name, cost in found.items():
                costs[name.split()[0]][i].append(cost)
        line.conditions = watch.conditions()
    line.samples = {v: turns for v, turns in costs.items() if all(turns)}
    line.seconds = {v: [statistics.median(t) for t in turns] for v, turns in line.samples.items()}
    return line


def installed_peers() -> list[str]:
    """The libraries to compare with that are installed here."""
    return [name for name in machine.PEERS if find_spec(name)]


def run(
    ids: list[str],
    rounds: int = 9,
    seconds: float = 0.15,
    on_start: Callable[[Report], None] = lambda report: None,
    on_part: Callable[[Row | Line], None] = lambda part: None,
    progress: Progress = lambda title, done, total: None,
    leave_out: tuple[str, ...] = (),
) -> Report:
    """Measure the workloads named (all, if none).

    Ctrl-C ends it early; what was measured until then is in the report, `interrupted` is True.

    Args:
        ids: such as W1; S1 means all curves.
        rounds: how often each variant has its turn.
        seconds: how long a turn is, about.
        on_start: called when the machine is known, before anything is measured.
        on_part: called with each row and line when it is done.
        progress: told what is done, how far it is, and how far it goes.
        leave_out: variants that are not wanted, such as torch.compile, which is slow to start.

    Raises:
        ArgumentError: there is no such workload.
        WorkerError: not even a process of our own can be started.
    """
    workloads, curves = chosen(ids)
    installed = installed_peers()
    absent = tuple(p for p in machine.PEERS if p not in installed)
    ignored = {k: os.environ[k] for k in machine.KERNEL_CHOICES if k in os.environ}
    report = Report(machine.about(), rounds, absent, ignored)
    begin = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory() as caches, Worker("eager", 1, caches) as worker:
            report.machine["blas"] = worker.ask(do="about")
        on_start(report)
        for workload in workloads:
            row = Row(workload)
            try:
                measure(workload, rounds, seconds, installed, progress, leave_out, into=row)
            finally:
                if row.samples:
                    report.rows.append(row)
                    on_part(row)
        for curve in curves:
            report.lines.append(draw(curve, max(3, rounds // 3), seconds / 2, installed, progress))
            on_part(report.lines[-1])
    except KeyboardInterrupt:
        report.interrupted = True
    report.seconds = time.perf_counter() - begin
    return report
