"""Chapter 6: the first deep network, and how blame travels back through it."""

from __future__ import annotations

import numpy as np

from pellucid import Tensor, relu
from pellucid.optim import SGD

from .experiment import Figure, Result, experiment
from .result import Array

# Three lights, on or off, seen at a crossing; and whether people then walked.
LIGHTS = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]], dtype=float)
ONE_OF_TWO = np.array([[1], [1], [0], [0]], dtype=float)  # walk where just one outer light is on


@experiment(
    "6.20",
    to="6.24",
    figures=[
        Figure("error after pass 10", 0.6342311598444467),
        Figure("error after pass 20", 0.35838407676317513),
        Figure("error after pass 30", 0.0830183113303298),
        Figure("error after pass 40", 0.006467054957103705),
        Figure("error after pass 50", 0.0003292669000750734),
        Figure("error after pass 60", 1.5055622665134859e-05),
    ],
)
def deep_streetlights(
    result: Result, *, lr: float = 0.2, passes: int = 60, hidden: int = 4, seed: int = 1
) -> None:
    """A network with a hidden layer learns what no single layer can.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the whole table of lights is gone through.
        hidden: how many hidden units.
        seed: which random weights to start from.
    """
    random = np.random.RandomState(seed)
    start = 2 * random.random_sample((3, hidden)) - 1, 2 * random.random_sample((hidden, 1)) - 1
    weights_0_1, weights_1_2 = (Tensor(w.copy(), requires_grad=True) for w in start)
    optimizer = SGD([weights_0_1, weights_1_2], lr=lr)
    errors = []

    for n in result.track(range(1, passes + 1)):
        errors.append(0.0)
        for lights, walk in zip(LIGHTS, ONE_OF_TWO, strict=True):
            layer_1 = relu(Tensor(lights[None]) @ weights_0_1)  # predict
            layer_2 = layer_1 @ weights_1_2
            error = ((layer_2 - walk) ** 2).sum()  # compare
            layer_1.retain_grad(), layer_2.retain_grad()
            optimizer.zero_grad()
            (error / 2).backward()  # learn: half the error, whose slope is prediction - target
            if result.step(f"pass {n}, lights {lights.astype(int)}"):
                result.predict("layer_0", "the lights", lights)
                result.predict("weights_0_1", "as they are", weights_0_1)
                result.predict("layer_1", "relu(layer_0 @ weights_0_1)", layer_1)
                result.predict("weights_1_2", "as they are", weights_1_2)
                result.predict("layer_2", "layer_1 @ weights_1_2", layer_2)
                result.compare("walk", "what people did", walk)
                result.compare("error", "(layer_2 - walk) ** 2", error)
                result.learn("layer_2_delta", "layer_2 - walk", layer_2.grad)
                result.learn("layer_1_delta", "layer_2_delta @ weights_1_2.T", layer_1.grad)
                result.learn("weights_1_2_delta", "layer_1.T @ layer_2_delta", weights_1_2.grad)
                result.learn(
                    "weights_0_1_delta",
                    "layer_0.T @ (layer_1_delta * (layer_1 > 0))",
                    weights_0_1.grad,
                )
            optimizer.step()
            errors[-1] += error.item()
        if n % 10 == 0:
            result.number(f"error after pass {n}", errors[-1])

    by_hand = deep_streetlights_by_hand(*start, lr, passes)
    result.agree("error of every pass", errors, by_hand)
    result.plot("error of each pass", {"error": errors}, x="pass", y="error", log=True)


def deep_streetlights_by_hand(
    weights_0_1: Array, weights_1_2: Array, lr: float, passes: int
) -> list[float]:
    """The same run in NumPy alone, back-propagation written out."""
    errors = []
    for _ in range(passes):
        errors.append(0.0)
        for layer_0, walk in zip(LIGHTS[:, None], ONE_OF_TWO, strict=True):
            layer_1 = np.maximum(layer_0 @ weights_0_1, 0)
            layer_2 = layer_1 @ weights_1_2
            errors[-1] += float(((layer_2 - walk) ** 2).sum())
            layer_2_delta = layer_2 - walk
            layer_1_delta = layer_2_delta @ weights_1_2.T * (layer_1 > 0)
            weights_1_2 = weights_1_2 - lr * layer_1.T @ layer_2_delta
            weights_0_1 = weights_0_1 - lr * layer_0.T @ layer_1_delta
    return errors
