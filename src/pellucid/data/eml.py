"""A mail as mail programs send and save it, turned into plain text."""

from __future__ import annotations

import email
from contextlib import suppress
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from html.parser import HTMLParser


def read(content: bytes) -> str:
    """`Subject: ...` and, from the second line on, the text of a mail.

    Mails, spam above all, are often not written as they should be. What can be read of one is read.

    Args:
        content: the mail with its headers, as programs send and save it (RFC 5322, 2008).
    """
    message = email.message_from_bytes(content)
    parts = [part for part in message.walk() if not part.is_multipart()]
    plain = [_text(part) for part in parts if _is_plain(part)]
    pages = [_text(part) for part in parts if part.get_content_type() == "text/html"]
    body = "\n".join(plain or map(_without_marks, pages))
    return f"Subject: {_subject(message)}\n{body}"


def _is_plain(part: Message) -> bool:
    """Whether it is simple text; also that of a mail whose parts could not be told apart."""
    return part.get_content_type() == "text/plain" or part.get_content_maintype() == "multipart"


def _subject(message: Message) -> str:
    written = str(message.get("Subject", ""))
    with suppress(MessageError, LookupError, ValueError):  # not coded by the rules: as it is, then
        written = str(make_header(decode_header(written)))
    return " ".join(written.split())


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return decoded(content, part.get_content_charset("utf-8"))


def _without_marks(page: str) -> str:
    """The words of a page of HTML."""
    reader = _Words()
    with suppress(AssertionError):  # how the parser says that it cannot go on
        reader.feed(page)
        reader.close()
    return "\n".join(reader.found)


class _Words(HTMLParser):
    """Collects what stands between the marks, except programs and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.hidden = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Programs and styles begin."""
        if tag in ("script", "style"):
            self.hidden = tag

    def handle_endtag(self, tag: str) -> None:
        """And end."""
        if tag == self.hidden:
            self.hidden = ""

    def handle_data(self, data: str) -> None:
        """Something to read."""
        if data.strip() and not self.hidden:
            self.found.append(" ".join(data.split()))


def decoded(content: bytes, encoding: str = "utf-8") -> str:
    """Bytes as text; where they are none in that encoding, as Latin-1, in which all bytes are."""
    try:
        return content.decode(encoding)
    except (LookupError, ValueError):
        return content.decode("latin-1")
