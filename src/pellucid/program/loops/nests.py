"""Loops: a line, a loop around lines, and what they read and write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from .code import Code, Index, load, variable

_numbers = count()


@dataclass
class Let:
    """A number that gets a name: `step = lr * d`."""

    name: str
    code: Code


@dataclass
class Store:
    """`array[index] = code`, or, with `how`, `array[index] += code` and the like.

    Attributes:
        how: None, "add", "multiply", "largest", "smallest".
        skips: whether a factor is often 0, so that looking pays.
        only: the condition on which it is done, if there is one.
    """

    array: str
    index: Index
    code: Code
    how: str | None = None
    skips: bool = False
    only: Code | None = None


@dataclass
class Check:
    """Whole numbers that have to be within bounds."""

    code: Code
    size: int


@dataclass
class Loop:
    """`for variable in range(size)`.

    Attributes:
        factor: where this number is 0 or this is not so, nothing would change, and the loop is left
            out.
    """

    size: int
    body: list[Any]
    variable: str = field(default_factory=lambda: f"v{next(_numbers)}_")
    factor: Code | None = None

    def of(self, body: list[Any]) -> Loop:
        """The same loop with another body."""
        return Loop(self.size, body, self.variable, self.factor)

    @property
    def at(self) -> Code:
        """Its variable."""
        return variable(self.variable)


Line = Let | Store | Check | Loop


def nested(
    sizes: list[int], body: Callable[[list[Code]], list[Line]]
) -> tuple[list[Line], list[Code]]:
    """Loops within each other; axes of size 1 need none. Returns the lines and the indices."""
    from .code import whole

    loops = [Loop(n, []) if n != 1 else None for n in sizes]
    index = [whole(0) if loop is None else loop.at for loop in loops]
    lines = body(index)
    for loop in reversed(loops):
        if loop is not None:
            loop.body = lines
            lines = [loop]
    return lines, index


def stores(line: Line) -> Iterator[Store]:
    """All stores in a line."""
    if isinstance(line, Store):
        yield line
    elif isinstance(line, Loop):
        for inner in line.body:
            yield from stores(inner)


def codes(line: Line) -> Iterator[Code]:
    """All expressions in a line."""
    if isinstance(line, Loop):
        for inner in line.body:
            yield from codes(inner)
        if line.factor is not None:
            yield line.factor
        return
    yield line.code
    if isinstance(line, Store):
        yield from line.index
        if line.only is not None:
            yield line.only


def reads(line: Line) -> Iterator[tuple[str, Index]]:
    """The elements that a line reads."""
    for code in codes(line):
        for found in code.loads():
            yield found.args[0], found.args[1:]
    for store in stores(line):
        if store.how is not None:
            yield store.array, store.index


def writes(line: Line) -> Iterator[tuple[str, Index]]:
    """The elements that a line writes."""
    for store in stores(line):
        yield store.array, store.index


def changed(line: Line, change: Callable[[Code], Code]) -> Line:
    """The same with other expressions."""
    if isinstance(line, Loop):
        made = line.of([changed(b, change) for b in line.body])
        made.factor = line.factor and change(line.factor)
        return made
    if isinstance(line, Store):
        index = tuple(map(change, line.index))
        only = line.only and change(line.only)
        return Store(line.array, index, change(line.code), line.how, line.skips, only)
    if isinstance(line, Let):
        return Let(line.name, change(line.code))
    return Check(change(line.code), line.size)


def with_variable(line: Line, old: str, new: Code) -> Line:
    """The same with another variable."""

    def change(code: Code) -> Code:
        if code.op == "var":
            return new if code.args[0] == old else code
        return code.mapped(change)

    return changed(line, change)


__all__ = ["Check", "Let", "Line", "Loop", "Store", "load", "nested"]
