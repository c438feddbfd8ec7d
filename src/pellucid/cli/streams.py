"""Output for terminals that know few characters: a plain one in place of each they lack."""

from __future__ import annotations

import codecs
import sys

PLAIN = {
    "\u00d7": "x", "\u2212": "-", "\u2192": "->", "\u2026": "...", "\u00b7": ".", "\u2713": "+",
    "\u2717": "x", "\u2500": "-", "\u2501": "-", "\u2502": "|", "\u2514": "+", "\u2588": "#",
    "\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"',
    "\u2264": "<=", "\u2265": ">=", "\u25cf": "o", "\u25bc": "v", "\u22ee": ":", "\u1d40": ".T",
    "\u03c3": "sigmoid", "\u2217": "*", "\u03a3": "sum", "\u221a": "sqrt", "\u00b2": "^2",
    **{chr(0x2080 + digit): str(digit) for digit in range(10)},
}  # fmt: skip


def in_plain_characters(error: UnicodeError) -> tuple[str, int]:
    """What to write where an encoding has no such character (a handler for `codecs`)."""
    assert isinstance(error, UnicodeEncodeError)
    missing = error.object[error.start : error.end]
    return "".join(PLAIN.get(character, "?") for character in missing), error.end


def prepare() -> None:
    """Let standard output never fail over a character."""
    codecs.register_error("pellucid-plain", in_plain_characters)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="pellucid-plain")
