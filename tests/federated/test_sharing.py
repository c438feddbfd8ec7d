"""Shares: what they hide, how they are computed on, and what is noticed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import ArgumentError, ShapeError
from pellucid.federated import field, shamir
from pellucid.federated.errors import (
    NotFiniteError,
    OutOfRangeError,
    ShareError,
    TamperedError,
)
from pellucid.federated.fixed_point import FixedPoint
from pellucid.federated.sharing import Dealer, Shared, multiply, private_average, reveal

numbers = st.integers(-field.LARGEST, field.LARGEST)
elements = st.integers(0, field.PRIME - 1)
small = st.integers(-(2**29), 2**29)


# -------------------------------------------------------------------------------------- the field


@given(elements, elements)
def test_the_field_counts_as_python_does(a: int, b: int) -> None:
    x, y = np.uint64(a), np.uint64(b)
    assert int(field.add(x, y)) == (a + b) % field.PRIME
    assert int(field.subtract(x, y)) == (a - b) % field.PRIME
    assert int(field.multiply(x, y)) == a * b % field.PRIME
    assert a == 0 or a * field.inverse(a) % field.PRIME == 1


@given(st.lists(numbers, max_size=5))
def test_numbers_below_zero_have_a_place(values: list[int]) -> None:
    assert field.decode(field.encode(np.array(values, np.int64))).tolist() == values


def test_what_has_no_place_in_the_field_is_refused() -> None:
    with pytest.raises(OutOfRangeError, match="beyond ±1152921504606846975"):
        field.encode(2**60)
    with pytest.raises(
        OutOfRangeError, match=r"whole numbers, and these are float64.*\n.*FixedPoint"
    ):
        field.encode([0.5])


def test_random_elements_fill_the_field_evenly() -> None:
    drawn = field.random((100_000,))
    counts = np.bincount((drawn >> np.uint64(57)).astype(int), minlength=16)
    assert ((counts - 6250) ** 2 / 6250).sum() < 90  # chi-squared, 15 degrees: p < 1e-12
    assert field.random((0,)).shape == (0,)


# ---------------------------------------------------------------------------------------- Shamir


@given(numbers, st.integers(1, 6), st.data())
def test_any_threshold_of_shares_is_enough(secret: int, parties: int, data: Any) -> None:
    threshold = data.draw(st.integers(1, parties))
    shares = shamir.split(secret, parties, threshold)
    for places in combinations(shares, threshold):
        assert int(shamir.join({i: shares[i] for i in places}, threshold)) == secret


@given(st.binary(max_size=40), st.integers(2, 5))
def test_bytes_are_shared(secret: bytes, parties: int) -> None:
    shares = shamir.split_bytes(secret, parties, 2)
    last_two = {i: shares[i] for i in (parties - 1, parties)}
    assert shamir.join_bytes(last_two, 2, len(secret)) == secret


def test_one_share_too_few_fits_every_secret_alike() -> None:
    """Shares 1 and 2 of 3 that are needed: for any secret there is a curve through them."""
    shares = shamir.split(42, parties=3, threshold=3)
    for imagined in (0, 41, 42, 10**15):
        points = [(0, imagined), (1, int(shares[1])), (2, int(shares[2]))]
        third = sum(
            y * int(Fraction(np.prod([3 - j for j, _ in points if j != i]).item(),
                             np.prod([i - j for j, _ in points if j != i]).item()))
            for i, y in points
        ) % field.PRIME  # fmt: skip
        forged = {1: shares[1], 2: shares[2], 3: np.uint64(third)}
        assert int(shamir.join(forged, 3)) == imagined


def test_a_share_by_itself_looks_the_same_whatever_the_secret() -> None:
    counts = []
    for secret in (0, 2**59):
        share = shamir.split(np.full(50_000, secret), parties=3, threshold=2)[1]
        counts.append(np.bincount((share >> np.uint64(57)).astype(int), minlength=16))
    assert ((counts[0] - counts[1]) ** 2 / (counts[0] + counts[1])).sum() < 90


def test_wrong_shares_are_refused() -> None:
    shares = shamir.split([1, 2], parties=4, threshold=3)
    with pytest.raises(ShareError, match="2 shares of 3 that are needed"):
        shamir.join({1: shares[1], 2: shares[2]}, 3)
    with pytest.raises(ShareError, match="share 2 is there twice"):
        shamir.join([(2, shares[2]), (1, shares[1]), (2, shares[2])], 3)
    with pytest.raises(ShareError, match=r"one shape, and these have \(2,\), \(2,\), \(1,\)"):
        shamir.join({1: shares[1], 2: shares[2], 3: shares[3][:1]}, 3)
    with pytest.raises(TamperedError, match="share 4 does not lie on the curve"):
        shamir.join({**shares, 1: field.add(shares[1], np.uint64(1))}, 3)
    with pytest.raises(TamperedError, match="outside the field"):
        shamir.join({**shares, 0: shares[1]}, 3)
    with pytest.raises(TamperedError, match="make no secret of 7 bytes"):
        shamir.join_bytes(shamir.split(-1, 2, 2), 2, 7)
    with pytest.raises(ArgumentError, match="threshold is 5 of 4"):
        shamir.split(1, parties=4, threshold=5)


# -------------------------------------------------------------------------- additive shares, Beaver


@given(small, small, st.integers(-1000, 1000), st.integers(2, 4))
def test_parties_compute_without_looking(x: int, y: int, c: int, parties: int) -> None:
    dealer = Dealer(parties)
    a, b = dealer.share(x), dealer.share(y)
    assert reveal(a) == x
    assert reveal(a + b) == x + y
    assert reveal(a - b) == x - y
    assert reveal(c * a + c) == c * x + c
    assert reveal(a - c) == x - c
    assert reveal(multiply(a, b, dealer.triple())) == x * y


def test_arrays_are_shared_and_multiplied() -> None:
    dealer, x = Dealer(3), np.arange(-3, 3)
    a = dealer.share(x)
    assert reveal(multiply(a, a, dealer.triple((6,)))).tolist() == (x * x).tolist()
    with pytest.raises(ShapeError, match=r"got \(6,\), \(6,\) and \(\): use dealer.triple"):
        multiply(a, a, dealer.triple())


def test_the_average_of_three_secrets() -> None:
    assert private_average([4, 7, 10]) == 7.0
    assert private_average([-5, 6], parties=4) == 0.5


def test_fractions_are_shared_through_fixed_point() -> None:
    dealer, encoding = Dealer(3), FixedPoint(limit=100, terms=2, width=61)
    x, y = np.array([0.1, -99.0]), np.array([0.2, 1.0])
    total = dealer.share(encoding.encode(x)) + dealer.share(encoding.encode(y))
    assert np.abs(encoding.decode(reveal(total)) - (x + y)).max() <= encoding.resolution


def test_all_shares_but_one_say_nothing() -> None:
    """Two of three parties put their shares together, many times: the same for 0 and for 2**59."""
    counts = []
    for secret in (0, 2**59):
        shares = Dealer(3).share(np.full(50_000, secret)).shares
        for pair in combinations(shares, 2):
            together = field.add(pair[0].part, pair[1].part)
            counts.append(np.bincount((together >> np.uint64(57)).astype(int), minlength=16))
    for one, other in combinations(counts, 2):
        assert ((one - other) ** 2 / (one + other)).sum() < 90


@given(st.integers(0, 2), st.sampled_from(["part", "tag", "alpha"]), st.integers(1, 1000))
def test_a_changed_share_is_noticed(party: int, what: str, by: int) -> None:
    dealer = Dealer(3)
    shares, other, triple = list(dealer.share(5).shares), dealer.share(2), dealer.triple()
    changed = field.add(getattr(shares[party], what), np.uint64(by))
    shares[party] = replace(shares[party], **{what: changed})
    with pytest.raises(TamperedError, match="do not belong together"):
        reveal(shares)
    with pytest.raises(TamperedError, match="do not belong together"):
        multiply(Shared(shares), other, triple)


def test_missing_doubled_and_mixed_shares_are_refused() -> None:
    dealer = Dealer(3)
    a, b, c = dealer.share(5).shares
    with pytest.raises(ShareError, match=r"of party 1 is missing: all 3 are needed"):
        reveal([a, c])
    with pytest.raises(ShareError, match="of party 0 is there twice"):
        reveal([a, a, b, c])
    with pytest.raises(ShareError, match="of different sharings"):
        reveal([a, b, Dealer(3).share(5).shares[2]])
    with pytest.raises(ShareError, match="no shares"):
        reveal([])
    with pytest.raises(ShareError, match="party 0 and 1: with both in one hand"):
        a + b
    with pytest.raises(ShareError, match="two dealers"):
        a + Dealer(3).share(5).shares[0]
    with pytest.raises(ArgumentError, match="at least two"):
        Dealer(1)


# ------------------------------------------------------------------------------------ fixed point


@given(st.floats(1e-6, 1e6), st.integers(1, 10**6), st.integers(30, 64), st.floats(-1, 1))
def test_a_number_is_off_by_half_a_step_at_most(
    limit: float, terms: int, width: int, share: float
) -> None:
    try:
        encoding = FixedPoint(limit, terms, width)
    except ArgumentError as error:
        assert "no fraction would be left" in str(error)  # noqa: PT017
        return
    x = share * limit
    assert abs(float(encoding.decode(encoding.encode(x))) - x) <= encoding.resolution / 2
    largest = int(encoding.encode(limit))
    assert largest * terms < 2 ** (width - 1)  # so no sum wraps around
    assert 2 * largest * terms >= 2 ** (width - 1) - 2 * terms  # and no bit is wasted


def test_what_does_not_fit_is_refused() -> None:
    encoding = FixedPoint(limit=8, terms=3)
    with pytest.raises(OutOfRangeError, match=r"w has 9 at \(1, 0\), beyond ±8"):
        encoding.encode([[1], [9]], "w")
    with pytest.raises(NotFiniteError, match=r"the update has nan at \(0,\)"):
        encoding.encode([np.nan])
    with pytest.raises(NotFiniteError, match="the update has -inf;"):
        encoding.encode(-np.inf)
    for wrong in ({"limit": 0}, {"limit": np.inf}, {"terms": 0}, {"width": 65}):
        with pytest.raises(ArgumentError, match=next(iter(wrong))):
            FixedPoint(**{"limit": 8, "terms": 3, **wrong})
    assert encoding.encode([]).shape == (0,)
