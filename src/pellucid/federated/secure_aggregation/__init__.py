"""The coordinator learns the sum and nothing else.

Each two parties agree on a mask, which one adds to what it has found and the other takes off: in the
sum they vanish. A mask of its own on top covers each party in case its answer is only late. Shares of
both secrets lie with the others, so that the sum can still be found when somebody drops out.

terms.py          who takes part, and how many have to stay
identity.py       signatures: who says so
channels.py       secrets that two share, and sealed letters
masks.py          the masks
party.py          the party's five answers: `Masked`
coordinator.py    the coordinator's five questions: `SecureSum`

Source: Bonawitz, Ivanov, Kreuter, Marcedone, McMahan, Patel, Ramage, Segal and Seth, "Practical secure
aggregation for privacy-preserving machine learning" (2017), in its form against active attackers. Two
things are added to it: letters are opened before anything is shown, which proves the others are
there now, and what is shown of the self mask lets a wrong share be noticed.

What it does not do: with two parties, each can tell the other's part from the sum; and since nobody
sees a single contribution, nobody sees a poisoned one.
"""

from .coordinator import Collection, SecureSum
from .identity import Identity
from .party import Masked
from .terms import Terms, usual_threshold

__all__ = ["Collection", "Identity", "Masked", "SecureSum", "Terms", "usual_threshold"]
