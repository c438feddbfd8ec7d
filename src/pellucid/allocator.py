"""Freed memory is kept for the next step.

A training step frees the same large arrays that the next one asks for. glibc gives memory beyond
128 KiB back to the system at once, and every page that comes back has to be cleared again: of a
convolution's time, more than half. Two thresholds of `mallopt(3)` make it keep what was freed, up
to 1 GiB. That holds for the whole process; it is left alone where somebody has set the allocator by
hand (MALLOC_TRIM_THRESHOLD_, GLIBC_TUNABLES, another allocator under LD_PRELOAD), or says
PELLUCID_ALLOCATOR=system.
"""

from __future__ import annotations

import os

KEPT = 1 << 30  # bytes
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # from <malloc.h>

state = "as it comes"
"""What became of it, in words: for `pellucid doctor`."""


def keep_freed_memory() -> None:
    """Set the thresholds, where the C library is glibc and nobody has set them."""
    global state
    if not _is_glibc():
        return
    if os.environ.get("PELLUCID_ALLOCATOR") == "system":
        state = "left alone (PELLUCID_ALLOCATOR=system)"
    elif _set_by_hand():
        state = "set by you"
    else:
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt
        if mallopt(TRIM_THRESHOLD, KEPT) and mallopt(MMAP_THRESHOLD, KEPT):
            state = "keeps freed memory for the next step"


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError, OSError):  # Windows; systems without that name
        return False


def _set_by_hand() -> bool:
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    own = any(name.startswith("MALLOC_") for name in os.environ)
    return own or "glibc.malloc" in tunables or "LD_PRELOAD" in os.environ
