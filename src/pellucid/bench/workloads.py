"""The networks people learn with, written once and run by both libraries.

`build` gets the library, `pellucid` or `torch`, and uses nothing but the names they share: what one
writes for one runs with the other. Both get the same arrays (data of the real shape, and the same
first weights). `exact=True` switches dropout off, so that the losses can be compared number by number.
`bare` is what the matrix products alone cost: nothing that calls NumPy can be faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any, Protocol

import numpy as np

Arrays = dict[str, Any]
Step = Callable[[], Any]


class Workload(Protocol):
    """One network and one training step: predict, compare, learn."""

    id: str
    title: str
    floor: (
        float | None
    )  # how many times PyTorch's speed eager mode has to reach, if a number is set
    steps: int  # how many steps make one turn

    def arrays(self) -> Arrays:
        """Data and first weights, from a fixed seed."""

    def build(self, lib: Any, a: Arrays, exact: bool) -> Step:
        """A function that does one step with `lib` (pellucid or torch) and returns its loss."""

    def bare(self, a: Arrays) -> Step:
        """The matrix products of one step and nothing else."""


class OneByOne:
    """W1: chapter 8's first network, learning one picture at a time."""

    id, title, steps = "W1", "MLP 784-40-10 relu, squared error, batch 1", 400
    floor: float | None = 4.0

    def arrays(self) -> Arrays:
        """784 pixels, 40 hidden units, 10 digits."""
        r = np.random.default_rng(1)
        digits = _digits(r, 1000)
        weights = {**_linear(r, "0", 784, 40), **_linear(r, "2", 40, 10)}
        targets = np.eye(10, dtype=np.float32)[digits["labels"]]
        return {**digits, "targets": targets, "weights": weights}

    def build(self, lib: Any, a: Arrays, exact: bool) -> Step:
        """One picture a step."""
        nn = lib.nn
        model = nn.Sequential(nn.Linear(784, 40), nn.ReLU(), nn.Linear(40, 10))
        data = _batches(lib, a["images"], a["targets"], size=1)
        return _training(lib, model, nn.MSELoss(reduction="sum"), 0.005, a, data)

    def bare(self, a: Arrays) -> Step:
        """Two products forwards, three back."""
        return _two_layers(a["images"][:1], a["weights"]["0.weight"], a["weights"]["2.weight"])


class Batches:
    """W2: chapter 9's network: tanh, dropout, softmax."""

    id, title, steps = "W2", "MLP 784-100-10 tanh, dropout, softmax, batch 100", 100
    floor: float | None = 1.8

    def arrays(self) -> Arrays:
        """784 pixels, 100 hidden units, 10 digits."""
        r = np.random.default_rng(2)
        weights = {**_linear(r, "0", 784, 100), **_linear(r, "3", 100, 10)}
        return {**_digits(r, 1000), "weights": weights}

    def build(self, lib: Any, a: Arrays, exact: bool) -> Step:
        """100 pictures a step."""
        nn = lib.nn
        dropout = nn.Dropout(0.0 if exact else 0.5)
        model = nn.Sequential(nn.Linear(784, 100), nn.Tanh(), dropout, nn.Linear(100, 10))
        data = _batches(lib, a["images"], a["labels"], size=100)
        return _training(lib, model, nn.CrossEntropyLoss(), 0.1, a, data)

    def bare(self, a: Arrays) -> Step:
        """Two products forwards, three back."""
        return _two_layers(a["images"][:100], a["weights"]["0.weight"], a["weights"]["3.weight"])


class Convolution:
    """W3: chapter 10's network: 16 kernels of 3 by 3."""

    id, title, steps = "W3", "conv 3x3x16 tanh, dropout, linear, softmax, batch 128", 10
    floor: float | None = 5.0

    def arrays(self) -> Arrays:
        """28 by 28 pixels, 16 maps of 26 by 26, 10 digits."""
        r = np.random.default_rng(3)
        digits = _digits(r, 1024)
        digits["images"] = digits["images"].reshape(-1, 1, 28, 28)
        kernels = {"0.weight": _uniform(r, 16, 1, 3, 3), "0.bias": _uniform(r, 16)}
        return {**digits, "weights": {**kernels, **_linear(r, "4", 16 * 26 * 26, 10)}}

    def build(self, lib: Any, a: Arrays, exact: bool) -> Step:
        """128 pictures a step."""
        nn = lib.nn
        dropout = nn.Dropout(0.0 if exact else 0.5)
        maps = nn.Sequential(
            nn.Conv2d(1, 16, 3), nn.Tanh(), dropout, nn.Flatten(), nn.Linear(10816, 10)
        )
        data = _batches(lib, a["images"], a["labels"], size=128)
        return _training(lib, maps, nn.CrossEntropyLoss(), 0.01, a, data)

    def bare(self, a: Arrays) -> Step:
        """The products of the patches with the kernels and of the maps with the weights."""
        kernels, last = a["weights"]["0.weight"].reshape(16, 9), a["weights"]["4.weight"]
        patches, d_maps = np.ones((9, 128 * 676), np.float32), np.ones((16, 128 * 676), np.float32)
        maps, d = np.ones((128, 10816), np.float32), np.ones((128, 10), np.float32)

        def step() -> Any:
            np.dot(kernels, patches), np.dot(maps, last.T)
            return np.dot(d, last), np.dot(d.T, maps), np.dot(d_maps, patches.T)

        return step


class Recurrence:
    """W6: chapter 13's recurrent network as one writes it in PyTorch: with nn.RNN, five words long."""

    id, title, steps = "W6", "RNN 16 on bAbI, nn.RNN, 5 steps, batch 100", 60
    floor: float | None = 3.0
    words, size = 25, 16

    def arrays(self) -> Arrays:
        """100 sentences of six words from 25."""
        r, n = np.random.default_rng(6), self.size
        weights = {
            "embedding.weight": _uniform(r, self.words, n),
            **{f"rnn.weight_{gate}_l0": _uniform(r, n, n) for gate in ("ih", "hh")},
            **{f"rnn.bias_{gate}_l0": _uniform(r, n) for gate in ("ih", "hh")},
            **_linear(r, "w_ho", n, self.words),
        }
        ids = r.integers(0, self.words, (100, 6))
        return {"ids": ids[:, :5].copy(), "next": ids[:, 5].copy(), "weights": weights}

    def build(self, lib: Any, a: Arrays, exact: bool) -> Step:
        """100 sentences a step."""
        nn, words, n = lib.nn, self.words, self.size
        module: Any = nn.Module

        class Net(module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.embedding = nn.Embedding(words, n)
                self.rnn = nn.RNN(n, n, batch_first=True)
                self.w_ho = nn.Linear(n, words)

            def forward(self, ids: Any) -> Any:
                _, last = self.rnn(self.embedding(ids))
                return self.w_ho(last[0])

        data = _batches(lib, a["ids"], a["next"], size=100)
        return _training(lib, Net(), nn.CrossEntropyLoss(), 0.05, a, data)

    def bare(self, a: Arrays) -> Step:
        """Five small products forwards, ten back, the inputs' and the output's three each."""
        n, last = self.size, a["weights"]["w_ho.weight"]
        x, w = np.ones((100, n), np.float32), np.ones((n, n), np.float32)
        every, d = np.ones((500, n), np.float32), np.ones((100, self.words), np.float32)

        def step() -> Any:
            for _ in range(5):
                np.dot(x, w.T), np.dot(x, w)
            np.dot(every, w.T), np.dot(every, w), np.dot(every.T, every), np.dot(every.T, every)
            return np.dot(x, last.T), np.dot(d, last), np.dot(d.T, x)

        return step


class RecurrenceByHand(Recurrence):
    """W6h: the same cell as the chapter writes it: two linear layers and a sigmoid, word by word.

    Not a workload with a floor: some forty operations of two microseconds of arithmetic each, it shows
    what an operation costs besides.
    """

    id, title, steps = "W6h", "the same by hand: linear layers and sigmoid", 60
    floor: float | None = None

    def arrays(self) -> Arrays:
        """As W6, the cell's weights under the names of its layers."""
        a = super().arrays()
        w = a["weights"]
        for layer, gate in (("w_ih", "ih"), ("w_hh", "hh")):
            w[f"{layer}.weight"] = w.pop(f"rnn.weight_{gate}_l0")
            w[f"{layer}.bias"] = w.pop(f"rnn.bias_{gate}_l0")
        return a

    def build(self, lib: Any, a: Arrays, exact: bool) -> Step:
        """100 sentences a step."""
        nn, words, n = lib.nn, self.words, self.size
        module: Any = nn.Module

        class Net(module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.embedding = nn.Embedding(words, n)
                self.w_ih, self.w_hh = nn.Linear(n, n), nn.Linear(n, n)
                self.w_ho = nn.Linear(n, words)
                self.activation = nn.Sigmoid()

            def forward(self, ids: Any) -> Any:
                hidden = lib.zeros(len(ids), n)
                for t in range(ids.shape[1]):
                    said = self.w_ih(self.embedding(ids[:, t]))
                    hidden = self.activation(said + self.w_hh(hidden))
                return self.w_ho(hidden)

        data = _batches(lib, a["ids"], a["next"], size=100)
        return _training(lib, Net(), nn.CrossEntropyLoss(), 0.05, a, data)


WORKLOADS: list[Workload] = [
    OneByOne(),
    Batches(),
    Convolution(),
    Recurrence(),
    RecurrenceByHand(),
]


# ------------------------------------------------------------------------------- what they have in common


def _training(
    lib: Any, model: Any, criterion: Any, lr: float, a: Arrays, data: Iterator[Any]
) -> Step:
    model.load_state_dict({name: lib.from_numpy(w.copy()) for name, w in a["weights"].items()})
    optimizer = lib.optim.SGD(model.parameters(), lr=lr)

    def step() -> Any:
        inputs, targets = next(data)
        optimizer.zero_grad()
        loss = criterion(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _batches(lib: Any, *arrays: Any, size: int) -> Iterator[tuple[Any, ...]]:
    """Slices of the arrays as tensors, round and round."""
    count = len(arrays[0]) // size
    tensors = [lib.from_numpy(array) for array in arrays]
    return cycle([tuple(t[i * size : (i + 1) * size] for t in tensors) for i in range(count)])


def _uniform(r: np.random.Generator, *shape: int, scale: float = 0.1) -> np.ndarray[Any, Any]:
    return (scale * (2 * r.random(shape) - 1)).astype(np.float32)


def _linear(r: np.random.Generator, name: str, inputs: int, outputs: int) -> Arrays:
    return {f"{name}.weight": _uniform(r, outputs, inputs), f"{name}.bias": _uniform(r, outputs)}


def _digits(r: np.random.Generator, n: int) -> Arrays:
    """Pictures as full of zeros as MNIST's: one pixel in five is ink."""
    ink = r.random((n, 784)) < 0.19
    images = (ink * r.random((n, 784))).astype(np.float32)
    return {"images": images, "labels": r.integers(0, 10, n)}


def _two_layers(x: Any, first: Any, last: Any) -> Step:
    hidden, d = np.dot(x, first.T), np.ones((len(x), 10), np.float32)

    def step() -> Any:
        np.dot(x, first.T), np.dot(hidden, last.T)
        return np.dot(d, last), np.dot(d.T, hidden), np.dot(hidden.T, x)

    return step
