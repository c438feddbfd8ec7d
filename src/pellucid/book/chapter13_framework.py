"""Chapter 13, third part: how to learn a framework. By building one in small, and by comparing."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import io
from types import ModuleType
from typing import Any

import numpy as np

import pellucid
from pellucid import Tensor
from pellucid.nn import MSELoss, Sequential, Tanh
from pellucid.optim import SGD

from .chapter13_layers import ROWS, TARGET, linear_from
from .experiment import Result, experiment
from .seven_steps import STEPS, step7_learning

# What one wants, how it is written here and in PyTorch, and how in the book.
NAMES = (
    ("numbers to learn", "tensor(1.0, requires_grad=True)", "Tensor(1.0, autograd=True)"),
    ("who is to blame", "loss.backward()", "loss.backward()"),
    ("by how much", "w.grad", "w.grad.data"),
    ("matrix product", "x @ w", "x.mm(w)"),
    ("transposed", "w.T", "w.transpose()"),
    ("rows by number", "x[ids]", "x.index_select(ids)"),
    ("a layer", "nn.Linear(2, 3)", "Linear(2, 3)"),
    ("layers in a row", "nn.Sequential(a, b)", "Sequential([a, b])"),
    ("activations", "nn.Tanh(), nn.Sigmoid()", "Tanh(), Sigmoid()"),
    ("a table of words", "nn.Embedding(5, 3)", "Embedding(5, 3)"),
    ("squared error", "nn.MSELoss(reduction='sum')", "MSELoss()"),
    ("classes", "nn.CrossEntropyLoss()", "CrossEntropyLoss()"),
    ("one step in time", "nn.RNNCell(16, 16)", "RNNCell(16, 16, 10)"),
    ("what can be learned", "model.parameters()", "model.get_parameters()"),
    ("change the weights", "optim.SGD(p, lr=0.1)", "SGD(p, alpha=0.1)"),
)


@experiment("13.15")
def learning_a_framework(result: Result, *, lr: float = 0.1, steps: int = 10) -> None:
    """A tensor grows in seven small steps; and what one learned here holds in PyTorch too.

    Args:
        lr: how much of each correction is made (the book's alpha).
        steps: how often the networks predict, compare and learn.
    """
    for name in result.track(STEPS):
        idea, printed = show_step(name)
        result.table(idea, ("it prints",), [(line,) for line in printed])
    result.say("run", last=STEPS[-1])

    ours, small = same_start(lr, steps, result)
    result.agree("loss of every step: the seventh step's tensor and Pellucid", ours, small)
    result.plot("loss of each step", {"loss": ours}, x="step", y="loss", log=True)

    result.table("one wants, and writes", ("", "here and in PyTorch", "in the book"), NAMES)
    source = inspect.getsource(same_lines).splitlines()
    begin = next(n for n, line in enumerate(source) if "rows = tensor(" in line)
    result.table(
        "these lines run in both",
        ("",),
        [(line.removeprefix("    "),) for line in source[begin:-1]],
    )
    here = same_lines(pellucid)
    result.number("loss after the lines, here", here[-1])
    if importlib.util.find_spec("torch") is None:
        result.say("no_torch")
        return
    there = same_lines(importlib.import_module("torch"))
    result.number("loss after the lines, in PyTorch", there[-1])
    result.agree("the lines, here and in PyTorch", here, there)
    result.say("torch")


def show_step(name: str) -> tuple[str, list[str]]:
    """Run one of the seven steps: the first line of what it says about itself, what it prints."""
    module = importlib.import_module(f".seven_steps.{name}", __package__)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        module.show()
    return inspect.cleandoc(module.__doc__ or "").splitlines()[0], printed.getvalue().splitlines()


def same_start(lr: float, steps: int, result: Result) -> tuple[list[float], list[float]]:
    """Each step's loss, with Pellucid and with the seventh step's tensor, from equal weights."""
    draw = np.random.default_rng(0)
    a, b = step7_learning.Linear(2, 3, draw), step7_learning.Linear(3, 1, draw)
    model = Sequential(linear_from(a.weight.data), Tanh(), linear_from(b.weight.data))
    criterion, optimizer = MSELoss(reduction="sum"), SGD(model.parameters(), lr=lr)
    ours = []
    for n in range(1, steps + 1):
        prediction = model(Tensor(ROWS))  # predict
        loss = criterion(prediction, Tensor(TARGET))  # compare
        optimizer.zero_grad()
        loss.backward()  # learn
        if result.step(f"step {n}"):
            result.predict("x", "the four rows", ROWS)
            result.predict("prediction", "model(x)", prediction)
            result.compare("target", "what is wanted", TARGET)
            result.compare("loss", "((prediction - target) ** 2).sum()", loss)
            for name, parameter in model.named_parameters():
                result.learn(f"{name}.grad", "gradient of what is sent back", parameter.grad)
        optimizer.step()
        ours.append(float(loss.item()))
    return ours, in_small(a, b, lr, steps)


def in_small(
    a: step7_learning.Linear, b: step7_learning.Linear, lr: float, steps: int
) -> list[float]:
    """The same loop with the tensor, the layers and the optimiser of the seventh step."""
    rows, target = step7_learning.Tensor(ROWS), step7_learning.Tensor(TARGET)
    optimizer = step7_learning.SGD([a.weight, a.bias, b.weight, b.bias], lr)
    losses = []
    for _ in range(steps):
        loss = step7_learning.loss_of(b(a(rows).tanh()), target)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.data))
    return losses


def same_lines(framework: ModuleType | Any) -> list[float]:
    """Ten steps of learning, in whichever framework is handed in.

    The first weights are given, since each framework draws random numbers of its own.
    """
    nn, optim, tensor = framework.nn, framework.optim, framework.tensor
    start = np.linspace(-1, 1, 6).reshape(3, 2)
    losses: list[float] = []
    rows = tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    target = tensor([[0.0], [1.0], [0.0], [1.0]])
    hidden = nn.Linear(2, 3, bias=False)
    output = nn.Linear(3, 1, bias=False)
    model = nn.Sequential(hidden, nn.Tanh(), output).double()
    with framework.no_grad():
        hidden.weight.copy_(tensor(start))
        output.weight.fill_(0.5)
    criterion = nn.MSELoss(reduction="sum")
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        prediction = model(rows.double())
        loss = criterion(prediction, target.double())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
