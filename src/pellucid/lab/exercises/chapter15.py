"""Chapter 15: averages, shares, and masks that cancel."""

from __future__ import annotations

import numpy as np

from .exercise import Array, Exercise, draws, t

draw = draws(15)

FEDERATED_MEAN = Exercise(
    name="federated-mean",
    blank="""import numpy as np


def federated_mean(models, counts):
    ...
""",
    cases=[
        (draw(3, 3), np.array([1000, 1000, 500])),
        (draw(2, 2), np.array([1, 9])),
        (draw(3, 4), np.array([10, 20, 70])),
        (draw(4, 1), np.array([5, 5, 5, 5])),
        (draw(1, 3), np.array([42])),
    ],
    expected=lambda models, counts: (t(counts) @ t(models) / counts.sum()).data,
    mistakes={
        "plain mean": lambda models, counts: models.mean(0),
        "not divided": lambda models, counts: counts @ models,
        "by parties": lambda models, counts: counts @ models / len(counts),
        "largest party": lambda models, counts: models[counts.argmax()],
        "within the model": lambda models, counts: models @ counts / counts.sum(),
    },
)


def share(secret: int, drawn: list[int], modulus: int) -> list[int]:
    """The drawn shares, and the one that makes the sum right."""
    return [*drawn, (secret - sum(drawn)) % modulus]


SHARES = Exercise(
    name="additive-shares",
    blank="""def shares(secret, drawn, modulus):
    ...
""",
    cases=[
        (5, [7, 9], 11),
        (100, [3, 250, 77], 256),
        (0, [4], 13),
        (12, [1, 2, 3, 4], 101),
        (6, [], 17),
    ],
    expected=share,
    mistakes={
        "no modulus": lambda secret, drawn, modulus: [*drawn, secret - sum(drawn)],
        "added": lambda secret, drawn, modulus: [*drawn, (secret + sum(drawn)) % modulus],
        "secret itself": lambda secret, drawn, modulus: [*drawn, secret],
        "last first": lambda secret, drawn, modulus: share(secret, drawn, modulus)[::-1],
        "only the last": lambda secret, drawn, modulus: (secret - sum(drawn)) % modulus,
    },
)


def masked(values: Array, masks: Array) -> Array:
    """Added for parties after, taken off for parties before; by the engine."""
    above = t(np.triu(masks, 1))
    return (t(values) + above.sum(1) - above.sum(0)).data


MASKS = Exercise(
    name="masks-that-cancel",
    blank="""import numpy as np


def masked(values, masks):
    ...
""",
    cases=[
        (draw(3), draw(3, 3)),
        (draw(4), draw(4, 4)),
        (draw(2), draw(2, 2)),
        (draw(1), draw(1, 1)),
        (draw(5), np.triu(draw(5, 5), 1)),
    ],
    expected=masked,
    mistakes={
        "only added": lambda values, masks: (
            values + np.triu(masks, 1).sum(1) + np.triu(masks, 1).sum(0)
        ),
        "nobody takes off": lambda values, masks: values + np.triu(masks, 1).sum(1),
        "other way round": lambda values, masks: 2 * values - masked(values, masks),
        "whole table": lambda values, masks: values + masks.sum(1) - masks.sum(0),
        "not masked": lambda values, masks: values,
    },
)

EXERCISES = (FEDERATED_MEAN, SHARES, MASKS)
