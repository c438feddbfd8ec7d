"""Chapter 7: drawing networks, with all details, with fewer, and with letters alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pellucid import Tensor, no_grad
from pellucid.errors import ArgumentError
from pellucid.explain.picture import check_ending
from pellucid.nn import Linear, ReLU, Sequential
from pellucid.optim import SGD

from .chapter06 import FOUR, ONE_OF_TWO
from .chapter06_deep import first_weights
from .experiment import Result, experiment
from .games import numbers
from .refusal import Refusal
from .result import Array

LEVELS = ("neurons", "layers", "letters")


def lights_network(result: Result, passes: int, seed: int, hidden: int) -> Sequential:
    """The network of 6.20 and how it learned: three lights, hidden units with relu, one output."""
    network = Sequential(Linear(3, hidden, bias=False), ReLU(), Linear(hidden, 1, bias=False))
    w1, w2 = first_weights(seed, hidden)
    network.load_state_dict({"0.weight": w1.T, "2.weight": w2.T})
    optimizer = SGD(network.parameters(), lr=0.2)
    for _ in result.track(range(passes)):
        for lights, walk in zip(FOUR[:, None], ONE_OF_TWO, strict=True):
            prediction = network(Tensor(lights))  # predict
            error = ((prediction - float(walk)) ** 2).sum()  # compare
            optimizer.zero_grad()
            (error / 2).backward()  # learn
            optimizer.step()
    return network


def show(result: Result, level: str, network: Sequential, lights: Array | None, svg: str) -> None:
    """One drawing as an exhibit, and as a file if one is asked for."""
    drawing = network.draw(level, None if lights is None else Tensor(lights[None]))
    result.sheet(f"the network as {level}", str(drawing), drawing.svg)
    if svg:
        result.say("saved", file=str(drawing.save(check_ending(svg, (".svg",)))))


def predict_both(result: Result, network: Sequential, lights: Array) -> None:
    """The prediction by the framework and by hand."""
    with no_grad():
        said = network(Tensor(lights[None])).numpy()
    w1, w2 = (p.numpy() for p in network.parameters())
    result.number("prediction", float(said[0, 0]))
    result.agree("prediction", said, np.maximum(lights[None] @ w1.T, 0) @ w2.T)


# ------------------------------------------------------------------------------- 7.1 every neuron


@experiment("7.1", to="7.3")
def every_neuron(
    result: Result, *, hidden: int = 4, passes: int = 60, seed: int = 1, svg: str = ""
) -> None:
    """The full drawing: every unit, every weight; right, and soon too much.

    Args:
        hidden: how many hidden units.
        passes: how often the network learned from its four rows before it is drawn.
        seed: which random weights it started from.
        svg: a file for the drawing, such as net.svg.
    """
    network = lights_network(result, passes, seed, hidden)
    show(result, "neurons", network, None, svg)
    rows = []
    for sizes in ((3, 4, 1), (784, 40, 10), (784, 512, 512, 10)):
        lines = sum(
            p.numel() for a, b in pairwise(sizes) for p in Linear(a, b, bias=False).parameters()
        )
        rows.append((" - ".join(map(str, sizes)), sum(sizes), lines))
    result.table("how much there would be to draw", ("network", "circles", "lines"), rows)
    predict_both(result, network, FOUR[0])


# ------------------------------------------------------------------------ 7.4 layers, values flowing


@experiment("7.4", to="7.6")
def three_levels(
    result: Result,
    *,
    level: str = "layers",
    lights: str = "1, 0, 1",
    passes: int = 60,
    seed: int = 1,
    svg: str = "",
) -> None:
    """The same network at three levels of detail, while it predicts: values flow.

    Args:
        level: neurons, layers or letters; or all of them.
        lights: what is known, three numbers.
        passes: how often the network learned from its four rows before it is drawn.
        seed: which random weights it started from.
        svg: a file for the drawing, such as net.svg.
    """
    if level not in (*LEVELS, "all"):
        raise Refusal("level", listed=", ".join(LEVELS), level=level)
    known = np.array(numbers(lights, 3, "lights"))
    network = lights_network(result, passes, seed, 4)
    for one in LEVELS if level == "all" else (level,):
        show(result, one, network, known, svg if level != "all" else "")
    if level == "all" and svg:
        raise ArgumentError("one file holds one drawing: choose a --level")
    predict_both(result, network, known)


# --------------------------------------------------------------------------------------- 7.7 letters


@experiment("7.7", to="7.9")
def as_letters(
    result: Result, *, lights: str = "1, 0, 1", passes: int = 60, seed: int = 1, svg: str = ""
) -> None:
    """The network as algebra and as code: the same thing, line by line.

    Args:
        lights: what is known, three numbers.
        passes: how often the network learned from its four rows before it is drawn.
        seed: which random weights it started from.
        svg: a file for the drawing, such as net.svg.
    """
    known = np.array(numbers(lights, 3, "lights"))
    network = lights_network(result, passes, seed, 4)
    show(result, "letters", network, known, svg)
    result.say("once")
    predict_both(result, network, known)
