"""What one has before anything is computed: C1, the time and memory of an import; C2, its size."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from .workload import Goal, Timed, Workload

# run in a Python of its own, which knows its own memory from /proc where there is one
IMPORT = """
import time
begin = time.perf_counter()
import {module}
seconds = time.perf_counter() - begin
try:
    with open("/proc/self/statm") as pages:
        import os
        bytes = int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
except OSError:
    import resource, sys
    bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(seconds, bytes)
"""


LEFT_OUT = (".pyc", ".nbi", ".nbc")  # what was compiled on this machine


class Import(Workload):
    """A fresh Python imports it; NumPy is what nobody can do without.

    Args:
        memory: what is resident after it, in place of how long it took.
    """

    ours, peer, others, threads = ("pellucid",), None, ("numpy", "torch", "jax"), (1,)
    rounds = 5

    def __init__(self, memory: bool) -> None:
        self.memory = memory
        self.id, self.title = ("C1m", "memory after it") if memory else ("C1", "import pellucid")
        self.unit, self.scale = ("MB", 1e-6) if memory else ("ms", 1e3)
        self.goals = (Goal("pellucid", most=35e6 if memory else 0.1),)

    def open(self, variant: str, threads: int) -> Timed:
        """Each turn is a new Python."""
        return _Import(variant, self.memory)


class _Import(Timed):
    def __init__(self, module: str, memory: bool) -> None:
        self.program, self.memory = IMPORT.format(module=module), memory

    def turn(self, seconds: float) -> float:
        """Import it once; seconds, or bytes."""
        command = [sys.executable, "-c", self.program]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        took, resident = done.stdout.split()
        return float(resident) if self.memory else float(took)


class Installed(Workload):
    """All files of the core and of what it depends on; without the bytecode that Python adds to them."""

    id, title, unit, scale = "C2", "installed, with dependencies", "MB", 1e-6
    ours, peer, others, threads = ("pellucid",), None, ("numpy", "torch", "jax"), (1,)
    goals = (Goal("pellucid", most=100e6),)
    rounds, note = 1, "without the bytecode that Python adds to it"

    def open(self, variant: str, threads: int) -> Timed:
        """Counted, not timed."""
        return _Installed(variant)


class _Installed(Timed):
    def __init__(self, name: str) -> None:
        self.name = name

    def turn(self, seconds: float) -> float:
        """Bytes."""
        return float(sum(size_of(name) for name in with_dependencies(self.name)))


def with_dependencies(name: str) -> set[str]:
    """The distributions that come with one, extras left out; those for other systems are not here."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        if name not in found:
            found.add(name)
            plain = [n for n in needs if not re.search(r"\bextra\s*==", n)]
            waiting += [re.split(r"[^\w.-]", n)[0] for n in plain]
    return found


def size_of(name: str) -> int:
    """The bytes of a distribution's files; of one that is worked on, those of its package."""
    files = {Path(str(f.locate())) for f in metadata.files(name) or []}
    spec = find_spec("pellucid") if name == "pellucid" else None
    if spec is not None and spec.origin is not None:
        files |= set(Path(spec.origin).parent.rglob("*"))
    kept = [f for f in files if f.suffix not in LEFT_OUT and "node_modules" not in f.parts]
    return sum(f.stat().st_size for f in kept if f.is_file())
