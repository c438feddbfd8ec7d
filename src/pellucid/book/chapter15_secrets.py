"""Chapter 15, second part: sums that nobody sees the parts of, by masks and under lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import lcm
from typing import Any

import numpy as np

from pellucid.data import PADDING, Vocabulary
from pellucid.errors import RoundError
from pellucid.federated import Local, Recorder, Shapes, by_size, fedavg, paillier, plain_sum, shamir
from pellucid.federated.encrypted_sum import EncryptedSum, Encrypting, KeyHolder
from pellucid.federated.engine import Party, State
from pellucid.federated.field import PRIME
from pellucid.federated.fixed_point import FixedPoint
from pellucid.federated.messages import Message
from pellucid.federated.noise import FixedBaseNoise
from pellucid.federated.secure_aggregation import Identity, Masked, SecureSum
from pellucid.federated.secure_aggregation.party import layout_of
from pellucid.federated.summing import Summing
from pellucid.federated.trainer import shapes_of

from .chapter15 import BATCH, NAMES, SIZES, Mails, SpamFilter, mails, train_by_hand, trainers
from .experiment import Figure, Result, experiment
from .result import Array

KEPT = dict(zip(NAMES, (4, 7, 10), strict=True))  # what each keeps to itself, in the lessons
CLOCK = 100  # the masks of the lesson count up to here, and begin again


def common(data: Mails, least: int) -> Mails:
    """The same mails, with those words only that at least so many of them have."""
    count = np.bincount(data.ids.ravel(), minlength=len(data.words))
    count[0] = 0  # the padding
    kept = np.flatnonzero(count >= least)
    words = Vocabulary(data.words.decode(kept), specials=(PADDING,), unknown=None)
    number = np.zeros(len(data.words), np.int32)
    number[kept] = np.arange(1, len(kept) + 1)
    return replace(data, words=words, ids=number[data.ids], test_ids=number[data.test_ids])


def learned(
    data: Mails, engine: Any, summing: Summing, rounds: int, lr: float, passes: int
) -> tuple[Array, list[float]]:
    """FedAvg with some way to add up: the numbers of the words, and how many are right per round."""
    model, right = SpamFilter(len(data.words)), list[float]()
    fedavg(
        model,
        engine,
        rounds=rounds,
        lr=lr,
        passes=passes,
        batch_size=BATCH,
        shuffle=False,
        summing=summing,
        on_round=lambda _: right.append(model.accuracy(data)),
    )
    return model.table.weight.data[:, 0].copy(), right


# ----------------------------------------------------------------------- 15.6 secure aggregation


@experiment("15.6")
def secret_sum(
    result: Result,
    *,
    lr: float = 0.01,
    rounds: int = 3,
    passes: int = 3,
    test: int = 2000,
    seed: int = 1,
) -> None:
    """The coordinator learns the sum, and nothing else.

    Args:
        lr: how much of each correction is made (the book's alpha).
        rounds: how often the models are brought together.
        passes: how often each party goes through its mails in a round.
        test: how many mails are kept for testing.
        seed: how the mails are mixed, and the masks of the small sum; 0 leaves the mails in order.
    """
    small_masks(result, np.random.RandomState(seed))
    small_shares(result)
    dropping_out(result)

    data = mails(result, seed, test)
    parts = dict(zip(NAMES, by_size(len(data.labels), SIZES), strict=True))
    plainly = Recorder(Local(trainers(data, parts)))
    plain, _ = learned(data, plainly, plain_sum, rounds, lr, passes)
    identities = {name: Identity() for name in NAMES}
    registry = {name: identity.public for name, identity in identities.items()}
    engine = Recorder(
        Local(
            {
                name: Masked(party, name, identities[name], registry)
                for name, party in trainers(data, parts).items()
            }
        )
    )
    secret, right = learned(data, engine, SecureSum(registry), rounds, lr, passes)
    result.agree("secret sum and open sum: numbers of the words", secret, plain, allowed=1e-8)
    result.table(
        "right on test mails", ("round", "with the secret sum"), list(enumerate(right, start=1))
    )
    show_seen(result, data, plainly, engine)


def small_masks(result: Result, dice: np.random.RandomState) -> None:
    """Three numbers under masks that vanish in the sum."""
    masks = {pair: int(dice.randint(CLOCK)) for pair in combinations(NAMES, 2)}
    shown = under_masks(masks)
    rows = []
    for name, number in KEPT.items():
        signs = [
            (f"+{m}" if name == a else f"-{m}") for (a, b), m in masks.items() if name in (a, b)
        ]
        rows.append((name, number, "  ".join(signs), shown[name]))
    total = sum(shown.values()) % CLOCK
    result.table(
        "masks that vanish in the sum", ("party", "its number", "its masks", "shows"), rows
    )
    result.number("sum of what is shown", total)
    result.agree("a sum under masks", total, sum(KEPT.values()) % CLOCK)
    result.say("small", total=total, clock=CLOCK, seen=", ".join(map(str, shown.values())))


def under_masks(masks: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """What each shows: of each pair, the first adds their mask and the second takes it off."""
    shown = dict(KEPT)
    for (a, b), mask in masks.items():
        shown[a] += mask
        shown[b] -= mask
    return {name: number % CLOCK for name, number in shown.items()}


def small_shares(result: Result) -> None:
    """A secret cut into three, of which any two bring it back."""
    secret = 42
    shares = shamir.split(secret, parties=3, threshold=2)
    rows = [(name, int(share)) for name, share in zip(NAMES, shares.values(), strict=True)]
    result.table("the secret 42, as points of a line", ("party", "its share"), rows)
    joined = [
        int(shamir.join({i: shares[i] for i in pair}, threshold=2))
        for pair in combinations(shares, 2)
    ]
    by_hand = [at_zero(i, int(shares[i]), j, int(shares[j])) for i, j in combinations(shares, 2)]
    result.agree("the secret, from any two shares", joined, by_hand)


def at_zero(x1: int, y1: int, x2: int, y2: int) -> int:
    """Where the line through two points is at 0, modulo a prime."""
    return (y1 * x2 - y2 * x1) * pow(x2 - x1, -1, PRIME) % PRIME


def finds(number: float) -> Party:
    """A party that has found one number."""
    return lambda state, message: ({"sum": {"x": np.array([float(number)])}}, state)


class Leaving:
    """A party that is gone from some step of the protocol on."""

    def __init__(self, party: Party, step: str) -> None:
        self.party, self.step = party, step

    def __call__(self, state: State, message: Message) -> tuple[Message | None, State]:
        """Answer, as long as it is there."""
        if state.get("gone") or message.get("step") == self.step:
            return None, {"gone": True}
        return self.party(state, message)


def dropping_out(result: Result) -> None:
    """The real protocol with small numbers, and somebody who leaves."""
    cases: Sequence[tuple[str, dict[str, str]]] = (
        ("nobody", {}),
        ("Cleo, before her number", {"Cleo": "mask"}),
        ("Cleo, after her number", {"Cleo": "agree"}),
        ("Ben and Cleo", {"Ben": "mask", "Cleo": "mask"}),
    )
    rows: list[tuple[str, str, Any]] = []
    sums, by_hand = [], []
    for what, leaves in cases:
        inside, total = sum_without(leaves)
        rows.append((what, ", ".join(inside) or "-", "nothing" if total is None else total))
        if total is not None:
            sums.append(total)
            by_hand.append(sum(KEPT[name] for name in inside))
    result.table("4, 7 and 10 in the real protocol", ("who leaves", "in the sum", "sum"), rows)
    result.agree("sums of those who have shown their number", sums, by_hand)


def sum_without(leaves: Mapping[str, str]) -> tuple[tuple[str, ...], float | None]:
    """Who is in the secret sum, and the sum; None if the round is given up."""
    identities = {name: Identity() for name in NAMES}
    registry = {name: identity.public for name, identity in identities.items()}
    parties: dict[str, Party] = {}
    for name, number in KEPT.items():
        party = Masked(finds(number), name, identities[name], registry)
        parties[name] = Leaving(party, leaves.get(name, ""))
    asks: dict[str, Message] = {name: {"do": "find"} for name in NAMES}
    try:
        total = SecureSum(registry)(Local(parties), asks, {"x": (1,)})
    except RoundError:
        return (), None
    return total.parties, float(total.sums["x"][0])


def show_seen(result: Result, data: Mails, plainly: Recorder, engine: Recorder) -> None:
    """What the coordinator has of Ben: without masks, and with them."""
    shapes = shapes_of(SpamFilter(len(data.words)))
    found = plainly.view("Ben")[0].reply
    shown = masked_by(engine, "Ben")
    assert found is not None
    update = found["sum"]["update.table.weight"][:, 0]
    seen = in_order(shown, shapes, engine)
    three = np.argsort(-np.abs(update))[:4]
    rows = [(data.words.tokens[i], float(update[i]), f"{seen[i]:.3e}") for i in three]
    result.table("what the coordinator has of Ben", ("word", "open sum", "secret sum"), rows)
    ones = np.unpackbits(shown.view(np.uint8)).mean()
    result.number("share of ones among the bits that Ben shows", round(float(ones), 4))
    likeness = float(np.corrcoef(update, seen)[0, 1])
    result.number("likeness of what he shows to what he found", round(likeness, 3))
    moved, all_of_them = int(np.count_nonzero(update)), int(np.count_nonzero(seen))
    result.say("tried", moved=f"{moved:,}", shown=f"{all_of_them:,}")
    travels = [
        (kind, sum(e.sent for e in view), sum(e.received for e in view))
        for kind, view in (("open sum", plainly.view("Ben")), ("secret sum", engine.view("Ben")))
    ]
    result.table(
        "what travels, in bytes, all rounds", ("how it is added up", "to Ben", "from Ben"), travels
    )


def masked_by(engine: Recorder, name: str) -> Array:
    """What a party showed in the first round, as it was sent: uint64."""
    (first, *_) = (e.reply["masked"] for e in engine.view(name) if e.reply and "masked" in e.reply)
    return first


def in_order(shown: Array, shapes: Shapes, engine: Recorder) -> Array:
    """What was shown of each word's number, read as if there were no masks."""
    asked = next(e.message for e in engine.view() if "shapes" in e.message)
    layout = layout_of(asked, len(NAMES))
    assert set(layout.shapes) == set(shapes)
    numbers: Array = layout.decode(shown)["update.table.weight"][:, 0]
    return numbers


# ------------------------------------------------------------------------------------ 15.7 Paillier


@experiment(
    "15.7",
    figures=[Figure("5 + 3, added while locked", 8, "with Paillier's encryption")],
)
def locked(result: Result, *, bits: int = 128, seed: int = 1) -> None:
    """Numbers that are added while they are locked.

    Args:
        bits: how long the key is; below 2048 it is good for a lesson only.
        seed: of the primes of the small example; keys and noise are the system's, always new.
    """
    keys = paillier.keygen(bits, lesson=True)
    public = keys.public
    five, again, three = public.encrypt(5), public.encrypt(5), public.encrypt(3)
    result.number("5 + 3, added while locked", keys.decrypt(five + three))
    kept = {
        "5": five,
        "5 again": again,
        "3": three,
        "5 + 3": five + three,
        "5 + 3 - 8": five + three + -8,
        "5 * 7": five * 7,
        "5 * -7": five * -7,
    }
    rows = [(what, ends(int(c.locked)), keys.decrypt(c)) for what, c in kept.items()]
    result.table("what is locked, and what it looks like", ("what", "locked", "unlocked"), rows)
    result.say("sizes", bits=bits, digits=len(str(int(five.locked))))
    opened = [open_by_hand(int(c.locked), int(keys.p), int(keys.q)) for c in kept.values()]
    ours = [keys.decrypt(c) for c in kept.values()]
    result.agree("what is inside, by the formulas of the paper", ours, opened)
    small_primes(result, np.random.RandomState(seed))
    packed(result)


def ends(number: int, shown: int = 12) -> str:
    """The first and the last digits of a large number."""
    digits = str(number)
    return digits if len(digits) <= 2 * shown + 3 else f"{digits[:shown]}...{digits[-shown:]}"


def lock_by_hand(m: int, n: int, r: int) -> int:
    """(1 + n)^m · r^n modulo n² (Paillier 1999)."""
    return pow(1 + n, m, n * n) * pow(r, n, n * n) % (n * n)


def open_by_hand(c: int, p: int, q: int) -> int:
    """L(c^λ mod n²) / L((1 + n)^λ mod n²) modulo n, with L(x) = (x - 1) / n and λ = lcm(p-1, q-1)."""
    n, power = p * q, lcm(p - 1, q - 1)
    over, under = ((pow(x, power, n * n) - 1) // n for x in (c, 1 + n))
    m = over * pow(under, -1, n) % n
    return m - n if 2 * m > n else m


def small_primes(result: Result, dice: np.random.RandomState) -> None:
    """All of it with primes of two digits, step by step."""
    p, q = 11, 17
    n = p * q
    units = [r for r in range(2, n) if r % p and r % q]
    r5, r3 = (int(r) for r in dice.choice(units, 2, replace=False))
    c5, c3 = lock_by_hand(5, n, r5), lock_by_hand(3, n, r3)
    both = c5 * c3 % n**2
    result.step("primes of two digits")
    result.predict("n", "p * q", n)
    result.predict("5, locked", "(1 + 5 * n) * r**n % n**2", c5)
    result.predict("3, locked", "(1 + 3 * n) * r**n % n**2", c3)
    result.predict("product of both", "a * b % n**2", both)
    result.compare("what is in it", "by p and q", open_by_hand(both, p, q))
    table = [("5", r5, c5), ("3", r3, c3), ("5 + 3", r5 * r3 % n, both)]
    result.table("with the primes 11 and 17: n = 187", ("what", "noise r", "locked"), table)
    result.agree("5 + 3 with primes of two digits", open_by_hand(both, p, q), 8)


def packed(result: Result) -> None:
    """Three weights side by side in one number."""
    encoding = FixedPoint(limit=1, terms=2, width=24)
    keys = paillier.keygen(128, lesson=True)
    a, b = np.array([0.25, -0.5, 0.125]), np.array([0.5, 0.25, -0.0625])
    total = keys.public.encrypt_vector(a, encoding) + keys.public.encrypt_vector(b, encoding)
    opened = keys.decrypt_vector(total)
    result.agree("three weights side by side in one locked number", opened, a + b)
    result.say("packed", sum=", ".join(f"{x:g}" for x in opened), numbers=len(total.locked))


# ----------------------------------------------------------------------- 15.8 learning under lock


@experiment(
    "15.8",
    figures=[
        Figure("accuracy", 0.98, "published: 0.9875, on other mails", at_least=True),
    ],
    slow=True,
)
def under_lock(
    result: Result,
    *,
    lr: float = 0.01,
    rounds: int = 3,
    passes: int = 3,
    least: int = 5,
    bits: int = 2048,
    test: int = 2000,
    seed: int = 1,
) -> None:
    """Federated learning under encryption: as published, and with the sum unlocked.

    Args:
        lr: how much of each correction is made (the book's alpha).
        rounds: how often the models are brought together.
        passes: how often each party goes through its mails in a round.
        least: words that fewer mails have are left out.
        bits: how long the key of the corrected run is.
        test: how many mails are kept for testing.
        seed: how the mails are mixed; 0 leaves them in the order of the archive.
    """
    data = common(mails(result, seed, test), least)
    parts = dict(zip(NAMES, by_size(len(data.labels), SIZES), strict=True))
    ticks = iter(result.track(range(2 * rounds)))
    published, opened = as_published(data, parts, lr, rounds, passes, ticks)
    result.number("accuracy", published[-1])

    plain, right = learned(data, Local(trainers(data, parts)), plain_sum, rounds, lr, passes)
    secret = Locked(data, parts, bits)
    weights, corrected = secret.run(rounds, lr, passes)
    for _ in corrected:
        next(ticks, None)
    result.number("accuracy, corrected", corrected[-1])
    first, allowed = secret.first_sum(), len(NAMES) / 2 * secret.encoding.resolution
    open_sum = first_open_sum(data, parts, lr, passes)
    size = float(np.abs(open_sum).max())
    result.agree(
        "sum of round 1, within its steps", first, open_sum, allowed=1.001 * allowed / size
    )
    result.agree("numbers of the words after all rounds", weights, plain, allowed=1e-6)
    headings = ("round", "as published", "sum unlocked", "without locks")
    rows = [
        (n, *row) for n, row in enumerate(zip(published, corrected, right, strict=True), start=1)
    ]
    result.table("right on test mails", headings, rows)
    result.number("different words", len(data.words) - 1)
    show_locks(result, secret, opened)


def as_published(
    data: Mails, parts: Mapping[str, Array], lr: float, rounds: int, passes: int, ticks: Any
) -> tuple[list[float], Array]:
    """One number per ciphertext, a key of 128 bits, and the wrong thing unlocked.

    Returns:
        How many are right after each round; and per word, the last party's number that was read
        where only sums should be.
    """
    keys = paillier.keygen(128, lesson=True)
    encoding = FixedPoint(limit=2**10, terms=len(parts), width=63)
    model, right = SpamFilter(len(data.words)), list[float]()
    opened: Array = np.zeros(len(data.words))
    for _ in range(rounds):
        start = model.table.weight.data[:, 0]
        models = [
            [keys.public.encrypt(m) for m in encoding.encode(own).tolist()]
            for rows in parts.values()
            for own in [train_by_hand(start, data.ids[rows], data.labels[rows], lr, passes)]
        ]
        aggregate = [sum(others, one) for one, *others in zip(*models, strict=True)]
        assert len(aggregate) == len(data.words)  # it is made, and then not used
        opened = encoding.decode([keys.decrypt(c) for c in models[-1]])
        model.table.weight.data[:, 0] = opened / len(parts)
        right.append(model.accuracy(data))
        next(ticks, None)
    return right, opened


def first_open_sum(data: Mails, parts: Mapping[str, Array], lr: float, passes: int) -> Array:
    """What the first round adds up, in NumPy alone: mails times how far each word was moved."""
    start = np.zeros(len(data.words))
    return sum(
        len(rows) * train_by_hand(start, data.ids[rows], data.labels[rows], lr, passes)
        for rows in parts.values()
    )


class Locked:
    """Three parties that lock, a coordinator that adds, and somebody else who has the key."""

    def __init__(self, data: Mails, parts: Mapping[str, Array], bits: int) -> None:
        self.data = data
        # room for the largest number that travels: the loss of a batch (its squared errors, added up)
        # times the party's mails
        most = 512 * max(len(part) for part in parts.values())
        limit = 2 ** max(20, most.bit_length())
        self.encoding = FixedPoint(limit=limit, terms=len(parts), width=40)
        keys = paillier.keygen(bits, lesson=bits < paillier.LEAST_BITS)
        self.public, noise = keys.public, FixedBaseNoise(keys.public)
        self.parties = Recorder(
            Local(
                {
                    name: Encrypting(party, keys.public, self.encoding, noise)
                    for name, party in trainers(data, parts).items()
                }
            )
        )
        self.holder = Recorder(
            Local({"key holder": KeyHolder(keys, self.encoding, at_least=len(parts))})
        )

    def run(self, rounds: int, lr: float, passes: int) -> tuple[Array, list[float]]:
        """The numbers of the words, and how many are right after each round."""
        summing = EncryptedSum(self.public, self.encoding, self.holder)
        return learned(self.data, self.parties, summing, rounds, lr, passes)

    def first_sum(self) -> Array:
        """What the key holder unlocked in the first round, of the words."""
        reply = self.holder.view()[0].reply
        assert reply is not None
        return reply["numbers"][-len(self.data.words) :]


def show_locks(result: Result, secret: Locked, opened: Array) -> None:
    """Who saw what, and how large it was."""
    (first, *_) = (e for e in secret.parties.view("Anna"))
    assert first.reply is not None
    slots, rounds = secret.public.slots(secret.encoding), len(secret.holder.view())
    result.table(
        "who has what",
        ("who", "single numbers", "sums", "bytes"),
        [
            ("Anna, Ben and Cleo", "their own", "the model", first.received),
            ("coordinator", "none", "the model", 3 * first.received),
            ("key holder", "none", f"{rounds}", secret.holder.view()[0].sent),
        ],
    )
    result.say(
        "packed",
        bits=int(secret.public.n).bit_length(),
        slots=slots,
        step=f"{secret.encoding.resolution:.1e}",
        single=f"{np.count_nonzero(opened):,}",
    )
