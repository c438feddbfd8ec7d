"""Random numbers: one generator for everything, so that one seed repeats a run.

SFC64 (Chris Doty-Humphrey), the fastest of NumPy's generators: dropout lives on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_generator: np.random.Generator | None = None  # made when first asked for


def manual_seed(seed: int | None) -> np.random.Generator:
    """Start the generator anew: the same seed gives the same numbers.

    >>> import pellucid
    >>> _ = pellucid.manual_seed(1)
    >>> a = pellucid.rand(3)
    >>> _ = pellucid.manual_seed(1)
    >>> bool((a == pellucid.rand(3)).all())
    True
    """
    global _generator
    _generator = np.random.Generator(np.random.SFC64(seed))
    return _generator


def generator() -> np.random.Generator:
    """The generator in use."""
    return _generator or manual_seed(None)


def get_rng_state() -> dict[str, Any]:
    """Where the generator stands, as plain data (a checkpoint keeps it)."""
    return dict(generator().bit_generator.state)


def set_rng_state(state: dict[str, Any]) -> None:
    """Put the generator where it stood."""
    generator().bit_generator.state = state
