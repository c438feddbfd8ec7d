"""Computing on numbers that nobody sees: additive shares, and products with Beaver's triples.

Cut a number into three random parts that add up to it, and give one to each of three parties. Two of
them together still know nothing. But each can add its parts of two numbers, and the sums are parts of
the sum: so parties add without looking.

    dealer = Dealer(parties=3)
    total = dealer.share(4) + dealer.share(7) + dealer.share(10)    # nobody sees 4, 7 or 10
    reveal(total) / 3                                               # 7.0

What a dishonest party changes is noticed: the dealer once draws a secret number alpha and gives parts
of it to all; each shared x comes with parts of alpha · x, and whoever changes x would have to change
those by alpha times as much, which nobody knows.

Sources: Beaver, "Efficient multiparty protocols using circuit randomization" (1991); Damgård, Pastro,
Smart and Zakarias, "Multiparty computation from somewhat homomorphic encryption" (SPDZ, 2012).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from . import field as ring
from .errors import ShareError, TamperedError

Array = Any


@dataclass(frozen=True)
class Share:
    """One party's part of a shared number, or of an array of them.

    Adding, subtracting and multiplying by a public whole number is done by each party for itself.
    """

    party: int  # 0, 1, ...
    parties: int
    part: Array = field(repr=False)  # the parts of all parties add up to the number
    tag: Array = field(repr=False)  # these add up to alpha times the number
    alpha: Array = field(repr=False)  # and these to alpha
    dealer: str = field(repr=False)  # who drew alpha; shares of two dealers do not mix

    def __add__(self, other: Share) -> Share:
        self._check(other)
        return replace(
            self, part=ring.add(self.part, other.part), tag=ring.add(self.tag, other.tag)
        )

    def __sub__(self, other: Share) -> Share:
        self._check(other)
        return replace(
            self, part=ring.subtract(self.part, other.part), tag=ring.subtract(self.tag, other.tag)
        )

    def times(self, factor: Any) -> Share:
        """Multiply by a public whole number."""
        f = ring.encode(factor)
        return replace(self, part=ring.multiply(self.part, f), tag=ring.multiply(self.tag, f))

    def plus(self, number: Any) -> Share:
        """Add a public whole number: one party adds it to its part, all to their tags."""
        n = ring.encode(number)
        part = ring.add(self.part, n) if self.party == 0 else self.part
        return replace(self, part=part, tag=ring.add(self.tag, ring.multiply(self.alpha, n)))

    def _check(self, other: Share) -> None:
        if self.party != other.party:
            raise ShareError(
                f"a party adds its own shares, and these are of party {self.party} and "
                f"{other.party}: with both in one hand they would be no secret"
            )
        if (self.dealer, self.parties) != (other.dealer, other.parties):
            raise ShareError("these shares come from two dealers, whose checks do not fit together")


class Shared:
    """A shared number as a whole: the shares of all parties, in their order.

    It stands for what the parties do at the same time; no operation but `reveal` and `*`, which
    opens two masked numbers, looks at two shares at once.
    """

    def __init__(self, shares: Iterable[Share]) -> None:
        self.shares = tuple(shares)

    def __add__(self, other: Shared | int) -> Shared:
        if isinstance(other, Shared):
            return Shared(a + b for a, b in zip(self.shares, other.shares, strict=True))
        return Shared(share.plus(other) for share in self.shares)

    __radd__ = __add__

    def __sub__(self, other: Shared | int) -> Shared:
        if isinstance(other, Shared):
            return Shared(a - b for a, b in zip(self.shares, other.shares, strict=True))
        return Shared(share.plus(-other) for share in self.shares)

    def __mul__(self, factor: int) -> Shared:
        return Shared(share.times(factor) for share in self.shares)

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"Shared(among {len(self.shares)} parties)"


class Dealer:
    """Prepares random numbers for parties before there is anything to compute. Sees no input.

    Args:
        parties: how many; at least 2.

    Raises:
        ArgumentError: fewer than two.
    """

    def __init__(self, parties: int) -> None:
        if parties < 2:
            raise ArgumentError(f"parties is {parties}; sharing takes at least two")
        self.parties = parties
        self.name = secrets.token_hex(8)
        self._alpha = ring.random(())
        self._alphas = _cut(self._alpha, parties)

    def share(self, values: Any) -> Shared:
        """Share one or an array of whole numbers.

        The dealer draws random numbers r, tells them to the owner alone and deals shares of them.
        The owner publishes x - r, which says nothing about x, and each party adds it to its share.

        Args:
            values: within ±(2**60 - 1).

        Raises:
            OutOfRangeError: no whole numbers, or too large ones.
        """
        x = ring.encode(values)
        r = ring.random(x.shape)
        published: int = _int(ring.decode(ring.subtract(x, r)))
        return self._deal(r) + published

    def triple(self, shape: tuple[int, ...] = ()) -> tuple[Shared, Shared, Shared]:
        """Shares of random a and b, and of their product: to be used for one product only."""
        a, b = ring.random(shape), ring.random(shape)
        return self._deal(a), self._deal(b), self._deal(ring.multiply(a, b))

    def _deal(self, x: Array) -> Shared:
        parts = _cut(x, self.parties)
        tags = _cut(ring.multiply(self._alpha, x), self.parties)
        return Shared(
            Share(i, self.parties, parts[i], tags[i], self._alphas[i], self.name)
            for i in range(self.parties)
        )


def multiply(x: Shared, y: Shared, triple: tuple[Shared, Shared, Shared]) -> Shared:
    """The product of two shared numbers (or arrays of one shape), still shared.

    Opened are only d = x - a and e = y - b, and a, b are random, so they say nothing. Then
    x · y = (a + d) · (b + e) = a · b + d · b + e · a + d · e, and each of these can be shared.

    Args:
        x: a shared number,
        y: another,
        triple: of `Dealer.triple`, of their shape; never used before.

    Raises:
        ShapeError: shapes that differ.
        TamperedError: a party changed a share.

    >>> dealer = Dealer(parties=3)
    >>> reveal(multiply(dealer.share(6), dealer.share(-7), dealer.triple()))
    -42
    """
    a, b, a_b = triple
    shapes = [s.shares[0].part.shape for s in (x, y, a)]
    if len(set(shapes)) > 1:
        raise ShapeError(
            f"multiply takes x, y and a triple of one shape, and got {shapes[0]}, {shapes[1]} and "
            f"{shapes[2]}: use dealer.triple({shapes[0]})"
        )
    d, e = reveal(x - a), reveal(y - b)
    d_e: int = _int(ring.decode(ring.multiply(ring.encode(d), ring.encode(e))))
    result: Shared = a_b + b * d + a * e + d_e
    return result


def reveal(shared: Shared | Iterable[Share]) -> Any:
    """Put all shares together.

    Over a network the parties first bind themselves to their checks by a hash, so that the last one
    cannot fit its own to the others.

    Args:
        shared: the shares of all parties.

    Returns:
        The number, or an array of int64.

    Raises:
        ShareError: a share is missing, there twice, or of another sharing.
        TamperedError: a share is not what it should be.

    >>> dealer = Dealer(parties=3)
    >>> reveal(dealer.share(5) + dealer.share(3))
    8
    """
    shares = shared.shares if isinstance(shared, Shared) else tuple(shared)
    _check_whole(shares)
    value = _sum(share.part for share in shares)
    check = _sum(ring.subtract(s.tag, ring.multiply(s.alpha, value)) for s in shares)
    if check.any():
        raise TamperedError(
            "these shares do not belong together: a party changed its part.\n"
            "Nothing is revealed; what cannot be told is which party it was"
        )
    return _int(ring.decode(value))


def private_average(values: Iterable[int], parties: int | None = None) -> float:
    """The average of numbers that their owners keep to themselves.

    Args:
        values: one number of each party.
        parties: how many hold shares; by default, as many as there are numbers.

    >>> private_average([4, 7, 10])
    7.0
    """
    numbers = list(values)
    dealer = Dealer(parties or len(numbers))
    total = dealer.share(numbers[0])
    for number in numbers[1:]:
        total = total + dealer.share(number)
    return float(reveal(total) / len(numbers))


# ------------------------------------------------------------------------------------------ inside


def _cut(x: Array, parties: int) -> Array:
    """Random parts, (parties, ...), that add up to x."""
    parts = ring.random((parties - 1, *x.shape))
    return [*parts, ring.subtract(x, _sum(parts))]


def _sum(parts: Iterable[Array]) -> Array:
    total: Array = np.uint64(0)
    for part in parts:
        total = ring.add(total, part)
    return total


def _int(numbers: Array) -> Any:
    return int(numbers) if numbers.ndim == 0 else numbers


def _check_whole(shares: tuple[Share, ...]) -> None:
    if not shares:
        raise ShareError("there are no shares to reveal anything from")
    first = shares[0]
    if len({(s.dealer, s.parties, s.part.shape) for s in shares}) > 1:
        raise ShareError("these are shares of different sharings: another dealer, number or shape")
    there = [share.party for share in shares]
    twice = sorted({party for party in there if there.count(party) > 1})
    if twice:
        raise ShareError(f"the share of party {twice[0]} is there twice")
    missing = sorted(set(range(first.parties)) - set(there))
    if missing:
        names = ", ".join(map(str, missing))
        raise ShareError(
            f"the share of party {names} is missing: all {first.parties} are needed, and fewer say "
            "nothing.\nWhere parties may drop out, use Shamir's sharing: shamir.split(x, parties, threshold)"
        )
