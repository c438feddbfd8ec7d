"""What an exercise is: a function with a gap, questions to it, and the usual wrong answers.

The right answers are not written down. They come from the engine; where a gradient is asked for, they
come from the numbers themselves: each element is moved up a little and down a little. A reference
solution is known to the tests alone.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...creation import tensor
from ...tensor import Tensor

Array = Any
Case = tuple[Any, ...]  # what the function is called with
Answer = Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """A function to be written from memory. What a reader is told is in `texts/*/exercises.toml`.

    Args:
        name: its name in the texts, and in the reader's progress.
        blank: the code to start from, without its docstring: one function with a gap.
        cases: the questions, two at least; the usual mistakes differ on them.
        expected: the right answer to a question, from the engine.
        mistakes: by name, what whoever makes a usual mistake gets. One that cannot answer a question
            (shapes that do not fit) raises.
        gives: what the parts of the answer are called, where there are several.
        gradient: the answer is a gradient, and is compared with small steps of the function.
        told_by: an experiment of the book that has the sentences about the mistakes.
    """

    name: str
    blank: str
    cases: Sequence[Case]
    expected: Answer
    mistakes: Mapping[str, Answer]
    gives: tuple[str, ...] = field(default=())
    gradient: bool = False
    told_by: str = ""

    def started(self, doc: str) -> str:
        """The code to start from, with a docstring in the reader's language."""
        head, rest = self.blank.split("):\n", 1)
        body = doc.strip().replace("\n", "\n    ").replace("\n    \n", "\n\n")
        end = "\n    " if "\n" in body else ""
        return f'{head}):\n    """{body}{end}"""\n{rest}'

    @property
    def function(self) -> str:
        """The name of the function."""
        return self._head()[0]

    @property
    def arguments(self) -> list[str]:
        """What it takes."""
        return [name.strip() for name in self._head()[1].split(",")]

    def _head(self) -> tuple[str, str]:
        found = re.search(r"def (\w+)\((.*?)\):", self.blank)
        assert found is not None
        return found[1], found[2]

    def kept(self, answer: Any) -> tuple[Array, ...]:
        """An answer as arrays, one for each part.

        Raises:
            TypeError, ValueError: there are no numbers in it.
        """
        several = self.gives and (
            isinstance(answer, (tuple, list)) or np.shape(answer)[:1] == (len(self.gives),)
        )
        return tuple(np.array(a, dtype=np.float64) for a in (answer if several else (answer,)))

    def right(self, case: Case) -> tuple[Array, ...]:
        """The right answer to a question."""
        return self.kept(self.expected(*copy.deepcopy(case)))

    def mistaken(self, name: str) -> Callable[..., tuple[Array, ...] | None]:
        """One of the usual mistakes, as a function; None where it cannot answer."""

        def answer(*case: Any) -> tuple[Array, ...] | None:
            try:
                return self.kept(self.mistakes[name](*copy.deepcopy(case)))
            except (ValueError, IndexError):
                return None

        return answer

    def same(self, one: tuple[Array, ...] | None, other: tuple[Array, ...] | None) -> bool:
        """Whether two answers differ by rounding only."""
        if one is None or other is None or len(one) != len(other):
            return False
        return all(
            a.shape == b.shape and bool(self.close(a, b).all())
            for a, b in zip(one, other, strict=True)
        )

    def close(self, a: Array, b: Array) -> Array:
        """Which elements differ by rounding only; small steps round more than formulas."""
        rtol, atol = (1e-4, 1e-6) if self.gradient else (1e-7, 1e-9)
        return np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True)


def draws(seed: int) -> Callable[..., Array]:
    """Draws arrays for questions: two decimals are enough, and can be read.

    >>> draws(0)(2, 2).tolist()
    [[1.76, 0.4], [0.98, 2.24]]
    """
    random = np.random.RandomState(seed)

    def draw(*shape: int) -> Array:
        return random.standard_normal(shape).round(2)

    return draw


def t(array: Any) -> Tensor:
    """A tensor of the engine."""
    return tensor(array, dtype="float64")
