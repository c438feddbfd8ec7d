"""Chapter 5: ten rows of weights as images, and one dot product over a digit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid import Tensor, no_grad
from pellucid.book.digits import CLASSES, EXPLODED
from pellucid.book.drawn import as_known
from pellucid.errors import ArgumentError
from pellucid.optim import SGD

from ..codec import binary
from ..known_digits import IN_PYTHON, drawn, known_digits, stand_in, written
from ..settings import Slider, Switch
from ..view import Sentence, View, action

Array = Any

LEARNED = (*range(10), *range(10, 100, 10), *range(100, 2001, 50))  # images, where one can stop
AT_FIRST = LEARNED.index(100)
AWAY = 0.12  # of an image's width: so far from the middle no digit stood


class Film:
    """A layer of weights on its way through the training images, with a still at each of `LEARNED`.

    Stills never change, and later ones are made when somebody wants to see them.

    Args:
        lr: how much of each correction is made.
    """

    def __init__(self, lr: float) -> None:
        self.data = known_digits()
        self.weights = Tensor(np.zeros((CLASSES, self.data.pixels)), requires_grad=True)
        self.optimizer = SGD([self.weights], lr=lr)
        self.seen = 0
        self.error = 0.0  # summed, since the last still
        self.stills: list[Array] = []
        self.errors: list[float] = []  # the mean over the images between two stills
        self.right: list[float] = []  # which share of the test images is read right
        self.keep()

    def wind(self, to: int) -> None:
        """Learn as far as still number `to`, or until the weights have exploded."""
        while len(self.stills) <= to and not self.exploded():
            before = self.seen
            while self.seen < LEARNED[len(self.stills)]:
                self.learn()
            self.errors.append(self.error / (self.seen - before))
            self.error = 0.0
            self.keep()

    def exploded(self) -> bool:
        """Whether the weights are so large that they say nothing any more."""
        return float(np.abs(self.stills[-1]).max()) > EXPLODED

    def learn(self) -> None:
        """One image: predict ten sums, compare with the one that should be 1, learn."""
        at = self.seen % len(self.data.images)
        scores = Tensor(self.data.images[at]) @ self.weights.T  # predict
        error = ((scores - Tensor(np.eye(CLASSES)[self.data.labels[at]])) ** 2).sum()  # compare
        self.optimizer.zero_grad()
        (error / 2).backward()  # learn
        self.optimizer.step()
        self.error += error.item()
        self.seen += 1

    def keep(self) -> None:
        """Keep the weights as they are now."""
        with no_grad():
            scores = Tensor(self.data.test_images) @ self.weights.T
        right = scores.numpy().argmax(axis=1) == self.data.test_labels
        self.right.append(float(right.mean()))
        self.stills.append(self.weights.numpy().copy())


class WeightImages(View):
    """An image times the weights of each digit, pixel by pixel, added up: ten sums.

    Break it: with a large lr each correction is larger than the mistake; and a digit that is drawn in
    a corner, and not moved to the middle, lies on weights that were meant for other strokes.
    """

    name = "weight-images"
    chapter = 5
    seeded = False
    shared = ("film",)
    settings = {"lr": Slider(0.001, 0.0001, 0.3, 0.0001, log=True), "centre": Switch(True)}

    def start(self) -> None:
        self.film = Film(self.value["lr"])
        self.far = 0  # the latest moment that was looked at
        self.go(AT_FIRST)
        self.chosen = 0  # of the test images
        self.ink: Array | None = None  # what the reader drew, where it is not a test image
        self.digit: int | None = None  # whose weights are shown; None follows the largest sum

    def changed(self, name: str) -> None:
        if name == "lr":
            self.film, self.far = Film(self.value["lr"]), 0
            self.go(self.wanted)

    def can_step(self) -> bool:
        stills = len(self.film.stills)
        return self.at < len(LEARNED) - 1 and not (self.at == stills - 1 and self.film.exploded())

    def step(self) -> None:
        self.go(self.at + 1)

    def go(self, at: int) -> None:
        """To this moment of the training, or as near to it as one gets before all explodes."""
        self.wanted = at
        self.film.wind(at)
        self.at = min(at, len(self.film.stills) - 1)
        self.far = max(self.far, self.at)

    @action
    def scrub(self, at: int) -> None:
        """Go to another moment of the training."""
        self.go(max(0, min(len(LEARNED) - 1, at)))

    @action
    def choose(self, image: int) -> None:
        """Look at another of the test images."""
        self.chosen = image % len(self.film.data.test_images)
        self.ink = self.digit = None

    @action
    def draw(self, pixels: list[list[float]]) -> None:
        """Look at what the reader drew."""
        self.ink = drawn(pixels)
        self.digit = None

    @action
    def clear(self) -> None:
        """An empty page to draw on."""
        self.ink, self.digit = np.zeros(self.film.data.shape), None

    @action
    def look(self, digit: int) -> None:
        """Show the weights of this digit."""
        if not 0 <= digit < CLASSES:
            raise ArgumentError(f"there are ten digits, 0 to 9, and no {digit}")
        self.digit = digit

    @action
    def follow(self) -> None:
        """Show the weights of whichever digit has the largest sum."""
        self.digit = None

    def image(self) -> Array:
        """The image that is looked at, (rows, columns)."""
        data = self.film.data
        if self.ink is None:
            return data.test_images[self.chosen].reshape(data.shape)
        if self.value["centre"] and self.ink.any():
            return np.round(as_known(self.ink, data.shape[0]) * 255) / 255
        return self.ink

    def seen(self) -> dict[str, Any]:
        """The ten sums over the image, and what they are made of."""
        weights, image = Tensor(self.film.stills[self.at]), Tensor(self.image().reshape(-1))
        products = weights * image
        scores = weights @ image
        order = np.argsort(-scores.numpy(), kind="stable")
        return {
            "products": products.numpy(),
            "scores": scores.numpy(),
            "plus": products.clip(min=0).sum(dim=1).numpy(),
            "minus": products.clip(max=0).sum(dim=1).numpy(),
            "best": int(order[0]),
            "second": int(order[1]),
            "squared": float((image @ image).item()),
        }

    def label(self) -> int | None:
        """Which digit the image is; None for what the reader drew."""
        return None if self.ink is not None else int(self.film.data.test_labels[self.chosen])

    def shows(self) -> Mapping[str, Any]:
        s, shape, film = self.seen(), self.film.data.shape, self.film
        digit = s["best"] if self.digit is None else self.digit
        return {
            **{name: s[name] for name in ("scores", "plus", "minus", "best", "second", "squared")},
            "weights": binary(film.stills[self.at].reshape(-1, *shape)),
            "image": binary(self.image()),
            "product": binary(s["products"][digit].reshape(shape)),
            "digit": digit,
            "score": s["scores"][digit],
            "for": s["plus"][digit],
            "against": s["minus"][digit],
            "followed": self.digit is None,
            "label": self.label(),
            "chosen": self.chosen,
            "drawn": self.ink is not None,
            "ink": [] if self.ink is None else self.ink,
            "side": shape[0],
            "stand_in": stand_in(),
            "at": self.at,
            "stops": list(LEARNED),
            "learned": LEARNED[self.at],
            "right": film.right[self.at],
            "errors": {"x": LEARNED[1 : self.far + 1], "y": film.errors[: self.far]},
            "rights": {"x": LEARNED[: self.far + 1], "y": film.right[: self.far + 1]},
        }

    def sentence(self) -> Sentence:
        s, label, learned = self.seen(), self.label(), LEARNED[self.at]
        best, scores = s["best"], s["scores"]
        largest = float(np.abs(self.film.stills[self.at]).max())
        mean = float((self.film.data.images**2).sum(axis=1).mean())
        values: dict[str, Any] = {
            "best": best, "second": s["second"], "score": scores[best], "next": scores[s["second"]],
            "plus": s["plus"][best], "minus": abs(s["minus"][best]), "learned": learned,
            "label": label, "lr": self.value["lr"], "ink": mean,
            "factor": abs(1 - self.value["lr"] * mean), "largest": largest,
        }  # fmt: skip
        if largest > EXPLODED:
            return "exploded", values
        if not self.image().any():
            return "blank", values
        if not learned:
            return "start", values
        away = self.away()
        if self.ink is not None and away > AWAY * self.film.data.shape[1]:
            return "corner", {**values, "away": round(away, 1)}
        if learned == 1 and self.ink is None:
            return "first", {**values, "first": int(self.film.data.labels[0])}
        if label is None:
            return "drawn", values
        if label == best:
            return "right", values
        return "wrong", {**values, "own": scores[label]}

    def away(self) -> float:
        """How many pixels the middle of the ink is from where it was on average when learning."""
        data, image = self.film.data, self.image()
        places = np.indices(data.shape)

        def middle(ink: Array) -> Array:
            return (places * ink).sum(axis=(1, 2)) / max(float(ink.sum()), 1e-12)

        known = middle(data.images.mean(axis=0).reshape(data.shape))
        return float(np.linalg.norm(middle(image) - known))

    def python(self) -> str:
        if self.ink is None:
            image = f"test.pixels[{self.chosen}] / test.ink"
        else:
            image = written(self.image())
        return (
            f"import numpy as np\n{IN_PYTHON}"
            f"image = {image}\n\n"
            f"lr, learned = {self.value['lr']!r}, {LEARNED[self.at]}\n"
            "weights = np.zeros((10, image.size))               # a row for each digit\n"
            "for n in range(learned):\n"
            "    pixels = (train.pixels[n % len(train)] / train.ink).ravel()\n"
            "    delta = weights @ pixels                       # predict: ten sums\n"
            "    delta[train.labels[n % len(train)]] -= 1       # compare: one should be 1\n"
            "    weights -= lr * np.outer(delta, pixels)        # learn\n\n"
            "products = weights * image.ravel()\n"
            "for digit, row in enumerate(products):\n"
            "    print(digit, row[row > 0].sum(), row[row < 0].sum(), row.sum())\n"
        )

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        s = self.seen()
        columns = (s[name].tolist() for name in ("plus", "minus", "scores"))
        headings = ("digit", "speaks for it", "speaks against it", "sum")
        return headings, list(zip(range(CLASSES), *columns, strict=True))
