"""What can be learned together without writing a line: tasks of the book, divided as a plan says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..data import ArrayDataset, Subset, datasets
from ..errors import ArgumentError
from ..federated.federation import Task, read_task
from ..federated.plan import Plan

TEST = 2000  # mails or images that are kept for testing, as in the book
IMAGES = 6000  # to learn from
SMALL = "scikit-learn's digits of 8 by 8"
MIXED = 1  # the seed by which the mails are mixed, as in the book


def task_of(plan: Plan) -> Task:
    """The task that a plan names.

    Args:
        plan: what was agreed on.

    Raises:
        ArgumentError: there is no such task.
    """
    name = plan.learning.task
    if name in OF_THE_BOOK:
        return OF_THE_BOOK[name](plan)
    if name.endswith(".py"):
        return read_task(plan.folder / name)
    raise ArgumentError(
        f'[learning] task is {name!r}; it is "spam" or "digits", or a Python file of your own such as "task.py"'
    )


def spam(plan: Plan) -> Task:
    """Chapter 15's spam filter on Enron-Spam, or on made-up mails where it is not at hand."""
    from ..book.chapter15 import SpamFilter, mails, squared_error
    from ..book.result import Result

    noticed = Result()
    everything = mails(noticed, MIXED, TEST)
    parts = plan.divided(everything.labels)

    return Task(
        "spam",
        model=lambda: SpamFilter(len(everything.words)),
        loss=squared_error,
        data=lambda party: Subset(everything.training, parts[party]),
        accuracy=lambda model: model.accuracy(everything),
        replaced=noticed.replaced,
    )


def digits(plan: Plan) -> Task:
    """A convolutional network that reads handwritten digits, of MNIST or scikit-learn's small ones."""
    from .. import Tensor, no_grad
    from ..book.chapter15_models import reader
    from ..losses import CrossEntropyLoss
    from ..nn import Module

    train = datasets.mnist(limit=IMAGES, stand_in=True, quiet=True)
    test = datasets.mnist(train=False, limit=TEST, stand_in=True, quiet=True)
    inputs, unseen = (
        (part.pixels / part.ink).reshape(-1, 1, *part.shape).astype(np.float32)
        for part in (train, test)
    )
    everything, parts = ArrayDataset(inputs, train.labels), plan.divided(train.labels)

    def right(model: Module) -> float:
        with no_grad():
            said = model.eval()(Tensor(unseen)).numpy().argmax(axis=1)
        return float((said == test.labels).mean())

    return Task(
        "digits",
        model=lambda: reader(train.shape),
        loss=CrossEntropyLoss(),
        data=lambda party: Subset(everything, parts[party]),
        accuracy=right,
        replaced={"what": "MNIST", "instead": SMALL} if train.stands_in else None,
    )


OF_THE_BOOK: dict[str, Callable[[Plan], Task]] = {"spam": spam, "digits": digits}
