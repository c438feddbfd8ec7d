"""What a program computes with: each array as a rule for its elements.

`layer_1 = np.maximum(images @ weights, 0)` is a `Map` of a `Product`. Nothing is computed when a term is
made, except for its value at the recorded inputs, which tells shapes, types and what shares memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .code import Code, Index

Array = Any


class Term:
    """An array by its rule.

    Attributes:
        value: the array at the recorded inputs.
        parts: the terms that the rule reads.
        name: what the program calls it, if it has a name.
        time: when it was made.
        why: a remark on how it is computed.
    """

    parts: tuple[Term, ...] = ()
    why = ""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.name = ""
        self.time = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return np.shape(self.value)

    @property
    def dtype(self) -> Any:
        """The type of its numbers."""
        return np.asarray(self.value).dtype

    @property
    def is_weak(self) -> bool:
        """Whether it is a number of Python's, which takes the type of the array next to it."""
        return type(self.value) in (bool, int, float)

    def walk(self) -> list[Term]:
        """All terms within, each once, parts before the whole."""
        found: dict[int, Term] = {}
        stack = [(self, False)]
        while stack:
            term, done = stack.pop()
            if id(term) in found:
                continue
            if done or not term.parts:
                found[id(term)] = term
                continue
            stack.append((term, True))
            stack += [(part, False) for part in term.parts]
        return list(found.values())


class Leaf(Term):
    """An array in memory: an argument, or the result of a call of NumPy's.

    Attributes:
        name: its own.
        root: the leaf or term whose memory it shares, or itself.
        given: whether it is an argument.
    """

    def __init__(self, name: str, value: Any, *, given: bool = False) -> None:
        super().__init__(value)
        self.name, self.given = name, given
        self.root: Term = self


class Number(Term):
    """A number that never changes."""


class Fill(Term):
    """An array full of one number; `empty` if it does not matter which."""

    def __init__(self, value: Array, number: Term, *, empty: bool = False) -> None:
        super().__init__(value)
        self.parts, self.empty = (number,), empty


class Iota(Term):
    """0, 1, 2, ..."""


class Map(Term):
    """A function of the elements at the same place; `function` is NumPy's, "where" or "cast"."""

    def __init__(self, value: Array, function: Any, parts: Sequence[Term]) -> None:
        super().__init__(value)
        self.function, self.parts = function, tuple(parts)


class View(Term):
    """The elements of another array, at other places.

    Attributes:
        place: from an index into this one, the index into the other.
        spelled: the same in NumPy, with {} in the place of the other.
        shaped: whether the elements are the same in the same order, only with other axes.
        rough: whether neighbours along the last axis are found by a division: `reshape(-1)`.
    """

    def __init__(
        self,
        value: Array,
        of: Term,
        spelled: str,
        place: Callable[[Index], Index],
        *,
        shaped: bool = False,
        rough: bool = False,
    ) -> None:
        super().__init__(value)
        self.parts, self.spelled, self.place = (of,), spelled, place
        self.shaped, self.rough = shaped, rough

    @property
    def of(self) -> Term:
        """The array it looks at."""
        return self.parts[0]


class Fold(Term):
    """A sum, product, maximum or minimum along axes."""

    def __init__(
        self, value: Array, function: Any, of: Term, axes: tuple[int, ...], keeps: bool
    ) -> None:
        super().__init__(value)
        self.function, self.parts, self.axes, self.keeps = function, (of,), axes, keeps


class Product(Term):
    """A matrix product, with its `count` of multiplications."""

    def __init__(self, value: Array, a: Term, b: Term) -> None:
        super().__init__(value)
        self.parts = (a, b)

    @property
    def count(self) -> int:
        """How many multiplications it takes."""
        return int(np.size(self.value)) * self.parts[0].shape[-1]


class Taken(Term):
    """Rows or elements that arrays of whole numbers name: `table[ids]`, `scores[rows, labels]`."""

    def __init__(self, value: Array, table: Term, picks: Sequence[Term]) -> None:
        super().__init__(value)
        self.parts = (table, *picks)

    @property
    def picks(self) -> tuple[Term, ...]:
        """The arrays that name the places."""
        return self.parts[1:]


class Spread(Term):
    """Zeros to which rows are added at the places that `ids` names: what `np.add.at` makes."""

    def __init__(self, value: Array, ids: Term, rows: Term) -> None:
        super().__init__(value)
        self.parts = (ids, rows)


class Eye(Term):
    """Ones on the diagonal, zeros elsewhere."""


def memory(term: Term) -> Term:
    """The term whose memory a view looks at."""
    while isinstance(term, View):
        term = term.of
    return term.root if isinstance(term, Leaf) else term


# ------------------------------------------------------------------------------- what happens


class Step:
    """Something that a program does, in order.

    Attributes:
        time: when.
        line: the line of the program, as text.
    """

    def __init__(self, time: int, line: str) -> None:
        self.time, self.line = time, line


class Set(Step):
    """`target = value` or `target += value`, element by element, in place."""

    def __init__(self, time: int, line: str, target: Term, function: Any, value: Term) -> None:
        super().__init__(time, line)
        self.target, self.function, self.value = target, function, value


class SetAt(Step):
    """The same at places that arrays of whole numbers name."""

    def __init__(
        self, time: int, line: str, target: Term, picks: Sequence[Term], function: Any, value: Term
    ) -> None:
        super().__init__(time, line)
        self.target, self.picks, self.function, self.value = target, tuple(picks), function, value

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what is changed: the places, and what lies at each."""
        ahead = np.broadcast_shapes(*[p.shape for p in self.picks])
        return (*ahead, *self.target.shape[len(self.picks) :])


class Call(Step):
    """A line that stays NumPy's.

    Attributes:
        code: the expression, with names of `given` in place of terms.
        results: what comes out.
        several: whether that is a tuple.
        changed: whose memory it changes.
    """

    def __init__(
        self, time: int, line: str, code: Any, given: dict[str, Term], results: list[Leaf],
        changed: list[Term], several: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(time, line)
        self.code, self.given, self.results, self.changed = code, given, results, changed
        self.several = several


class Checked(Step):
    """Whole numbers that have to be smaller than `size`."""

    def __init__(self, time: int, line: str, ids: Term, size: int) -> None:
        super().__init__(time, line)
        self.ids, self.size = ids, size


__all__ = ["Code", "Index"]
