"""What the values of a record are called in a program: by the modules they come from."""

from __future__ import annotations

import keyword
import re
from collections import Counter

from ...nn.recording import Recording, Size, Value

TAKEN = {"np", "torch", "nn", "F", "w", "n", "m", "self", "predict", "main", "Path", "sys"}


def names_of(recording: Recording) -> dict[int, str]:
    """By the id of each input and result, a name that is used once.

    A module's result is named after the module (`hidden`, `layer_0`), and what it computes on the
    way there also after the operation (`hidden_linear`). Results of the model itself are numbered
    (`tanh_1`).
    """
    taken = set(TAKEN)
    found: dict[int, str] = {}
    for value in recording.inputs:
        if id(value) not in found:
            found[id(value)] = _free(identifier(value.name), taken)
    last = {call.within[-1]: call for call in recording.calls if call.within}
    counted: Counter[str] = Counter()
    for call in recording.calls:
        if not call.within:
            counted[call.op.name] += 1
            name = f"{call.op.name}_{counted[call.op.name]}"
        elif last[call.within[-1]] is call:
            name = identifier(call.module)
        else:
            name = f"{identifier(call.module)}_{call.op.name}"
        found[id(call.result)] = _free(name, taken)
    return found


def identifier(path: str) -> str:
    """A module's path as a name in a program.

    >>> identifier("encoder.layers.0"), identifier("2"), identifier("class")
    ('encoder_layers_0', 'layer_2', 'class_')
    """
    name = re.sub(r"\W", "_", path)
    if name[:1].isdigit():
        name = f"layer_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number behind it if it is taken."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free)
    return free


def is_kept(value: Value) -> bool:
    """Whether an array is kept beside the program; one that grows with the inputs is made there."""
    return value.kind == "weight" or not any(isinstance(n, Size) for n in value.shape)
