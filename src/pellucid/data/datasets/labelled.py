"""What the datasets of labelled texts have in common."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest

import numpy as np

from ...errors import ArgumentError
from ..dataset import Array
from ..text import tokenize


@dataclass(frozen=True)
class LabelledTexts:
    """Texts with a class each.

    Attributes:
        name: which dataset this is ("imdb", "enron").
        texts: the texts as they were written.
        labels: (count,), int64, the class of each text.
        classes: what the classes are called.
        source: where it came from: "PELLUCID_DATA", "cache", "download", "generator", or a folder.
        announce: what a person should be told about it; empty where it is what was asked for.
        truth: for made-up texts, what each word speaks for: 1 or -1 (words that are not in it say
            nothing); empty for texts that people wrote.
    """

    name: str
    texts: list[str] = field(repr=False)
    labels: Array = field(repr=False)
    classes: tuple[str, ...]
    source: str
    announce: str = ""
    truth: Mapping[str, int] = field(default_factory=dict, repr=False)

    @cached_property
    def words(self) -> list[list[str]]:
        """Each text in small letters, cut into words and punctuation marks."""
        return [[*map(sys.intern, tokenize(text))] for text in self.texts]  # each word kept once

    @property
    def stands_in(self) -> bool:
        """Whether this is a stand-in for what was asked for."""
        return bool(self.announce)

    def __len__(self) -> int:
        return len(self.texts)

    def split(self, test: int) -> tuple[LabelledTexts, LabelledTexts]:
        """Texts to learn from, and texts to test with: the last ones, equally many of each class.

        Args:
            test: how many are for testing, all classes together.

        Raises:
            ArgumentError: the classes cannot have equally many, or have not so many.

        >>> from pellucid.data import datasets
        >>> train, test = datasets.made_up_reviews(10).split(test=4)
        >>> len(train), test.labels.tolist()
        (6, [1, 0, 1, 0])
        """
        each, left = divmod(test, len(self.classes))
        fewest = int(np.bincount(self.labels, minlength=len(self.classes)).min())
        if left or not 0 <= each <= fewest:
            raise ArgumentError(
                f"{test} texts to test with, equally many from each of the {len(self.classes)} "
                f"classes {' and '.join(self.classes)}: that has to be a multiple of "
                f"{len(self.classes)}, and the smallest class has {fewest:,}"
            )
        testing = np.zeros(len(self), dtype=bool)
        for label in range(len(self.classes)):
            (places,) = np.nonzero(self.labels == label)
            testing[places[len(places) - each :]] = True
        return self._part(~testing), self._part(testing)

    def _part(self, chosen: Array) -> LabelledTexts:
        texts = [text for text, wanted in zip(self.texts, chosen, strict=True) if wanted]
        return replace(self, texts=texts, labels=self.labels[chosen])


def in_turn(
    texts: Mapping[int, Sequence[str]], limit: int | None = None
) -> tuple[list[str], Array]:
    """One text of each class after the other, and their labels.

    What the larger classes have more comes at the end.

    Args:
        texts: the texts by label; the label that is named first begins.
        limit: only so many, from the front.
    """
    rounds = zip_longest(*([(text, label) for text in many] for label, many in texts.items()))
    pairs = [pair for turn in rounds for pair in turn if pair is not None][:limit]
    return [text for text, _ in pairs], np.array([label for _, label in pairs], dtype=np.int64)
