"""IMDB: reviews in an order that is always the same, and bad archives named for what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data import datasets, sources
from pellucid.data.datasets.imdb import ARCHIVE, read
from pellucid.errors import ArgumentError, DataError, DownloadError

Pack = Callable[[Mapping[str, bytes]], bytes]

REVIEWS = {
    "aclImdb/train/neg/0_3.txt": b"Bad.<br /><br />Very bad.",
    "aclImdb/train/neg/10_1.txt": b"Worst<br/>of all.",
    "aclImdb/train/neg/2_4.txt": "Naïve.".encode(),
    "aclImdb/train/pos/10_7.txt": b"Fair.",
    "aclImdb/train/pos/9_10.txt": b"I can't fault it!",
    "aclImdb/train/pos/0_8.txt": b"Good.",
    "aclImdb/train/unsup/0_0.txt": b"No opinion.",
    "aclImdb/test/pos/0_9.txt": b"Test good.",
    "aclImdb/test/neg/0_2.txt": b"Test bad.",
    "aclImdb/README": b"read me",
}


def put(folder: Path, content: bytes, name: str = ARCHIVE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def test_reviews_in_turn_by_file_name(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "imdb", pack(REVIEWS))
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path))
    reviews = datasets.imdb()
    assert reviews.texts == [
        "Good.", "Bad.\n\nVery bad.", "Fair.", "Worst\nof all.", "I can't fault it!", "Naïve.",
    ]  # fmt: skip
    assert reviews.labels.tolist() == [1, 0, 1, 0, 1, 0]
    assert (reviews.name, reviews.source, reviews.announce) == ("imdb", "PELLUCID_DATA", "")
    assert reviews.words[1] == ["bad", ".", "very", "bad", "."]
    assert reviews.words[4] == ["i", "can't", "fault", "it", "!"]
    assert datasets.imdb(train=False).texts == ["Test good.", "Test bad."]
    assert datasets.imdb(limit=3).labels.tolist() == [1, 0, 1]


def test_the_smaller_archive_serves_as_well(pack: Pack, tmp_path: Path) -> None:
    path = put(tmp_path / "cache" / "imdb", pack(REVIEWS), "aclImdb-labelled.tar.gz")
    assert len(datasets.imdb(download=False)) == 6
    assert sources.locate("imdb").here
    (check,) = sources.verify("imdb")
    assert (check.state, check.path, check.file.bytes) == ("damaged", path, 27_764_178)


def test_dividing(pack: Pack, tmp_path: Path) -> None:
    put(tmp_path / "cache" / "imdb", pack(REVIEWS))
    train, test = datasets.imdb().split(test=2)
    assert train.texts == ["Good.", "Bad.\n\nVery bad.", "Fair.", "Worst\nof all."]
    assert (test.texts, test.labels.tolist()) == (["I can't fault it!", "Naïve."], [1, 0])
    everything, nothing = datasets.imdb().split(test=0)
    assert (len(everything), len(nothing)) == (6, 0)
    for wrong in (3, 8, -2):
        with pytest.raises(ArgumentError, match="the smallest class has 3"):
            datasets.imdb().split(test=wrong)


def without(kind: str) -> dict[str, bytes]:
    return {name: text for name, text in REVIEWS.items() if kind not in name}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"other.txt": b"x"}, "found 0 and 0"),
        (without("train/pos"), "found 0 and 3"),
        (without("train/pos/9"), "found 2 and 3"),
        ({**REVIEWS, "aclImdb/train/pos/1_7.txt": b"\xff"}, "byte 0 is no UTF-8"),
        ({"../" + name: text for name, text in REVIEWS.items()}, "found 0 and 0"),
    ],
)
def test_archives_with_other_things_in_them(
    files: dict[str, bytes], words: str, pack: Pack, tmp_path: Path
) -> None:
    path = put(tmp_path, pack(files))
    with pytest.raises(DataError, match=words) as caught:
        read(path, "train")
    assert str(path) in caught.value.message


@given(cut=st.integers(1, 400), change=st.none() | st.tuples(st.integers(12, 200), st.integers(1)))
def test_no_damage_goes_unnoticed(
    cut: int,
    change: tuple[int, int] | None,
    pack: Pack,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    spoilt = bytearray(pack(REVIEWS))
    if change is None:
        spoilt = spoilt[:-cut]
    else:
        place, more = change
        spoilt[place] = (spoilt[place] + 1 + more % 255) % 256
    path = put(tmp_path_factory.mktemp("imdb"), bytes(spoilt))
    with pytest.raises(DataError, match="damaged"):
        read(path, "train")


def test_the_stand_in_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DownloadError, match="With stand_in=True, reviews of a few sentences"):
        datasets.imdb()
    with pytest.raises(DownloadError, match="pellucid data get imdb"):
        datasets.imdb(download=False)
    train = datasets.imdb(stand_in=True)
    test = datasets.imdb(train=False, stand_in=True, quiet=True, limit=10)
    assert capsys.readouterr().err.count("IMDB is not at hand, so made-up reviews") == 1
    assert train.stands_in
    assert (len(train), len(test), train.source) == (2000, 10, "generator")
    assert train.texts[:10] != test.texts


def test_the_real_reviews(real: Callable[[str], None]) -> None:
    real("imdb")
    reviews = datasets.imdb()
    assert (len(reviews), int(reviews.labels.sum())) == (25_000, 12_500)
    assert reviews.texts[0].startswith("Bromwell High is a cartoon comedy.")
    assert not any("<br />" in text for text in reviews.texts)
