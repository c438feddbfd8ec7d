"""Vectors of words: who is near to whom, sums and differences of words, and where they are kept.

What an experiment of chapter 11 has learned is kept in a file, in `vectors` beside the fetched
datasets (PELLUCID_CACHE, or the system's usual place), so that the experiments after it need not
learn it again. A file says with which settings and from which data it was learned; where others are
wanted, they are learned and take its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data import Vocabulary, sources
from pellucid.errors import ArgumentError, DataError
from pellucid.io import tensors

from .result import Array


@dataclass(frozen=True)
class Words:
    """A vector for each word of a vocabulary.

    Args:
        names: the words.
        vectors: a row for each, (words, size).
        known: which of them may be named as neighbours: those met often enough to have been learned.
    """

    names: Vocabulary
    vectors: Array
    known: Array

    @cached_property
    def unit(self) -> Array:
        """The vectors divided by their lengths: all of length 1, (words, size)."""
        lengths = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        return self.vectors / np.maximum(lengths, np.finfo(self.vectors.dtype).tiny)

    @cached_property
    def multiplied(self) -> Array:
        """As published: the vectors *times* their squared lengths, so long ones get far longer."""
        return self.vectors * np.sum(self.vectors * self.vectors, axis=1, keepdims=True)

    def cosines(self, query: Array) -> Array:
        """How nearly each word points where the query does: 1 for the same direction, 0 for none."""
        return self.unit @ (query / max(float(np.linalg.norm(query)), 1e-300))

    def distances(self, query: Array) -> Array:
        """How far each word lies from the query."""
        return np.linalg.norm(self.vectors - query, axis=1)

    def best(self, scores: Array, many: int, but: Sequence[str] = ()) -> list[str]:
        """The known words with the highest scores, the best first."""
        scores = np.where(self.known, scores, -np.inf)
        scores[[self.names[word] for word in but]] = -np.inf
        first = np.argsort(-scores, kind="stable")[:many]
        return self.names.decode(first[np.isfinite(scores[first])])

    def nearest(self, word: str, many: int = 10) -> list[str]:
        """The words that point most nearly where this one does."""
        return self.best(self.cosines(self.vectors[self.names[word]]), many, but=[word])

    def closest(self, word: str, many: int = 10) -> list[str]:
        """As published: the words that lie closest, long vectors or short."""
        return self.best(-self.distances(self.vectors[self.names[word]]), many, but=[word])

    def solve(self, plus: Sequence[str], minus: Sequence[str], many: int = 10) -> list[str]:
        """`king - man + woman`: the words nearest to the sum; the question's own words do not count.

        The vectors are divided by their lengths before they are added, so each word has one vote.
        """
        query = sum(self.unit[self.names[w]] for w in plus)
        query = query - sum(self.unit[self.names[w]] for w in minus)
        return self.best(self.cosines(query), many, but=[*plus, *minus])

    def solve_as_published(
        self, plus: Sequence[str], minus: Sequence[str], many: int = 10
    ) -> list[str]:
        """The same as it was published, with the lengths multiplied, and the first answer dropped.

        It was taken for one of the question's own words.
        """
        query = sum(self.multiplied[self.names[w]] for w in plus)
        query = query - sum(self.multiplied[self.names[w]] for w in minus)
        return self.best(-self.distances(query), many + 1)[1:]


def question(text: str, names: Vocabulary) -> tuple[list[str], list[str]]:
    """The words added and the words taken away in `king - man + woman`.

    Raises:
        ArgumentError: it is no such sum, or one of its words is not in the vocabulary.

    >>> question("terrible - bad + good", Vocabulary(["good", "bad", "terrible"]))
    (['terrible', 'good'], ['bad'])
    """
    parts = f"+ {text.strip().lower()}".split()
    signs, words = parts[0::2], parts[1::2]
    if len(signs) != len(words) or len(words) < 2 or not {*signs} <= {"+", "-", "−", "–"}:
        raise ArgumentError(
            f"{text!r} is no sum of words; write it with blanks: king - man + woman"
        )
    for word in words:
        if word not in names:
            raise ArgumentError(
                f"{word!r} does not occur in these reviews; take another word. "
                f"{len(names):,} do, in small letters"
            )
    pairs = list(zip(signs, words, strict=True))
    return [w for sign, w in pairs if sign == "+"], [w for sign, w in pairs if sign != "+"]


# ------------------------------------------------------------------------------------ keeping them


def folder() -> Path:
    """Where vectors are kept."""
    return sources.cache() / "vectors"


def kept(name: str, settings: dict[str, Any], learn: Callable[[], Array]) -> Array:
    """Vectors learned with these settings, from their file if there is one; else learned, and kept.

    Args:
        name: what was learned ("11.6 corrected").
        settings: all that the result depends on.
        learn: learns them.
    """
    path, wanted = _place(name, settings)
    with suppress(DataError, OSError):
        arrays, said = tensors.read(path)
        if said.get("settings") == wanted:
            return arrays["vectors"]
    return keep(name, settings, learn())


def keep(name: str, settings: dict[str, Any], vectors: Array) -> Array:
    """Write vectors to their file; where nothing can be written, they are not kept."""
    path, wanted = _place(name, settings)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors.write({"vectors": vectors}, path, {"settings": wanted})
    return vectors


def _place(name: str, settings: dict[str, Any]) -> tuple[Path, str]:
    file = f"{name.replace(' ', '-')}.safetensors"
    return folder() / file, json.dumps(settings, sort_keys=True)
