"""Chapter 9: activations. What bends a network's straight lines, and makes scores probabilities."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pellucid import Tensor, grad, log_softmax, mul, no_grad, sigmoid, softmax, tanh
from pellucid.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss, prelu
from pellucid.ops import Op, activation

from .digits import (
    CLASSES,
    Digits,
    Formulas,
    Run,
    ThreeLayers,
    agree_by_hand,
    as_published,
    best,
    digits,
    first_weights,
    network,
    show_curves,
    show_passes,
    side_by_side,
    tell_one_step,
)
from .experiment import Figure, Result, experiment
from .result import Array

Function = Callable[[Tensor], Tensor]

GRID = np.linspace(-6, 6, 241)  # includes 0, where many of them bend


def activations() -> dict[str, Function]:
    """Every activation of the library that works number by number, with its usual settings."""
    found: dict[str, Function] = {
        name: op
        for name, op in vars(activation).items()
        if isinstance(op, Op) and name == op.name and op.rule == "(...) -> (...)"
    }
    for name in ("softmax", "log_softmax", "erf"):
        del found[name]  # two look at all scores together, one is a part of gelu
    found["tanh"] = tanh
    found["threshold"] = lambda x: activation.threshold(x, threshold=0.5, value=0.0)
    found["prelu"] = lambda x: prelu(x, Tensor([0.25]))
    return dict(sorted(found.items()))


def value_and_slope(f: Function, x: Array) -> tuple[Array, Array]:
    """The function's values, and its slopes as the tape gives them."""
    at = Tensor(x.copy(), requires_grad=True)
    y = f(at)
    (slope,) = grad(y.sum(), at)
    return y.detach().data, slope.data


def slope_by_trying(f: Function, x: Array, nudge: float = 1e-6) -> Array:
    """The slopes without any rule: a little to the right, a little to the left."""
    with no_grad():
        return (f(Tensor(x + nudge)).data - f(Tensor(x - nudge)).data) / (2 * nudge)


# ---------------------------------------------------------- 9.1 what makes a function an activation

FAMILIES = {
    "the three of this chapter": ("relu", "sigmoid", "tanh"),
    "bent at 0": ("leaky_relu", "elu", "celu", "selu", "softplus", "prelu"),
    "smooth and gated": ("silu", "gelu", "mish", "hardswish"),
    "squashed": ("softsign", "hardtanh", "hardsigmoid", "relu6", "logsigmoid"),
    "shrunk": ("hardshrink", "softshrink", "tanhshrink", "threshold"),
}


@experiment("9.1", to="9.3")
def what_makes_an_activation(result: Result) -> None:
    """Four conditions a function should meet to be of use between layers, checked for all."""
    functions = activations()
    met = {name: conditions(f) for name, f in result.track(list(functions.items()))}
    times = {name: time_of(f) for name, f in functions.items()}
    result.table(
        "the four conditions",
        ("", "no gaps, no jumps", "never turns round", "bends", "time, relu = 1"),
        [
            (name, *("yes" if ok else "no" for ok in kept), round(times[name] / times["relu"], 1))
            for name, kept in met.items()
        ],
    )
    result.number("activations tried", len(met))
    result.number("those that meet the first three", sum(all(kept) for kept in met.values()))
    for family, names in FAMILIES.items():
        both = {name: value_and_slope(functions[name], GRID) for name in names}
        result.plot(
            f"{family}: function", {n: (GRID, y) for n, (y, _) in both.items()}, x="x", y="y"
        )
        result.plot(
            f"{family}: slope", {n: (GRID, d) for n, (_, d) in both.items()}, x="x", y="slope"
        )
    output_layers(result)


def conditions(f: Function) -> tuple[bool, bool, bool]:
    """Whether a function has a value for every number and no jumps; never turns round; bends.

    The fourth condition, that value and slope are easy to compute, is a matter of more or less.
    """
    with no_grad():
        far = f(Tensor([-1e4, -100.0, 100.0, 1e4])).data
        y = f(Tensor(GRID)).data
        fine = np.linspace(-6, 6, 240_001)  # steps of 0.00005
        steps = np.abs(np.diff(f(Tensor(fine)).data))
    no_jumps = bool(np.isfinite(far).all() and np.isfinite(y).all() and steps.max() < 0.01)
    rises, falls = np.diff(y) > 1e-12, np.diff(y) < -1e-12
    one_way = not (rises.any() and falls.any())
    straight = np.interp(GRID, GRID[[0, -1]], y[[0, -1]])
    return no_jumps, one_way, bool(np.abs(y - straight).max() > 1e-6)


def time_of(f: Function, size: int = 20_000, rounds: int = 5) -> float:
    """Seconds for a value and a slope of `size` numbers: the fastest of some rounds."""
    x = np.linspace(-6, 6, size)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        value_and_slope(f, x)
        times.append(time.perf_counter() - start)
    return min(times)


def output_layers(result: Result) -> None:
    """What the last layer does with its scores depends on what is to be predicted."""
    scores = np.array([[2.0, 0.5, -1.0]])
    target = np.array([[1.0, 0.0, 0.0]])
    layers: dict[str, tuple[Function, Callable[[Tensor, Tensor], Tensor]]] = {
        "numbers: nothing, squared error": (
            lambda x: mul(x, 1.0),
            lambda x, t: mse_loss(x, t, reduction="sum") / 2,
        ),
        "yes or no, each for itself: sigmoid": (
            sigmoid,
            lambda x, t: binary_cross_entropy_with_logits(x, t, reduction="sum"),
        ),
        "one of several: softmax": (
            lambda x: softmax(x, dim=1),
            lambda x, t: cross_entropy(x, t, reduction="sum"),
        ),
    }
    rows = []
    for name, (f, loss) in layers.items():
        x = Tensor(scores, requires_grad=True)
        output = f(x).detach().data
        (gradient,) = grad(loss(x, Tensor(target)), x)
        rows.append((name, output[0], output.sum(), gradient.data[0]))
        result.agree(
            f"{name.partition(':')[0]}: slope is prediction - target", gradient, output - target
        )
    result.table(
        "the last layer, for the scores 2, 0.5 and -1; right is the first",
        ("predicted", "output", "sum", "slope of the loss"),
        rows,
    )


# -------------------------------------------------------------------------------------- 9.4 softmax


@experiment("9.4", to="9.5")
def shares(result: Result) -> None:
    """Digits look alike, and softmax can live with that: it asks which one is likeliest."""
    data = digits(result)
    means = np.array([data.images[data.labels == digit].mean(axis=0) for digit in range(CLASSES)])
    lengths = np.linalg.norm(means, axis=1)
    alike = means @ means.T / np.outer(lengths, lengths)
    pairs = [(alike[i, j], i, j) for i in range(CLASSES) for j in range(i)]
    pairs.sort(reverse=True)
    result.picture(
        "the average of each digit", {str(d): m.reshape(data.shape) for d, m in enumerate(means)}
    )
    result.table(
        "overlap of the averages",
        ("digits", "overlap"),
        [(f"{j} and {i}", round(overlap, 3)) for overlap, i, j in (*pairs[:4], *pairs[-2:])],
    )
    result.say("alike", first=pairs[0][2], second=pairs[0][1], overlap=round(pairs[0][0], 2))

    scores = np.array([2.0, 1.0, 0.1])
    rows = [
        (factor, softmax(Tensor(scores * factor), dim=0))
        for factor in (0.1, 0.5, 1.0, 2.0, 5.0, 20.0)
    ]
    result.table(
        "sharpness: shares of the scores 2, 1 and 0.1, all multiplied", ("by", "shares"), rows
    )

    result.table(
        "a 2 that looks like a 3: scores 4 for the 2, 2 for the 3, -3 for the others",
        ("", "output for the 2", "output for the 3", "error of the 2", "error of the 3"),
        wrong_but_ranked_right(),
    )

    large = np.array([1000.0, 1001.0, 1002.0])
    with np.errstate(over="ignore", invalid="ignore"):
        naive = np.exp(large) / np.exp(large).sum()
    ours = softmax(Tensor(large), dim=0)
    result.table(
        "large scores: 1000, 1001 and 1002",
        ("way", "shares"),
        [
            ("exp(x) / sum of exp(x)", naive),
            ("the same with the largest score taken away first", ours),
            ("log_softmax, for losses", log_softmax(Tensor(large), dim=0)),
        ],
    )
    result.number("shares of 1000, 1001 and 1002", ours)
    by_hand = np.exp([-2.0, -1.0, 0.0])
    result.agree("shares of 1000, 1001 and 1002", ours, by_hand / by_hand.sum())
    result.say("overflow")


def wrong_but_ranked_right() -> list[tuple[Any, ...]]:
    """A good prediction under sigmoid with squared error, and under softmax with cross-entropy."""
    scores = np.full((1, CLASSES), -3.0)
    scores[0, 2], scores[0, 3] = 4.0, 2.0
    target = np.eye(CLASSES)[[2]]
    rows = []
    outputs = {"sigmoid": sigmoid(Tensor(scores)), "softmax": softmax(Tensor(scores), dim=1)}
    for name, tensor in outputs.items():
        output = tensor.data
        error = (output - target) ** 2
        rows.append((name, output[0, 2], output[0, 3], error[0, 2], error[0, 3]))
    return rows


# ---------------------------------------------------------------------------- 9.6 values and slopes


@experiment("9.6", to="9.8")
def every_slope(result: Result) -> None:
    """The slope of every activation we have, beside the slope found by trying."""
    at = np.array([-3.5, -2.0, -0.7, -0.3, 0.3, 0.7, 2.0, 3.5])  # none of them a corner
    shown = [1, 3, 4, 6]
    rows: list[tuple[Any, ...]] = []
    by_rule, by_trying = [], []
    for name, f in activations().items():
        y, slope = value_and_slope(f, at)
        tried = slope_by_trying(f, at)
        rows.append((name, y[shown].round(2), slope[shown].round(2), furthest(slope, tried)))
        by_rule.append(slope)
        by_trying.append(tried)
    result.agree("every slope, by rule and by trying", by_rule, by_trying, allowed=1e-7)
    result.table(
        "value and slope at -2, -0.3, 0.3 and 2",
        ("", "value", "slope", "differs from trying by"),
        rows,
    )
    several_at_once(result)
    delta, layer_1 = np.array([[0.5, -1.0, 2.0]]), np.array([[-0.4, 0.1, 0.9]])
    x = Tensor(np.arctanh(layer_1), requires_grad=True)
    tanh(x).backward(delta)
    result.agree("delta times slope, from the result alone", x.grad, delta * (1 - layer_1**2))
    result.table(
        "multiplying a delta by the slope",
        ("", "formula", "values"),
        [
            ("layer_1", "tanh of the sums", layer_1[0]),
            ("arrives", "delta", delta[0]),
            ("slope", "1 - layer_1 ** 2", 1 - layer_1[0] ** 2),
            ("goes on", "delta * (1 - layer_1 ** 2)", x.grad.data[0]),
        ],
    )


def several_at_once(result: Result) -> None:
    """Softmax and its kin, where every result depends on every score."""
    scores = np.array([[1.0, -0.5, 0.3, 2.0]])
    arrives = np.array([[0.3, -1.0, 0.7, 0.2]])
    kin: dict[str, Function] = {
        "softmax": lambda x: softmax(x, dim=1),
        "log_softmax": lambda x: log_softmax(x, dim=1),
        "softmin": lambda x: activation.softmin(x, dim=1),
        "glu": lambda x: activation.glu(x, dim=1),
    }
    rows: list[tuple[Any, ...]] = []
    by_rule, by_trying = [], []
    for name, f in kin.items():
        x = Tensor(scores.copy(), requires_grad=True)
        y = f(x)
        weights = arrives[:, : y.shape[1]]
        (slope,) = grad(y, x, weights)
        tried = weighted_by_trying(f, scores, weights)
        values, slopes = y.detach().data[0].round(2), slope.data[0].round(2)
        rows.append((name, values, slopes, furthest(slope.data, tried)))
        by_rule.append(slope.data)
        by_trying.append(tried)
    result.agree("slopes of softmax and its kin", by_rule, by_trying, allowed=1e-7)
    result.table(
        "those that look at all scores: 1, -0.5, 0.3 and 2",
        ("", "value", "slope for arriving 0.3, -1, 0.7 and 0.2", "differs from trying by"),
        rows,
    )


def furthest(by_rule: Array, by_trying: Array) -> float:
    """The largest difference, to one digit."""
    return float(f"{np.abs(by_rule - by_trying).max():.0e}")


def weighted_by_trying(f: Function, x: Array, weights: Array, nudge: float = 1e-6) -> Array:
    """The slope of the weighted sum of the results, one score moved at a time."""
    slopes = np.zeros_like(x)
    with no_grad():
        for i in np.ndindex(x.shape):
            step = np.zeros_like(x)
            step[i] = nudge
            ends = [np.sum(f(Tensor(x + s)).data * weights) for s in (step, -step)]
            slopes[i] = (ends[0] - ends[1]) / (2 * nudge)
    return slopes


# ---------------------------------------------------------------------- 9.9 all of it on the digits


@as_published
def tanh_then_dropout(x: Array, mask: Array) -> Array:
    """Squashed, and half of the units silent, the others twice as loud.

    The slope was computed from what came out of dropout. There a unit is twice as loud as what tanh
    gave, so from 0.5 on the slope is below zero: blame with the wrong sign. And the 2 is forgotten.
    """
    return np.tanh(x) * (mask * 2)


@tanh_then_dropout.slope("x")
def _(d: Array, y: Array, mask: Array) -> Array:
    return d * (1 - y**2) * mask  # corrected: d * mask * 2 * (1 - tanh(x) ** 2)


class Tanh(ThreeLayers):
    """A hidden layer with tanh, of which a random half is silent while it learns."""

    def bend(self, sums: Tensor) -> Tensor:
        """Squash, then silence half."""
        layer_1 = tanh(sums)
        return layer_1 * (self.mask(sums) * 2) if self.training else layer_1


class PublishedTanh(ThreeLayers):
    """The same, with the published slope."""

    def bend(self, sums: Tensor) -> Tensor:
        """Squash, then silence half."""
        return tanh_then_dropout(sums, self.mask(sums)) if self.training else tanh(sums)


SPREAD = 0.02  # of the first weights: tanh likes its sums small


def surprise(scores: Tensor, target: Tensor) -> Tensor:
    """Softmax and cross-entropy, added up over the images. Its slope is softmax - target."""
    return cross_entropy(scores, target, reduction="sum")


@experiment(
    "9.9",
    figures=[Figure("test accuracy at pass 290", "0.8701", "as published")],
    slow=True,
)
def tanh_and_softmax(
    result: Result,
    *,
    lr: float = 2.0,
    passes: int = 300,
    batch: int = 100,
    hidden: int = 100,
    seed: int = 1,
) -> None:
    """The digits once more: tanh in the hidden layer, dropout, softmax at the end, in batches.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the training images are gone through.
        batch: how many images make a step.
        hidden: how many hidden units.
        seed: which random weights to start from, and which units are silent.
    """
    data = digits(result)
    # The published delta is divided by the batch twice. The corrected gradient is divided once, and
    # to go equally far, the steps take the other division: alpha 0.02 where the book writes 2.
    step = lr / batch**2

    def run(kind: type[ThreeLayers], times: float = 1) -> Run:
        fresh = network(kind, data, hidden, seed, SPREAD)
        return Run(fresh, data, surprise, lr=times * step, batch=batch)

    formulas = replace(TANH_STEP, deltas=batch**2)
    tell_one_step(result, run(Tanh), f"the first batch of {batch} images", formulas)
    runs = {
        "as published": run(PublishedTanh),
        "corrected": run(Tanh),
        "corrected, steps ten times as long": run(Tanh, times=10),
    }
    side_by_side(result, runs, passes, look_at=(290,))

    published, corrected, longer = runs.values()
    result.number("test accuracy at pass 290", published.test.get(290))
    result.number("test accuracy at pass 290, corrected", corrected.test.get(290))
    for name in ("as published", "corrected"):
        wrong = name == "as published"
        by_hand = tanh_by_hand(data, hidden, seed, lr, 3, batch, published=wrong)
        agree_by_hand(result, f"training error of three passes, {name}", runs[name].errors, by_hand)
    show_curves(result, runs)
    show_passes(result, runs)
    at, accuracy = best(longer)
    result.say(
        "mistake",
        published=published.test[passes - 1],
        corrected=corrected.test[passes - 1],
        error=round(published.errors[-1], 3),
        error_corrected=round(corrected.errors[-1], 3),
        longer=accuracy,
        at=at,
        turned=round(100 * turned_round(published.network, data), 1),
    )


TANH_STEP = Formulas(
    layer_1="tanh(layer_0 @ weights_0_1) * mask * 2",
    prediction="softmax(layer_2)",
    error="-(target * log(prediction)).sum()",
    layer_2_delta="(prediction - target) / (batch * batch)",
    layer_1_delta="layer_2_delta @ weights_1_2.T * (1 - tanh ** 2) * mask * 2",
)


def turned_round(network: ThreeLayers, data: Digits) -> float:
    """For which share of hidden units the published slope is below 0, over all images."""
    with no_grad():
        squashed = tanh(network.hidden(Tensor(data.images)))
    return float(np.mean(np.abs(squashed.data) > 0.5))


def tanh_by_hand(
    data: Digits,
    hidden: int,
    seed: int,
    lr: float,
    passes: int,
    batch: int,
    *,
    published: bool,
) -> list[float]:
    """The training error of the first passes, in NumPy alone."""
    random = np.random.RandomState(seed)
    weights_0_1, weights_1_2 = first_weights(random, data.pixels, hidden, SPREAD)
    target = np.eye(CLASSES)[data.labels]
    starts = range(0, len(data.images) - batch + 1, batch)
    errors = []
    for _ in range(passes):
        error = 0.0
        for start in starts:
            part = slice(start, start + batch)
            layer_0 = data.images[part]
            squashed = np.tanh(layer_0 @ weights_0_1)
            mask = random.randint(2, size=squashed.shape)
            layer_1 = squashed * mask * 2
            scores = layer_1 @ weights_1_2
            layer_2 = np.exp(scores - scores.max(axis=1, keepdims=True))
            layer_2 /= layer_2.sum(axis=1, keepdims=True)
            error -= np.sum(np.log(layer_2[target[part] == 1]))
            layer_2_delta = (layer_2 - target[part]) / (batch * batch)
            slope = (1 - layer_1**2) * mask if published else (1 - squashed**2) * mask * 2
            layer_1_delta = layer_2_delta @ weights_1_2.T * slope
            weights_1_2 -= lr * layer_1.T @ layer_2_delta
            weights_0_1 -= lr * layer_0.T @ layer_1_delta
        errors.append(float(error / (batch * len(starts))))
    return errors
