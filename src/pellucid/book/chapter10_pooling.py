"""Chapter 10, last part: pooling. Of several scores one is passed on: largest, average or sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid import Tensor, avg_pool2d, max_pool2d, no_grad, relu, sum_pool2d
from pellucid.nn import Conv2d, Linear, Module
from pellucid.nn.functional import cross_entropy
from pellucid.optim import SGD

from .chapter10 import LOOKS_FOR, SIDE, scores_everywhere
from .digits import CLASSES, Digits, digits
from .experiment import Result, experiment
from .result import Array

Pool = Callable[[Tensor], Tensor]

WINDOW = 2  # rows and columns that become one
POOLS: dict[str, Pool] = {
    "largest": lambda x: max_pool2d(x, kernel_size=WINDOW),
    "average": lambda x: avg_pool2d(x, kernel_size=WINDOW),
    "sum": lambda x: sum_pool2d(x, kernel_size=WINDOW),
}
NO_POOLING = "no pooling"
ACROSS: dict[str, Callable[..., Array]] = {"largest": np.max, "average": np.mean, "sum": np.sum}
LOOK_EVERY = 3  # passes
PART = 100  # test images at a time


class Pooling(Module):
    """Kernels, relu, pooling, and ten scores.

    Args:
        pool: what becomes of the scores of neighbouring places.
        kernels: how many.
        size: rows and columns of an image.
        random: where the first weights come from.
    """

    def __init__(
        self, pool: Pool, kernels: int, size: tuple[int, int], random: np.random.RandomState
    ) -> None:
        self.pool = pool
        self.conv = Conv2d(1, kernels, SIDE, bias=False)
        with no_grad():
            self.conv.weight.copy_(0.6 * random.random_sample(self.conv.weight.shape) - 0.3)
            hidden = self.before_scores(Tensor(np.zeros((1, 1, *size)))).shape[1]
            self.output = Linear(hidden, CLASSES, bias=False)
            self.output.weight.zero_()  # the first scores say nothing, whatever the pooling
        self.float()

    def before_scores(self, images: Tensor) -> Tensor:
        """The pooled scores of each image, in one row."""
        return self.pool(relu(self.conv(images))).flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        """The ten scores of each image (images, 1, rows, columns)."""
        return self.output(self.before_scores(images))  # type: ignore[no-any-return]


@experiment("10+", slow=True)
def pooling(
    result: Result,
    *,
    lr: float = 0.05,
    passes: int = 30,
    batch: int = 50,
    kernels: int = 16,
    seed: int = 1,
) -> None:
    """From every four scores one: the largest, the average or the sum, or all four as they are.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the training images are gone through.
        batch: how many images make a step.
        kernels: how many kernels.
        seed: which random weights to start from.
    """
    data = digits(result)
    one_window(result)
    image = data.images[0].reshape(data.shape)
    maps = scores_everywhere(image, np.array(list(LOOKS_FOR.values())))
    show_pooled(result, maps)
    pools = {NO_POOLING: lambda x: x, **POOLS}
    models = {
        name: Pooling(pool, kernels, data.shape, np.random.RandomState(seed))
        for name, pool in pools.items()
    }
    errors, tests = learn(result, models, data, lr, passes, batch)
    result.plot("training error", errors, x="pass", y="error", log=True)
    result.plot("share of test digits read right", tests, x="pass", y="right")
    result.table(
        "share of test digits read right, as they are and pushed aside",
        ("", "weights", "as they are", "by 1 pixel", "by 2 pixels"),
        [
            (
                name,
                sum(p.numel() for p in model.parameters()),
                *(read_right(model, data, aside) for aside in (0, 1, 2)),
            )
            for name, model in models.items()
        ],
    )


def one_window(result: Result) -> None:
    """Four scores, what becomes of them, and how blame comes back."""
    scores = np.array([[0.5, 2.0], [-1.0, 1.5]])
    by_hand = {
        "largest": (scores.max(), (scores == scores.max()) * 1.0),
        "average": (scores.mean(), np.full((2, 2), 0.25)),
        "sum": (scores.sum(), np.ones((2, 2))),
    }
    rows = []
    opened = result.step("four scores become one, and the one should be 1")
    for name, pool in POOLS.items():
        x = Tensor(scores[None], requires_grad=True)
        pooled = pool(x)
        pooled.sum().backward()
        value, back = by_hand[name]
        result.agree(f"pooled: {name}", pooled.item(), value)
        result.agree(f"blame handed back: {name}", x.grad[0], back)
        rows.append((name, pooled.item(), x.grad[0].numpy().ravel()))
        if opened:
            delta = pooled.item() - 1
            result.predict(name, f"one number from {scores.ravel().tolist()}", pooled.item())
            result.compare(f"{name}: delta", "pooled - 1", delta)
            result.learn(f"{name}: blame of each score", "delta * slope", delta * x.grad[0].numpy())
    result.table(
        f"the scores {', '.join(f'{s:g}' for s in scores.ravel())} become one",
        ("", "passed on", "share of the blame"),
        rows,
    )


def show_pooled(result: Result, maps: Array) -> None:
    """Pooling neighbours in a map, and pooling the maps of several kernels place by place."""
    edges = np.maximum(maps[0], 0)
    pooled = {name: pool(Tensor(edges[None])).numpy()[0] for name, pool in POOLS.items()}
    result.picture("upright edges: four neighbours become one", {"all scores": edges, **pooled})
    result.picture(
        "four kernels become one, place by place",
        {name: combine(np.maximum(maps, 0), axis=0) for name, combine in ACROSS.items()},
    )


def learn(
    result: Result,
    models: dict[str, Pooling],
    data: Digits,
    lr: float,
    passes: int,
    batch: int,
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Let all models learn. Returns their training errors, and test accuracies with their passes."""
    batches = [
        (as_images(images.numpy(), data), labels) for images, _, labels in data.batches(batch)
    ]
    errors: dict[str, list[float]] = {name: [] for name in models}
    tests: dict[str, tuple[list[int], list[float]]] = {name: ([], []) for name in models}
    optimizers = {name: SGD(model.parameters(), lr=lr) for name, model in models.items()}
    for n in result.track(range(passes)):
        for name, model in models.items():
            error = 0.0
            for images, labels in batches:
                loss = cross_entropy(model(images), Tensor(labels))  # predict, compare
                optimizers[name].zero_grad()
                loss.backward()  # learn
                optimizers[name].step()
                error += loss.item()
            errors[name].append(error / len(batches))
            if n % LOOK_EVERY == 0 or n == passes - 1:
                tests[name][0].append(n)
                tests[name][1].append(read_right(model, data))
    return errors, tests


def as_images(rows: Array, data: Digits) -> Tensor:
    """Rows of grey values as images of one channel, in float32."""
    return Tensor(rows.astype(np.float32).reshape(-1, 1, *data.shape))


def read_right(model: Pooling, data: Digits, aside: int = 0) -> float:
    """Which share of the test digits is read right, each pushed to the right by some pixels."""
    images = np.zeros((len(data.test_images), *data.shape))
    whole = data.test_images.reshape(images.shape)
    images[:, :, aside:] = whole[:, :, : data.shape[1] - aside]
    right = 0
    with no_grad():
        for start in range(0, len(images), PART):
            part = slice(start, start + PART)
            scores = model(as_images(images[part], data)).numpy()
            right += int((scores.argmax(axis=1) == data.test_labels[part]).sum())
    return right / len(images)
