"""Speed, measured side by side: the same work here and in other libraries, in turns, in one run.

workload.py    what a workload is, and how numbers are compared
digits.py words.py sequences.py    training steps; each network written once, for both libraries
locks.py footprint.py              sums under lock; what an import takes, and an installation
scaling.py     does the cost grow as the work does?
in_jax.py      what the same steps need in JAX
workloads.py   all of them
worker.py      one process per variant, with thread settings of its own
turns.py       A B A B …, after the check that all compute the same
results.py     medians, ratios, slopes, and what was reached
machine.py wording.py page.py      where it was measured; in words; as a page in the docs
"""
