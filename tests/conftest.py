"""For all tests: no test has a stopwatch, not even hypothesis's own."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("pellucid", deadline=None, print_blob=True)
settings.load_profile("pellucid")
