"""Chapter 6, first part: lights at a crossing become a matrix, and one layer learns from it.

Three lights, on or off, seen six times; and whether people then walked. What the lights mean is
nowhere written down. Pressure, hidden layers and backpropagation are in the two other parts:
`chapter06_pressure.py` and `chapter06_deep.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from pellucid import Tensor, no_grad
from pellucid.nn import Linear, MSELoss
from pellucid.optim import SGD

from .experiment import Figure, Result, experiment
from .result import Array

SEEN = (
    ("on", "off", "on", "stop"),
    ("off", "on", "on", "walk"),
    ("off", "off", "on", "stop"),
    ("on", "on", "on", "walk"),
    ("off", "on", "on", "walk"),
    ("on", "off", "on", "stop"),
)
PLACES = ("left", "middle", "right")

LIGHTS = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1]], dtype=float)
WALK = np.array([0, 1, 0, 1, 1, 0], dtype=float)
START = np.array([0.5, 0.48, -0.7])

FOUR = LIGHTS[:4]  # at another crossing people walk where just one of the first two lights is on
ONE_OF_TWO = np.array([1, 1, 0, 0], dtype=float)


# --------------------------------------------------------------------------- 6.1 data and matrices


@experiment("6.1", to="6.4")
def lights_as_matrix(result: Result, *, on: float = 1.0, off: float = 0.0) -> None:
    """What was seen at a crossing becomes a matrix, and nothing is lost on the way.

    Args:
        on: the number that stands for a light that is on.
        off: the number that stands for a light that is off.
    """
    matrix = Tensor([[on if light == "on" else off for light in seen[:3]] for seen in SEEN])
    target = Tensor([1.0 if seen[3] == "walk" else 0.0 for seen in SEEN])
    result.table(
        "what was seen, and the same as numbers",
        (*PLACES, "people", "row", "target"),
        [(*s, row, t) for s, row, t in zip(SEEN, matrix.numpy(), target.numpy(), strict=True)],
    )
    back = [
        (*("on" if number == on else "off" for number in row), "walk" if t == 1 else "stop")
        for row, t in zip(matrix.tolist(), target.tolist(), strict=True)
    ]
    result.number("observations", len(SEEN))
    result.number("come back unchanged", sum(a == b for a, b in zip(back, SEEN, strict=True)))

    ways: dict[str, Callable[[Sequence[str]], list[float]]] = {
        "a number for on, a number for off": lambda p: [on if x == "on" else off for x in p],
        "two columns per light": lambda p: [float(x == y) for x in p for y in ("on", "off")],
        "only how many are on": lambda p: [float(p.count("on"))],
    }
    result.table(
        "three ways to write the lights down",
        ("way", "off on on becomes", "patterns told apart, of 8"),
        [(name, way(("off", "on", "on")), told_apart(way)) for name, way in ways.items()],
    )
    result.say("lossless")

    rows = []
    for light, place in enumerate(PLACES):
        column = matrix.numpy()[:, light] == on
        rows.append((place, int(column.sum()), int((column == (target.numpy() == 1)).sum())))
    result.table(
        "does a light say whether people walk?",
        ("light", "times on, of 6", "times right, of 6"),
        rows,
    )


def told_apart(way: Callable[[Sequence[str]], list[float]]) -> int:
    """How many of the eight patterns of three lights get a row of their own."""
    return len({tuple(way(pattern)) for pattern in product(("on", "off"), repeat=3)})


# ------------------------------------------------------------------------------------ 6.5 one light


@experiment("6.5", figures=[Figure("last error", "8.3077e-06", "20 steps, alpha 0.1")])
def one_light(result: Result, *, lr: float = 0.1, steps: int = 20) -> None:
    """The first row of lights alone, again and again, until its prediction is right.

    Args:
        lr: how much of each correction is made (the book's alpha).
        steps: how often to predict, compare and learn.
    """
    weights = Tensor(START.copy(), requires_grad=True)
    optimizer = SGD([weights], lr=lr)
    errors = [
        learn_row(result, f"step {n}", weights, optimizer, LIGHTS[0], WALK[0])
        for n in result.track(range(1, steps + 1))
    ]
    result.number("last error", errors[-1])
    result.number("weights at the end", weights)
    by_hand, weights_by_hand = lights_by_hand(LIGHTS[:1], WALK[:1], START, lr, steps)
    result.agree("error of every step", errors, by_hand)
    result.agree("weights at the end", weights, weights_by_hand)
    result.plot("error of each step", {"error": errors}, x="step", y="error", log=True)
    others = ((LIGHTS @ weights.numpy() - WALK) ** 2)[1:].sum()
    result.say("others", error=errors[-1], others=others)


def learn_row(
    result: Result, title: str, weights: Tensor, optimizer: SGD, lights: Array, walk: Array
) -> float:
    """Predict, compare, learn from one row of lights, and tell it all. Returns the error."""
    prediction = Tensor(lights) @ weights  # predict
    error = (prediction - walk) ** 2  # compare
    optimizer.zero_grad()
    (error / 2).backward()  # learn: half the error, whose slope is prediction - target
    if result.step(title):
        result.predict("lights", "left, middle, right", lights)
        result.predict("weights", "as they are", weights)
        result.predict("prediction", "lights @ weights", prediction)
        result.compare("walk", "what people did", walk)
        result.compare("error", "(prediction - walk) ** 2", error)
        result.learn("delta", "prediction - walk", prediction.numpy() - walk)
        result.learn("weight_deltas", "lights * delta", weights.grad)
    optimizer.step()
    result.learn("weights after", "weights - lr * weight_deltas", weights)
    return float(error.item())


def written(row: Array) -> str:
    """A row of lights as people write it: `1 0 1`."""
    return " ".join(f"{light:.0f}" for light in row)


def lights_by_hand(
    rows: Array, targets: Array, start: Array, lr: float, passes: int
) -> tuple[list[float], Array]:
    """One layer in NumPy alone, learning row by row: the error of each pass, the last weights."""
    weights, errors = start.copy(), []
    for _ in range(passes):
        errors.append(0.0)
        for lights, walk in zip(rows, targets, strict=True):
            prediction = lights @ weights
            errors[-1] += float((prediction - walk) ** 2)
            delta = prediction - walk
            weights -= lr * lights * delta
    return errors, weights


# ---------------------------------------------------------------------------- 6.6 the whole dataset


@experiment(
    "6.6",
    figures=[
        Figure("error of pass 1", "2.6561231104", "alpha 0.1"),
        Figure("error of pass 40", 0.00053373677328488, "alpha 0.1"),
    ],
)
def all_lights(result: Result, *, lr: float = 0.1, passes: int = 40) -> None:
    """All six rows, one after the other: now the weights find out which light it is.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the whole table of lights is gone through.
    """
    weights, errors = Tensor(START.copy(), requires_grad=True), []
    optimizer = SGD([weights], lr=lr)
    course = [START]  # the weights after each pass
    for n in result.track(range(1, passes + 1)):
        errors.append(0.0)
        for lights, walk in zip(LIGHTS, WALK, strict=True):
            title = f"pass {n}, lights {written(lights)}"
            errors[-1] += learn_row(result, title, weights, optimizer, lights, walk)
        course.append(weights.numpy().copy())
    result.number("error of pass 1", errors[0])
    result.number(f"error of pass {passes}", errors[-1])
    result.number("weights at the end", weights)

    by_hand, weights_by_hand = lights_by_hand(LIGHTS, WALK, START, lr, passes)
    result.agree("error of every pass", errors, by_hand)
    result.agree("weights at the end", weights, weights_by_hand)
    result.plot("error of each pass", {"error": errors}, x="pass", y="error", log=True)
    result.plot(
        "the three weights",
        {place: [w[i] for w in course] for i, place in enumerate(PLACES)},
        x="pass",
        y="weight",
    )
    looks = sorted({0, 1, min(5, passes), passes})
    result.table(
        "prediction for each row of lights, after so many passes",
        ("lights", "walk", *(str(n) for n in looks)),
        [
            (written(row), walk, *(round(row @ course[n], 4) for n in looks))
            for row, walk in zip(LIGHTS, WALK, strict=True)
        ],
    )


# ------------------------------------------------------------- 6.7 full, mini-batch, stochastic


@experiment("6.7")
def three_descents(
    result: Result, *, lr: float = 0.1, passes: int = 40, batch: int = 2, seed: int = 1
) -> None:
    """All rows at once, a few, or one at a time: three ways down the same hill.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the whole table of lights is gone through.
        batch: how many rows make a mini-batch.
        seed: in which order the rows come.
    """
    ways = {"full": len(LIGHTS), "mini-batch": batch, "stochastic": 1}
    paths, errors = {}, {}
    for name, size in result.track(list(ways.items())):
        paths[name], errors[name] = descent(result, name, lr, passes, size, seed)
        result.agree(f"path: {name}", paths[name], descent_by_hand(lr, passes, size, seed))
    result.plot(
        "path of two weights, from start to end",
        {name: ([w[0] for w in path], [w[1] for w in path]) for name, path in paths.items()},
        x="left weight",
        y="middle weight",
        points=True,
    )
    result.plot("error after each pass", errors, x="pass", y="error", log=True)
    result.table(
        "three ways down",
        ("way", "rows per step", "steps", "error at the end", "weights at the end"),
        [
            (name, size, len(paths[name]) - 1, errors[name][-1], paths[name][-1].round(3))
            for name, size in ways.items()
        ],
    )


def batches_of(size: int, passes: int, seed: int) -> Iterator[list[Array]]:
    """For each pass the numbers of the rows, shuffled anew and cut into batches."""
    random = np.random.RandomState(seed)
    for _ in range(passes):
        order = random.permutation(len(LIGHTS))
        yield [order[start : start + size] for start in range(0, len(order), size)]


def descent(
    result: Result, name: str, lr: float, passes: int, size: int, seed: int
) -> tuple[list[Array], list[float]]:
    """The weights after each step, and the error over all rows after each pass."""
    layer, criterion = Linear(3, 1, bias=False), MSELoss()
    with no_grad():
        layer.weight.copy_(START[None])
    optimizer = SGD(layer.parameters(), lr=lr)
    path, errors = [START], []
    for batches in batches_of(size, passes, seed):
        for rows in batches:
            lights, walk = Tensor(LIGHTS[rows]), Tensor(WALK[rows, None])
            prediction = layer(lights)  # predict
            error = criterion(prediction, walk)  # compare
            optimizer.zero_grad()
            (error / 2).backward()  # learn
            if len(path) == 1 and result.step(f"first step: {name}"):
                result.predict("lights", "the rows of this step", lights)
                result.predict("prediction", "lights @ weights", prediction)
                result.compare("walk", "what people did", walk)
                result.compare("error", "mean of (prediction - walk) ** 2", error)
                result.learn("weight_deltas", "mean of lights * delta", layer.weight.grad)
            optimizer.step()
            path.append(layer.weight.numpy()[0].copy())
        errors.append(float(((LIGHTS @ path[-1] - WALK) ** 2).sum()))
    return path, errors


def descent_by_hand(lr: float, passes: int, size: int, seed: int) -> list[Array]:
    """The same path in NumPy alone."""
    path = [START]
    for batches in batches_of(size, passes, seed):
        for rows in batches:
            delta = LIGHTS[rows] @ path[-1] - WALK[rows]
            path.append(path[-1] - lr * LIGHTS[rows].T @ delta / len(rows))
    return path
