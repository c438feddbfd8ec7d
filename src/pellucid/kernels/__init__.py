"""Compiled kernels: the few loops that NumPy cannot run quickly, each beside its NumPy twin.

They need Numba (`pip install 'pellucid[fast]'`) and are chosen by themselves where it is installed.
Without it, or with the environment variable PELLUCID_KERNELS=0, the twins do the same work with the
same numbers, only more slowly.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import Literal

State = Literal["compiled", "switched off", "not installed"]

SWITCH = "PELLUCID_KERNELS"  # 0: off


def state() -> State:
    """Whether kernels are compiled here, and if not, why.

    >>> from pellucid import kernels
    >>> kernels.state() in ("compiled", "switched off", "not installed")
    True
    """
    if os.environ.get(SWITCH, "").strip() == "0":
        return "switched off"
    return "compiled" if _numba_works() else "not installed"


@cache
def _numba_works() -> bool:
    """Whether Numba is here; one that does not suit this NumPy or Python says so when imported."""
    try:
        import_module("numba")
    except ImportError:
        return False
    return True
