"""Speed, measured side by side: the same training step here and in PyTorch, in turns, in one run.

workloads.py   what is timed: each network written once, for both libraries
worker.py      one process per variant, with thread settings of its own
turns.py       A B A B …, medians, ratios, and the check that both compute the same
"""
