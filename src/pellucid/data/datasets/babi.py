"""bAbI: little stories with questions, in twenty kinds (Weston et al., 2015)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from ...errors import ArgumentError, DataError
from .. import sources
from ..archive import members
from .pictures import or_stand_in

ARCHIVE = "babi-tasksv11-en.tar.gz"


@dataclass(frozen=True)
class Question:
    """A question within a story.

    Attributes:
        text: what is asked.
        answer: the answer, usually one word.
        support: the numbers of the story's lines that the answer follows from.
        line: the question's own line number; what stands after it is not known yet.
    """

    text: str
    answer: str
    support: tuple[int, ...]
    line: int


@dataclass
class Story:
    """One story: its sentences by line number, and its questions."""

    sentences: dict[int, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)


@dataclass(frozen=True)
class Stories:
    """One file of bAbI.

    Attributes:
        name: "babi".
        task: which of the twenty kinds.
        lines: the file's lines as they are, numbers and tabs included.
        source: where it came from: "PELLUCID_DATA", "cache", "download" or "generator".
        announce: what a person should be told about it; empty where it is what was asked for.
    """

    name: str
    task: int
    lines: list[str] = field(repr=False)
    source: str
    announce: str = ""

    @property
    def stories(self) -> list[Story]:
        """The lines, taken apart."""
        return parse(self.lines, self.name)

    @property
    def stands_in(self) -> bool:
        """Whether this is a stand-in for what was asked for."""
        return bool(self.announce)

    def __len__(self) -> int:
        return len(self.lines)


def babi(
    task: int = 1,
    split: str = "train",
    *,
    stand_in: bool = False,
    download: bool = True,
    quiet: bool = False,
) -> Stories:
    """The stories of one task, 1,000 questions each to learn from and to test with.

    Args:
        task: 1 to 20; 1 is "who is where".
        split: "train" or "test".
        stand_in: where bAbI cannot be had, make up stories of the same kind (task 1
            only), and say so.
        download: fetch it where it is not on this machine.
        quiet: announce nothing; `announce` of the result still has the words.

    Raises:
        ArgumentError: there is no such task or split, or no stand-in for it.
        DownloadError: it is not on this machine and could not be fetched.
        DataError: the archive is not what it should be.
    """
    if not 1 <= task <= 20 or split not in ("train", "test"):
        raise ArgumentError(
            f'task is {task} and split {split!r}; there are tasks 1 to 20, "train" and "test"'
        )
    if stand_in and task != 1:
        raise ArgumentError(f"only task 1 has a stand-in, not task {task}")

    def wanted() -> Stories:
        (path,), origin = sources.obtain("babi", ARCHIVE, download=download, progress=not quiet)
        return Stories("babi", task, read(path, task, split), origin)

    def instead(title: str) -> Stories:
        return Stories(
            "babi",
            1,
            made_up(seed=1 if split == "train" else 2),
            "generator",
            f"{title} is not at hand, so made-up stories of the same kind stand in for it",
        )

    return cast(Stories, or_stand_in(wanted, instead if stand_in else None, "bAbI", quiet))


# ------------------------------------------------------------------------------ reading the archive


def read(path: str | os.PathLike[str], task: int, split: str) -> list[str]:
    """The lines of one file in the archive.

    Raises:
        DataError: it is no such archive, or the file is not in it or no plain text.
    """
    names = rf"tasksv11/en/qa{task}_[^/]*_{split}\.txt"
    found = dict(members(path, names, "the archive of bAbI v1.1"))
    for match, content in found.items():
        return _lines(content, f"{path}: {match[0]}")
    raise DataError(
        f"{path} has no file tasksv11/en/qa{task}_..._{split}.txt in it: expected the archive of "
        "bAbI v1.1, English"
    )


def _lines(content: bytes, where: str) -> list[str]:
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: byte {error.start} is no plain letter; the file is damaged"
        ) from None
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def parse(lines: list[str], where: str = "bAbI") -> list[Story]:
    """Take the lines of a file apart.

    A line is `number sentence`, or `number question <tab> answer <tab> numbers`. The numbers
    begin at 1 again with each story.

    Raises:
        DataError: a line has another form.
    """
    stories: list[Story] = []
    expected = 1
    for place, line in enumerate(lines, start=1):
        begin, _, rest = line.partition(" ")
        number = int(begin) if begin.isascii() and begin.isdecimal() and len(begin) < 9 else 0
        if number == 1:
            stories.append(Story())
        elif number != expected or not stories:
            raise DataError(
                f"{where} line {place}: expected the number 1 or {expected} and a sentence, "
                f"found {line!r}"
            )
        expected = number + 1
        _add(stories[-1], number, rest, f"{where} line {place}")
    return stories


def _add(story: Story, number: int, rest: str, where: str) -> None:
    fields = rest.split("\t")
    if len(fields) == 1:
        story.sentences[number] = rest.strip()
        return
    support = fields[-1].split()
    earlier = {str(n) for n in story.sentences}
    if len(fields) != 3 or not set(support) <= earlier:
        raise DataError(
            f"{where}: a question has three parts (question, answer, numbers of earlier lines), "
            f"found {rest!r}"
        )
    story.questions.append(
        Question(fields[0].strip(), fields[1].strip(), tuple(int(n) for n in support), number)
    )


# ------------------------------------------------------------------------------------ the stand-in

PEOPLE = ("Anna", "Ben", "Clara", "David")
PLACES = ("attic", "cellar", "garden", "library", "stable", "workshop")
WAYS = ("walked to", "ran to", "returned to", "moved to", "hurried to")


def made_up(stories: int = 200, seed: int = 1) -> list[str]:
    """Stories in the form of task 1: two sentences about who goes where, then a question.

    The truth behind them is simple, so that what a network learned can be checked: everybody is
    where they went last.

    Args:
        stories: how many, with five questions each.
        seed: the same seed makes the same stories.
    """
    dice = np.random.Generator(np.random.SFC64(seed))
    lines: list[str] = []
    for _ in range(stories):
        last: dict[str, tuple[str, int]] = {}
        for number in range(1, 16):
            if number % 3:
                who, how = PEOPLE[dice.integers(len(PEOPLE))], WAYS[dice.integers(len(WAYS))]
                where = PLACES[dice.integers(len(PLACES))]
                last[who] = where, number
                lines.append(f"{number} {who} {how} the {where}.")
            else:
                who = list(last)[dice.integers(len(last))]
                lines.append(f"{number} Where is {who}? \t{last[who][0]}\t{last[who][1]}")
    return lines
