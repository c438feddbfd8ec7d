"""Checking the book: run experiments, and set every published figure beside ours.

Experiments run in a few processes of their own, one BLAS thread each: they are many small
computations, which share a machine better that way. A process reads section numbers, one per line,
and answers each with a verdict as one line of JSON.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ..errors import MissingExtraError
from .experiment import Experiment, find, select
from .result import _json

Answer = dict[str, Any]

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM")}

# Ctrl-C is for the one who asks, and ends the others: they ignore it before they load anything
HEARS_NOTHING = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"


@dataclass
class Verdict:
    """What a check found out about one experiment.

    Args:
        id, span: which experiment.
        figures: per published figure its name, how, published value, ours, and whether it is met
            (None: not compared).
        agreements: per thing computed twice its name, difference, and whether the two agree.
        note: why nothing was compared, or what went wrong.
        replaced: where stand-in data were used, `what` was not here and what was used `instead`.
        lacks: the extra that it needs and that is not installed.
        status: "met", "missed", "failed" (it stopped with an error), or "skipped".
        seconds: how long it took.
    """

    id: str
    span: str
    status: str
    figures: list[Answer] = field(default_factory=list)
    agreements: list[Answer] = field(default_factory=list)
    note: str = ""
    seconds: float = 0.0
    replaced: dict[str, str] = field(default_factory=dict)
    lacks: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against it (what was skipped does not)."""
        return self.status in ("met", "skipped")

    def as_dict(self) -> Answer:
        """As plain data, ready for JSON."""
        return {**vars(self), "ok": self.ok}


def judge(experiment: Experiment) -> Verdict:
    """Run one experiment here, as published, and compare."""
    start = time.perf_counter()
    try:
        result = experiment.run()
        comparisons = experiment.compare(result)
    except MissingExtraError as missing:  # nothing went wrong: a part is not installed
        note, seconds = missing.message, _since(start)
        return Verdict(
            experiment.id,
            experiment.span,
            "skipped",
            note=note,
            seconds=seconds,
            lacks=missing.extra,
        )
    except Exception as error:  # an experiment that stops is a verdict, not the end of the check
        words = f"{type(error).__name__}: {error}"
        return Verdict(experiment.id, experiment.span, "failed", note=words, seconds=_since(start))
    figures = [
        {
            "name": c.figure.name,
            "how": c.figure.how,
            "published": _json(c.figure.published),
            "ours": _json(c.ours),
            "met": c.met,
        }
        for c in comparisons
    ]
    agreements = [
        {"name": a.name, "difference": _json(a.difference), "ok": a.ok} for a in result.agreements
    ]
    if not result.agrees or any(c.met is False for c in comparisons):
        status = "missed"
    else:
        status = "skipped" if result.incomparable and experiment.figures else "met"
    return Verdict(
        experiment.id,
        experiment.span,
        status,
        figures,
        agreements,
        result.incomparable or "",
        _since(start),
        result.replaced,
    )


def check(
    ids: Sequence[str] = (),
    jobs: int = 2,
    *,
    quick: bool = False,
    on_verdict: Callable[[Verdict], None] | None = None,
) -> list[Verdict]:
    """Run experiments and compare every published figure with ours.

    Args:
        ids: sections ("6.20") or chapters ("6"); all where none are named. What takes many minutes is
            left out unless its section is named.
        jobs: how many processes work at once.
        quick: leave out what takes more than a few seconds.
        on_verdict: called with each verdict as it comes in.

    Returns:
        One verdict per experiment, in the order of the book.

    Raises:
        ArgumentError: an id names nothing, or `jobs` is less than 1.
    """
    chosen = select(ids)
    verdicts: dict[str, Verdict] = {}

    def keep(verdict: Verdict) -> None:
        verdicts[verdict.id] = verdict
        if on_verdict is not None:
            on_verdict(verdict)

    for e in chosen:
        if e.slow and quick:
            keep(Verdict(e.id, e.span, "skipped", note="slow; left out of a quick check"))
        elif e.long and e.id not in ids:
            keep(
                Verdict(e.id, e.span, "skipped", note="it takes many minutes; name it to check it")
            )
    waiting = [e for e in chosen if e.id not in verdicts]
    _share_out(sorted(waiting, key=lambda e: not e.slow), max(jobs, 1), keep)
    return [verdicts[e.id] for e in chosen]


# ------------------------------------------------------------------------------------ the processes


def _share_out(waiting: Iterable[Experiment], jobs: int, keep: Callable[[Verdict], None]) -> None:
    """Hand the experiments to processes, the slow ones first, and collect the verdicts."""
    todo: queue.SimpleQueue[Experiment] = queue.SimpleQueue()
    for e in waiting:
        todo.put(e)
    done: queue.SimpleQueue[Verdict | None] = queue.SimpleQueue()
    workers = [_Worker(todo, done) for _ in range(min(jobs, todo.qsize()))]
    try:
        running = len(workers)
        while running:
            verdict = done.get()
            if verdict is None:
                running -= 1
            else:
                keep(verdict)
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """A process that judges experiments, and the thread that feeds it."""

    def __init__(
        self, todo: queue.SimpleQueue[Experiment], done: queue.SimpleQueue[Verdict | None]
    ) -> None:
        self._todo, self._done = todo, done
        self._stopped = False
        self._process = _process()
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def _feed(self) -> None:
        while not self._stopped:
            try:
                e = self._todo.get_nowait()
            except queue.Empty:
                break
            self._done.put(self._ask(e))
        self._done.put(None)

    def _ask(self, e: Experiment) -> Verdict:
        if self._process.poll() is not None:  # the last one ended it: this one gets a fresh one
            _close(self._process)
            self._process = _process()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(e.id, file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except OSError:
            answer = ""
        if answer:
            return Verdict(**json.loads(answer))
        note = f"its process ended ({self._process.wait()}) before it could answer"
        return Verdict(e.id, e.span, "failed", note=note)

    def stop(self) -> None:
        """End the process: at once, if it is still at work."""
        self._stopped = True
        self._process.kill()
        self._thread.join()
        _close(self._process)


def _process() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", f"{HEARS_NOTHING}; from pellucid.book.check import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        bufsize=1,
        env={**os.environ, **ONE_THREAD, "PYTHONIOENCODING": "utf-8"},
    )


def _close(process: subprocess.Popen[str]) -> None:
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # a line that the process did not live to read
                pipe.close()


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 3)


def main() -> None:
    """Answer section numbers from standard input with verdicts on standard output."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever else prints does not get between the verdicts
    for line in sys.stdin:
        print(json.dumps(vars(judge(find(line)))), file=answers, flush=True)
