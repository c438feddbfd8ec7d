"""Three small networks to look into: streetlights, digits, digits with kernels; and how they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from pellucid import Tensor, nn, no_grad
from pellucid.book.chapter06 import FOUR, ONE_OF_TWO
from pellucid.book.chapter06_deep import first_weights
from pellucid.nn.functional import cross_entropy
from pellucid.optim import SGD

from .known_digits import IN_PYTHON, known_digits

Array = Any
Layers = tuple[tuple[type[nn.Module], tuple[int, ...], dict[str, bool]], ...]

HIDDEN, KERNELS = 16, 4
STARTS = ("learned", "random", "zeros")


@dataclass(frozen=True)
class Network:
    """A network, what it learns from, and how.

    Attributes:
        name: of it.
        layers: each as its class, what it is made with, and settings by name.
        inputs, targets: what it learns from, an example in each row.
        data: the Python that makes these two.
        lr, batch, passes: how it learned before anybody looked.
    """

    name: str
    layers: Layers
    inputs: Array = field(repr=False)
    targets: Array = field(repr=False)
    data: str
    lr: float
    batch: int
    passes: int

    @property
    def classifies(self) -> bool:
        """Whether it sorts into classes, rather than finding a number."""
        return bool(self.targets.dtype.kind == "i")

    def build(self, bends: bool) -> nn.Sequential:
        """The network, with weights that mean nothing yet; without its relu, if it does not bend."""
        made = [
            kind(*sizes, **named) if bends or kind is not nn.ReLU else nn.Identity()
            for kind, sizes, named in self.layers
        ]
        return nn.Sequential(*made).double()

    def loss(self, prediction: Tensor, targets: Array) -> Tensor:
        """How wrong a prediction is."""
        if self.classifies:
            return cross_entropy(prediction, Tensor(targets))
        return ((prediction - Tensor(targets)) ** 2).sum() / 2

    def written(self, bends: bool, start: str, seed: int) -> str:
        """All of this in Python: data, layers, first weights, learning."""
        layers = ", ".join(_layer(*layer, bends=bends) for layer in self.layers)
        loss = "cross_entropy(prediction, Tensor(targets[part]))"
        if not self.classifies:
            loss = "((prediction - Tensor(targets[part])) ** 2).sum() / 2"
        passes = self.passes if start == "learned" else 0
        return (
            "import numpy as np\n"
            "from pellucid import Tensor, nn\n"
            + ("from pellucid.nn.functional import cross_entropy\n" if self.classifies else "")
            + "from pellucid.optim import SGD\n"
            f"{self.data}"
            f"network = nn.Sequential({layers}).double()\n"
            f"{_first_in_python(self.name, start, seed)}"
            "\n"
            "def look(part):\n"
            "    prediction = network(Tensor(inputs[part]))      # predict\n"
            f"    loss = {loss}    # compare\n"
            "    network.zero_grad()\n"
            "    loss.backward()                                 # learn: who is to blame\n"
            "    return prediction, loss\n\n"
            "def learn(part, lr):\n"
            "    look(part)\n"
            "    SGD(network.parameters(), lr=lr).step()         # learn: change the weights\n\n"
            + (
                f"for n in range({passes}):\n"
                f"    for start in range(0, len(inputs), {self.batch}):\n"
                f"        learn(slice(start, start + {self.batch}), {self.lr!r})\n"
                if passes
                else ""
            )
        )


def _layer(
    kind: type[nn.Module], sizes: tuple[int, ...], named: Mapping[str, bool], *, bends: bool
) -> str:
    if kind is nn.ReLU and not bends:
        return "nn.Identity()"
    given = [*map(str, sizes), *(f"{name}={value}" for name, value in named.items())]
    return f"nn.{kind.__name__}({', '.join(given)})"


def _first_in_python(name: str, start: str, seed: int) -> str:
    if start == "zeros":
        return "for weight in network.parameters():\n    weight.data[...] = 0\n"
    if name == "streetlights":
        return (
            f"random = np.random.RandomState({seed})\n"
            "network[0].weight.data[...] = 2 * random.random_sample((3, 4)).T - 1\n"
            "network[2].weight.data[...] = 2 * random.random_sample((4, 1)).T - 1\n"
        )
    return (
        f"random = np.random.RandomState({seed})\n"
        "for weight in network.parameters():\n"
        "    spread = weight.ndim > 1 and np.prod(weight.shape[1:]) ** -0.5\n"
        "    weight.data[...] = spread * (2 * random.random_sample(weight.shape) - 1)\n"
    )


@cache
def networks(name: str) -> Network:
    """One of the three: "streetlights", "digits" or "kernels"."""
    if name == "streetlights":
        return Network(
            name,
            ((nn.Linear, (3, 4), {"bias": False}), (nn.ReLU, (), {}), (nn.Linear, (4, 1), {"bias": False})),
            FOUR.astype(float),
            ONE_OF_TWO[:, None].astype(float),
            "\ninputs = np.array([[1.0, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]])\n"
            "targets = np.array([[1.0], [1], [0], [0]])\n",
            lr=0.2,
            batch=1,
            passes=10,
        )  # fmt: skip
    data = known_digits()
    height, width = data.shape
    shape: tuple[int, ...] = (-1, data.pixels)
    layers: Layers = (
        (nn.Linear, (data.pixels, HIDDEN), {}), (nn.ReLU, (), {}), (nn.Linear, (HIDDEN, 10), {}),
    )  # fmt: skip
    if name == "kernels":
        shape = (-1, 1, height, width)
        left = KERNELS * ((height - 2) // 2) * ((width - 2) // 2)
        layers = (
            (nn.Conv2d, (1, KERNELS, 3), {}), (nn.ReLU, (), {}), (nn.MaxPool2d, (2,), {}),
            (nn.Flatten, (), {}), (nn.Linear, (left, 10), {}),
        )  # fmt: skip
    text = (
        f"{IN_PYTHON}inputs = (train.pixels / train.ink).reshape{shape}\ntargets = train.labels\n\n"
    ).replace("test = datasets.mnist(train=False, limit=500, stand_in=True, quiet=True)\n", "")
    return Network(
        name, layers, data.images.reshape(shape), data.labels, text, lr=0.1, batch=20, passes=2
    )


@cache
def start_of(name: str, start: str, bends: bool, seed: int) -> dict[str, Array]:
    """The weights to begin with: learned already, random, or zeros."""
    net = networks(name)
    network = net.build(bends)
    random = np.random.RandomState(seed)
    with no_grad():
        for weight in network.parameters():
            spread = weight.ndim > 1 and float(np.prod(weight.shape[1:])) ** -0.5
            drawn = 2 * random.random_sample(weight.shape) - 1
            weight.copy_(0 * drawn if start == "zeros" else spread * drawn)
        if name == "streetlights" and start != "zeros":
            for layer, weights in zip(
                (network[0], network[2]), first_weights(seed, 4), strict=True
            ):
                layer.weight.copy_(weights.T)
    optimizer = SGD(network.parameters(), lr=net.lr)
    for _ in range(net.passes if start == "learned" else 0):
        for at in range(0, len(net.inputs), net.batch):
            part = slice(at, at + net.batch)
            prediction = network(Tensor(net.inputs[part]))  # predict
            loss = net.loss(prediction, net.targets[part])  # compare
            optimizer.zero_grad()
            loss.backward()  # learn
            optimizer.step()
    return {path: p.numpy().copy() for path, p in network.named_parameters()}
