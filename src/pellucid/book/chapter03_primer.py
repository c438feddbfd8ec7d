"""Chapter 3: arrays in a few minutes, and what they answer when sizes do not fit."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from pellucid import Tensor
from pellucid.errors import PellucidError
from pellucid.nn.functional import mse_loss

from .experiment import Result, experiment

NAMES: dict[str, Any] = {
    "four": np.array([0.0, 1.0, 2.0, 3.0]),
    "other": np.array([4.0, 5.0, 6.0, 7.0]),
    "three": np.array([1.0, 2.0, 3.0]),
    "column": np.array([[10.0], [20.0], [30.0], [40.0]]),
    "wide": np.arange(8.0).reshape(2, 4),
    "tall": np.arange(12.0).reshape(4, 3),
}
WORKING = (
    "four * 0.1", "four + other", "wide * 10", "wide + four", "column + three", "four @ other",
    "four @ tall", "wide @ four", "wide @ tall", "tall.T @ wide.T",
)  # fmt: skip
FAILING = {  # and what was probably meant
    "four + three": "four[:3] + three",
    "wide * tall": "wide * tall.T[:2]",
    "wide @ wide": "wide @ wide.T",
    "tall @ wide": "wide @ tall",
    "tall @ four": "four @ tall",
    "four.reshape(3, 2)": "four.reshape(2, 2)",
    "four[4]": "four[3]",
    "mse_loss(column, four)": "mse_loss(column[:, 0], four)",
}


@experiment("3.12")
def primer(result: Result) -> None:
    """Arrays in a few minutes: what may be combined, what comes out, and the errors."""
    tensors = {name: Tensor(value) for name, value in NAMES.items()}
    result.table(
        "the arrays", ("name", "shape"), [(n, shape_of(value)) for n, value in NAMES.items()]
    )
    rows, ours, numpys = [], [], []
    for expression in WORKING:
        value = evaluate(expression, tensors)
        ours.append(np.ravel(value))
        numpys.append(np.ravel(evaluate(expression, NAMES)))
        shapes = ", ".join(shape_of(evaluate(part, tensors)) for part in arrays_in(expression))
        rows.append((expression, shapes, shape_of(value), first_row(value)))
    result.agree("all of these, and NumPy's", np.concatenate(ours), np.concatenate(numpys))
    result.table("what works", ("written", "shapes", "result", "its numbers"), rows)

    surprise = evaluate("column - four", tensors)
    result.say("surprise", shape=shape_of(surprise))
    result.say("mistakes")
    for expression, meant in FAILING.items():
        result.say(
            "error",
            written=expression,
            message=refusal(expression, tensors),
            meant=meant,
            shape=shape_of(evaluate(meant, tensors)),
        )


def evaluate(expression: str, names: dict[str, Any]) -> Any:
    """Compute what a table shows, as it is written there."""
    return eval(expression, {"mse_loss": mse_loss}, names)


def refusal(expression: str, names: dict[str, Any]) -> str:
    """What the framework says to an expression that cannot be computed."""
    try:
        evaluate(expression, names)
    except PellucidError as error:
        return error.message
    raise AssertionError(f"{expression} was to fail")


def arrays_in(expression: str) -> list[str]:
    """The arrays that a sign stands between: `tall.T` and `wide.T` in `tall.T @ wide.T`."""
    return [part for part in re.split(" [*+@-] ", expression) if part.partition(".")[0] in NAMES]


def shape_of(value: Any) -> str:
    """`(2, 4)`; `(4,)` with the comma that Python shows."""
    return str(tuple(value.shape))


def first_row(value: Any) -> str:
    """The numbers of an array, or as many as its first row has."""
    numbers = np.asarray(value)
    row = numbers.reshape(-1, numbers.shape[-1])[0] if numbers.ndim else numbers.reshape(1)
    return ", ".join(f"{n:g}" for n in row) + (", …" if row.size < numbers.size else "")
