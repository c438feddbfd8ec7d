"""Chapter 16: what is in a checkpoint, and what it predicts."""

from __future__ import annotations

import math

import numpy as np

from ... import nn
from ...tensor import Tensor
from .exercise import Array, Exercise, draws, t

draw = draws(16)

Shapes = dict[str, tuple[int, ...]]
Layers = list[tuple[Array, Array]]


def shapes_of(*layers: nn.Module) -> Shapes:
    """The names and shapes of a checkpoint."""
    return {name: value.shape for name, value in nn.Sequential(*layers).state_dict().items()}


DIGITS = shapes_of(nn.Linear(784, 40), nn.ReLU(), nn.Linear(40, 10))
XOR = shapes_of(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
ONE = shapes_of(nn.Linear(5, 2, bias=False))
DEEP = shapes_of(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
NORMED = shapes_of(nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16))


def numbers(shapes: Shapes) -> int:
    """How many numbers, as the engine's own arrays have them."""
    return sum(np.zeros(shape).size for shape in shapes.values())


CHECKPOINT_SIZE = Exercise(
    name="checkpoint-size",
    blank="""import math


def numbers(shapes):
    ...
""",
    cases=[(DIGITS,), (XOR,), (ONE,), (NORMED,), ({},)],
    expected=numbers,
    mistakes={
        "sums": lambda shapes: sum(sum(shape) for shape in shapes.values()),
        "weights only": lambda shapes: sum(
            math.prod(shape) for name, shape in shapes.items() if name.endswith("weight")
        ),
        "entries": lambda shapes: len(shapes),
        "single left out": lambda shapes: sum(math.prod(s) for s in shapes.values() if s),
        "first size": lambda shapes: sum(shape[0] if shape else 1 for shape in shapes.values()),
    },
)


def sizes(shapes: Shapes) -> list[int]:
    """The sizes of the layers; a weight is (outputs, inputs)."""
    weights = [shape for name, shape in shapes.items() if name.endswith("weight")]
    return [weights[0][1], *(shape[0] for shape in weights)]


LAYER_SIZES = Exercise(
    name="layer-sizes",
    blank='''def layer_sizes(shapes):
    ...
''',
    cases=[(DIGITS,), (XOR,), (ONE,), (DEEP,)],
    expected=sizes,
    mistakes={
        "input forgotten": lambda shapes: sizes(shapes)[1:],
        "output forgotten": lambda shapes: sizes(shapes)[:-1],
        "backwards": lambda shapes: sizes(shapes)[::-1],
        "doubled": lambda shapes: [
            n for name, shape in shapes.items() if name.endswith("weight") for n in shape[::-1]
        ],
        "biases too": lambda shapes: [
            sizes(shapes)[0], *(shape[0] for shape in shapes.values())
        ],
    },
)  # fmt: skip


def predicted(x: Array, layers: Layers) -> Tensor:
    """By the engine."""
    value = t(x)
    for n, (weight, bias) in enumerate(layers):
        value = (value.relu() if n else value) @ t(weight).T + t(bias)
    return value


def by_hand(x: Array, layers: Layers, *, between: bool = True, end: bool = False) -> Array:
    """With or without relu between the layers and at the end."""
    for n, (weight, bias) in enumerate(layers):
        x = x @ weight.T + bias
        if between if n < len(layers) - 1 else end:
            x = np.maximum(x, 0)
    return x


PREDICT = Exercise(
    name="predict-from-checkpoint",
    blank="""import numpy as np


def predict(x, layers):
    ...
""",
    cases=[
        (draw(2, 3), [(draw(3, 3), draw(3)), (draw(3, 3), draw(3))]),
        (draw(3, 2), [(draw(2, 2), draw(2)), (draw(2, 2), draw(2)), (draw(2, 2), draw(2))]),
        (draw(4, 3), [(draw(5, 3), draw(5)), (draw(2, 5), draw(2))]),
        (draw(2, 2), [(draw(3, 2), draw(3))]),
    ],
    expected=predicted,
    mistakes={
        "relu at the end": lambda x, layers: by_hand(x, layers, end=True),
        "no relu": lambda x, layers: by_hand(x, layers, between=False),
        "only at the end": lambda x, layers: by_hand(x, layers, between=False, end=True),
        "no bias": lambda x, layers: by_hand(x, [(w, 0 * b) for w, b in layers]),
        "columns": lambda x, layers: by_hand(x, [(w.T, b) for w, b in layers]),
    },
)

EXERCISES = (CHECKPOINT_SIZE, LAYER_SIZES, PREDICT)
