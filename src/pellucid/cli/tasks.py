"""What can be learned together without writing a line: tasks of the book, divided as a plan says."""

from __future__ import annotations

from functools import cache

from ..data import Subset
from ..errors import ArgumentError
from ..federated.federation import Task, read_task
from ..federated.plan import Plan

TEST = 2000  # mails that are kept for testing, as in the book
MIXED = 1  # the seed by which the mails are mixed, as in the book


def task_of(plan: Plan) -> Task:
    """The task that a plan names.

    Args:
        plan: what was agreed on.

    Raises:
        ArgumentError: there is no such task.
    """
    name = plan.learning.task
    if name == "spam":
        return spam(plan)
    if name.endswith(".py"):
        return read_task(plan.folder / name)
    raise ArgumentError(
        f'[learning] task is {name!r}; it is "spam", or a Python file of your own such as "task.py"'
    )


def spam(plan: Plan) -> Task:
    """Chapter 15's spam filter on Enron-Spam, or on made-up mails where it is not at hand."""
    from ..book.chapter15 import SpamFilter, mails, squared_error
    from ..book.result import Result

    noticed = Result()
    everything = mails(noticed, MIXED, TEST)
    parts = plan.divided(everything.labels)

    @cache
    def data(party: str) -> Subset:
        return Subset(everything.training, parts[party])

    return Task(
        "spam",
        model=lambda: SpamFilter(len(everything.words)),
        loss=squared_error,
        data=data,
        accuracy=lambda model: model.accuracy(everything),
        replaced=noticed.replaced,
    )
