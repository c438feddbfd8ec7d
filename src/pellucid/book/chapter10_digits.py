"""Chapter 10 on the digits: sixteen kernels read them, as published and corrected."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np

from pellucid import Tensor, no_grad, softmax, tanh
from pellucid.nn import Conv2d, Linear

from .chapter09 import SPREAD, surprise, tanh_then_dropout
from .chapter10 import SIDE, patches
from .digits import (
    CLASSES,
    LOOK_EVERY,
    Digits,
    Run,
    ThreeLayers,
    Together,
    agree_by_hand,
    best,
    digits,
    show_curves,
    show_passes,
)
from .experiment import Figure, Result, experiment
from .result import Array

Places = tuple[int, int]

PUBLISHED, CORRECTED, RANDOM = "as published", "corrected", "random kernels"
PRINTED = (0, 1, 10, 299)  # passes
LARGE = 4.0  # spread of the random kernels that are left as they are
PART = 50  # test images at a time: what is computed of them stays in the processor's cache
CLOSE = 1e-3  # two scores nearer than this are told apart in float64


# ------------------------------------------------------------------------------------- the networks


class Kernels(ThreeLayers):
    """Kernels slid over an image, tanh, a random half of it silent, and ten scores.

    Args:
        start: the weights to start from, (9, kernels) and (hidden, 10).
        size: rows and columns of an image.
        random: where masks come from.
    """

    def __init__(
        self, start: tuple[Array, Array], size: Places, random: np.random.RandomState
    ) -> None:
        kernels, output = start
        self.size, self.random = size, random
        self.hidden = self.slid(kernels)  # type: ignore[assignment]
        self.output = layer_from(output)

    def slid(self, kernels: Array) -> Linear | Conv2d:
        """The layer that has the kernels (9, kernels)."""
        raise TypeError("a network of Kernels says in `slid` what slides them")

    def prepared(self, images: Array) -> Array:
        """Rows of grey values as the first layer takes them."""
        raise TypeError("a network of Kernels says in `prepared` what it takes")

    @property
    def kernels(self) -> Array:
        """The kernels as small images, (kernels, 3, 3)."""
        return self.hidden.weight.numpy().reshape(-1, SIDE, SIDE).copy()


class Convolution(Kernels):
    """With the library's convolution, at every place, and true gradients throughout."""

    def slid(self, kernels: Array) -> Linear | Conv2d:
        """A convolution."""
        layer = Conv2d(1, kernels.shape[1], SIDE, bias=False)
        with no_grad():
            layer.weight.copy_(kernels.T.reshape(layer.weight.shape))
        return layer

    def prepared(self, images: Array) -> Array:
        """Images of one channel, (images, 1, rows, columns)."""
        return images.reshape(-1, 1, *self.size)

    def bend(self, sums: Tensor) -> Tensor:
        """Squash, then silence half; kernel by kernel, each with all its places."""
        layer_1 = tanh(sums).flatten(1)
        return layer_1 * (self.mask(layer_1) * 2) if self.training else layer_1


class Published(Kernels):
    """As the chapter has it: patches are cut out beforehand, and meet all kernels in one product.

    The last row and the last column of places were left out: 25 by 25 in place of 26 by 26.
    """

    def slid(self, kernels: Array) -> Linear | Conv2d:
        """A layer from the nine pixels of a patch to the kernels."""
        return layer_from(kernels)

    def prepared(self, images: Array) -> Array:
        """The patches of each image, (images, places, 9)."""
        return patches(images.reshape(-1, *self.size), published_places(self.size))

    def bend(self, sums: Tensor) -> Tensor:
        """Squash and silence half, with the published slope; place by place, each with all kernels."""
        sums = sums.flatten(1)
        return tanh_then_dropout(sums, self.mask(sums)) if self.training else tanh(sums)


def layer_from(weights: Array) -> Linear:
    """A layer without bias from weights as the book keeps them, a column for each output."""
    inputs, outputs = weights.shape
    layer = Linear(inputs, outputs, bias=False)
    with no_grad():
        layer.weight.copy_(weights.T)
    return layer


def published_places(size: Places) -> Places:
    """Where the published kernels went: one row and one column too few."""
    return size[0] - SIDE, size[1] - SIDE


def all_places(size: Places) -> Places:
    """Where a kernel fits."""
    return size[0] - SIDE + 1, size[1] - SIDE + 1


def starting_weights(
    random: np.random.RandomState, kernels: int, places: Places, spread: float
) -> tuple[Array, Array]:
    """The published first weights: up to half of `spread`, and half of 0.2, around 0."""
    first = spread * random.random_sample((SIDE**2, kernels)) - spread / 2
    hidden = places[0] * places[1] * kernels
    return first, 0.2 * random.random_sample((hidden, CLASSES)) - 0.1


# ----------------------------------------------------------------------------------------- the runs


class Reader(Run):
    """A network of kernels on its way through the training images.

    Args:
        network: what learns.
        data: what it learns from.
        lr: how far each step goes.
        batch: how many images make a step.
    """

    network: Kernels

    def __init__(self, network: Kernels, data: Digits, *, lr: float, batch: int) -> None:
        learned_from = replace(data, images=network.prepared(data.images))
        super().__init__(network, learned_from, surprise, lr=lr, batch=batch)
        self.test_images = network.prepared(data.test_images.astype(np.float32))

    def look(self) -> None:
        """Try the network on the test images: in float32, and in float64 where it is a close thing."""
        exact = self.network.eval()
        quick = copy.deepcopy(exact).float()
        with no_grad():
            parts = range(0, len(self.test_images), PART)
            scores = np.concatenate(
                [quick(Tensor(self.test_images[at : at + PART])).numpy() for at in parts]
            )
            second, first = np.partition(scores, CLASSES - 2, axis=1)[:, -2:].T
            (close,) = np.nonzero(first - second < CLOSE)
            for at in range(0, len(close), PART):
                some = close[at : at + PART]
                images = exact.prepared(self.data.test_images[some])
                scores[some] = exact(Tensor(images)).numpy()
        self.network.train()
        right = scores.argmax(axis=1) == self.data.test_labels
        self.test[len(self.errors) - 1] = float(right.mean())


class PublishedReader(Reader):
    """The same, but the kernels are moved to where the error grows."""

    def learn(self, images: Tensor, targets: Tensor) -> tuple[Tensor, float]:
        """One step. Returns the prediction, and the error summed over the images."""
        prediction = self.network(images)  # predict
        loss = self.compare(prediction, targets)  # compare
        self.optimizer.zero_grad()
        loss.backward()  # learn
        # The deltas are target - output, so what they give is added to weights. It was added to
        # weights_1_2, but taken away from the kernels.
        kernels = self.network.hidden.weight
        kernels.grad = -kernels.grad
        self.optimizer.step()
        return prediction, loss.item()


def readers(data: Digits, kernels: int, seed: int, lr: float, batch: int) -> dict[str, Reader]:
    """The published run, the corrected one, and one whose large random kernels are left alone."""
    step = lr / batch**2  # the published delta is divided by the batch twice, as in 9.9

    def fresh(kind: type[Kernels], places: Places, spread: float = SPREAD) -> Kernels:
        random = np.random.RandomState(seed)
        return kind(starting_weights(random, kernels, places, spread), data.shape, random)

    published = fresh(Published, published_places(data.shape))
    corrected = fresh(Convolution, all_places(data.shape))
    random = fresh(Convolution, all_places(data.shape), LARGE)
    random.hidden.requires_grad_(False)
    return {
        PUBLISHED: PublishedReader(published, data, lr=step, batch=batch),
        CORRECTED: Reader(corrected, data, lr=step, batch=batch),
        RANDOM: Reader(random, data, lr=step, batch=batch),
    }


@experiment(
    "10.3",
    figures=[
        Figure(
            "test accuracy of passes 0, 1, 10 and 299",
            ["0.0288", "0.0273", "0.3563", "0.8774"],
            "as published",
        ),
        Figure("best test accuracy", "0.8818", "as published"),
    ],
    slow=True,
)
def sixteen_kernels(
    result: Result,
    *,
    lr: float = 2.0,
    passes: int = 300,
    batch: int = 128,
    kernels: int = 16,
    seed: int = 1,
) -> None:
    """A thousand digits, sixteen kernels: tanh, dropout and softmax as in 9.9, weights reused.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the training images are gone through.
        batch: how many images make a step.
        kernels: how many kernels.
        seed: which random weights to start from, and which units are silent.
    """
    data = digits(result)
    runs = readers(data, kernels, seed, lr, batch)
    tell_one_step(result, runs[CORRECTED], batch)
    for n in result.track(range(passes), keep=Together(runs), name="passes"):
        for name, run in runs.items():
            run.one_pass()
            if name == PUBLISHED or n % LOOK_EVERY == 0 or n in (*PRINTED, passes - 1):
                run.look()

    published, corrected, random = runs.values()
    for run, which in ((published, ""), (corrected, ", corrected")):
        printed = [run.test.get(n) for n in PRINTED]
        result.number(f"test accuracy of passes 0, 1, 10 and 299{which}", printed)
        result.number(f"best test accuracy{which}", best(run)[1])
    for name in (PUBLISHED, CORRECTED):
        by_hand = kernels_by_hand(data, kernels, seed, lr, 2, batch, published=name == PUBLISHED)
        agree_by_hand(result, f"training error of two passes, {name}", runs[name].errors, by_hand)
    show_curves(result, runs)
    show_passes(result, runs)
    for name in (PUBLISHED, CORRECTED):
        numbered = enumerate(runs[name].network.kernels, start=1)
        images = {f"kernel {n}": kernel for n, kernel in numbered}
        result.picture(f"the kernels, {name}", images, signed=True)
    show_maps(result, corrected)
    grown = {name: float(np.abs(run.network.kernels).max()) for name, run in runs.items()}
    result.say(
        "mistake",
        published=published.test[passes - 1],
        corrected=corrected.test[passes - 1],
        random=random.test[passes - 1],
        error=round(published.errors[-1], 2),
        error_corrected=round(corrected.errors[-1], 2),
        grown=round(grown[PUBLISHED], 2),
        grown_corrected=round(grown[CORRECTED], 2),
        plain=of_one_sign(published.network),
        plain_corrected=of_one_sign(corrected.network),
    )


def of_one_sign(network: Kernels) -> int:
    """How many kernels say no more than whether there is ink: all nine weights of one sign."""
    signs = np.sign(network.kernels).sum(axis=(1, 2))
    return int(np.count_nonzero(np.abs(signs) == SIDE**2))


def tell_one_step(result: Result, run: Reader, batch: int) -> None:
    """The first step that `run` would make, for the first image and kernel; it is not made."""
    network = run.network
    images, targets, _ = run.batches[0]
    before = network.random.get_state()
    sums = network.hidden(images)
    layer_1 = tanh(sums).flatten(1)
    layer_2 = network.output(layer_1 * (network.mask(layer_1) * 2))
    network.random.set_state(before)
    error = run.compare(layer_2, targets)
    sums.retain_grad(), layer_2.retain_grad()
    error.backward()
    step = run.optimizer.param_groups[0]["lr"]
    gradient = network.hidden.weight.grad.numpy()[0, 0]
    if result.step(f"the first batch of {batch} images; shown are the first image and kernel"):
        row, column = (n // 2 - 1 for n in network.size)
        near = (0, 0, slice(row, row + SIDE), slice(column, column + SIDE))
        result.predict("patch", "nine pixels in the middle", images.numpy()[near])
        result.predict("kernel", "nine weights, for all places", network.kernels[0])
        result.predict("sums", "(patch * kernel).sum(), at nine places", sums.numpy()[near])
        result.predict("layer_1", "tanh(sums)", tanh(sums).numpy()[near])
        result.predict("layer_2", "(layer_1 * mask * 2) @ weights_1_2", layer_2.numpy()[0])
        result.predict("prediction", "softmax(layer_2)", softmax(layer_2, dim=1).numpy()[0])
        result.compare("target", "1 for the right digit, 0 for the others", targets.numpy()[0])
        result.compare("error", "-(target * log(prediction)).sum(), all images", error)
        result.learn("layer_2_delta", "prediction - target", layer_2.grad.numpy()[0])
        result.learn(
            "layer_1_delta",
            "layer_2_delta @ weights_1_2.T * mask * 2 * (1 - tanh ** 2)",
            sums.grad.numpy()[near] + 0.0,
        )
        result.learn("kernel.grad", "patch * layer_1_delta, all places and images", gradient)
        result.learn("kernel changes by", "-alpha / batch ** 2 * kernel.grad", -step * gradient)
    run.optimizer.zero_grad()


def show_maps(result: Result, run: Reader, count: int = 4) -> None:
    """What some of the learned kernels make of a new digit: those that see two sides of it."""
    image = Tensor(run.network.prepared(run.data.test_images[:1]))
    with no_grad():
        maps = tanh(run.network.hidden(image)).numpy()[0]
    for_it, against = np.maximum(maps, 0), np.maximum(-maps, 0)
    two_sided = np.minimum(for_it.sum(axis=(1, 2)), against.sum(axis=(1, 2)))
    chosen = np.sort(np.argsort(-two_sided, kind="stable")[:count])
    result.picture(
        "feature maps: what kernels of the corrected run make of a new digit",
        {
            "the image": run.data.test_images[0].reshape(run.data.shape),
            **{f"kernel {n + 1}": maps[n] for n in chosen},
        },
        signed=True,
    )


def kernels_by_hand(
    data: Digits,
    kernels: int,
    seed: int,
    lr: float,
    passes: int,
    batch: int,
    *,
    published: bool,
) -> list[float]:
    """The training error of the first passes, in NumPy alone."""
    random = np.random.RandomState(seed)
    places = published_places(data.shape) if published else all_places(data.shape)
    weights_0_1, weights_1_2 = starting_weights(random, kernels, places, SPREAD)
    seen = patches(data.images.reshape(-1, *data.shape), places)
    target = np.eye(CLASSES)[data.labels]
    starts = range(0, len(seen) - batch + 1, batch)
    errors = []
    for _ in range(passes):
        error = 0.0
        for start in starts:
            part = slice(start, start + batch)
            layer_0 = seen[part].reshape(-1, SIDE**2)
            squashed = np.tanh(layer_0 @ weights_0_1).reshape(batch, -1, kernels)
            if not published:
                squashed = squashed.swapaxes(1, 2)  # kernel by kernel, as a convolution has it
            squashed = squashed.reshape(batch, -1)
            mask = random.randint(2, size=squashed.shape)
            layer_1 = squashed * mask * 2
            scores = layer_1 @ weights_1_2
            scores -= scores.max(axis=1, keepdims=True)
            layer_2 = np.exp(scores)
            shares = layer_2.sum(axis=1, keepdims=True)
            layer_2 /= shares
            error += np.sum(np.log(shares)) - np.sum(scores[target[part] == 1])
            layer_2_delta = (target[part] - layer_2) / (batch * batch)
            slope = (1 - layer_1**2) * mask if published else (1 - squashed**2) * mask * 2
            layer_1_delta = layer_2_delta @ weights_1_2.T * slope
            weights_1_2 += lr * layer_1.T @ layer_2_delta
            if published:
                weights_0_1 -= lr * layer_0.T @ layer_1_delta.reshape(-1, kernels)
            else:
                by_kernel = layer_1_delta.reshape(batch, kernels, -1).swapaxes(1, 2)
                weights_0_1 += lr * layer_0.T @ by_kernel.reshape(-1, kernels)
        errors.append(float(error / (batch * len(starts))))
    return errors
