"""Numbers that are added while they are locked: Paillier by hand, packed; and CKKS behind the same calls."""

from __future__ import annotations

import secrets
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import ArgumentError, MessageError, ShapeError
from pellucid.federated import messages, packing, paillier
from pellucid.federated.errors import (
    NotFiniteError,
    OutOfRangeError,
    TamperedError,
    WeakKeyError,
    WrongKeyError,
)
from pellucid.federated.fixed_point import FixedPoint
from pellucid.federated.noise import CrtNoise, FixedBaseNoise, FullNoise, Prepared
from pellucid.federated.paillier import EncryptedVector, PrivateKey, PublicKey, keygen, total
from pellucid.federated.primes import is_prime, random_prime

LESSON = keygen(256, lesson=True)
PUBLIC = LESSON.public
HALF = int(PUBLIC.n) // 2
ENCODING = FixedPoint(limit=0.99, terms=32, width=29)

plaintexts = st.integers(-HALF // 2, HALF // 2)


# ----------------------------------------------------------------------------------------- primes


def test_primes_are_told_from_what_looks_like_them() -> None:
    sieve = [n for n in range(2, 5000) if all(n % k for k in range(2, int(n**0.5) + 1))]
    assert [n for n in range(5000) if is_prime(n)] == sieve
    fools_fermat = [561, 41041, 825265, 321197185, 5394826801, 232250619601, 9746347772161]
    assert not any(is_prime(n) for n in fools_fermat)
    assert not is_prime(3215031751)  # passes for bases 2, 3, 5 and 7
    assert is_prime(2**521 - 1)
    assert is_prime(2**61 - 1)
    assert not is_prime((2**61 - 1) * (2**89 - 1))


def test_random_primes_have_their_length() -> None:
    p = random_prime(64)
    assert p.bit_length() == 64
    assert p >> 62 == 0b11
    assert p % 4 == 3
    assert is_prime(p)
    assert p != random_prime(64)


# -------------------------------------------------------------------------------------- arithmetic


def test_five_and_three() -> None:
    """The chapter's example, 15.7."""
    assert LESSON.decrypt(PUBLIC.encrypt(5) + PUBLIC.encrypt(3)) == 8


@given(plaintexts, plaintexts, st.integers(-1000, 1000))
def test_locked_numbers_are_added_and_multiplied(a: int, b: int, k: int) -> None:
    locked = PUBLIC.encrypt(a)
    assert LESSON.decrypt(locked) == a
    assert LESSON.decrypt(locked + PUBLIC.encrypt(b)) == a + b
    assert LESSON.decrypt(locked + b) == a + b
    small = a // 2000
    assert LESSON.decrypt(k * PUBLIC.encrypt(small)) == k * small


def test_the_same_number_never_looks_the_same() -> None:
    seen = {int(PUBLIC.encrypt(5).locked) for _ in range(50)}
    assert len(seen) == 50


def test_decryption_by_remainders_equals_the_papers_formula() -> None:
    n, p, q = int(PUBLIC.n), int(LESSON.p), int(LESSON.q)
    both = (p - 1) * (q - 1)
    for m in (0, 1, -1, HALF, -HALF, secrets.randbelow(HALF)):
        c = int(PUBLIC.encrypt(m).locked)
        by_formula = (pow(c, both, n * n) - 1) // n * pow(both, -1, n) % n
        assert by_formula == m % n
        assert LESSON.decrypt(PUBLIC.encrypt(m)) == m


@pytest.mark.parametrize(
    "noise",
    [FullNoise(PUBLIC), CrtNoise(LESSON), FixedBaseNoise(PUBLIC), Prepared(FullNoise(PUBLIC), 3)],
    ids=lambda noise: type(noise).__name__,
)
def test_all_noise_vanishes_on_decryption_and_differs_each_time(noise: Any) -> None:
    drawn = {int(noise()) for _ in range(20)}
    assert len(drawn) == 20
    n = int(PUBLIC.n)
    both = (int(LESSON.p) - 1) * (int(LESSON.q) - 1)
    assert all(pow(r, both, n * n) == 1 for r in drawn)  # so each is an n-th power
    assert LESSON.decrypt(PUBLIC.encrypt(-7, noise)) == -7


def test_fast_noise_comes_from_the_small_group() -> None:
    assert LESSON.orders is not None
    order_p, order_q = LESSON.orders
    assert is_prime(order_p)
    assert is_prime(order_q)
    n, both = int(PUBLIC.n), 2 * order_p * order_q
    assert PUBLIC.base is not None
    assert pow(int(PUBLIC.base), both, n * n) == 1
    assert all(pow(int(PUBLIC.base), both // k, n * n) != 1 for k in (2, order_p, order_q))
    assert FixedBaseNoise(PUBLIC).exponent_bits == order_p.bit_length() + order_q.bit_length()
    assert keygen(128, lesson=True).public.exponent_bits == 32


def test_keys_without_a_small_group_work_as_well() -> None:
    plain = PrivateKey(random_prime(128), random_prime(128), lesson=True)
    assert plain.public.base is None
    assert plain.public.exponent_bits == 128
    for noise in (FullNoise(plain.public), CrtNoise(plain), FixedBaseNoise(plain.public)):
        assert plain.decrypt(plain.public.encrypt(5, noise) + 3) == 8
    again = PrivateKey.from_plain(plain.to_plain(), lesson=True)
    assert again.orders is None
    assert again.decrypt(plain.public.encrypt(-5)) == -5


@given(st.integers(8, 150))
def test_keys_of_any_length(half: int) -> None:
    keys = keygen(2 * half, lesson=True)
    assert int(keys.public.n).bit_length() == 2 * half
    assert keys.decrypt(keys.public.encrypt(5, FixedBaseNoise(keys.public)) + 3) == 8


def test_prepared_noise_is_used_once() -> None:
    prepared = Prepared(FixedBaseNoise(PUBLIC), 2)
    first, second = prepared(), prepared()
    assert first != second
    assert len(prepared) == 0
    assert prepared() not in (first, second)


# ----------------------------------------------------------------------------------------- packing


@given(st.integers(2, 64), st.integers(1, 9), st.integers(0, 30), st.data())
def test_small_numbers_go_into_large_ones_and_back(
    width: int, slots: int, size: int, data: Any
) -> None:
    top = 2 ** (width - 1)
    row = st.lists(st.integers(-top // 2, top // 2 - 1), min_size=size, max_size=size)
    a, b = (np.array(data.draw(row), np.int64) for _ in range(2))
    large = [x + y for x, y in zip(*(packing.pack(v, width, slots) for v in (a, b)), strict=True)]
    assert len(large) == -(-size // slots)
    assert packing.unpack(large, size, width, slots).tolist() == (a + b).tolist()


@pytest.mark.parametrize("width", [2, 63, 64])
def test_the_largest_numbers_of_a_slot_fit(width: int) -> None:
    """Also where a slot is as wide as a number: 64 bits."""
    top = 2 ** (width - 1)
    numbers = np.array([top - 1, -top, 0, -1, top - 1], np.int64)
    large = packing.pack(numbers, width, slots=2)
    assert packing.unpack(large, 5, width, slots=2).tolist() == numbers.tolist()
    assert packing.unpack([-large[1]], 2, width, slots=2).tolist() == [0, 1]


@given(st.integers(1, 32), st.integers(0, 50))
def test_the_locked_sum_of_vectors_equals_the_plain_sum(parties: int, size: int) -> None:
    rows = np.random.default_rng(size).uniform(-0.99, 0.99, (parties, size))
    rows[:, ::3] = 0.99 * np.sign(rows[:, ::3])  # the largest sums there can be
    locked = total([PUBLIC.encrypt_vector(row, ENCODING) for row in rows])
    found = LESSON.decrypt_vector(locked)
    assert np.abs(found - rows.sum(axis=0)).max(initial=0) <= parties * ENCODING.resolution / 2
    exact = ENCODING.decode(sum(ENCODING.encode(row) for row in rows))
    assert (found == exact).all()


def test_vectors_are_multiplied_by_whole_numbers() -> None:
    x = np.linspace(-0.9, 0.9, 20)
    for factor in (3, -3, 0):
        found = LESSON.decrypt_vector(factor * PUBLIC.encrypt_vector(x, ENCODING))
        assert np.abs(found - factor * x).max() <= 3 * ENCODING.resolution / 2


def test_a_real_key() -> None:
    """2,048 bits: 70 weights in each ciphertext, as plain data and back."""
    keys = keygen()
    assert int(keys.public.n).bit_length() == 2048
    assert keys.public.slots(ENCODING) == 70
    assert keys.orders is not None
    assert [order.bit_length() for order in keys.orders] == [224, 224]
    noise = FixedBaseNoise(keys.public)
    assert noise.exponent_bits == 448
    rows = np.random.default_rng(0).uniform(-0.9, 0.9, (2, 141))
    sent = [keys.public.encrypt_vector(row, ENCODING, noise).to_plain() for row in rows]
    assert len(sent[0]["locked"]) == 3 * 512
    sent = [messages.unpack(messages.pack(plain)) for plain in sent]
    locked = [keys.public.vector_from_plain(plain, ENCODING) for plain in sent]
    found = keys.decrypt_vector(locked[0] + locked[1])
    assert np.abs(found - rows.sum(axis=0)).max() <= ENCODING.resolution
    with pytest.raises(WeakKeyError, match="below 224"):
        FixedBaseNoise(keys.public, exponent_bits=128)


# --------------------------------------------------------------------------------- what is refused


def test_short_keys_are_refused_outside_lessons() -> None:
    for make in (
        lambda: keygen(1024),
        lambda: PublicKey(int(PUBLIC.n)),
        lambda: PrivateKey(int(LESSON.p), int(LESSON.q)),
        lambda: PublicKey.from_plain(PUBLIC.to_plain()),
        lambda: PrivateKey.from_plain(LESSON.to_plain()),
    ):
        with pytest.raises(WeakKeyError, match=r"can be taken apart; 2048 .*\n.*lesson=True"):
            make()
    with pytest.raises(ArgumentError, match="bits is 129"):
        keygen(129, lesson=True)
    with pytest.raises(ArgumentError, match="two different primes"):
        PrivateKey(15, 7, lesson=True)
    with pytest.raises(ArgumentError, match="orders of a private key divide"):
        PrivateKey(int(LESSON.p), int(LESSON.q), (2, 2), lesson=True)


def test_sums_that_would_wrap_around_are_refused() -> None:
    with pytest.raises(OutOfRangeError, match="does not fit under this key"):
        PUBLIC.encrypt(HALF + 1)
    with pytest.raises(OutOfRangeError, match="the factor"):
        PUBLIC.encrypt(1) * (HALF + 1)
    x = PUBLIC.encrypt_vector([0.5], ENCODING)
    with pytest.raises(OutOfRangeError, match=r"33 vectors in one sum, and there is room for 32"):
        total([x] * 33)
    with pytest.raises(OutOfRangeError, match="40 vectors"):
        x * 20 + x * 20
    with pytest.raises(OutOfRangeError, match=r"beyond ±0\.99"):
        PUBLIC.encrypt_vector([1.0], ENCODING)
    with pytest.raises(NotFiniteError):
        PUBLIC.encrypt_vector([np.nan], ENCODING)
    with pytest.raises(ArgumentError, match="slot of 64 bits does not fit"):
        keygen(32, lesson=True).public.encrypt_vector([1], FixedPoint(1, 1, 64))


def test_vectors_that_do_not_fit_together_are_refused() -> None:
    x = PUBLIC.encrypt_vector([0.5], ENCODING)
    with pytest.raises(ShapeError, match=r"got 1 numbers .* and 2 "):
        x + PUBLIC.encrypt_vector([0.5, 0.5], ENCODING)
    with pytest.raises(ShapeError):
        x + PUBLIC.encrypt_vector([0.5], FixedPoint(0.5, 32, 29))
    with pytest.raises(ArgumentError, match="no vectors"):
        total([])


def test_another_key_is_noticed() -> None:
    other = keygen(256, lesson=True)
    one, vector = PUBLIC.encrypt(1), PUBLIC.encrypt_vector([0.5], ENCODING)
    with pytest.raises(WrongKeyError, match="cannot decrypt"):
        other.decrypt(one)
    with pytest.raises(WrongKeyError, match="cannot decrypt"):
        other.decrypt_vector(vector)
    with pytest.raises(WrongKeyError, match="cannot add"):
        one + other.public.encrypt(1)
    with pytest.raises(WrongKeyError, match="ours is"):
        EncryptedVector.from_plain(vector.to_plain(), other.public, ENCODING)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"locked": b"\0" * 64}, TamperedError),
        ({"locked": b"\xff" * 64}, TamperedError),
        ({"locked": b"\1" * 63}, TamperedError),
        ({"locked": int(PUBLIC.n).to_bytes(64, "big")}, TamperedError),
        ({"size": 1000}, TamperedError),
        ({"size": -1}, TamperedError),
        ({"terms": 33}, TamperedError),
        ({"size": "5"}, MessageError),
        ({"encoding": FixedPoint(0.9, 32, 29).to_plain()}, MessageError),
        ({"encoding": 3}, MessageError),
        ({"scheme": "rot13"}, MessageError),
        ({"key": 5}, MessageError),
    ],
)
def test_a_changed_vector_is_refused(change: dict[str, Any], error: type[Exception]) -> None:
    plain = PUBLIC.encrypt_vector(np.zeros(5), ENCODING).to_plain()
    with pytest.raises(error):
        EncryptedVector.from_plain({**plain, **change}, PUBLIC, ENCODING)


def test_a_ciphertext_that_holds_no_packed_vector_is_noticed() -> None:
    huge = PUBLIC.encrypt(HALF)
    forged = EncryptedVector(PUBLIC, [huge.locked], 1, ENCODING)
    with pytest.raises(TamperedError, match="no packed vector"):
        LESSON.decrypt_vector(forged)
    with pytest.raises(TamperedError, match="no ciphertext under our key"):
        LESSON.decrypt(paillier.Ciphertext(PUBLIC, PUBLIC.n))


def test_keys_and_ciphertexts_are_plain_data() -> None:
    travelled = messages.unpack(messages.pack({"a": PUBLIC.to_plain(), "b": LESSON.to_plain()}))
    assert PublicKey.from_plain(travelled["a"], lesson=True) == PUBLIC
    again = PrivateKey.from_plain(travelled["b"], lesson=True)
    locked = paillier.Ciphertext.from_plain(PUBLIC.encrypt(-4).to_plain(), PUBLIC)
    assert again.decrypt(locked) == -4
    assert "p=" not in repr(LESSON)
    assert str(int(LESSON.p)) not in repr(LESSON)
    assert again.orders == LESSON.orders
    assert again.public.base == PUBLIC.base
    with pytest.raises(MessageError, match="it has no n"):
        PublicKey.from_plain({"scheme": "paillier"})
    with pytest.raises(MessageError, match="its base has no inverse"):
        PublicKey.from_plain({**PUBLIC.to_plain(), "base": travelled["a"]["n"]}, lesson=True)
    with pytest.raises(MessageError, match="its primes do not make its n"):
        PrivateKey.from_plain({**LESSON.to_plain(), "p": travelled["b"]["q"]}, lesson=True)


def test_the_public_key_and_ciphertexts_do_not_tell_what_is_inside() -> None:
    """Two messages, many ciphertexts each: their bits are spread alike."""
    counts = []
    for m in (0, HALF):
        top = [int(PUBLIC.encrypt(m).locked) * 16 // int(PUBLIC.n_squared) for _ in range(2000)]
        counts.append(np.bincount(top, minlength=16))
    assert ((counts[0] - counts[1]) ** 2 / (counts[0] + counts[1])).sum() < 90


def test_everything_works_without_gmpy2() -> None:
    program = (
        "import sys; sys.modules['gmpy2'] = None\n"
        "from pellucid.federated import primes, paillier, noise\n"
        "assert primes.big is int\n"
        "keys = paillier.keygen(128, lesson=True)\n"
        "fast = noise.FixedBaseNoise(keys.public)\n"
        "crt = noise.CrtNoise(keys)\n"
        "print(keys.decrypt(keys.public.encrypt(5, fast) * 2 + keys.public.encrypt(-3, crt)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "7"


# -------------------------------------------------------------------------------------------- CKKS


@pytest.fixture(scope="module")
def ckks_keys() -> Any:
    pytest.importorskip("tenseal")
    from pellucid.federated import ckks

    return ckks.keygen()


def test_ckks_adds_locked_vectors(ckks_keys: Any) -> None:
    from pellucid.federated import ckks

    encoding, public = FixedPoint(limit=10, terms=6), ckks_keys.public
    rows = np.random.default_rng(0).uniform(-9, 9, (3, 5000))
    sent = [public.encrypt_vector(row, encoding).to_plain() for row in rows]
    sent = [messages.unpack(messages.pack(plain)) for plain in sent]
    server = ckks.PublicKey.from_plain(messages.unpack(messages.pack(public.to_plain())))
    locked = ckks.total([server.vector_from_plain(plain, encoding) for plain in sent])
    owner = ckks.PrivateKey.from_plain(messages.unpack(messages.pack(ckks_keys.to_plain())))
    assert np.abs(owner.decrypt_vector(locked) - rows.sum(axis=0)).max() < 1e-5
    assert np.abs(owner.decrypt_vector(2 * locked) - 2 * rows.sum(axis=0)).max() < 2e-5


def test_ckks_refuses_as_paillier_does(ckks_keys: Any) -> None:
    from pellucid.federated import ckks

    encoding, public = FixedPoint(limit=1, terms=4), ckks_keys.public
    x = public.encrypt_vector([0.5, -0.5], encoding)
    plain = x.to_plain()
    other = ckks.keygen()
    with pytest.raises(WrongKeyError, match="cannot decrypt"):
        other.decrypt_vector(x)
    with pytest.raises(WrongKeyError, match="ours is"):
        other.public.vector_from_plain(plain, encoding)
    renamed = other.public.vector_from_plain({**plain, "key": other.public.name}, encoding)
    with pytest.raises(TamperedError, match="inside is no sum"):
        other.decrypt_vector(renamed)
    with pytest.raises(TamperedError, match="no ciphertexts"):
        public.vector_from_plain({**plain, "parts": [b"abc"]}, encoding)
    with pytest.raises(TamperedError, match="do not hold 3 numbers"):
        public.vector_from_plain({**plain, "size": 3}, encoding)
    with pytest.raises(OutOfRangeError, match="5 vectors"):
        ckks.total([x] * 5)
    with pytest.raises(OutOfRangeError, match="as often as its noise allows"):
        1 * (1 * (1 * (1 * x)))
    with pytest.raises(OutOfRangeError, match="beyond ±1"):
        public.encrypt_vector([1.5], encoding)
    with pytest.raises(ShapeError):
        x + public.encrypt_vector([0.5], encoding)
    with pytest.raises(MessageError, match="not to be handed round"):
        ckks.PublicKey(ckks_keys.to_plain()["private"])
    with pytest.raises(MessageError, match="cannot decrypt"):
        ckks.PrivateKey.from_plain({"scheme": "ckks", "private": public.to_plain()["public"]})
    with pytest.raises(MessageError, match="no key of CKKS"):
        ckks.PublicKey(b"nonsense")


def test_ckks_names_the_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from pellucid.errors import MissingExtraError
    from pellucid.federated import ckks

    monkeypatch.setitem(sys.modules, "tenseal", None)
    with pytest.raises(MissingExtraError, match=r"CKKS needs .*\n.*pellucid\[ckks\]"):
        ckks.keygen()
