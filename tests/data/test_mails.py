"""A mail folder of one's own: plain files, and mails as mail programs save them."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pellucid.data import datasets
from pellucid.data.eml import read
from pellucid.errors import DataError


def folder(home: Path, ham: dict[str, bytes], spam: dict[str, bytes]) -> Path:
    for kind, files in (("ham", ham), ("spam", spam)):
        (home / kind).mkdir()
        for name, content in files.items():
            (home / kind / name).write_bytes(content)
    return home


def test_both_kinds_of_files(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Größe zählt", "someone@example.org"
    mail.set_content("Viel für wenig.\n")
    mail.add_alternative("<p>Viel <b>für</b> wenig.</p>", subtype="html")
    home = folder(
        tmp_path,
        ham={"b.txt": b"second\r\nline", "a.TXT": b"caf\xe9", "notes.doc": b"no mail"},
        spam={"x.eml": mail.as_bytes()},
    )
    found = datasets.mails(home)
    assert found.texts == ["Subject: Größe zählt\nViel für wenig.\n", "café", "second\nline"]
    assert found.labels.tolist() == [1, 0, 0]
    assert (found.classes, found.source) == (("ham", "spam"), str(home))
    assert len(datasets.mails(home, limit=1)) == 1


def test_html_without_its_marks() -> None:
    mail = EmailMessage()
    mail.set_content(
        "<style>p {}</style><p>Win &amp; <b>smile</b></p><script>x()</script>", subtype="html"
    )
    assert read(mail.as_bytes()) == "Subject: \nWin &\nsmile"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"Subject: =?no-such-code?b?AAAA?=\n\nhi", "Subject: =?no-such-code?b?AAAA?=\nhi"),
        (b"Content-Type: text/plain; charset=none\n\ncaf\xe9", "Subject: \ncafé"),
        (b"Content-Type: multipart/mixed\n\nno boundary", "Subject: \nno boundary"),
        (b"no header at all", "Subject: \nno header at all"),
        (b"Content-Type: text/html\n\n<p>a</p><![oops[", "Subject: \na"),
        (b"Content-Transfer-Encoding: base64\n\n????", "Subject: \n"),
        (b"", "Subject: \n"),
    ],
)
def test_mails_that_break_the_rules(content: bytes, expected: str) -> None:
    assert read(content) == expected


headers = st.sampled_from(
    [
        b"Subject: ", b"Subject: =?utf-8?q?", b"Subject: =?utf-8?b?", b"Content-Type: text/html",
        b"Content-Type: multipart/mixed; boundary=x", b"Content-Type: text/plain; charset=",
        b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: x-uuencode", b"--x",
        b"\n", b"begin 644 a\n", b"<![", b"<!--", b"<p ", b"&#", b"?=", b"*0*=", b"\xff", b"\0",
    ]
)  # fmt: skip


@given(st.lists(headers | st.binary(max_size=8), max_size=12).map(b"\n".join) | st.binary())
@example(b"Content-Type: text/plain; charset=\0\n\nx")
def test_no_mail_at_all_breaks_the_reader(content: bytes) -> None:
    assert read(content).startswith("Subject: ")


def test_folders_that_are_not_as_they_should_be(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"spam is not there: expected a folder with two folders"):
        datasets.mails(tmp_path)
    home = folder(tmp_path, ham={"1.txt": b"x"}, spam={"1.doc": b"x"})
    with pytest.raises(DataError, match=r"ending in \.txt or \.eml, found 1 other"):
        datasets.mails(home)
