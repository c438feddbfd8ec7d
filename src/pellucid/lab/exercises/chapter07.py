"""Chapter 7: a network as sizes and shapes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ... import nn
from .exercise import Array, Exercise


def network(sizes: list[int]) -> nn.Sequential:
    """The engine's own network of these sizes."""
    return nn.Sequential(*(nn.Linear(a, b) for a, b in pairwise(sizes)))


def shapes(sizes: list[int]) -> list[tuple[int, ...]]:
    """The shapes of its weights as the book writes them, layer @ weights: (in, out)."""
    return [w.shape[::-1] for name, w in network(sizes).named_parameters() if "weight" in name]


def parameters(sizes: list[int]) -> int:
    """How many numbers are learned."""
    return sum(
        p.size if isinstance(p.size, int) else p.data.size for p in network(sizes).parameters()
    )


CASES = [([3, 4, 1],), ([784, 100, 10],), ([2, 5, 5, 3],), ([6, 1],), ([1, 1, 1, 1],)]


def products(sizes: list[int]) -> list[int]:
    """The numbers in each weight matrix."""
    return [a * b for a, b in pairwise(sizes)]


def pairs(sizes: list[int]) -> Array:
    """Each size with the next."""
    return np.array(list(pairwise(sizes)))


WEIGHT_SHAPES = Exercise(
    name="weight-shapes",
    blank="""def weight_shapes(sizes):
    ...
""",
    cases=CASES,
    expected=shapes,
    mistakes={
        "swapped": lambda sizes: pairs(sizes)[:, ::-1],
        "one less": lambda sizes: pairs(sizes)[:-1],
        "first and last": lambda sizes: [(sizes[0], sizes[-1])],
        "backwards": lambda sizes: pairs(sizes)[::-1],
    },
)

PARAMETERS = Exercise(
    name="count-parameters",
    blank="""def count_parameters(sizes):
    ...
""",
    cases=CASES,
    expected=parameters,
    mistakes={
        "no biases": lambda sizes: sum(products(sizes)),
        "bias of the input": lambda sizes: sum(products(sizes)) + sum(sizes),
        "one bias": lambda sizes: sum(products(sizes)) + len(sizes) - 1,
        "sums": lambda sizes: sum(a + b for a, b in pairwise(sizes)),
        "all multiplied": lambda sizes: int(np.prod(sizes)),
    },
)

EXERCISES = (WEIGHT_SHAPES, PARAMETERS)
