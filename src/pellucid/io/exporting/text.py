"""A record as the lines of a program: one assignment for each operation.

What NumPy and PyTorch have in common stands here. A rule says how an operation is written: as a
pattern with the names of its inputs and settings ("{x} @ {weight}.T"), or as a function of a
`Line`. Every input is a name or a number, so patterns need no brackets around them.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...nn.recording import Call, Recording, Size, Value
from .names import is_kept, names_of

LONGEST = 92  # characters of a line, before it is indented
LENGTHS = "nmkl"  # what free lengths of the inputs are called


@dataclass(frozen=True)
class Line:
    """One operation on its way into the program."""

    call: Call
    text: Text

    def __getitem__(self, name: str) -> Any:
        """An input or setting of the operation, as it was recorded."""
        if name in self.call.op.inputs:
            at = self.call.op.inputs.index(name)
            return self.call.inputs[at] if at < len(self.call.inputs) else None
        return self.call.settings[name]

    def written(self, name: str) -> str:
        """An input or setting of the operation, as text."""
        return self.text.written(self[name])

    def filled(self, pattern: str) -> str:
        """A pattern with the inputs and settings it names."""
        return pattern.format_map(_Written(self))

    def ndim(self, name: str) -> int:
        """How many axes an input has; a plain number has none."""
        return len(self.shape(name))

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an input; () for a plain number."""
        value = self[name]
        return value.shape if isinstance(value, Value) else ()

    @property
    def inputs(self) -> list[str]:
        """All inputs of an operation that takes any number of them."""
        return [self.text.written(x) for x in self.call.inputs]


class _Written(Mapping[str, str]):
    """What a pattern may name."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def __getitem__(self, name: str) -> str:
        return self.line.written(name)

    def __iter__(self) -> Any:
        return iter((*self.line.call.op.inputs, *self.line.call.settings))

    def __len__(self) -> int:
        return len(self.line.call.op.inputs) + len(self.line.call.settings)


class Text:
    """A record as text.

    Args:
        recording: what ran.
        rules: by operation, how it is written.
        kind: what is written, for messages ("NumPy").
        library: whose names are used: "np" or "torch".
    """

    def __init__(
        self,
        recording: Recording,
        rules: Mapping[str, str | Callable[[Line], str]],
        kind: str,
        library: str,
    ) -> None:
        self.recording, self.rules, self.kind, self.library = recording, rules, kind, library
        self.names = names_of(recording)
        self.lengths = dict(zip(recording.free_axes, LENGTHS, strict=False))

    def written(self, x: Any) -> str:
        """A value by its name; anything else as Python writes it."""
        if isinstance(x, Value):
            return self._value(x)
        if isinstance(x, Size):
            return x.written(self.lengths)
        if isinstance(x, (bool, np.bool_)):
            return str(bool(x))
        if isinstance(x, (int, float, np.number)):
            number = x.item() if isinstance(x, np.number) else x
            text = repr(number)
            if text.lstrip("-") in ("inf", "nan"):
                text = text.replace("inf", f"{self.library}.inf").replace(
                    "nan", f"{self.library}.nan"
                )
            return f"({text})" if text.startswith("-") else text
        if isinstance(x, (tuple, list)):
            parts = [self.written(part) for part in x]
            return f"({', '.join(parts)}{',' * (len(parts) == 1)})"
        if isinstance(x, slice):
            ends = ["" if e is None else self._bare(e) for e in (x.start, x.stop, x.step)]
            return ":".join(ends if ends[2] else ends[:2])
        if isinstance(x, np.dtype) or (isinstance(x, type) and issubclass(x, np.generic)):
            return f"{self.library}.{np.dtype(x).name}"
        return "..." if x is Ellipsis else repr(x)

    def _value(self, value: Value) -> str:
        if id(value) in self.names:
            return self.names[id(value)]
        if is_kept(value):
            return f'w["{value.name}"]'
        kind = f"{self.library}.{value.numbers.dtype.name}"
        shape, number = self.written(value.shape), self.written(value.fill)
        return f"{self.library}.full({shape}, {number}, dtype={kind})"

    def index(self, index: Any) -> str:
        """What stands in square brackets."""
        parts = index if isinstance(index, tuple) else (index,)
        return ", ".join(self._bare(part) for part in parts)

    def _bare(self, part: Any) -> str:
        """A part of an index; a number below 0 needs no brackets there."""
        text = self.written(part)
        return text[1:-1] if text.startswith("(-") else text

    def lines(self) -> list[str]:
        """The assignments, with a comment before each module."""
        lines: list[str] = []
        before: Any = ("", 0)
        modules = dict(self.recording.model.named_modules())
        for call in self.recording.calls:
            within = call.within[-1] if call.within else ("", 0)
            if within != before and within[0]:
                lines.append(f"# {within[0]}: {_looks(modules[within[0]])}")
            before = within
            lines += _broken(f"{self.names[id(call.result)]} = {self.right_side(call)}")
        return lines

    def right_side(self, call: Call) -> str:
        """How one operation is written.

        Raises:
            ArgumentError: there is no rule for it.
        """
        rule = self.rules.get(call.op.name)
        if rule is None:
            raise no_rule(self.recording, call, self.kind, self.rules)
        line = Line(call, self)
        with naming_the_layer(self.recording, call):
            return line.filled(rule) if isinstance(rule, str) else rule(line)

    def output(self) -> str:
        """What is returned, nested as the model nests it."""
        return self._nest(self.recording.output)

    def _nest(self, output: Any) -> str:
        if isinstance(output, tuple):
            parts = [self._nest(part) for part in output]
            return f"({', '.join(parts)}{',' * (len(parts) == 1)})"
        if isinstance(output, dict):
            return f"{{{', '.join(f'{key!r}: {self._nest(v)}' for key, v in output.items())}}}"
        return self.written(output)

    def measured(self) -> list[str]:
        """The lines that take the free lengths from the first input, where a line needs them."""
        first = self.recording.inputs[0]
        name = self.names[id(first)]
        used = " ".join([*self.lines(), self.output()])
        return [
            f"{length} = {name}.shape[{axis}]"
            for axis, length in self.lengths.items()
            if any(length == word for word in _words(used))
        ]

    def signature(self) -> str:
        """The inputs, as arguments."""
        return ", ".join(dict.fromkeys(self.names[id(x)] for x in self.recording.inputs))

    def shapes(self) -> str:
        """`(n, 784) -> (n, 10)`."""
        into = ", ".join(self.written(value.shape) for value in self.recording.inputs)
        out = ", ".join(self.written(value.shape) for value in self.recording.outputs)
        return f"{into} -> {out}"


def _broken(line: str) -> list[str]:
    """A line in three, if it is long and one call: the arguments get a line of their own."""
    match = re.fullmatch(r"(\w+ = [\w.]+\()(.*)\)", line)
    if len(line) <= LONGEST or match is None:
        return [line]
    arguments = textwrap.wrap(match[2], LONGEST - 4, break_long_words=False)
    return [match[1], *(f"    {some}" for some in arguments), ")"]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", re.sub(r'"[^"]*"', "", text)))


def _looks(module: Any) -> str:
    """A module in a line."""
    name = type(module).__name__
    return repr(module) if not any(module.children()) else f"{name}({module.extra_repr()})"


def _where(recording: Recording, call: Call) -> str:
    """Which layer an operation ran in; empty for the model itself."""
    module = dict(recording.model.named_modules()).get(call.module)
    return f"{call.module}: {_looks(module)}" if module is not None and call.module else ""


@contextmanager
def naming_the_layer(recording: Recording, call: Call) -> Iterator[None]:
    """What a rule refuses is told with the layer that asked for it."""
    try:
        yield
    except ArgumentError as error:
        where = _where(recording, call)
        raise ArgumentError(f"{error.message}{f' (in {where})' if where else ''}") from None


def no_rule(recording: Recording, call: Call, kind: str, known: Any) -> ArgumentError:
    """What is said about an operation that has no counterpart."""
    where = _where(recording, call)
    others = "" if kind == "NumPy" else " Another target may have it: numpy has the most."
    return ArgumentError(
        f"the operation {call.op.name}{f' (in {where})' if where else ''} cannot be written for "
        f"{kind}.{others}\nWrite this part of the network with other operations; those that can be "
        f"written are:\n{', '.join(sorted(known))}"
    )
