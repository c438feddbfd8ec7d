"""Chapter 8: when learning turns into memorising, where to stop, and what dropout does to a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid import Tensor, no_grad, relu
from pellucid.book.digits import CLASSES, first_weights
from pellucid.optim import SGD

from ..codec import binary
from ..known_digits import IN_PYTHON, known_digits, stand_in
from ..settings import Choice, Slider
from ..view import Sentence, View, action

Array = Any

HIDDEN = 100
TOLD = 6  # units whose numbers are shown
LAST = 300  # passes
LOST = 1e6


class Overfitting(View):
    """A few digits, some of them with wrong labels, learned until the network knows them by heart.

    Break it: go on too long, let every label be right or half of them wrong, silence nine units of
    ten, take an lr that is too large.
    """

    name = "overfitting"
    chapter = 8
    backs = 40
    shared = ("data", "images", "labels", "truth", "wrong")
    settings = {
        "p": Slider(0.0, 0.0, 0.9, 0.05),
        "batch": Choice("10", ("5", "10", "50", "all")),
        "mistakes": Slider(30, 0, 50, 5),
        "count": Slider(300, 100, 400, 50),
        "lr": Slider(0.05, 0.005, 1.0, 0.001, log=True),
    }

    def start(self) -> None:
        self.data, count = known_digits(), int(self.value["count"])
        self.random = np.random.RandomState(self.seed)
        self.images, self.truth = self.data.images[:count], self.data.labels[:count]
        self.labels, self.wrong = mislabelled(self.truth, self.value["mistakes"] / 100, self.random)
        first, second = first_weights(self.random, self.data.pixels, HIDDEN)
        self.weights_0_1 = Tensor(first, requires_grad=True)
        self.weights_1_2 = Tensor(second, requires_grad=True)
        self.optimizer = SGD([self.weights_0_1, self.weights_1_2], lr=self.value["lr"])
        self.masks = np.ones((count, HIDDEN))  # of each image, in the last pass
        self.train: list[float] = []  # after each pass, the error of an image on average
        self.test: list[float] = []
        self.right: list[float] = []  # of the test images
        self.heart: list[int] = []  # wrong labels that are reproduced
        self.look()
        self.stop = 0
        self.dragged = False
        self.chosen = int(self.wrong[0]) if len(self.wrong) else 0
        self.before: list[float] = []  # the test errors of the run before

    def changed(self, name: str) -> None:
        before = self.test if len(self.test) > 3 else self.before
        self.start()
        self.before = before

    # -------------------------------------------------------------------------------------- learning

    def size(self) -> int:
        """How many images make a step."""
        return len(self.images) if self.value["batch"] == "all" else int(self.value["batch"])

    def mask(self, shape: tuple[int, ...]) -> Array:
        """Which units are heard, and how loud: 0, or 1 / (1 - p), so that the sum is as before."""
        p = self.value["p"]
        if not p:
            return np.ones(shape)
        return (self.random.random_sample(shape) >= p) / (1 - p)

    def can_step(self) -> bool:
        return len(self.test) <= LAST and bool(self.train[-1] < LOST)

    def step(self) -> None:
        size, targets = self.size(), np.eye(CLASSES)[self.labels]
        for start in range(0, len(self.images), size):
            part = slice(start, start + size)
            images, target = Tensor(self.images[part]), Tensor(targets[part])
            self.masks[part] = self.mask((len(images), HIDDEN))
            layer_1 = relu(images @ self.weights_0_1) * Tensor(self.masks[part])  # predict
            layer_2 = layer_1 @ self.weights_1_2
            error = ((layer_2 - target) ** 2).sum() / len(images)  # compare
            self.optimizer.zero_grad()
            error.backward()  # learn
            self.optimizer.step()
        self.look()
        if not self.dragged:
            self.stop = self.best()

    def look(self) -> None:
        """Without learning, and with all units: the errors on what it learns from, and on new images."""
        sums = self.images @ self.weights_0_1.numpy()
        self.asleep = int((sums <= 0).all(axis=0).sum())  # units that no image wakes
        for images, labels, errors in (
            (self.images, self.labels, self.train),
            (self.data.test_images, self.data.test_labels, self.test),
        ):
            scores = self.scores(images)
            errors.append(float(((scores - np.eye(CLASSES)[labels]) ** 2).sum(axis=1).mean()))
            guesses = scores.argmax(axis=1)
            if errors is self.train:
                self.heart.append(int((guesses == labels)[self.wrong].sum()))
            else:
                self.right.append(float((guesses == labels).mean()))

    def scores(self, images: Array) -> Array:
        """The ten scores of some images, all units heard."""
        with no_grad():
            layer_1 = relu(Tensor(images) @ self.weights_0_1)
            return (layer_1 @ self.weights_1_2).numpy()

    @action
    def ten(self) -> None:
        """Ten passes."""
        for _ in range(10):
            if self.can_step():
                self.step()

    @action
    def stop_at(self, number: int) -> None:
        """Draw the line after this pass."""
        self.stop, self.dragged = max(0, min(len(self.test) - 1, number)), True

    @action
    def choose(self, number: int) -> None:
        """Look at another of the training images; they go round."""
        self.chosen = number % len(self.images)

    @action
    def next_wrong(self) -> None:
        """Look at the next image whose label is wrong."""
        later = self.wrong[self.wrong > self.chosen]
        if len(self.wrong):
            self.chosen = int(later[0] if len(later) else self.wrong[0])

    # ---------------------------------------------------------------------------------- what is seen

    def best(self) -> int:
        """The pass after which the test error was least."""
        return int(np.argmin(self.test))

    def units(self) -> tuple[Array, Array, Array]:
        """Of the image looked at: the hidden layer, its mask in the last pass, and what passed."""
        with no_grad():
            layer_1 = relu(Tensor(self.images[self.chosen]) @ self.weights_0_1).numpy()
        mask = self.masks[self.chosen]
        return layer_1, mask, layer_1 * mask

    def shows(self) -> Mapping[str, Any]:
        layer_1, mask, passed = self.units()
        scores = self.scores(self.images[self.chosen][None])[0]
        last, best = len(self.test) - 1, self.best()
        return {
            "passes": last,
            "train": self.train,
            "test": self.test,
            "before": self.before,
            "stop": self.stop,
            "best": best,
            "best_test": self.test[best],
            "stop_train": self.train[self.stop],
            "stop_test": self.test[self.stop],
            "stop_right": 100 * self.right[self.stop],
            "stop_heart": self.heart[self.stop],
            "now_train": self.train[-1],
            "now_test": self.test[-1],
            "now_right": 100 * self.right[-1],
            "now_heart": self.heart[-1],
            "wrong": len(self.wrong),
            "image": binary(self.images[self.chosen].reshape(self.data.shape)),
            "chosen": self.chosen,
            "label": int(self.labels[self.chosen]),
            "truth": int(self.truth[self.chosen]),
            "says": int(scores.argmax()),
            "scores": scores,
            "layer_1": layer_1,
            "mask": mask,
            "told": [layer_1[:TOLD], mask[:TOLD], passed[:TOLD]],
            "silent": int((mask == 0).sum()),
            "hidden": HIDDEN,
            "stand_in": stand_in(),
        }

    def sentence(self) -> Sentence:
        best, last = self.best(), len(self.test) - 1
        values: dict[str, Any] = {
            "count": len(self.images), "wrong": len(self.wrong), "passes": last,
            "train": round(self.train[-1], 3), "test": round(self.test[-1], 3),
            "best": round(self.test[best], 3), "best_pass": best, "heart": self.heart[-1],
            "p": self.value["p"], "lr": self.value["lr"], "batch": self.size(),
            "loud": round((1 - self.value["p"]) * HIDDEN), "hidden": HIDDEN,
            "stop": self.stop, "stop_test": round(self.test[self.stop], 3),
            "stop_right": round(100 * self.right[self.stop], 1),
            "right": round(100 * self.right[-1], 1), "updates": -(-len(self.images) // self.size()),
        }  # fmt: skip
        if (
            not np.isfinite(self.train[-1])
            or self.train[-1] > LOST
            or self.test[-1] > 2 * self.test[0]
        ):
            return "lost", values
        if last == 0:
            return "start", values
        if self.asleep > 0.8 * HIDDEN:
            return "dead", {**values, "asleep": self.asleep}
        if self.dragged:
            cost = self.test[-1] - self.test[self.stop]
            told = {**values, "cost": round(abs(cost), 3)}
            return ("stop-early" if self.stop < best else "stop-late"), told
        if self.value["p"] >= 0.8 and last >= 5:
            return "deaf", values
        if self.test[-1] > 1.05 * self.test[best]:
            return ("heart-all" if not len(self.wrong) else "heart"), values
        if self.value["p"] and last >= 5:
            if len(self.before) <= last:
                return "dropout", values
            return "dropout-before", {**values, "before": round(self.before[last], 3)}
        if self.value["batch"] == "all":
            return "one-step", values
        return ("both" if best == last else "level"), values

    def python(self) -> str:
        v = self.value
        return (
            f"import numpy as np\n{IN_PYTHON}"
            f"count, size, p, lr = {len(self.images)}, {self.size()}, {v['p']!r}, {v['lr']!r}\n"
            "images = (train.pixels / train.ink).reshape(len(train), -1)[:count]\n"
            "test_images = (test.pixels / test.ink).reshape(len(test), -1)\n"
            "labels = train.labels[:count].copy()\n"
            f"random = np.random.RandomState({self.seed})\n"
            f"wrong = random.random_sample(count) < {v['mistakes'] / 100!r}\n"
            "labels[wrong] = (labels[wrong] + random.randint(1, 10, wrong.sum())) % 10\n"
            "goals, test_goals = np.eye(10)[labels], np.eye(10)[test.labels]\n"
            f"weights_0_1 = 0.2 * random.random_sample((images.shape[1], {HIDDEN})) - 0.1\n"
            f"weights_1_2 = 0.2 * random.random_sample(({HIDDEN}, 10)) - 0.1\n\n"
            f"for n in range({len(self.test) - 1}):\n"
            "    for start in range(0, count, size):\n"
            "        layer_0, goal = images[start : start + size], goals[start : start + size]\n"
            "        sums = layer_0 @ weights_0_1\n"
            "        mask = (random.random_sample(sums.shape) >= p) / (1 - p) if p else 1\n"
            "        layer_1 = np.maximum(sums, 0) * mask                   # predict\n"
            "        delta_2 = 2 * (layer_1 @ weights_1_2 - goal) / len(goal)  # compare\n"
            "        delta_1 = (delta_2 @ weights_1_2.T) * mask * (sums > 0)\n"
            "        weights_1_2 -= lr * layer_1.T @ delta_2                # learn\n"
            "        weights_0_1 -= lr * layer_0.T @ delta_1\n"
            "    errors = []\n"
            "    for some, wanted in ((images, goals), (test_images, test_goals)):\n"
            "        scores = np.maximum(some @ weights_0_1, 0) @ weights_1_2  # all units heard\n"
            "        errors.append(((scores - wanted) ** 2).sum(axis=1).mean())\n"
            "    print(n + 1, *errors)\n"
        )

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        rows = zip(self.train, self.test, self.right, self.heart, strict=True)
        headings = ("pass", "training error", "test error", "right on test images", "by heart")
        return headings, [(n, *row) for n, row in enumerate(rows)]


def mislabelled(labels: Array, share: float, random: np.random.RandomState) -> tuple[Array, Array]:
    """The labels with some of them wrong, and the numbers of those."""
    wrong = random.random_sample(len(labels)) < share
    given = labels.copy()
    given[wrong] = (given[wrong] + random.randint(1, CLASSES, wrong.sum())) % CLASSES
    return given, np.flatnonzero(wrong)
