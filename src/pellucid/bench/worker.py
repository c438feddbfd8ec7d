"""One variant in a process of its own: `python -m pellucid.bench.worker W1 pellucid`.

Thread settings are environment variables that libraries read when they load, so each variant needs
a process. It reads one command a line and answers one line of JSON: `losses N` does N steps without
dropout, `turn` times one turn of steps.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any

from .workloads import WORKLOADS, Step


def main(workload_id: str, library: str) -> None:
    """Answer commands until the input ends."""
    workload = next(w for w in WORKLOADS if w.id == workload_id)
    arrays = workload.arrays()
    threads = int(os.environ["OMP_NUM_THREADS"])
    if library == "numpy":
        _serve(workload.bare(arrays), None, workload.steps)
        return
    lib: Any = importlib.import_module(library)
    if library == "torch":
        lib.set_num_threads(threads)
    _serve(workload.build(lib, arrays, False), workload.build(lib, arrays, True), workload.steps)


def _serve(step: Step, exact: Step | None, steps: int) -> None:
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "losses" and exact is not None:
            answer: Any = [exact().item() for _ in range(int(rest[0]))]
        else:
            answer = _time(step, steps)
        print(json.dumps(answer), flush=True)


def _time(step: Step, steps: int) -> float:
    """Seconds per step."""
    begin = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - begin) / steps


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
