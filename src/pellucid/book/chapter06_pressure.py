"""Chapter 6, second part: what pushes a weight up or down, and what one layer cannot learn."""

from __future__ import annotations

import numpy as np

from pellucid import Tensor, relu
from pellucid.optim import SGD

from .chapter06 import (
    FOUR,
    LIGHTS,
    ONE_OF_TWO,
    PLACES,
    WALK,
    learn_row,
    lights_by_hand,
    written,
)
from .experiment import Result, experiment
from .result import Array

BY_CHANCE = np.array([0.5, 0.48, -0.5])  # right for the first row of lights, for no good reason
BALANCED = np.array([0.0, 0.0, 0.5])  # where the pressures of the second crossing cancel out

# Left without middle, middle without left: two hidden units, their weights written by hand.
CLUES = np.array([[1, -1], [-1, 1], [0, 0]], dtype=float)


# ------------------------------------------------------------------------------- 6.8 up and down


@experiment("6.8", to="6.11")
def pressures(result: Result, *, start: float = 0.25, lr: float = 0.1, passes: int = 40) -> None:
    """Every row pushes the weights of its lights up or down; the sum decides where they go.

    Args:
        start: what all three weights are at first.
        lr: how much of the pressure a weight gives way to (the book's alpha).
        passes: how often the whole table of lights is gone through.
    """
    weights = Tensor(np.full(3, start), requires_grad=True)
    show_pressures(result, "pressure on each weight", LIGHTS, WALK, weights)
    optimizer, course, sums = SGD([weights], lr=lr), [weights.numpy().copy()], []
    for n in result.track(range(passes)):
        optimizer.zero_grad()
        sums.append(pressure(result, f"pass {n + 1}", LIGHTS, WALK, weights).sum(axis=0))
        optimizer.step()
        course.append(weights.numpy().copy())
    result.plot(
        "pressure on each weight, all rows together",
        {place: [s[i] for s in sums] for i, place in enumerate(PLACES)},
        x="pass",
        y="pressure",
    )
    result.agree("weights after every pass", course, pressures_by_hand(start, lr, passes))
    result.number("weights at the end", weights)
    right_by_chance(result, lr)
    cancels_out(result)


def pressure(result: Result, title: str, rows: Array, targets: Array, weights: Tensor) -> Array:
    """How hard each row pushes each weight, up (+) or down (-): an array (rows, weights).

    Their sum over the rows, with the sign turned, is left in `weights.grad`.
    """
    prediction = Tensor(rows) @ weights  # predict
    error = (prediction - targets) ** 2  # compare
    pushed = []
    for i in range(len(rows)):
        before = 0.0 if weights.grad is None else weights.grad.numpy().copy()
        (error[i] / 2).backward(retain_graph=True)  # learn, and see what this row adds
        pushed.append(before - weights.grad.numpy())
    if result.step(title):
        result.predict("weights", "as they are", weights)
        result.predict("prediction", "lights @ weights", prediction)
        result.compare("walk", "what people did", targets)
        result.compare("error", "(prediction - walk) ** 2", error)
        result.learn("delta", "prediction - walk", prediction.numpy() - targets)
        result.learn("pressure of each row", "-lights * delta", np.array(pushed))
        result.learn("pressure of all rows", "their sum", -weights.grad.numpy())
    return np.array(pushed)


def show_pressures(
    result: Result, title: str, rows: Array, targets: Array, weights: Tensor
) -> Array:
    """A table of what each row wants from each weight. Returns the sum over the rows."""
    fresh = Tensor(weights.numpy().copy(), requires_grad=True)
    pushed = pressure(result, title, rows, targets, fresh)
    result.agree(title, pushed, -rows * (rows @ weights.numpy() - targets)[:, None])
    cells = [
        (written(row), target, row @ weights.numpy(), *push)
        for row, target, push in zip(rows, targets, pushed, strict=True)
    ]
    total = pushed.sum(axis=0)
    result.table(
        title,
        ("lights", "walk", "prediction", *PLACES),
        [*cells, ("all together", "", "", *total)],
    )
    return total


def pressures_by_hand(start: float, lr: float, passes: int) -> list[Array]:
    """The weights after every pass, all rows together, in NumPy alone."""
    course = [np.full(3, start)]
    for _ in range(passes):
        course.append(course[-1] - lr * LIGHTS.T @ (LIGHTS @ course[-1] - WALK))
    return course


def right_by_chance(result: Result, lr: float, steps: int = 20) -> None:
    """One row whose prediction happens to be right: nothing pushes, and nothing is understood."""
    weights = Tensor(BY_CHANCE.copy(), requires_grad=True)
    optimizer = SGD([weights], lr=lr)
    for n in range(steps):
        learn_row(result, f"step {n + 1}", weights, optimizer, LIGHTS[0], WALK[0])
    result.table(
        "weights 0.5, 0.48 and -0.5, after learning from the first row alone",
        ("lights", "walk", "prediction", "error"),
        [
            (written(row), walk, round(says, 6), (says - walk) ** 2)
            for row, walk, says in zip(FOUR, WALK, FOUR @ weights.numpy(), strict=False)
        ],
    )
    result.number("weights moved by the row that is right by chance", moved(weights))
    result.say("chance", steps=steps)


def moved(weights: Tensor) -> float:
    """How far the weights are from where they were right by chance."""
    return float(np.abs(weights.numpy() - BY_CHANCE).max())


def cancels_out(result: Result) -> None:
    """Another crossing, where every weight is pushed up exactly as hard as it is pushed down."""
    title = "another crossing: the pressures cancel out"
    total = show_pressures(result, title, FOUR, ONE_OF_TWO, Tensor(BALANCED))
    result.number("pressure left where it cancels out", total)
    result.say("cancels")


# --------------------------------------------------------------------- 6.12 no direct correlation


@experiment("6.12", to="6.14")
def indirect_correlation(result: Result, *, lr: float = 0.2, passes: int = 60) -> None:
    """No light says anything by itself, and one layer fails; with clues made in between it works.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the four rows are gone through.
    """
    rows = [
        (place, *(int((FOUR[:, i] == t).sum()) for t in (ONE_OF_TWO, 1 - ONE_OF_TWO)))
        for i, place in enumerate(PLACES)
    ]
    result.table(
        "does a light say whether people walk?",
        ("light", "times right, of 4", "times wrong, of 4"),
        rows,
    )

    clues = relu(Tensor(FOUR) @ Tensor(CLUES)).numpy()
    result.table(
        "clues made in between: one light without the other",
        ("lights", "left, not middle", "middle, not left", "walk"),
        [(written(row), *clue, t) for row, clue, t in zip(FOUR, clues, ONE_OF_TWO, strict=True)],
    )

    errors, predictions = {}, {}
    for name, inputs in result.track([("the lights", FOUR), ("the clues", clues)]):
        start = np.full(inputs.shape[1], 0.1)
        weights = Tensor(start.copy(), requires_grad=True)
        errors[name] = one_layer(result, name, weights, inputs, lr, passes)
        predictions[name] = inputs @ weights.numpy()
        by_hand, _ = lights_by_hand(inputs, ONE_OF_TWO, start, lr, passes)
        result.agree(f"error of every pass: {name}", errors[name], by_hand)
    result.plot("one layer: error of each pass", errors, x="pass", y="error", log=True)
    result.table(
        "what one layer predicts in the end",
        ("lights", "walk", "from the lights", "from the clues"),
        [
            (written(row), t, round(direct, 4), round(indirect, 4))
            for row, t, direct, indirect in zip(
                FOUR, ONE_OF_TWO, *predictions.values(), strict=True
            )
        ],
    )
    best, *_ = np.linalg.lstsq(FOUR, ONE_OF_TWO, rcond=None)
    smallest = float(((FOUR @ best - ONE_OF_TWO) ** 2).sum())
    result.number("smallest error any weights on the lights can have", smallest)
    result.number("last error from the lights", errors["the lights"][-1])
    result.number("last error from the clues", errors["the clues"][-1])
    result.say("best", smallest=smallest)


def one_layer(
    result: Result, name: str, weights: Tensor, inputs: Array, lr: float, passes: int
) -> list[float]:
    """One layer of weights, learning row by row. Returns the error of each pass."""
    optimizer, errors = SGD([weights], lr=lr), []
    for n in range(passes):
        errors.append(0.0)
        for row, target in zip(inputs, ONE_OF_TWO, strict=True):
            title = f"pass {n + 1}, {name} {written(row)}"
            errors[-1] += learn_row(result, title, weights, optimizer, row, target)
    return errors
