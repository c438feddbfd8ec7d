"""Products of matrices with the widest instructions that the processor has.

NumPy's OpenBLAS looks at the processor when it is loaded, and chooses its kernels by the processor's
name. A release that is older than one of AMD's processors with AVX-512 takes its kernels for AVX2, half
as wide. There is one way to ask for the others: the environment variable OPENBLAS_CORETYPE, before
NumPy is loaded. So it is set when Pellucid loads NumPy, and taken away at once: what this process starts
later finds the environment as it was, and chooses for itself in the same way.

Nothing is done where NumPy is loaded already, where OPENBLAS_CORETYPE is set, on other processors, or
with PELLUCID_BLAS=system. Other kernels add up in another order: results differ in the last digits, as
they do between two machines.
"""

from __future__ import annotations

import os
import platform
import sys

ASKED = "OPENBLAS_CORETYPE"
KERNELS = "SkylakeX"  # those for AVX-512
# what these kernels are made of: the processor must have all of it
NEEDED = {"avx512f", "avx512cd", "avx512dq", "avx512bw", "avx512vl"}
CPU_INFO = "/proc/cpuinfo"

state = "as NumPy chose"
"""What became of it, in words: for `pellucid doctor`."""


def load_numpy() -> None:
    """Load NumPy, with the kernels for AVX-512 where that is safe."""
    global state
    if ASKED in os.environ:
        state = f"set by you ({ASKED}={os.environ[ASKED]})"
    elif os.environ.get("PELLUCID_BLAS") == "system":
        state = "left alone (PELLUCID_BLAS=system)"
    elif "numpy" not in sys.modules and is_wide_amd():
        os.environ[ASKED] = KERNELS
        try:
            import numpy  # noqa: F401 - it is loaded here, for its side effect
        finally:
            del os.environ[ASKED]
        state = "asked for by Pellucid, since the processor has AVX-512"


def is_wide_amd() -> bool:
    """Whether this is an AMD processor with all of AVX-512 that the kernels use; Linux says so."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    try:
        with open(CPU_INFO, encoding="ascii", errors="replace") as file:  # noqa: PTH123 - quicker
            first = file.read(4096).partition("\n\n")[0]  # one of many processors is enough
    except OSError:
        return False
    flags = next((line for line in first.split("\n") if line.startswith("flags")), "")
    return "AuthenticAMD" in first and set(flags.split()) >= NEEDED


load_numpy()
