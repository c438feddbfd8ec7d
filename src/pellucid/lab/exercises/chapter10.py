"""Chapter 10: one small window, in many places."""

from __future__ import annotations

import numpy as np

from ...ops import conv2d, max_pool2d
from ...testing import numerical_gradient
from .exercise import Array, Exercise, draws, t

draw = draws(10)


def windows(image: Array, height: int, width: int) -> Array:
    """All windows of this size: (rows, columns, height, width)."""
    return np.lib.stride_tricks.sliding_window_view(image, (height, width))


def slid(image: Array, kernel: Array) -> Array:
    """By hand."""
    return np.asarray((windows(image, *kernel.shape) * kernel).sum((2, 3)))


def convolved(image: Array, kernel: Array) -> Array:
    """By the engine."""
    return conv2d(t(image)[None, None], t(kernel)[None, None]).data[0, 0]


CONVOLVE = Exercise(
    name="convolve",
    blank="""import numpy as np


def convolve(image, kernel):
    ...
""",
    cases=[
        (draw(4, 4), draw(3, 3)),
        (draw(5, 5), draw(2, 2)),
        (draw(3, 6), draw(2, 3)),
        (draw(4, 4), draw(1, 1)),
        (draw(3, 3), draw(3, 3)),
    ],
    expected=convolved,
    mistakes={
        "one short": lambda image, kernel: slid(image, kernel)[:-1, :-1],
        "flipped": lambda image, kernel: slid(image, kernel[::-1, ::-1]),
        "mean": lambda image, kernel: slid(image, kernel) / kernel.size,
        "no kernel": lambda image, kernel: slid(image, np.ones_like(kernel)),
        "side by side": lambda image, kernel: slid(image, kernel)[
            :: kernel.shape[0], :: kernel.shape[1]
        ],
    },
)

KERNEL_GRADIENT = Exercise(
    name="kernel-gradient",
    blank="""import numpy as np


def kernel_gradient(image, delta):
    ...
""",
    cases=[
        (draw(4, 4), draw(2, 2)),
        (draw(5, 5), draw(3, 3)),
        (draw(3, 5), draw(2, 3)),
        (draw(3, 3), draw(3, 3)),
        (draw(4, 3), draw(1, 1)),
    ],
    expected=lambda image, delta: numerical_gradient(
        lambda kernel: (convolved(image, kernel) * delta).sum(),
        np.zeros((image.shape[0] - delta.shape[0] + 1, image.shape[1] - delta.shape[1] + 1)),
    ),
    mistakes={
        "sign": lambda image, delta: -slid(image, delta),
        "flipped": lambda image, delta: slid(image, delta)[::-1, ::-1],
        "delta flipped": lambda image, delta: slid(image, delta[::-1, ::-1]),
        "mean": lambda image, delta: slid(image, delta) / delta.size,
        "one place": lambda image, delta: (
            delta[0, 0]
            * image[: image.shape[0] - delta.shape[0] + 1, : image.shape[1] - delta.shape[1] + 1]
        ),
    },
    gradient=True,
)


def tiles(image: Array, size: int) -> Array:
    """Windows side by side; what is left over at the edge is dropped."""
    return windows(image, size, size)[::size, ::size]


MAX_POOL = Exercise(
    name="max-pool",
    blank="""import numpy as np


def max_pool(image, size):
    ...
""",
    cases=[
        (draw(4, 4), 2),
        (draw(2, 6), 2),
        (draw(6, 6), 3),
        (draw(5, 4), 2),
        (draw(3, 3) - 4, 3),
        (draw(2, 3), 1),
    ],
    expected=lambda image, size: max_pool2d(t(image)[None, None], kernel_size=size).data[0, 0],
    mistakes={
        "mean": lambda image, size: tiles(image, size).mean((2, 3)),
        "sum": lambda image, size: tiles(image, size).sum((2, 3)),
        "overlapping": lambda image, size: windows(image, size, size).max((2, 3)),
        "from zero": lambda image, size: np.maximum(tiles(image, size).max((2, 3)), 0),
        "smallest": lambda image, size: tiles(image, size).min((2, 3)),
        "by size": lambda image, size: np.abs(tiles(image, size)).max((2, 3)),
    },
)

EXERCISES = (CONVOLVE, KERNEL_GRADIENT, MAX_POOL)
