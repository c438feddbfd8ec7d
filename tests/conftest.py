"""For all tests: no test has a stopwatch, not even hypothesis's own; Ctrl-C is heard."""

from __future__ import annotations

import signal

from hypothesis import settings

settings.register_profile("pellucid", deadline=None, print_blob=True)
settings.load_profile("pellucid")

# a shell starts background jobs deaf to Ctrl-C, and what they start is deaf too: some tests send one
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
