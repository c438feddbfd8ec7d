"""Handwritten digits: W1 and W2, the first networks; W3 and W3b, convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from .workload import Arrays, Goal, Step, Training, linear, uniform


def pictures(r: np.random.Generator, count: int) -> Arrays:
    """Pictures as full of zeros as MNIST's: one pixel in five is ink."""
    ink = r.random((count, 784)) < 0.19
    images = (ink * r.random((count, 784))).astype(np.float32)
    return {"inputs": images, "targets": r.integers(0, 10, count)}


class OneByOne(Training):
    """Chapter 8's first network, learning one picture at a time."""

    id, title = "W1", "MLP 784-40-10 relu, squared error, batch 1"
    goals = Goal("eager", floor=4), Goal("compiled", floor=30)
    size, lr = 1, 0.005

    def arrays(self) -> Arrays:
        """784 pixels, 40 hidden units, 10 digits."""
        r = np.random.default_rng(1)
        digits = pictures(r, 1000)
        digits["targets"] = np.eye(10, dtype=np.float32)[digits["targets"]]
        return {**digits, "weights": {**linear(r, "0", 784, 40), **linear(r, "2", 40, 10)}}

    def network(self, lib: Any, exact: bool) -> tuple[Any, Any]:
        """Two layers."""
        nn = lib.nn
        model = nn.Sequential(nn.Linear(784, 40), nn.ReLU(), nn.Linear(40, 10))
        return model, nn.MSELoss(reduction="sum")

    def jax_loss(self, w: Any, inputs: Any, targets: Any, key: Any) -> Any:
        """Two layers."""
        from jax.nn import relu

        hidden = relu(inputs @ w["0.weight"].T + w["0.bias"])
        return ((hidden @ w["2.weight"].T + w["2.bias"] - targets) ** 2).sum()

    def bare(self, a: Arrays) -> Step:
        """Two products forwards, three back."""
        return two_layers(a["inputs"][:1], a["weights"]["0.weight"], a["weights"]["2.weight"])


class Batches(Training):
    """Chapter 9's network: tanh, dropout, softmax.

    Args:
        hidden: how many hidden units,
        size: how many pictures a batch, where they are not the chapter's.
    """

    id, title = "W2", "MLP 784-100-10 tanh, dropout, softmax, batch 100"
    goals = Goal("eager", floor=1.8), Goal("compiled", floor=3)
    lr, random = 0.1, True

    def __init__(self, hidden: int = 100, size: int = 100) -> None:
        self.hidden, self.size = hidden, size

    def arrays(self) -> Arrays:
        """784 pixels, 100 hidden units, 10 digits."""
        r = np.random.default_rng(2)
        weights = {**linear(r, "0", 784, self.hidden), **linear(r, "3", self.hidden, 10)}
        return {**pictures(r, max(1000, self.size)), "weights": weights}

    def network(self, lib: Any, exact: bool) -> tuple[Any, Any]:
        """Two layers, half of what is between them left out."""
        nn = lib.nn
        dropout = nn.Dropout(0.0 if exact else 0.5)
        layers = nn.Linear(784, self.hidden), nn.Tanh(), dropout, nn.Linear(self.hidden, 10)
        return nn.Sequential(*layers), nn.CrossEntropyLoss()

    def jax_loss(self, w: Any, inputs: Any, targets: Any, key: Any) -> Any:
        """Two layers, half of what is between them left out."""
        from jax.numpy import tanh

        from .in_jax import cross_entropy, dropout

        hidden = dropout(tanh(inputs @ w["0.weight"].T + w["0.bias"]), key)
        return cross_entropy(hidden @ w["3.weight"].T + w["3.bias"], targets)

    def bare(self, a: Arrays) -> Step:
        """Two products forwards, three back."""
        x = a["inputs"][: self.size]
        return two_layers(x, a["weights"]["0.weight"], a["weights"]["3.weight"])


class Convolution(Training):
    """Chapter 10's network: 16 kernels of 3 by 3."""

    id, title = "W3", "conv 3x3x16 tanh, dropout, linear, softmax, batch 128"
    goals = Goal("eager", floor=5), Goal("compiled", floor=10)
    size, lr, random = 128, 0.01, True

    def arrays(self) -> Arrays:
        """28 by 28 pixels, 16 maps of 26 by 26, 10 digits."""
        r = np.random.default_rng(3)
        digits = pictures(r, 1024)
        digits["inputs"] = digits["inputs"].reshape(-1, 1, 28, 28)
        return {**digits, "weights": {**kernels(r, "0", 16, 1, 3), **linear(r, "4", 10816, 10)}}

    def network(self, lib: Any, exact: bool) -> tuple[Any, Any]:
        """One convolution, half of what it finds left out."""
        nn = lib.nn
        dropout = nn.Dropout(0.0 if exact else 0.5)
        layers = nn.Conv2d(1, 16, 3), nn.Tanh(), dropout, nn.Flatten(), nn.Linear(10816, 10)
        return nn.Sequential(*layers), nn.CrossEntropyLoss()

    def jax_loss(self, w: Any, inputs: Any, targets: Any, key: Any) -> Any:
        """One convolution, half of what it finds left out."""
        from jax.numpy import tanh

        from .in_jax import convolution, cross_entropy, dropout

        maps = dropout(tanh(convolution(inputs, w["0.weight"], w["0.bias"])), key)
        scores = maps.reshape(len(inputs), -1) @ w["4.weight"].T + w["4.bias"]
        return cross_entropy(scores, targets)

    def bare(self, a: Arrays) -> Step:
        """The products of the patches with the kernels and of the maps with the weights."""
        forth = convolved(a["weights"]["0.weight"], 128 * 26 * 26, image=False)
        last = layer(a["weights"]["4.weight"], 128)
        return lambda: (forth(), last())


class LeNet(Training):
    """Two convolutions and three layers (LeCun et al., "Gradient-based learning applied to document
    recognition", 1998), with ReLU and the largest of four, as it is written today.
    """

    id, title = "W3b", "LeNet: conv 6, pool, conv 16, pool, 120-84-10, batch 64"
    goals = Goal("eager", floor=1), Goal("compiled", floor=1.5)
    size, lr = 64, 0.01

    def arrays(self) -> Arrays:
        """28 by 28 pixels, 6 maps, 16 maps of 5 by 5, 10 digits."""
        r = np.random.default_rng(4)
        digits = pictures(r, 512)
        digits["inputs"] = digits["inputs"].reshape(-1, 1, 28, 28)
        weights = {
            **kernels(r, "0", 6, 1, 5),
            **kernels(r, "3", 16, 6, 5),
            **linear(r, "7", 400, 120),
            **linear(r, "9", 120, 84),
            **linear(r, "11", 84, 10),
        }
        return {**digits, "weights": weights}

    def network(self, lib: Any, exact: bool) -> tuple[Any, Any]:
        """As it is written in both libraries."""
        nn = lib.nn
        model = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
        )  # fmt: skip
        return model, nn.CrossEntropyLoss()

    def jax_loss(self, w: Any, inputs: Any, targets: Any, key: Any) -> Any:
        """As it is written in JAX."""
        from jax.nn import relu

        from .in_jax import convolution, cross_entropy, largest_of_four

        x = relu(convolution(inputs, w["0.weight"], w["0.bias"], padding=2))
        x = relu(convolution(largest_of_four(x), w["3.weight"], w["3.bias"]))
        x = largest_of_four(x).reshape(len(inputs), -1)
        x = relu(x @ w["7.weight"].T + w["7.bias"])
        x = relu(x @ w["9.weight"].T + w["9.bias"])
        return cross_entropy(x @ w["11.weight"].T + w["11.bias"], targets)

    def bare(self, a: Arrays) -> Step:
        """The products; those of the first layer with the image's slope left out."""
        w = a["weights"]
        parts = [
            convolved(w["0.weight"], 64 * 28 * 28, image=False),
            convolved(w["3.weight"], 64 * 10 * 10, image=True),
            *(layer(w[f"{i}.weight"], 64) for i in (7, 9, 11)),
        ]
        return lambda: [part() for part in parts]


# ------------------------------------------------------------------------------ what they have in common


def kernels(r: np.random.Generator, name: str, maps: int, channels: int, side: int) -> Arrays:
    """First weights of a convolution."""
    weight, bias = uniform(r, maps, channels, side, side), uniform(r, maps)
    return {f"{name}.weight": weight, f"{name}.bias": bias}


def two_layers(x: Any, first: Any, last: Any) -> Step:
    """The products of two layers; the slope of the input is needed by nobody."""
    hidden, d = np.dot(x, first.T), np.ones((len(x), 10), np.float32)

    def step() -> Any:
        np.dot(x, first.T), np.dot(hidden, last.T)
        return np.dot(d, last), np.dot(d.T, hidden), np.dot(hidden.T, x)

    return step


def layer(weight: Any, rows: int) -> Step:
    """The three products of a layer."""
    x, d = np.ones((rows, weight.shape[1]), np.float32), np.ones((rows, len(weight)), np.float32)
    return lambda: (np.dot(x, weight.T), np.dot(d, weight), np.dot(d.T, x))


def convolved(weight: Any, places: int, *, image: bool) -> Step:
    """The products of a convolution: patches and kernels; `image`: with the slope of its input."""
    flat = weight.reshape(len(weight), -1)
    patches = np.ones((flat.shape[1], places), np.float32)
    d = np.ones((len(flat), places), np.float32)

    def step() -> Any:
        np.dot(flat, patches), np.dot(d, patches.T)
        return np.dot(flat.T, d) if image else None

    return step
