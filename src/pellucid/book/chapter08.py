"""Chapter 8: signal and noise. When learning turns into memorising, and what helps against it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pellucid import Tensor, no_grad, relu
from pellucid.nn.functional import mse_loss
from pellucid.optim import SGD
from pellucid.program import compile as as_program
from pellucid.train import Callback, EarlyStopping, evaluate, fit

from .digits import (
    CLASSES,
    LOOK_EVERY,
    Compare,
    Digits,
    Formulas,
    Run,
    ThreeLayers,
    agree_by_hand,
    as_published,
    best,
    cut,
    digits,
    first_weights,
    network,
    show_curves,
    show_passes,
    side_by_side,
    tell_one_step,
)
from .experiment import Figure, Result, experiment
from .refusal import Refusal
from .result import Array

PUBLISHED, CORRECTED = "as published", "corrected"


def squared_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The squared differences, added up: over the ten scores, and over the images of the batch."""
    return mse_loss(prediction, target, reduction="sum")


def halved(lr: float) -> float:
    """The learning rate for `squared_error`.

    The book's delta is prediction - target, without the 2 of the square's slope; so the steps are
    as long as the book's if the learning rate is half its alpha.
    """
    return lr / 2


# -------------------------------------------------------------------- what was published, as it was


@as_published
def relu_with_slope_1(x: Array) -> Array:
    """What is positive; but its slope was tested on the result, and a result is never below 0."""
    return np.maximum(x, 0)


@relu_with_slope_1.slope("x")
def _(d: Array, y: Array) -> Array:
    return d * (y >= 0)  # true everywhere; the corrected network has y > 0


@as_published
def dropout_half_back(x: Array, mask: Array) -> Array:
    """Half the units silent, the others twice as loud; but on the way back the 2 was forgotten."""
    return x * (mask * 2)


@dropout_half_back.slope("x")
def _(d: Array, mask: Array) -> Array:
    return d * mask  # the corrected network has d * mask * 2


# ------------------------------------------------------------------------------------- the networks


class Relu(ThreeLayers):
    """A hidden layer with relu."""

    def bend(self, sums: Tensor) -> Tensor:
        """What is positive passes."""
        return relu(sums)


class PublishedRelu(ThreeLayers):
    """The same, with the published slope."""

    def bend(self, sums: Tensor) -> Tensor:
        """What is positive passes; going back, everything does."""
        return relu_with_slope_1(sums)


class Dropout(ThreeLayers):
    """A hidden layer of which, while it learns, a random half is silent."""

    def bend(self, sums: Tensor) -> Tensor:
        """Relu, then half of the units, twice as loud."""
        layer_1 = relu(sums)
        return layer_1 * (self.mask(sums) * 2) if self.training else layer_1


class PublishedDropout(ThreeLayers):
    """The same, with the published slopes."""

    def bend(self, sums: Tensor) -> Tensor:
        """Relu, then half of the units, twice as loud; both with the slopes as published."""
        layer_1 = relu_with_slope_1(sums)
        return dropout_half_back(layer_1, self.mask(sums)) if self.training else layer_1


# --------------------------------------------------------------------------------- 8.1 three layers


class Compiled(Run):
    """A run whose step is compiled: each pass is a single call."""

    def __init__(self, network: ThreeLayers, data: Digits, compare: Compare, *, lr: float) -> None:
        super().__init__(network, data, compare, lr=lr)
        optimizer = self.optimizer

        def step(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
            prediction = network(images)  # predict
            error = compare(prediction, targets)  # compare
            optimizer.zero_grad()
            error.backward()  # learn
            optimizer.step()
            return prediction, error

        self.step = as_program(step)
        self.images, self.targets, self.labels = data.batches(len(data.images))[0]

    def one_pass(self) -> None:
        """Predict, compare, learn: once through all training images."""
        start = time.perf_counter()
        predictions, errors = self.step.epoch(self.images, self.targets, batch_size=1)
        self.errors.append(sum(errors.data.tolist()) / self.count)
        right = predictions.data[:, 0].argmax(axis=1) == self.labels
        self.train.append(float(np.mean(right)))
        self.seconds += time.perf_counter() - start


@experiment(
    "8.1",
    to="8.2",
    figures=[
        Figure("training accuracy", 1.0, "350 passes, as published"),
        Figure("training error, cut to three places", "0.108", "350 passes, as published"),
        Figure("test accuracy", "0.7073", "350 passes, as published"),
        Figure("test accuracy at pass 20", "0.8111", "as published"),
    ],
    slow=True,
)
def three_layers(
    result: Result,
    *,
    lr: float = 0.005,
    passes: int = 350,
    hidden: int = 40,
    seed: int = 1,
    compile: bool = False,
) -> None:
    """A network learns a thousand digits by heart, and reads new ones worse and worse.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the training images are gone through.
        hidden: how many hidden units.
        seed: which random weights to start from.
        compile: make each pass in one call of the compiled step.
    """
    data = digits(result)

    def run(kind: type[ThreeLayers]) -> Run:
        way = Compiled if compile else Run
        return way(network(kind, data, hidden, seed), data, squared_error, lr=halved(lr))

    tell_one_step(result, run(Relu), f"the first image, a {data.labels[0]}", RELU_STEP)
    runs = {PUBLISHED: run(PublishedRelu), CORRECTED: run(Relu)}
    side_by_side(result, runs, passes)

    published, corrected = runs[PUBLISHED], runs[CORRECTED]
    result.number("training accuracy", published.train[-1])
    result.number("training error", published.errors[-1])
    result.number("training error, cut to three places", cut(published.errors[-1]))
    result.number("test accuracy", published.test[passes - 1])
    result.number("test accuracy at pass 20", published.test.get(20))
    result.number("test accuracy, corrected", corrected.test[passes - 1])
    result.number("training error, corrected", corrected.errors[-1])
    for name in runs:
        by_hand = three_layers_by_hand(data, hidden, seed, lr, 2, published=name == PUBLISHED)
        agree_by_hand(result, f"training error of two passes, {name}", runs[name].errors, by_hand)
    show_curves(result, runs)
    show_passes(result, runs)
    pass_, accuracy = best(corrected)
    result.say(
        "mistake",
        published=published.test[passes - 1],
        corrected=corrected.test[passes - 1],
        best=accuracy,
        at=pass_,
        silent=round(100 * silent(published.network, data), 1),
    )


def three_layers_by_hand(
    data: Digits, hidden: int, seed: int, lr: float, passes: int, *, published: bool
) -> list[float]:
    """The training error of the first passes, in NumPy alone."""
    weights_0_1, weights_1_2 = first_weights(np.random.RandomState(seed), data.pixels, hidden)
    target = np.eye(CLASSES)[data.labels]
    errors = []
    for _ in range(passes):
        error = 0.0
        for i in range(len(data.images)):
            layer_0 = data.images[i : i + 1]
            layer_1 = np.maximum(layer_0 @ weights_0_1, 0)
            layer_2 = layer_1 @ weights_1_2
            error += np.sum((layer_2 - target[i]) ** 2)
            layer_2_delta = layer_2 - target[i]
            slope = layer_1 >= 0 if published else layer_1 > 0
            layer_1_delta = layer_2_delta @ weights_1_2.T * slope
            weights_1_2 -= lr * layer_1.T @ layer_2_delta
            weights_0_1 -= lr * np.dot(layer_0.T, layer_1_delta)
        errors.append(float(error / len(data.images)))
    return errors


RELU_STEP = Formulas(
    layer_1="relu(layer_0 @ weights_0_1)",
    error="((layer_2 - target) ** 2).sum()",
    layer_2_delta="layer_2 - target",
    layer_1_delta="layer_2_delta @ weights_1_2.T * (layer_1 > 0)",
    deltas=2,
)


def silent(network: ThreeLayers, data: Digits) -> float:
    """Which share of the hidden units says nothing to an image, on average over the images."""
    with no_grad():
        layer_1 = relu(network.hidden(Tensor(data.images)))
    return float(np.mean(layer_1.data == 0))


# ---------------------------------------------------------- 8.3 memorising instead of understanding


@experiment("8.3", to="8.5", slow=True)
def memorising(
    result: Result, *, lr: float = 0.005, passes: int = 100, hidden: int = 40, seed: int = 1
) -> None:
    """Signal is what new digits share with the old ones; the rest is noise, and is learned too.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the training images are gone through.
        hidden: how many hidden units.
        seed: which random weights to start from, and how the labels are shuffled.
    """
    data = digits(result)
    labels = np.random.RandomState(seed).permutation(data.labels)
    noise = replace(data, labels=labels)  # what a label says of its image is now nothing but noise
    runs = {
        name: Run(network(Relu, source, hidden, seed), source, squared_error, lr=halved(lr))
        for name, source in (("true labels", data), ("shuffled labels", noise))
    }
    signal, by_heart = runs.values()
    seen: dict[str, dict[str, Array]] = {name: {} for name in runs}
    first = {name: one_unit(run).copy() for name, run in runs.items()}
    for n in result.track(range(passes)):
        for run in runs.values():
            run.one_pass()
            if n < 30 or n % LOOK_EVERY == 0 or n == passes - 1:
                run.look()
        if n in (0, 3, 10, 30, passes - 1):
            for name, run in runs.items():
                seen[name][f"pass {n}"] = one_unit(run) - first[name]

    opens = min(signal.test_errors, key=lambda n: signal.test_errors[n])
    result.number("pass at which the gap opens", opens)
    result.number("gap at that pass", signal.train[opens] - signal.test[opens])
    result.number("gap at the end", signal.train[-1] - signal.test[passes - 1])
    result.number("shuffled labels: training accuracy", by_heart.train[-1])
    result.number("shuffled labels: test accuracy", by_heart.test[passes - 1])
    looks = list(signal.test)
    result.plot(
        "error: learning and forgetting how to generalise",
        {
            "training": (looks, [signal.errors[n] for n in looks]),
            "test": (looks, list(signal.test_errors.values())),
        },
        x="pass",
        y="error",
    )
    show_curves(result, runs)
    show_passes(result, runs)
    for name, images in seen.items():
        result.picture(f"what a hidden unit has learned, {name}", images, signed=True)
    then, end = (round(signal.test_errors[n], 3) for n in (opens, passes - 1))
    result.say("gap", opens=opens, then=then, end=end)
    result.say("noise", train=by_heart.train[-1], test=by_heart.test[passes - 1])


def one_unit(run: Run) -> Array:
    """The weights from the pixels to the first hidden unit, as an image."""
    weights: Array = run.network.hidden.weight.data[0]
    return weights.reshape(run.data.shape)


# ------------------------------------------------------------------------------- 8.6 early stopping


@experiment("8.6", slow=True)
def early_stopping(
    result: Result,
    *,
    lr: float = 0.005,
    passes: int = 60,
    patience: int = 10,
    hidden: int = 40,
    seed: int = 1,
    kept_aside: int = 200,
) -> None:
    """Some images are kept aside to notice when learning turns into memorising; then it stops.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the training images are gone through without early stopping.
        patience: how many passes may bring nothing before it stops.
        hidden: how many hidden units.
        seed: which random weights to start from.
        kept_aside: how many of the training images are used to measure instead of to learn.
    """
    data = digits(result)
    pairs = [(images, targets) for images, targets, _ in data.batches(1)]
    if kept_aside >= len(pairs):
        raise Refusal("kept aside", images=len(pairs), aside=kept_aside)
    training, validation = pairs[:-kept_aside], pairs[-kept_aside:]
    test = [(Tensor(data.test_images), data.test_labels)]
    turns = result.track(range(2 * passes))
    histories, accuracy = {}, {}
    for name, helpers in (("without", []), ("early stopping", [EarlyStopping(patience)])):
        model = network(Relu, data, hidden, seed)
        histories[name] = fit(
            model,
            training,
            squared_error,
            SGD(model.parameters(), lr=halved(lr)),
            epochs=passes,
            validation=validation,
            callbacks=[Ticks(turns), *helpers],
            progress=False,
        )
        if histories[name].stopped == "interrupted":
            raise KeyboardInterrupt
        accuracy[name] = evaluate(model, test, metrics="accuracy")["accuracy"]

    whole, stopped = histories["without"], histories["early stopping"]
    assert stopped.best is not None
    kept = evaluate(model, validation, squared_error)["loss"]
    found = min(zip(whole["validation_loss"], whole["epoch"], strict=True))
    result.agree("validation error of the weights put back", kept, stopped.best["validation_loss"])
    result.number("passes made", len(stopped))
    result.number("best pass", stopped.best["epoch"])
    result.number("validation error at the best pass", stopped.best["validation_loss"])
    result.number("test accuracy of the best weights", accuracy["early stopping"])
    result.number("test accuracy without early stopping", accuracy["without"])
    result.number("best pass without early stopping", found[1])
    result.plot(
        "error on images learned from, and on images kept aside",
        {
            "training": (whole["epoch"], whole["loss"]),
            "validation": (whole["epoch"], whole["validation_loss"]),
            "validation, until it stopped": (stopped["epoch"], stopped["validation_loss"]),
        },
        x="pass",
        y="error",
    )
    result.say(
        "stopped",
        passes=len(stopped),
        best=stopped.best["epoch"],
        patience=patience,
        early=accuracy["early stopping"],
        without=accuracy["without"],
    )


class Ticks(Callback):
    """Moves the progress of an experiment on with every pass that `fit` makes."""

    def __init__(self, turns: Iterator[int]) -> None:
        self.turns = turns

    def on_epoch(self, run: object) -> None:
        """One turn."""
        next(self.turns, None)


# -------------------------------------------------------------------------------------- 8.7 dropout


@experiment(
    "8.7",
    to="8.10",
    figures=[
        Figure("test accuracy at pass 290", "0.8181", "as published"),
        Figure("training accuracy at pass 290", "0.908", "as published"),
    ],
    slow=True,
)
def dropout(
    result: Result, *, lr: float = 0.005, passes: int = 300, hidden: int = 100, seed: int = 1
) -> None:
    """Half of the hidden units are silent, another half each time: nobody can be relied on alone.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the training images are gone through.
        hidden: how many hidden units.
        seed: which random weights to start from, and which units are silent.
    """
    data = digits(result)

    def run(kind: type[ThreeLayers]) -> Run:
        return Run(network(kind, data, hidden, seed), data, squared_error, lr=halved(lr))

    tell_one_step(result, run(Dropout), f"the first image, a {data.labels[0]}", DROPOUT_STEP)
    runs = {
        PUBLISHED: run(PublishedDropout),
        CORRECTED: run(Dropout),
        "without dropout": run(Relu),
    }
    side_by_side(result, runs, passes, look_at=(290,))

    published, corrected, without = runs.values()
    result.number("test accuracy at pass 290", published.test.get(290))
    result.number("training accuracy at pass 290", dict(enumerate(published.train)).get(290))
    result.number("test accuracy at pass 290, corrected", corrected.test.get(290))
    result.number("test accuracy at pass 290, without dropout", without.test.get(290))
    for name in (PUBLISHED, CORRECTED):
        by_hand = dropout_by_hand(data, hidden, seed, lr, 2, published=name == PUBLISHED)
        agree_by_hand(result, f"training error of two passes, {name}", runs[name].errors, by_hand)
    show_curves(result, runs)
    show_passes(result, runs)
    last = passes - 1
    result.say(
        "mistake",
        published=published.test[last],
        corrected=corrected.test[last],
        without=without.test[last],
    )
    result.say(
        "dropout",
        error=round(corrected.errors[last], 3),
        error_without=round(without.errors[last], 3),
        test_error=round(corrected.test_errors[last], 3),
        test_error_without=round(without.test_errors[last], 3),
    )


DROPOUT_STEP = replace(
    RELU_STEP,
    layer_1="relu(layer_0 @ weights_0_1) * mask * 2",
    layer_1_delta="layer_2_delta @ weights_1_2.T * (layer_1 > 0) * mask * 2",
)


def dropout_by_hand(
    data: Digits, hidden: int, seed: int, lr: float, passes: int, *, published: bool
) -> list[float]:
    """The training error of the first passes, in NumPy alone."""
    random = np.random.RandomState(seed)
    weights_0_1, weights_1_2 = first_weights(random, data.pixels, hidden)
    target = np.eye(CLASSES)[data.labels]
    errors = []
    for _ in range(passes):
        error = 0.0
        for i in range(len(data.images)):
            layer_0 = data.images[i : i + 1]
            layer_1 = np.maximum(layer_0 @ weights_0_1, 0)
            mask = random.randint(2, size=layer_1.shape)
            slope = mask if published else mask * 2 * (layer_1 > 0)
            layer_1 = layer_1 * mask * 2
            layer_2 = layer_1 @ weights_1_2
            error += np.sum((layer_2 - target[i]) ** 2)
            layer_2_delta = layer_2 - target[i]
            layer_1_delta = layer_2_delta @ weights_1_2.T * slope
            weights_1_2 -= lr * layer_1.T @ layer_2_delta
            weights_0_1 -= lr * np.dot(layer_0.T, layer_1_delta)
        errors.append(float(error / len(data.images)))
    return errors


# ------------------------------------------------------------------------------------- 8.11 batches


@experiment(
    "8.11",
    figures=[Figure("test accuracy at pass 290", "0.7975", "as published")],
    slow=True,
)
def batches(
    result: Result,
    *,
    lr: float = 0.001,
    passes: int = 300,
    batch: int = 100,
    hidden: int = 100,
    seed: int = 1,
    alone: int = 30,
) -> None:
    """A hundred images at once: fewer, smoother steps, and each pass many times as fast.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the training images are gone through.
        batch: how many images make a step.
        hidden: how many hidden units.
        seed: which random weights to start from, and which units are silent.
        alone: how many passes to go image by image, for comparison, at the alpha of 8.7.
    """
    data = digits(result)
    one_by_one = Run(network(Dropout, data, hidden, seed), data, squared_error, lr=halved(0.005))
    published = HundredUpdates(
        network(KeepsLayer1, data, hidden, seed), data, squared_error, lr=lr, batch=batch
    )
    once, corrected = (
        Run(network(kind, data, hidden, seed), data, squared_error, lr=halved(lr), batch=batch)
        for kind in (PublishedDropout, Dropout)
    )
    runs = {PUBLISHED: published, "one update a batch": once, CORRECTED: corrected}
    for n in result.track(range(passes)):
        for run in [*runs.values(), *([one_by_one] if n < alone else [])]:
            run.one_pass()
            if n % LOOK_EVERY == 0 or n in (290, passes - 1):
                run.look()
        if n == min(10, passes - 1):
            agree = [agreement(corrected.network, data, size) for size in (1, batch)]

    result.number("test accuracy at pass 290", published.test.get(290))
    result.number("test accuracy at pass 290, corrected", corrected.test.get(290))
    by_hand = batches_by_hand(data, hidden, seed, lr, 2, batch)
    agree_by_hand(result, "training error of two passes, as published", published.errors, by_hand)
    show_curves(result, runs)
    result.plot(
        "training error, image by image and in batches",
        {
            "one by one": one_by_one.errors,
            f"batches of {batch}": corrected.errors[: len(one_by_one.errors)],
        },
        x="pass",
        y="error",
    )
    compared = {"one by one": one_by_one, f"batches of {batch}": corrected}
    rows = [
        (
            name,
            len(run.batches),
            round(run.seconds / len(run.errors), 4),
            round(run.count * len(run.errors) / run.seconds),
            round(points, 2),
        )
        for (name, run), points in zip(compared.items(), agree, strict=True)
    ]
    result.table(
        "speed and smoothness",
        ("", "steps a pass", "seconds a pass", "images a second", "cosine with all"),
        rows,
    )
    show_passes(result, runs)
    faster = rows[1][3] / rows[0][3]
    result.say("speed", faster=round(faster, 1), one=round(agree[0], 2), many=round(agree[1], 2))
    last = passes - 1
    result.say(
        "mistake",
        published=published.test[last],
        once=once.test[last],
        corrected=corrected.test[last],
    )


def agreement(network: ThreeLayers, data: Digits, size: int) -> float:
    """How well a step on `size` images points where a step on all of them would.

    Returns:
        The cosine of the angle between the two gradients, averaged over ten batches: 1 for the same
        direction, 0 for nothing in common.
    """

    def gradient(images: Tensor, targets: Tensor) -> Array:
        network.zero_grad()
        squared_error(network(images), targets).backward()
        return np.concatenate([p.grad.data.ravel() for p in network.parameters()])

    network.eval()
    of_all = gradient(*data.batches(len(data.images))[0][:2])
    parts = [gradient(images, targets) for images, targets, _ in data.batches(size)[:10]]
    network.zero_grad()
    network.train()
    lengths = [np.linalg.norm(part) * np.linalg.norm(of_all) for part in parts]
    return float(
        np.mean([part @ of_all / length for part, length in zip(parts, lengths, strict=True)])
    )


class KeepsLayer1(PublishedDropout):
    """A network that keeps the hidden layer of its last prediction."""

    def bend(self, sums: Tensor) -> Tensor:
        """As `PublishedDropout`."""
        layer_1 = super().bend(sums)
        self.layer_1 = layer_1.data
        return layer_1


class HundredUpdates(Run):
    """The published run of 8.11: the update of a batch is made once for each of its images.

    Only the weights are changed a hundred times; the layers are computed once a batch.
    """

    network: KeepsLayer1

    def learn(self, images: Tensor, targets: Tensor) -> tuple[Tensor, float]:
        """One batch: predict and compare as ever, then the published update."""
        with no_grad():
            prediction = self.network(images)  # predict
            error = self.compare(prediction, targets)  # compare
        layer_2_delta = (prediction.data - targets.data) / len(images)
        all_updates_at_once(  # learn
            self.network.hidden.weight.data.T,
            self.network.output.weight.data.T,
            images.data,
            self.network.layer_1,
            layer_2_delta,
            self.network.drawn,
            self.optimizer.param_groups[0]["lr"],
        )
        return prediction, error.item()


def updates_one_by_one(
    weights_0_1: Array,
    weights_1_2: Array,
    layer_0: Array,
    layer_1: Array,
    layer_2_delta: Array,
    mask: Array,
    lr: float,
) -> None:
    """The update as it was published: as many times as the batch has images, in place."""
    for _ in range(len(layer_0)):
        layer_1_delta = layer_2_delta @ weights_1_2.T * mask
        weights_1_2 -= lr * layer_1.T @ layer_2_delta
        weights_0_1 -= lr * layer_0.T @ layer_1_delta


def all_updates_at_once(
    weights_0_1: Array,
    weights_1_2: Array,
    layer_0: Array,
    layer_1: Array,
    layer_2_delta: Array,
    mask: Array,
    lr: float,
) -> None:
    """The same n updates in one.

    The layers are not computed anew, so every update moves weights_1_2 by the same step. The one
    thing that changes from update to update is layer_1_delta, which is computed from weights_1_2:
    after 0, 1, 2, ... n - 1 steps. It depends on them linearly, so the n of them add up to n times
    the one in the middle, after (n - 1) / 2 steps.
    """
    n = len(layer_0)
    step = lr * layer_1.T @ layer_2_delta
    in_the_middle = weights_1_2 - (n - 1) / 2 * step
    layer_1_delta = layer_2_delta @ in_the_middle.T * mask
    weights_1_2 -= n * step
    weights_0_1 -= n * lr * layer_0.T @ layer_1_delta


def batches_by_hand(
    data: Digits, hidden: int, seed: int, lr: float, passes: int, batch: int
) -> list[float]:
    """The training error of the first passes as published, update by update, in NumPy alone."""
    random = np.random.RandomState(seed)
    weights_0_1, weights_1_2 = first_weights(random, data.pixels, hidden)
    target = np.eye(CLASSES)[data.labels]
    starts = range(0, len(data.images) - batch + 1, batch)
    errors = []
    for _ in range(passes):
        error = 0.0
        for start in starts:
            part = slice(start, start + batch)
            layer_1 = np.maximum(data.images[part] @ weights_0_1, 0)
            mask = random.randint(2, size=layer_1.shape)
            layer_1 = layer_1 * mask * 2
            layer_2 = layer_1 @ weights_1_2
            error += np.sum((layer_2 - target[part]) ** 2)
            delta = (layer_2 - target[part]) / batch
            updates_one_by_one(
                weights_0_1, weights_1_2, data.images[part], layer_1, delta, mask, lr
            )
        errors.append(float(error / (batch * len(starts))))
    return errors
