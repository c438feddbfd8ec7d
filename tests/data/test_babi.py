"""bAbI: the archive is read, bad ones are named for what they are, the stand-in is true."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data import datasets
from pellucid.data.datasets.babi import ARCHIVE, made_up, parse, read
from pellucid.errors import ArgumentError, DataError, DownloadError

STORY = b"1 Mary went home.\n2 Where is Mary? \thome\t1\n1 Ben ran.\n"
NAME = "tasksv11/en/qa1_single-supporting-fact_train.txt"


def archive(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return whole.getvalue()


def put(folder: Path, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARCHIVE).write_bytes(content)
    return folder / ARCHIVE


def test_lines_and_stories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "babi", archive({NAME: STORY}))
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path))
    found = datasets.babi(task=1)
    assert found.lines == ["1 Mary went home.", "2 Where is Mary? \thome\t1", "1 Ben ran."]
    assert (found.source, found.announce, len(found)) == ("PELLUCID_DATA", "", 3)
    first, second = found.stories
    assert first.sentences == {1: "Mary went home."}
    (question,) = first.questions
    assert (question.text, question.answer, question.support) == ("Where is Mary?", "home", (1,))
    assert second.sentences == {1: "Ben ran."}


def test_task_1_is_not_task_10(tmp_path: Path) -> None:
    ten = "tasksv11/en/qa10_indefinite-knowledge_train.txt"
    path = put(tmp_path, archive({ten: b"1 Ten.\n", NAME: STORY}))
    assert read(path, 10, "train") == ["1 Ten."]
    assert len(read(path, 1, "train")) == 3


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Mary went home.", "line 1: expected the number 1 or 1"),
        ("2 Mary went home.", "expected the number 1 or 1"),
        ("1 Where?\thome", "three parts"),
        ("1 Where?\thome\t7", "three parts"),
        ("1 Where?\thome\t1", "three parts"),
    ],
)
def test_lines_of_another_form(line: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        parse([line])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no archive", "damaged or no packed archive"),
        (b"", "damaged or no packed archive"),
        (archive({"other.txt": b"x"}), "has no file tasksv11/en/qa1_"),
        (archive({NAME: "1 Zoë".encode()}), "is no plain letter"),
        (archive({NAME: STORY * 500})[:-60], "damaged or no packed archive"),
    ],
)
def test_wrong_archives(content: bytes, words: str, tmp_path: Path) -> None:
    path = put(tmp_path, content)
    with pytest.raises(DataError, match=words) as caught:
        read(path, 1, "train")
    assert str(path) in caught.value.message


@given(
    content=st.binary(max_size=80)
    | st.text(max_size=60).map(lambda t: archive({NAME: t.encode()})),
    cut=st.integers(0, 40),
    change=st.tuples(st.integers(0, 79), st.integers(0, 255)),
)
def test_no_archive_at_all_breaks_the_reader(
    content: bytes, cut: int, change: tuple[int, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    spoilt = bytearray(content)
    if change[0] < len(spoilt):
        spoilt[change[0]] = change[1]
    path = put(tmp_path_factory.mktemp("babi"), bytes(spoilt[: len(spoilt) - cut]))
    try:
        stories = parse(read(path, 1, "train"))
    except DataError:
        return
    assert all(story.sentences or story.questions for story in stories)


@given(st.lists(st.text(alphabet="12 \tab", max_size=8), max_size=5))
def test_no_line_at_all_breaks_the_parser(lines: list[str]) -> None:
    try:
        parse(lines)
    except DataError:
        return
    assert all(line.partition(" ")[0].isdecimal() for line in lines)


# ------------------------------------------------------------------------------------ the stand-in


def test_made_up_stories_are_true() -> None:
    stories = parse(made_up(40, seed=3))
    assert len(stories) == 40
    for story in stories:
        assert len(story.questions) == 5
        for question in story.questions:
            who = question.text.removeprefix("Where is ").removesuffix("?")
            told = [
                n for n, s in story.sentences.items() if n < question.line and s.startswith(who)
            ]
            assert question.support == (told[-1],)
            assert story.sentences[told[-1]].endswith(f"the {question.answer}.")


def test_made_up_stories_follow_the_seed() -> None:
    assert made_up(5, seed=1) == made_up(5, seed=1) != made_up(5, seed=2)


def test_the_stand_in_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DownloadError, match="PELLUCID_OFFLINE"):
        datasets.babi()
    train, test = (
        datasets.babi(stand_in=True),
        datasets.babi(split="test", stand_in=True, quiet=True),
    )
    assert capsys.readouterr().err.count("bAbI is not at hand, so made-up stories") == 1
    assert train.stands_in
    assert len(train) == 3000
    assert train.lines != test.lines


def test_there_is_no_such_task() -> None:
    with pytest.raises(ArgumentError, match="tasks 1 to 20"):
        datasets.babi(task=21)
    with pytest.raises(ArgumentError, match="only task 1 has a stand-in"):
        datasets.babi(task=2, stand_in=True)
