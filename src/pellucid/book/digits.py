"""Real digits, the network that reads them, and the loop in which it learns: chapters 8 and 9.

The runs differ in one place each: what the hidden layer does with its sums (`bend`), how wrong a
prediction is (`compare`), how many images make a step. All else stands here once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid import Tensor, no_grad, softmax
from pellucid.data import datasets
from pellucid.nn import Linear, Module
from pellucid.ops import Op
from pellucid.optim import SGD

from .refusal import Refusal
from .result import Array, Result

Compare = Callable[[Tensor, Tensor], Tensor]  # prediction, target -> how wrong, as one number

CLASSES = 10
EXPLODED = 1e3  # an error this large: a network that says nothing at all has 1
LOOK_EVERY = 10  # passes; the published runs look at the test images that often


# ----------------------------------------------------------------------------------------- the data


@dataclass(frozen=True)
class Digits:
    """Images as rows of grey values from 0 (paper) to 1 (ink), and which digit each is."""

    images: Array
    labels: Array
    test_images: Array
    test_labels: Array
    shape: tuple[int, int]

    @property
    def pixels(self) -> int:
        """How many grey values an image has."""
        return int(self.images.shape[1])

    def batches(self, size: int) -> list[tuple[Tensor, Tensor, Array]]:
        """The training images in their order, cut into batches: images, one-hot targets, labels.

        Raises:
            Refusal: there are fewer images than make one batch.
        """
        if size > len(self.images):
            raise Refusal("large batch", size=size, images=len(self.images))
        starts = range(0, len(self.images) - size + 1, size)
        parts = [slice(start, start + size) for start in starts]
        one_hot = np.eye(CLASSES)[self.labels]
        return [(Tensor(self.images[p]), Tensor(one_hot[p]), self.labels[p]) for p in parts]


def digits(result: Result, count: int = 1000) -> Digits:
    """MNIST: the first `count` training images, and all 10,000 test images.

    Where MNIST is not to be had, this is announced, and the smaller digits that come with
    scikit-learn take its place.
    """
    train = datasets.mnist(limit=count, stand_in=True, quiet=True)
    test = datasets.mnist(train=False, stand_in=True, quiet=True)
    if train.stands_in:
        result.stand_in("MNIST", "scikit-learn's digits of 8 by 8")
    return Digits(_rows(train), train.labels, _rows(test), test.labels, train.shape)


def _rows(pictures: datasets.Pictures) -> Array:
    return (pictures.pixels / pictures.ink).reshape(len(pictures), -1)  # in float64


# -------------------------------------------------------------------------------------- the network


class ThreeLayers(Module):
    """Pixels, a hidden layer, and one score for each of the ten digits; no biases.

    Args:
        start: the weights to start from, (pixels, hidden) and (hidden, 10).
        random: where masks come from, for the networks that have them.
    """

    def __init__(self, start: tuple[Array, Array], random: np.random.RandomState) -> None:
        weights_0_1, weights_1_2 = start
        (pixels, hidden), (_, classes) = weights_0_1.shape, weights_1_2.shape
        self.hidden = Linear(pixels, hidden, bias=False)
        self.output = Linear(hidden, classes, bias=False)
        with no_grad():
            self.hidden.weight.copy_(weights_0_1.T)  # a Linear keeps a row for each output
            self.output.weight.copy_(weights_1_2.T)
        self.random = random

    def bend(self, sums: Tensor) -> Tensor:
        """What the hidden layer does with its weighted sums."""
        raise TypeError("a ThreeLayers network says in `bend` what its hidden layer does")

    def forward(self, images: Tensor) -> Tensor:
        """The ten scores of each image."""
        return self.output(self.bend(self.hidden(images)))  # type: ignore[no-any-return]

    def mask(self, sums: Tensor) -> Array:
        """Ones and zeros by the toss of a coin, drawn as the published runs did, and kept."""
        self.drawn: Array = self.random.randint(2, size=sums.shape).astype(np.float64)
        return self.drawn


def first_weights(
    random: np.random.RandomState, pixels: int, hidden: int, spread: float = 0.2
) -> tuple[Array, Array]:
    """The published runs' first weights: up to half of `spread`, and half of 0.2, around 0."""
    weights_0_1 = spread * random.random_sample((pixels, hidden)) - spread / 2
    return weights_0_1, 0.2 * random.random_sample((hidden, CLASSES)) - 0.1


def network(
    kind: type[ThreeLayers], data: Digits, hidden: int, seed: int, spread: float = 0.2
) -> ThreeLayers:
    """A network with the first weights that the published runs started from, and their masks."""
    random = np.random.RandomState(seed)
    return kind(first_weights(random, data.pixels, hidden, spread), random)


def as_published(forward: Callable[..., Array]) -> Op:
    """Decorator: an operation whose slope a published run got wrong.

    It works like any other, but is not entered in the list of operations: there every slope is
    tested, and this one would fail, as it should.
    """
    count = forward.__code__.co_argcount
    return Op(forward, ", ".join(["(...)"] * count) + " -> (...)")


# ----------------------------------------------------------------------------------------- learning


class Run:
    """A network on its way through the training images again and again, and what was seen of it.

    Args:
        network: what learns.
        data: what it learns from.
        compare: how wrong a prediction is.
        lr: how far each step goes.
        batch: how many images make a step.
    """

    def __init__(
        self, network: ThreeLayers, data: Digits, compare: Compare, *, lr: float, batch: int = 1
    ) -> None:
        self.network, self.data, self.compare = network, data, compare
        self.batches = data.batches(batch)
        self.count = batch * len(self.batches)
        self.optimizer = SGD(network.parameters(), lr=lr)
        self.errors: list[float] = []  # per pass, mean over the images, as they were met
        self.train: list[float] = []  # per pass, which share was read right, as they were met
        self.test: dict[int, float] = {}  # by pass, where somebody looked
        self.test_errors: dict[int, float] = {}
        self.seconds = 0.0

    def one_pass(self) -> None:
        """Predict, compare, learn: once through all training images."""
        start = time.perf_counter()
        error, right = 0.0, 0
        for images, targets, labels in self.batches:
            prediction, loss = self.learn(images, targets)
            error += loss
            right += int(np.count_nonzero(prediction.data.argmax(axis=1) == labels))
        self.errors.append(error / self.count)
        self.train.append(right / self.count)
        self.seconds += time.perf_counter() - start

    def learn(self, images: Tensor, targets: Tensor) -> tuple[Tensor, float]:
        """One step. Returns the prediction, and the error summed over the images."""
        prediction = self.network(images)  # predict
        loss = self.compare(prediction, targets)  # compare
        self.optimizer.zero_grad()
        loss.backward()  # learn
        self.optimizer.step()
        return prediction, loss.item()

    def look(self) -> None:
        """Try the network on the test images, which it never learns from."""
        self.network.eval()
        with no_grad():
            scores = self.network(Tensor(self.data.test_images))
            targets = Tensor(np.eye(CLASSES)[self.data.test_labels])
            error = self.compare(scores, targets).item()
        self.network.train()
        right = scores.data.argmax(axis=1) == self.data.test_labels
        self.test[len(self.errors) - 1] = float(right.mean())
        self.test_errors[len(self.errors) - 1] = error / len(right)

    def state_dict(self) -> dict[str, Any]:
        """Everything that a pass changes: weights, where the masks stand, and the curves."""
        _, numbers, at, *_ = self.network.random.get_state()
        return {
            "network": dict(self.network.state_dict()),
            "masks": [numbers, at],
            "curves": [self.errors, self.train, self.seconds],
            "looks": [[*curve.items()] for curve in (self.test, self.test_errors)],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Stand where the run stood that `state_dict` came from."""
        self.network.load_state_dict(state_dict["network"])
        numbers, at = state_dict["masks"]
        state = {"key": numbers, "pos": at}
        self.network.random.set_state({"bit_generator": "MT19937", "state": state})
        self.errors, self.train, self.seconds = state_dict["curves"]
        self.test, self.test_errors = map(dict, state_dict["looks"])


class Together:
    """Several runs as one that can be kept and gone on with.

    Args:
        runs: per name a run that has `state_dict` and `load_state_dict`.
    """

    def __init__(self, runs: Mapping[str, Any]) -> None:
        self.runs = runs

    def state_dict(self) -> dict[str, Any]:
        """What each of them consists of."""
        return {name: run.state_dict() for name, run in self.runs.items()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let each be what `state_dict` told."""
        for name, run in self.runs.items():
            run.load_state_dict(state_dict[name])


def side_by_side(
    result: Result, runs: Mapping[str, Run], passes: int, *, look_at: tuple[int, ...] = ()
) -> None:
    """Let several runs go through the images together, looking at the test images now and then."""
    looks = {*range(0, passes, LOOK_EVERY), passes - 1, *look_at}
    for n in result.track(range(passes), keep=Together(runs), name="passes"):
        for run in runs.values():
            run.one_pass()
            if n in looks:
                run.look()


def agree_by_hand(result: Result, name: str, ours: list[float], by_hand: list[float]) -> None:
    """Hold the errors of a run's first passes against those computed by hand.

    Roundings grow on the way, the more the longer the steps are: as a rule to 1e-15, to 1e-7 just
    before a run explodes. Where both have exploded there is nothing to compare.
    """
    both = zip(ours, by_hand, strict=False)
    kept = np.array([(a, b) for a, b in both if a < EXPLODED or b < EXPLODED])
    if len(kept):
        result.agree(name, kept[:, 0], kept[:, 1], allowed=1e-6)


# ------------------------------------------------------------------------------------ what is shown


@dataclass(frozen=True)
class Formulas:
    """What the values of a step are called in NumPy, where the networks differ.

    Args:
        layer_1: how the hidden layer comes about.
        prediction: what becomes of the scores in layer_2, and how; empty where they are it.
        error: how wrong the prediction is.
        layer_2_delta, layer_1_delta: how the blame goes back.
        deltas: by how much the error's true slope is larger than the book's delta.
    """

    layer_1: str
    error: str
    layer_2_delta: str
    layer_1_delta: str
    prediction: str = ""
    deltas: float = 1


def tell_one_step(result: Result, run: Run, title: str, formulas: Formulas) -> None:
    """All values of the first step that `run` would make; it is not made."""
    network, data = run.network, run.data
    images, targets, _ = run.batches[0]
    sums = network.hidden(images)
    layer_1 = network.bend(sums)
    layer_2 = network.output(layer_1)
    error = run.compare(layer_2, targets)
    sums.retain_grad(), layer_2.retain_grad()
    error.backward()
    if not result.step(title):
        return
    change_0_1, change_1_2 = (
        0.0 - run.optimizer.param_groups[0]["lr"] * layer.weight.grad.data.T
        for layer in (network.hidden, network.output)
    )
    darkest = np.argsort(-images.data[0], kind="stable")[:8]
    result.predict("layer_0", "the middle of the image, 0 to 1", middle(data, images.data[0]))
    if hasattr(network, "drawn"):
        result.predict("mask", "heads or tails for each hidden unit", network.drawn)
    result.predict("layer_1", formulas.layer_1, layer_1.data + 0.0)
    result.predict("layer_2", "layer_1 @ weights_1_2", layer_2)
    if formulas.prediction:
        result.predict("prediction", formulas.prediction, softmax(layer_2.detach(), dim=1))
    result.compare("target", "1 for the right digit, 0 for the others", targets)
    result.compare("error", formulas.error, error)
    result.learn("layer_2_delta", formulas.layer_2_delta, layer_2.grad.data / formulas.deltas + 0.0)
    result.learn("layer_1_delta", formulas.layer_1_delta, sums.grad.data / formulas.deltas + 0.0)
    result.learn("weights_1_2 change by", "-lr * layer_1.T @ layer_2_delta", change_1_2)
    result.learn(
        "weights_0_1 change by, at the eight darkest pixels",
        "-lr * layer_0.T @ layer_1_delta",
        change_0_1[darkest],
    )


def middle(data: Digits, image: Array, size: int = 8) -> Array:
    """The middle of an image, where the ink is, as a square of `size` pixels a side."""
    top, left = ((n - size) // 2 for n in data.shape)
    return image.reshape(data.shape)[top : top + size, left : left + size]


def show_curves(result: Result, runs: Mapping[str, Run]) -> None:
    """Training and test accuracy, and the training error, of several runs over the passes."""
    accuracy: dict[str, Any] = {}
    for name, run in runs.items():
        accuracy[f"training, {name}"] = run.train
        accuracy[f"test, {name}"] = (list(run.test), list(run.test.values()))
    result.plot("share of digits read right", accuracy, x="pass", y="right")
    errors = {name: run.errors for name, run in runs.items()}
    result.plot("training error", errors, x="pass", y="error", log=True)


def show_passes(result: Result, runs: Mapping[str, Run], rows: int = 8) -> None:
    """A table of some passes: training error, training and test accuracy of each run."""
    looked = sorted(set.intersection(*(set(run.test) for run in runs.values())))
    chosen = [
        looked[i] for i in np.unique(np.linspace(0, len(looked) - 1, rows).round().astype(int))
    ]
    for name, run in runs.items():
        cells = [(n, round(run.errors[n], 4), run.train[n], run.test[n]) for n in chosen]
        result.table(name, ("pass", "training error", "training", "test"), cells)


def best(run: Run) -> tuple[int, float]:
    """The pass with the best test accuracy among those looked at, and that accuracy."""
    at = max(run.test, key=lambda n: run.test[n])
    return at, run.test[at]


def cut(value: float, places: int = 3) -> float:
    """A number with its further digits cut off, not rounded: so the published runs printed it."""
    scale = 10.0**places
    return math.floor(value * scale) / scale if math.isfinite(value) else value
