"""Letters, desks and the engine that sends them, over a network made of a dict: no Flower needed."""

from __future__ import annotations

import socket
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import (
    ArgumentError,
    DataError,
    MessageError,
    MissingExtraError,
    PartyError,
    RoundError,
)
from pellucid.federated import Identity, Local, Masked, Party, SecureSum
from pellucid.federated.errors import DisagreementError, TamperedError, WrongKeyError
from pellucid.federated.flower import Desk, Flower, connection
from pellucid.federated.flower import coordinator as coordinating
from pellucid.federated.flower.letters import ANYBODY, Letter, mark_of, read, write
from pellucid.federated.flower.party import COORDINATOR

PLAN = mark_of(b"a plan")
NAMES = ("anna", "ben", "cleo")
leader, anna = Identity(), Identity()
REGISTRY = {COORDINATOR: leader.public}
LETTER = Letter(COORDINATOR, "anna", 7, "ask", b"how are you?")


def opened(data: bytes, **how: Any) -> Letter:
    return read(data, REGISTRY, **{"to": "anna", "plan": PLAN, "most_bytes": 1000, **how})


# ------------------------------------------------------------------------------------------- letters


def test_a_letter_arrives() -> None:
    assert opened(write(leader, LETTER, plan=PLAN)) == LETTER
    answer = write(leader, LETTER, plan=PLAN, answers=mark_of(b"x"))
    assert opened(answer, answers=mark_of(b"x")) == LETTER
    public = replace(LETTER, receiver=ANYBODY)
    assert opened(write(leader, public, plan=PLAN)) == public


@given(st.data())
def test_changing_a_byte_changes_nothing_that_it_says(data: st.DataObject) -> None:
    letter = bytearray(write(leader, LETTER, plan=PLAN))
    place = data.draw(st.integers(0, len(letter) - 1))
    letter[place] ^= data.draw(st.integers(1, 255))
    try:
        found = opened(bytes(letter))
    except (MessageError, PartyError, DisagreementError):
        return
    assert found == LETTER  # bits that mean nothing, as at the end of a signature in base 64


@given(st.binary(max_size=300))
def test_what_is_no_letter_is_refused(data: bytes) -> None:
    with pytest.raises(MessageError):
        opened(data)


def test_each_thing_that_can_be_wrong_has_its_error() -> None:
    good = write(leader, LETTER, plan=PLAN)
    with pytest.raises(MessageError, match=r"has 6,\d+ bytes, and at most 1,000 are allowed"):
        opened(good + bytes(6000))
    with pytest.raises(MessageError, match="version 9, and this Pellucid reads version 1"):
        opened(good[:8] + b"\x09" + good[9:])
    with pytest.raises(WrongKeyError, match="signed with another key than the one that is reg"):
        opened(write(anna, LETTER, plan=PLAN))
    with pytest.raises(PartyError, match="'mallory' is not registered"):
        opened(write(leader, replace(LETTER, sender="mallory"), plan=PLAN))
    with pytest.raises(TamperedError, match="it was changed on its way"):
        opened(good[:-1] + b"!")
    with pytest.raises(TamperedError, match="for anna, not for ben"):
        opened(good, to="ben")
    with pytest.raises(DisagreementError, match="has another plan than anna"):
        opened(good, plan=mark_of(b"another plan"))
    with pytest.raises(TamperedError, match="answers another letter"):
        opened(good, answers=mark_of(b"a question"))


# --------------------------------------------------------------------------------------------- desks


def counting(state: Any, message: Any) -> Any:
    if message.get("do") == "refuse":
        raise MessageError("not with me")
    if message.get("do") == "break":
        raise TypeError("something secret")
    times = state.get("times", 0) + 1
    return (None if message.get("do") == "nothing" else {"times": times}), {"times": times}


def desk_of(folder: Path, party: Party = counting, **how: Any) -> Desk:
    about = {"coordinator": leader.public, "plan": PLAN, "memory": folder / "anna.memory"}
    return Desk(party, "anna", anna, **{**about, **how})


def ask(desk: Desk, number: int, **message: Any) -> Letter:
    from pellucid.federated import pack

    letter = write(leader, Letter(COORDINATOR, "anna", number, "ask", pack(message)), plan=PLAN)
    return read(
        desk.answer(letter), {"anna": anna.public}, to=COORDINATOR, plan=PLAN, most_bytes=10_000,
        answers=mark_of(letter),
    )  # fmt: skip


def test_a_desk_remembers_also_after_it_was_ended(tmp_path: Path) -> None:
    from pellucid.federated import unpack

    desk = desk_of(tmp_path)
    assert unpack(ask(desk, 1).content) == {"times": 1}
    desk = desk_of(tmp_path)
    assert unpack(ask(desk, 2).content) == {"times": 2}
    assert ask(desk, 3, do="nothing").kind == "silent"
    refusal = ask(desk, 4, do="refuse")
    assert (refusal.kind, refusal.content) == ("refused", b"refused: not with me")
    assert unpack(ask(desk_of(tmp_path), 5).content) == {"times": 4}


@pytest.mark.skipif(sys.platform == "win32", reason="files have other permissions")
def test_what_it_remembers_only_its_owner_can_read(tmp_path: Path) -> None:
    ask(desk_of(tmp_path), 1)
    assert stat.S_IMODE((tmp_path / "anna.memory").stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("do", ["count", "refuse", "break"])
def test_no_letter_is_answered_twice(tmp_path: Path, number: int, do: str) -> None:
    ask(desk_of(tmp_path), 2, do=do)
    answer = ask(desk_of(tmp_path), number)  # also by a desk that was started anew
    assert answer.kind == "refused"
    assert b"answered already, or is older than one that was" in answer.content


def test_a_mistake_in_a_party_is_named_and_not_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(desk_of(tmp_path), 1, do="break")
    assert (answer.kind, answer.content) == ("failed", b"failed: TypeError")
    assert "something secret" in capsys.readouterr().err


def test_a_damaged_memory(tmp_path: Path) -> None:
    ask(desk_of(tmp_path), 1)
    file = tmp_path / "anna.memory"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(DataError, match=r"anna\.memory is not what anna remembers, or damaged"):
        desk_of(tmp_path)


# --------------------------------------------------------------------------------------- the engine


class Post:
    """A network in which everything can go wrong: from node to what answers there."""

    def __init__(self, desks: Mapping[int, Callable[[bytes], bytes | str | None]]) -> None:
        self.desks = dict(desks)
        self.deadlines: list[float] = []

    def nodes(self) -> list[int]:
        return list(self.desks)

    def exchange(self, letters: Mapping[int, bytes], deadline: float) -> dict[int, bytes | str]:
        self.deadlines.append(deadline)
        came = {node: self.desks[node](letter) for node, letter in letters.items()}
        return {node: answer for node, answer in came.items() if answer is not None}


@pytest.fixture
def identities() -> dict[str, Identity]:
    return {name: Identity() for name in NAMES}


@pytest.fixture
def desks(tmp_path: Path, identities: dict[str, Identity]) -> dict[str, Desk]:
    return {
        name: Desk(
            counting, name, identity, coordinator=leader.public, plan=PLAN, memory=tmp_path / name,
            most_bytes=1000,
        )
        for name, identity in identities.items()
    }  # fmt: skip


def engine_of(post: Post, identities: Mapping[str, Identity], **how: Any) -> Flower:
    registry = {name: identity.public for name, identity in identities.items()}
    about: dict[str, Any] = {"plan": PLAN, "deadline": 5.0, "most_bytes": 1000}
    return Flower(post, leader, registry, **{**about, **how})


def test_all_is_as_in_one_process(desks: dict[str, Desk], identities: dict[str, Identity]) -> None:
    local = Local(dict.fromkeys(NAMES, counting))
    engine = engine_of(Post({i: d.answer for i, d in enumerate(desks.values())}), identities)
    assert engine.parties == local.parties
    for messages in ({n: {} for n in ("cleo", "anna")}, {n: {"do": "nothing"} for n in NAMES}):
        assert engine.ask(messages) == local.ask(messages)
        assert engine.missing == local.missing
    for engine_ in (engine, local):
        assert list(engine_.ask({n: {} for n in ("cleo", "anna")})) == ["cleo", "anna"]
        with pytest.raises(PartyError, match="there is no party 'dora'"):
            engine_.ask({"dora": {}})
    assert engine.sent > 0
    assert engine.received > 0


def test_who_is_missing_and_why(desks: dict[str, Desk], identities: dict[str, Identity]) -> None:
    post = Post({7: desks["anna"].answer, 8: desks["ben"].answer})
    engine = engine_of(post, identities)
    everybody = {n: {"do": "refuse"} for n in NAMES}
    assert engine.ask(everybody) == {}
    refused = "refused: not with me"
    assert engine.missing == {"anna": refused, "ben": refused, "cleo": "is not here"}
    post.desks[7] = lambda _: None
    post.desks[8] = lambda _: "has gone"
    engine.ask({n: {} for n in NAMES})
    assert engine.missing == {
        "anna": "took longer than 5 s",
        "ben": "has gone",
        "cleo": "is not here",
    }
    # all three come back, anna at another place
    post.desks = {8: desks["ben"].answer, 9: desks["anna"].answer, 10: desks["cleo"].answer}
    assert set(engine.ask({n: {} for n in NAMES})) == set(NAMES)
    assert max(post.deadlines) == 5.0


def test_who_does_not_say_who_it_is_is_asked_again_after_a_while(
    desks: dict[str, Desk], identities: dict[str, Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def mute(letter: bytes) -> None:
        asked.append(letter)

    engine = engine_of(Post({1: mute, 2: desks["ben"].answer}), identities)
    for _ in range(6):
        assert set(engine.ask({"anna": {}, "ben": {}})) == {"ben"}
    assert len(asked) == 1
    monkeypatch.setattr(coordinating, "HELLO_SECONDS", 0.0)
    engine = engine_of(engine.transport, identities)  # type: ignore[arg-type]
    for _ in range(3):
        engine.ask({"anna": {}, "ben": {}})
        engine.ask({"ben": {}})  # nobody is missed
    assert len(asked) == 1 + 3


@pytest.mark.parametrize("answer", [b"", b"nonsense", bytes(5000)])
def test_who_talks_nonsense_takes_no_part(
    desks: dict[str, Desk], identities: dict[str, Identity], answer: bytes
) -> None:
    said: list[str] = []
    post = Post({1: lambda _: answer, 2: desks["ben"].answer})
    engine = engine_of(post, identities, note=said.append)
    for _ in range(2):
        assert set(engine.ask({"anna": {}, "ben": {}})) == {"ben"}
    assert len(said) == 1
    assert said[0].startswith("somebody came and takes no part: this ")


def test_who_has_another_plan_is_told(
    desks: dict[str, Desk], identities: dict[str, Identity]
) -> None:
    said: list[str] = []
    desks["anna"].plan = mark_of(b"an old plan")
    engine = engine_of(Post({1: desks["anna"].answer}), identities, note=said.append)
    assert engine.ask({"anna": {}}) == {}
    assert "anna has another plan than the coordinator" in said[0]


def test_a_party_cannot_answer_in_anothers_place(
    desks: dict[str, Desk], identities: dict[str, Identity]
) -> None:
    post = Post({1: desks["anna"].answer, 2: desks["ben"].answer})
    engine = engine_of(post, identities)
    engine.ask({"anna": {}, "ben": {}})
    post.desks[1] = desks["ben"].answer
    assert set(engine.ask({"anna": {}, "ben": {}})) == {"ben"}
    # Ben refuses, signed by himself: the letter is for Anna
    assert engine.missing == {"anna": "not accepted: ben answers in place of anna"}


def test_waiting(desks: dict[str, Desk], identities: dict[str, Identity]) -> None:
    post = Post({1: desks["anna"].answer, 2: desks["ben"].answer})
    engine = engine_of(post, identities)
    assert engine.wait(2, patience=5) == ["anna", "ben"]
    assert engine.wait(3, patience=0.01, at_least=2) == ["anna", "ben"]
    with pytest.raises(RoundError, match=r"2 of 3 parties came within 0\.01 s; not here: cleo"):
        engine.wait(3, patience=0.01)
    with pytest.raises(ArgumentError, match="deadline is 0"):
        engine_of(post, identities, deadline=0)


def test_a_secret_sum_whose_parties_are_started_anew_between_any_two_letters(
    tmp_path: Path, identities: dict[str, Identity]
) -> None:
    registry = {name: identity.public for name, identity in identities.items()}
    found = {name: {"x": np.array([float(i)])} for i, name in enumerate(NAMES, start=1)}

    def anew(name: str) -> Callable[[bytes], bytes]:
        def answer(letter: bytes) -> bytes:
            party = Masked(
                lambda state, _: ({"sum": found[name]}, state), name, identities[name], registry
            )
            about: dict[str, Any] = {"coordinator": leader.public, "plan": PLAN}
            return Desk(party, name, identities[name], memory=tmp_path / name, **about).answer(
                letter
            )

        return answer

    engine = engine_of(
        Post({i: anew(name) for i, name in enumerate(NAMES)}), identities, most_bytes=10_000
    )
    for _ in range(2):
        total = SecureSum(registry)(engine, {n: {"do": "find"} for n in NAMES}, {"x": (1,)})
        assert total.sums["x"].tolist() == [6.0]
        assert set(total.parties) == set(NAMES)
    # after the round, no secret of it is left on any disk
    from pellucid.federated import unpack

    for name in NAMES:
        state = unpack(unpack((tmp_path / name).read_bytes())["state"])
        assert set(state) <= {"last", "party"}


# ---------------------------------------------------------------------------------------- addresses


def test_a_place_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LEAVING", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(ArgumentError, match=rf"127\.0\.0\.1:{port} .*\nIs another one running"):
            connection.wait_for_port("127.0.0.1", port)
    connection.wait_for_port("127.0.0.1", port)
    with pytest.raises(ArgumentError, match=r"cannot work at nowhere\.invalid:80"):
        connection.wait_for_port("nowhere.invalid", 80)


def test_a_place_that_becomes_free_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(connection.time, "sleep", lambda _: server.close())
    connection.wait_for_port("127.0.0.1", server.getsockname()[1])
    assert server.fileno() == -1


@pytest.mark.parametrize("address", ["", "here", "here:", ":80", "here:0", "here:99999", "a:b"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ArgumentError, match=r"a host and a port, such as 127\.0\.0\.1:9092"):
        connection.split(address)


@pytest.mark.skipif(find_spec("flwr") is not None, reason="Flower is installed here")
def test_without_flower_it_is_said_how_to_get_it() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'pellucid\[flower\]'"):
        connection.check_installed()
