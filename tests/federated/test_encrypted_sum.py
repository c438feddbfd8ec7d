"""The coordinator adds what it cannot read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from pellucid import nn
from pellucid.data import ArrayDataset
from pellucid.errors import ArgumentError, MessageError, RoundError
from pellucid.federated import Local, Party, Recorder, Trainer, fedavg, paillier, plain_sum
from pellucid.federated.encrypted_sum import EncryptedSum, Encrypting, KeyHolder
from pellucid.federated.errors import NotFiniteError, OutOfRangeError, PrivacyError
from pellucid.federated.fixed_point import FixedPoint
from pellucid.federated.noise import FixedBaseNoise

KEYS = paillier.keygen(256, lesson=True)
ENCODING = FixedPoint(limit=1000, terms=8, width=60)
SHAPES = {"x": (2, 2), "y": ()}


def finds(value: float) -> Party:
    found = {"x": np.full((2, 2), float(value)), "y": np.array(-float(value))}
    return lambda state, message: ({"sum": found}, state)


def summing(keys: Any = KEYS, **more: Any) -> EncryptedSum:
    return EncryptedSum(KEYS.public, ENCODING, Local({"holder": KeyHolder(keys, ENCODING)}), **more)


def ask(parties: dict[str, Party], how: EncryptedSum) -> Any:
    return how(Local(parties), {name: {"do": "train"} for name in parties}, SHAPES)


def locked(value: float, keys: Any = KEYS) -> Encrypting:
    return Encrypting(finds(value), keys.public, ENCODING)


@pytest.mark.parametrize("scheme", ["paillier", "ckks"])
def test_a_model_learns_the_same_under_encryption(scheme: str) -> None:
    """The chapter's 15.8, with the aggregate decrypted, not one party's model."""
    keys: Any = KEYS
    if scheme == "ckks":
        pytest.importorskip("tenseal")
        from pellucid.federated import ckks

        keys = ckks.keygen()
    x, weights = np.arange(9.0)[:, None], []
    for how in (plain_sum, scheme):
        model = nn.Linear(1, 1).double()
        model.load_state_dict({"weight": np.array([[0.5]]), "bias": np.array([0.0])})
        parties: dict[str, Party] = {
            f"p{i}": Trainer(model, ArrayDataset(x[i::3], 3 * x[i::3]), nn.MSELoss())
            for i in range(3)
        }
        adding: Any = plain_sum
        if how == scheme:
            noise = FixedBaseNoise(keys.public) if scheme == "paillier" else None
            parties = {n: Encrypting(p, keys.public, ENCODING, noise) for n, p in parties.items()}
            holder = Local({"holder": KeyHolder(keys, ENCODING, at_least=3)})
            adding = EncryptedSum(keys.public, ENCODING, holder)
        history = fedavg(model, Local(parties), rounds=3, lr=0.01, summing=adding)
        assert round(history[-1]["examples"], 2) == 9
        weights.append(np.concatenate([p.numpy().ravel() for p in model.parameters()]))
    tolerance = 1e-9 if scheme == "paillier" else 1e-3  # CKKS rounds to 2**-22 of the limit, 1000
    assert np.abs(weights[0] - weights[1]).max() < tolerance
    assert weights[0][0] != 0.5


def test_the_coordinator_sees_ciphertexts_which_differ_each_time() -> None:
    seen = []
    for _ in range(2):
        engine = Recorder(Local({"anna": locked(0.5), "ben": locked(0.5)}))
        total = summing()(engine, {"anna": {}, "ben": {}}, SHAPES)
        assert float(total.sums["y"]) == -1
        seen += [e.reply["locked"]["locked"] for e in engine.view() if e.reply]
    assert len(set(seen)) == 4


# -------------------------------------------------------- nothing but the sum, from what was recorded

ONE_SUM = (
    {"anna": 0.0, "ben": 0.0, "cleo": 0.5},
    {"anna": 750.0, "ben": -1000.0, "cleo": 250.5},
)


def scheme_named(scheme: str) -> Any:
    """Keys of a scheme."""
    if scheme == "paillier":
        return KEYS
    pytest.importorskip("tenseal")
    from pellucid.federated import ckks

    return ckks.keygen()


def views(keys: Any, values: Mapping[str, float]) -> tuple[dict[str, bytes], bytes, Any]:
    """Of one round: the coordinator's ciphertext of each party, that of the sum, and what it opens to."""
    holder = Recorder(Local({"holder": KeyHolder(keys, ENCODING, at_least=3)}))
    parties = Recorder(Local({name: locked(value, keys) for name, value in values.items()}))
    how = EncryptedSum(keys.public, ENCODING, holder)
    how(parties, {name: {"do": "train"} for name in values}, SHAPES)
    seen = {e.party: ciphertext(e.reply["locked"]) for e in parties.view() if e.reply}
    (opened,) = holder.view()
    assert opened.reply is not None
    return seen, ciphertext(opened.message["locked"]), opened.reply["numbers"]


def ciphertext(plain: Mapping[str, Any]) -> bytes:
    return bytes(plain["locked"]) if "locked" in plain else b"".join(plain["parts"])


def bits_differ(one: list[bytes], other: list[bytes]) -> float:
    """How far two heaps of ciphertexts are apart in any of their bits: chi-squared, the largest."""
    length = min(map(len, one + other))
    ones = [
        np.unpackbits(np.array([np.frombuffer(data[:length], np.uint8) for data in heap]), axis=1)
        for heap in (one, other)
    ]
    n, m = map(len, ones)
    pooled = (ones[0].sum(0) + ones[1].sum(0)) / (n + m)
    spread = pooled * (1 - pooled) * (1 / n + 1 / m)
    differ = (ones[0].mean(0) - ones[1].mean(0)) ** 2
    return float((differ[spread > 0] / spread[spread > 0]).max(initial=0))


@pytest.mark.parametrize(("scheme", "runs"), [("paillier", 150), ("ckks", 30)])
def test_views_of_different_inputs_with_one_sum_cannot_be_told_apart(
    scheme: str, runs: int
) -> None:
    """What each party sent, their sums in pairs, and what the key holder was shown: all alike."""
    keys = scheme_named(scheme)
    rounds = [[views(keys, values) for _ in range(runs)] for values in ONE_SUM]
    for name in ONE_SUM[0]:
        one, other = ([seen[name] for seen, _, _ in some] for some in rounds)
        assert bits_differ(one, other) < 50  # for a bit, chance below 1e-11
        assert len(set(one + other)) == 2 * runs
    sums = [[total for _, total, _ in some] for some in rounds]
    assert bits_differ(*sums) < 50
    opened = [numbers for some in rounds for _, _, numbers in some]
    assert np.ptp(np.array(opened), axis=0).max() <= (0 if scheme == "paillier" else 1e-3)


def test_the_test_above_can_tell_inputs_apart() -> None:
    """Without noise it does: it is no test that cannot fail."""
    heaps = [
        [
            ciphertext(KEYS.public.encrypt_vector([v], ENCODING, lambda: 1).to_plain())
            for _ in range(150)
        ]
        for v in (0.0, 750.0)
    ]
    assert bits_differ(*heaps) > 250


def test_a_key_holder_that_is_silent_ends_the_round_without_a_sum() -> None:
    gone = Local({"holder": lambda state, message: (None, state)})
    with pytest.raises(RoundError, match="holder does not open it: said nothing"):
        ask({"anna": locked(1), "ben": locked(2)}, EncryptedSum(KEYS.public, ENCODING, gone))


def test_parties_that_drop_out_or_send_nonsense_are_left_out() -> None:
    other = paillier.keygen(256, lesson=True)
    parties: dict[str, Party] = {
        "anna": locked(1.0),
        "ben": locked(2.0),
        "gone": lambda state, message: (None, state),
        "foreign": locked(4.0, other),
        "plain": finds(8.0),
        "short": Encrypting(finds(3.0), KEYS.public, FixedPoint(1000, 8, 50)),
        "nan": locked(np.nan),
        "large": locked(1001.0),
    }
    total = ask(parties, summing())
    assert total.parties == ("anna", "ben")
    assert set(total.missing) == set(parties) - {"anna", "ben"}
    assert "ours is" in total.missing["foreign"]
    assert "no locked vector" in total.missing["plain"]
    assert "encoded with FixedPoint(limit=1000, terms=8, width=50)" in total.missing["short"]
    assert (total.sums["x"] == 3).all()


def test_a_vector_of_another_length_is_left_out() -> None:
    def two(state: Any, message: Any) -> Any:
        vector = KEYS.public.encrypt_vector([1.0, 2.0], ENCODING)
        return {"locked": vector.to_plain()}, state

    def doubled(state: Any, message: Any) -> Any:
        vector = 2 * KEYS.public.encrypt_vector(np.ones(5), ENCODING)
        return {"locked": vector.to_plain()}, state

    total = ask({"anna": locked(1), "ben": locked(2), "two": two, "doubled": doubled}, summing())
    assert total.parties == ("anna", "ben")
    assert "2 numbers of 1 contributions, and 5 of one" in total.missing["two"]
    assert "5 numbers of 2 contributions" in total.missing["doubled"]


def test_single_contributions_are_not_opened() -> None:
    with pytest.raises(RoundError, match="1 of 1 parties are in the sum, and 2 are the least"):
        ask({"anna": locked(1)}, summing())
    with pytest.raises(RoundError, match=r"holder does not open it: refused: a sum of 1 was to be"):
        ask({"anna": locked(1)}, summing(at_least=1))
    with pytest.raises(PrivacyError, match="answers nothing else"):
        KeyHolder(KEYS, ENCODING)({}, {"do": "train"})
    with pytest.raises(PrivacyError, match="locked sums only, and was asked to 'train'"):
        locked(1)({}, {"do": "train"})


def test_a_wrong_private_key_opens_nothing() -> None:
    other = paillier.keygen(256, lesson=True)
    with pytest.raises(RoundError, match=r"does not open it: refused: this was encrypted under"):
        ask({"anna": locked(1), "ben": locked(1)}, summing(other))


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(OutOfRangeError, match="9 vectors in one sum"):
        ask({f"p{i}": locked(1) for i in range(9)}, summing())
    with pytest.raises(ArgumentError, match="one party holds the key, and here are 0"):
        EncryptedSum(KEYS.public, ENCODING, Local({}))
    with pytest.raises(MessageError, match="needs to know its shapes"):
        locked(1)({}, {"do": "lock"})
    how = {"do": "lock", "shapes": {"x": [2, 2], "y": []}}
    with pytest.raises(NotFiniteError, match="x has nan"):
        locked(np.nan)({}, how)
    with pytest.raises(OutOfRangeError, match="x has numbers beyond ±1000,"):
        locked(1001)({}, how)
