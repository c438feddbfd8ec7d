"""The sum: all that a coordinator needs of what its parties have found.

A party's reply to "train" is a contribution: `{"sum": {"examples": n, "loss": n * mean loss,
"update.NAME": n * how far weight NAME was moved}}`. The sums over all parties, divided by the sum of
the examples, are the weighted means that FedAvg wants. So whoever can add up contributions can
take part in the training, whether it sees them (`plain_sum`, below) or not (the masked sum, the
encrypted sum): each is a function like `plain_sum`, a protocol over `ask`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import MessageError, PellucidError, ShapeError
from .engine import Engine, Missing
from .errors import NotFiniteError, OutOfRangeError
from .messages import Message

Array = Any
Shapes = Mapping[str, tuple[int, ...]]  # of everything that is summed, by name


@dataclass(frozen=True)
class Total:
    """What parties have together.

    Attributes:
        sums: by name, the sum over `parties`.
        parties: who is in it.
        missing: who was asked and is not, and why.
    """

    sums: dict[str, Array]
    parties: tuple[str, ...]
    missing: Missing = field(default_factory=dict)


Summing = Callable[[Engine, Mapping[str, Message], Shapes], Total]


def plain_sum(engine: Engine, messages: Mapping[str, Message], shapes: Shapes) -> Total:
    """Ask everybody, check what each says, and add it up. The coordinator sees every contribution.

    Args:
        engine: who carries the messages.
        messages: what each party is asked.
        shapes: what a contribution has to hold.

    Returns:
        The sums over all parties that answered as they should. They are computed in float64.
    """
    found, missing = contributions(engine, messages, shapes)
    sums = {name: np.zeros(shape) for name, shape in shapes.items()}
    for contribution in found.values():
        for name, array in contribution.items():
            sums[name] += array
    return Total(sums, tuple(found), missing)


def contributions(
    engine: Engine, messages: Mapping[str, Message], shapes: Shapes
) -> tuple[dict[str, dict[str, Array]], Missing]:
    """The contribution of each party that answered as it should, and why the others did not."""
    replies, found = engine.ask(messages), {}
    missing = dict(engine.missing)
    for name, reply in replies.items():
        try:
            found[name] = checked(reply, shapes)
        except PellucidError as error:
            missing[name] = f"not accepted: {error.message}"
    return found, missing


def checked(reply: Message, shapes: Shapes) -> dict[str, Array]:
    """The contribution in a reply.

    Raises:
        MessageError: something is missing, surplus or no array of numbers.
        ShapeError: an array has another shape.
        NotFiniteError: NaN or infinity.
        OutOfRangeError: fewer than no examples.
    """
    contribution = reply.get("sum")
    if not isinstance(contribution, Mapping) or set(contribution) != set(shapes):
        said = set(contribution) if isinstance(contribution, Mapping) else set(reply)
        surplus, lacking = sorted(map(str, said - set(shapes))), sorted(set(shapes) - said)
        raise MessageError(
            "a contribution holds exactly what was asked for; "
            f"missing: {', '.join(lacking) or 'nothing'}; surplus: {', '.join(surplus) or 'nothing'}"
        )
    for name, shape in shapes.items():
        array = contribution[name]
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise MessageError(f"{name} is {kind}, and a contribution holds arrays of floats")
        if array.shape != shape:
            raise ShapeError(f"{name} is {array.shape}, and {shape} was asked for")
        if not np.isfinite(array).all():
            bad = array[~np.isfinite(array)][0]
            raise NotFiniteError(
                f"{name} has {bad} in it. Are the steps too long? A smaller lr may help"
            )
    if "examples" in shapes and float(contribution["examples"]) < 0:
        raise OutOfRangeError(f"it claims {float(contribution['examples']):g} examples")
    return dict(contribution)
