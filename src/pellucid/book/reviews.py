"""Film reviews as numbers of words: what chapters 11 and 12 read, and what a count says of a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain

import numpy as np

from pellucid.data import Vocabulary, datasets, sources
from pellucid.data.datasets.imdb import ARCHIVE

from .result import Array, Result

CLEAR = 4.0  # standard deviations: by chance, one word in 16,000 leans so far to one side


@dataclass(frozen=True)
class Reviews:
    """Reviews, positive and negative in turn, as the numbers of their words.

    Attributes:
        name: which dataset this is.
        words: the vocabulary, the most frequent word first.
        numbers: the words of all reviews, one review after the other, int32.
        starts: where each review begins, and where the last one ends, (reviews + 1).
        labels: 1 for a positive review, 0 for a negative one.
        truth: for made-up reviews, what each word speaks for: 1 or -1.
    """

    name: str
    words: Vocabulary
    numbers: Array
    starts: Array
    labels: Array
    truth: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, review: int) -> Array:
        """The words of one review, in order."""
        return self.numbers[self.starts[review] : self.starts[review + 1]]

    @cached_property
    def bags(self) -> list[Array]:
        """The different words of each review, each once."""
        return [np.unique(self[n]) for n in range(len(self))]

    @cached_property
    def counts(self) -> Array:
        """How often each word occurs in all reviews."""
        return np.bincount(self.numbers, minlength=len(self.words))

    @cached_property
    def kinds(self) -> Array:
        """In how many negative and how many positive reviews each word occurs, (2, words)."""
        both = np.zeros((2, len(self.words)), np.int64)
        for bag, label in zip(self.bags, self.labels, strict=True):
            both[label, bag] += 1
        return both

    @cached_property
    def lean(self) -> Array:
        """To which side each word leans, in standard deviations: above 0 to the positive reviews.

        A word that says nothing is met in either kind as heads and tails are met: among n reviews,
        the two differ by about the square root of n.
        """
        negative, positive = self.kinds
        return (positive - negative) / np.sqrt(np.maximum(positive + negative, 1))

    @property
    def opinion(self) -> Array:
        """1 for each word that clearly leans to the positive reviews, -1 to the negative ones, or 0."""
        return np.sign(self.lean) * (np.abs(self.lean) >= CLEAR)


def reviews(result: Result) -> Reviews:
    """The 25,000 reviews of IMDB to learn from; where they are not to be had, made-up ones, announced."""
    found = _read(sources.find("imdb", ARCHIVE))
    if found.truth:
        result.stand_in("IMDB", "made-up reviews")
    return found


@cache
def _read(place: object) -> Reviews:
    """As numbers, once for every place they may be at."""
    read = datasets.imdb(stand_in=True, quiet=True)
    words = Vocabulary(chain.from_iterable(read.words), specials=(), unknown=None)
    numbers = [words.encode(review).astype(np.int32) for review in read.words]
    starts = np.cumsum([0, *map(len, numbers)])
    return Reviews(read.name, words, np.concatenate(numbers), starts, read.labels, read.truth)
