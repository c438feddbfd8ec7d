"""What drawings have in common: the operations of a record gathered into steps, and numbers in words.

Operations that work number by number (an activation), or that only lay numbers out anew (`flatten`),
belong to the step whose result they take, if nobody else takes it. What does nothing in use
(dropout) is no step at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..nn.recording import Call, Recording, Value
from ..tensor import Tensor

Array = Any

RELAID = ("reshape", "flatten", "squeeze", "unsqueeze", "clone", "cast")
IDLE = ("dropout", "feature_dropout", "alpha_dropout", "clone")


@dataclass(eq=False)
class Step:
    """An operation that mixes numbers, and what is done with its result at once.

    Attributes:
        head: the operation.
        tail: what follows number by number.
        sources: the steps or inputs it reads from.
    """

    head: Call
    tail: list[Call] = field(default_factory=list)
    sources: list[Step | Value] = field(default_factory=list)

    @property
    def result(self) -> Value:
        """What comes out."""
        return self.tail[-1].result if self.tail else self.head.result

    @property
    def calls(self) -> list[Call]:
        """All of its operations."""
        return [self.head, *self.tail]


def steps_of(recording: Recording, *, relaid: bool = True) -> list[Step]:
    """The steps of a record, in order.

    Args:
        recording: one prediction.
        relaid: whether laying numbers out anew belongs to the step before.
    """
    used = Counter(id(v) for call in recording.calls for v in call.sources)
    used.update(id(v) for v in recording.outputs)
    made: dict[int, Step | Value] = {id(v): v for v in recording.inputs}
    steps: list[Step] = []
    for call in recording.calls:
        before = [made[id(v)] for v in call.sources if id(v) in made]
        first = before[0] if before else None
        if is_idle(call) and first is not None:
            if isinstance(first, Step):
                first.tail.append(call)
            made[id(call.result)] = first
        elif (
            isinstance(first, Step)
            and len(before) == 1
            and used[id(first.result)] == 1
            and belongs(call, relaid)
        ):
            first.tail.append(call)
            made[id(call.result)] = first
        else:
            step = Step(call, sources=list(dict.fromkeys(before)))
            steps.append(step)
            made[id(call.result)] = step
    return steps


def is_idle(call: Call) -> bool:
    """Whether an operation gives back what it got."""
    return call.op.name in IDLE and not (call.settings.get("training") and call.settings.get("p"))


def belongs(call: Call, relaid: bool) -> bool:
    """Whether an operation works number by number on one array, or only lays it out anew."""
    arrays = [v for v in call.sources if v.kind in ("input", "result")]
    if len(arrays) != 1 or any(v.kind == "weight" for v in call.sources):
        return False
    if call.op.name in RELAID:
        return relaid
    rule = call.op.rule or ""
    mixing = ("softmax", "log_softmax", "cumsum", "cumprod", "argsort")
    return (
        rule.partition("->")[0].count("(") == len([x for x in call.inputs if x is not None])
        and rule.endswith("(...)")
        and call.op.name not in mixing
        and arrays[0].numbers.size == call.result.numbers.size
    )


def again(call: Call, inputs: Sequence[Any]) -> Tensor:
    """An operation of a record once more, with a memory of what its result came from.

    Args:
        call: as it ran.
        inputs: what it is given, in the place of what it was given.
    """
    settings = {key: _plain(value) for key, value in call.settings.items()}
    if call.op.variadic is not None:
        return call.op(inputs, **settings)
    return call.op(**dict(zip(call.op.inputs, inputs, strict=False)), **settings)


def _plain(setting: Any) -> Any:
    if isinstance(setting, Value):
        return setting.numbers
    return tuple(_plain(p) for p in setting) if isinstance(setting, tuple) else setting


# ------------------------------------------------------------------------------------------ in words


def shape(value: Value) -> str:
    """`(2, 784)`."""
    return str(tuple(int(n) for n in value.shape))


def first_example(numbers: Array) -> Array:
    """The numbers of the first example of a batch, in a row."""
    numbers = np.asarray(numbers)
    return (numbers[:1] if numbers.ndim > 1 else numbers).reshape(-1)


def short(number: Any) -> str:
    """A number with three digits."""
    return f"{float(number):.3g}" if np.asarray(number).dtype.kind == "f" else str(number)


def some(numbers: Array, most: int = 6) -> str:
    """The first few numbers, and how many there are."""
    flat = first_example(numbers)
    listed = "  ".join(short(n) for n in flat[:most])
    return listed + (f"  … {flat.size} numbers" if flat.size > most else "")


def kept(count: int, first: int, most: int) -> list[int | None]:
    """Which of many are drawn: the first few, None for those left out, the last.

    >>> kept(4, 3, 6), kept(100, 3, 6)
    ([0, 1, 2, 3], [0, 1, 2, None, 99])
    """
    return list(range(count)) if count <= most else [*range(first), None, count - 1]


def looks(recording: Recording, path: str) -> str:
    """A module in a line: `Linear(784 -> 128)`."""
    module = dict(recording.model.named_modules())[path]
    name = type(module).__name__
    return repr(module) if not any(module.children()) else f"{name}({module.extra_repr()})"


def input_names(inputs: Sequence[Value]) -> list[Value]:
    """Each input once."""
    return list({id(v): v for v in inputs}.values())
