"""Chapter 5: many weights at once. The miss is shared, and its input decides each weight's part."""

from __future__ import annotations

import numpy as np

from pellucid import Tensor
from pellucid.optim import SGD

from .experiment import Figure, Result, experiment
from .games import FIRST_GAME, INPUTS, OUTPUTS, WEIGHTS, numbers
from .result import Array

GOALS = np.array([0.1, 1.0, 0.1])  # nearly unhurt, won, hardly sad
START = "0.1, 0.2, -0.1"

# --------------------------------------------------------------------- 5.1 three inputs, one output


@experiment(
    "5.1",
    to="5.3",
    figures=[
        Figure("error at step 1", 0.0196, "alpha 0.01"),
        Figure("error at step 2", "0.0013135", "alpha 0.01"),
        Figure("error at step 3", "8.80e-05", "alpha 0.01"),
    ],
)
def three_inputs_learn(
    result: Result,
    *,
    lr: float = 0.01,
    steps: int = 3,
    inputs: str = FIRST_GAME,
    weights: str = START,
    goal: float = 1.0,
) -> None:
    """Three weights learn from one miss, each by as much as its input took part.

    Args:
        lr: how much of each correction is made (the book's alpha).
        steps: how often to predict, compare and learn.
        inputs: toes per player, share of games won, millions of fans.
        weights: the weights to start from.
        goal: what came out in the end.
    """
    known, start = numbers(inputs, 3, "inputs"), numbers(weights, 3, "weights")
    knobs = Tensor(start.copy(), requires_grad=True)
    optimizer = SGD([knobs], lr=lr)
    errors, rows = [], []
    for n in range(1, steps + 1):
        prediction = Tensor(known) @ knobs  # predict
        error = (prediction - goal) ** 2  # compare
        prediction.retain_grad()
        optimizer.zero_grad()
        (error / 2).backward()  # learn: half the error, whose slope is prediction - goal
        if result.step(f"step {n}"):
            result.predict("inputs", "toes, wins, fans", known)
            result.predict("weights", "as they are", knobs)
            result.predict("prediction", "inputs @ weights", prediction)
            result.compare("error", "(prediction - goal) ** 2", error)
            result.learn("delta", "prediction - goal", prediction.grad)
            result.learn("weight_deltas", "delta * inputs", knobs.grad)
        optimizer.step()
        result.learn("new weights", "weights - lr * weight_deltas", knobs)
        errors.append(error.item())
        delta, shares = prediction.grad.item(), knobs.grad.data
        rows.append((n, prediction.item(), errors[-1], delta, *shares, *knobs.data))
        result.number(f"error at step {n}", errors[-1])
    by_hand = three_inputs_by_hand(known, start, goal, lr, steps)
    result.agree("errors", errors, by_hand)
    result.table(
        "from the prediction to the miss",
        ("step", "prediction", "error", "delta"),
        [row[:4] for row in rows],
    )
    result.table(
        "each weight's share of it (weight_deltas)",
        ("step", *INPUTS),
        [(row[0], *row[4:7]) for row in rows],
    )
    result.table("the weights afterwards", ("step", *INPUTS), [(row[0], *row[7:]) for row in rows])


def three_inputs_by_hand(
    inputs: Array, weights: Array, goal: float, lr: float, steps: int
) -> list[float]:
    """The same in NumPy alone: the error at each step."""
    errors = []
    for _ in range(steps):
        delta = inputs @ weights - goal
        errors.append(float(delta**2))
        weights = weights - lr * delta * inputs
    return errors


# -------------------------------------------------------------------------- 5.4 freezing one weight


@experiment(
    "5.4",
    figures=[
        Figure("error at step 1", 0.0196, "alpha 0.3"),
        Figure("error at step 2", "0.003816", "alpha 0.3"),
        Figure("error at step 3", "0.000743", "alpha 0.3"),
    ],
)
def frozen_weight(
    result: Result,
    *,
    lr: float = 0.3,
    steps: int = 3,
    frozen: str = "toes",
    inputs: str = FIRST_GAME,
    weights: str = START,
    goal: float = 1.0,
) -> None:
    """One weight must not move. The others learn its share as well.

    Args:
        lr: how much of each correction is made (the book's alpha).
        steps: how often to predict, compare and learn.
        frozen: whose weight stays as it is: toes, wins or fans; anything else freezes none.
        inputs: toes per player, share of games won, millions of fans.
        weights: the weights to start from.
        goal: what came out in the end.
    """
    known, start = numbers(inputs, 3, "inputs"), numbers(weights, 3, "weights")
    knobs = {
        name: Tensor(weight, requires_grad=name != frozen)
        for name, weight in zip(INPUTS, start, strict=True)
    }
    free = {name: knob for name, knob in knobs.items() if knob.requires_grad}
    optimizer = SGD(free.values(), lr=lr)
    errors, path = [], []
    for n in range(1, steps + 1):
        path.append([knob.item() for knob in knobs.values()])
        products = [value * knob for value, knob in zip(known, knobs.values(), strict=True)]
        prediction = products[0] + products[1] + products[2]  # predict
        error = (prediction - goal) ** 2  # compare
        prediction.retain_grad()
        optimizer.zero_grad()
        (error / 2).backward()  # learn
        shares = prediction.grad.item() * known
        if result.step(f"step {n}"):
            result.predict("weights", "as they are", path[-1])
            result.predict("prediction", "inputs @ weights", prediction)
            result.compare("error", "(prediction - goal) ** 2", error)
            result.learn("delta", "prediction - goal", prediction.grad)
            result.learn("weight_deltas", "delta * inputs, whether used or not", shares)
        optimizer.step()
        result.learn("new weights", "the frozen one as before", [*map(float, knobs.values())])
        errors.append(error.item())
        result.number(f"error at step {n}", errors[-1])
    path.append([knob.item() for knob in knobs.values()])
    may_move = np.array([name in free for name in INPUTS])
    result.agree("errors", errors, frozen_by_hand(known, start, goal, lr, steps, may_move))
    rows = [
        (name, first, last, "frozen" if name == frozen else "learns")
        for name, first, last in zip(INPUTS, start, path[-1], strict=True)
    ]
    result.table("the weights, before and after", ("", "before", "after", ""), rows)
    show_moving_bowl(result, known, np.array(path), goal, frozen)


def frozen_by_hand(
    inputs: Array, weights: Array, goal: float, lr: float, steps: int, may_move: Array
) -> list[float]:
    """The same in NumPy alone: the frozen weight's share is set to zero."""
    errors = []
    for _ in range(steps):
        delta = (inputs * weights).sum() - goal
        errors.append(float(delta**2))
        weights = weights - lr * np.where(may_move, delta * inputs, 0.0)
    return errors


def show_moving_bowl(result: Result, inputs: Array, path: Array, goal: float, frozen: str) -> None:
    """The error as a bowl over one weight: it moves when the other weights learn."""
    one = INPUTS.index(frozen) if frozen in INPUTS else 0
    stands = path[:, one]
    reach = np.abs(path[0] @ inputs - goal) / max(abs(inputs[one]), 1e-12) * 2 or 1.0
    across = np.linspace(stands[0] - reach, stands[0] + reach, 121)
    curves = {}
    for when, weights in (("at the start", path[0]), ("at the end", path[-1])):
        others = inputs @ weights - inputs[one] * weights[one]
        curves[when] = (across, ((Tensor(across) * inputs[one] + others - goal) ** 2).data)
    depth = float(max(heights.max() for _, heights in curves.values()))
    curves["where it stands"] = (np.repeat(stands[0], 2), np.array([0.0, depth]))
    result.plot(f"the error bowl of {INPUTS[one]}", curves, x="weight", y="error")


# --------------------------------------------------------------------- 5.5 one input, three outputs


@experiment(
    "5.5",
    figures=[Figure("weights after one step", [0.293825, 0.25655, 0.868475], "alpha 0.1")],
)
def three_outputs_learn(
    result: Result, *, lr: float = 0.1, wins: float = 0.65, weights: str = "0.3, 0.2, 0.9"
) -> None:
    """One input, three outputs: three misses, one for each weight.

    Args:
        lr: how much of each correction is made (the book's alpha).
        wins: the share of games won so far, the input.
        weights: the weights to start from, one for each output.
    """
    start = numbers(weights, 3, "weights")
    knobs = Tensor(start.copy(), requires_grad=True)
    optimizer = SGD([knobs], lr=lr)
    prediction = wins * knobs  # predict
    errors = (prediction - GOALS) ** 2  # compare
    prediction.retain_grad()
    (errors.sum() / 2).backward()  # learn
    if result.step("step 1"):
        result.predict("weights", "one for each output", knobs)
        result.predict("prediction", "wins * weights", prediction)
        result.compare("goals", "what came out in the end", GOALS)
        result.compare("errors", "(prediction - goals) ** 2", errors)
        result.learn("delta", "prediction - goals", prediction.grad)
        result.learn("weight_deltas", "delta * wins", knobs.grad)
    optimizer.step()
    result.learn("new weights", "weights - lr * weight_deltas", knobs)
    result.number("weights after one step", knobs)
    by_hand = start - lr * (wins * start - GOALS) * wins
    result.agree("weights after one step", knobs, by_hand)
    delta, shares = prediction.grad.data, knobs.grad.data
    rows = zip(OUTPUTS, start, prediction.data, GOALS, delta, shares, knobs.data, strict=True)
    result.table(
        "one step of three weights",
        ("output", "weight", "prediction", "goal", "delta", "weight_delta", "new weight"),
        rows,
    )


# -------------------------------------------------------------------------- 5.6 three in, three out


@experiment(
    "5.6",
    figures=[
        Figure(
            "weights after one step",
            [
                [0.061325, 0.0970425, -0.30546],
                [0.1017, 0.20013, 0.00024],
                [-0.073525, 1.2943775, 0.08962],
            ],
            "alpha 0.01",
        )
    ],
)
def three_in_three_out_learn(
    result: Result, *, lr: float = 0.01, inputs: str = FIRST_GAME, steps: int = 12
) -> None:
    """Three inputs, three outputs: every weight gets its output's miss times its input.

    Args:
        lr: how much of each correction is made (the book's alpha).
        inputs: toes per player, share of games won, millions of fans.
        steps: how often to predict, compare and learn; the figures are those of the first.
    """
    known = numbers(inputs, 3, "inputs")
    weights = Tensor(WEIGHTS.copy(), requires_grad=True)
    optimizer = SGD([weights], lr=lr)
    errors = []
    for n in range(1, max(steps, 1) + 1):
        prediction = weights @ Tensor(known)  # predict
        error = (prediction - GOALS) ** 2  # compare
        prediction.retain_grad()
        optimizer.zero_grad()
        (error.sum() / 2).backward()  # learn
        if result.step(f"step {n}"):
            result.predict("inputs", "toes, wins, fans", known)
            result.predict("weights", "a row for each output", weights)
            result.predict("prediction", "weights @ inputs", prediction)
            result.compare("errors", "(prediction - goals) ** 2", error)
            result.learn("delta", "prediction - goals", prediction.grad)
            result.learn("weight_deltas", "outer(delta, inputs)", weights.grad)
        optimizer.step()
        result.learn("new weights", "weights - lr * weight_deltas", weights)
        errors.append(error.data)
        if n == 1:
            result.number("weights after one step", weights)
            delta = WEIGHTS @ known - GOALS
            result.agree("weights after one step", weights, WEIGHTS - lr * np.outer(delta, known))
            show_step(result, prediction, weights)
    counted = np.arange(1, len(errors) + 1)
    each = zip(OUTPUTS, np.transpose(errors), strict=True)
    curves = {name: (counted, of_one) for name, of_one in each}
    result.plot("error of each output", curves, x="step", y="error", log=True)


def show_step(result: Result, prediction: Tensor, weights: Tensor) -> None:
    """The first step as two tables: the misses, and what each weight is moved by."""
    delta = prediction.grad.data
    rows = zip(OUTPUTS, prediction.data, GOALS, delta, delta**2, strict=True)
    result.table("three misses", ("output", "prediction", "goal", "delta", "error"), rows)
    for title, matrix in (
        ("weight_deltas: delta times input", weights.grad.data),
        ("the weights afterwards", weights.data),
    ):
        result.table(title, ("output", *INPUTS), zip(OUTPUTS, *matrix.T, strict=True))
