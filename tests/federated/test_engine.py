"""The local engine: who is asked, who answers, who is missing and why, and what each remembers."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from pellucid.errors import ArgumentError, MessageError, PartyError
from pellucid.federated import Local, Message, Recorder, State
from pellucid.federated.engine import answer
from pellucid.federated.messages import pack, unpack


def counting(state: State, message: Message) -> tuple[Message, State]:
    times = state.get("times", 0) + 1
    return {"times": times, "x": message.get("x")}, {"times": times}


def silent(state: State, message: Message) -> tuple[None, State]:
    return None, {"heard": message["x"]}


def test_a_party_remembers_only_its_state() -> None:
    engine = Local({"a": counting, "b": counting})
    engine.ask({"a": {"x": 1}})
    assert engine.ask({"b": {"x": 2}, "a": {"x": 3}}) == {
        "b": {"times": 1, "x": 2},
        "a": {"times": 2, "x": 3},
    }
    assert engine.missing == {}


def test_nobody_sees_anothers_memory() -> None:
    weights, kept = np.zeros(2), []

    def keeping(state: State, message: Message) -> tuple[Message, State]:
        kept.append(message["w"])
        return {"w": message["w"]}, state

    engine = Local({"a": keeping})
    replies = engine.ask({"a": {"w": weights}})
    weights += 1
    assert kept[0].tolist() == replies["a"]["w"].tolist() == [0, 0]


def test_a_party_that_nobody_knows() -> None:
    asked = []

    def noting(state: State, message: Message) -> tuple[Message, State]:
        asked.append(message)
        return {}, state

    with pytest.raises(PartyError, match="there is no party 'dora'; there are: a"):
        Local({"a": noting}).ask({"a": {}, "dora": {}})
    assert asked == []


def test_silence_refusal_and_lateness_are_told_apart() -> None:
    def refusing(state: State, message: Message) -> tuple[Message, State]:
        raise MessageError("not with me")

    def slow(state: State, message: Message) -> tuple[Message, State]:
        time.sleep(0.06)
        return {}, state

    engine = Local({"a": counting, "b": silent, "c": refusing, "d": slow}, deadline=0.05)
    assert list(engine.ask({name: {"x": 1} for name in "abcd"})) == ["a"]
    assert engine.missing == {
        "b": "said nothing",
        "c": "refused: not with me",
        "d": "took longer than 0.05 s",
    }
    engine.ask({"a": {"x": 1}})
    assert engine.missing == {}


def test_who_refuses_forgets_nothing() -> None:
    def once(state: State, message: Message) -> tuple[Message, State]:
        if state:
            raise MessageError("only once")
        return {}, {"asked": True}

    engine = Local({"a": once})
    assert engine.ask({"a": {}}) == {"a": {}}
    for _ in range(2):
        assert engine.ask({"a": {}}) == {}
        assert engine.missing == {"a": "refused: only once"}


def test_a_mistake_in_a_party_is_seen() -> None:
    def broken(state: State, message: Message) -> tuple[Message, State]:
        return {"y": message["no such thing"]}, state

    with pytest.raises(KeyError, match="no such thing"):
        Local({"a": broken}).ask({"a": {}})


def test_messages_that_cannot_be_sent_reach_nobody() -> None:
    engine = Local({"a": counting}, most_bytes=100)
    with pytest.raises(MessageError, match="at most 100 are allowed"):
        engine.ask({"a": {"x": "x" * 200}})
    with pytest.raises(MessageError, match="x is a object"):
        engine.ask({"a": {"x": object()}})
    assert engine.sent == 0


@pytest.mark.parametrize("what", [{"x": "x" * 200}, {"x": object()}])
def test_a_party_with_a_reply_that_cannot_be_sent_is_missing(what: Message) -> None:
    engine = Local({"a": lambda state, message: (what, state)}, most_bytes=100)
    assert engine.ask({"a": {}}) == {}
    assert engine.missing["a"].startswith("refused: this message")


def test_a_state_is_plain_data_too() -> None:
    engine = Local({"a": lambda state, message: ({}, {"secret": object()})})
    assert engine.ask({"a": {}}) == {}
    assert "secret is a object" in engine.missing["a"]


def test_a_deadline_lies_ahead() -> None:
    with pytest.raises(ArgumentError, match="deadline is 0 seconds"):
        Local({}, deadline=0)


def test_one_message_by_itself_in_bytes() -> None:
    reply, state = answer(counting, b"", pack({"x": 7}))
    assert reply is not None
    assert unpack(reply) == {"times": 1, "x": 7}
    assert answer(silent, state, pack({"x": 1})) == (None, pack({"heard": 1}))


def test_bytes_are_counted_and_recorded() -> None:
    engine = Recorder(Local({"a": counting, "b": silent}))
    message: dict[str, Any] = {"x": 1}
    replies = engine.ask({"a": message, "b": message})
    engine.ask({"a": message})
    assert engine.sent == 3 * len(pack(message))
    assert engine.received == len(pack(replies["a"])) + len(pack({"times": 2, "x": 1}))
    assert [(e.number, e.party, e.reply) for e in engine.view()] == [
        (1, "a", {"times": 1, "x": 1}),
        (1, "b", None),
        (2, "a", {"times": 2, "x": 1}),
    ]
    assert [e.party for e in engine.view("b")] == ["b"]
    assert sum(e.sent for e in engine.view()) == engine.sent
    assert sum(e.received for e in engine.view()) == engine.received
    assert engine.parties == ("a", "b")
