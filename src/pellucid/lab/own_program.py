"""Data as a program: the Python that makes inputs and targets of the bench."""

from __future__ import annotations

import inspect

import numpy as np

from . import own_data
from .known_digits import IN_PYTHON
from .own_data import BEFORE, Known

NUMBERS = 20_000  # are written out at most
LETTERS = 2000


def in_python(known: Known, task: str) -> str:
    """What makes these inputs and targets, or the first of them; it needs NumPy as np."""
    if task == "digits":
        shape = (-1, *known.inputs.shape[1:])
        return (
            f"{IN_PYTHON}inputs = (train.pixels / train.ink).reshape{shape}\n"
            "targets = train.labels\n"
        )
    if known.text:
        return _letters(known)
    count = len(known.inputs)
    wide = 8 if known.lines else int(np.prod(known.inputs.shape[1:]))
    shown = min(count, 100, max(10, NUMBERS // wide))
    note = f"# the first {shown} of {count} examples\n" if shown < count else ""
    targets = f"targets = np.array({known.targets[:shown].tolist()})\n"
    if known.lines:
        return note + _lines(known, shown) + targets
    if known.inputs.ndim == 4:
        return note + _images(known, shown) + targets
    return note + f"inputs = np.array({known.inputs[:shown].round(3).tolist()})\n" + targets


def _images(known: Known, shown: int) -> str:
    ink = np.round(255 * known.inputs[:shown]).astype(np.uint8)
    rows = "".join(f"    {image.tobytes().hex()}\n" for image in ink)
    return (
        f'ink = bytes.fromhex("""\n{rows}""")  # an image a line\n'
        f"inputs = np.frombuffer(ink, np.uint8).reshape{ink.shape} / 255\n"
    )


def _lines(known: Known, shown: int) -> str:
    lines = "".join(f"    {line!r},\n" for line in known.lines[:shown])
    return (
        f"import re\n\nlines = [\n{lines}]\n"
        f"vocabulary = {list(known.vocabulary)!r}\n\n\n"
        f"{inspect.getsource(own_data.words_of)}\n\n"
        "inputs = np.array(\n"
        "    [[words_of(line).count(word) for word in vocabulary] for line in lines], dtype=float\n"
        ")\n"
    )


def _letters(known: Known) -> str:
    text = known.text[:LETTERS]
    note = f"  # the first {LETTERS} characters" if len(known.text) > LETTERS else ""
    return (
        f"text = {text!r}{note}\n"
        f"symbols = {''.join(known.vocabulary)!r}\n"
        "ids = np.array([symbols.index(c) for c in text])\n"
        f"inputs = np.array([ids[i : i + {BEFORE}] for i in range(len(ids) - {BEFORE})])\n"
        f"targets = ids[{BEFORE}:]\n"
    )
