"""Data that a reader brings: a table, a folder of images, a text. Bounded, checked, and refused with a
reason in the reader's language.

What is refused is said by a sentence of `texts/<language>/own-data.toml`.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..book.refusal import Refusal
from . import texts

Array = Any

FEWEST, ROWS = 10, 5000  # examples
CLASSES = 20
LABEL = 40  # characters
CHARACTERS, COLUMNS = 400_000, 100  # of a table
SIDE, IMAGES, FEWEST_OF_EACH = 28, 800, 4
LINE, LINES = 1000, 100_000  # characters of a line, and of all lines
WORDS = 400  # that are told apart
LETTERS, FEWEST_LETTERS, SYMBOLS = 12_000, 100, 500
BEFORE = 12  # characters that the next one is foretold from
TESTS = 400  # of a text

SEEN = {" ": "␣", "\n": "⏎", "\t": "⇥"}  # how characters without ink are shown


@dataclass(frozen=True)
class Known:
    """Examples to learn from, and others to test with.

    Attributes:
        inputs, targets: (n, ...) numbers, and (n,) classes.
        test_inputs, test_targets: the others.
        classes: what the classes are called.
        columns: what the inputs of a table are called.
        vocabulary: the words or characters of a text; for a word, its place among the inputs, for a
            character, its number.
        lines, test_lines: lines of text as they were, where they are what is learned from.
        text: a text as it was, where its next character is to be foretold.
    """

    inputs: Array
    targets: Array
    test_inputs: Array
    test_targets: Array
    classes: tuple[str, ...]
    columns: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    test_lines: tuple[str, ...] = ()
    text: str = ""


def refused(language: str, key: str, **values: Any) -> Refusal:
    """Why something is not taken, in the reader's language."""
    return Refusal("said", said=texts.sentence(language, "own-data", key, values))


def testing(count: int) -> tuple[Array, Array]:
    """Which examples are to learn from, and every fourth, to test with.

    Files are often sorted, so they are shuffled first.
    """
    order = np.random.RandomState(0).permutation(count)
    every_fourth = np.arange(count) % 4 == 3
    return order[~every_fourth], order[every_fourth]


def divided(
    inputs: Array, targets: Array, classes: tuple[str, ...], columns: tuple[str, ...] = ()
) -> Known:
    """Some to learn from, and others to test with."""
    learn, test = testing(len(inputs))
    return Known(inputs[learn], targets[learn], inputs[test], targets[test], classes, columns)


# ------------------------------------------------------------------------------------------ a table


def from_csv(text: str, language: str = "en") -> Known:
    """A table whose last column is the class: a word or a whole number.

    Raises:
        Refusal: it is too large, too small, has cells that are no numbers, or no classes; the
            message says where.
    """
    if len(text) > CHARACTERS:
        raise refused(language, "table-long", count=len(text), most=CHARACTERS)
    try:
        rows = [row for row in csv.reader(io.StringIO(text.strip())) if row]
    except csv.Error:
        raise refused(language, "table-quote") from None
    if not rows:
        raise refused(language, "table-empty")
    width = len(rows[0])
    if not 2 <= width <= COLUMNS + 1:
        raise refused(language, "table-columns", count=width, most=COLUMNS + 1)
    for line, row in enumerate(rows, 1):
        if len(row) != width:
            raise refused(language, "table-ragged", line=line, count=len(row), first=width)
    headed = not all(_is_number(cell) for cell in rows[0][:-1])
    names, body = rows[0] if headed else [], rows[headed:]
    if not FEWEST <= len(body) <= ROWS:
        raise refused(language, "table-rows", count=len(body), fewest=FEWEST, most=ROWS)
    for line, row in enumerate(body, 1 + headed):
        for column, cell in enumerate(row[:-1], 1):
            if not _is_number(cell):
                cell = cell.strip()[:LABEL]
                raise refused(language, "table-number", line=line, column=column, cell=cell)
    labels = [row[-1].strip() for row in body]
    classes = _classes(labels, language, "table-classes")
    columns = tuple(name.strip()[:LABEL] for name in names[:-1]) or tuple(
        texts.sentence(language, "own-data", "column", {"number": n + 1}) for n in range(width - 1)
    )
    inputs = np.array([[float(cell) for cell in row[:-1]] for row in body])
    return divided(inputs, _numbers(labels, classes), classes, columns)


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _classes(labels: list[str], language: str, refusal: str) -> tuple[str, ...]:
    classes = tuple(dict.fromkeys(labels))
    if not 2 <= len(classes) <= CLASSES:
        raise refused(language, refusal, count=len(classes), most=CLASSES)
    if too_long := [name for name in classes if not 0 < len(name) <= LABEL]:
        raise refused(language, "label", label=too_long[0][:LABEL], most=LABEL)
    return classes


def _numbers(labels: list[str], classes: tuple[str, ...]) -> Array:
    number = {name: n for n, name in enumerate(classes)}
    return np.array([number[label] for label in labels], dtype=np.int64)


# --------------------------------------------------------------------------------- a folder of images


def from_images(names: list[str], kinds: list[int], pixels: str, language: str = "en") -> Known:
    """Images that the page has made small, square and grey; to learn from, 0 is white and 1 black.

    Args:
        names: of the subfolders: these are the labels.
        kinds: for each image, the number of its label.
        pixels: for each image, 28 x 28 bytes from 0 (black) to 255 (white), in base64.
        language: of what is said where they are refused.

    Raises:
        Refusal: there are too many or too few of them, fewer than two labels, or not the pixels
            that are promised.
    """
    if not names or not kinds:
        raise refused(language, "images-folders")
    if len(names) == 1:
        raise refused(language, "images-one", label=names[0][:LABEL])
    if len(kinds) > IMAGES:
        raise refused(language, "images-many", count=len(kinds), most=IMAGES)
    if not all(0 <= kind < len(names) for kind in kinds) or len(set(names)) < len(names):
        raise refused(language, "images-broken", side=SIDE)
    classes = _classes(names, language, "images-labels")
    for kind, label in enumerate(classes):
        if (count := kinds.count(kind)) < FEWEST_OF_EACH:
            raise refused(language, "images-few", label=label, count=count, fewest=FEWEST_OF_EACH)
    try:
        raw = base64.b64decode(pixels, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != len(kinds) * SIDE * SIDE:
        raise refused(language, "images-broken", side=SIDE)
    ink = 1 - np.frombuffer(raw, np.uint8).reshape(-1, 1, SIDE, SIDE) / 255
    return divided(ink, np.array(kinds, dtype=np.int64), classes)


# -------------------------------------------------------------------------------------------- a text


def words_of(line: str) -> list[str]:
    """The words of a line, in small letters; of Chinese, each character."""
    return re.findall(
        r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+", line.lower()
    )


def from_lines(text: str, language: str = "en") -> Known:
    """One example a line: a label, a tab or a colon, and what is to be sorted.

    An example is a bag of words: for each word of the vocabulary, how often it occurs. The vocabulary
    are the most frequent words of the lines to learn from.

    Raises:
        Refusal: a line has no label or is too long, there are too many or too few of them, fewer
            than two labels, or no words.
    """
    if len(text) > LINES:
        raise refused(language, "text-long", count=len(text), most=LINES)
    labels, lines = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        label, said = _split(line)
        if not (label and said):
            raise refused(language, "line-label", line=number)
        if len(line) > LINE:
            raise refused(language, "line-long", line=number, count=len(line), most=LINE)
        labels.append(label)
        lines.append(said)
    if not FEWEST <= len(lines) <= ROWS:
        raise refused(language, "lines", count=len(lines), fewest=FEWEST, most=ROWS)
    classes = _classes(labels, language, "lines-classes")
    learn, test = testing(len(lines))
    known, others = (tuple(lines[i] for i in chosen) for chosen in (learn, test))
    counted = Counter(word for line in known for word in words_of(line))
    vocabulary = tuple(sorted(word for word, _ in counted.most_common(WORDS)))
    if not vocabulary:
        raise refused(language, "no-words")
    targets = _numbers(labels, classes)
    return Known(
        bags(known, vocabulary), targets[learn], bags(others, vocabulary), targets[test], classes,
        vocabulary=vocabulary, lines=known, test_lines=others,
    )  # fmt: skip


def _split(line: str) -> tuple[str, str]:
    """Label and what is said: before and after the first tab, or else the first colon."""
    label, *rest = re.split("\t" if "\t" in line else "[:：]", line, maxsplit=1)
    return label.strip(), "".join(rest).strip()


def bags(lines: tuple[str, ...], vocabulary: tuple[str, ...]) -> Array:
    """For each line, how often each word occurs in it: (lines, words)."""
    place = {word: n for n, word in enumerate(vocabulary)}
    counts = np.zeros((len(lines), len(vocabulary)))
    for n, line in enumerate(lines):
        for word in words_of(line):
            if word in place:
                counts[n, place[word]] += 1
    return counts


def from_letters(text: str, language: str = "en") -> Known:
    """A text whose next character is to be foretold from the twelve before it.

    Inputs are the numbers of these characters, (n, 12). The last quarter of the text is for testing.

    Raises:
        Refusal: it is too long or too short, or has too many different characters.
    """
    text = text.strip().replace("\r\n", "\n")
    if not FEWEST_LETTERS <= len(text) <= LETTERS:
        asked = {"count": len(text), "fewest": FEWEST_LETTERS, "most": LETTERS}
        raise refused(language, "letters", **asked)
    symbols = tuple(sorted(set(text)))
    if not 2 <= len(symbols) <= SYMBOLS:
        raise refused(language, "symbols", count=len(symbols), most=SYMBOLS)
    ids = ids_of(text, symbols)
    inputs = np.lib.stride_tricks.sliding_window_view(ids[:-1], BEFORE).copy()
    targets = ids[BEFORE:]
    learn = 3 * len(targets) // 4
    test = np.unique(np.linspace(learn, len(targets) - 1, TESTS).astype(int))
    return Known(
        inputs[:learn], targets[:learn], inputs[test], targets[test],
        tuple(SEEN.get(c, c) for c in symbols), vocabulary=symbols, text=text,
    )  # fmt: skip


def ids_of(text: str, symbols: tuple[str, ...]) -> Array:
    """The numbers of the characters of a text; those that are unknown are left out."""
    number = {c: n for n, c in enumerate(symbols)}
    return np.array([number[c] for c in text if c in number], dtype=np.int64)


def from_text(text: str, task: str, language: str = "en") -> Known:
    """A text as lines to be sorted, or as letters to go on with."""
    return (from_lines if task == "lines" else from_letters)(text, language)
