"""Running texts: Shakespeare, its imitation, what Python carries, and a file of one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data import Windows, catalogue, datasets, sources
from pellucid.data.datasets import RunningText
from pellucid.data.datasets.shakespeare import IMITATION, PLAYS
from pellucid.errors import ArgumentError, DataError, DownloadError

PLAY = b"All:\nSpeak, speak.\n"


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As if the two texts were short ones."""
    files = [
        replace(file, bytes=len(PLAY) + i) for i, file in enumerate(catalogue.SHAKESPEARE.files)
    ]
    monkeypatch.setitem(
        sources.ALL, "shakespeare", replace(catalogue.SHAKESPEARE, files=tuple(files))
    )
    folder = tmp_path / "cache" / "shakespeare"
    folder.mkdir(parents=True)
    (folder / PLAYS).write_bytes(PLAY)
    (folder / IMITATION).write_bytes(PLAY + b"?")
    return folder


def test_two_texts(short: Path) -> None:
    plays, imitation = datasets.shakespeare(), datasets.shakespeare(imitation=True)
    assert (plays.text, imitation.text) == (PLAY.decode(), PLAY.decode() + "?")
    assert (plays.name, imitation.name) == ("shakespeare", "shakespeare-imitation")
    assert (plays.source, plays.announce, len(plays)) == ("cache", "", len(PLAY))


def test_one_text_is_enough(short: Path) -> None:
    (short / PLAYS).unlink()
    assert datasets.shakespeare(imitation=True).text.endswith("?")
    with pytest.raises(DownloadError) as caught:
        datasets.shakespeare()
    assert PLAYS in caught.value.message
    assert IMITATION not in caught.value.message.replace(catalogue.SHAKESPEARE.note, "")


def test_characters_have_numbers(short: Path) -> None:
    text = datasets.shakespeare()
    assert len(text.vocabulary) == len(set(PLAY))
    assert "".join(text.vocabulary.decode(text.numbers)) == text.text
    counts = np.bincount(text.numbers)
    assert (np.diff(counts) <= 0).all()
    inputs, targets = Windows(text.numbers, streams=2, steps=4)[0]
    assert inputs.shape == targets.shape == (2, 4)


@given(length=st.integers(2, 50), test=st.floats(-0.5, 1.5))
def test_dividing(length: int, test: float) -> None:
    text = RunningText("letters", ("ab" * length)[:length], "")
    try:
        front, end = text.split(test)
    except ArgumentError:
        assert not 2 <= length - int(length * test) <= length - 2
        return
    assert np.concatenate([front, end]).tolist() == text.numbers.tolist()
    assert len(end) == int(length * test)


def test_a_cut_or_spoilt_file(short: Path) -> None:
    (short / PLAYS).write_bytes(PLAY[:-3])
    with pytest.raises(DataError, match="expected 19 bytes, found 16") as caught:
        datasets.shakespeare()
    assert str(short / PLAYS) in caught.value.message
    (short / PLAYS).write_bytes(PLAY[:-1] + b"\xe9")
    with pytest.raises(DataError, match="byte 18 is no plain letter"):
        datasets.shakespeare()


def test_the_stand_in_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DownloadError, match="With stand_in=True, the pages that Python's own help"):
        datasets.shakespeare()
    text = datasets.shakespeare(stand_in=True)
    assert "so Python's own documentation stands in for it" in capsys.readouterr().err
    assert text.stands_in
    assert len(text) > 100_000


def test_python_without_its_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    text = datasets.python_documentation()
    assert len(text) > 10_000
    assert len(text.vocabulary) > 60
    assert not text.stands_in


def test_the_real_texts(real: Callable[[str], None]) -> None:
    real("shakespeare")
    plays, imitation = datasets.shakespeare(), datasets.shakespeare(imitation=True)
    assert (len(plays), len(plays.vocabulary)) == (1_115_394, 65)
    assert (len(imitation), len(imitation.vocabulary)) == (99_993, 62)


# ---------------------------------------------------------------------------- a file of one's own


@pytest.mark.parametrize(
    ("content", "encoding", "expected"),
    [
        (b"one\r\ntwo\rthree\n", "utf-8", "one\ntwo\nthree\n"),
        ("\ufeffnaïve".encode(), "UTF-8", "naïve"),
        ("白日依山尽".encode("gb18030"), "gb18030", "白日依山尽"),
        ("two".encode("utf-16"), "utf-16", "two"),
    ],
)
def test_a_file_of_one_s_own(content: bytes, encoding: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    found = datasets.text(path, encoding=encoding)
    assert (found.text, found.name, found.source) == (expected, "mine.txt", str(path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty; expected a text file"),
        (b"a", "is too short: 1 characters"),
        (b"aaaa", "1 of them different, so there is nothing to foretell"),
        (b"one\ntwo\ncaf\xe9", r"stops making sense at byte 11 \(line 3\)"),
        (b"one\0two", "character 4 is a zero"),
    ],
)
def test_files_that_are_no_text(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        datasets.text(path)
    assert str(path) in caught.value.message


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        datasets.text(tmp_path / "none.txt")
    with pytest.raises(DataError, match="is a folder"):
        datasets.text(tmp_path)
    (tmp_path / "mine.txt").write_text("text")
    with pytest.raises(ArgumentError, match="there is no encoding 'klingon'"):
        datasets.text(tmp_path / "mine.txt", encoding="klingon")


@given(
    content=st.binary(max_size=30),
    encoding=st.sampled_from(["utf-8", "utf-16", "gb18030", "latin-1", "ascii", "utf-7"]),
)
def test_no_file_at_all_breaks_the_reader(
    content: bytes, encoding: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("text") / "mine.txt"
    path.write_bytes(content)
    try:
        found = datasets.text(path, encoding=encoding)
    except DataError:
        return
    assert len(found.vocabulary) >= 2
