"""What holds for all of it: nothing is unpickled, chance is the system's, secrets are wiped, tags are
compared in constant time, keys are long, messages are bounded.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid.federated
from pellucid.errors import MessageError
from pellucid.federated import Identity, Local, Masked, SecureSum, Workers, pack, paillier, shamir
from pellucid.federated.errors import WeakKeyError
from pellucid.federated.flower import Desk
from pellucid.federated.flower.letters import Letter, mark_of, write
from pellucid.federated.plan import Plan
from pellucid.federated.secure_aggregation import coordinator as coordinating
from pellucid.federated.secure_aggregation import identity as identifying

SOURCE = Path(pellucid.federated.__file__).parent
NAMES = ("anna", "ben", "cleo")


def sources() -> Iterator[tuple[str, ast.AST]]:
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield str(path.relative_to(SOURCE)), node


def called(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def test_nothing_is_unpickled() -> None:
    """A worker is handed its function when it starts, by its parent; all else are bytes."""
    wrong = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}
    for file, node in sources():
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
            assert not wrong & {name.split(".")[0] for name in names}, file
        assert called(node) not in ("eval", "exec", "np.load"), file
        assert not called(node).endswith((".pipe.recv", ".pipe.send", "pipe.recv")), file


def test_what_is_secret_is_drawn_from_the_systems_randomness() -> None:
    """NumPy's generators, which can be guessed, are for what may be known: whom to ask, how to mix."""
    seeded = {"averaging.py", "partition.py", "trainer.py", "federation.py"}
    for file, node in sources():
        if isinstance(node, (ast.Attribute, ast.Import)):
            text = ast.unparse(node)
            if text.startswith(("np.random", "import random", "random.")):
                assert file in seeded, f"{file}: {text}"


@pytest.mark.parametrize("bits", [512, 1024, 2046])
def test_short_keys_are_for_lessons(bits: int) -> None:
    with pytest.raises(WeakKeyError):
        paillier.keygen(bits)
    keys = paillier.keygen(512, lesson=True)
    for plain, kind in (
        (keys.to_plain(), paillier.PrivateKey),
        (keys.public.to_plain(), paillier.PublicKey),
    ):
        with pytest.raises(WeakKeyError):
            kind.from_plain(plain)


def test_a_plan_takes_no_short_key(tmp_path: Path) -> None:
    keys = paillier.keygen(512, lesson=True)
    (tmp_path / "sum.public").write_bytes(pack(keys.public.to_plain()))
    from pellucid.federated.plan import Learning, Protection

    plan = Plan(
        tmp_path,
        dict.fromkeys((*NAMES, "holder"), ""),
        Learning("task.py", 1, 0.1),
        protection=Protection("paillier", holder="holder", key="sum.public"),
    )
    with pytest.raises(WeakKeyError):
        plan.public_key()


# ------------------------------------------------------------------------------------------- secrets


@pytest.fixture
def identities() -> dict[str, Identity]:
    return {name: Identity() for name in NAMES}


def finds(state: Any, message: Any) -> Any:
    return {"sum": {"x": np.array([1.0, 2.0])}}, state


def parties_of(identities: Mapping[str, Identity]) -> tuple[dict[str, Masked], dict[str, bytes]]:
    registry = {name: identity.public for name, identity in identities.items()}
    return {n: Masked(finds, n, i, registry) for n, i in identities.items()}, registry


def once(engine: Any, registry: Mapping[str, bytes]) -> None:
    asks = {name: {"do": "find"} for name in NAMES}
    total = SecureSum(registry)(engine, asks, {"x": (2,)})
    assert total.sums["x"].tolist() == [3.0, 6.0]


def test_a_round_leaves_no_secret_behind(identities: dict[str, Identity]) -> None:
    parties, registry = parties_of(identities)
    engine = Local(parties)
    once(engine, registry)
    from pellucid.federated import unpack

    for state in engine._states.values():
        assert set(unpack(state)) <= {"last", "party"}


def test_arrays_with_secrets_are_wiped(
    identities: dict[str, Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cut a secret or put one together again is zeros afterwards; masks are, too."""
    kept: list[Any] = []

    def watched(function: Any) -> Any:
        def call(*arguments: Any, **settings: Any) -> Any:
            result = function(*arguments, **settings)
            kept.extend(result.values() if isinstance(result, dict) else [result])
            kept.extend(a for a in arguments if isinstance(a, np.ndarray))
            return result

        return call

    monkeypatch.setattr(shamir, "split", watched(shamir.split))
    monkeypatch.setattr(shamir, "join", watched(shamir.join))
    made: list[Any] = []

    class Watched(coordinating.Masks):
        def __init__(self, size: int) -> None:
            super().__init__(size)
            made.append(self)

    from pellucid.federated.secure_aggregation import party

    monkeypatch.setattr(coordinating, "Masks", Watched)
    monkeypatch.setattr(party, "Masks", Watched)
    parties, registry = parties_of(identities)
    once(Local(parties), registry)
    assert len(kept) >= 3 * 4 + 1
    assert not any(array.any() for array in kept)
    assert len(made) == len(NAMES) + 1
    assert not any(masks._mask.any() for masks in made)


def test_tags_are_compared_in_constant_time(
    identities: dict[str, Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who signed, what was dealt: by `compare_digest`. Sealed letters are the library's to compare."""
    compared: list[tuple[bytes, bytes]] = []

    def watched(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return a == b

    monkeypatch.setattr(coordinating, "compare_digest", watched)
    monkeypatch.setattr(identifying, "compare_digest", watched)
    parties, registry = parties_of(identities)
    once(Local(parties), registry)
    signers = {a for a, _ in compared}
    assert signers >= set(registry.values())
    assert len(compared) >= 3 * len(NAMES)


# -------------------------------------------------------------------------------------------- bounds


def big(state: Any, message: Any) -> Any:
    where = message.get("where")
    reply = {"x": "x" * 5000} if where == "reply" else {}
    return reply, ({"x": "x" * 5000} if where == "state" else state)


def make_big(name: str) -> Any:
    return big


def desk_answer(folder: Path, message: dict[str, Any]) -> bytes:
    leader, anna = Identity(), Identity()
    plan = mark_of(b"")
    desk = Desk(
        big,
        "anna",
        anna,
        coordinator=leader.public,
        plan=plan,
        memory=folder / "m",
        most_bytes=1000,
    )
    letter = Letter("the coordinator", "anna", 1, "ask", pack(message))
    return desk.answer(write(leader, letter, plan=plan))


@pytest.mark.parametrize("where", ["reply", "state"])
def test_replies_and_states_are_bounded_in_every_engine(tmp_path: Path, where: str) -> None:
    why = "and at most 1,000 are allowed"
    local = Local({"anna": big}, most_bytes=1000)
    assert local.ask({"anna": {"where": where}}) == {}
    assert why in local.missing["anna"]
    with Workers(["anna"], make_big, processes=1, most_bytes=1000) as workers:
        assert workers.ask({"anna": {"where": where}}) == {}
        assert why in workers.missing["anna"]
    assert why.encode() in desk_answer(tmp_path, {"where": where})


def test_messages_are_bounded_before_they_are_read(tmp_path: Path) -> None:
    with pytest.raises(MessageError, match=r"at most 1,000 are allowed"):
        Local({"anna": big}, most_bytes=1000).ask({"anna": {"x": "x" * 2000}})
    assert b"and at most 1,000 are allowed" in desk_answer(tmp_path, {"x": "x" * 9000})
