"""Enron-Spam: mails in an order that is always the same, and bad archives named for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data import datasets
from pellucid.data.datasets.enron import ARCHIVE, read
from pellucid.errors import ArgumentError, DataError, DownloadError

Pack = Callable[[Mapping[str, bytes]], bytes]

MAILS = {
    "enron1/Summary.txt": b"Legitimate",
    "enron1/ham/0002.1999-12-13.farmer.ham.txt": b"Subject: two\nsecond of one",
    "enron1/ham/0001.1999-12-10.farmer.ham.txt": b"Subject: one\r\nfirst of one",
    "enron1/spam/0006.2003-12-18.GP.spam.txt": b"Subject: caf\xe9\nfree",
    "enron2/ham/0001.1999-12-10.kaminski.ham.txt": b"Subject: three\nof two",
    "enron2/spam/0007.2003-12-18.GP.spam.txt": b"Subject: prize\na b c d e",
}


def put(folder: Path, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARCHIVE).write_bytes(content)
    return folder / ARCHIVE


@pytest.fixture
def small(pack: Pack, tmp_path: Path) -> None:
    put(tmp_path / "cache" / "enron", pack(MAILS))


def test_mails_in_turn_by_part_and_number(small: None) -> None:
    mails = datasets.enron(sets=(1, 2))
    assert mails.texts == [
        "Subject: café\nfree",
        "Subject: one\nfirst of one",
        "Subject: prize\na b c d e",
        "Subject: two\nsecond of one",
        "Subject: three\nof two",
    ]
    assert mails.labels.tolist() == [1, 0, 1, 0, 0]
    assert (mails.classes, mails.source) == (("ham", "spam"), "cache")
    assert mails.words[0] == ["subject", ":", "café", "free"]
    assert datasets.enron(sets=[2]).labels.tolist() == [1, 0]


def test_long_mails_are_left_out(small: None) -> None:
    assert len(datasets.enron(sets=(1, 2), fewer_than=9)) == 5
    shorter = datasets.enron(sets=(1, 2), fewer_than=8)
    assert shorter.labels.tolist() == [1, 0, 0, 0]
    assert max(len(set(words)) for words in shorter.words) == 6


def test_there_is_no_such_part() -> None:
    for wrong in ((), (7,)):
        with pytest.raises(ArgumentError, match="there are 1, 2, 3, 4, 5, 6"):
            datasets.enron(sets=wrong)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"other.txt": b"x"}, "has no file enron1/spam/NAME.txt"),
        ({**MAILS, "enron2/ham/0003.x.ham.txt": b"Hello"}, "should begin with 'Subject:'"),
        ({n: t for n, t in MAILS.items() if "enron2/ham" not in n}, "no file enron2/ham/NAME.txt"),
        ({"/" + name: text for name, text in MAILS.items()}, "has no file enron1/spam"),
    ],
)
def test_archives_with_other_things_in_them(
    files: dict[str, bytes], words: str, pack: Pack, tmp_path: Path
) -> None:
    path = put(tmp_path, pack(files))
    with pytest.raises(DataError, match=words) as caught:
        read(path, (1, 2))
    assert str(path) in caught.value.message


@given(cut=st.integers(1, 300))
def test_no_cut_goes_unnoticed(
    cut: int, pack: Pack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = put(tmp_path_factory.mktemp("enron"), pack(MAILS)[:-cut])
    with pytest.raises(DataError, match="damaged or no packed archive"):
        read(path, (1, 2))


def test_the_stand_in_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DownloadError, match="With stand_in=True, short mails"):
        datasets.enron()
    mails = datasets.enron(stand_in=True)
    assert "Enron-Spam is not at hand, so made-up mails stand in" in capsys.readouterr().err
    assert mails.stands_in
    assert len(mails) == 6000


def test_the_real_mails(real: Callable[[str], None]) -> None:
    real("enron")
    mails = datasets.enron()
    assert (len(mails), int(mails.labels.sum())) == (33_715, 17_170)
    train, test = mails.split(test=2000)
    assert (len(train), int(test.labels.sum())) == (31_715, 1000)
    assert len(datasets.enron(sets=[4])) == 1500 + 4499
