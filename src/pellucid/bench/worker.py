"""One variant in a process of its own: `python -m pellucid.bench.worker eager 1`.

Thread settings and switches are environment variables that libraries read when they load, so each
variant needs a process. It reads one line of JSON for each command and answers with one:

    {"do": "open", "id": "W1"}                   ready
    {"do": "start", "id": "W1"}                  seconds that the first step took
    {"do": "numbers", "id": "W1", "exact": true} what it computes, to be compared
    {"do": "turn", "id": "W1", "seconds": 0.2}   [cost of a unit, seconds of all processors' time]
    {"do": "about"}                              which library multiplies matrices, and how

An answer is {"answer": ...}, or {"failed": ...} with the reason.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from .workload import Timed
from .workloads import find


def main(variant: str, threads: int) -> None:
    """Answer commands until the input ends."""
    answers = os.fdopen(os.dup(1), "w")  # what libraries print goes to the error output
    os.dup2(2, 1)
    if variant.startswith("torch"):
        import_module("torch").set_num_threads(threads)
    if variant == "jax" and threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # it has no setting for it
    opened: dict[str, Timed] = {}
    for line in sys.stdin:
        command = json.loads(line)
        work = command.get("id")
        try:
            if command["do"] == "open":
                opened[work] = find(work).open(variant, threads)
            answer = {"answer": _answer(command, opened.get(work))}
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _answer(command: dict[str, Any], timed: Timed | None) -> Any:
    if command["do"] == "about":
        return _about()
    assert timed is not None, "open it first"
    if command["do"] == "start":
        begin = time.perf_counter()
        timed.start()
        return time.perf_counter() - begin
    if command["do"] == "numbers":
        return timed.numbers(command["exact"])
    if command["do"] == "turn":
        begin = _processor_time()
        cost = timed.turn(command["seconds"])
        return cost, _processor_time() - begin
    return True


def _processor_time() -> float:
    """Seconds that this process and those it started have kept processors busy."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _about() -> Any:
    """What threadpoolctl (it comes with scikit-learn) knows of the BLAS."""
    import numpy as np

    assert np.dot(np.ones(2), np.ones(2)) == 2
    if not find_spec("threadpoolctl"):
        return None
    pools = import_module("threadpoolctl").threadpool_info()
    return [
        {key: pool.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
        for pool in pools
        if pool.get("user_api") == "blas"
    ]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
