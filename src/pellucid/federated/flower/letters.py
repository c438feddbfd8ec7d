"""Letters: a message on its way through a network that nobody has to trust.

Whoever stands between may read a letter (the content is masked or locked where that matters, and TLS
hides the rest) but can change nothing, say it twice, or speak in another's name:

    4 bytes length of the head | the head | the content

The head says from whom, to whom, under which plan, which number, in answer to which letter, and of
what kind; a signature stands under all of it and under the content.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from ...errors import MessageError
from ..errors import DisagreementError, TamperedError
from ..messages import pack, unpack
from ..secure_aggregation.identity import Identity, Registry, check

ANYBODY = "anybody"
MOST_HEAD = 4096  # bytes
_LENGTH = struct.Struct("<I")
_HEAD: dict[str, type] = {
    "from": str, "to": str, "plan": bytes, "number": int, "answers": bytes, "kind": str,
}  # fmt: skip


@dataclass(frozen=True)
class Letter:
    """A letter that was opened.

    Attributes:
        sender, receiver: names.
        number: larger for each later letter of one sender to one receiver.
        kind: what it is for.
        content: bytes.
    """

    sender: str
    receiver: str
    number: int
    kind: str
    content: bytes


def write(identity: Identity, letter: Letter, *, plan: bytes, answers: bytes = b"") -> bytes:
    """The bytes of a letter.

    Args:
        identity: the sender's.
        letter: what it says.
        plan: what stands for the plan that all have agreed on.
        answers: what stands for the letter that this one answers: `mark_of` its bytes.
    """
    head: dict[str, Any] = {
        "from": letter.sender,
        "to": letter.receiver,
        "plan": plan,
        "number": letter.number,
        "answers": answers,
        "kind": letter.kind,
    }
    head["signed"] = identity.sign("letter", *head.values(), mark_of(letter.content))
    written = pack(head)
    return _LENGTH.pack(len(written)) + written + letter.content


def read(
    data: bytes,
    registry: Registry,
    *,
    to: str,
    plan: bytes,
    most_bytes: int,
    answers: bytes = b"",
) -> Letter:
    """Open a letter and check everything that stands on it. Whether its number is new, ask yourself.

    Args:
        data: the bytes.
        registry: who may write, and with which key.
        to: who opens it; a letter to ANYBODY is for everybody.
        plan: what stands for the plan that is agreed on.
        most_bytes: how long the content may be.
        answers: what stands for the letter that it should answer.

    Raises:
        MessageError: it is too long, damaged, or of another version.
        PartyError: nobody of the sender's name is registered.
        WrongKeyError: somebody else speaks in that name.
        TamperedError: it was changed, is for somebody else, or answers another letter.
        DisagreementError: it belongs to another plan.
    """
    if len(data) > most_bytes + MOST_HEAD:
        raise MessageError(
            f"this letter has {len(data):,} bytes, and at most {most_bytes:,} are allowed.\n"
            "Raise most_bytes in the plan if the model is meant to be that large"
        )
    if len(data) < _LENGTH.size:
        raise MessageError(f"this is no letter: it has {len(data)} bytes")
    (length,) = _LENGTH.unpack_from(data)
    if length > MOST_HEAD or len(data) < _LENGTH.size + length:
        raise MessageError("this is no letter, or a part of it is missing")
    head = unpack(data[_LENGTH.size : _LENGTH.size + length], MOST_HEAD)
    if any(type(head.get(name)) is not kind for name, kind in _HEAD.items()):
        raise MessageError("this is no letter: its head is not complete")
    content = data[_LENGTH.size + length :]
    statement = (head[name] for name in _HEAD)
    check(registry, head["from"], head.get("signed"), "letter", *statement, mark_of(content))
    if head["to"] not in (to, ANYBODY):
        raise TamperedError(f"this letter is for {head['to']}, not for {to}")
    if not compare_digest(head["plan"], plan):
        raise DisagreementError(
            f"{head['from']} has another plan than {to}: what is learned, who takes part or how it "
            "is protected differs.\nGive both the same file"
        )
    if not compare_digest(head["answers"], answers):
        raise TamperedError(f"{head['from']} answers another letter than the one it was sent")
    return Letter(head["from"], head["to"], head["number"], head["kind"], content)


def mark_of(data: bytes) -> bytes:
    """32 bytes that stand for others (SHA-256)."""
    return sha256(data).digest()
