"""Compiled kernels: the few loops that NumPy cannot run quickly, each beside its NumPy twin.

They need Numba (`pip install 'pellucid[fast]'`) and are chosen by themselves where it is installed and
there is much to do. Without it, or with the environment variable PELLUCID_KERNELS=0, the twins do the
same work, more slowly; results agree but for rounding. Each module has its arrays checked and laid out
in the functions at its top; `compiled()` gives the loops below them to other compiled code.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any, Literal

import numpy as np

State = Literal["compiled", "switched off", "not installed"]

SWITCH = "PELLUCID_KERNELS"  # 0: off; 1: also where there is little to do

# multiplications, or as much other work. Loading Numba takes half a second, and compiling a kernel some
# seconds, once on each machine: that pays where a call saves a millisecond, and small networks never wait
WORTH = 1 << 21
least = 1 << 16 if os.environ.get(SWITCH, "").strip() == "1" else WORTH
"""How much a kernel has to have to do."""

_off = 0


def state() -> State:
    """Whether kernels are compiled here, and if not, why.

    >>> from pellucid import kernels
    >>> kernels.state() in ("compiled", "switched off", "not installed")
    True
    """
    if os.environ.get(SWITCH, "").strip() == "0":
        return "switched off"
    return "compiled" if _numba_works() else "not installed"


def use(work: int) -> bool:
    """Whether a compiled kernel takes NumPy's place.

    The amount of work alone decides, never how often it was done before: the same step gives the same
    numbers in a run and in one that was resumed.

    Args:
        work: how many multiplications, or what takes as long.
    """
    return work >= least and not _off and state() == "compiled"


@contextmanager
def off() -> Iterator[None]:
    """NumPy alone: a `with` block, or a decorator. For what has to be the same bit by bit."""
    global _off
    _off += 1
    try:
        yield
    finally:
        _off -= 1


@cache
def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function for Numba to compile when it is first called; kept on disk from then on.

    Sums may be added up in another order, sixteen numbers at a time; NaN and infinity are as usual.
    """
    fast = {"reassoc", "contract", "nsz"}
    njit = import_module("numba").njit
    return njit(cache=True, error_model="numpy", nogil=True, fastmath=fast)(function)  # type: ignore[no-any-return]


def helper(function: Callable[..., Any], inline: bool = False) -> None:
    """Let compiled functions call this one."""
    register = import_module("numba.extending").register_jitable
    register(error_model="numpy", inline="always" if inline else "never")(function)


def plain(array: Any) -> Any:
    """An array as the kernels take it: whole, in C order, writeable (Numba compiles for each kind)."""
    whole = np.ascontiguousarray(array)
    return whole if whole.flags.writeable else whole.copy()


@cache
def _numba_works() -> bool:
    """Whether Numba is here; one that does not suit this NumPy or Python says so when imported."""
    try:
        import_module("numba")
    except ImportError:
        return False
    return True
