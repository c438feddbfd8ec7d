"""The book, running: every experiment of the course, on real data, beside its published figures.

>>> from pellucid import book
>>> toes = book.find("3.2")
>>> result = toes.run()
>>> [(c.figure.published, round(c.ours, 6), c.met) for c in toes.compare(result)]
[(0.85, 0.85, True)]

How an experiment is written stands in `experiment.py`.
"""

from .check import Verdict, check
from .experiment import (
    Comparison,
    Experiment,
    Figure,
    Parameter,
    all_experiments,
    experiment,
    find,
    select,
)
from .result import Result
from .texts import language

__all__ = [
    "Comparison",
    "Experiment",
    "Figure",
    "Parameter",
    "Result",
    "Verdict",
    "all_experiments",
    "check",
    "experiment",
    "find",
    "language",
    "select",
]
