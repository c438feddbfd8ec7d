"""Made-up texts: what is said about their hidden truth is true of every one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data import datasets
from pellucid.data.datasets import LabelledTexts
from pellucid.data.datasets.made_up import BLAME, LURES, PRAISE, SMALL_TALK, WORK
from pellucid.errors import ArgumentError

MAKERS = [datasets.made_up_reviews, datasets.made_up_mails]
Maker = Callable[..., LabelledTexts]

makers = pytest.mark.parametrize("make", MAKERS, ids=["reviews", "mails"])


@given(make=st.sampled_from(MAKERS), count=st.integers(0, 30), seed=st.integers(0, 2**32))
def test_the_label_is_what_more_of_the_words_speak_for(make: Maker, count: int, seed: int) -> None:
    made = make(count, seed=seed)
    assert len(made) == count
    assert made.labels.tolist() == [1, 0] * (count // 2) + [1] * (count % 2)
    for words, label in zip(made.words, made.labels, strict=True):
        balance = sum(made.truth.get(word, 0) for word in words)
        assert (balance > 0) == label
        assert balance != 0
        assert balance == sum(made.truth.get(word, 0) for word in set(words))


@makers
def test_the_seed_decides(make: Maker) -> None:
    assert make(5, seed=1).texts == make(5, seed=1).texts != make(5, seed=2).texts


@makers
def test_no_word_gives_it_away(make: Maker) -> None:
    """Each word that counts is met in both classes, more often in its own; others say nothing."""
    made = make(2000)
    met = [
        Counter(w for words, label in zip(made.words, made.labels, strict=True) if label == k
                for w in set(words))
        for k in (0, 1)
    ]  # fmt: skip
    for word in {*met[0], *met[1]}:
        against, for_it = met[0][word], met[1][word]
        kind = made.truth.get(word, 0)
        if kind:
            assert min(against, for_it) > 0
            assert kind * (for_it - against) > 100
        else:
            assert abs(for_it - against) < 6 * np.sqrt(for_it + against)


@makers
def test_the_truth_can_be_learned(make: Maker) -> None:
    """Least squares on bags of words finds the polarity of every word."""
    made = make(2000)
    words = sorted({word for text in made.words for word in text})
    place = {word: i for i, word in enumerate(words)}
    bags = np.zeros((len(made), len(words)))
    for bag, text in zip(bags, made.words, strict=True):
        bag[[place[word] for word in text]] = 1
    weights = np.linalg.lstsq(bags, 2 * made.labels - 1, rcond=None)[0]
    assert all(weights[place[word]] * sign > 0 for word, sign in made.truth.items())
    assert ((bags @ weights > 0) == made.labels).mean() > 0.9


def test_the_kinds_of_words_do_not_overlap() -> None:
    assert not {*PRAISE} & {*BLAME}
    assert not {*LURES} & {*WORK}
    assert not {*SMALL_TALK} & {*LURES, *WORK}
    assert all(text.startswith("Subject: ") for text in datasets.made_up_mails(20).texts)


@makers
def test_a_negative_count(make: Maker) -> None:
    with pytest.raises(ArgumentError, match="count is -1"):
        make(-1)
