"""What all parties of a round have to agree on, and the words for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ArgumentError, MessageError

STEPS = ("keys", "share", "mask", "agree", "unmask")


@dataclass(frozen=True)
class Terms:
    """Who takes part in a round, and how many have to stay.

    Args:
        session: a number that is larger for each later round.
        parties: the names, sorted.
        threshold: how many have to stay to the end; above half of them.

    Raises:
        ArgumentError: fewer than two parties, the same twice, or a threshold that is too low or high.
    """

    session: int
    parties: tuple[str, ...]
    threshold: int

    def __post_init__(self) -> None:
        count = len(self.parties)
        if count < 2 or list(self.parties) != sorted(set(self.parties)):
            raise ArgumentError(f"a secret sum takes at least two parties, each once; got {count}")
        if not count / 2 < self.threshold <= count:
            raise ArgumentError(
                f"threshold is {self.threshold} of {count} parties; it is above half of them "
                f"({count // 2 + 1} or more), so that no two groups can finish one round in two ways"
            )

    def place(self, party: str) -> int:
        """Where a party stands, from 1: its point of the curves that secrets are shared by."""
        return self.parties.index(party) + 1

    def to_plain(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "session": self.session,
            "parties": list(self.parties),
            "threshold": self.threshold,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Terms:
        """The terms again.

        Raises:
            MessageError: something is missing or makes no sense.
        """
        session, names, threshold = (
            plain.get("session"), plain.get("parties"), plain.get("threshold")
        )  # fmt: skip
        if (
            type(session) is not int
            or type(threshold) is not int
            or not isinstance(names, list)
            or not all(isinstance(name, str) for name in names)
        ):
            raise MessageError("the terms of a round are session, parties and threshold")
        try:
            return cls(session, tuple(names), threshold)
        except ArgumentError as error:
            raise MessageError(f"these terms cannot be accepted: {error.message}") from None


def usual_threshold(parties: int) -> int:
    """Two thirds, rounded up, and always above half.

    With t of n, up to 2t - n - 1 parties may conspire with the coordinator and learn no more than the
    sum of the others; that many fewer than all may drop out is n - t. Two thirds give each a third.

    >>> [usual_threshold(n) for n in (2, 3, 10, 100)]
    [2, 2, 7, 67]
    """
    return max(parties // 2 + 1, -(-2 * parties // 3))


def listed(names: Sequence[str] | set[str]) -> str:
    """Names in a message, the first few."""
    names = sorted(names)
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
