"""The machine: what it is, what is installed, and what else it is doing."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .. import doctor, kernels

PEERS = ("torch", "jax", "gensim", "phe")  # as one imports them, and as pip calls them
VERSIONS = ("numpy", "numba", "gmpy2", *PEERS)

# by these a person can force kernels on a library; here each chooses its own
KERNEL_CHOICES = (
    "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_DEBUG_CPU_TYPE", "MKL_ENABLE_INSTRUCTIONS",
    "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "NPY_DISABLE_CPU_FEATURES",
)  # fmt: skip


def about() -> dict[str, Any]:
    """Processor, system, and the versions of what is installed."""
    facts: dict[str, Any] = doctor.examine().facts
    return {
        "processor": processor(),
        "cores": facts["cores"],
        "memory": facts["memory"],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "pellucid": facts["pellucid"],
        "kernels": kernels.state(),
        "versions": {name: metadata.version(name) for name in VERSIONS if find_spec(name)},
        "date": time.strftime("%Y-%m-%d"),
    }


def processor() -> str:
    """What it calls itself."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def load() -> float | None:
    """How many processes wanted a processor in the last minute, on average."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def busy() -> float | None:
    """Seconds that the processors of this machine have been busy since it started; Linux only."""
    try:
        first = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    except OSError:
        return None
    user, nice, system, _, _, interrupts, soft, stolen = (int(n) for n in first[1:9])
    ticks: int = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + interrupts + soft + stolen) / ticks
