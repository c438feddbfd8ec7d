"""RT polarity: two files of sentences that belong together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data import datasets
from pellucid.data.datasets.rt_polarity import NEGATIVE, POSITIVE, read
from pellucid.errors import DataError, DownloadError


def put(folder: Path, positive: bytes, negative: bytes) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / POSITIVE).write_bytes(positive)
    (folder / NEGATIVE).write_bytes(negative)
    return folder / POSITIVE, folder / NEGATIVE


def test_sentences_in_turn(tmp_path: Path) -> None:
    put(tmp_path / "cache" / "rt-polarity", b"good \ngreat . \n", b"bad \nclich\xe9d \n")
    reviews = datasets.rt_polarity()
    assert reviews.texts == ["good", "bad", "great .", "clichéd"]
    assert (reviews.labels.tolist(), reviews.source) == ([1, 0, 1, 0], "cache")
    assert reviews.classes == ("negative", "positive")
    assert len(datasets.rt_polarity(limit=1)) == 1


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    files = put(tmp_path, b"so \x85 good\x0b\n", b"so\x1cbad\n")
    assert read(*files) == {1: ["so … good"], 0: ["so\x1cbad"]}


def test_the_published_line_ends_will_do(tmp_path: Path) -> None:
    assert read(*put(tmp_path, b"good . \r\n", b"bad . \r\n")) == {1: ["good ."], 0: ["bad ."]}


@pytest.mark.parametrize(
    ("positive", "negative", "words"),
    [
        (b"good\ngreat\n", b"bad\n", "holds 2 sentences, but .* holds 1: expected equally many"),
        (b"good\ngre", b"bad\nawful\n", "cut short: expected a sentence on each line, found .*gre"),
        (b"", b"bad\n", "found an empty file"),
        (b"good\n", b"\n", "line 1: expected a sentence, found ''"),
        (b"good\n", b"\0\1\2\n", "line 1: expected a sentence"),
    ],
)
def test_wrong_files(positive: bytes, negative: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        read(*put(tmp_path, positive, negative))


@given(positive=st.binary(max_size=40), negative=st.binary(max_size=40))
def test_no_file_at_all_breaks_the_reader(
    positive: bytes, negative: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    try:
        found = read(*put(tmp_path_factory.mktemp("rt"), positive, negative))
    except DataError:
        return
    assert len(found[1]) == len(found[0]) == positive.count(b"\n")
    assert all(found[1] + found[0])


def test_the_stand_in_is_announced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PELLUCID_OFFLINE")  # not needed: these files are nowhere to be fetched
    with pytest.raises(DownloadError, match=r"both will do: https://www\.cs\.cornell") as caught:
        datasets.rt_polarity()
    assert POSITIVE in caught.value.message
    assert NEGATIVE in caught.value.message
    assert datasets.rt_polarity(stand_in=True, limit=6).stands_in
    assert "RT polarity is not at hand" in capsys.readouterr().err


def test_the_real_sentences(real: Callable[[str], None]) -> None:
    real("rt-polarity")
    reviews = datasets.rt_polarity()
    assert (len(reviews), int(reviews.labels.sum())) == (10_662, 5_331)
    train, test = reviews.split(test=1066)
    assert (len(train), int(test.labels.sum())) == (9596, 533)
