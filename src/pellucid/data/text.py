"""Text as numbers: cutting it up, numbering its parts, and laying sequences side by side."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import atomic
from ..errors import ArgumentError, DataError, ShapeError
from .dataset import Array, Dataset

# A word with its apostrophes (don't), or a single sign that is neither word nor space.
_PARTS = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")

UNKNOWN = "<unk>"
PADDING = "<pad>"


def tokenize(text: str, lower: bool = True) -> list[str]:
    """Words and punctuation marks, in order.

    Args:
        text: what is cut up.
        lower: write everything in small letters first.

    >>> from pellucid.data import tokenize
    >>> tokenize("Don't stop, Mary!")
    ["don't", 'stop', ',', 'mary', '!']
    """
    return _PARTS.findall(text.lower() if lower else text)


class Vocabulary:
    """A number for each token: the special ones first, then the rest, the most frequent first.

    Args:
        tokens: tokens in running text, counted here; or counts by token.
        min_count: leave out what is rarer.
        max_size: keep at most so many, the special ones included.
        specials: tokens that are there in any case, at the front.
        unknown: what stands for a token that has no number; one of the specials, or None to refuse.

    Equally frequent tokens stay in the order in which they were met.

    >>> from pellucid.data import Vocabulary, tokenize
    >>> words = Vocabulary(tokenize("the cat saw the dog"))
    >>> words.encode(["the", "dog", "barked"]).tolist()
    [1, 4, 0]
    >>> words.decode([1, 2])
    ['the', 'cat']
    """

    def __init__(
        self,
        tokens: Iterable[str] | Mapping[str, int] = (),
        *,
        min_count: int = 1,
        max_size: int | None = None,
        specials: Sequence[str] = (UNKNOWN,),
        unknown: str | None = UNKNOWN,
    ) -> None:
        if isinstance(tokens, str):
            raise ArgumentError(
                "Vocabulary was given one string. Cut it up first: Vocabulary(tokenize(text)) for "
                "words, Vocabulary(list(text)) for characters"
            )
        counted = Counter(tokens)
        kept = [
            token
            for token, times in counted.most_common()
            if times >= min_count and token not in specials
        ]
        if max_size is not None:
            kept = kept[: max(max_size - len(specials), 0)]
        self.tokens: list[str] = [*specials, *kept]
        self.counts: dict[str, int] = {token: counted[token] for token in self.tokens}
        self.unknown = unknown if unknown in specials else None
        self.number: dict[str, int] = {token: i for i, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self.number

    def __getitem__(self, token: str) -> int:
        found = self.number.get(token)
        if found is not None:
            return found
        if self.unknown is None:
            raise DataError(
                f"{token!r} is not among the {len(self)} tokens of this vocabulary, and it has no "
                "token for the unknown"
            )
        return self.number[self.unknown]

    def encode(self, tokens: Iterable[str]) -> Array:
        """The tokens' numbers, as int64.

        Raises:
            DataError: a token has no number, and the vocabulary knows no token for the unknown.
        """
        return np.array([self[token] for token in tokens], dtype=np.int64)

    def decode(self, numbers: Iterable[int]) -> list[str]:
        """The tokens behind the numbers.

        Raises:
            DataError: a number that no token has.
        """
        found = []
        for number in np.asarray(numbers).ravel().tolist():
            if not 0 <= number < len(self):
                raise DataError(
                    f"no token has the number {number}; this vocabulary has {len(self)}"
                )
            found.append(self.tokens[number])
        return found

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the vocabulary as JSON that people can read."""
        content = {"unknown": self.unknown, "tokens": [[t, self.counts[t]] for t in self.tokens]}
        atomic.write(path, json.dumps(content, ensure_ascii=False, indent=0) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Read a vocabulary that `save` wrote.

        Raises:
            DataError: the file is something else.
        """
        expected = f"{path} is no vocabulary that Vocabulary.save wrote: "
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise DataError(expected + f"it is not JSON ({error})") from None
        made = cls(specials=())
        try:
            made.counts = {str(token): int(times) for token, times in content["tokens"]}
            made.unknown = None if content["unknown"] is None else str(content["unknown"])
        except (KeyError, TypeError, ValueError, OverflowError):
            raise DataError(
                expected + 'it needs "unknown" and "tokens", pairs of token and count'
            ) from None
        made.tokens = list(made.counts)
        made.number = {token: i for i, token in enumerate(made.tokens)}
        if len(made.tokens) != len(content["tokens"]):
            raise DataError(expected + "a token stands in it twice")
        if made.unknown is not None and made.unknown not in made.counts:
            raise DataError(expected + f"the token for the unknown, {made.unknown!r}, is not in it")
        return made


def pad(
    sequences: Sequence[Any],
    length: int | None = None,
    value: float = 0,
    side: str = "right",
) -> Array:
    """Lay sequences of different length on top of one another, filled up to one length.

    Args:
        sequences: lists or arrays with one axis.
        length: how long each becomes; longer ones are cut. By default as long as the longest.
        value: what is filled in.
        side: "right" fills (and cuts) at the end, "left" at the beginning.

    Returns:
        An array (number of sequences, length).

    >>> from pellucid.data import pad
    >>> pad([[1, 2], [3]], side="left").tolist()
    [[1, 2], [0, 3]]
    """
    if side not in ("left", "right"):
        raise ArgumentError(f'side is {side!r}; it can be "left" or "right"')
    if length is not None and length < 0:
        raise ArgumentError(f"length is {length}; a sequence is at least 0 long")
    rows = [np.asarray(s) for s in sequences]
    if any(row.ndim != 1 for row in rows):
        raise ShapeError("pad takes sequences with one axis; nested ones cannot be filled up")
    width = max((len(row) for row in rows), default=0) if length is None else length
    filled = [row for row in rows if len(row)]
    dtype = np.result_type(*filled) if filled else np.dtype(np.int64)
    padded = np.full(
        (len(rows), width), value, dtype=np.result_type(dtype, np.min_scalar_type(value))
    )
    for line, row in zip(padded, rows, strict=True):
        n = min(len(row), width)
        if side == "right":
            line[:n] = row[:n]
        elif n:
            line[-n:] = row[-n:]
    return padded


class Windows(Dataset):
    """A long text for a language model: cut into streams side by side, read a window at a time.

    Stream i of a window goes on where stream i of the window before it ended, so a network can
    carry its state from window to window while it learns within one (truncated backpropagation
    through time).

    Args:
        tokens: the numbers of a running text, one axis.
        streams: how many pieces the text is cut into; they are read at the same time.
        steps: how many tokens of each stream are in a window.

    An item is a pair (inputs, targets), each (streams, steps); targets are one token ahead. Tokens
    that do not fill a window are left out.

    >>> from pellucid.data import Windows
    >>> inputs, targets = Windows(range(14), streams=2, steps=3)[1]
    >>> inputs.tolist(), targets.tolist()
    ([[3, 4, 5], [9, 10, 11]], [[4, 5, 6], [10, 11, 12]])
    """

    def __init__(self, tokens: Any, streams: int, steps: int) -> None:
        text = np.asarray(tokens)
        if text.ndim != 1:
            raise ShapeError(f"a running text has one axis, and these tokens are {text.shape}")
        if streams < 1 or steps < 1:
            raise ArgumentError(f"streams ({streams}) and steps ({steps}) are at least 1")
        each = (len(text) - 1) // streams
        self.windows, self.streams, self.steps = each // steps, streams, steps
        if not self.windows:
            raise ArgumentError(
                f"{len(text)} tokens in {streams} streams do not fill one window of {steps} steps; "
                f"{streams * steps + 1} are needed"
            )
        self.inputs: Array = text[: streams * each].reshape(streams, each)
        self.targets: Array = text[1 : streams * each + 1].reshape(streams, each)

    def __len__(self) -> int:
        return self.windows

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        if not -self.windows <= index < self.windows:
            raise IndexError(f"window {index} of {self.windows}")
        start = index % self.windows * self.steps
        here = slice(start, start + self.steps)
        return self.inputs[:, here].copy(), self.targets[:, here].copy()
