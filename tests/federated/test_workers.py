"""Parties in processes of their own: the same contract, and what becomes of those that hang or die."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from pellucid.errors import ArgumentError, MessageError, PartyError
from pellucid.federated import Message, Party, State, Workers


def make(name: str) -> Party:
    def party(state: State, message: Message) -> tuple[Message | None, State]:
        times = state.get("times", 0) + 1
        what = message.get("do")
        if what == "hang":
            time.sleep(60)
        if what == "die":
            os._exit(3)
        if what == "refuse":
            raise MessageError("not with me")
        if what == "break":
            raise TypeError("a mistake")
        if what == "nothing":
            return None, {"times": times}
        return {"name": name, "times": times, "process": os.getpid()}, {"times": times}

    return party


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(["a", "b", "c"], make, processes=2, deadline=1.0, most_bytes=10_000) as made:
        yield made


def test_all_is_as_in_one_process_but_for_the_process(workers: Workers) -> None:
    before = {n: r["times"] for n, r in workers.ask({n: {} for n in "abc"}).items()}
    replies = workers.ask({n: {} for n in "cab"})
    assert list(replies) == list("cab")
    assert {n: r["name"] for n, r in replies.items()} == {n: n for n in "abc"}
    assert {n: r["times"] for n, r in replies.items()} == {n: before[n] + 1 for n in "abc"}
    assert os.getpid() not in {r["process"] for r in replies.values()}


@pytest.mark.parametrize(
    ("do", "why", "goes_on"),
    [
        ("hang", "took longer than 1 s", 1),
        ("die", "its process ended (3)", 1),
        ("refuse", "refused: not with me", 1),
        ("break", "failed: TypeError: a mistake", 1),
        ("nothing", "said nothing", 2),
    ],
)
def test_who_is_missing_and_with_what_it_goes_on(
    workers: Workers, do: str, why: str, goes_on: int
) -> None:
    before = workers.ask({"a": {}})["a"]["times"]
    replies = workers.ask({"a": {"do": do}, "b": {}, "c": {}})
    assert list(replies) == ["b", "c"]
    assert workers.missing == {"a": why}
    assert workers.ask({"a": {}})["a"]["times"] == before + goes_on
    assert workers.missing == {}


def test_what_is_refused_before_anybody_is_asked(workers: Workers) -> None:
    with pytest.raises(PartyError, match="there is no party 'dora'"):
        workers.ask({"dora": {}})
    with pytest.raises(MessageError, match="at most 10,000 are allowed"):
        workers.ask({"a": {"x": "x" * 20_000}})
    assert "a" in workers.ask({"a": {}})


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(ArgumentError, match="processes is 0"):
        Workers(["a"], make, processes=0)
    with pytest.raises(ArgumentError, match="deadline is -1 seconds"):
        Workers(["a"], make, deadline=-1)
    with (
        pytest.raises(ArgumentError, match="a function at the top of a module"),
        Workers(["a"], lambda name: make(name)) as workers,
    ):
        workers.ask({"a": {}})
