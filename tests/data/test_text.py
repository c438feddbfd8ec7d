"""Text as numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data import DataLoader, Vocabulary, Windows, pad, tokenize
from pellucid.errors import ArgumentError, DataError, ShapeError


def test_words_and_signs() -> None:
    assert tokenize("It's 8.5 -- isn't it?") == [
        "it's",
        "8",
        ".",
        "5",
        "-",
        "-",
        "isn't",
        "it",
        "?",
    ]
    assert tokenize("Ä tree", lower=False) == ["Ä", "tree"]
    assert tokenize("  ") == []


def test_the_most_frequent_come_first() -> None:
    words = Vocabulary(list("babcab"))
    assert words.tokens == ["<unk>", "b", "a", "c"]
    assert words.counts["b"] == 3
    assert len(words) == 4
    assert "a" in words
    assert "z" not in words


def test_rare_and_surplus_words_are_left_out() -> None:
    words = list("babcab")
    assert Vocabulary(words, min_count=2).tokens == ["<unk>", "b", "a"]
    assert Vocabulary(words, max_size=2).tokens == ["<unk>", "b"]
    assert Vocabulary({"x": 2, "y": 5}, specials=("<pad>", "<unk>")).tokens == [
        "<pad>",
        "<unk>",
        "y",
        "x",
    ]


def test_unknown_words() -> None:
    assert Vocabulary(["a"]).encode(["a", "z"]).tolist() == [1, 0]
    with pytest.raises(DataError, match="'z' is not among the 1 tokens"):
        Vocabulary(["a"], specials=(), unknown=None).encode(["z"])
    with pytest.raises(DataError, match="no token has the number 9"):
        Vocabulary(["a"]).decode([9])


def test_one_string_is_refused() -> None:
    with pytest.raises(ArgumentError, match="Cut it up first"):
        Vocabulary("the cat")


@given(st.lists(st.text(), max_size=20))
def test_encoding_and_decoding_go_there_and_back(tokens: list[str]) -> None:
    words = Vocabulary(tokens, specials=(), unknown=None)
    assert words.decode(words.encode(tokens)) == tokens


@given(tokens=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=10))
def test_saving_and_loading_a_vocabulary(
    tokens: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("words") / "words.json"
    words = Vocabulary(tokens)
    words.save(path)
    again = Vocabulary.load(path)
    assert (again.tokens, again.counts, again.unknown) == (words.tokens, words.counts, "<unk>")
    assert (
        again.encode([*tokens, "never met before"]).tolist()
        == words.encode([*tokens, "never met before"]).tolist()
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "not JSON"),
        ("[1, 2]", "needs"),
        ('{"tokens": [["a"]], "unknown": null}', "needs"),
        ('{"tokens": [["a", 1], ["a", 2]], "unknown": null}', "twice"),
        ('{"tokens": [["a", 1]], "unknown": "b"}', "not in it"),
    ],
)
def test_a_file_that_is_no_vocabulary(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    path.write_text(content)
    with pytest.raises(DataError, match=words):
        Vocabulary.load(path)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["tokens", "unknown", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(content=st.binary(max_size=40) | any_json.map(lambda x: json.dumps(x).encode()))
def test_no_file_at_all_breaks_the_vocabulary(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("words") / "words.json"
    path.write_bytes(content)
    try:
        Vocabulary.load(path)
    except DataError:
        return
    assert len(Vocabulary.load(path).encode([])) == 0


def test_padding() -> None:
    rows: list[Any] = [[1, 2, 3], [], [4]]
    assert pad(rows).tolist() == [[1, 2, 3], [0, 0, 0], [4, 0, 0]]
    assert pad(rows, side="left", value=9).tolist() == [[1, 2, 3], [9, 9, 9], [9, 9, 4]]
    assert pad(rows, length=2).tolist() == [[1, 2], [0, 0], [4, 0]]
    assert pad(rows, length=2, side="left").tolist() == [[2, 3], [0, 0], [0, 4]]
    assert pad(rows).dtype == np.int64
    assert pad([[0.5]]).dtype == np.float64
    assert pad([]).shape == (0, 0)
    with pytest.raises(ArgumentError, match='"left" or "right"'):
        pad(rows, side="up")
    with pytest.raises(ArgumentError, match="at least 0 long"):
        pad(rows, length=-1)
    with pytest.raises(ShapeError, match="one axis"):
        pad([[[1]]])


@given(count=st.integers(2, 60), streams=st.integers(1, 5), steps=st.integers(1, 6))
def test_windows_go_on_from_one_another(count: int, streams: int, steps: int) -> None:
    text = np.arange(count)
    if (count - 1) // streams < steps:
        with pytest.raises(ArgumentError, match="do not fill one window"):
            Windows(text, streams, steps)
        return
    windows = Windows(text, streams, steps)
    inputs = np.concatenate([windows[i][0] for i in range(len(windows))], axis=1)
    targets = np.concatenate([windows[i][1] for i in range(len(windows))], axis=1)
    assert inputs.shape == (streams, len(windows) * steps)
    assert (targets == inputs + 1).all()
    assert (np.diff(inputs, axis=1) == 1).all()
    assert len(np.unique(inputs)) == inputs.size


def test_windows_in_a_loader_are_tensors_that_can_go_on() -> None:
    loader = DataLoader(Windows(range(50), 2, 5), batch_size=None)
    assert len(loader) == 4
    inputs, targets = next(iter(loader))
    assert inputs.shape == targets.shape == (2, 5)
    again = DataLoader(Windows(range(50), 2, 5), batch_size=None)
    again.load_state_dict(loader.state_dict())
    assert next(iter(again))[0][0, 0].item() == 5
