"""One federated round for the lab: three parties, four words, and every message kept and tampered with.

The round itself is `fedavg`, with the parties, sums and refusals of `pellucid.federated`. Here are only the
mails, the wire that carries (and drops, and changes) messages, and the short round of shares.

A round is run as a whole, and its messages are shown one by one. When the reader does something to the
next message, it is run once more with what has been seen so far kept as it was (`kept`), for what is
drawn at random would be drawn anew.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from ..data import ArrayDataset
from ..errors import PellucidError
from ..federated import (
    EncryptedSum,
    Encrypting,
    FixedPoint,
    Identity,
    KeyHolder,
    Masked,
    Shapes,
    Total,
    Trainer,
    fedavg,
    pack,
    paillier,
    plain_sum,
    unpack,
)
from ..federated import field as ring
from ..federated.engine import SILENT, answer
from ..federated.layout import Layout
from ..federated.secure_aggregation.coordinator import Collection
from ..federated.secure_aggregation.terms import STEPS, Terms, usual_threshold
from ..federated.sharing import Dealer, Share, Shared, reveal
from ..federated.trainer import shapes_of
from ..nn import Linear, Module
from ..ops import sigmoid
from ..tensor import Tensor

Array = Any
Key = tuple[int, str]  # number of a question, and who is asked

WORDS = ("prize", "lottery", "meeting", "lunch")
NAMES = ("Anna", "Ben", "Cleo", "Dan")
MAILS = {"Anna": 4, "Ben": 6, "Cleo": 8, "Dan": 5}
NEVER = {"Anna": 1, "Ben": 3}  # the word that no mail of theirs has
COORDINATOR, HOLDER = "coordinator", "holder"
LR = 0.5
LIMIT = 100.0  # the largest number that fits into a contribution that is hidden
KEY_BITS = 256  # for a lesson: it protects nothing, and a step takes no time
FORGED = 10.0  # what is added to the first update on its way


def mails(names: tuple[str, ...], seed: int) -> dict[str, tuple[Array, Array]]:
    """The mails of each party: (mails, 4), 1 where a word is in a mail, and 1 for spam."""
    random = np.random.RandomState(seed)
    found = {}
    for name, count in MAILS.items():
        spam = np.arange(count) % 2
        chance = np.where(spam[:, None] == 1, [0.7, 0.6, 0.1, 0.1], [0.1, 0.1, 0.7, 0.6])
        words = (random.random_sample((count, len(WORDS))) < chance).astype(float)
        if name in NEVER:
            words[:, NEVER[name]] = 0
        found[name] = (words, spam.astype(float))
    return {name: found[name] for name in names}


def squared_error(sums: Tensor, spam: Tensor) -> Tensor:
    """How far the chances of spam are from what the mails are, squared and added up."""
    return ((sigmoid(sums)[:, 0] - spam) ** 2).sum()


def spam_filter(weights: Array) -> Module:
    """A number for each word; their sum, bent by sigmoid, is the chance of spam."""
    model = Linear(len(WORDS), 1, bias=False).double()
    model.load_state_dict({"weight": np.array(weights, dtype=float)[None]})
    return model


def trainers(data: Mapping[str, tuple[Array, Array]], weights: Array) -> dict[str, Trainer]:
    """A party for everybody's mails."""
    bench = spam_filter(weights)
    return {n: Trainer(bench, ArrayDataset(x, y), squared_error) for n, (x, y) in data.items()}


def question(weights: Array) -> dict[str, Any]:
    """What a party is asked in `fedavg`."""
    how = {"lr": LR, "passes": 1, "batch_size": 32, "shuffle": False, "mu": 0.0}
    sent = {"weight": np.array(weights)[None]}
    return {"do": "train", "round": 1, "weights": sent, "seed": 0, **how}


def contributions(data: Mapping[str, tuple[Array, Array]], weights: Array) -> dict[str, Array]:
    """What each party finds, before anything hides it: (6,) examples, loss, four updates."""
    found = {}
    for name, party in trainers(data, weights).items():
        reply, _ = party({}, question(weights))
        found[name] = np.concatenate([np.ravel(a) for a in reply["sum"].values()])
    return found


# ------------------------------------------------------------------------------------------ messages


@dataclass
class Sent:
    """One message on its way.

    Attributes:
        key: number of the question, and which party it is about.
        kind: what it is, a word of the view's texts.
        sender, receiver: names.
        message: what it says; None for silence.
        size: in bytes.
        was: "" as it should be, or "changed", "silent", "refused", "again".
        error: what was refused, in the library's own words, and of which kind.
    """

    key: Key
    kind: str
    sender: str
    receiver: str
    message: dict[str, Any] | None
    size: int
    was: str = ""
    error: str = ""


@dataclass
class Done:
    """What the reader has done to a round.

    Attributes:
        silent: from which question on a party says nothing.
        changed: messages that were changed on their way: (question, party, "down" or "up").
        again: exchanges after which the party is asked the same once more.
        kept: by question and party, what it answered and what it remembered then.
    """

    silent: dict[str, int] = field(default_factory=dict)
    changed: set[tuple[int, str, str]] = field(default_factory=set)
    again: set[Key] = field(default_factory=set)
    kept: dict[Any, Any] = field(default_factory=dict)


@dataclass
class Round:
    """A round as it went: its messages, and what came of it.

    Attributes:
        total: the sum, where there is one.
        weights: (4,) after the round.
        ended: why it was given up, in the library's own words.
        states: what each party remembers.
    """

    sent: list[Sent]
    weights: Array
    states: dict[str, bytes]
    total: Total | None = None
    ended: str = ""


class Wire:
    """An engine, as `Local`, that writes down each message and does to it what the reader wants."""

    def __init__(
        self, parties: Mapping[str, Any], states: dict[str, bytes], done: Done, log: list[Sent]
    ) -> None:
        self._parties, self.states, self.done, self.log = dict(parties), states, done, log
        self.missing: dict[str, str] = {}
        self.sent = self.received = 0

    @property
    def parties(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._parties)

    def ask(self, messages: Mapping[str, Any]) -> dict[str, Any]:
        """Ask one party after the other."""
        self.missing, replies = {}, {}
        number = self.log[-1].key[0] + 1 if self.log else 1
        for name, message in messages.items():
            reply = self._exchange((number, name), message)
            if reply is not None:
                replies[name] = reply
        return replies

    def _exchange(self, key: Key, message: dict[str, Any]) -> dict[str, Any] | None:
        number, name = key
        kind = kind_of(message)
        asked = self._carry(key, "down", kind, message)
        if number >= self.done.silent.get(name, number + 1):
            self.missing[name] = SILENT
            self.log.append(Sent(key, f"{kind}-up", name, COORDINATOR, None, 0, "silent", SILENT))
            return None
        if key not in self.done.kept:
            self.done.kept[key] = self._answer(name, asked)
        data, error, self.states[name] = self.done.kept[key]
        if data is None:
            self.missing[name] = error
            self.log.append(Sent(key, f"{kind}-up", name, COORDINATOR, None, 0, "refused", error))
            return None
        reply = self._carry(key, "up", f"{kind}-up", unpack(data))
        if key in self.done.again:
            self._once_more(key, kind, asked)
        return reply

    def _answer(self, name: str, message: dict[str, Any]) -> tuple[bytes | None, str, bytes]:
        before = self.states.get(name, b"")
        try:
            data, after = answer(self._parties[name], before, pack(message))
        except PellucidError as error:
            return None, f"{type(error).__name__}: {error.message}", before
        return data, "", after

    def _carry(self, key: Key, way: str, kind: str, message: dict[str, Any]) -> dict[str, Any]:
        """A message from one to the other, changed on its way if the reader wants that."""
        changed = (*key, way) in self.done.changed
        if changed:  # once: what is drawn for it at random stays as it was seen
            if ("forged", *key, way) not in self.done.kept:
                made = forged(kind, message, self._parties[key[1]], len(self._parties))
                self.done.kept["forged", *key, way] = made
            message = self.done.kept["forged", *key, way]
        ends = (COORDINATOR, key[1]) if way == "down" else (key[1], COORDINATOR)
        was = "changed" if changed else ""
        self.log.append(Sent(key, kind, *ends, message, len(pack(message)), was))
        return message

    def _once_more(self, key: Key, kind: str, message: dict[str, Any]) -> None:
        """The same question a second time; whatever is answered, the sum has it once."""
        name = key[1]
        if ("again", *key) not in self.done.kept:
            self.done.kept["again", *key] = self._answer(name, message)
        data, error, _ = self.done.kept["again", *key]
        size = len(pack(message))
        self.log.append(Sent(key, kind, COORDINATOR, name, message, size, "again"))
        reply = None if data is None else unpack(data)
        was, size = ("refused", 0) if data is None else ("again", len(data))
        self.log.append(Sent(key, f"{kind}-up", name, COORDINATOR, reply, size, was, error))


def kind_of(message: Mapping[str, Any]) -> str:
    """What a question is about."""
    do = str(message["do"])
    return {"secure": str(message.get("step")), "open": "open-sum"}.get(do, do)


def forged(kind: str, message: dict[str, Any], party: Any, parties: int) -> dict[str, Any]:
    """A message with one thing changed in it: what somebody on the way could do."""
    message = copy.deepcopy(message)
    if kind in ("lock-up", "open-sum"):  # a number is added to what is locked: that takes no key
        keys = party.public if kind == "lock-up" else party.private.public
        locked = keys.vector_from_plain(message["locked"], party.encoding)
        more = np.zeros(locked.size)
        more[2] = FORGED
        added = locked + keys.encrypt_vector(more, party.encoding)
        message["locked"] = {**added.to_plain(), "terms": locked.terms}
        return message
    if kind == "keys":
        message["terms"]["threshold"] = 1
    elif kind == "agree":
        message["alive"] = message["alive"][:-1]
    elif kind == "mask-up":  # added to what is masked: nobody need be able to read it
        encoding = FixedPoint(LIMIT, parties)
        message["masked"][2] += np.uint64(encoding.encode(np.array(FORGED)))
    else:
        change_one(message)
    return message


def change_one(part: Any) -> bool:
    """Change the first number of the last array, or one bit of the first bytes."""
    arrays = [a for a in leaves(part) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    if arrays:
        arrays[-1].reshape(-1)[0 if arrays[-1].size <= len(WORDS) else 2] += (
            FORGED if len(arrays) > 1 or arrays[-1].size > len(WORDS) else 1.0
        )
        return True
    for key, value in part.items():
        if isinstance(value, bytes):
            part[key] = value[:-1] + bytes([value[-1] ^ 1])
            return True
        if isinstance(value, dict) and change_one(value):
            return True
    return False


def leaves(part: Any) -> list[Any]:
    """Everything in dicts in dicts."""
    return [leaf for p in part.values() for leaf in leaves(p)] if isinstance(part, dict) else [part]


# --------------------------------------------------------------------------------- the four protections


@cache
def lesson_keys() -> paillier.PrivateKey:
    """A pair of Paillier's keys, short."""
    return paillier.keygen(KEY_BITS, lesson=True)


def room(parties: int) -> FixedPoint:
    """How numbers are written under Paillier's lock and in shares."""
    return FixedPoint(LIMIT, 2 * parties, 48)


def play(
    protection: str,
    data: Mapping[str, tuple[Array, Array]],
    weights: Array,
    secrets: Mapping[str, bytes],
    states: Mapping[str, bytes],
    session: int,
    done: Done,
) -> Round:
    """One round from its first message to the new weights.

    Args:
        protection: "open", "masks", "paillier" or "shares".
        data: the mails of each party.
        weights: (4,) before the round.
        secrets: the identity of each party, for the masks.
        states: what each party remembers.
        session: number of the round.
        done: what the reader did to it.
    """
    played = Round([], np.array(weights), dict(states))
    model = spam_filter(weights)
    parties: Mapping[str, Any] = trainers(data, weights)
    if protection == "shares":
        shared_round(played, parties, weights, done)
        return played
    summing: Callable[..., Total] = plain_sum
    if protection == "masks":
        identities = {n: Identity(secrets[n]) for n in parties}
        registry = {n: i.public for n, i in identities.items()}
        parties = {n: Masked(p, n, identities[n], registry) for n, p in parties.items()}
        summing = secret_sum(registry, session)
    elif protection == "paillier":
        keys, encoding = lesson_keys(), room(len(parties))
        parties = {n: Encrypting(p, keys.public, encoding) for n, p in parties.items()}
        holder = {HOLDER: KeyHolder(keys, encoding)}
        wire = Wire(holder, played.states, done, played.sent)
        summing = EncryptedSum(keys.public, encoding, wire)

    def kept(*asked: Any) -> Total:
        played.total = summing(*asked)
        mark(played.sent, played.total.missing)
        return played.total

    engine = Wire(parties, played.states, done, played.sent)
    try:
        fedavg(model, engine, rounds=1, lr=LR, shuffle=False, summing=kept)
    except PellucidError as error:
        played.ended, played.total = f"{type(error).__name__}: {error.message}", None
    else:
        played.weights = model.state_dict()["weight"].numpy()[0].copy()
    return played


def mark(log: list[Sent], missing: Mapping[str, str]) -> None:
    """Write to each message that the coordinator did not accept, why."""
    for name, why in missing.items():
        last = next((s for s in reversed(log) if s.sender == name), None)
        if last is not None and not last.error and why.startswith("not accepted"):
            last.was, last.error = "refused", why


def secret_sum(registry: Mapping[str, bytes], session: int) -> Callable[..., Total]:
    """`SecureSum`, with rounds that are counted from 1 and not by the clock."""

    def summing(engine: Wire, messages: Mapping[str, Any], shapes: Shapes) -> Total:
        names = tuple(sorted(messages))
        terms = Terms(session, names, usual_threshold(len(names)))
        collection = Collection(terms, registry, messages, shapes, LIMIT)
        questions = collection.keys()
        for _ in STEPS[1:]:
            replies = engine.ask(questions)
            collection.missing.update(engine.missing)
            try:
                questions = collection.next(replies)
            finally:
                mark(engine.log, collection.missing)
        return collection.total(engine.ask(questions))

    return summing


def shared_round(played: Round, parties: Mapping[str, Trainer], weights: Array, done: Done) -> None:
    """The round of additive shares: everybody cuts its numbers, and only sums of parts are shown."""
    names, log, kept = list(parties), played.sent, done.kept
    encoding = room(len(names))
    layout = Layout(shapes_of(spam_filter(weights)), encoding)
    dealer = kept.setdefault("dealer", Dealer(len(names)))
    held: dict[str, list[Share]] = {name: [] for name in names}

    def silent(name: str, number: int) -> bool:
        return number >= done.silent.get(name, number + 1)

    def send(key: Key, kind: str, sender: str, receiver: str, way: str, share: Share) -> Share:
        changed = (*key, way) in done.changed
        if changed:
            part = share.part.copy()
            part[2] = ring.add(part[2], ring.encode(encoding.encode(np.array(FORGED)))[()])
            share = Share(share.party, share.parties, part, share.tag, share.alpha, share.dealer)
        message = {"part": share.part, "tag": share.tag}
        size = len(pack(message))
        log.append(Sent(key, kind, sender, receiver, message, size, "changed" if changed else ""))
        return share

    engine_log: list[Sent] = []
    wire = Wire(parties, played.states, done, engine_log)
    number = 1
    found = {}
    for name in names:  # each is sent the weights and trains; what it found stays with it
        reply = wire._exchange((number, name), question(weights))
        log.append(engine_log.pop(0))
        if reply is None:
            log.append(engine_log.pop())
        else:
            found[name] = layout.encode(reply["sum"]).view(np.int64)
        engine_log.clear()
    for number, owner in enumerate(found, start=2):
        if silent(owner, number):
            continue
        dealt: Shared = kept.setdefault(("dealt", owner), dealer.share(found[owner]))
        for place, name in enumerate(names):
            share = dealt.shares[place]
            if name != owner:
                share = send((number, owner), "part", owner, name, name, share)
            held[name].append(share)
    number = 2 + len(found)
    shown: list[Share] = []
    for name in names:
        key = (number, name)
        if silent(name, number) or not held[name]:
            log.append(Sent(key, "parts-up", name, COORDINATOR, None, 0, "silent", SILENT))
            continue
        share, *others = held[name]
        for other in others:
            share = share + other
        share = send(key, "parts-up", name, COORDINATOR, "up", share)
        shown.append(share)
        if key in done.again:
            message = {"part": share.part, "tag": share.tag}
            log.append(Sent(key, "parts-up", name, COORDINATOR, message, len(pack(message)), "again"))  # fmt: skip
            shown.append(share)
    try:
        whole = reveal(shown)
    except PellucidError as error:
        played.ended = f"{type(error).__name__}: {error.message}"
        return
    inside = tuple(n for i, n in enumerate(found, start=2) if not silent(n, i))
    played.total = Total(layout.decode(whole), inside)
    sums = played.total.sums
    played.weights = np.array(weights) + sums["update.weight"][0] / float(sums["examples"])


# ------------------------------------------------------------------------------------ as a program

PROGRAM = """\
import numpy as np
from pellucid import nn, sigmoid
from pellucid.data import ArrayDataset
from pellucid.federated import *

# the mails of each party: 1 where a word is in a mail ({words}), and 1 for spam
mails = {{
{mails}
}}


def squared_error(sums, spam):
    return ((sigmoid(sums)[:, 0] - spam) ** 2).sum()


model = nn.Linear({count}, 1, bias=False).double()
model.weight.data[:] = 0
parties = {{
    name: Trainer(model, ArrayDataset(np.array(x, float), np.array(y, float)), squared_error)
    for name, (x, y) in mails.items()
}}
{protection}

for inside, weights in {rounds}:
    if weights is not None:  # a round that was given up, or changed on its way
        model.weight.data[:] = weights
    else:
        engine = Local({{name: parties[name] for name in inside}})
        fedavg(model, engine, rounds=1, lr={lr}, shuffle=False, summing=summing)
    print(model.weight.numpy()[0])
"""
HOW = {
    "open": "summing = plain_sum  # the coordinator reads every contribution and adds",
    "masks": """
identities = {name: Identity() for name in parties}
registry = {name: identity.public for name, identity in identities.items()}
parties = {n: Masked(p, n, identities[n], registry) for n, p in parties.items()}
summing = SecureSum(registry, limit=%(limit)r)  # the masks are drawn anew each time""",
    "paillier": """
from pellucid.federated import paillier

keys = paillier.keygen(%(bits)d, lesson=True)  # for a lesson: too short to protect anything
encoding = FixedPoint(%(limit)r, terms=%(terms)d, width=48)
parties = {n: Encrypting(p, keys.public, encoding) for n, p in parties.items()}
summing = EncryptedSum(keys.public, encoding, Local({"holder": KeyHolder(keys, encoding)}))""",
    "shares": """
from pellucid.federated.sharing import Dealer, reveal

encoding = FixedPoint(%(limit)r, terms=%(terms)d, width=48)


def summing(engine, messages, shapes):
    replies = engine.ask(messages)
    dealer, sums = Dealer(len(replies)), {}
    for name in shapes:
        first, *others = (dealer.share(encoding.encode(r["sum"][name])) for r in replies.values())
        for other in others:
            first = first + other  # each party adds its own parts
        sums[name] = encoding.decode(reveal(first))
    return Total(sums, tuple(replies))
""",
}


def written(
    protection: str,
    data: Mapping[str, tuple[Array, Array]],
    rounds: list[tuple[tuple[str, ...], bool, Array]],
) -> str:
    """The rounds so far as a program.

    Args:
        protection: as in `play`.
        data: the mails of each party.
        rounds: who was in the sum, whether a message was changed, and the weights after it.
    """
    told = [
        (inside, after.tolist() if changed or not inside else None)
        for inside, changed, after in rounds
    ] or [(tuple(data), None)]
    lines = [
        f"    {n!r}: ({x.astype(int).tolist()}, {y.astype(int).tolist()}),"
        for n, (x, y) in data.items()
    ]
    how = HOW[protection]
    if "%(" in how:
        how %= {"limit": LIMIT, "bits": KEY_BITS, "terms": 2 * len(data)}
    return PROGRAM.format(
        words=", ".join(WORDS),
        mails="\n".join(lines),
        count=len(WORDS),
        protection=how.strip(),
        rounds=told,
        lr=LR,
    )
