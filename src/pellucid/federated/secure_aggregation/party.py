"""The party's side of a secret sum: five questions, and what it will not answer.

    keys      draw keys and a self mask; show the public halves, signed
    share     cut both secrets into shares and seal one pair for each of the others
    mask      find the own contribution and show it under all masks
    agree     sign what was asked and who has delivered
    unmask    give shares of the self masks of those who have, and of the mask keys of those who have not

Never both of one party: with the self mask and the mask key its contribution would lie open. That all
were asked the same, and told the same about who has delivered, is what the signatures are for.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import ArgumentError, MessageError, RoundError
from .. import shamir
from ..engine import Party, State
from ..errors import (
    BothSecretsError,
    DisagreementError,
    OutOfOrderError,
    PrivacyError,
    ReplayError,
    SecondUnmaskError,
    TamperedError,
)
from ..fixed_point import FixedPoint
from ..layout import Layout
from ..messages import Message
from ..summing import checked
from .channels import Private, new_pair, seal, unseal
from .identity import Identity, Registry, check, digest
from .masks import SEED_BYTES, Masks
from .terms import STEPS, Terms, listed

Array = Any


class Masked:
    """A party that shows what it has found under masks only.

    Args:
        party: the one that finds something, such as a `Trainer`. It is asked in the third step.
        name: what the others call it.
        identity: its own key.
        registry: the public keys of all parties that may ever take part, itself included.
        at_least: it takes no part in a sum of fewer. With two, each can tell the other's part.

    Its state is plain data, and holds secrets only as long as a round needs them.
    """

    def __init__(
        self,
        party: Party,
        name: str,
        identity: Identity,
        registry: Registry,
        *,
        at_least: int = 2,
    ) -> None:
        if registry.get(name) != identity.public:
            raise ArgumentError(
                f"{name!r} is not registered with this identity: registry[{name!r}] is not its public key"
            )
        self.party, self.name, self.identity = party, name, identity
        self.registry, self.at_least = dict(registry), at_least

    def __call__(self, state: State, message: Message) -> tuple[Message, State]:
        """Answer a question; on refusal the state stays what it was.

        Raises:
            PrivacyError: one of its kinds says what would have been revealed.
            MessageError: one of its kinds says what is wrong with the question.
            PartyError: somebody takes part who is not registered.
            RoundError: too few take part, or are left.
        """
        step = message.get("step")
        if message.get("do") != "secure" or step not in STEPS:
            raise PrivacyError(
                f"{self.name} takes part in secret sums only, and was asked to {message.get('do')!r}: "
                "an answer would show its contribution"
            )
        self._check_time(state, message, step)
        if step == "keys":
            return self._keys(state, message)
        if step == "share":
            return self._share(state, message)
        if step == "mask":
            return self._mask(state, message)
        if step == "agree":
            return self._agree(state, message)
        return self._unmask(state, message)

    # -------------------------------------------------------------------------------- the five steps

    def _keys(self, state: State, message: Message) -> tuple[Message, State]:
        terms = Terms.from_plain(message.get("terms") or {})
        if terms.session <= state.get("last", 0):
            raise ReplayError(f"round {terms.session} is over, and nothing of it is answered again")
        self._check_terms(terms)
        letters, shown_letters = new_pair()
        masks, shown_masks = new_pair()
        seed = secrets.token_bytes(SEED_BYTES)
        shown = {"letters": shown_letters, "masks": shown_masks, "self": seal_of(seed)}
        reply = {
            "shown": shown,
            "signed": self.identity.sign("keys", *told(terms, self.name, shown)),
        }
        current = {
            "done": "keys",
            "terms": terms.to_plain(),
            "letters": letters,
            "masks": masks,
            "seed": seed,
            "shown": shown,
        }
        return reply, {**state, "last": terms.session, "round": current}

    def _share(self, state: State, message: Message) -> tuple[Message, State]:
        now, terms = self._now(state)
        others = self._checked_keys(message, terms, now["shown"])
        secret = np.stack([shamir.to_chunks(now["masks"]), shamir.to_chunks(now["seed"])])
        shares = shamir.split(secret, len(terms.parties), terms.threshold)
        private = Private(now.pop("letters"))  # needed no more: letters open with `opening`
        sealed, opening = {}, {}
        for name, shown in others.items():
            to, back = about(terms, self.name, name), about(terms, name, self.name)
            key, opening[name] = private.agree(shown["letters"], to, back)
            sealed[name] = seal(key, letter_of(shares[terms.place(name)]), to)
        own = letter_of(shares[terms.place(self.name)])
        for array in (secret, *shares.values()):
            array.fill(0)  # what is in bytes, Python does not let one wipe; these it does
        now.update(done="share", open=opening, others=others, shares={self.name: own})
        return {"sealed": sealed}, {**state, "round": now}

    def _mask(self, state: State, message: Message) -> tuple[Message, State]:
        now, terms = self._now(state)
        letters = _dict_of(message, "sealed", bytes)
        self._check_known(letters, now)
        opening = now.pop("open")
        shares = dict(now["shares"])
        for name, letter in letters.items():
            shares[name] = unseal(opening[name], letter, about(terms, name, self.name))
            if len(shares[name]) != 2 * SHARE_BYTES:
                raise TamperedError(f"{name} sent no pair of shares")
        with_me = sorted(shares)
        _check_enough(len(with_me), terms, "have sent their shares")
        reply, inner = self.party(state.get("party", {}), message.get("ask") or {})
        layout = layout_of(message, len(terms.parties))
        numbers = layout.encode(checked(reply or {}, layout.shapes))
        private, masks = Private(now.pop("masks")), Masks(layout.size)
        masks.add(numbers, now.pop("seed"))
        for name in letters:
            (seed,) = private.agree(now["others"][name]["masks"], between(terms, self.name, name))
            (masks.add if self.name < name else masks.subtract)(numbers, seed)
        masks.forget()
        asked = asked_of(message)
        now.update(done="mask", shares=shares, with_me=with_me, asked=asked)
        del now["others"], now["shown"]
        return {"masked": numbers}, {**state, "party": inner, "round": now}

    def _agree(self, state: State, message: Message) -> tuple[Message, State]:
        now, terms = self._now(state)
        alive = _names(message, "alive")
        if strangers := set(alive) - set(now["with_me"]):
            raise DisagreementError(f"{listed(strangers)} cannot have delivered: not in this round")
        _check_enough(len(alive), terms, "have delivered")
        now.update(done="agree", alive=alive)
        signed = self.identity.sign("agree", *agreed(terms, now["with_me"], alive, now["asked"]))
        return {"signed": signed}, {**state, "round": now}

    def _unmask(self, state: State, message: Message) -> tuple[Message, State]:
        now, terms = self._now(state)
        selves, masks = _names(message, "selves"), _names(message, "masks")
        if both := set(selves) & set(masks):
            raise BothSecretsError(
                f"both secrets of {listed(both)} were asked; together they would reveal what "
                "was contributed"
            )
        alive, gone = now["alive"], sorted(set(now["with_me"]) - set(now["alive"]))
        if selves != alive or masks != gone:
            raise DisagreementError(
                f"{self.name} was told that {listed(alive)} have delivered, and is now asked for "
                f"the self masks of {listed(selves) or 'nobody'} and the mask keys of "
                f"{listed(masks) or 'nobody'}"
            )
        self._check_signatures(message, terms, now)
        reply = {
            "selves": {name: now["shares"][name][SHARE_BYTES:] for name in alive},
            "masks": {name: now["shares"][name][:SHARE_BYTES] for name in gone},
        }
        return reply, {key: part for key, part in state.items() if key != "round"}

    # ---------------------------------------------------------------------------- what it insists on

    def _check_time(self, state: State, message: Message, step: str) -> None:
        """Each question once, in their order, of the round that is going on."""
        if step == "keys":
            return
        session, last, now = message.get("session"), state.get("last", 0), state.get("round")
        if now is None and session == last and step == "unmask":
            raise SecondUnmaskError(
                f"round {session} was unmasked already, and once is all that {self.name} answers"
            )
        if type(session) is not int or session < last or (now is None and session == last):
            raise ReplayError(f"round {session} is over, and nothing of it is answered again")
        if now is None or session > last:
            raise OutOfOrderError(f"round {session} has not begun: it begins with the keys")
        expected = STEPS[STEPS.index(now["done"]) + 1]
        if step != expected:
            raise OutOfOrderError(f"{self.name} was asked for {step!r}, and {expected!r} is next")

    def _check_terms(self, terms: Terms) -> None:
        if self.name not in terms.parties:
            raise DisagreementError(f"{self.name} is asked to a round without {self.name}")
        if terms.threshold < self.at_least:
            raise RoundError(
                f"{self.name} takes part in sums of at least {self.at_least}, and this one may be of "
                f"{terms.threshold}"
            )

    def _now(self, state: State) -> tuple[dict[str, Any], Terms]:
        now = dict(state["round"])
        return now, Terms.from_plain(now["terms"])

    def _checked_keys(
        self, message: Message, terms: Terms, mine: Mapping[str, bytes]
    ) -> dict[str, Any]:
        """What the others show, each signed by who it should be; all different."""
        keys = _dict_of(message, "keys", Mapping)
        if strangers := set(keys) - set(terms.parties):
            raise DisagreementError(f"{listed(strangers)} is not in this round")
        if (keys.get(self.name) or {}).get("shown") != mine:
            raise TamperedError(f"{self.name} did not show these keys in its own name")
        _check_enough(len(keys), terms, "have shown keys")
        others = {}
        for name in sorted(set(keys) - {self.name}):
            shown = shown_by(keys[name], name)
            check(self.registry, name, keys[name].get("signed"), "keys", *told(terms, name, shown))
            others[name] = shown
        everything = [key for shown in [mine, *others.values()] for key in shown.values()]
        if len(set(everything)) < len(everything):
            raise TamperedError("two parties show the same key; each draws its own")
        return others

    def _check_known(self, letters: Mapping[str, bytes], now: Mapping[str, Any]) -> None:
        if strangers := set(letters) - set(now["open"]):
            raise DisagreementError(f"a letter of {listed(strangers)}, who has shown no key")

    def _check_signatures(self, message: Message, terms: Terms, now: Mapping[str, Any]) -> None:
        """Enough others were told the same as this party."""
        signatures = _dict_of(message, "signed", Mapping)
        statement = agreed(terms, now["with_me"], now["alive"], now["asked"])
        for name, signed in signatures.items():
            if name not in now["alive"]:
                raise DisagreementError(
                    f"{name} has not delivered, and its signature counts nothing"
                )
            try:
                check(self.registry, name, signed, "agree", *statement)
            except TamperedError:
                raise DisagreementError(
                    f"{name} was told something else than {self.name}: who has delivered, or what "
                    "was asked, as different models for different parties"
                ) from None
        _check_enough(len(signatures), terms, "have signed who has delivered")


# ------------------------------------------------------------------ what both sides write the same way

SHARE_BYTES = 8 * -(-32 // shamir.CHUNK)  # of a secret of 32 bytes


def told(terms: Terms, name: str, shown: Mapping[str, bytes]) -> tuple[Any, ...]:
    """What a party signs to be its keys."""
    return terms.session, list(terms.parties), terms.threshold, name, dict(shown)


def agreed(terms: Terms, with_me: list[str], alive: list[str], asked: bytes) -> tuple[Any, ...]:
    """What a party signs about who has delivered, and what they were asked.

    A coordinator that asks each party something else, such as to train a model to which only one
    party can contribute, learns that one's part from the sum (Pasquini, Francati and Ateniese,
    "Eluding secure aggregation in federated learning via model inconsistency", 2022).
    """
    return terms.session, list(terms.parties), terms.threshold, with_me, alive, asked


def asked_of(message: Message) -> bytes:
    """What stands for all that a party was asked to contribute to."""
    return digest(message.get("ask"), message.get("shapes"), message.get("limit"))


def about(terms: Terms, sender: str, receiver: str) -> str:
    """What a letter is about: bound into its key and its seal."""
    return f"shares {terms.session} {len(sender)} {sender} to {receiver}"


def between(terms: Terms, one: str, other: str) -> str:
    """What a mask is for."""
    first, second = sorted((one, other))
    return f"mask {terms.session} {len(first)} {first} and {second}"


def seal_of(seed: bytes) -> bytes:
    """What is shown of a seed, so that a wrong one is noticed later; it says nothing about it."""
    return hashlib.sha256(b"pellucid self mask" + seed).digest()


def shown_by(keys: Any, name: str) -> dict[str, bytes]:
    """The public keys in a party's first answer.

    Raises:
        MessageError: they are not complete.
    """
    shown = keys.get("shown") if isinstance(keys, Mapping) else None
    if (
        not isinstance(shown, Mapping)
        or set(shown) != {"letters", "masks", "self"}
        or any(not isinstance(key, bytes) or len(key) != 32 for key in shown.values())
    ):
        raise MessageError(f"{name} shows no complete keys")
    return dict(shown)


def letter_of(shares: Array) -> bytes:
    """A share of the mask key and one of the self mask, as they travel."""
    return shares.astype("<u8").tobytes()  # type: ignore[no-any-return]


def layout_of(message: Message, parties: int) -> Layout:
    """How contributions are written, as the coordinator says.

    Raises:
        MessageError: it does not say, or it makes no sense.
    """
    shapes: Any = message.get("shapes")
    limit: Any = message.get("limit")
    if not isinstance(shapes, Mapping) or type(limit) not in (int, float):
        raise MessageError("to mask a contribution, a party needs to know shapes and limit")
    try:
        whole = {str(name): tuple(int(n) for n in shape) for name, shape in shapes.items()}
        return Layout(whole, FixedPoint(float(limit), parties))
    except (ArgumentError, TypeError, ValueError) as error:
        raise MessageError(f"shapes and limit make no sense: {error}") from None


# ------------------------------------------------------------------------------------------ inside


def _names(message: Message, part: str) -> list[str]:
    names = message.get(part)
    if not isinstance(names, list) or names != sorted(set(map(str, names))):
        raise MessageError(f"{part} is a sorted list of names, each once")
    return names


def _dict_of(message: Message, part: str, kind: type) -> dict[str, Any]:
    found = message.get(part)
    if not isinstance(found, Mapping) or not all(isinstance(v, kind) for v in found.values()):
        raise MessageError(f"this message has no {part}, by party")
    return dict(found)


def _check_enough(count: int, terms: Terms, what: str) -> None:
    if count < terms.threshold:
        raise RoundError(
            f"{count} of {len(terms.parties)} parties {what}, and {terms.threshold} have to: with "
            "fewer, single contributions could be told apart"
        )
