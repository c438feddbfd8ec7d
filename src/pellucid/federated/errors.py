"""What goes wrong among parties that do not trust each other.

    PellucidError
    ├── PrivacyError  (RuntimeError)   a step that would reveal more than it may: refused
    │   ├── BothSecretsError           both secrets of one party were asked
    │   ├── SecondUnmaskError          a round was to be unmasked twice
    │   ├── ReplayError                a message of a round that is over
    │   ├── OutOfOrderError            a step before its time
    │   ├── DisagreementError          parties were told different things
    │   └── BudgetError                the privacy budget is spent
    ├── ShareError    (ValueError)     shares that do not make a secret: too few, doubled, mixed
    ├── WeakKeyError  (ArgumentError)  a key that is too short to protect anything
    └── MessageError                   (of pellucid.errors)
        ├── TamperedError              not what its sender made
        ├── WrongKeyError              made with another key
        ├── NotFiniteError             an update with NaN or infinity
        └── OutOfRangeError            numbers beyond what was agreed

A party that nobody knows is a `PartyError`, too few parties a `RoundError`, and an update of the wrong
shape a `ShapeError`, all of pellucid.errors.
"""

from __future__ import annotations

from ..errors import ArgumentError, MessageError, PellucidError


class PrivacyError(PellucidError, RuntimeError):
    """A step that would reveal more than it may."""


class BothSecretsError(PrivacyError):
    """Both secrets of one party were asked: together they would reveal its update."""


class SecondUnmaskError(PrivacyError):
    """A round was to be unmasked twice."""


class ReplayError(PrivacyError):
    """A message of a round that is over."""


class OutOfOrderError(PrivacyError):
    """A step before its time, or one that was made already."""


class DisagreementError(PrivacyError):
    """Parties were told different things about who takes part."""


class BudgetError(PrivacyError):
    """The privacy budget is spent."""


class ShareError(PellucidError, ValueError):
    """Shares that do not make a secret: too few, the same one twice, or of different secrets."""


class WeakKeyError(ArgumentError):
    """A key that is too short to protect anything."""


class TamperedError(MessageError):
    """Something on its way, or a share, is not what its sender made."""


class WrongKeyError(MessageError):
    """Something was made with another key than the one at hand."""


class NotFiniteError(MessageError):
    """An update with NaN or infinity in it."""


class OutOfRangeError(MessageError):
    """Numbers beyond the range that was agreed on."""
