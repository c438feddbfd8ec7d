"""Chapter 3: prediction. From what is known, through weights, to what is guessed."""

from __future__ import annotations

import numpy as np

from pellucid import Tensor

from .experiment import Figure, Result, experiment
from .games import FIRST_GAME, GAMES, INPUTS, OUTPUTS, WEIGHTS, numbers
from .result import Array

# --------------------------------------------------------------------------------- 3.2 the smallest


@experiment("3.2", figures=[Figure("prediction", 0.85, "8.5 toes, weight 0.1")])
def one_input(result: Result, *, toes: float = 8.5, weight: float = 0.1) -> None:
    """The smallest network: one input, one weight.

    Args:
        toes: what is known, the input.
        weight: how much the prediction makes of it.
    """
    knob = Tensor(weight)
    prediction = toes * knob  # predict
    if result.step("the first game"):
        result.predict("toes", "what is known", toes)
        result.predict("weight", "what the network knows", knob)
        result.predict("prediction", "toes * weight", prediction)
    result.number("prediction", prediction)
    result.agree("prediction", prediction, toes * weight)

    seen = Tensor(GAMES[:, 0])
    rows = zip(range(1, 5), seen.data, (seen * knob).data, strict=True)
    result.table("four games", ("game", "toes", "prediction"), rows)
    some = Tensor(np.linspace(0, 10, 50))
    line = {"prediction": (some.data, (some * knob).data)}
    result.plot("the prediction for any number of toes", line, x="toes", y="prediction")


# ------------------------------------------------------------------------------- 3.5 several inputs


@experiment("3.5", to="3.7", figures=[Figure("prediction", 0.98, "three inputs of the first game")])
def three_inputs(result: Result, *, inputs: str = FIRST_GAME, weights: str = "0.1, 0.2, 0") -> None:
    """Three inputs, each with a weight of its own: a weighted sum.

    Args:
        inputs: toes per player, share of games won, millions of fans.
        weights: how much the prediction makes of each.
    """
    known, knobs = Tensor(numbers(inputs, 3, "inputs")), Tensor(numbers(weights, 3, "weights"))
    products = known * knobs
    prediction = known @ knobs  # predict: multiply and add up
    if result.step("the first game"):
        result.predict("inputs", "toes, wins, fans", known)
        result.predict("weights", "one for each input", knobs)
        result.predict("products", "inputs * weights", products)
        result.predict("prediction", "sum of the products, inputs @ weights", prediction)
    result.number("prediction", prediction)
    result.agree("prediction", prediction, weighted_sum_by_hand(known.data, knobs.data))

    rows = zip(INPUTS, known.data, knobs.data, products.data, products.data.cumsum(), strict=True)
    result.table(
        "the weighted sum, piece by piece", ("", "input", "weight", "product", "sum so far"), rows
    )
    games = zip(range(1, 5), *GAMES.T, (Tensor(GAMES) @ knobs).data, strict=True)
    result.table("four games", ("game", *INPUTS, "prediction"), games)


def weighted_sum_by_hand(inputs: Array, weights: Array) -> float:
    """Multiply in pairs, add up."""
    total = 0.0
    for value, weight in zip(inputs, weights, strict=True):
        total += value * weight
    return total


# ----------------------------------------------------------------------------- 3.6 what it measures


@experiment("3.6")
def dot_product(result: Result, *, inputs: str = "1, 0, 1, 0.5") -> None:
    """A dot product says how alike two rows of numbers are, and reads almost like logic.

    Args:
        inputs: four numbers to compare other rows with.
    """
    known = numbers(inputs, 4, "inputs")
    rows = {
        "the same numbers": known,
        "twice as large": 2 * known,
        "only the first half": known * [1, 1, 0, 0],
        "the gaps filled, the rest empty": (known == 0).astype(float),
        "first sign swapped": known * [-1, 1, 1, 1] + 0,
        "all signs swapped": 0 - known,
        "nothing but zeros": 0 * known,
    }
    scores = Tensor(np.array([*rows.values()])) @ Tensor(known)
    by_hand = [weighted_sum_by_hand(known, weights) for weights in rows.values()]
    result.agree("dot products", scores, by_hand)
    result.table(
        "dot products with the inputs",
        ("", "weights", "dot product", "without the lengths"),
        [
            (name, weights, score, without_lengths(score, known, weights))
            for (name, weights), score in zip(rows.items(), scores.data, strict=True)
        ],
    )
    show_logic(result)


def without_lengths(score: float, a: Array, b: Array) -> float | None:
    """The dot product divided by both lengths: from -1, opposed, to 1, the same direction."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return score / lengths if lengths else None


def show_logic(result: Result) -> None:
    """Weights read as words: OR, AND, NOT. A score above the bar counts as true."""
    cases = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    readings = {
        "A OR B": ([1.0, 1.0], 0.5),
        "A AND B": ([1.0, 1.0], 1.5),
        "A AND NOT B": ([1.0, -1.0], 0.5),
        "NOT B": ([0.0, -1.0], -0.5),
    }
    rows = []
    for name, (weights, bar) in readings.items():
        scores = (Tensor(cases) @ Tensor(weights)).data
        marked = [f"{score:g} {'✓' if score > bar else '·'}" for score in scores]
        rows.append((name, np.array(weights), bar, *marked))
    headings = ("reading", "weights", "true above", *(f"{a:g}, {b:g}" for a, b in cases))
    result.table("weights as logic: A and B are 0 or 1", headings, rows)


# ------------------------------------------------------------------------------ 3.8 several outputs


@experiment(
    "3.8",
    figures=[Figure(*pair) for pair in zip(OUTPUTS, (0.195, 0.13, 0.585), strict=True)],
)
def three_outputs(result: Result, *, wins: float = 0.65, weights: str = "0.3, 0.2, 0.9") -> None:
    """One input, three outputs: three small networks that share what they look at.

    Args:
        wins: the share of games won so far, the input.
        weights: what each output makes of it.
    """
    knobs = Tensor(numbers(weights, 3, "weights"))
    prediction = wins * knobs  # predict
    if result.step("the first game"):
        result.predict("wins", "what is known", wins)
        result.predict("weights", "one for each output", knobs)
        result.predict("prediction", "wins * weights", prediction)
    for name, value in zip(OUTPUTS, prediction.tolist(), strict=True):
        result.number(name, value)
    result.agree("prediction", prediction, [wins * weight for weight in knobs.data])
    rows = zip(OUTPUTS, [wins] * 3, knobs.data, prediction.data, strict=True)
    result.table("one input, three predictions", ("output", "input", "weight", "prediction"), rows)


@experiment(
    "3.9",
    to="3.10",
    figures=[Figure(*pair) for pair in zip(OUTPUTS, (0.555, 0.98, 0.965), strict=True)],
)
def three_in_three_out(result: Result, *, inputs: str = FIRST_GAME) -> None:
    """Three inputs, three outputs: a matrix of weights, one weighted sum per row.

    Args:
        inputs: toes per player, share of games won, millions of fans.
    """
    known, weights = Tensor(numbers(inputs, 3, "inputs")), Tensor(WEIGHTS)
    prediction = weights @ known  # predict
    if result.step("the first game"):
        result.predict("inputs", "toes, wins, fans", known)
        result.predict("weights", "a row for each output", weights)
        result.predict("prediction", "weights @ inputs", prediction)
    for name, value in zip(OUTPUTS, prediction.tolist(), strict=True):
        result.number(name, value)
    result.agree("prediction", prediction, layer_by_hand(WEIGHTS, known.data))
    show_layer(result, "weights, and what each row predicts", INPUTS, OUTPUTS, weights, prediction)


def layer_by_hand(weights: Array, inputs: Array) -> list[float]:
    """A weighted sum for each row of weights."""
    return [weighted_sum_by_hand(inputs, row) for row in weights]


def show_layer(
    result: Result,
    title: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    weights: Tensor,
    values: Tensor,
) -> None:
    """A layer as a table: a row for each output, with its weights and the value they lead to."""
    rows = zip(outputs, *weights.data.T, values.data, strict=True)
    result.table(title, ("output", *inputs, "value"), rows)


# ------------------------------------------------------------------- 3.11 predicting on predictions

TO_HIDDEN = np.array([[0.1, 0.2, -0.1], [-0.1, 0.1, 0.9], [0.1, 0.4, 0.1]])
TO_OUTPUT = np.array([[0.3, 1.1, -0.3], [0.1, 0.2, 0.0], [0.0, 1.3, 0.1]])
HIDDEN = ("hidden 1", "hidden 2", "hidden 3")


@experiment(
    "3.11",
    figures=[Figure(*pair) for pair in zip(OUTPUTS, (0.2135, 0.145, 0.5065), strict=True)],
)
def hidden_layer(result: Result, *, inputs: str = FIRST_GAME) -> None:
    """Predictions from predictions: what one layer says is what the next one looks at.

    Args:
        inputs: toes per player, share of games won, millions of fans.
    """
    layer_0 = Tensor(numbers(inputs, 3, "inputs"))
    weights_0_1, weights_1_2 = Tensor(TO_HIDDEN), Tensor(TO_OUTPUT)
    layer_1 = weights_0_1 @ layer_0  # predict
    layer_2 = weights_1_2 @ layer_1  # and predict from that
    if result.step("the first game"):
        result.predict("layer_0", "toes, wins, fans", layer_0)
        result.predict("weights_0_1", "a row for each hidden value", weights_0_1)
        result.predict("layer_1", "weights_0_1 @ layer_0", layer_1)
        result.predict("weights_1_2", "a row for each output", weights_1_2)
        result.predict("layer_2", "weights_1_2 @ layer_1", layer_2)
    for name, value in zip(OUTPUTS, layer_2.tolist(), strict=True):
        result.number(name, value)
    result.agree(
        "prediction", layer_2, layer_by_hand(TO_OUTPUT, layer_by_hand(TO_HIDDEN, layer_0.data))
    )
    show_layer(result, "from the inputs to the hidden layer", INPUTS, HIDDEN, weights_0_1, layer_1)
    show_layer(
        result, "from the hidden layer to the outputs", HIDDEN, OUTPUTS, weights_1_2, layer_2
    )
