"""Chapter 4: learning. From how wrong a prediction was to a better weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid import Tensor
from pellucid.nn.functional import mse_loss
from pellucid.optim import SGD

from .experiment import Figure, Result, experiment
from .result import Array

# ----------------------------------------------------------------------------- 4.4 how wrong it was


@experiment("4.4", to="4.5", figures=[Figure("error", 0.3025, "0.5 * 0.5 against 0.8")])
def squared_error(
    result: Result, *, weight: float = 0.5, input: float = 0.5, goal: float = 0.8
) -> None:
    """How wrong was the prediction? The miss, squared.

    Args:
        weight: the only weight.
        input: what is known.
        goal: what came out in the end.
    """
    prediction = input * Tensor(weight)  # predict
    error = mse_loss(prediction, Tensor(goal))  # compare
    if result.step("one prediction"):
        result.predict("prediction", "input * weight", prediction)
        result.compare("miss", "prediction - goal", prediction - goal)
        result.compare("error", "(prediction - goal) ** 2", error)
    result.number("error", error)
    miss = input * weight - goal
    result.agree("error", error, miss * miss)

    misses = Tensor([-2.0, -1.0, -0.5, -0.1, 0.1, 0.5, 1.0, 2.0])
    rows = zip(misses.data, abs(misses).data, (misses**2).data, strict=True)
    result.table("small misses count less, large ones more", ("miss", "size", "squared"), rows)
    both = Tensor([-0.5, 0.5])  # one game guessed too low, one too high
    result.say("mean", plain=both.mean(), size=abs(both).mean(), squared=(both**2).mean())
    line = Tensor(np.linspace(-1.5, 1.5, 121))
    curves = {"squared": (line.data, (line**2).data), "size": (line.data, abs(line).data)}
    result.plot("what a miss costs", curves, x="miss", y="error")


# --------------------------------------------------------------------------------- 4.6 hot and cold


@experiment(
    "4.6",
    to="4.8",
    figures=[
        Figure("last error", "1.08e-27", "1101 steps of 0.001"),
        Figure("last prediction", 0.7999999999999672, "1101 steps of 0.001"),
    ],
)
def hot_and_cold(
    result: Result,
    *,
    step: float = 0.001,
    large: float = 0.2,
    steps: int = 1101,
    weight: float = 0.5,
    input: float = 0.5,
    goal: float = 0.8,
) -> None:
    """Learning by trial: a little up, a little down, keep what is better.

    Args:
        step: how far the weight moves each time.
        large: a larger step, to see what goes wrong.
        steps: how often to predict, compare and learn.
        weight: the weight to start from.
        input: what is known.
        goal: what came out in the end.
    """
    small_steps = try_both_ways(result, weight, input, goal, step, result.track(range(steps)))
    large_steps = try_both_ways(result, weight, input, goal, large, range(steps))
    predictions, errors = small_steps
    result.number("last error", errors[-1])
    result.number("last prediction", predictions[-1])
    result.number("last error, large steps", large_steps[1][-1])
    result.agree("predictions", predictions, by_trial(weight, input, goal, step, steps))

    shown = [n for n in (1, 2, 3, 10, 100, 1000, steps) if n <= steps]
    rows = [(n, predictions[n - 1], errors[n - 1]) for n in dict.fromkeys(shown)]
    result.table("steps on the way", ("step", "prediction", "error"), rows)
    names = f"steps of {step:g}", f"steps of {large:g}"
    heights = by_step(errors), by_step(large_steps[1])
    result.plot("error at each step", dict(zip(names, heights, strict=True)), x="step", y="error")
    starts = by_step(predictions[:30]), by_step(large_steps[0][:30])
    result.plot(
        "the first predictions", dict(zip(names, starts, strict=True)), x="step", y="prediction"
    )
    result.say("work", predictions=3 * steps, steps=steps)


def try_both_ways(
    result: Result, weight: float, input: float, goal: float, step: float, turns: Any
) -> tuple[list[float], list[float]]:
    """Hot and cold learning with tensors. Returns the prediction and the error of each step."""
    knob = Tensor(weight)
    predictions, errors = [], []
    for n in turns:
        prediction = input * knob  # predict
        error = (prediction - goal) ** 2  # compare
        error_up = (input * (knob + step) - goal) ** 2  # learn: try both ways
        error_down = (input * (knob - step) - goal) ** 2
        if result.step(f"step {n + 1}, going by {step:g}"):
            result.predict("prediction", "input * weight", prediction)
            result.compare("error", "(prediction - goal) ** 2", error)
            result.learn("error_up", "the error with weight + step", error_up)
            result.learn("error_down", "the error with weight - step", error_down)
        predictions.append(prediction.item())
        errors.append(error.item())
        if error_down < error_up:
            knob = knob - step
        elif error_down > error_up:
            knob = knob + step
        result.learn("weight", "moved to where the error is smaller", knob)
    return predictions, errors


def by_step(values: list[float]) -> tuple[Array, list[float]]:
    """Values over their steps, counted from 1, for a plot."""
    return np.arange(1, len(values) + 1), values


def by_trial(weight: float, input: float, goal: float, step: float, steps: int) -> list[float]:
    """The same in plain Python: the prediction of each step."""
    predictions = []
    for _ in range(steps):
        predictions.append(input * weight)
        miss_up, miss_down = input * (weight + step) - goal, input * (weight - step) - goal
        error_up, error_down = miss_up * miss_up, miss_down * miss_down
        if error_down != error_up:
            weight += step if error_up < error_down else -step
    return predictions


# -------------------------------------------------------------- the loop of the rest of the chapter


@dataclass
class Descent:
    """A weight on its way down: what was seen at each step, before the weight changed."""

    weights: list[float] = field(default_factory=list)
    predictions: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    weight_deltas: list[float] = field(default_factory=list)
    last_weight: float = 0.0


def descend(
    result: Result,
    weight: float,
    input: float,
    goal: float,
    *,
    lr: float = 1.0,
    steps: int = 20,
    label: str = "",
) -> Descent:
    """Gradient descent with one weight, through the tape and SGD."""
    knob = Tensor(weight, requires_grad=True)
    optimizer = SGD([knob], lr=lr)
    seen = Descent()
    for n in range(1, steps + 1):
        prediction = input * knob  # predict
        error = (prediction - goal) ** 2  # compare
        prediction.retain_grad()
        optimizer.zero_grad()
        (error / 2).backward()  # learn: half the error, whose slope is prediction - goal
        seen.weights.append(knob.item())
        seen.predictions.append(prediction.item())
        seen.errors.append(error.item())
        seen.weight_deltas.append(knob.grad.item())
        if result.step(f"step {n}{label}"):
            result.predict("weight", "as it is", knob)
            result.predict("prediction", "input * weight", prediction)
            result.compare("error", "(prediction - goal) ** 2", error)
            result.learn("delta", "prediction - goal", prediction.grad)
            result.learn("weight_delta", "delta * input", knob.grad)
        optimizer.step()
        result.learn("new weight", "weight - lr * weight_delta", knob)
    seen.last_weight = knob.item()
    return seen


def errors_by_hand(
    weight: float, input: float, goal: float, alpha: float, steps: int
) -> list[float]:
    """The error at each step, in plain Python."""
    errors = []
    for _ in range(steps):
        delta = input * weight - goal
        errors.append(delta * delta)
        weight -= alpha * delta * input
    return errors


def show_errors(result: Result, runs: Mapping[str, Descent]) -> None:
    """The error at each step of some descents, by powers of ten."""
    curves = {name: by_step(run.errors) for name, run in runs.items()}
    result.plot("error at each step", curves, x="step", y="error", log=True)


def show_steps(result: Result, title: str, seen: Descent, chosen: tuple[int, ...]) -> None:
    """Some steps of a descent as a table."""
    steps = [n for n in dict.fromkeys((*chosen, len(seen.errors))) if n <= len(seen.errors)]
    columns = seen.weights, seen.predictions, seen.errors, seen.weight_deltas
    rows = [(n, *(column[n - 1] for column in columns)) for n in sorted(steps)]
    result.table(title, ("step", "weight", "prediction", "error", "weight_delta"), rows)


# ----------------------------------------------------------------- 4.9 direction and amount at once


@experiment("4.9", figures=[Figure("last error", "5.408e-06", "20 steps")])
def direction_and_amount(
    result: Result,
    *,
    steps: int = 20,
    weight: float = 0.5,
    input: float = 0.5,
    goal: float = 0.8,
) -> None:
    """The miss says both which way the weight has to go, and how far.

    Args:
        steps: how often to predict, compare and learn.
        weight: the weight to start from.
        input: what is known.
        goal: what came out in the end.
    """
    seen = descend(result, weight, input, goal, steps=steps)
    result.number("last error", seen.errors[-1])
    result.agree("errors", seen.errors, errors_by_hand(weight, input, goal, 1.0, steps))
    show_steps(result, "step by step", seen, (1, 2, 3, 4, 5, 10, 15))
    show_errors(result, {"error": seen})


# ---------------------------------------------------------------------------- 4.10 one step in full


@experiment(
    "4.10",
    to="4.13",
    figures=[
        Figure("errors, first input", [0.64, 0.36, 0.2025, "0.1139"], "input 0.5"),
        Figure("errors, second input", [0.64, "0.0282", "0.00124", "5.489e-05"], "input 1.1"),
    ],
)
def one_iteration(
    result: Result,
    *,
    first: float = 0.5,
    second: float = 1.1,
    steps: int = 4,
    weight: float = 0.0,
    goal: float = 0.8,
) -> None:
    """One turn of gradient descent, every value named; and what the input does to the step.

    Args:
        first: an input.
        second: another input, to compare with.
        steps: how often to predict, compare and learn.
        weight: the weight to start from.
        goal: what came out in the end.
    """
    for name, known in (("first input", first), ("second input", second)):
        seen = descend(result, weight, known, goal, steps=steps, label=f", input {known:g}")
        result.number(f"errors, {name}", seen.errors)
        by_hand = errors_by_hand(weight, known, goal, 1.0, steps)
        result.agree(f"errors, {name}", seen.errors, by_hand)
        rows = []
        for n, (w, p, e, d) in enumerate(
            zip(seen.weights, seen.predictions, seen.errors, seen.weight_deltas, strict=True)
        ):
            rows.append((n + 1, w, p, e, p - goal, d, w - d))
        result.table(
            f"every value, input {known:g}",
            ("step", "weight", "prediction", "error", "delta", "weight_delta", "new weight"),
            rows,
        )


# ------------------------------------------------------------------------------ 4.14 the error bowl


@experiment("4.14", to="4.19")
def error_bowl(
    result: Result, *, weight: float = 0.5, input: float = 0.5, goal: float = 0.8
) -> None:
    """The error as a bowl over the weight, and its slope where the weight stands.

    Args:
        weight: where on the bowl to stand.
        input: what is known; fixed while we look.
        goal: what came out in the end; fixed too.
    """
    bottom = goal / input if input else weight
    places = {"here": weight, "at the bottom": bottom, "beyond it": 2 * bottom - weight}
    reach = 1.6 * abs(weight - bottom) or 1.0
    across = np.linspace(bottom - reach, bottom + reach, 121)
    curves = {"error": (across, bowl(Tensor(across), input, goal).data)}
    rows = []
    for name, at in places.items():
        height, slope = height_and_slope(at, input, goal)
        part = np.linspace(at - reach / 3, at + reach / 3, 25)
        curves[name] = (part, height + slope * (part - at))
        rows.append((name, at, height, slope, 0 - slope))
    result.plot("the error bowl, and tangents at three places", curves, x="weight", y="error")
    result.table("three places", ("", "weight", "error", "slope", "against the slope"), rows)

    height, slope = height_and_slope(weight, input, goal)
    if result.step("the slope at the weight"):
        result.predict("prediction", "input * weight", input * weight)
        result.compare("error", "(input * weight - goal) ** 2", height)
        result.learn("slope", "2 * (prediction - goal) * input", slope)
    result.number("slope at the weight", slope)
    result.agree("slope", slope, 2 * (input * weight - goal) * input)
    show_rods(result, weight, input, goal, height)


def bowl(weights: Tensor, input: float, goal: float) -> Tensor:
    """The error of each weight: all that is left to vary once input and goal are fixed."""
    return (input * weights - goal) ** 2


def height_and_slope(weight: float, input: float, goal: float) -> tuple[float, float]:
    """The error of a weight, and how much it grows when the weight grows a little."""
    knob = Tensor(weight, requires_grad=True)
    error = bowl(knob, input, goal)
    error.backward()
    return error.item(), knob.grad.item()


def show_rods(result: Result, weight: float, input: float, goal: float, height: float) -> None:
    """Two rods out of a box: push the one, and see how far the other moves."""
    rows = []
    for push in (1.0, 0.1, 0.01, 0.001, 0.0001):
        moved = bowl(Tensor(weight + push), input, goal).item() - height
        rows.append((push, moved, moved / push))
    result.table(
        "push the weight, watch the error", ("weight moves by", "error moves by", "ratio"), rows
    )
    h = 1e-6 * max(abs(weight), 1.0)
    above, below = (bowl(Tensor(weight + by), input, goal).item() for by in (h, -h))
    _, slope = height_and_slope(weight, input, goal)
    result.agree("slope, by a tiny push", [1 + slope], [1 + (above - below) / (2 * h)], 1e-6)


# --------------------------------------------------------------------------------- 4.21 breaking it


@experiment("4.21", to="4.23", figures=[Figure("error at the last step", "5.403e+16", "step 20")])
def divergence(
    result: Result,
    *,
    input: float = 2.0,
    steps: int = 20,
    weight: float = 0.5,
    goal: float = 0.8,
) -> None:
    """A larger input breaks it: each correction is larger than the miss it corrects.

    Args:
        input: what is known; the larger, the larger each correction.
        steps: how often to predict, compare and learn.
        weight: the weight to start from.
        goal: what came out in the end.
    """
    seen = descend(result, weight, input, goal, steps=steps)
    result.number("error at the last step", seen.errors[-1])
    result.agree("errors", seen.errors, errors_by_hand(weight, input, goal, 1.0, steps))
    result.plot(
        "the overcorrection: from one wall of the bowl to the other",
        over_the_bowl(seen, input, goal, steps=4),
        x="weight",
        y="error",
    )
    show_steps(result, "step by step", seen, (1, 2, 3, 4, 5, 10, 15))
    show_errors(result, {"error": seen})


def over_the_bowl(seen: Descent, input: float, goal: float, steps: int) -> dict[str, Any]:
    """The error bowl, and the first steps of a weight on it."""
    weights, errors = np.array(seen.weights[:steps]), np.array(seen.errors[:steps])
    bottom = goal / input if input else float(weights[0])
    reach = float(np.abs(weights - bottom).max()) * 1.1 or 1.0
    across = np.linspace(bottom - reach, bottom + reach, 121)
    return {
        "error of each weight": (across, bowl(Tensor(across), input, goal).data),
        "the weight's way": (weights, errors),
    }


# --------------------------------------------------------------------------------------- 4.24 alpha


@experiment("4.24", to="4.25", figures=[Figure("last error", "1.485e-10", "20 steps, alpha 0.1")])
def alpha(
    result: Result,
    *,
    lr: float = 0.1,
    slow: float = 0.01,
    fast: float = 0.55,
    steps: int = 20,
    input: float = 2.0,
    weight: float = 0.5,
    goal: float = 0.8,
) -> None:
    """Only a part of each correction, and it learns again.

    Args:
        lr: how much of each correction is made (the book's alpha).
        slow: a smaller one, to compare with.
        fast: a larger one, to compare with.
        steps: how often to predict, compare and learn.
        input: what is known.
        weight: the weight to start from.
        goal: what came out in the end.
    """
    runs = {
        f"alpha {rate:g}": descend(
            result, weight, input, goal, lr=rate, steps=steps, label=f", alpha {rate:g}"
        )
        for rate in (lr, slow, fast)
    }
    seen = runs[f"alpha {lr:g}"]
    result.number("last error", seen.errors[-1])
    result.agree("errors", seen.errors, errors_by_hand(weight, input, goal, lr, steps))
    show_errors(result, runs)
    rows = [
        (name, run.errors[0], run.errors[-1], run.last_weight, how_it_went(run))
        for name, run in runs.items()
    ]
    result.table("side by side", ("", "first error", "last error", "weight", "how it went"), rows)
    result.plot("on the bowl", over_the_bowl(seen, input, goal, steps=steps), x="weight", y="error")


def how_it_went(run: Descent) -> str:
    """A descent in a few words."""
    first, last = run.errors[0], run.errors[-1]
    if not last <= first:
        return "diverges"
    turned = any(a * b < 0 for a, b in zip(run.weight_deltas, run.weight_deltas[1:], strict=False))
    if last > first / 1000:
        return "slow, to and fro" if turned else "slow"
    return "arrives, to and fro" if turned else "arrives"
