"""Chapter 5 on real digits: one layer of weights that can be looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid import Tensor, no_grad
from pellucid.optim import SGD

from .digits import CLASSES, Digits, digits
from .experiment import Result, experiment
from .result import Array


@dataclass
class OneLayer:
    """Ten rows of weights, one for each digit, and how they were learned."""

    weights: Tensor
    errors: list[float]

    def scores(self, images: Array) -> Array:
        """The ten scores of each image."""
        with no_grad():
            return (Tensor(images) @ self.weights.T).data


def learn_digits(result: Result, data: Digits, lr: float, passes: int) -> OneLayer:
    """Image by image: predict ten scores, compare with the one that should be 1, learn."""
    weights = Tensor(np.zeros((CLASSES, data.pixels)), requires_grad=True)
    optimizer = SGD([weights], lr=lr)
    batches = data.batches(1)
    errors = []
    for n in result.track(range(1, passes + 1)):
        errors.append(0.0)
        for i, (image, target, label) in enumerate(batches, start=1):
            scores = image @ weights.T  # predict
            error = ((scores - target) ** 2).sum()  # compare
            optimizer.zero_grad()
            (error / 2).backward()  # learn
            if result.step(f"pass {n}, image {i}, a {label.item()}"):
                result.predict("scores", "image @ weights.T", scores)
                result.compare("target", "1 for the digit it is, 0 for the others", target)
                result.compare("error", "the sum of (scores - target) ** 2", error)
                result.learn("delta", "scores - target", scores - target)
                result.learn(
                    "weight_deltas of the middle row of pixels, for each digit",
                    "outer(delta, image)",
                    middle_row(weights.grad.data, data),
                )
            optimizer.step()
            errors[-1] += error.item()
        errors[-1] /= len(batches)
    return OneLayer(weights, errors)


def middle_row(weights: Array, data: Digits) -> Array:
    """Of each digit's weight image, eight pixels in the very middle."""
    height, width = data.shape
    images = weights.reshape(-1, height, width)
    return images[:, height // 2, width // 2 - 4 : width // 2 + 4]


def digits_by_hand(data: Digits, lr: float) -> Array:
    """The weights after one pass, in NumPy alone."""
    weights = np.zeros((CLASSES, data.pixels))
    for image, label in zip(data.images, data.labels, strict=True):
        delta = weights @ image
        delta[label] -= 1
        weights -= lr * np.outer(delta, image)
    return weights


@experiment("5.7", to="5.8")
def digits_with_one_layer(
    result: Result, *, lr: float = 0.001, passes: int = 2, images: int = 1000
) -> None:
    """One layer learns to read digits, and its weights can be looked at.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the training images are gone through.
        images: how many training images.
    """
    data = digits(result, images)
    network = learn_digits(result, data, lr, passes)
    first_pass = network if passes == 1 else learn_digits(Result(watch=0), data, lr, 1)
    result.agree("weights after the first pass", first_pass.weights, digits_by_hand(data, lr))

    guesses = network.scores(data.test_images).argmax(axis=1)
    result.number("right on images learned from", share_right(network, data.images, data.labels))
    result.number("right on new images", share_right(network, data.test_images, data.test_labels))
    untouched = ~data.images.any(axis=0)
    result.number("pixels that never had ink", int(untouched.sum()))
    of_those = np.abs(network.weights.data[:, untouched])
    result.number("largest weight of those", float(of_those.max(initial=0.0)))
    result.picture("the weights of each digit", weight_images(network, data), signed=True)
    result.table(
        "digit by digit, on new images",
        ("digit", "images", "right", "else mostly read as"),
        [per_digit(d, guesses, data.test_labels) for d in range(CLASSES)],
    )
    result.table("training error", ("pass", "error"), enumerate(network.errors, start=1))


def share_right(network: OneLayer, images: Array, labels: Array) -> float:
    """Which part of the images gets its highest score from the right digit."""
    return float((network.scores(images).argmax(axis=1) == labels).mean())


def weight_images(network: OneLayer, data: Digits) -> dict[str, Array]:
    """Each digit's row of weights, laid out as the pixels it belongs to."""
    return {str(d): row.reshape(data.shape) for d, row in enumerate(network.weights.data)}


def per_digit(digit: int, guesses: Array, labels: Array) -> tuple[int, int, int, int | None]:
    """A digit, how many there were, how many were read right, and what else most were taken for."""
    taken_for = np.bincount(guesses[labels == digit], minlength=CLASSES)
    count, right = int(taken_for.sum()), int(taken_for[digit])
    taken_for[digit] = 0
    return digit, count, right, int(taken_for.argmax()) if right < count else None


# ------------------------------------------------------------------------ 5.9 overlap of two images


@experiment("5.9")
def overlap(
    result: Result, *, image: int = 1, lr: float = 0.001, passes: int = 2, images: int = 1000
) -> None:
    """A score is a dot product: how far an image and a weight image overlap.

    Args:
        image: which test image to look at; 1 is the first.
        lr: how much of each correction is made (the book's alpha).
        passes: how often the training images are gone through.
        images: how many training images.
    """
    data = digits(result, images)
    network = learn_digits(result, data, lr, passes)
    chosen = (image - 1) % len(data.test_images)
    pixels, label = data.test_images[chosen], int(data.test_labels[chosen])
    scores = network.scores(pixels)
    products = network.weights.data * pixels
    result.agree("scores", scores, products.sum(axis=1))

    order = np.argsort(-scores)
    best, second = int(order[0]), int(order[1])
    result.number("the digit", label)
    result.number("read as", best)
    result.number("its score", float(scores[best]))
    result.picture("the image", {f"a {label}": pixels.reshape(data.shape)})
    for d in (best, second):
        result.picture(
            f"overlap with the weights of {d}",
            {
                f"weights of {d}": network.weights.data[d].reshape(data.shape),
                "image × weights": products[d].reshape(data.shape),
            },
            signed=True,
        )
    above, below = np.maximum(products, 0).sum(axis=1), np.minimum(products, 0).sum(axis=1)
    result.table(
        "overlap with each digit's weights",
        ("digit", "speaks for it", "speaks against it", "score"),
        [(int(d), above[d], below[d], scores[d]) for d in order],
    )
