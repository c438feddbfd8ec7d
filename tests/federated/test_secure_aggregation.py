"""The coordinator learns the sum and nothing else; who drops out, and what is refused."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import nn
from pellucid.data import ArrayDataset
from pellucid.errors import (
    ArgumentError,
    MessageError,
    MissingExtraError,
    PartyError,
    RoundError,
    ShapeError,
)
from pellucid.federated import Local, Recorder, Trainer, fedavg, plain_sum
from pellucid.federated.engine import Party, State
from pellucid.federated.errors import (
    BothSecretsError,
    DisagreementError,
    NotFiniteError,
    OutOfOrderError,
    OutOfRangeError,
    PrivacyError,
    ReplayError,
    SecondUnmaskError,
    TamperedError,
    WrongKeyError,
)
from pellucid.federated.messages import Message
from pellucid.federated.secure_aggregation import (
    Collection,
    Identity,
    Masked,
    SecureSum,
    Terms,
    usual_threshold,
)
from pellucid.federated.secure_aggregation.channels import Private, seal, unseal
from pellucid.federated.secure_aggregation.identity import check
from pellucid.federated.secure_aggregation.masks import Masks
from pellucid.federated.secure_aggregation.party import about, agreed
from pellucid.federated.secure_aggregation.terms import STEPS

Array = Any

NAMES = ("anna", "ben", "cleo", "dora", "emil")
IDENTITIES = {name: Identity() for name in NAMES}
REGISTRY = {name: identity.public for name, identity in IDENTITIES.items()}
SHAPES = {"x": (2, 2), "y": ()}


def finds(value: Any) -> Party:
    def party(state: State, message: Message) -> tuple[Message, State]:
        return {"sum": {"x": np.full((2, 2), value), "y": np.array(-2.0 * value)}}, state

    return party


def made(values: Mapping[str, float], **more: Any) -> dict[str, Masked]:
    return {
        name: Masked(finds(value), name, IDENTITIES[name], REGISTRY, **more)
        for name, value in values.items()
    }


VALUES = {name: 0.125 * (i + 1) for i, name in enumerate(NAMES)}
ASKS: dict[str, Message] = {name: {"do": "train"} for name in NAMES}


class Rounds:
    """One round among parties in memory, step by step; messages can be changed on their way."""

    def __init__(
        self, names: tuple[str, ...] = NAMES, threshold: int = 3, session: int = 1
    ) -> None:
        self.parties = {name: made(VALUES)[name] for name in names}
        self.states: dict[str, State] = {name: {} for name in names}
        terms = Terms(session, names, threshold)
        self.collection = Collection(terms, REGISTRY, ASKS, SHAPES, 2.0)
        self.questions = self.collection.keys()

    def ask(self, name: str, message: Message | None = None) -> Message:
        reply, self.states[name] = self.parties[name](
            copy.deepcopy(self.states[name]), message or self.questions[name]
        )
        return reply

    def answers(self, *but: str) -> dict[str, Message]:
        return {name: self.ask(name) for name in self.questions if name not in but}

    def until(self, step: str) -> Rounds:
        for _ in STEPS[: STEPS.index(step)]:
            self.questions = self.collection.next(self.answers())
        return self


# ---------------------------------------------------------------------------------- the sum is right


@settings(max_examples=20)
@given(
    st.integers(2, 6),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=3),
    st.integers(0, 2**32),
)
def test_the_secret_sum_equals_the_plain_sum(
    count: int, sizes: list[tuple[int, int]], seed: int
) -> None:
    names = [f"p{i}" for i in range(count)]
    identities = {name: Identity() for name in names}
    registry = {name: identity.public for name, identity in identities.items()}
    dice = np.random.default_rng(seed)
    found = {
        name: {f"w{i}": dice.uniform(-1000, 1000, size) for i, size in enumerate(sizes)}
        for name in names
    }

    def party(name: str) -> Party:
        return lambda state, message: ({"sum": found[name]}, state)

    parties = {name: Masked(party(name), name, identities[name], registry) for name in names}
    shapes = {f"w{i}": size for i, size in enumerate(sizes)}
    total = SecureSum(registry, limit=1000)(Local(parties), {name: {} for name in names}, shapes)
    assert total.parties == tuple(names)
    assert not total.missing
    for name, array in total.sums.items():
        plain = sum(found[party][name] for party in names)
        assert array.shape == shapes[name]
        assert np.abs(array - plain).max(initial=0) < 1e-9


def test_a_model_learns_the_same_under_masks() -> None:
    """FedAvg through the same code, with masks and without: weights alike to 1e-9."""
    x = np.arange(9.0)[:, None]
    weights = []
    for summing in (plain_sum, SecureSum(REGISTRY, limit=1e6)):
        model = nn.Linear(1, 1).double()
        model.load_state_dict({"weight": np.array([[0.5]]), "bias": np.array([0.0])})
        parties: dict[str, Party] = {
            name: Trainer(model, ArrayDataset(x[i::3], 3 * x[i::3]), nn.MSELoss(), seed=i)
            for i, name in enumerate(NAMES[:3])
        }
        if summing is not plain_sum:
            parties = {
                name: Masked(p, name, IDENTITIES[name], REGISTRY) for name, p in parties.items()
            }
        history = fedavg(model, Local(parties), rounds=3, lr=0.01, summing=summing)
        assert [row["examples"] for row in history] == [9, 9, 9]
        weights.append(np.concatenate([p.numpy().ravel() for p in model.parameters()]))
    assert np.abs(weights[0] - weights[1]).max() < 1e-9
    assert weights[0][0] != 0.5


# ------------------------------------------------------------- the coordinator sees nothing but the sum


def bits_differ(one: Array, other: Array) -> float:
    """How far two heaps of numbers are apart in any of their bits: chi-squared per bit, the largest."""
    ones = [np.unpackbits(a.view(np.uint8).reshape(-1, 8), axis=1).sum(0) for a in (one, other)]
    n, m = len(one), len(other)
    pooled = (ones[0] + ones[1]) / (n + m)
    spread = pooled * (1 - pooled) * (1 / n + 1 / m)
    return float(((ones[0] / n - ones[1] / m) ** 2 / np.maximum(spread, 1e-12)).max())


def what_the_coordinator_has(values: Mapping[str, float], gone: str | None) -> dict[str, Array]:
    """After a whole round: each party's numbers, less all masks that the coordinator could take off."""
    rounds = Rounds(NAMES[:4])
    rounds.parties = {name: made(values)[name] for name in NAMES[:4]}
    rounds.until("mask")
    masked = rounds.answers(*([gone] if gone else []))
    rounds.questions = rounds.collection.next(masked)
    rounds.questions = rounds.collection.next(rounds.answers())
    opened: dict[str, Any] = {}
    joined = rounds.collection._joined

    def watched(shares: Any, of: list[str]) -> dict[str, bytes]:
        found = joined(shares, of)
        opened.update(found)
        return found

    rounds.collection._joined = watched  # type: ignore[method-assign]
    total = rounds.collection.total(rounds.answers())
    alive = [name for name in NAMES[:4] if name != gone]
    expected = sum(values[name] for name in alive)
    assert np.abs(total.sums["x"] - expected).max() < 1e-12
    left = {}
    for name in alive:
        numbers = masked[name]["masked"].copy()
        masks = Masks(len(numbers))
        masks.subtract(numbers, opened[name])
        if gone:  # whose mask key was given away as well
            shown = rounds.collection._shown[name]["masks"]
            purpose = f"mask 1 {len(min(name, gone))} {min(name, gone)} and {max(name, gone)}"
            (seed,) = Private(opened[gone]).agree(shown, purpose)
            (masks.subtract if name < gone else masks.add)(numbers, seed)
        left[name] = numbers
    return left


@pytest.mark.parametrize("gone", [None, "dora"])
def test_views_of_different_inputs_with_one_sum_cannot_be_told_apart(gone: str | None) -> None:
    """Whatever is opened: single parties, pairs, all but one look random; the sum of all does not."""
    inputs = [
        {"anna": 0.0, "ben": 0.0, "cleo": 0.0, "dora": 0.5},
        {"anna": 0.75, "ben": -1.0, "cleo": 0.25, "dora": 0.5},
    ]
    views = [[what_the_coordinator_has(values, gone) for _ in range(60)] for values in inputs]
    alive = sorted(views[0][0])
    for size in range(1, len(alive)):
        for group in combinations(alive, size):
            one, other = (
                np.concatenate([together(view, group) for view in some]) for some in views
            )
            assert bits_differ(one, other) < 60  # chance below 1e-12 for 64 bits
    whole = {tuple(together(view, tuple(alive)).tolist()) for some in views for view in some}
    assert len(whole) == 1


def together(view: Mapping[str, Array], group: tuple[str, ...]) -> Array:
    return np.sum([view[name] for name in group], axis=0, dtype=np.uint64)


def test_the_test_above_can_tell_inputs_apart() -> None:
    """With a mask missing it does: it is no test that cannot fail."""
    encoding = Rounds().collection.layout.encoding
    one, other = (np.tile(encoding.encode([v]).view(np.uint64), 240) for v in (0.0, 1.5))
    assert bits_differ(one, other) > 400


def test_nothing_a_party_has_found_is_in_what_was_recorded() -> None:
    """No message holds the numbers, nor one that differs from them by what others can know."""
    parties = made(VALUES)
    recorder = Recorder(Local(parties))
    total = SecureSum(REGISTRY, limit=2)(recorder, ASKS, SHAPES)
    layout = Collection(Terms(1, NAMES, 3), REGISTRY, ASKS, SHAPES, 2.0).layout
    plain = {
        name: layout.encode({"x": np.full((2, 2), v), "y": np.array(-2 * v)})
        for name, v in VALUES.items()
    }
    seen = [e for e in recorder.view() if e.reply and "masked" in e.reply]
    assert len(seen) == 5
    for exchange in seen:
        assert exchange.reply is not None
        difference = exchange.reply["masked"] - plain[exchange.party]
        assert len(set(difference.tolist())) == 5  # each number under a mask of its own
        assert not set(exchange.reply["masked"].tolist()) & set(plain[exchange.party].tolist())
    assert float(total.sums["y"]) == -2 * sum(VALUES.values())
    for exchange in recorder.view():  # and of each party only one secret was ever given away
        if exchange.reply and "selves" in exchange.reply:
            assert set(exchange.reply["selves"]) == set(NAMES)
            assert not exchange.reply["masks"]


def test_two_parties_can_tell_each_others_part_as_the_documentation_says() -> None:
    two = made({"anna": 0.5, "ben": 0.25})
    total = SecureSum(REGISTRY)(Local(two), {name: {} for name in two}, SHAPES)
    assert float(total.sums["x"][0, 0]) - 0.5 == 0.25
    careful = made({"anna": 0.5, "ben": 0.25}, at_least=3)
    with pytest.raises(RoundError, match="takes part in sums of at least 3"):
        SecureSum(REGISTRY)(Local(careful), {name: {} for name in careful}, SHAPES)


# ------------------------------------------------------------------------------------- who drops out


class Dropping:
    """An engine from which parties are gone from a step on."""

    def __init__(self, engine: Local, gone: Mapping[str, set[str]]) -> None:
        self.engine, self.gone = engine, gone
        self.missing: dict[str, str] = {}
        self.sent = self.received = 0

    @property
    def parties(self) -> tuple[str, ...]:
        return self.engine.parties

    def ask(self, messages: Mapping[str, Message]) -> dict[str, Message]:
        step = next(iter(messages.values()))["step"]
        away = {
            n
            for s, names in self.gone.items()
            if STEPS.index(s) <= STEPS.index(step)
            for n in names
        }
        replies = self.engine.ask({n: m for n, m in messages.items() if n not in away})
        self.missing = {**self.engine.missing, **dict.fromkeys(away & set(messages), "is gone")}
        return replies


def secret_sum(gone: Mapping[str, set[str]]) -> Any:
    engine = Dropping(Local(made(VALUES)), gone)
    return SecureSum(REGISTRY, threshold=3, limit=2)(engine, ASKS, SHAPES)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("away", [{"anna"}, {"ben", "emil"}])
def test_parties_may_drop_out_at_every_step(step: str, away: set[str]) -> None:
    total = secret_sum({step: away})
    inside = set(NAMES) - away if step in ("keys", "share", "mask") else set(NAMES)
    assert set(total.parties) == inside
    assert set(total.missing) == set(NAMES) - inside
    assert all(reason == "is gone" for reason in total.missing.values())
    expected = sum(VALUES[name] for name in inside)
    assert np.abs(total.sums["x"] - expected).max() < 1e-12
    assert abs(float(total.sums["y"]) + 2 * expected) < 1e-12


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(STEPS), max_size=5))
@settings(max_examples=30)
def test_whoever_drops_out_whenever(when: dict[str, str]) -> None:
    """Enough stay: the sum of those who delivered. Too few: no sum at all."""
    gone = {step: {n for n, s in when.items() if s == step} for step in STEPS}
    if len(NAMES) - len(when) < 3:
        with pytest.raises(RoundError, match="the round is given up, and nothing of it is known"):
            secret_sum(gone)
    else:
        inside = [n for n in NAMES if when.get(n) not in ("keys", "share", "mask")]
        total = secret_sum(gone)
        assert list(total.parties) == inside
        assert np.abs(total.sums["x"] - sum(VALUES[n] for n in inside)).max() < 1e-12


@pytest.mark.parametrize("step", STEPS)
def test_below_the_threshold_nothing_is_released(step: str) -> None:
    engine = Recorder(Dropping(Local(made(VALUES)), {step: {"anna", "ben", "cleo"}}))
    summing = SecureSum(REGISTRY, threshold=3, limit=2)
    with pytest.raises(RoundError) as raised:
        summing(engine, ASKS, SHAPES)
    said = str(raised.value)
    assert "2 of 5 parties are left, and 3 are needed" in said
    assert "anna: is gone" in said
    given_away = [e.reply for e in engine.view() if e.reply and "selves" in e.reply]
    assert len(given_away) == (2 if step == "unmask" else 0)  # too few shares for anything


def test_a_round_that_was_given_up_stays_so() -> None:
    rounds = Rounds().until("mask")
    with pytest.raises(RoundError):
        rounds.collection.next({})
    assert rounds.collection._sum is None
    with pytest.raises(SecondUnmaskError):
        rounds.collection.total({})


def test_the_next_round_goes_on_after_one_that_failed() -> None:
    engine, summing = Local(made(VALUES)), SecureSum(REGISTRY, threshold=3, limit=2)
    with pytest.raises(RoundError):
        summing(Dropping(engine, {"agree": {"anna", "ben", "cleo"}}), ASKS, SHAPES)
    assert summing(engine, ASKS, SHAPES).parties == NAMES


# ---------------------------------------------------------------------- what a party will not answer


def test_both_secrets_of_one_party_are_refused() -> None:
    rounds = Rounds().until("unmask")
    wanted = {**rounds.questions["anna"], "masks": ["ben"]}
    with pytest.raises(BothSecretsError, match="both secrets of ben were asked"):
        rounds.ask("anna", wanted)


def test_a_secret_other_than_agreed_is_refused() -> None:
    rounds = Rounds().until("unmask")
    others = [name for name in NAMES if name != "ben"]
    wanted = {**rounds.questions["anna"], "selves": others, "masks": ["ben"]}
    with pytest.raises(DisagreementError, match="is now asked for the self masks of anna, cleo"):
        rounds.ask("anna", wanted)


def test_a_second_unmask_is_refused() -> None:
    rounds = Rounds().until("unmask")
    first = rounds.ask("anna")
    assert set(first["selves"]) == set(NAMES)
    with pytest.raises(SecondUnmaskError, match="round 1 was unmasked already"):
        rounds.ask("anna")
    total = rounds.collection.total({"anna": first, **rounds.answers("anna")})
    assert total.parties == NAMES
    with pytest.raises(SecondUnmaskError):
        rounds.collection.total({})


@pytest.mark.parametrize("step", STEPS)
def test_a_replayed_round_is_refused(step: str) -> None:
    old = Rounds(session=5).until(step)
    new = Rounds(session=6).until("mask")
    new.states["anna"]["last"] = 6
    with pytest.raises(ReplayError, match="round 5 is over"):
        new.ask("anna", old.questions["anna"])


def test_a_step_of_a_finished_round_is_refused() -> None:
    rounds = Rounds()
    kept = []
    for _ in STEPS[1:]:
        kept.append(rounds.questions["anna"])
        rounds.questions = rounds.collection.next(rounds.answers())
    rounds.answers()
    for question in kept:
        with pytest.raises(ReplayError):
            rounds.ask("anna", question)


def test_steps_come_in_their_order_and_once() -> None:
    rounds = Rounds().until("share")
    question = rounds.questions["anna"]
    rounds.ask("anna")
    with pytest.raises(OutOfOrderError, match="asked for 'share', and 'mask' is next"):
        rounds.ask("anna", question)
    with pytest.raises(OutOfOrderError, match="has not begun"):
        rounds.ask("anna", {**question, "session": 9})
    with pytest.raises(OutOfOrderError, match="has not begun"):
        Rounds().ask("anna", question)
    with pytest.raises(OutOfOrderError, match="comes before the sum"):
        Rounds().collection.total({})
    done = Rounds().until("unmask").collection
    with pytest.raises(OutOfOrderError, match="all questions were asked"):
        done.next({})


def test_nothing_is_answered_in_the_clear() -> None:
    with pytest.raises(PrivacyError, match="secret sums only, and was asked to 'train'"):
        made(VALUES)["anna"]({}, {"do": "train"})
    with pytest.raises(PrivacyError):
        made(VALUES)["anna"]({}, {"do": "secure", "step": "everything"})


def test_parties_who_were_told_different_things_do_not_unmask() -> None:
    """The coordinator tells anna that ben has gone, and the others that he has not."""
    rounds = Rounds().until("agree")
    without_ben = [name for name in NAMES if name != "ben"]
    rounds.questions["anna"] = {**rounds.questions["anna"], "alive": without_ben}
    signed = {name: reply["signed"] for name, reply in rounds.answers().items()}
    question = {
        "do": "secure", "step": "unmask", "session": 1,
        "signed": {n: s for n, s in signed.items() if n != "ben"},
        "selves": without_ben, "masks": ["ben"],
    }  # fmt: skip
    with pytest.raises(DisagreementError, match="was told something else than anna"):
        rounds.ask("anna", question)
    with pytest.raises(RoundError, match="1 of 5 parties have signed"):
        rounds.ask("anna", {**question, "signed": {"anna": signed["anna"]}})
    with pytest.raises(DisagreementError, match="ben has not delivered"):
        rounds.ask("anna", {**question, "signed": signed})
    others = {**question, "signed": signed, "selves": list(NAMES), "masks": []}
    with pytest.raises(DisagreementError, match="anna was told something else than cleo"):
        rounds.ask("cleo", others)


def test_parties_who_were_asked_different_things_do_not_unmask() -> None:
    """A model of her own for anna, to which nobody else can contribute (Pasquini et al. 2022)."""
    rounds = Rounds().until("mask")
    rounds.questions["anna"] = {**rounds.questions["anna"], "ask": {"do": "train", "model": 2}}
    rounds.questions = rounds.collection.next(rounds.answers())
    replies = rounds.answers()
    signed = {name: reply["signed"] for name, reply in replies.items() if name != "anna"}
    question = {"do": "secure", "step": "unmask", "session": 1, "signed": signed}
    with pytest.raises(DisagreementError, match="ben was told something else than anna"):
        rounds.ask("anna", {**question, "selves": list(NAMES), "masks": []})
    rounds.questions = rounds.collection.next(replies)
    assert "anna" not in rounds.questions  # an honest coordinator leaves her out as well
    asks = {**ASKS, "anna": {"do": "train", "model": 2}}
    with pytest.raises(ArgumentError, match="asks all parties the same"):
        SecureSum(REGISTRY)(Local(made(VALUES)), asks, SHAPES)
    weights = np.zeros(3)
    same = {name: {"do": "train", "weights": weights.copy()} for name in NAMES}
    assert SecureSum(REGISTRY)(Local(made(VALUES)), same, SHAPES).parties == NAMES
    same["ben"]["weights"][1] = 1
    with pytest.raises(ArgumentError, match="asks all parties the same"):
        SecureSum(REGISTRY)(Local(made(VALUES)), same, SHAPES)


def test_who_has_delivered_comes_from_those_who_took_part() -> None:
    rounds = Rounds(NAMES[:4]).until("agree")
    question = rounds.questions["anna"]
    with pytest.raises(DisagreementError, match="emil cannot have delivered"):
        rounds.ask("anna", {**question, "alive": list(NAMES)})
    with pytest.raises(RoundError, match="2 of 4 parties have delivered, and 3 have to"):
        rounds.ask("anna", {**question, "alive": ["anna", "ben"]})
    with pytest.raises(MessageError, match="sorted list of names"):
        rounds.ask("anna", {**question, "alive": ["ben", "anna", "cleo"]})


# ------------------------------------------------------------------------------ tampering, wrong keys


def changed(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def test_a_tampered_letter_is_refused() -> None:
    rounds = Rounds().until("mask")
    question = rounds.questions["anna"]
    sealed = question["sealed"]
    with pytest.raises(TamperedError, match="the seal is broken"):
        rounds.ask("anna", {**question, "sealed": {**sealed, "ben": changed(sealed["ben"])}})
    with pytest.raises(TamperedError, match="the seal is broken"):
        rounds.ask("anna", {**question, "sealed": {**sealed, "ben": sealed["cleo"]}})
    with pytest.raises(DisagreementError, match="a letter of zoe"):
        rounds.ask("anna", {**question, "sealed": {**sealed, "zoe": b""}})
    with pytest.raises(RoundError, match="2 of 5 parties have sent their shares"):
        rounds.ask("anna", {**question, "sealed": {"ben": sealed["ben"]}})
    assert "masked" in rounds.ask("anna")  # what was meant is still answered


def test_letters_of_another_round_do_not_open() -> None:
    """Old keys, rightly signed, with which the coordinator would know the masks: they prove nothing."""
    old = Rounds(session=1).until("mask")
    new = Rounds(session=2).until("mask")
    question = {**new.questions["anna"], "sealed": old.questions["anna"]["sealed"]}
    with pytest.raises(TamperedError, match="the seal is broken"):
        new.ask("anna", question)


def keys_with(rounds: Rounds, change: Callable[[dict[str, Any]], None]) -> Message:
    question = copy.deepcopy(rounds.questions["anna"])
    change(question["keys"])
    return question


def test_tampered_and_foreign_keys_are_refused() -> None:
    rounds = Rounds().until("share")
    other, mallory = Rounds(session=7).until("share"), Identity()

    def swap(keys: dict[str, Any]) -> None:
        keys["ben"]["shown"]["masks"] = bytes(32)

    def impersonate(keys: dict[str, Any]) -> None:
        statement = (1, list(NAMES), 3, "ben", keys["ben"]["shown"])
        keys["ben"]["signed"] = mallory.sign("keys", *statement)

    def replay(keys: dict[str, Any]) -> None:
        keys["ben"] = other.questions["anna"]["keys"]["ben"]

    def double(keys: dict[str, Any]) -> None:
        keys["ben"]["shown"] = dict(keys["cleo"]["shown"])
        statement = (1, list(NAMES), 3, "ben", keys["ben"]["shown"])
        keys["ben"]["signed"] = IDENTITIES["ben"].sign("keys", *statement)

    def invent(keys: dict[str, Any]) -> None:
        keys["zoe"] = keys["ben"]

    def mine(keys: dict[str, Any]) -> None:
        keys["anna"] = keys["ben"]

    def unsigned(keys: dict[str, Any]) -> None:
        del keys["ben"]["signed"]

    def few(keys: dict[str, Any]) -> None:
        del keys["ben"], keys["cleo"], keys["dora"]

    for change, error, words in (
        (swap, TamperedError, "not what ben signed"),
        (impersonate, WrongKeyError, "ben signed with another key"),
        (replay, TamperedError, "or is of another round"),
        (double, TamperedError, "two parties show the same key"),
        (invent, DisagreementError, "zoe is not in this round"),
        (mine, TamperedError, "anna did not show these keys"),
        (unsigned, MessageError, "ben sent no signature"),
        (few, RoundError, "2 of 5 parties have shown keys"),
    ):
        with pytest.raises(error, match=words):
            rounds.ask("anna", keys_with(rounds, change))


def test_a_party_that_is_not_registered_is_refused() -> None:
    registry = {name: REGISTRY[name] for name in NAMES[:4]}
    anna = Masked(finds(0.5), "anna", IDENTITIES["anna"], registry)
    rounds = Rounds()
    rounds.parties["anna"] = anna
    rounds.until("share")
    with pytest.raises(PartyError, match="'emil' is not registered; registered are: anna, ben"):
        rounds.ask("anna")
    with pytest.raises(ArgumentError, match="emil is not registered, so nobody"):
        Collection(Terms(1, NAMES, 3), registry, ASKS, SHAPES, 2.0)
    with pytest.raises(ArgumentError, match="'anna' is not registered with this identity"):
        Masked(finds(0.5), "anna", Identity(), REGISTRY)


def test_a_coordinator_drops_who_signs_with_another_key() -> None:
    imposter = Identity()
    theirs = {**REGISTRY, "emil": imposter.public}
    parties = {**made(VALUES), "emil": Masked(finds(9.0), "emil", imposter, theirs)}
    total = SecureSum(REGISTRY, threshold=3, limit=2)(Local(parties), ASKS, SHAPES)
    assert total.parties == NAMES[:4]
    assert "emil signed with another key" in total.missing["emil"]
    assert np.abs(total.sums["x"] - sum(VALUES[n] for n in NAMES[:4])).max() < 1e-12


@pytest.mark.parametrize("part", ["selves", "masks"])
def test_a_wrong_share_ends_the_round_without_a_sum(part: str) -> None:
    rounds = Rounds().until("mask")
    rounds.questions = rounds.collection.next(rounds.answers("emil"))
    rounds.questions = rounds.collection.next(rounds.answers())
    replies = rounds.answers()
    whose = "ben" if part == "selves" else "emil"
    share = replies["anna"][part][whose]
    replies["anna"][part][whose] = changed(share)
    with pytest.raises(
        TamperedError, match=f"of {whose} do not give what was dealt|make no secret"
    ):
        rounds.collection.total(replies)
    with pytest.raises(SecondUnmaskError):
        rounds.collection.total(replies)


def test_a_party_that_answers_nonsense_counts_as_gone() -> None:
    for step, nonsense in (
        ("keys", {"shown": {}}),
        ("share", {"sealed": {"anna": b"x"}}),
        ("mask", {"masked": np.zeros(4, np.uint64)}),
        ("mask", {"masked": np.zeros(5)}),
        ("agree", {"signed": {"by": b"", "signature": b""}}),
        ("unmask", {"selves": {}, "masks": {}}),
    ):
        rounds = Rounds()
        for now in STEPS:
            replies = rounds.answers()
            if now == step:
                replies["emil"] = nonsense
            if now != "unmask":
                rounds.questions = rounds.collection.next(replies)
        total = rounds.collection.total(replies)
        inside = NAMES if step in ("agree", "unmask") else NAMES[:4]
        assert total.parties == inside, step
        assert "not accepted" in rounds.collection.missing["emil"]
        assert np.abs(total.sums["x"] - sum(VALUES[n] for n in inside)).max() < 1e-12


# -------------------------------------------------------------------------- updates that are no good


@pytest.mark.parametrize(
    ("contribution", "error", "words"),
    [
        ({"x": np.zeros((2, 3)), "y": np.array(0.0)}, ShapeError, r"x is \(2, 3\)"),
        ({"x": np.full((2, 2), np.nan), "y": np.array(0.0)}, NotFiniteError, "x has nan"),
        ({"x": np.zeros((2, 2)), "y": np.array(2.5)}, OutOfRangeError, "y has numbers beyond ±2, "),
        ({"x": np.zeros((2, 2))}, MessageError, "missing: y"),
    ],
)
def test_an_update_that_does_not_fit_never_leaves_its_party(
    contribution: dict[str, Array], error: type[Exception], words: str
) -> None:
    rounds = Rounds()
    rounds.parties["emil"].party = lambda state, message: ({"sum": contribution}, state)
    rounds.until("mask")
    with pytest.raises(error, match=words) as raised:
        rounds.ask("emil")
    assert "2.5" not in str(raised.value)  # the coordinator gets to read it
    rounds.questions = rounds.collection.next(rounds.answers("emil"))
    rounds.questions = rounds.collection.next(rounds.answers())
    assert rounds.collection.total(rounds.answers()).parties == NAMES[:4]


def test_messages_that_make_no_sense_are_refused() -> None:
    rounds = Rounds().until("mask")
    question = rounds.questions["anna"]
    for change in ({"limit": -1}, {"limit": "2"}, {"shapes": {"x": ["a"]}}, {"sealed": [1]}):
        with pytest.raises(MessageError):
            rounds.ask("anna", {**question, **change})
    terms = Terms(1, NAMES, 3).to_plain()
    for change in (
        {"threshold": 2},
        {"parties": ["ben", "anna"]},
        {"session": "x"},
        {"parties": 5},
    ):
        with pytest.raises(MessageError):
            Rounds().ask("anna", {"do": "secure", "step": "keys", "terms": {**terms, **change}})
    zoe = Identity()
    stranger = Masked(finds(0), "zoe", zoe, {**REGISTRY, "zoe": zoe.public})
    with pytest.raises(DisagreementError, match="a round without zoe"):
        stranger({}, Rounds().questions["anna"])


# -------------------------------------------------------------------------------------- its parts


def test_thresholds_are_above_half() -> None:
    for parties in range(2, 200):
        threshold = usual_threshold(parties)
        assert parties / 2 < threshold <= parties
        assert threshold >= math.ceil(2 * parties / 3) or parties == 2
    for threshold in (2, 6):
        with pytest.raises(ArgumentError, match="above half of them"):
            Terms(1, NAMES, threshold)
    with pytest.raises(ArgumentError, match="at least two parties"):
        Terms(1, ("anna",), 1)


def test_no_secret_stays_in_the_state_when_it_is_not_needed_any_more() -> None:
    rounds = Rounds()
    left = {
        "share": {"letters", "masks", "seed"},
        "mask": {"masks", "seed", "open"},
        "agree": set(),
        "unmask": set(),
    }
    secret = {"letters", "masks", "seed", "open"}
    for step in STEPS[1:]:
        rounds.questions = rounds.collection.next(rounds.answers())
        assert set(rounds.states["anna"]["round"]) & secret == left[step]
    rounds.answers()
    assert "round" not in rounds.states["anna"]


def test_names_cannot_be_mixed_up() -> None:
    """A letter from "a" to "b to c" is another than one from "a to b" to "c"."""
    terms = Terms(1, NAMES, 3)
    assert about(terms, "a", "b to c") != about(terms, "a to b", "c")
    assert agreed(terms, ["a", "b"], ["a"], b"") != agreed(terms, ["a"], ["b", "a"], b"")


@given(st.binary(max_size=50), st.text(max_size=5))
def test_a_sealed_letter_opens_for_its_purpose_only(letter: bytes, about: str) -> None:
    key = bytes(range(32))
    assert unseal(key, seal(key, letter, about), about) == letter
    with pytest.raises(TamperedError):
        unseal(key, seal(key, letter, about), about + "!")


def test_signatures_are_bound_to_what_was_signed() -> None:
    signed = IDENTITIES["anna"].sign("keys", 1, [b"x"])
    check(REGISTRY, "anna", signed, "keys", 1, [b"x"])
    for other in (("keys", 2, [b"x"]), ("agree", 1, [b"x"]), ("keys", 1, [b"y"]), ("keys", 1)):
        with pytest.raises(TamperedError):
            check(REGISTRY, "anna", signed, *other)
    again = Identity(IDENTITIES["anna"].secret)
    assert again.public == REGISTRY["anna"]
    assert IDENTITIES["anna"].secret.hex() not in repr(IDENTITIES["anna"])
    with pytest.raises(WrongKeyError, match="has 32 bytes, and this has 3"):
        Identity(b"abc")


def test_the_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for module in [m for m in sys.modules if m.startswith("cryptography")]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        MissingExtraError, match=r"secure aggregation needs .*\n.*pellucid\[federated\]"
    ):
        Identity()
