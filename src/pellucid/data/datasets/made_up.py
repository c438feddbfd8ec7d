"""Reviews and mails made up by small generators, whose truth is known.

What a network learned from texts that people wrote can only be judged; what it learned from these
can be checked, word by word. The truth is the same for both kinds: some words speak for one class,
some for the other, most for neither, and a text belongs to the class that more of its words speak
for. No single word gives it away, and no word stands in a text twice among those that count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ArgumentError
from .labelled import LabelledTexts, in_turn

PRAISE = (
    "beautiful", "brilliant", "charming", "clever", "delightful", "funny", "gripping", "moving",
    "superb", "touching", "witty", "wonderful",
)  # fmt: skip
BLAME = (
    "awful", "boring", "clumsy", "dreadful", "dull", "feeble", "lame", "pointless", "silly",
    "terrible", "tiresome", "weak",
)  # fmt: skip
ABOUT = (
    "acting", "camera", "cast", "dialogue", "ending", "music", "opening", "plot", "script", "story",
)  # fmt: skip
SAYING = (
    "The {about} was {opinion}.",
    "I found the {about} {opinion}.",
    "The {about}? Quite {opinion}.",
    "Everybody called the {about} {opinion}.",
)
ASIDES = ("We saw it on a Friday.", "It takes two hours.", "It rained outside.", "I sat in front.")

LURES = (
    "bargain", "cash", "cheap", "click", "discount", "free", "guarantee", "lottery", "millions",
    "offer", "prize", "winner",
)  # fmt: skip
WORK = (
    "agenda", "attached", "budget", "colleague", "contract", "draft", "meeting", "minutes",
    "project", "report", "schedule", "thanks",
)  # fmt: skip
SMALL_TALK = (
    "about", "again", "also", "and", "before", "but", "call", "every", "from", "give", "good",
    "have", "here", "hope", "in", "know", "last", "let", "many", "me", "more", "new", "next", "now",
    "of", "please", "read", "see", "send", "some", "take", "that", "the", "them", "there", "this",
    "time", "to", "today", "week", "well", "with", "you", "your",
)  # fmt: skip


def made_up_reviews(count: int = 2000, seed: int = 1, announce: str = "") -> LabelledTexts:
    """Reviews of a few sentences, positive (1) and negative (0) in turn.

    The truth behind them: a review is positive exactly when it has more words of `PRAISE` than of
    `BLAME`. All of these words appear in the same places ("The plot was dull."), so a network that
    fills in blanks finds them alike, and one that learns the labels tells the two kinds apart.

    Args:
        count: how many.
        seed: the same seed makes the same reviews.
        announce: what they stand in for.

    Returns:
        The reviews; `truth` has 1 for each word of praise and -1 for each word of blame.

    >>> from pellucid.data import datasets
    >>> reviews = datasets.made_up_reviews(2)
    >>> [sum(reviews.truth.get(word, 0) for word in words) > 0 for words in reviews.words]
    [True, False]
    """

    def review(dice: np.random.Generator, more: Sequence[str], fewer: Sequence[str]) -> str:
        sentences = [
            SAYING[dice.integers(len(SAYING))].format(about=about, opinion=opinion)
            for about, opinion in zip(
                dice.permutation(ABOUT), _opinions(dice, more, fewer), strict=False
            )
        ]
        sentences.insert(int(dice.integers(len(sentences) + 1)), ASIDES[dice.integers(len(ASIDES))])
        return " ".join(sentences)

    dice = _dice(count, seed)
    positive = [review(dice, PRAISE, BLAME) for _ in range((count + 1) // 2)]
    negative = [review(dice, BLAME, PRAISE) for _ in range(count // 2)]
    texts, labels = in_turn({1: positive, 0: negative})
    truth = dict.fromkeys(PRAISE, 1) | dict.fromkeys(BLAME, -1)
    classes = ("negative", "positive")
    return LabelledTexts("made-up reviews", texts, labels, classes, "generator", announce, truth)


def made_up_mails(count: int = 2000, seed: int = 1, announce: str = "") -> LabelledTexts:
    """Short mails, spam (1) and ham (0) in turn: a subject, then words in no order.

    The truth behind them: a mail is spam exactly when it has more words of `LURES` than of `WORK`.

    Args:
        count: how many.
        seed: the same seed makes the same mails.
        announce: what they stand in for.

    Returns:
        The mails; `truth` has 1 for each word that lures and -1 for each word of work.

    >>> from pellucid.data import datasets
    >>> mails = datasets.made_up_mails(2)
    >>> [sum(mails.truth.get(word, 0) for word in words) > 0 for words in mails.words]
    [True, False]
    """

    def mail(dice: np.random.Generator, more: Sequence[str], fewer: Sequence[str]) -> str:
        talk = dice.choice(SMALL_TALK, size=int(dice.integers(10, 30)))
        words = dice.permutation([*_opinions(dice, more, fewer), *talk]).tolist()
        return f"Subject: {' '.join(words[:3])}\n{' '.join(words[3:])}\n"

    dice = _dice(count, seed)
    spam = [mail(dice, LURES, WORK) for _ in range((count + 1) // 2)]
    ham = [mail(dice, WORK, LURES) for _ in range(count // 2)]
    texts, labels = in_turn({1: spam, 0: ham})
    truth = dict.fromkeys(LURES, 1) | dict.fromkeys(WORK, -1)
    return LabelledTexts(
        "made-up mails", texts, labels, ("ham", "spam"), "generator", announce, truth
    )


def _dice(count: int, seed: int) -> np.random.Generator:
    if count < 0:
        raise ArgumentError(f"count is {count}; it is at least 0")
    return np.random.Generator(np.random.SFC64(seed))


def _opinions(dice: np.random.Generator, more: Sequence[str], fewer: Sequence[str]) -> list[str]:
    """Three, five or seven different words, most of them of one kind."""
    total = 3 + 2 * int(dice.integers(3))
    majority = int(dice.integers(total // 2 + 1, total + 1))
    chosen = [*dice.permutation(more)[:majority], *dice.permutation(fewer)[: total - majority]]
    return [str(word) for word in dice.permutation(chosen)]
